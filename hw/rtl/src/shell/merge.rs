//! The merge: puts header and payload together, beat by beat.

use super::align::{each_byte, first_bytes, move_down, rest};
use super::kit::{bits_for, both, but_not, counter, held, is, later, state};
use super::payload::READ_CLOCKS;
use super::shape::{PORT_BITS, SIZE_BITS, Shape};
use crate::net::{Circuit, Drive, MemStyle, Module, Net, NetFault};
use restage_manifest::ShellConfig;
use restage_manifest::socket::LENGTH_BITS;
use restage_program::Bits;
use restage_program::standard::instance;

/// Beats that wait for `m_axis_tready`.
const OUT_DEPTH: u32 = 32;

/// `restage_merge`: makes packets of headers and of what is in the payload buffer.
///
/// Contract:
/// * `header_valid_i`, `header_i`, `side_i`, `job_valid_i`, `job_i`: as the verdict gives them; there is room
///   for as many as the traffic point lets through. `retired_o`: one of them is done with, of
///   `retired_epoch_o`.
/// * One beat per clock, without holes between packets, if the payload has come and `m_axis_tready` is 1.
/// * `read_*`: what it needs of the payload buffer; the beats come three clocks later. `ptr_i` is the gate's
///   pointer: beats before it have come. `free_*`: what is before the packet that it works on is free.
/// * `m_axis_*`: packets; bytes behind the end are 0; `tuser` (size, source, destination port) counts with
///   the first beat. A packet without bytes has one beat without any in `tkeep`.
/// * `empty_o`: no beat is on its way out.
/// * `l_*`: packets for the loop port, never with back-pressure: a copy that has no room there by
///   `l_space_i` (beats; kept low enough) is left out and counted by `l_full_o`. `l_asks_o`: one begins, or is left
///   out. `l_meta_*` comes before the packet's last beat, `l_take_*` says at once how much a copy takes. `looped_o`: one goes there, also of
///   `retired_epoch_o`.
pub fn merge(config: &ShellConfig, fifos: &mut super::Fifos) -> Result<Circuit, Vec<NetFault>> {
    let shape = Shape::new(config);
    let jobs = shape.job();
    let loops = config.loops();
    let mut module = Module::new("restage_merge");
    let m = &mut module;
    m.about("restage_merge - joins the header that the deparser wrote and the payload, without holes between packets");

    m.section("ports");
    let header_valid = m.input("header_valid_i", 1);
    let header = m.input("header_i", shape.window());
    let job_valid = m.input("job_valid_i", 1);
    let job = m.input("job_i", jobs.width());
    let written = m.input("ptr_i", shape.pointer());
    let tready = m.input("m_axis_tready", 1);

    m.section("jobs that wait");
    let pop = m.wire("pop", 1);
    let fifo = fifos.get(jobs.width(), config.queue)?;
    let queue = m.instance(
        &fifo,
        "u_jobs",
        &[("push_i", job_valid), ("data_i", job), ("pop_i", pop.net())],
    );
    let waiting = m.pin(queue, "valid_o");
    let job = m.pin(queue, "data_o");
    let slot_bits = bits_for(config.queue - 1);
    let write_slot = counter(m, "write_slot", slot_bits, header_valid);
    let slot = counter(m, "slot", slot_bits, pop.net());
    let of = |m: &mut Module, name: &str| jobs.get(m, job, name);

    m.section("the packet at work: first its clone's payload, if it has one, then itself");
    let no = m.lit(1, 0);
    let sends = of(m, "sends");
    let main_loops = if loops { of(m, "loops") } else { no };
    let mut cloning = no;
    let clone_done = config.egress_clones.then(|| m.reg("clone_done", 1));
    if let Some(clone_done) = clone_done {
        let asked = of(m, "clones");
        cloning = but_not(m, asked, clone_done.q());
        cloning = m.named("cloning", cloning);
    }
    let pick = |m: &mut Module, name: &str, clone: &str| {
        let main = of(m, name);
        if !config.egress_clones {
            return main;
        }
        let clone = of(m, clone);
        m.mux(cloning, clone, main)
    };
    let length = pick(m, "length", "c_length");
    let beats = pick(m, "beats", "c_beats");
    let base = pick(m, "base", "c_base");
    let shift = pick(m, "shift", "c_shift");
    let header_bytes = of(m, "header");
    let no_header = m.lit(LENGTH_BITS, 0);
    let header_bytes =
        if config.egress_clones { m.mux(cloning, no_header, header_bytes) } else { header_bytes };
    let sending = but_not(m, sends, cloning);
    let looping = m.or(main_loops, cloning);
    let after = m.or(sends, main_loops);

    m.section("the beat at work");
    let index = m.reg("index", SIZE_BITS);
    let first = is(m, index.q(), 0);
    let first = m.named("first", first);
    let one = m.lit(SIZE_BITS, 1);
    let next_index = m.add(index.q(), one);
    let last = m.eq(next_index, beats);
    let last = m.named("last", last);
    let ptr_kept = m.reg("ptr_kept", shape.pointer());
    let ptr = m.mux(first, base, ptr_kept.q());
    let ptr = m.named("ptr", ptr);
    let one = m.lit(shape.pointer(), 1);
    let ptr_next = m.add(ptr, one);

    m.section("whether its payload has come");
    let two = m.lit(shape.pointer(), 2);
    let ahead = m.add(ptr, two);
    let ahead = m.sub(written, ahead);
    let end = of(m, "end");
    let ended = m.sub(written, end);
    let sign = shape.pointer() - 1;
    let (missing, open) = (m.bit(ahead, sign), m.bit(ended, sign));
    let missing = m.and(missing, open);
    let come = m.not(missing);
    let come = m.named("come", come);

    m.section("whether there is room for it");
    let credit = m.reg("credit_used", bits_for(OUT_DEPTH));
    let full = m.bit(credit.q(), OUT_DEPTH.trailing_zeros());
    let mut refused = no;
    if loops {
        let space = m.input("l_space_i", SIZE_BITS);
        let copy = of(m, "copy");
        let copy = m.or(copy, cloning);
        let fits = m.le(beats, space);
        let mut refuse = but_not(m, copy, fits);
        if config.egress_clones {
            let phv_ok = m.input("l_phv_room_i", 1);
            let no_phv = but_not(m, cloning, phv_ok);
            refuse = m.or(refuse, no_phv);
        }
        refused = both(m, &[waiting, looping, first, refuse]);
        refused = m.named("refused", refused);
        let count = state(m, "loop_full", refused);
        m.output("l_full_o", count);
        let asks = both(m, &[waiting, looping, first]);
        let decided = m.or(refused, come);
        let asks = m.and(asks, decided);
        let asks = state(m, "loop_asks", asks);
        m.output("l_asks_o", asks);
        // Room is taken at the same clock at which it is found.
        let whole = both(m, &[waiting, looping, first, come, copy]);
        let takes = but_not(m, whole, refuse);
        m.output_logic("l_take_o", takes);
        m.output_logic("l_take_beats_o", beats);
    }
    let out_room = m.not(full);
    let room = m.mux(sending, out_room, looping);
    let issue = both(m, &[waiting, come, room]);
    let issue = but_not(m, issue, refused);
    let issue = m.named("issue", issue);
    let ends = m.and(issue, last);
    let ends = m.or(ends, refused);
    let mut done = ends;
    if let Some(clone_done) = clone_done {
        let more = m.and(cloning, after);
        done = but_not(m, ends, more);
        m.drive(clone_done, more, Drive::when(ends).reset(Bits::zero(1)));
    }
    m.assign(pop, done);
    let zero = m.lit(SIZE_BITS, 0);
    let index_next = m.mux(ends, zero, next_index);
    let moves = m.or(issue, refused);
    m.drive(index, index_next, Drive::when(moves).reset(Bits::zero(SIZE_BITS)));
    m.drive(ptr_kept, ptr_next, Drive::when(issue));
    let retired = state(m, "retired", done);
    m.output("retired_o", retired);
    let epoch = of(m, "epoch");
    let epoch = m.delay(epoch, 1);
    m.output("retired_epoch_o", epoch);
    let free = state(m, "free", waiting);
    m.output("free_o", free);
    let start = of(m, "start");
    let start = held(m, "free_ptr", waiting, start);
    m.output("free_ptr_o", start);

    m.section("reads");
    let reads = state(m, "reads", issue);
    m.output("read_o", reads);
    let read_ptr = held(m, "read_ptr", issue, ptr);
    m.output("read_ptr_o", read_ptr);
    let slots = slots(m, shape, Write { enable: header_valid, slot: write_slot, header });
    let row = held(m, "read_slot", issue, slot);
    let headers: Vec<Net> =
        slots.iter().map(|memory| m.read_port(*memory, reads, row, 2)).collect();
    let header_clocks = 3;

    m.section("which of its bytes come from where");
    let window_beats = shape.window_beats();
    let lane = shape.lane();
    let header_bytes = m.zext(header_bytes, SIZE_BITS);
    let of_header = rest(m, shape, header_bytes, index.q());
    let of_all = rest(m, shape, length, index.q());
    let late = |m: &mut Module, net: Net, clocks: u32| m.delay(net, clocks);
    let beat_no = m.slice(index.q(), bits_for(window_beats - 1) - 1, 0);
    let beat_no = late(m, beat_no, header_clocks);
    let arms: Vec<(u64, Net)> =
        headers.iter().enumerate().map(|(i, net)| (i as u64, *net)).collect();
    let header_beat = if arms.len() == 1 { arms[0].1 } else { m.case(beat_no, &arms, arms[0].1) };
    let header_beat = late(m, header_beat, 1);
    let header_clocks = header_clocks + 1;

    m.section("payload, moved to its place");
    let data_clocks = 1 + READ_CLOCKS;
    let beat = m.input("beat_i", shape.beat());
    let next = m.input("next_i", shape.beat());
    let both_beats = m.concat(&[next, beat]);
    let shift = late(m, shift, data_clocks);
    let (moved, rest_shift) = move_down(m, both_beats, shift, lane, 2, shape.beat());
    let moved = late(m, moved, 1);
    let shift = late(m, rest_shift, 1);
    let (moved, _) = move_down(m, moved, shift, m.width(shift), 8, shape.beat());
    let clocks = data_clocks + 1;
    let header_beat = late(m, header_beat, clocks - header_clocks);

    m.section("together");
    let of_header = late(m, of_header, clocks - 1);
    let header_mask = first_bytes(m, of_header, config.data_bytes);
    let header_mask = late(m, header_mask, 1);
    let of_all_then = late(m, of_all, clocks - 1);
    let all_mask = first_bytes(m, of_all_then, config.data_bytes);
    let all_mask = late(m, all_mask, 1);
    let not_header = m.not(header_mask);
    let of_payload = m.and(all_mask, not_header);
    let of_header = m.and(all_mask, header_mask);
    let header_bits = each_byte(m, of_header);
    let payload_bits = each_byte(m, of_payload);
    let from_header = m.and(header_beat, header_bits);
    let from_payload = m.and(moved, payload_bits);
    let data = m.or(from_header, from_payload);
    let data = late(m, data, 1);
    let data = m.named("data", data);
    let clocks = clocks + 1;

    m.section("output");
    let to_out = m.and(issue, sending);
    let to_out = later(m, "out_push", to_out, clocks);
    let port = of(m, "port");
    let port = m.zext(port, PORT_BITS);
    let source = of(m, "source");
    let user = m.concat(&[port, source, length]);
    let count = of_all;
    let label = m.concat(&[user, last, count]);
    let label = late(m, label, clocks);
    let entry = m.concat(&[label, data]);
    let width = m.width(entry);
    let fifo = fifos.get(width, OUT_DEPTH)?;
    let out_pop = m.wire("out_pop", 1);
    let out = m.instance(
        &fifo,
        "u_out",
        &[("push_i", to_out), ("data_i", entry), ("pop_i", out_pop.net())],
    );
    let out_valid = m.pin(out, "valid_o");
    let entry = m.pin(out, "data_o");
    let popped = m.and(out_valid, tready);
    m.assign(out_pop, popped);
    let uses = m.and(issue, sending);
    let (up, down) = (m.zext(uses, bits_for(OUT_DEPTH)), m.zext(popped, bits_for(OUT_DEPTH)));
    let used = m.add(credit.q(), up);
    let used = m.sub(used, down);
    m.drive(credit, used, Drive::always().reset(Bits::zero(bits_for(OUT_DEPTH))));
    let sending_some = m.any(used);
    let empty = m.not(sending_some);
    let empty = state(m, "empty", empty);
    m.output("empty_o", empty);
    let data_out = m.slice(entry, shape.beat() - 1, 0);
    let count = m.slice(entry, shape.beat() + lane, shape.beat());
    let last_out = m.bit(entry, shape.beat() + lane + 1);
    let user = m.slice(entry, width - 1, shape.beat() + lane + 2);
    let keep = first_bytes(m, count, config.data_bytes);
    m.output("m_axis_tdata", data_out);
    m.output_logic("m_axis_tkeep", keep);
    m.output("m_axis_tvalid", out_valid);
    m.output("m_axis_tlast", last_out);
    m.output("m_axis_tuser", user);
    let sent = m.and(popped, last_out);
    let sent = state(m, "sent", sent);
    m.output("sent_o", sent);

    if loops {
        m.section("to the loop port");
        let side = m.input("side_i", shape.side());
        let to_loop = m.and(issue, looping);
        let valid = later(m, "loop_push", to_loop, clocks);
        m.output("l_valid_o", valid);
        m.output("l_data_o", data);
        let last = late(m, last, clocks);
        m.output("l_last_o", last);
        let begins = m.and(to_loop, first);
        let looped = state(m, "looped", begins);
        m.output("looped_o", looped);
        let sides = m.memory("sides", shape.side(), config.queue, MemStyle::Block);
        m.write_port(sides, header_valid, write_slot, side);
        let side = m.read_port(sides, begins, slot, 2);
        let meta_valid = later(m, "meta_push", begins, 3);
        m.output("l_meta_valid_o", meta_valid);
        let epoch = of(m, "epoch");
        let mut values = vec![("epoch", epoch), ("size", length), ("source", source)];
        let one = m.lit(1, 1);
        let kind = m.lit(3, instance::EGRESS_CLONE.into());
        let clone = [("copy", one), ("kind", kind)];
        for (name, of_clone) in [
            ("copy", ""),
            ("kind", ""),
            ("pass", "c_pass"),
            ("kept", "c_kept"),
            ("session", "c_session"),
        ] {
            if !jobs.has(name) {
                continue;
            }
            let mut net = of(m, name);
            if config.egress_clones {
                let fixed = clone.iter().find(|c| c.0 == name).map(|c| c.1);
                let other = fixed.unwrap_or_else(|| of(m, of_clone));
                net = m.mux(cloning, other, net);
            }
            values.push((name, net));
        }
        if jobs.has("reserve") {
            values.push(("reserve", of(m, "reserve")));
        }
        let mut values: Vec<(&str, Net)> =
            values.into_iter().map(|(name, net)| (name, m.delay(net, 2))).collect();
        if config.keep_bits > 0 {
            let low = restage_manifest::ShellField::bits(config);
            let keep = m.slice(side, low + config.keep_bits - 1, low);
            values.push(("keep", keep));
        }
        let meta = shape.loop_meta().pack(m, &values);
        let meta = m.delay(meta, 1);
        m.output("l_meta_o", meta);
        if config.egress_clones {
            let clones = later(m, "phv_push", cloning, 3);
            let valid = m.and(meta_valid, clones);
            m.output_logic("l_phv_valid_o", valid);
            let side = m.delay(side, 1);
            m.output("l_phv_o", side);
        }
    }
    module.finish()
}

/// What writes the header memory.
struct Write {
    enable: Net,
    slot: Net,
    header: Net,
}

/// The header memory, one bank per beat.
fn slots(m: &mut Module, shape: Shape<'_>, write: Write) -> Vec<crate::net::Memory> {
    (0..shape.window_beats())
        .map(|i| {
            let memory = m.memory(
                &format!("headers_{i}"),
                shape.beat(),
                shape.config.queue,
                MemStyle::Block,
            );
            let part = m.slice(write.header, (i + 1) * shape.beat() - 1, i * shape.beat());
            m.write_port(memory, write.enable, write.slot, part);
            memory
        })
        .collect()
}
