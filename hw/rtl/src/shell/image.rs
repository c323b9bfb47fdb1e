//! The image port: from registers to the part, word by word, while the region is held still.

use super::kit::{both, but_not, held, is, state_when};
use super::shape::WORD_BITS;
use super::words::Words;
use crate::net::{Circuit, Drive, Module, Net, NetFault};
use restage_manifest::address::image::{ABORT, BEGIN, Code, State};
use restage_manifest::address::shell as word;
use restage_manifest::{ShellConfig, address};
use restage_program::Bits;

/// Bits of the number of a unit.
pub(super) const UNIT_BITS: u32 = 8;
/// Bits of what a part says is wrong.
pub(super) const CODE_BITS: u32 = 8;
/// Clocks for which a loaded region is still in reset while its clock runs.
const RELEASE: u32 = 16;

/// `restage_image`: an image on its way to the part, and what that means for the region.
///
/// Contract:
/// * `csr_*` as for all units of the shell; the words are IMAGE_*. A load is begun only for a unit that exists and of which
///   `coupled_i` (bit N - 1 for unit N) is 0; what is refused changes nothing but the status.
/// * Towards the part: `active_o` is 1 from the beginning of a load to its end, whatever ends it. `word_o` is offered while
///   `valid_o` is 1 and taken in the clock in which `ready_i` is 1 as well; `last_o` goes with the last one. On a card that is
///   ICAPE3's CSIB and I. `done_i`: the circuit is there, for one clock; `fail_i`, with `code_i`: it will not come.
/// * `stall_o` is 1 while a word waits to be taken and the next one's address is on the bus.
/// * `hold_o` (bit N - 1 for unit N): the region is in a load, or blank since one that failed. From then until a
///   load is done `clock_enable_o` is 0 (on a card that stops the region's clock, so nothing is written into its RAM);
///   `reset_n_o` stays 0 for 16 clocks more.
///
/// It does not look into images: that is for the part.
pub(super) fn image(config: &ShellConfig) -> Result<Circuit, Vec<NetFault>> {
    let units = address::last(config);
    let mut module = Module::new("restage_image");
    let m = &mut module;
    m.about("restage_image - the port by which the part is given images, word by word");
    m.section("ports");
    let csr = Words::new(m);
    let data = csr.data;
    let coupled = m.input("coupled_i", units);
    let ready = m.input("ready_i", 1);
    let done = m.input("done_i", 1);
    let fail = m.input("fail_i", 1);
    let told = m.input("code_i", CODE_BITS);

    m.section("what is asked");
    let set = csr.at(m, word::IMAGE_WORDS);
    let words = state_when(m, "words", set, data);
    let control = csr.at(m, word::IMAGE_CONTROL);
    let begins = m.bit(data, BEGIN.trailing_zeros());
    let begins = m.and(control, begins);
    let begins = m.named("begins", begins);
    let aborts = m.bit(data, ABORT.trailing_zeros());
    let aborts = m.and(control, aborts);
    let gives = csr.at(m, word::IMAGE_DATA);
    let asked = m.slice(data, UNIT_BITS - 1, 0);
    let chosen: Vec<Net> = (1..=units).map(|unit| is(m, asked, unit.into())).collect();
    let known = m.or_all(&chosen);
    let known = m.named("known", known);
    let mut hits = Vec::new();
    for (i, chosen) in (0..).zip(&chosen) {
        let coupled = m.bit(coupled, i);
        hits.push(m.and(*chosen, coupled));
    }
    let counts = m.or_all(&hits);
    let counts = m.named("counts", counts);
    let some = m.any(words);

    m.section("the course of a load");
    let active = m.reg("active", 1);
    let ending = m.reg("ending", 1);
    let busy = m.or(active.q(), ending.q());
    let can = but_not(m, begins, busy);
    let accepted = but_not(m, can, counts);
    let accepted = both(m, &[accepted, known, some]);
    let accepted = m.named("accepted", accepted);
    let full = m.reg("full", 1);
    let left = m.reg("left", WORD_BITS);
    let more = m.any(left.q());
    let taken = m.and(full.q(), ready);
    let taken = m.named("taken", taken);
    let comes = m.and(gives, active.q());
    let fits = but_not(m, more, full.q());
    let over = but_not(m, comes, fits);
    let over = m.named("overrun", over);
    let put = m.and(comes, fits);
    let put = m.named("put", put);
    let broken = m.and(active.q(), fail);
    let stopped = m.and(active.q(), aborts);
    let failed = m.or_all(&[broken, stopped, over]);
    let failed = m.named("fails", failed);
    let loaded = m.and(active.q(), done);
    let loaded = but_not(m, loaded, failed);
    let loaded = m.named("loaded", loaded);
    let ends = m.or(failed, loaded);
    let goes_on = but_not(m, active.q(), ends);
    let next = m.or(goes_on, accepted);
    m.drive(active, next, Drive::always().reset(Bits::zero(1)));
    m.output("active_o", active.q());
    let bits = RELEASE.trailing_zeros() + 1;
    let wait = m.reg("release", bits);
    let released = m.bit(wait.q(), bits - 1);
    let (zero, one) = (m.lit(bits, 0), m.lit(bits, 1));
    let up = m.add(wait.q(), one);
    let next = m.mux(ending.q(), up, zero);
    m.drive(wait, next, Drive::always().reset(Bits::zero(bits)));
    let free = m.and(ending.q(), released);
    let free = m.named("frees", free);
    let stays = but_not(m, ending.q(), free);
    let next = m.or(stays, loaded);
    m.drive(ending, next, Drive::always().reset(Bits::zero(1)));

    m.section("words");
    let first = held(m, "word", put, data);
    m.output("word_o", first);
    let one = m.lit(WORD_BITS, 1);
    let fewer = m.sub(left.q(), one);
    let next = m.mux(accepted, words, fewer);
    let changes = m.or(accepted, put);
    m.drive(left, next, Drive::when(changes).reset(Bits::zero(WORD_BITS)));
    let last = is(m, left.q(), 1);
    let last = held(m, "last", put, last);
    m.output("last_o", last);
    let waits = but_not(m, full.q(), taken);
    let next = m.or(waits, put);
    let next = m.and(next, goes_on);
    m.drive(full, next, Drive::always().reset(Bits::zero(1)));
    m.output("valid_o", full.q());
    let progress = m.reg("progress", WORD_BITS);
    let up = m.add(progress.q(), one);
    let zero = m.lit(WORD_BITS, 0);
    let next = m.mux(accepted, zero, up);
    let changes = m.or(accepted, taken);
    m.drive(progress, next, Drive::when(changes).reset(Bits::zero(WORD_BITS)));
    let here = is(m, csr.address, word::IMAGE_DATA.into());
    // A word that has just been written shows in `full` a clock later, and the answer is due later than that.
    let stalls = m.and(here, full.q());
    m.output_reg("stall_o", stalls);

    m.section("how it stands");
    let unit = state_when(m, "unit", can, asked);
    m.output("unit_o", unit);
    let mut lit = |value: Code| m.lit(CODE_BITS, value as u64);
    let [none, coupled_code, unknown, occupied, empty, overrun, aborted] = [
        lit(Code::None),
        lit(Code::Coupled),
        lit(Code::Unit),
        lit(Code::Busy),
        lit(Code::Length),
        lit(Code::Overrun),
        lit(Code::Aborted),
    ];
    let code = m.mux(some, none, empty);
    let code = m.mux(counts, coupled_code, code);
    let code = m.mux(known, code, unknown);
    let code = m.mux(busy, occupied, code);
    let why = m.mux(broken, told, overrun);
    let why = m.mux(stopped, aborted, why);
    let code = m.mux(failed, why, code);
    let code = m.mux(loaded, none, code);
    let news = m.or_all(&[begins, failed, loaded]);
    let code = state_when(m, "code", news, code);
    let state = |m: &mut Module, value: State| m.lit(2, value as u64);
    let (loading, is_done, is_failed) =
        (state(m, State::Loading), state(m, State::Done), state(m, State::Failed));
    let next = m.mux(accepted, loading, is_failed);
    let next = m.mux(free, is_done, next);
    let news = m.or_all(&[can, failed, free]);
    let state = state_when(m, "state", news, next);
    let nothing = m.lit(4, 0);
    let low = m.lit(2, 0);
    let status = m.concat(&[unit, code, nothing, low, state]);
    let status = m.zext(status, WORD_BITS);

    m.section("what it does to regions");
    let (mut holds, mut clocks, mut resets) = (Vec::new(), Vec::new(), Vec::new());
    for (number, chosen) in (1..=units).zip(chosen) {
        let mine = is(m, unit, number.into());
        let begin = m.and(accepted, chosen);
        let end = m.and(free, mine);
        let ran = m.and(loaded, mine);
        let hold = m.reg(&format!("hold_{number}"), 1);
        let stays = but_not(m, hold.q(), end);
        let next = m.or(stays, begin);
        m.drive(hold, next, Drive::always().reset(Bits::zero(1)));
        // As long as the shell's own reset lasts the region's does.
        let reset = m.reg(&format!("reset_n_{number}"), 1);
        let runs = m.not(next);
        m.drive(reset, runs, Drive::always().reset(Bits::zero(1)));
        let clock = m.reg(&format!("clock_enable_{number}"), 1);
        let kept = m.or(clock.q(), ran);
        let next = but_not(m, kept, begin);
        m.drive(clock, next, Drive::always().reset(Bits::new(1, 1)));
        holds.insert(0, hold.q());
        resets.insert(0, reset.q());
        clocks.insert(0, clock.q());
    }
    for (name, bits) in [("hold_o", holds), ("reset_n_o", resets), ("clock_enable_o", clocks)] {
        let all = m.concat(&bits);
        m.output(name, all);
    }

    m.section("reading");
    let values = [
        (word::IMAGE_WORDS, words),
        (word::IMAGE_PROGRESS, progress.q()),
        (word::IMAGE_STATUS, status),
    ];
    let read = csr.read(m, &values);
    m.output("csr_rdata_o", read);
    module.finish()
}
