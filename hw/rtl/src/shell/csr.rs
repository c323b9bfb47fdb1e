//! The shell's own registers.

use super::inflight::IN_FLIGHT_BITS;
use super::kit::{held, state, state_when};
use super::shape::{COUNT_BITS, SIZE_BITS, Shape, WORD_BITS};
use super::turn::BUBBLE_BITS;
use super::words::Words;
use crate::net::{Circuit, Drive, Module, Net, NetFault};
use restage_manifest::ShellConfig;
use restage_manifest::address::shell as word;
use restage_manifest::address::shell::Count;
use restage_program::Bits;

/// Events of one kind that there can be in a clock.
pub(super) const EVENTS: u32 = 3;

/// Clocks for which nothing must be anywhere until the shell counts as empty.
const CALM: u32 = 32;

/// One slot in two to the power of this is left free when that is asked for.
const YIELD_BITS: u32 = 4;

/// The port for events of a counter.
pub(super) fn event(count: Count) -> &'static str {
    match count {
        Count::Received => "received_i",
        Count::Sent => "sent_i",
        Count::DroppedIngress => "dropped_ingress_i",
        Count::DroppedEgress => "dropped_egress_i",
        Count::NoGroup => "no_group_i",
        Count::NoSession => "no_session_i",
        Count::MaxPasses => "too_often_i",
        Count::Looped => "looped_i",
        Count::LoopFull => "loop_full_i",
        Count::DigestsLost => "digest_lost_i",
        Count::WrongSize => "wrong_size_i",
        Count::Lost => "lost_i",
        Count::Collided => "collided_i",
        Count::Disordered => "disordered_i",
        Count::HeldIngress => "held_ingress_i",
        Count::HeldEgress => "held_egress_i",
        Count::Shed => "shed_i",
    }
}

/// `restage_csr`: what it is, whether packets are let in, what it has counted.
///
/// Contract: `csr_*` as for all units of the shell: a write counts in the clock of `csr_write_i`;
/// `csr_rdata_o` is 0 for addresses of others and comes two clocks after the address. Every bit of an event
/// port that is 1 counts one.
pub fn csr(config: &ShellConfig) -> Result<Circuit, Vec<NetFault>> {
    let mut module = Module::new("restage_csr");
    let m = &mut module;
    m.about("restage_csr - what the shell is, whether packets are let in, what it has counted");
    m.section("ports");
    let words = Words::new(m);
    let data = words.data;
    let ready = m.input("ready_i", 1);
    let empty = m.input("empty_i", 1);

    m.section("what was set");
    let set = words.at(m, word::GATE);
    let bit = m.bit(data, 0);
    let open = state_when(m, "open", set, bit);
    let allowed = m.and(open, ready);
    let allowed = state(m, "gate_open", allowed);
    m.output("open_o", allowed);
    let sheds = m.bit(data, 1);
    let sheds = state_when(m, "sheds", set, sheds);
    m.output("sheds_o", sheds);
    let gate = m.concat(&[sheds, open]);
    // Until it is said: as much as can be, so that forgetting it costs speed only.
    let set = words.at(m, word::LOOP_GROWTH);
    let low = m.slice(data, SIZE_BITS - 1, 0);
    let most = if config.recirculate { Shape::new(config).most_growth() } else { 0 };
    let growth = m.reg("growth", SIZE_BITS);
    m.drive(growth, low, Drive::when(set).reset(Bits::new(SIZE_BITS, most.into())));
    let growth = growth.q();
    m.output("growth_o", growth);
    let set = words.at(m, word::EPOCH);
    let epoch = state_when(m, "epoch", set, bit);
    m.output("epoch_o", epoch);
    let set = words.at(m, word::YIELD);
    let yields = state_when(m, "yields", set, bit);
    let slot = m.reg("slot", YIELD_BITS);
    let one = m.lit(YIELD_BITS, 1);
    let next = m.add(slot.q(), one);
    m.drive(slot, next, Drive::always().reset_zero(YIELD_BITS));
    let turn = m.all(slot.q());
    let turn = m.and(turn, yields);
    let turn = state(m, "yield_now", turn);
    m.output("yield_o", turn);
    let mut bubbles = Vec::new();
    for (half, first) in [("ingress", word::BUBBLE_INGRESS), ("egress", word::BUBBLE_EGRESS)] {
        for e in 0..2 {
            let set = words.at(m, first + e);
            let low = m.slice(data, BUBBLE_BITS - 1, 0);
            let bubble = state_when(m, &format!("bubble_{half}{e}"), set, low);
            m.output(&format!("bubble_{half}{e}_o"), bubble);
            bubbles.push((first + e, bubble));
        }
    }

    m.section("what can be read");
    let magic = m.lit(WORD_BITS, word::MAGIC_VALUE.into());
    let hash = m.lit(WORD_BITS, config.fingerprint().into());
    // Packets that change places count in neither for some clocks.
    let bits = CALM.trailing_zeros() + 1;
    let calm = m.reg("calm", bits);
    let full = m.bit(calm.q(), bits - 1);
    let one = m.lit(bits, 1);
    let up = m.add(calm.q(), one);
    let up = m.mux(full, calm.q(), up);
    let zero = m.lit(bits, 0);
    let next = m.mux(empty, up, zero);
    m.drive(calm, next, Drive::always().reset(Bits::zero(bits)));
    let status = m.concat(&[full, ready]);
    let mut values: Vec<(u32, Net)> = vec![(word::MAGIC, magic), (word::HASH, hash)];
    let mut shown = vec![(word::GATE, gate), (word::STATUS, status), (word::LOOP_GROWTH, growth)];
    shown.extend([(word::EPOCH, epoch), (word::YIELD, yields)]);
    shown.extend(bubbles);
    for e in 0..2 {
        let count = m.input(&format!("count{e}_i"), IN_FLIGHT_BITS);
        shown.push((word::IN_FLIGHT + e, count));
    }
    for (word, net) in shown {
        let net = m.zext(net, WORD_BITS);
        values.push((word, net));
    }
    for count in Count::ALL {
        let port = event(count);
        m.section(format!("count of {}", port.trim_end_matches("_i")));
        let events = m.input(port, EVENTS);
        let one = m.bit(events, 0);
        let mut more = m.zext(one, 2);
        for bit in 1..EVENTS {
            let one = m.bit(events, bit);
            let one = m.zext(one, 2);
            more = m.add(more, one);
        }
        let more = m.delay(more, 1);
        let reg = m.reg(&format!("count_{}", port.trim_end_matches("_i")), COUNT_BITS);
        let wide = m.zext(more, COUNT_BITS);
        let next = m.add(reg.q(), wide);
        m.drive(reg, next, Drive::always().reset(Bits::zero(COUNT_BITS)));
        if count == Count::Received {
            // The event and the count are as late as each other: what was counted before is in the register.
            let flipped = m.input("flipped_i", 1);
            let flipped = m.delay(flipped, 1);
            let at = held(m, "flipped_at", flipped, reg.q());
            let low = m.slice(at, WORD_BITS - 1, 0);
            let high = m.slice(at, COUNT_BITS - 1, WORD_BITS);
            let high = m.zext(high, WORD_BITS);
            values.extend([(word::FLIPPED_AT, low), (word::FLIPPED_AT + 1, high)]);
        }
        let low = m.slice(reg.q(), WORD_BITS - 1, 0);
        let high = m.slice(reg.q(), COUNT_BITS - 1, WORD_BITS);
        let high = m.zext(high, WORD_BITS);
        values.extend([(count.word(), low), (count.word() + 1, high)]);
    }
    m.section("reading");
    let read = words.read(m, &values);
    m.output("csr_rdata_o", read);
    module.finish()
}
