//! The gate: where packets are let in.

use super::kit::{bits_for, both, but_not, counter, held, is, state};
use super::shape::{PORT_BITS, SIZE_BITS, Shape, USER_BITS};
use super::turn::Turn;
use crate::net::{Circuit, Drive, Module, Net, NetFault};
use restage_manifest::ShellConfig;
use restage_program::Bits;

/// `restage_gate`: takes beats from outside or from the loop port.
///
/// Contract:
/// * `s_axis_*`: packets; `tuser` counts with the first beat. `l_*`: packets from the loop port, which go
///   first; their beats are zero behind the packet's end, and `l_meta_i`, `l_phv_i` count with the first.
/// * A packet begins only when `open_i` (for a new one), `credit_i` and, for a new one, `reserve_ok_i` are 1;
///   a beat is taken only when `room_i` is 1 and `yield_i` is not. Credit and room may be some clocks late.
/// * A new packet is of epoch `epoch_i`, one from the loop port of that which it brings. Behind a packet of the other
///   epoch it begins only when so many clocks have passed as [`Turn`] says; `held_o`: it waits only for that.
/// * `beat_*_o`: the beat taken in the clock before, zero behind the packet's end; `beat_index_o` of the window's beats, then
///   their number; `completes_o`: with it the window has all that it waits for; `size_o`, `source_o`, `epoch_o`,
///   `looped_o`, `meta_o`, `phv_o` stay for the whole packet. `ptr_o` counts beats.
///
/// It believes `tuser` as to the size.
pub fn gate(config: &ShellConfig) -> Result<Circuit, Vec<NetFault>> {
    let shape = Shape::new(config);
    let loops = config.loops();
    let mut module = Module::new("restage_gate");
    let m = &mut module;
    m.about("restage_gate - lets packets in, from outside and from the loop port, as long as there is room for them");

    m.section("ports");
    let s_data = m.input("s_axis_tdata", shape.beat());
    let s_keep = m.input("s_axis_tkeep", config.data_bytes);
    let s_valid = m.input("s_axis_tvalid", 1);
    let s_last = m.input("s_axis_tlast", 1);
    let s_user = m.input("s_axis_tuser", USER_BITS);
    let open = m.input("open_i", 1);
    let credit = m.input("credit_i", 1);
    let room = m.input("room_i", 1);
    let yields = m.input("yield_i", 1);
    let new_epoch = m.input("epoch_i", 1);
    let turn = Turn::new(m);
    let turn_new = turn.may(m, new_epoch);

    m.section("whether a beat is taken");
    let inside = m.reg("inside", 1);
    let first = m.not(inside.q());
    let go = but_not(m, room, yields);
    let begin = m.or(inside.q(), credit);
    let go = m.and(go, begin);
    let go = m.named("go", go);
    let mut begin_new = open;
    if shape.reserves() {
        let ok = m.input("reserve_ok_i", 1);
        begin_new = m.and(open, ok);
    }
    let could_new = both(m, &[go, begin_new, first, s_valid]);
    let begin_new = m.and(begin_new, turn_new);
    let may_new = m.or(inside.q(), begin_new);
    let go_new = m.and(go, may_new);

    let looped = if loops {
        let valid = m.input("l_valid_i", 1);
        let data = m.input("l_data_i", shape.beat());
        let last = m.input("l_last_i", 1);
        let meta = m.input("l_meta_i", shape.loop_meta().width());
        let phv = config.egress_clones.then(|| m.input("l_phv_i", config.phv_bits));
        let now = m.reg("from_loop_held", 1);
        let choice = m.mux(inside.q(), now.q(), valid);
        let choice = m.named("from_loop", choice);
        m.drive(now, choice, Drive::always());
        let bundle = shape.loop_meta();
        let epoch = bundle.get(m, meta, "epoch");
        let turn = turn.may(m, epoch);
        Some(FromLoop { valid, data, last, meta, phv, choice, epoch, turn })
    } else {
        None
    };
    let ready = match &looped {
        Some(from) => but_not(m, go_new, from.choice),
        None => go_new,
    };
    let ready = m.named("ready", ready);
    m.output_logic("s_axis_tready", ready);
    let mut taken = m.and(ready, s_valid);
    let mut held_back = but_not(m, could_new, turn_new);
    let mut epoch = new_epoch;
    if let Some(from) = &looped {
        let may = m.or(inside.q(), from.turn);
        let could = both(m, &[go, from.choice, from.valid]);
        let take = m.and(could, may);
        let take = m.named("l_take", take);
        m.output_logic("l_take_o", take);
        taken = m.or(taken, take);
        let waits = but_not(m, could, may);
        held_back = m.mux(from.choice, waits, held_back);
        epoch = m.mux(from.choice, from.epoch, epoch);
    }
    let held_back = state(m, "held_back", held_back);
    m.output("held_o", held_back);
    let taken = m.named("taken", taken);
    let begins = m.and(taken, first);
    let begins = m.named("begins", begins);

    m.section("the beat");
    let lanes: Vec<Net> = (0..config.data_bytes)
        .rev()
        .map(|i| {
            let on = m.bit(s_keep, i);
            m.repeat(on, 8)
        })
        .collect();
    let lanes = m.concat(&lanes);
    let mut data = m.and(s_data, lanes);
    let mut last = s_last;
    let mut size = m.slice(s_user, SIZE_BITS - 1, 0);
    let mut source = m.slice(s_user, SIZE_BITS + PORT_BITS - 1, SIZE_BITS);
    if let Some(FromLoop { data: l_data, last: l_last, meta: l_meta, phv: l_phv, choice, .. }) =
        looped
    {
        let meta = shape.loop_meta();
        let l_size = meta.get(m, l_meta, "size");
        let l_source = meta.get(m, l_meta, "source");
        data = m.mux(choice, l_data, data);
        last = m.mux(choice, l_last, last);
        size = m.mux(choice, l_size, size);
        source = m.mux(choice, l_source, source);
        let of_loop = held(m, "looped", begins, choice);
        m.output("looped_o", of_loop);
        let begins_loop = m.and(begins, choice);
        let meta = held(m, "meta", begins_loop, l_meta);
        m.output("meta_o", meta);
        if let Some(phv) = l_phv {
            let phv = held(m, "phv", begins_loop, phv);
            m.output("phv_o", phv);
        }
    }
    let ends = m.not(last);
    m.drive(inside, ends, Drive::when(taken).reset(Bits::zero(1)));

    m.section("which of its packet's beats this is, and whether the window is complete with it");
    let index_bits = bits_for(shape.window_beats());
    let seen = m.reg("seen", index_bits);
    let zero = m.lit(index_bits, 0);
    let index = m.mux(first, zero, seen.q());
    let index = m.named("index", index);
    let one = m.lit(index_bits, 1);
    let up = m.add(index, one);
    let beyond = is(m, index, shape.window_beats().into());
    let next = m.mux(beyond, index, up);
    m.drive(seen, next, Drive::when(taken));
    let completes = if config.payload_sum {
        m.and(taken, last)
    } else {
        let full = is(m, index, u64::from(shape.window_beats()) - 1);
        let ends = m.or(last, full);
        let whole = m.and(taken, ends);
        but_not(m, whole, beyond)
    };
    turn.drive(m, begins, epoch, completes);

    m.section("output");
    let valid = state(m, "valid", taken);
    let ptr = counter(m, "ptr", shape.pointer(), valid);
    m.output("beat_valid_o", valid);
    let completes = state(m, "completes", completes);
    m.output("completes_o", completes);
    for (name, when, net) in [
        ("beat_first", taken, first),
        ("beat_last", taken, last),
        ("beat_data", taken, data),
        ("beat_index", taken, index),
        ("size", begins, size),
        ("epoch", begins, epoch),
        ("source", begins, source),
    ] {
        let net = held(m, name, when, net);
        m.output(&format!("{name}_o"), net);
    }
    m.output("ptr_o", ptr);
    module.finish()
}

/// What comes from the loop port.
struct FromLoop {
    valid: Net,
    data: Net,
    last: Net,
    meta: Net,
    phv: Option<Net>,
    /// It is taken, not what comes from outside.
    choice: Net,
    epoch: Net,
    /// Its epoch may begin.
    turn: Net,
}
