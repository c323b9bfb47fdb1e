//! The lanes between the stages: whose words go to whom.

use super::kit::{bits_for, later, state_when};
use super::shape::WORD_BITS;
use super::words::Words;
use crate::net::{Circuit, Module, Net, NetFault};
use restage_manifest::ShellConfig;
use restage_manifest::address::shell::{FED, lane as word_of};
use restage_manifest::address::{last, stage};
use restage_manifest::socket::{LANE_WORD_BITS, RegionKind, sockets};

/// `restage_lane`.
///
/// Contract: each word that a stage S takes, `S_lane_o`, is what the same word of the unit that its CSR names was a clock
/// before, `S_lane_valid_o` likewise; not valid when the CSR names none, or one that is not coupled. `csr_*`: the sources, see
/// [`word_of`].
pub fn lane(config: &ShellConfig) -> Result<Circuit, Vec<NetFault>> {
    let mut module = Module::new("restage_lane");
    let m = &mut module;
    m.about("The lanes: state on its way from stage to stage, word by word from where the registers say");
    m.section("ports");
    let csr = Words::new(m);
    let data = csr.data;
    let words = config.lane_words;
    let stages: Vec<_> =
        sockets(config).into_iter().filter(|s| s.kind == RegionKind::Stage).collect();
    let mut sources = Vec::new();
    for socket in &stages {
        let name = &socket.name;
        let coupled = m.input(&format!("{name}_coupled_i"), 1);
        let valid = m.input(&format!("{name}_lane_valid_i"), words);
        let message = m.input(&format!("{name}_lane_i"), words * LANE_WORD_BITS);
        let coupled = m.repeat(coupled, words);
        let valid = m.and(valid, coupled);
        sources.push((u64::from(socket.unit), m.named(&format!("{name}_valid"), valid), message));
    }
    let bits = bits_for(last(config));
    let mut read = Vec::new();
    for socket in &stages {
        let name = &socket.name;
        m.section(format!("to {name}"));
        let (mut valids, mut messages) = (Vec::new(), Vec::new());
        for word in 0..words {
            let at_word = word_of(socket.unit - stage(config, 0), word);
            let set = csr.at(m, at_word);
            let on = m.bit(data, FED.trailing_zeros());
            let on = state_when(m, &format!("{name}_fed_{word}"), set, on);
            let from = m.slice(data, bits - 1, 0);
            let from = state_when(m, &format!("{name}_from_{word}"), set, from);
            let low = m.zext(from, FED.trailing_zeros());
            let shown = m.concat(&[on, low]);
            read.push((at_word, m.zext(shown, WORD_BITS)));
            let others = || sources.iter().filter(|(unit, ..)| *unit != u64::from(socket.unit));
            let there: Vec<(u64, Net)> =
                others().map(|(unit, valid, _)| (*unit, m.bit(*valid, word))).collect();
            let (low, high) = (word * LANE_WORD_BITS, (word + 1) * LANE_WORD_BITS - 1);
            let said: Vec<(u64, Net)> =
                others().map(|(unit, _, said)| (*unit, m.slice(*said, high, low))).collect();
            let (no, nothing) = (m.lit(1, 0), m.lit(LANE_WORD_BITS, 0));
            let valid = m.case(from, &there, no);
            valids.push(m.and(valid, on));
            let message = m.case(from, &said, nothing);
            // What has no source is 0: it is the upper end of a number that was narrower.
            let gate = m.repeat(on, LANE_WORD_BITS);
            messages.push(m.and(message, gate));
        }
        valids.reverse();
        messages.reverse();
        let (valid, message) = (m.concat(&valids), m.concat(&messages));
        let valid = later(m, &format!("{name}_lane_valid"), valid, 1);
        m.output(&format!("{name}_lane_valid_o"), valid);
        let message = m.delay(message, 1);
        m.output(&format!("{name}_lane_o"), message);
    }
    m.section("reading");
    let word = csr.read(m, &read);
    m.output("csr_rdata_o", word);
    module.finish()
}
