//! The header window.

use super::kit::{
    beats_of, bits_for, both, but_not, counter, field, held, is, later, replace, state, state_when,
};
use super::shape::{PORT_BITS, SIZE_BITS, Shape};
use crate::net::{Circuit, Drive, Module, Net, NetFault};
use restage_manifest::socket::{LENGTH_BITS, TIME_BITS, shell_bits};
use restage_manifest::{ShellConfig, ShellField};
use restage_program::Bits;
use restage_program::standard::instance;

/// `restage_window`: shows the first bytes of a packet, with all that the shell knows about it.
///
/// Contract:
/// * Takes the gate's beats, one per clock.
/// * `valid_o` is 1 for one clock per packet, as soon as its first bytes (with payload sums: all its bytes)
///   have come. Then `window_o` (first byte most significant, zeros behind the end), `avail_o`, `shell_o`
///   (the lower end of the PHV), `tag_o` and `ticket_o` count. `live_o`: the parser shall see it.
/// * `valid_o` and `live_o` have a bit for each parser; only those are set that `fed_i` says are fed in the packet's epoch
///   (two bits for each, one for each epoch). `any_o`: there is a packet.
/// * `side_o` goes round the parser: `shell_o`, but for an egress clone the PHV that it brought along.
/// * `admitted_o`: a packet has begun; `received_o`: a new one, of epoch `received_epoch_o` (`flipped_o`: that is another than
///   the last one's), for which `reserve_o` is kept in the loop
///   buffer. `wrong_size_o`: a packet ended that was not as long as was said.
///
/// A packet of another size than said comes out wrong, but harms no other.
pub fn window(config: &ShellConfig) -> Result<Circuit, Vec<NetFault>> {
    let shape = Shape::new(config);
    let beats = shape.window_beats();
    let mut module = Module::new("restage_window");
    let m = &mut module;
    m.about("restage_window - gathers the first bytes of a packet for the parser");

    m.section("ports");
    let valid = m.input("beat_valid_i", 1);
    let first = m.input("beat_first_i", 1);
    let last = m.input("beat_last_i", 1);
    let data = m.input("beat_data_i", shape.beat());
    let index_bits = bits_for(beats);
    let index = m.input("beat_index_i", index_bits);
    let done = m.input("completes_i", 1);
    let size = m.input("size_i", SIZE_BITS);
    let source = m.input("source_i", PORT_BITS);
    let ptr = m.input("ptr_i", shape.pointer());
    let time = m.input("time_i", TIME_BITS);
    let epoch = m.input("epoch_i", 1);
    let fed = m.input("fed_i", 2 * config.slots);

    m.section("where the packet is in the payload buffer");
    let begins = m.and(valid, first);
    let begins = m.named("begins", begins);
    let start = held(m, "start_held", begins, ptr);
    let start = m.mux(first, ptr, start);

    m.section("the first bytes");
    let forward = wire_order(m, data);
    let forward = m.named("wire_order", forward);
    let nothing = m.bits(&Bits::zero(shape.beat()));
    let mut slots = Vec::new();
    for slot in 0..beats {
        let here = is(m, index, slot.into());
        let mut value = nothing;
        if config.payload_sum || slot + 1 < beats {
            let write = m.and(valid, here);
            let kept = held(m, &format!("kept_{slot}"), write, forward);
            let number = m.lit(index_bits, slot.into());
            let before = m.lt(number, index);
            value = m.mux(before, kept, nothing);
        }
        slots.push(m.mux(here, forward, value));
    }
    let window = m.concat(&slots);
    let most = m.lit(SIZE_BITS, config.window_bytes.into());
    let short = m.lt(size, most);
    let avail = m.mux(short, size, most);
    let avail = m.slice(avail, LENGTH_BITS - 1, 0);

    m.section("what goes with it");
    let meta = Meta::new(m, shape);
    let tag = counter(m, "tag", shape.tag(), done);
    let (shell, side) = meta.shell(m, shape, size, source, time);
    let beats_said = beats_of(m, size, config.data_bytes);
    let mut values = vec![
        ("epoch", epoch),
        ("time", time),
        ("start", start),
        ("size", size),
        ("source", source),
        ("skip", meta.parsed),
        ("copy", meta.copy),
        ("kind", meta.kind),
        ("pass", meta.pass),
        ("session", meta.session),
    ];
    if shape.reserves() {
        let growth = m.input("growth_i", SIZE_BITS);
        let new = m.add(beats_said, growth);
        let old = shape.loop_meta().get(m, meta.all, "reserve");
        let reserve = m.mux(meta.looped, old, new);
        values.push(("reserve", reserve));
        let reserve = held(m, "reserve", begins, reserve);
        m.output("reserve_o", reserve);
    }
    let ticket = shape.ticket().pack(m, &values);

    m.section("events");
    let admitted = state(m, "admitted", begins);
    m.output("admitted_o", admitted);
    let received = but_not(m, begins, meta.looped);
    let received = state(m, "received", received);
    m.output("received_o", received);
    let received_epoch = held(m, "received_epoch", begins, epoch);
    m.output("received_epoch_o", received_epoch);
    let new = but_not(m, begins, meta.looped);
    let last_new = state_when(m, "last_new_epoch", new, epoch);
    let other = m.ne(last_new, epoch);
    let flipped = m.and(new, other);
    let flipped = state(m, "flipped", flipped);
    m.output("flipped_o", flipped);
    if config.loops() {
        let looped = m.and(begins, meta.looped);
        let looped = state(m, "entered_again", looped);
        m.output("looped_o", looped);
    }
    let count = m.reg("beats_taken", SIZE_BITS);
    let zero = m.lit(SIZE_BITS, 0);
    let one = m.lit(SIZE_BITS, 1);
    let before = m.mux(first, zero, count.q());
    let now = m.add(before, one);
    m.drive(count, now, Drive::when(valid));
    let said = held(m, "beats_said", valid, beats_said);
    let other = m.ne(said, count.q());
    let some = m.any(said);
    let ended = m.and(valid, last);
    let ended = state(m, "ended", ended);
    // A packet of no bytes has one beat all the same.
    let wrong = both(m, &[ended, other, some]);
    let wrong = state(m, "wrong_size", wrong);
    m.output("wrong_size_o", wrong);

    m.section("output");
    let clocks = if config.payload_sum { super::sum::clocks(shape) } else { 1 };
    let any = later(m, "any", done, clocks);
    m.output("any_o", any);
    let fed: Vec<Net> = (0..config.slots)
        .rev()
        .map(|slot| {
            let (zero, one) = (m.bit(fed, 2 * slot), m.bit(fed, 2 * slot + 1));
            m.mux(epoch, one, zero)
        })
        .collect();
    let fed = m.concat(&fed);
    let all = m.repeat(done, config.slots);
    let chosen = m.and(all, fed);
    let parsed = m.repeat(meta.parsed, config.slots);
    let live = but_not(m, chosen, parsed);
    let valid_out = later(m, "valid", chosen, clocks);
    let live = later(m, "live", live, clocks);
    m.output("valid_o", valid_out);
    m.output("live_o", live);
    let mut nets = vec![("window", window), ("avail", avail), ("tag", tag), ("ticket", ticket)];
    nets.push(("shell", shell));
    nets.extend(side.map(|side| ("side", side)));
    let out = |m: &mut Module, name: &str, net: Net| {
        let net = held(m, name, done, net);
        if clocks > 1 { m.delay(net, clocks - 1) } else { net }
    };
    let parsed = out(m, "parsed", meta.parsed);
    let sum = config.payload_sum.then(|| super::sum::packet_sum(m, valid, first, data));
    for (name, net) in nets {
        let net = out(m, name, net);
        let Some(sum) = sum.filter(|_| ["shell", "side"].contains(&name)) else {
            m.output(&format!("{name}_o"), net);
            continue;
        };
        if name == "shell" {
            let net = replace(m, config, net, &[(ShellField::PacketSum, sum)]);
            m.output("shell_o", net);
        } else {
            let brought = field(m, config, net, ShellField::PacketSum);
            let sum = m.mux(parsed, brought, sum);
            let net = replace(m, config, net, &[(ShellField::PacketSum, sum)]);
            m.output_logic("side_o", net);
        }
    }
    module.finish()
}

/// A beat with its first byte most significant.
pub(super) fn wire_order(m: &mut Module, beat: Net) -> Net {
    let bytes: Vec<Net> = (0..m.width(beat) / 8).map(|i| m.slice(beat, 8 * i + 7, 8 * i)).collect();
    m.concat(&bytes)
}

/// What the loop port says about a packet; of a new packet, what is true of all of them.
struct Meta {
    looped: Net,
    all: Net,
    phv: Option<Net>,
    kind: Net,
    pass: Net,
    copy: Net,
    session: Net,
    /// It goes through ingress without being processed.
    skip: Net,
    /// It brings its PHV along.
    parsed: Net,
}

impl Meta {
    fn new(m: &mut Module, shape: Shape<'_>) -> Self {
        let zero = m.lit(1, 0);
        if !shape.config.loops() {
            return Meta {
                looped: zero,
                all: zero,
                phv: None,
                kind: zero,
                pass: zero,
                copy: zero,
                session: zero,
                skip: zero,
                parsed: zero,
            };
        }
        let looped = m.input("looped_i", 1);
        let bundle = shape.loop_meta();
        let all = m.input("meta_i", bundle.width());
        let phv = shape.config.egress_clones.then(|| m.input("phv_i", shape.config.phv_bits));
        let of = |m: &mut Module, name: &str, new: u64| {
            let old = bundle.get(m, all, name);
            let new = m.lit(m.width(old), new);
            m.mux(looped, old, new)
        };
        let kind = of(m, "kind", 0);
        let pass = of(m, "pass", 1);
        let copy = of(m, "copy", 0);
        let session = of(m, "session", 0);
        let of_ingress = is(m, kind, instance::INGRESS_CLONE.into());
        let parsed = is(m, kind, instance::EGRESS_CLONE.into());
        let skip = m.or(of_ingress, parsed);
        Meta { looped, all, phv, kind, pass, copy, session, skip, parsed }
    }

    /// The lower end of the PHV, and what goes round the parser if it is something else.
    fn shell(
        &self,
        m: &mut Module,
        shape: Shape<'_>,
        size: Net,
        source: Net,
        time: Net,
    ) -> (Net, Option<Net>) {
        use ShellField as F;
        let config = shape.config;
        let bundle = shape.loop_meta();
        let port = m.slice(source, F::IngressPort.width() - 1, 0);
        let no_port = m.lit(F::IngressPort.width(), 0);
        let no_time = m.lit(TIME_BITS, 0);
        let all_ones = m.bits(&Bits::ones(F::Truncate.width()));
        let blank = m.bits(&Bits::zero(shell_bits(config)));
        let one = m.lit(1, 1);
        let mut values = vec![(F::Run, one), (F::PacketLength, size), (F::Truncate, all_ones)];
        if !config.loops() {
            values.extend([(F::IngressPort, port), (F::IngressTime, time)]);
            let shell = replace(m, config, blank, &values);
            return (shell, None);
        }
        // Further passes know their port and time only if they were kept; that is the parser's business.
        // A clone of ingress is parsed as it was the first time.
        let of_ingress = is(m, self.kind, instance::INGRESS_CLONE.into());
        let new = m.not(self.looped);
        let has_port = m.or(new, of_ingress);
        let port = m.mux(has_port, port, no_port);
        let time = m.mux(self.looped, no_time, time);
        let kept = bundle.get(m, self.all, "kept");
        let nothing = m.lit(5, 0);
        let kept = m.mux(self.looped, kept, nothing);
        let run = m.not(self.skip);
        values[0].1 = run;
        values.extend([(F::IngressPort, port), (F::IngressTime, time)]);
        values.extend([(F::Instance, self.kind), (F::Kept, kept)]);
        let mut shell = replace(m, config, blank, &values);
        if config.keep_bits > 0 {
            let keep = bundle.get(m, self.all, "keep");
            let nothing = m.bits(&Bits::zero(config.keep_bits));
            let keep = m.mux(self.looped, keep, nothing);
            let low = m.slice(shell, F::bits(config) - 1, 0);
            shell = m.concat(&[keep, low]);
        }
        let side = self.phv.map(|phv| {
            let cleared = replace(
                m,
                config,
                phv,
                &[
                    (F::Run, run),
                    (F::IngressPort, no_port),
                    (F::IngressTime, no_time),
                    (F::Instance, self.kind),
                    (F::Kept, kept),
                ],
            );
            let none = m.lit(F::McastGrp.width(), 0);
            let rid = m.lit(F::EgressRid.width(), 0);
            let consumed = m.lit(F::Consumed.width(), 0);
            let spec = m.lit(F::EgressSpec.width(), 0);
            let cleared = replace(
                m,
                config,
                cleared,
                &[
                    (F::McastGrp, none),
                    (F::EgressRid, rid),
                    (F::Consumed, consumed),
                    (F::EgressSpec, spec),
                ],
            );
            let wide = m.zext(shell, config.phv_bits);
            m.mux(self.parsed, cleared, wide)
        });
        (shell, side)
    }
}
