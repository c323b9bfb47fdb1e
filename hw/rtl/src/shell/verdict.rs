//! What becomes of a copy behind egress.

use super::kit::{Bundle, beats_of, both, but_not, field, is, later, state};
use super::shape::{PASS_BITS, PORT_BITS, SIZE_BITS, Shape};
use crate::net::{Circuit, Module, Net, NetFault};
use restage_manifest::socket::LENGTH_BITS;
use restage_manifest::{ShellConfig, ShellField};
use restage_program::standard::{DROP_PORT, instance};

/// Clocks from the guard's output to `job_o`.
const CLOCKS: u32 = 3;

impl Shape<'_> {
    /// What the merge needs to know to put a packet together.
    ///
    /// `sends`, `loops`: where it goes; `clones`: its payload goes to the loop port before, for a clone.
    /// `base` and `shift`: where in the payload buffer the output's first byte would stand if there were
    /// no new header; `end`: behind the packet's last beat there. `c_*`: the same for the clone.
    pub(super) fn job(self) -> Bundle {
        let (loops, clones) = (self.config.loops(), self.config.egress_clones);
        Bundle::default()
            .with("epoch", 1)
            .with("sends", 1)
            .with("length", SIZE_BITS)
            .with("beats", SIZE_BITS)
            .with("header", LENGTH_BITS)
            .with("start", self.pointer())
            .with("base", self.pointer())
            .with("shift", self.lane())
            .with("end", self.pointer())
            .with("source", PORT_BITS)
            .with("port", ShellField::EgressPort.width())
            .with_if(loops, "loops", 1)
            .with_if(loops, "kind", 3)
            .with_if(loops, "pass", PASS_BITS)
            .with_if(loops, "copy", 1)
            .with_if(loops, "kept", 5)
            .with_if(self.reserves(), "reserve", SIZE_BITS)
            .with_if(self.clones(), "session", 16)
            .with_if(clones, "clones", 1)
            .with_if(clones, "c_length", SIZE_BITS)
            .with_if(clones, "c_beats", SIZE_BITS)
            .with_if(clones, "c_base", self.pointer())
            .with_if(clones, "c_shift", self.lane())
            .with_if(clones, "c_pass", PASS_BITS)
            .with_if(clones, "c_kept", 5)
            .with_if(clones, "c_session", 16)
    }
}

/// `restage_verdict`: after egress a clone adds a copy; then the packet is dropped, or goes to the loop port,
/// or is sent.
///
/// Contract:
/// * Inputs come from the deparser's guard. A packet that skipped egress goes to the loop port as it came.
/// * For every packet that the merge has to do with, `header_valid_o` is 1 for one clock with `header_o` (first
///   byte least significant, as on the stream) and `side_o`; some clocks later, in the same order,
///   `job_valid_o` with `job_o`, see [`Shape::job`].
/// * `dropped_o`, `too_often_o` (for another pass), `clone_often_o` (for a clone), `gone_o` (it is not for the merge; of
///   epoch `gone_epoch_o`), each for one clock per packet.
///   `release_o` beats are no longer kept in the loop buffer when `release_valid_o` is 1.
pub fn verdict(config: &ShellConfig) -> Result<Circuit, Vec<NetFault>> {
    let shape = Shape::new(config);
    let tickets = shape.ticket();
    let mut module = Module::new("restage_verdict");
    let m = &mut module;
    m.about("restage_verdict - after egress: a clone adds a copy; then the packet is dropped, looped or sent");

    m.section("ports");
    let valid = m.input("valid_i", 1);
    let ticket = m.input("ticket_i", tickets.width());
    let side = m.input("side_i", shape.side());
    let header = m.input("header_i", shape.window());
    let length = m.input("length_i", LENGTH_BITS);

    m.section("fate");
    let raw = tickets.get(m, ticket, "skip");
    let alive = m.not(raw);
    let spec = field(m, config, side, ShellField::EgressSpec);
    let spec = is(m, spec, DROP_PORT.into());
    let drops = both(m, &[valid, alive, spec]);
    let pass = tickets.get(m, ticket, "pass");
    let often = if config.loops() {
        let most = m.lit(PASS_BITS, config.max_passes.into());
        m.le(most, pass)
    } else {
        m.lit(1, 0)
    };
    let again = if config.recirculate {
        let again = field(m, config, side, ShellField::Loop);
        let again = both(m, &[valid, alive, again]);
        but_not(m, again, spec)
    } else {
        m.lit(1, 0)
    };
    let too_often = m.and(again, often);
    let again = but_not(m, again, often);
    let raw_out = m.and(valid, raw);
    let loops = m.or(again, raw_out);
    let loops = m.named("loops", loops);
    let ends = m.or_all(&[loops, too_often, drops]);
    let sends = but_not(m, valid, ends);
    let sends = m.named("sends", sends);
    let mut clones = m.lit(1, 0);
    let mut clone_often = clones;
    if config.egress_clones {
        let asked = field(m, config, side, ShellField::Clone);
        let asked = both(m, &[valid, alive, asked]);
        clones = but_not(m, asked, often);
        clone_often = m.and(asked, often);
    }
    let kept = m.or_all(&[loops, sends, clones]);
    let kept = m.named("for_merge", kept);
    let gone = but_not(m, valid, kept);

    m.section("events");
    for (name, net) in
        [("dropped", drops), ("too_often", too_often), ("clone_often", clone_often), ("gone", gone)]
    {
        let net = state(m, name, net);
        m.output(&format!("{name}_o"), net);
    }
    let epoch = tickets.get(m, ticket, "epoch");
    let gone_epoch = m.delay(epoch, 1);
    m.output("gone_epoch_o", gone_epoch);
    if shape.reserves() {
        let copy = tickets.get(m, ticket, "copy");
        let original = but_not(m, valid, copy);
        let release = but_not(m, original, loops);
        let release = state(m, "release_valid", release);
        m.output("release_valid_o", release);
        let amount = tickets.get(m, ticket, "reserve");
        let amount = m.delay(amount, 1);
        m.output("release_o", amount);
    }

    m.section("header");
    let header_valid = state(m, "header_valid", kept);
    m.output("header_valid_o", header_valid);
    let forward = super::window::wire_order(m, header);
    let forward = m.delay(forward, 1);
    m.output("header_o", forward);
    if config.loops() {
        let side = m.delay(side, 1);
        m.output("side_o", side);
    }

    m.section("job: lengths");
    let zero = m.lit(LENGTH_BITS, 0);
    let consumed = field(m, config, side, ShellField::Consumed);
    let consumed = m.mux(raw, zero, consumed);
    let size = tickets.get(m, ticket, "size");
    let size_1 = m.delay(size, 1);
    let eaten = m.zext(consumed, SIZE_BITS);
    let fits = m.le(eaten, size);
    let eaten = m.mux(fits, eaten, size);
    let body = m.sub(size, eaten);
    let body = m.delay(body, 1);
    let eaten = m.delay(eaten, 1);
    let length_1 = m.delay(length, 1);
    let wide = m.zext(length_1, SIZE_BITS);
    let whole = m.add(wide, body);
    let whole_2 = m.delay(whole, 1);
    let limit = field(m, config, side, ShellField::Truncate);
    let none = m.all(limit);
    let limited = but_not(m, sends, none);
    let limit = m.zext(limit, SIZE_BITS);
    let limit = m.delay(limit, 2);
    let limited = m.delay(limited, 2);
    let longer = m.lt(limit, whole_2);
    let cut = m.and(limited, longer);
    let out = m.mux(cut, limit, whole_2);
    let out = m.delay(out, 1);

    m.section("job: where the payload is");
    let start = tickets.get(m, ticket, "start");
    let offset = m.sub(eaten, wide);
    let place = Place::new(m, shape, start, offset);
    let pages = beats_of(m, size_1, config.data_bytes);
    let pages = m.delay(pages, 1);
    let pages = m.resize(pages, shape.pointer());
    let start_2 = m.delay(start, 2);
    let end = m.add(start_2, pages);
    let end = m.delay(end, 1);

    let late = |m: &mut Module, net: Net| m.delay(net, CLOCKS);
    let beats = at_least_one(m, config, out);
    let source = tickets.get(m, ticket, "source");
    let port = field(m, config, side, ShellField::EgressPort);
    let mut values = vec![("length", out), ("beats", beats), ("end", end)];
    values.extend([("base", place.base), ("shift", place.shift)]);
    let mut early = vec![("epoch", epoch), ("sends", sends), ("header", length), ("start", start)];
    early.extend([("source", source), ("port", port)]);
    if config.loops() {
        m.section("job: for the loop port");
        let kind = tickets.get(m, ticket, "kind");
        let round = m.lit(3, instance::RECIRCULATED.into());
        let kind = m.mux(raw, kind, round);
        let clone = is(m, kind, instance::INGRESS_CLONE.into());
        let loop_keep = field(m, config, side, ShellField::LoopKeep);
        let clone_keep = field(m, config, side, ShellField::CloneKeep);
        let keep = m.mux(clone, clone_keep, loop_keep);
        let one = m.lit(PASS_BITS, 1);
        let next = m.add(pass, one);
        let pass = m.mux(clone, pass, next);
        let copy = tickets.get(m, ticket, "copy");
        early.extend([
            ("loops", loops),
            ("kind", kind),
            ("kept", keep),
            ("pass", pass),
            ("copy", copy),
        ]);
        for name in ["reserve", "session"] {
            if tickets.has(name) {
                early.push((name, tickets.get(m, ticket, name)));
            }
        }
        if config.egress_clones {
            let place = Place::new(m, shape, start, eaten);
            let body_3 = m.delay(body, 2);
            let beats = at_least_one(m, config, body_3);
            values.extend([("c_length", body_3), ("c_beats", beats)]);
            values.extend([("c_base", place.base), ("c_shift", place.shift)]);
            let session = field(m, config, side, ShellField::CloneSession);
            early.extend([
                ("clones", clones),
                ("c_pass", next),
                ("c_kept", clone_keep),
                ("c_session", session),
            ]);
        }
    }
    for (name, net) in early {
        let net = late(m, net);
        values.push((name, net));
    }

    m.section("job: output");
    let job = shape.job().pack(m, &values);
    let job_valid = later(m, "job_valid", kept, CLOCKS + 1);
    let job = m.delay(job, 1);
    m.output("job_valid_o", job_valid);
    m.output("job_o", job);
    module.finish()
}

/// Beats of a packet on its way out: one if it has no bytes.
fn at_least_one(m: &mut Module, config: &ShellConfig, bytes: Net) -> Net {
    let beats = beats_of(m, bytes, config.data_bytes);
    let some = m.any(bytes);
    let one = m.lit(SIZE_BITS, 1);
    m.mux(some, beats, one)
}

/// A place in the payload buffer, three clocks after the packet.
struct Place {
    base: Net,
    shift: Net,
}

impl Place {
    /// `offset`: bytes from the packet's first to the place, one clock after the packet; may be negative.
    fn new(m: &mut Module, shape: Shape<'_>, start: Net, offset: Net) -> Place {
        let offset = m.delay(offset, 1);
        let shift = m.slice(offset, shape.lane() - 1, 0);
        let pages = m.slice(offset, SIZE_BITS - 1, shape.lane());
        let width = shape.pointer();
        let pages =
            if m.width(pages) < width { m.sext(pages, width) } else { m.resize(pages, width) };
        let start = m.delay(start, 2);
        let base = m.add(start, pages);
        Place { base: m.delay(base, 1), shift: m.delay(shift, 1) }
    }
}
