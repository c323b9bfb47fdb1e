//! What a run must show beside that nothing differs.

use super::pace::Pace;
use super::prepare::one_sided;
use super::regress::Report;
use restage_program::Checked;

/// Percent of the packets that the parser must accept, and of those that must meet an entry.
const SHARES: (u64, u64) = (70, 50);

/// Clocks from first beat to first beat, for programs without further passes.
const LATENCY: u64 = 250;

/// The part of all clocks from which on a place counts as busy in all of them: at the edges of the time that is looked at beats
/// are cut off.
const FULL: f64 = 0.99;

/// Part of a whole in percent.
pub fn share(part: u64, whole: u64) -> u64 {
    (100 * part).checked_div(whole).unwrap_or(0)
}

/// Where the run shows too little, and what need not be shown.
pub fn shortfalls(program: &Checked, report: &Report) -> (Vec<String>, Vec<String>) {
    let tally = &report.tally;
    let (mut found, mut excused) = (Vec::new(), Vec::new());
    let accepted = share(tally.accepted, tally.packets);
    if accepted < SHARES.0 {
        found.push(format!("only {accepted} % of the packets are accepted by the parser"));
    }
    let applied = program.tables.values().filter(|t| one_sided(program, t).is_none());
    let met = share(tally.met, tally.packets);
    if applied.count() > 0 && met < SHARES.1 {
        found.push(format!("only {met} % of the packets meet an entry"));
    }
    for decl in program.tables.values() {
        let name = &decl.preamble.name;
        let (hits, misses) = tally.tables.get(name).copied().unwrap_or_default();
        let side = match (hits, misses) {
            (0, 0) => "is never applied",
            (0, _) => "never hits",
            (_, 0) => "never misses",
            _ => continue,
        };
        match one_sided(program, decl) {
            Some(why) if (hits, misses) != (0, 0) => {
                excused.push(format!("table {name} {side}: it {why}"));
            }
            _ => found.push(format!("table {name} {side}")),
        }
    }
    if let Some((_, most)) = report.latency
        && !report.loops
        && most > LATENCY
    {
        found.push(format!("a packet takes {most} clocks; at most {LATENCY} are wanted"));
    }
    if let Some(pace) = report.pace {
        let Pace { clocks_in, gate, copies, merged, .. } = pace;
        if pace.busiest() < FULL {
            found.push(format!(
                "of frames of 64 bytes in every clock one is taken every {clocks_in:.2} clocks, and nothing else is busy in \
                 all clocks: {gate:.3} beats pass the gate, {copies:.3} copies the traffic point, {merged:.3} beats the merge"
            ));
        }
    }
    (found, excused)
}
