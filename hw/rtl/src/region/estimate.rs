//! What a stage costs, found out by building it.

use super::{Plan, stage};
use crate::cells::Wish;
use restage_compile::flow::{Flow, Slot};
use restage_compile::lower::Refusal;
use restage_compile::place::{Cost, Estimate};
use restage_manifest::{PhvBits, ShellConfig, ShellField};
use restage_program::program::Program;
use std::collections::BTreeMap;

/// Builds stages to see what they take.
#[derive(Debug)]
pub struct Estimator<'a> {
    /// The program whose stages they are.
    pub program: &'a Program,
    /// The shell for which they are.
    pub config: &'a ShellConfig,
}

impl Estimate for Estimator<'_> {
    fn stage(&mut self, flow: &Flow) -> Result<Cost, Refusal> {
        // Where a slot lies costs nothing, so all get a place of their own in a PHV that is wide enough.
        let mut places: BTreeMap<Slot, PhvBits> = BTreeMap::new();
        for field in ShellField::ALL {
            if let Some(bits) = field.at(self.config) {
                places.insert(Slot::Shell(*field), bits);
            }
        }
        let mut next = self.config.fixed_bits();
        let widths = flow.inputs().chain(flow.outputs.iter().copied());
        for (slot, value) in widths {
            let width = flow.ty(value).width();
            places.entry(slot).or_insert_with(|| {
                next += width;
                PhvBits { low: next - width, width }
            });
        }
        let config = ShellConfig { phv_bits: next.next_multiple_of(8), ..self.config.clone() };
        let layout = |slot: Slot| places.get(&slot).copied();
        let plan = Plan {
            name: "estimate",
            config: &config,
            program: self.program,
            lanes: Wish::default(),
            layout: &layout,
        };
        let built = stage(&plan, flow).map_err(|error| {
            let texts: Vec<String> = error.faults.iter().map(|f| f.kind.to_string()).collect();
            Refusal::new(
                format!("a stage of {}", flow.name),
                texts.join("; "),
                "updates that fit one clock are accepted".to_string(),
            )
        })?;
        let found = built.circuit.resources();
        Ok(Cost {
            luts: found.luts,
            registers: found.ffs,
            bram18: found.bram18,
            uram: found.uram,
            dsp: found.dsp,
            latency: built.latency.into(),
        })
    }
}
