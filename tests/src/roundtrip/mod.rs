//! Programs printed as P4, compiled by p4c and imported again: they must behave as before.
//!
//! p4c is not part of this workspace; who has one runs the binary `p4c_roundtrip`.

pub mod behave;
pub mod open;
pub mod p4c;
pub mod tame;
pub mod translate;

use crate::random::compare::Case;
use p4c::P4c;
use restage_program::Program;

/// What became of a program.
#[derive(Debug)]
pub enum Outcome {
    /// It came back and behaves as before; so many packets were compared. The other number is that of lines
    /// of its second text that are not in the first.
    Same {
        /// Packets compared.
        packets: usize,
        /// Lines of the first text.
        lines: usize,
        /// Lines of the second text, and of these how many the first does not have.
        again: (usize, usize),
    },
    /// It has something that P4 cannot say; the text may or may not compile.
    Gaps(Vec<String>),
    /// p4c accepts it, but only with externs that BMv2 does not have.
    Maps,
    /// It behaves in another way on a packet with which p4c may do as it likes: what happened to the packet.
    Open(Vec<&'static str>),
    /// p4c itself is at fault, in a way that is known.
    P4c(&'static str),
    /// Something went wrong.
    Failed(Failure),
}

/// What p4c 1.2.5 does wrong with legal P4, by a piece of what is said then.
const FAULTS: &[(&str, &str)] = &[
    ("transition_key", "it makes a configuration with a constant as key of a select"),
    ("Compiler Bug", "it crashes"),
];

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// p4c refuses the text.
    #[error("p4c refuses the text:\n{0}")]
    Refused(String),
    /// What p4c made cannot be imported.
    #[error("what p4c made is not imported: {0}")]
    Import(String),
    /// The checker refuses what was imported.
    #[error("the checker refuses what was imported: {0}")]
    Check(String),
    /// It behaves in another way.
    #[error("it behaves in another way: {0}")]
    Differs(String),
    /// Files or p4c could not be used.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Sends a program around and compares its behaviour on the packets of the case.
pub fn round_trip(p4c: &P4c, case: &Case) -> Outcome {
    let program: &Program = &case.program;
    let gaps = program.p4_gaps();
    if !gaps.is_empty() {
        return Outcome::Gaps(gaps.iter().map(ToString::to_string).collect());
    }
    match attempt(p4c, case) {
        Ok(outcome) => outcome,
        Err(failure) => {
            let text = failure.to_string();
            let known = FAULTS.iter().find(|(piece, _)| text.contains(piece));
            known.map_or(Outcome::Failed(failure), |(_, what)| Outcome::P4c(what))
        }
    }
}

fn attempt(p4c: &P4c, case: &Case) -> Result<Outcome, Failure> {
    let program: &Program = &case.program;
    let text = program.to_string();
    let maps = !program.maps.is_empty();
    let made = p4c.compile(&program.name, &text, maps)?;
    if maps {
        return Ok(Outcome::Maps);
    }
    let again = restage_p4::import(&made.json, Some(&made.p4info), &program.name)
        .map_err(|e| Failure::Import(format!("{e:?}")))?;
    let second = again.to_string();
    let again = again.check().map_err(|e| Failure::Check(format!("{e:?}")))?;
    if let Err(differs) = behave::compare(case, &again) {
        let open = open::what(case, &again, differs.packet);
        return if open.is_empty() {
            Err(Failure::Differs(differs.text))
        } else {
            Ok(Outcome::Open(open))
        };
    }
    let new = second.lines().filter(|l| !text.lines().any(|k| k.trim() == l.trim())).count();
    Ok(Outcome::Same {
        packets: case.packets.len(),
        lines: text.lines().count(),
        again: (second.lines().count(), new),
    })
}
