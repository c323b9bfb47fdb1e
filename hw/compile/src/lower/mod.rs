//! From a program to flows and the plan of the deparser.
//!
//! ```text
//! state start { extract(eth); ... }      parser:  eth.type := window(96) if available >= 14 ...
//! if (ipv4.isValid()) { route.apply(); }  ingress: a0: if ipv4.valid table `route` keys ipv4.dst ...
//! ```
//!
//! Branches are turned into conditions: every branch is lowered with what the packet carries there ([`env`]), and
//! where branches meet again the condition chooses between their values. Uses of a cell under different
//! conditions become one access ([`uses`]). Parsers are unrolled ([`parser`]).
//!
//! What hardware cannot do at one packet per clock, or a shell has no room for, is refused; all refusals of a
//! program are found.

pub mod env;
pub mod store;

mod checksum;
mod deparser;
mod growth;
mod half;
mod headers;
mod metas;
mod needs;
mod parser;
mod position;
mod reaching;
mod refusal;
mod stmt;
mod trim;
mod uses;
mod value;

pub use deparser::{DeparserPlan, Emission, plan};
pub use growth::loop_growth;
pub(crate) use metas::walk;
pub use needs::{kept_slots, message_slots, shell_for};
pub use refusal::Refusal;
pub use uses::cell_name;

use crate::flow::{Cycle, Flow, Maker, Slot, Value, balance, order};
use metas::Metas;
use position::Position;
use restage_manifest::ShellConfig;
use restage_program::check::Checked;
use restage_program::loc::Loc;
use restage_program::program::{FieldDecl, Program};
use restage_program::random::Sites;
use restage_program::{Bits, Type};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A program as values.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lowered {
    /// The parser. It writes every slot that is read later; shell fields and kept metadata that it does not
    /// write stay as they came.
    pub parser: Flow,
    /// Verification of checksums, then ingress.
    pub ingress: Flow,
    /// Egress, then checksums updated.
    pub egress: Flow,
    /// The same checksums, when packets are cloned in egress: the clone carries the headers as they were
    /// before. Then `egress` does not update them.
    pub update: Option<Flow>,
    /// What is sent.
    pub deparser: DeparserPlan,
}

impl Lowered {
    /// All flows in the order in which a packet meets them.
    pub fn flows(&self) -> impl Iterator<Item = &Flow> {
        [&self.parser, &self.ingress, &self.egress].into_iter().chain(&self.update)
    }
}

/// What is known to hold a constant where a flow begins.
type Known = BTreeMap<Slot, (Type, Bits)>;

/// Lowers a program for a shell.
pub fn lower(program: &Checked, config: &ShellConfig) -> Result<Lowered, Vec<Refusal>> {
    let mut refusals: Vec<Refusal> =
        program.beyond_line_rate().into_iter().map(Refusal::from).collect();
    refusals.extend(needs::missing(program, config));
    let metas = Metas::new(program);
    let mut known = Known::new();
    let parser = Lower::new(program, config, &metas).run("parser", &mut refusals, |l| l.parser());
    metas::note_constants(&parser, &mut known);
    let lower = Lower::new(program, config, &metas);
    let ingress = lower.run("ingress", &mut refusals, |l| l.ingress(&known));
    metas::note_constants(&ingress, &mut known);
    if metas.egress_clones {
        // Its packets come from its own end as well.
        known.clear();
    }
    let lower = Lower::new(program, config, &metas);
    let egress = lower.run("egress", &mut refusals, |l| l.egress(&known, !metas.egress_clones));
    let update = (metas.egress_clones && !program.update.is_empty()).then(|| {
        let lower = Lower::new(program, config, &metas);
        lower.run("update", &mut refusals, |l| l.update(&Known::new()))
    });
    refusals.extend(uses::in_both(program, [&parser, &ingress, &egress]));
    let deparser = plan(program);
    if deparser.most_bytes > config.window_bytes {
        refusals.push(Refusal::new(
            "the deparser",
            format!("sends up to {} bytes of headers", deparser.most_bytes),
            format!("the window of {} bytes is accepted", config.window_bytes),
        ));
    }
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let mut lowered = Lowered { parser, ingress, egress, update, deparser };
    trim::trim(program, &metas, &mut lowered);
    let Lowered { parser, ingress, egress, update, .. } = &mut lowered;
    for flow in [parser, ingress, egress].into_iter().chain(update) {
        *flow = balance(program, flow);
    }
    Ok(lowered)
}

/// One flow under construction.
struct Lower<'p> {
    program: &'p Program,
    sites: Sites<'p>,
    config: &'p ShellConfig,
    metas: &'p Metas,
    make: Maker<'p>,
    /// Parameters of the action whose body is lowered.
    params: Vec<Value>,
    param_decls: Vec<FieldDecl>,
    uses: uses::Uses,
    /// The statement that is lowered.
    place: Loc,
    refusals: Vec<Refusal>,
}

impl<'p> Lower<'p> {
    fn new(program: &'p Program, config: &'p ShellConfig, metas: &'p Metas) -> Self {
        Lower {
            program,
            sites: Sites::of(program),
            config,
            metas,
            make: Maker::new(program),
            params: Vec::new(),
            param_decls: Vec::new(),
            uses: uses::Uses::default(),
            place: Loc::default(),
            refusals: Vec::new(),
        }
    }

    fn run(
        mut self,
        name: &str,
        refusals: &mut Vec<Refusal>,
        body: impl FnOnce(&mut Self) -> Vec<(Slot, Value)>,
    ) -> Flow {
        let outputs = body(&mut self);
        self.fill_uses();
        refusals.append(&mut self.refusals);
        let flow = self.make.finish(name, outputs);
        match order(&flow) {
            Ok(flow) => flow,
            Err(Cycle(accesses)) => {
                let mut cells: Vec<_> =
                    accesses.iter().filter_map(|a| self.uses.cell_of(*a)).collect();
                cells.dedup();
                let names: Vec<String> =
                    cells.iter().map(|c| uses::cell_name(self.program, *c)).collect();
                let mut refusal = Refusal::new(
                    format!("{name}: {}", names.join(", ")),
                    "each is asked for what another gives, on one path or on different ones",
                    "accesses are accepted that come in the same order on all paths",
                );
                for (cell, loc) in self.uses.cells().filter(|(c, _)| cells.contains(c)) {
                    refusal = refusal.with(uses::cell_name(self.program, cell), &loc);
                }
                refusals.push(refusal);
                Flow { name: name.into(), ..Flow::default() }
            }
        }
    }
}

#[cfg(test)]
mod tests;
