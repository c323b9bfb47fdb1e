//! The guard in front of a region: whatever the region does, packets come out behind it, in order and in
//! time, and only the PHV bits that the region owns can have changed.

use super::kit::{bits_for, both, but_not, counter, held, is, later, state, state_when};
use super::shape::{ADDRESS_BITS, Shape, WORD_BITS};
use crate::net::{Circuit, Drive, MemStyle, Module, Net, NetFault};
use restage_manifest::ShellConfig;
use restage_manifest::address::guard::{COUPLED, LATENCY, MASK, TAG_ERRORS};
use restage_manifest::address::region;
use restage_manifest::address::shell::{GUARD_WORDS, GUARDS};
use restage_manifest::socket::{LENGTH_BITS, RegionKind};
use restage_program::Bits;

/// Bits of the count of wrong tags: one is counted for each coupling.
const TAG_ERROR_BITS: u32 = 8;
/// Latency after a reset.
const FIRST_LATENCY: u32 = 8;

/// The name of a guard's module.
fn name(kind: RegionKind) -> &'static str {
    match kind {
        RegionKind::Parser => "restage_guard_parser",
        RegionKind::Stage => "restage_guard_stage",
        RegionKind::Deparser => "restage_guard_deparser",
    }
}

/// `restage_guard_parser`, `restage_guard_stage`, `restage_guard_deparser`.
///
/// Contract:
/// * `valid_i`, `live_i`, `tag_i`, `ticket_i`, `side_i` come from registers; the region gets the same ones
///   in the same clock. `live_i` is 0 when the region shall not see the packet.
/// * The region's results come L clocks later, L being what was written to LATENCY; the guard's outputs
///   are registered and come one clock after those.
/// * `next_valid_o`, `next_epoch_o`: one clock before, that a packet comes, and of which epoch.
/// * `phv_o`: the region's bits where the mask is 1, the delayed `side_i` (with zeros above) elsewhere.
///   A region that is not coupled, and a packet that is not live, change nothing.
/// * Deparser: `side_o` is the delayed `side_i`; of `header_o` `length_o` bytes count, at most a window;
///   none when the region is not coupled or the packet not live.
/// * A packet whose tag is not the one that comes back is not changed, and counted. From then on the region is in quarantine:
///   it changes nothing more, with the same latency, until it is not coupled any more.
/// * `cfg_*`: what the region answers on the configuration bus. It can be coupled only when the last answers to reads of its
///   identity since its load were a region's of this kind for this shell, and the latency that LATENCY has.
/// * While `loading_i` is 1 the region is not coupled, whatever was written. `coupled_o`: whether it is. LATENCY does not change
///   while it is.
/// * `csr_*`: a write counts when `csr_write_i` is 1 and the address is in the words of unit `unit_i`.
///   `csr_rdata_o` is 0 for other addresses, two clocks late.
///
/// LATENCY must not change while a packet is inside.
pub fn guard(config: &ShellConfig, kind: RegionKind) -> Result<Circuit, Vec<NetFault>> {
    let shape = Shape::new(config);
    let ticket_bits = shape.ticket().width();
    let side_bits = if kind == RegionKind::Stage { config.phv_bits } else { shape.side() };
    let mut module = Module::new(name(kind));
    let m = &mut module;
    m.about("The guard of a region: takes its results when they are due, under its write mask, and keeps the shell's own copy");

    m.section("ports");
    let valid = m.input("valid_i", 1);
    let live = m.input("live_i", 1);
    let tag = m.input("tag_i", shape.tag());
    let ticket = m.input("ticket_i", ticket_bits);
    let side = m.input("side_i", side_bits);
    let region_tag = m.input("region_tag_i", shape.tag());
    let loading = m.input("loading_i", 1);
    let csr = Csr::new(m, config);

    m.section("latency, coupling");
    let depth = bits_for(config.max_latency - 1);
    let coupling = csr.at(m, COUPLED);
    let coupled = m.reg("coupled", 1);
    let setting = csr.at(m, LATENCY);
    let setting = but_not(m, setting, coupled.q());
    let setting = m.named("sets_latency", setting);
    let top = m.reg("latency_less_two", depth);
    let two = m.lit(WORD_BITS, 2);
    let less = m.sub(csr.data, two);
    let less = m.slice(less, depth - 1, 0);
    let first = Bits::new(depth, u128::from(FIRST_LATENCY - 2));
    m.drive(top, less, Drive::when(setting).reset(first));
    let fits = identity(m, config, kind, loading, top.q());
    m.section("coupling");
    let bit = m.bit(csr.data, 0);
    let may = but_not(m, bit, loading);
    let may = m.and(may, fits);
    let changes = m.or(coupling, loading);
    m.drive(coupled, may, Drive::when(changes).reset(Bits::zero(1)));
    let coupled = coupled.q();
    m.output("coupled_o", coupled);

    m.section("delay line: a ring as long as the latency");
    let place = m.reg("place", depth);
    let at_top = m.eq(place.q(), top.q());
    let zero = m.lit(depth, 0);
    let one = m.lit(depth, 1);
    let up = m.add(place.q(), one);
    let place_next = m.mux(at_top, zero, up);
    let place_next = m.mux(setting, zero, place_next);
    let place_next = m.named("place_next", place_next);
    m.drive(place, place_next, Drive::always().reset(Bits::zero(depth)));
    // What stood in the ring at a reset or at another latency does not count: the first round only writes.
    let round = m.or(at_top, setting);
    let written = m.not(setting);
    let full = state_when(m, "written_once", round, written);
    let yes = m.lit(1, 1);
    let valids = m.memory("valids", 1, config.max_latency, MemStyle::Distributed);
    m.write_port(valids, yes, place.q(), valid);
    let soon = m.read_port(valids, yes, place_next, 1);
    let soon = m.and(soon, full);
    let soon = m.named("valid_soon", soon);
    let there = state(m, "there", soon);
    let ring = m.memory(
        "ring",
        1 + shape.tag() + ticket_bits + side_bits,
        config.max_latency,
        MemStyle::Distributed,
    );
    let entry = m.concat(&[live, tag, ticket, side]);
    m.write_port(ring, valid, place.q(), entry);
    let q = m.read_port(ring, soon, place.q(), 1);
    let side = m.slice(q, side_bits - 1, 0);
    let ticket = m.slice(q, side_bits + ticket_bits - 1, side_bits);
    let tag = m.slice(q, side_bits + ticket_bits + shape.tag() - 1, side_bits + ticket_bits);
    let live = m.bit(q, side_bits + ticket_bits + shape.tag());
    m.output("next_valid_o", there);
    let epoch = shape.ticket().get(m, ticket, "epoch");
    m.output("next_epoch_o", epoch);

    m.section("tags, quarantine");
    let quarantine = m.reg("quarantine", 1);
    let listened = but_not(m, coupled, quarantine.q());
    let listened = m.and(live, listened);
    let other = m.ne(region_tag, tag);
    let heard = but_not(m, listened, other);
    let heard = m.named("heard", heard);
    let wrong = both(m, &[there, listened, other]);
    let stays = m.or(quarantine.q(), wrong);
    let stays = m.and(stays, coupled);
    m.drive(quarantine, stays, Drive::always().reset(Bits::zero(1)));
    let wrong = state(m, "tag_wrong", wrong);
    let errors = counter(m, "tag_errors", TAG_ERROR_BITS, wrong);
    let errors = m.zext(errors, WORD_BITS);
    m.output("tag_wrong_o", wrong);

    m.section("output");
    let out = |m: &mut Module, name: &str, net: Net| {
        let net = held(m, name, there, net);
        m.output(&format!("{name}_o"), net);
    };
    match kind {
        RegionKind::Deparser => {
            let header = m.input("region_header_i", shape.window());
            let length = m.input("region_length_i", LENGTH_BITS);
            let most = m.lit(LENGTH_BITS, config.window_bytes.into());
            let fits = m.lt(length, most);
            let length = m.mux(fits, length, most);
            let none = m.lit(LENGTH_BITS, 0);
            let length = m.mux(heard, length, none);
            out(m, "header", header);
            out(m, "length", length);
            out(m, "side", side);
        }
        RegionKind::Parser | RegionKind::Stage => {
            let phv = m.input("region_phv_i", config.phv_bits);
            let mask = mask(m, config, &csr);
            let side = m.zext(side, config.phv_bits);
            let theirs = m.and(phv, mask);
            let others = m.not(mask);
            let ours = m.and(side, others);
            let merged = m.or(theirs, ours);
            let phv = m.mux(heard, merged, side);
            out(m, "phv", phv);
        }
    }
    out(m, "tag", tag);
    out(m, "ticket", ticket);
    let next_live = if shape.ticket().has("skip") {
        let skip = shape.ticket().get(m, ticket, "skip");
        but_not(m, there, skip)
    } else {
        there
    };
    let live = state(m, "live", next_live);
    m.output("live_o", live);
    let valid = later(m, "valid", there, 1);
    m.output("valid_o", valid);

    m.section("reading the guard's registers");
    let latency = m.zext(top.q(), WORD_BITS);
    let latency = m.add(latency, two);
    let shown = m.concat(&[fits, quarantine.q(), coupled]);
    let coupled = m.zext(shown, WORD_BITS);
    let values = [(LATENCY, latency), (COUPLED, coupled), (TAG_ERRORS, errors)];
    let read = csr.read(m, &values);
    m.output("csr_rdata_o", read);
    module.finish()
}

/// Whether what the region last said of itself is what may be coupled, given its latency less two.
fn identity(
    m: &mut Module,
    config: &ShellConfig,
    kind: RegionKind,
    loading: Net,
    less_two: Net,
) -> Net {
    m.section("identity: what the region answers on the configuration bus");
    let ack = m.input("cfg_ack_i", 1);
    let write = m.input("cfg_write_i", 1);
    let address = m.input("cfg_addr_i", ADDRESS_BITS);
    let word = m.input("cfg_rdata_i", WORD_BITS);
    let says = but_not(m, ack, write);
    let says = later(m, "says", says, 1);
    let (address, word) = (m.delay(address, 1), m.delay(word, 1));
    let keep = |m: &mut Module, name: &str, at: u32, right: Net| {
        let here = is(m, address, at.into());
        let here = m.and(here, says);
        let right = but_not(m, right, loading);
        let changes = m.or(here, loading);
        state_when(m, name, changes, right)
    };
    let mut all = Vec::new();
    for (name, at, value) in [
        ("magic_fits", region::MAGIC, region::MAGIC_VALUE),
        ("shell_fits", region::SHELL_HASH, config.fingerprint()),
        ("kind_fits", region::KIND, kind as u32),
    ] {
        let right = is(m, word, value.into());
        all.push(keep(m, name, at, right));
    }
    let bits = m.width(less_two) + 1;
    let high = m.slice(word, WORD_BITS - 1, bits);
    let high = m.any(high);
    let small = m.not(high);
    all.push(keep(m, "latency_fits", region::LATENCY, small));
    let low = m.slice(word, bits - 1, 0);
    let here = is(m, address, region::LATENCY.into());
    let here = m.and(here, says);
    let said = held(m, "latency_said", here, low);
    let two = m.lit(bits, 2);
    let less_two = m.zext(less_two, bits);
    let set = m.add(less_two, two);
    all.push(m.eq(said, set));
    let fits = both(m, &all);
    state(m, "fits", fits)
}

/// The write mask, shifted in word by word: one wide register costs less than many with their addresses.
fn mask(m: &mut Module, config: &ShellConfig, csr: &Csr) -> Net {
    m.section("write mask");
    let width = config.phv_bits.div_ceil(WORD_BITS) * WORD_BITS;
    let top = m.width(csr.address) - 1;
    let above = m.slice(csr.address, top, MASK.trailing_zeros());
    let above = m.any(above);
    let here = m.and(csr.write, above);
    let reg = m.reg("mask", width);
    let rest = m.slice(reg.q(), width - 1, WORD_BITS);
    let next = m.concat(&[csr.data, rest]);
    m.drive(reg, next, Drive::when(here).reset(Bits::zero(width)));
    m.section("output");
    m.slice(reg.q(), config.phv_bits - 1, 0)
}

/// The guard's part of the configuration bus.
struct Csr {
    write: Net,
    /// The address inside the guard's words; one register behind the bus.
    address: Net,
    here: Net,
    data: Net,
}

impl Csr {
    fn new(m: &mut Module, _: &ShellConfig) -> Self {
        let write = m.input("csr_write_i", 1);
        let address = m.input("csr_addr_i", ADDRESS_BITS);
        let data = m.input("csr_wdata_i", WORD_BITS);
        let unit = m.input("unit_i", 8);
        m.section("the guard's words");
        let low = GUARD_WORDS.trailing_zeros();
        let number = m.slice(address, ADDRESS_BITS - 1, low);
        let first = m.lit(ADDRESS_BITS - low, u64::from(GUARDS / GUARD_WORDS));
        let unit = m.slice(unit, ADDRESS_BITS - low - 1, 0);
        let own = m.add(first, unit);
        let here = m.eq(number, own);
        let write = m.and(write, here);
        let address = m.slice(address, low - 1, 0);
        Csr {
            write: later(m, "csr_write", write, 1),
            here: later(m, "csr_here", here, 1),
            address: m.delay(address, 1),
            data: m.delay(data, 1),
        }
    }

    /// A word is written.
    fn at(&self, m: &mut Module, word: u32) -> Net {
        let here = is(m, self.address, word.into());
        m.and(self.write, here)
    }

    fn read(&self, m: &mut Module, values: &[(u32, Net)]) -> Net {
        let choices: Vec<(Net, Net)> = values
            .iter()
            .map(|(word, net)| {
                let at = is(m, self.address, (*word).into());
                (m.and(at, self.here), *net)
            })
            .collect();
        let value = m.select(&choices);
        m.delay(value, 1)
    }
}
