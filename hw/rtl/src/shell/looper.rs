//! The loop buffer: packets that go through the pipeline again.

use super::Fifos;
use super::kit::{beats_of, both, but_not, is, state, up_down};
use super::shape::{SIZE_BITS, Shape};
use crate::net::{Circuit, Drive, Module, Net, NetFault};
use restage_manifest::ShellConfig;
use restage_program::Bits;
use restage_program::standard::instance;

/// PHVs of egress clones that may wait.
const PHV_DEPTH: u32 = 64;
/// Beats of packets of one beat that may be let in until the gate hears that room is scarce.
const LATE: u32 = 8;

/// `restage_loop`: keeps whole packets until the gate takes them.
///
/// Contract:
/// * In: `in_*`, the merge's beats, and once per packet `meta_*` (and `phv_*` for an egress clone), all
///   before the packet's last beat. Out: `out_*`, a packet as soon as all of it is there; `out_take_i` takes a
///   beat.
/// * Room: `received_i` and `reserve_i` keep room for an original as long as it lives (`release*`), wherever
///   it is: so an original always fits, and waiting for room cannot lock up. `take_*` is what a copy takes. A
///   copy's room is free again when it has left.
/// * `empty_o`: there is no packet.
/// * `space_o`: beats that copies may take; `reserve_ok_o`: another packet of any length may be let in, and
///   some that the gate has let in before it hears of it.
pub fn looper(config: &ShellConfig, fifos: &mut Fifos) -> Result<Circuit, Vec<NetFault>> {
    let shape = Shape::new(config);
    let metas = shape.loop_meta();
    let mut module = Module::new("restage_loop");
    let m = &mut module;
    m.about("restage_loop - the loop port: resubmitted and recirculated packets, and clones, on their way back to the gate");

    m.section("ports");
    let valid = m.input("in_valid_i", 1);
    let data = m.input("in_data_i", shape.beat());
    let last = m.input("in_last_i", 1);
    let meta_valid = m.input("meta_valid_i", 1);
    let meta = m.input("meta_i", metas.width());
    let take = m.input("out_take_i", 1);

    m.section("beats");
    let entry = m.concat(&[last, data]);
    let fifo = fifos.get(shape.beat() + 1, config.payload_beats)?;
    let beats =
        m.instance(&fifo, "u_beats", &[("push_i", valid), ("data_i", entry), ("pop_i", take)]);
    let beat_valid = m.pin(beats, "valid_o");
    let entry = m.pin(beats, "data_o");
    let out_last = m.bit(entry, shape.beat());
    let out_data = m.slice(entry, shape.beat() - 1, 0);
    let leaves = m.and(take, out_last);
    let leaves = m.named("leaves", leaves);

    m.section("packets");
    let ended = m.and(valid, last);
    let width = shape.address() + 1;
    let packets = up_down(m, "packets", width, ended, &[leaves]);
    let whole = m.any(packets);
    let none = m.not(whole);
    let none = state(m, "empty", none);
    m.output("empty_o", none);
    let fifo = fifos.get(metas.width(), config.payload_beats)?;
    let queue = m.instance(
        &fifo,
        "u_metas",
        &[("push_i", meta_valid), ("data_i", meta), ("pop_i", leaves)],
    );
    let meta_there = m.pin(queue, "valid_o");
    let meta = m.pin(queue, "data_o");
    let mut there = vec![beat_valid, whole, meta_there];
    if config.egress_clones {
        let phv_valid = m.input("phv_valid_i", 1);
        let phv = m.input("phv_i", config.phv_bits);
        let kind = metas.get(m, meta, "kind");
        let clone = is(m, kind, instance::EGRESS_CLONE.into());
        let pop = m.and(leaves, clone);
        let fifo = fifos.get(config.phv_bits, PHV_DEPTH)?;
        let phvs =
            m.instance(&fifo, "u_phvs", &[("push_i", phv_valid), ("data_i", phv), ("pop_i", pop)]);
        let valid = m.pin(phvs, "valid_o");
        let missing = but_not(m, clone, valid);
        there.push(m.not(missing));
        let phv = m.pin(phvs, "data_o");
        m.output("out_phv_o", phv);
        let count = m.pin(phvs, "count_o");
        let most = m.lit(m.width(count), u64::from(PHV_DEPTH - 8));
        let room = m.lt(count, most);
        let room = state(m, "phv_room", room);
        m.output("phv_room_o", room);
    }
    let there = both(m, &there);
    m.output_logic("out_valid_o", there);
    m.output("out_data_o", out_data);
    m.output("out_last_o", out_last);
    m.output("out_meta_o", meta);

    m.section("room");
    let bits = SIZE_BITS + 2;
    let takes = m.input("take_i", 1);
    let amount = m.input("take_beats_i", SIZE_BITS);
    let copy = metas.get(m, meta, "copy");
    let size = metas.get(m, meta, "size");
    let size = beats_of(m, size, config.data_bytes);
    let none = is(m, size, 0);
    let one = m.lit(SIZE_BITS, 1);
    let size = m.mux(none, one, size);
    let back = m.and(leaves, copy);
    let zero = m.lit(bits, 0);
    let only_if = |m: &mut Module, on: Net, amount: Net| {
        let amount = m.zext(amount, bits);
        m.mux(on, amount, zero)
    };
    let mut change = only_if(m, back, size);
    let mut apart = zero;
    if shape.reserves() {
        let growth = m.input("growth_i", SIZE_BITS);
        let received = m.input("received_i", 1);
        let reserve = m.input("reserve_i", SIZE_BITS);
        let kept = only_if(m, received, reserve);
        change = m.sub(change, kept);
        change = state(m, "kept_or_left", change);
        for i in 0..2 {
            let release = m.input(&format!("release{i}_valid_i"), 1);
            let amount = m.input(&format!("release{i}_i"), SIZE_BITS);
            let freed = only_if(m, release, amount);
            change = m.add(change, freed);
        }
        let growth = m.zext(growth, bits);
        let growth = m.shl_const(growth, LATE.trailing_zeros());
        let most = m.lit(bits, u64::from(shape.most_beats() + LATE));
        apart = m.add(growth, most);
        apart = m.delay(apart, 1);
    }
    let change = state(m, "change", change);
    let space = m.reg("space", bits);
    let taken = only_if(m, takes, amount);
    let after = m.sub(space.q(), taken);
    let after = m.add(after, change);
    let all = Bits::new(bits, config.payload_beats.into());
    m.drive(space, after, Drive::always().reset(all));
    let for_copies = m.sub(space.q(), apart);
    let negative = m.bit(for_copies, bits - 1);
    let low = m.slice(for_copies, SIZE_BITS - 1, 0);
    let none = m.lit(SIZE_BITS, 0);
    let for_copies = m.mux(negative, none, low);
    m.output_logic("space_o", for_copies);
    if shape.reserves() {
        let ok = m.not(negative);
        let ok = state(m, "reserve_ok", ok);
        m.output("reserve_ok_o", ok);
    }
    module.finish()
}
