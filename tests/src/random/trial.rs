//! A random program with entries and packets, from a seed.

use super::compare::{Case, Packet};
use super::{Rng, entries, make};
use crate::traffic::Traffic;
use restage_program::check::Checked;
use restage_program::entry::Write;
use restage_program::{Program, Violations};

/// The program of a seed was not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The checker does not accept it.
    #[error("the checker refuses the program of seed {0}: {1:?}")]
    Refused(u64, Violations),
    /// It is another one after it was written and read.
    #[error("the program of seed {0} is not the same after it was written and read: {1}")]
    RoundTrip(u64, String),
}

/// Makes a case: a program that has survived being written and read, entries, and so many packets.
pub fn trial(seed: u64, packets: usize) -> Result<Case, TrialError> {
    let program = make::program(seed);
    round_trip(&program).map_err(|text| TrialError::RoundTrip(seed, text))?;
    let program = program.check().map_err(|e| TrialError::Refused(seed, e))?;
    let mut rng = Rng::new(!seed);
    let writes = entries::writes(&program, &mut rng);
    Ok(with_traffic(program, writes, &mut rng, packets))
}

/// A case of a program and entries that there are already.
pub fn case_for(program: Checked, writes: Vec<Write>, seed: u64, packets: usize) -> Case {
    with_traffic(program, writes, &mut Rng::new(seed), packets)
}

fn with_traffic(program: Checked, writes: Vec<Write>, rng: &mut Rng, packets: usize) -> Case {
    let traffic = Traffic::new(&program, &writes, rng.bits64());
    let mut time_us = 1000;
    let packets = traffic
        .take(packets)
        .map(|(port, bytes)| {
            time_us += [1, 3, 20, 300][rng.below(4)];
            Packet { port, bytes, time_us, depth: rng.between(0, 99) }
        })
        .collect();
    Case { program, writes, packets }
}

/// Writes a program as JSON and reads it again; says how it has changed.
pub fn round_trip(program: &Program) -> Result<(), String> {
    let text = program.to_json();
    let again = Program::from_json(&text).map_err(|e| e.to_string())?;
    if again != *program {
        return Err("it differs".into());
    }
    if again.to_json() == text { Ok(()) } else { Err("its text differs".into()) }
}
