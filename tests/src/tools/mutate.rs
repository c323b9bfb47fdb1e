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
    /// The circuits that were asked for, each alone with that input.
    pub parts: Vec<Design>,
    /// What some of the other values do.
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
    /// In which of the parts that were asked for.
    pub part: usize,
}

/// The input that chooses.
pub const SELECT: &str = "restage_mutation";

/// Picks mutations evenly over a design, other ones for another seed.
pub fn mutate(design: &Design, count: u32, seed: u64) -> Result<Mutants, ToolError> {
    let top = &design.top;
    let script = format!(
        "hierarchy -check -top {top}
        proc
        flatten
        opt_clean
        {}
        script list0.txt
        opt_clean
        write_verilog -noattr mutants.v",
        list(0, count, seed, bits(count), 1, top)
    );
    let scratch = Scratch::new(design)?;
    yosys::run(&scratch, design, &script)?;
    let text = scratch.read("list0.txt")?;
    let mutations = text.lines().map(|line| mutation(line, 0)).collect();
    let mutants = Design::new(top, scratch.read("mutants.v")?);
    Ok(Mutants { parts: vec![mutants.clone()], design: mutants, mutations })
}

/// The same, so many for each of some modules that the top has instances of; modules are files of their names.
pub fn mutate_modules(
    design: &Design,
    modules: &[&str],
    count: u32,
    seed: u64,
) -> Result<Mutants, ToolError> {
    let top = &design.top;
    let bits = bits(count * modules.len() as u32);
    let (mut lists, mut scripts, mut writes) = (String::new(), String::new(), String::new());
    for (number, module) in modules.iter().enumerate() {
        let first = 1 + count * number as u32;
        // Another seed for each: what is alike has other faults.
        lists += &list(number, count, seed.wrapping_add(number as u64), bits, first, module);
        scripts += &format!("script list{number}.txt\n");
        writes += &format!("select {module}\nwrite_verilog -noattr -selected new{number}.v\n");
    }
    let script = format!("hierarchy -check -top {top}\nproc\nopt_clean\n{lists}{scripts}{writes}");
    let scratch = Scratch::new(design)?;
    yosys::run(&scratch, design, &script)?;
    let (mut mutations, mut whole) = (Vec::new(), design.clone());
    for (number, module) in modules.iter().enumerate() {
        let list = scratch.read(&format!("list{number}.txt"))?;
        mutations.extend(list.lines().map(|line| mutation(line, number)));
        let text = scratch.read(&format!("new{number}.v"))?;
        for (name, old) in &mut whole.files {
            if *name == format!("{module}.v") {
                *old = text.clone();
            } else if *name == format!("{top}.v") {
                *old = connected(old, module);
            }
        }
    }
    for (name, text) in &mut whole.files {
        if *name == format!("{top}.v") {
            let head = format!("module {top} (\n");
            *text = text.replacen(&head, &format!("{head}    {SELECT},\n"), 1);
            let port = format!(");\n    input [{}:0] {SELECT};\n", bits - 1);
            *text = text.replacen(");\n", &port, 1);
        }
    }
    let parts = modules.iter().map(|module| {
        let own = |(name, _): &&(String, String)| *name != format!("{top}.v");
        Design { top: module.to_string(), files: whole.files.iter().filter(own).cloned().collect() }
    });
    Ok(Mutants { parts: parts.collect(), design: whole, mutations })
}

/// A top with the choosing input at all instances of a module.
fn connected(text: &str, module: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        out += line;
        out.push('\n');
        let words: Vec<&str> = line.split_whitespace().collect();
        if matches!(words[..], [of, _, "("] if of == module) {
            out += &format!("        .{SELECT}({SELECT}),\n");
        }
    }
    out
}

/// Bits of the choosing input.
fn bits(count: u32) -> u32 {
    32 - count.leading_zeros()
}

/// Yosys' command that picks.
fn list(number: usize, count: u32, seed: u64, bits: u32, first: u32, module: &str) -> String {
    // A signed number of 32 bits is taken.
    let seed = seed & 0x7fff_ffff;
    format!(
        "mutate -list {count} -seed {seed} -ctrl {SELECT} {bits} {first} -o list{number}.txt {module}\n"
    )
}

/// Reads a line such as `mutate -ctrl x 8 1 -mode inv -module m -cell $a -port Q -portbit 3 -wire q ...`.
fn mutation(line: &str, part: usize) -> Mutation {
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
    let at = words.iter().position(|w| *w == "-ctrl").unwrap_or_default();
    let number = words.get(at + 3).and_then(|w| w.parse().ok()).unwrap_or_default();
    let sources = words.windows(2).filter(|w| w[0] == "-src").map(|w| w[1]);
    Mutation {
        number,
        mode: option("-mode").unwrap_or_default(),
        place,
        source: sources.collect::<Vec<_>>().join(" "),
        part,
    }
}
