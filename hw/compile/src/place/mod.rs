//! Which stage does what. Each stage takes a region; which one, is said where circuits are put together.
//!
//! ```text
//! before: ingress: table `route` (keys ipv4.dst) -> meta.nexthop -> table `nexthop` -> ..., table `acl`
//! after:  ingress 0: `route`, `acl`    ingress 1: `nexthop`, which reads meta.nexthop from the PHV
//! ```
//!
//! Accesses go to the first region of their half that comes after, or is, the one of everything they wait
//! for, and that still has room: what a region would take is asked of an [`Estimate`], since only who builds
//! circuits knows. With an old placement whatever was placed there stays in its region as long as that is
//! possible, and slots stay at their bits, so that unchanged regions come out unchanged.
//!
//! Cells that name a region (`apart`) are there and nothing else with state is.
//!
//! What does not fit is refused: the cell, the resource, how much it needs and how much there is.

mod apart;
mod assign;
mod own;
mod split;

pub use split::{Split, split};

use crate::flow::Flow;
use crate::layout::{Layout, Parts, layout};
use crate::lower::{DeparserPlan, Lowered, Refusal};
use crate::share::{Sharing, share};
use restage_manifest::ShellConfig;
use restage_program::program::Program;
use serde::{Deserialize, Serialize};

/// Version of the serde form of a [`Placement`]. A reader refuses what it does not know.
pub const FORMAT: u32 = 2;

/// What a region offers, or what a circuit takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cost {
    /// Lookup tables of six inputs.
    pub luts: u64,
    /// Registers, in bits.
    pub registers: u64,
    /// Block RAMs of 18 kbit.
    pub bram18: u64,
    /// UltraRAMs.
    pub uram: u64,
    /// Multipliers.
    pub dsp: u64,
    /// Clocks from input to output.
    pub latency: u64,
}

impl Cost {
    /// The resources by name, of two costs side by side.
    fn pairs(self, other: Cost) -> [(&'static str, u64, u64); 6] {
        [
            ("LUTs", self.luts, other.luts),
            ("registers", self.registers, other.registers),
            ("block RAMs", self.bram18, other.bram18),
            ("UltraRAMs", self.uram, other.uram),
            ("multipliers", self.dsp, other.dsp),
            ("clocks", self.latency, other.latency),
        ]
    }

    /// What it takes more of than there is: resource, needed, there.
    pub fn beyond(self, capacity: Cost) -> Option<(&'static str, u64, u64)> {
        self.pairs(capacity).into_iter().find(|(_, needed, there)| needed > there)
    }
}

/// Knows what circuits cost.
pub trait Estimate {
    /// What a stage takes, or why it cannot be built.
    fn stage(&mut self, flow: &Flow) -> Result<Cost, Refusal>;
}

/// A placed program.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// [`FORMAT`].
    pub format: u32,
    /// The program's name.
    pub program: String,
    /// The shell for which it is placed.
    pub config: ShellConfig,
    /// The parser.
    pub parser: Flow,
    /// The stages of ingress, each for a region; none is without contents.
    pub ingress: Vec<Stage>,
    /// The stages of egress.
    pub egress: Vec<Stage>,
    /// Checksums updated in front of the deparser, where that is not done in egress.
    pub update: Option<Flow>,
    /// What is sent.
    pub deparser: DeparserPlan,
    /// Where everything lies.
    pub layout: Layout,
}

/// What a region does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// All of it: inputs and outputs are slots.
    pub flow: Flow,
    /// The names of its cells.
    pub cells: Vec<String>,
    /// What it is estimated to take.
    pub cost: Cost,
}

/// Places a lowered program. `capacity` is that of each region. Headers share bits only where the program
/// does not fit otherwise.
pub fn place(
    program: &Program,
    config: &ShellConfig,
    lowered: &Lowered,
    capacity: Cost,
    estimate: &mut dyn Estimate,
    old: Option<&Placement>,
) -> Result<Placement, Vec<Refusal>> {
    let mut refusals = Vec::new();
    for (lowered, sharing) in [(lowered.clone(), Sharing::default()), share(program, lowered)] {
        let (ingress, egress) = stages(program, config, &lowered, capacity, estimate, old)?;
        let flows = |stages: &[Stage]| stages.iter().map(|s| s.flow.clone()).collect::<Vec<Flow>>();
        let parts = Parts {
            parser: &lowered.parser,
            ingress: &flows(&ingress),
            egress: &flows(&egress),
            update: lowered.update.as_ref(),
            deparser: &lowered.deparser,
            sharing: &sharing,
        };
        match layout(program, config, &parts, old.map(|o| &o.layout)) {
            Ok(layout) => {
                return Ok(Placement {
                    format: FORMAT,
                    program: program.name.clone(),
                    config: config.clone(),
                    parser: lowered.parser,
                    ingress,
                    egress,
                    update: lowered.update,
                    deparser: lowered.deparser,
                    layout,
                });
            }
            Err(refusal) => refusals = vec![refusal],
        }
    }
    Err(refusals)
}

type Stages = (Vec<Stage>, Vec<Stage>);

/// The stages of both halves.
fn stages(
    program: &Program,
    config: &ShellConfig,
    lowered: &Lowered,
    capacity: Cost,
    estimate: &mut dyn Estimate,
    old: Option<&Placement>,
) -> Result<Stages, Vec<Refusal>> {
    let all = config.regions as usize;
    let mut assign = assign::Assign::new(program, &lowered.ingress, 0..all, capacity, estimate);
    let ingress = assign.stages(old.map(|o| &o.ingress[..]).unwrap_or_default());
    let used = ingress.as_ref().map_or(0, Vec::len);
    // Temporaries of egress are numbered behind all that ingress could have.
    let others = all..2 * all - used;
    let mut assign = assign::Assign::new(program, &lowered.egress, others, capacity, estimate);
    let egress = assign.stages(old.map(|o| &o.egress[..]).unwrap_or_default());
    match (ingress, egress) {
        (Ok(ingress), Ok(egress)) => Ok((ingress, egress)),
        (a, b) => Err(a.err().into_iter().chain(b.err()).collect()),
    }
}

#[cfg(test)]
mod tests;
