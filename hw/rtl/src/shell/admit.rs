//! In front of the gate: packets whose source cannot wait.

use super::Fifos;
use super::kit::{bits_for, both, but_not, is, state};
use super::shape::{MOST_BYTES, Shape, USER_BITS};
use crate::net::{Circuit, Drive, Module, NetFault};
use restage_manifest::ShellConfig;
use restage_program::Bits;

/// Clocks from a beat to the room that is left behind it, and one.
const LATE: u64 = 4;

/// `restage_admit`: hands the beats from outside to the gate.
///
/// Contract:
/// * `sheds_i` is 0: `s_axis_*` is `g_axis_*`, with nothing between.
/// * `sheds_i` is 1: `s_axis_tready` is 1 in every clock. A packet that begins while a queue in front of the gate has room
///   for a longest one goes through that queue; any other is left out whole, and `shed_o` is 1 for one clock.
/// * `sheds_i` counts from the next packet on; when it has fallen, that one waits until the queue is empty. `empty_o` says
///   that it is.
///
/// Nothing is cut: a packet longer than [`MOST_BYTES`] may be kept waiting.
pub fn admit(config: &ShellConfig, fifos: &mut Fifos) -> Result<Circuit, Vec<NetFault>> {
    let shape = Shape::new(config);
    let longest = MOST_BYTES.div_ceil(config.data_bytes);
    // As much again and more, for what comes while the gate waits for another epoch, or a host.
    let depth = (2 * longest).next_power_of_two();
    let mut module = Module::new("restage_admit");
    let m = &mut module;
    m.about("restage_admit - drops packets whole where their source cannot wait and the gate has no room");

    m.section("ports");
    let names = ["tdata", "tkeep", "tlast", "tuser"];
    let widths = [shape.beat(), config.data_bytes, 1, USER_BITS];
    let [data, keep, last, user] =
        std::array::from_fn(|i| m.input(&format!("s_axis_{}", names[i]), widths[i]));
    let valid = m.input("s_axis_tvalid", 1);
    let wanted = m.input("sheds_i", 1);
    let gate_ready = m.input("g_axis_tready", 1);

    m.section("packets from outside");
    let inside = m.reg("inside", 1);
    let first = m.not(inside.q());
    let sheds = m.reg("sheds", 1);
    let count = m.wire("count", bits_for(depth));
    let (most, full) = (u64::from(depth - longest), u64::from(depth) - LATE);
    let most = m.lit(m.width(count.net()), most - LATE);
    let roomy = m.lt(count.net(), most);
    let roomy = state(m, "roomy", roomy);
    let full = m.lit(m.width(count.net()), full);
    let full = m.lt(full, count.net());
    let full = state(m, "full", full);
    let left_out = m.reg("left_out", 1);
    let leave = m.not(roomy);
    let leave = m.mux(first, leave, left_out.q());
    let leave = m.named("leave", leave);
    let long = but_not(m, full, leave);
    let back = but_not(m, first, wanted);
    let waits = m.mux(first, back, long);
    let takes = m.not(waits);
    let ready = m.mux(sheds.q(), takes, gate_ready);
    let ready = m.named("ready", ready);
    m.output_logic("s_axis_tready", ready);
    let taken = m.and(valid, ready);
    let taken = m.named("taken", taken);
    m.drive(left_out, leave, Drive::when(taken).reset(Bits::zero(1)));
    let ends = m.not(last);
    let still = m.mux(taken, ends, inside.q());
    m.drive(inside, still, Drive::always().reset(Bits::zero(1)));
    let shed = both(m, &[taken, sheds.q(), first, leave]);
    let shed = state(m, "shed", shed);
    m.output("shed_o", shed);

    m.section("the queue");
    let push = both(m, &[taken, sheds.q()]);
    let push = but_not(m, push, leave);
    let push = m.named("push", push);
    let word = m.concat(&[user, last, keep, data]);
    let queue = fifos.get(m.width(word), depth)?;
    let pop = m.wire("pop", 1);
    let queue =
        m.instance(&queue, "u_queue", &[("push_i", push), ("data_i", word), ("pop_i", pop.net())]);
    let (some, front) = (m.pin(queue, "valid_o"), m.pin(queue, "data_o"));
    let entries = m.pin(queue, "count_o");
    m.assign(count, entries);
    let moves = both(m, &[some, sheds.q(), gate_ready]);
    m.assign(pop, moves);
    let empty = is(m, entries, 0);
    let quiet = m.not(still);
    let settled = but_not(m, empty, push);
    let settled = m.and(settled, quiet);
    m.drive(sheds, wanted, Drive::when(settled).reset(Bits::zero(1)));
    let empty = state(m, "empty", empty);
    m.output("empty_o", empty);

    m.section("to the gate");
    let some = m.mux(sheds.q(), some, valid);
    m.output_logic("g_axis_tvalid", some);
    let mut low = 0;
    for ((name, width), net) in names.iter().zip(widths).zip([data, keep, last, user]) {
        let queued = m.slice(front, low + width - 1, low);
        let net = m.mux(sheds.q(), queued, net);
        m.output_logic(&format!("g_axis_{name}"), net);
        low += width;
    }
    module.finish()
}
