//! The traffic point: what becomes of a packet behind ingress, and which copies egress sees.

use super::Fifos;
use super::fate::Arrival;
use super::kit::{
    Bundle, beats_of, bits_for, both, but_not, counter, field, held, is, later, replace, state,
    state_when, up_down,
};
use super::lists::{Lists, REPLICA_CLOCKS};
use super::shape::{SIZE_BITS, Shape};
use super::turn::Turn;
use crate::net::{Circuit, Drive, MemStyle, Module, Net, NetFault};
use restage_manifest::socket::TIME_BITS;
use restage_manifest::{ShellConfig, ShellField as F};
use restage_program::Bits;
use restage_program::standard::instance;

/// Packets that may be on their way from the gate before it hears that there is no room for more.
const LATE: u64 = 8;
/// Clocks from a place in the queue to the packet.
const READ_CLOCKS: u32 = REPLICA_CLOCKS;

/// `restage_traffic`.
///
/// Contract:
/// * `valid_i`, `ticket_i`, `phv_i`: packets behind ingress, at any time; there is always room, because the
///   gate lets packets in only when `credit_o` is 1 and says so by `admitted_i`.
/// * The fate, in this order: an ingress clone makes a copy for the loop port; a digest is sent; the packet is
///   resubmitted, or goes to a multicast group, or is dropped, or goes to one port. A clone that came back goes
///   to its session's replicas.
/// * Out: one copy per clock, in order, copies of one packet one after the other; not while `yield_i` is 1,
///   nor when there would be no room for it behind egress (`retired_i`, `gone_i` say what has left there).
/// * A copy of another epoch than the one before waits as [`Turn`] says; `held_o`: only for that.
/// * `next_valid_o`, `next_epoch_o`: a clock before `valid_o`, that there will be a copy, and of which epoch.
/// * `forgotten_o`, `popped_o`, `copied_o` with their epochs: see [`inflight`](super::inflight()).
/// * `end_ptr_o` when `quiet_o`: nothing is behind ingress, and all beats before it can go.
/// * `dropped_o`, `no_group_o`, `no_session_o`, `too_often_o`: events, one clock per packet. `release_*`: room
///   in the loop buffer that is not needed any more.
/// * `digest_valid_o`, `digest_o`: the message's number and one, and its bits above.
/// * `emit_*_o`: what each copy met, for who follows from outside.
pub fn traffic(config: &ShellConfig, fifos: &mut Fifos) -> Result<Circuit, Vec<NetFault>> {
    let shape = Shape::new(config);
    let tickets = shape.ticket();
    let mut module = Module::new("restage_traffic");
    let m = &mut module;
    m.about("restage_traffic - between ingress and egress: what becomes of a packet, its copies, and the queue");

    m.section("ports");
    let valid = m.input("valid_i", 1);
    let ticket = m.input("ticket_i", tickets.width());
    let phv = m.input("phv_i", config.phv_bits);
    let time = m.input("time_i", TIME_BITS);
    let admitted = m.input("admitted_i", 1);
    let retired = m.input("retired_i", 1);
    let gone = m.input("gone_i", 1);
    let yields = m.input("yield_i", 1);

    let lists = (config.multicast || shape.clones()).then(|| Lists::new(m, shape));
    let arrival = Arrival::new(m, shape, lists.as_ref(), valid, ticket, phv);

    m.section("the queue");
    let slot_bits = bits_for(config.queue - 1);
    let count_bits = bits_for(config.queue);
    let pop = m.wire("pop", 1);
    let mut order = Bundle::default();
    if config.ingress_clones {
        order = order.with("clone", 1);
    }
    if config.resubmit {
        order = order.with("resubmit", 1);
    }
    if let Some(lists) = &lists {
        order = order
            .with("list", 1)
            .with("start", (lists.width() - 1) / 2)
            .with("count", lists.width().div_ceil(2));
    }
    order = order.with("epoch", 1);
    order = order.with("main", 1).with("time", 32).with("depth", count_bits);
    let waiting = up_down(m, "waiting", count_bits, arrival.push, &[pop.net()]);
    let full = m.bit(waiting, slot_bits);
    let lost = m.and(arrival.push, full);
    let lost = state(m, "lost", lost);
    m.output("lost_o", lost);
    let now = m.slice(time, 31, 0);
    let arrived_epoch = tickets.get(m, arrival.ticket, "epoch");
    let mut values = vec![("main", arrival.main), ("time", now), ("depth", waiting)];
    values.push(("epoch", arrived_epoch));
    values.extend([
        ("clone", arrival.clone),
        ("resubmit", arrival.resubmit),
        ("list", arrival.listed),
    ]);
    values.extend([("start", arrival.list.start), ("count", arrival.list.count)]);
    let entry = order.pack(m, &values);
    let fifo = fifos.get(order.width(), config.queue)?;
    let queue = m.instance(
        &fifo,
        "u_orders",
        &[("push_i", arrival.push), ("data_i", entry), ("pop_i", pop.net())],
    );
    let there = m.pin(queue, "valid_o");
    let entry = m.pin(queue, "data_o");
    let write_slot = counter(m, "write_slot", slot_bits, arrival.push);
    let slot = counter(m, "slot", slot_bits, pop.net());
    let packet = m.concat(&[arrival.ticket, arrival.phv]);
    let packets = m.memory("packets", m.width(packet), config.queue, MemStyle::Block);
    m.write_port(packets, arrival.push, write_slot, packet);

    m.section("credit of the gate");
    let forgotten = but_not(m, arrival.valid, arrival.push);
    let inside = up_down(m, "inside", count_bits, admitted, &[forgotten, pop.net()]);
    let most = m.lit(count_bits, u64::from(config.queue) - LATE);
    let credit = m.lt(inside, most);
    let credit = match &lists {
        Some(lists) => m.and(credit, lists.ready),
        None => credit,
    };
    let credit = state(m, "credit", credit);
    m.output("credit_o", credit);

    let turn = Turn::new(m);
    m.section("one copy per clock");
    let behind = m.reg("behind", count_bits);
    let room = m.lt(behind.q(), most);
    let room = state(m, "room", room);
    let go = both(m, &[there, room]);
    let could = but_not(m, go, yields);
    let epoch = order.get(m, entry, "epoch");
    let may = turn.may(m, epoch);
    let go = m.and(could, may);
    let go = m.named("go", go);
    let held_back = but_not(m, could, may);
    turn.drive(m, go, epoch, go);
    let main = order.get(m, entry, "main");
    let no = m.lit(1, 0);
    let mut cloning = no;
    let clone_done = config.ingress_clones.then(|| m.reg("clone_done", 1));
    if let Some(done) = clone_done {
        let clone = order.get(m, entry, "clone");
        cloning = but_not(m, clone, done.q());
    }
    let listed = order.get(m, entry, "list");
    let mut last = m.lit(1, 1);
    let mut place = None;
    if order.has("list") {
        let count = order.get(m, entry, "count");
        let width = m.width(count);
        let index = m.reg("copy_index", width);
        let one = m.lit(width, 1);
        let up = m.add(index.q(), one);
        let at_end = m.eq(up, count);
        let single = m.not(listed);
        last = m.or(at_end, single);
        let zero = m.lit(width, 0);
        let next = m.mux(last, zero, up);
        let step = but_not(m, go, cloning);
        m.drive(index, next, Drive::when(step).reset(Bits::zero(width)));
        let start = order.get(m, entry, "start");
        let offset = m.resize(index.q(), m.width(start));
        place = Some(m.add(start, offset));
    }
    let end = match clone_done {
        Some(done) => {
            let of_main = but_not(m, last, cloning);
            let of_clone = but_not(m, cloning, main);
            let end = m.or(of_main, of_clone);
            let more = m.not(end);
            m.drive(done, more, Drive::when(go).reset(Bits::zero(1)));
            end
        }
        None => last,
    };
    let popping = m.and(go, end);
    m.assign(pop, popping);
    {
        let (up, down, left) =
            (m.zext(go, count_bits), m.zext(retired, count_bits), m.zext(gone, count_bits));
        let next = m.add(behind.q(), up);
        let next = m.sub(next, down);
        let next = m.sub(next, left);
        m.drive(behind, next, Drive::always().reset(Bits::zero(count_bits)));
    }

    m.section("how many of each epoch there are");
    let events = [
        ("held", held_back),
        ("forgotten", forgotten),
        ("forgotten_epoch", arrived_epoch),
        ("popped", popping),
        ("copied", go),
        ("copied_epoch", epoch),
    ];
    for (name, net) in events {
        let net = state(m, name, net);
        m.output(&format!("{name}_o"), net);
    }

    m.section("what is free when nothing is behind ingress");
    let size = tickets.get(m, arrival.ticket, "size");
    let beats = beats_of(m, size, config.data_bytes);
    let none = is(m, size, 0);
    let one = m.lit(SIZE_BITS, 1);
    let beats = m.mux(none, one, beats);
    let beats = m.resize(beats, shape.pointer());
    let start = tickets.get(m, arrival.ticket, "start");
    let after = m.add(start, beats);
    let after = state_when(m, "end_ptr", arrival.valid, after);
    m.output("end_ptr_o", after);
    let some_waiting = m.any(waiting);
    let some_behind = m.any(behind.q());
    let busy = m.or(some_waiting, some_behind);
    let quiet = m.not(busy);
    m.output_logic("quiet_o", quiet);
    let some_inside = m.any(inside);
    let empty = m.or(some_inside, some_behind);
    let empty = m.not(empty);
    let empty = state(m, "empty", empty);
    m.output("empty_o", empty);
    let ready = match &lists {
        Some(lists) => state(m, "lists_ready", lists.ready),
        None => m.lit(1, 1),
    };
    m.output("ready_o", ready);

    m.section("the copy");
    let q = m.read_port(packets, go, slot, READ_CLOCKS);
    let valid = later(m, "copy_there", go, READ_CLOCKS);
    let phv = m.slice(q, config.phv_bits - 1, 0);
    let ticket = m.slice(q, m.width(q) - 1, config.phv_bits);
    let late = |m: &mut Module, net: Net| m.delay(net, READ_CLOCKS);
    let cloning = late(m, cloning);
    let is_list = late(m, listed);
    let resubmits = order.get(m, entry, "resubmit");
    let resubmits = late(m, resubmits);
    let resubmits = but_not(m, resubmits, cloning);
    let raw = m.or(cloning, resubmits);
    let raw = m.named("raw", raw);
    let spec = field(m, config, phv, F::EgressSpec);
    let rid = field(m, config, phv, F::EgressRid);
    let (port, rid) = match (&lists, place) {
        (Some(lists), Some(place)) => {
            let (list_port, list_rid) = lists.replica(m, go, place);
            (m.mux(is_list, list_port, spec), m.mux(is_list, list_rid, rid))
        }
        _ => (spec, rid),
    };
    let time_in = order.get(m, entry, "time");
    let time_in = late(m, time_in);
    let depth_in = order.get(m, entry, "depth");
    let depth_in = late(m, depth_in);
    let depth_in = m.zext(depth_in, F::EnqDepth.width());
    let now = m.slice(time, 31, 0);
    let delta = m.sub(now, time_in);
    let depth_out = late(m, waiting);
    let depth_out = m.zext(depth_out, F::DeqDepth.width());
    let zero = m.lit(F::EgressSpec.width(), 0);
    let run = m.not(raw);
    let fields = [
        (F::Run, run),
        (F::EgressSpec, zero),
        (F::EgressPort, port),
        (F::EgressRid, rid),
        (F::Clone, no),
        (F::Loop, no),
        (F::EgressTime, time),
        (F::EnqTime, time_in),
        (F::EnqDepth, depth_in),
        (F::DeqDelta, delta),
        (F::DeqDepth, depth_out),
    ];
    let phv = replace(m, config, phv, &fields);
    let phv = match F::Digest.at(config) {
        Some(_) => {
            let none = m.lit(F::Digest.width(), 0);
            replace(m, config, phv, &[(F::Digest, none)])
        }
        None => phv,
    };
    let mut ticket_out = ticket;
    if config.loops() {
        let old = tickets.get(m, ticket, "copy");
        let copy = m.or_all(&[old, is_list, cloning]);
        let of_ingress = m.lit(3, instance::INGRESS_CLONE.into());
        let again = m.lit(3, instance::RESUBMITTED.into());
        let none = m.lit(3, 0);
        let kind = m.mux(resubmits, again, none);
        let kind = m.mux(cloning, of_ingress, kind);
        let mut set = vec![("skip", raw), ("copy", copy), ("kind", kind)];
        if tickets.has("session") {
            set.push(("session", field(m, config, phv, F::CloneSession)));
        }
        ticket_out = tickets.set(m, ticket, &set);
    }

    m.section("output");
    m.output("next_valid_o", valid);
    let epoch = tickets.get(m, ticket, "epoch");
    m.output("next_epoch_o", epoch);
    let live = but_not(m, valid, raw);
    let live = state(m, "live_out", live);
    let out_valid = state(m, "valid_out", valid);
    m.output("valid_o", out_valid);
    m.output("live_o", live);
    let tag = counter(m, "tag", shape.tag(), valid);
    let gate_time = tickets.get(m, ticket, "time");
    let instance = field(m, config, phv, F::Instance);
    let nets = [("tag", tag), ("ticket", ticket_out), ("phv", phv)];
    let seen = [
        ("emit_time", time),
        ("emit_gate_time", gate_time),
        ("emit_enq_time", time_in),
        ("emit_enq_depth", depth_in),
        ("emit_deq_delta", delta),
        ("emit_deq_depth", depth_out),
        ("emit_port", port),
        ("emit_rid", rid),
        ("emit_instance", instance),
        ("emit_raw", raw),
    ];
    for (name, net) in nets.into_iter().chain(seen) {
        let net = held(m, &format!("{name}_out"), valid, net);
        m.output(&format!("{name}_o"), net);
    }
    module.finish()
}
