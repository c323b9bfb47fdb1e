//! Faults put into a circuit on purpose, to see whether its tests notice them.
//!
//! All mutations are in one circuit: an input that it has besides chooses which of them is active, so that
//! one build serves for all.

use super::{Design, Scratch, ToolError, yosys};

/// A design with faults that can be switched on.
#[derive(Clone, Debug)]
pub struct Mutants {
    /// The circuit with [`SELECT`] as a further input. With 0 it does what the original does.
    pub design: Design,
    /// What the values from 1 on do.
    pub mutations: Vec<Mutation>,
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// The value of [`SELECT`] that switches it on.
    pub number: u64,
    /// What is done: `inv`, `const0`, `const1`, `cnot0`, `cnot1`.
    pub mode: String,
    /// The signal, or the cell and port, where it is done.
    pub place: String,
    /// Lines of the source.
    pub source: String,
}

/// The input that chooses.
pub const SELECT: &str = "restage_mutation";

/// Picks mutations evenly over a design, other ones for another seed.
pub fn mutate(design: &Design, count: u32, seed: u64) -> Result<Mutants, ToolError> {
    let top = &design.top;
    let bits = 32 - count.leading_zeros();
    let script = format!(
        "hierarchy -check -top {top}
        proc
        flatten
        opt_clean
        mutate -list {count} -seed {} -ctrl {SELECT} {bits} 1 -o list.txt
        script list.txt
        opt_clean
        write_verilog -noattr mutants.v",
        // A signed number of 32 bits is taken.
        seed & 0x7fff_ffff
    );
    let scratch = Scratch::new(design)?;
    yosys::run(&scratch, design, &script)?;
    let list = scratch.read("list.txt")?;
    let mutations = (1..).zip(list.lines()).map(|(n, line)| mutation(n, line)).collect();
    Ok(Mutants { design: Design::new(top, scratch.read("mutants.v")?), mutations })
}

/// Reads a line such as `mutate -ctrl x 8 1 -mode inv -module m -cell $a -port Q -portbit 3 -wire q ...`.
fn mutation(number: u64, line: &str) -> Mutation {
    let words: Vec<&str> = line.split_whitespace().collect();
    let option = |name: &str| {
        let at = words.iter().position(|w| *w == name)?;
        words.get(at + 1).map(|w| w.trim_start_matches('\\').to_string())
    };
    let place = match (option("-wire"), option("-wirebit")) {
        (Some(wire), bit) => format!("{wire}[{}]", bit.unwrap_or_default()),
        _ => {
            let of = |name| option(name).unwrap_or_default();
            format!("{}.{}[{}]", of("-cell"), of("-port"), of("-portbit"))
        }
    };
    let sources = words.windows(2).filter(|w| w[0] == "-src").map(|w| w[1]);
    Mutation {
        number,
        mode: option("-mode").unwrap_or_default(),
        place,
        source: sources.collect::<Vec<_>>().join(" "),
    }
}
