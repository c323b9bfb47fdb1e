//! Several models coupled by their registered boundaries: the simulated FPGA with a model per region.
//!
//! One clock of the whole is: copy every boundary, then tick every model. That is exact because every
//! signal that crosses a boundary comes from a register; a combinational path from one model into another
//! would be a clock late, which the circuit builder rules out.

use crate::error::SimError;
use crate::foreign::Wires;
use crate::model::Model;

/// A model's place in a fabric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartId(usize);

#[derive(Clone, Debug)]
struct Link {
    from: (PartId, String),
    to: (PartId, String),
}

/// Models and what couples them.
#[derive(Debug, Default)]
pub struct Fabric {
    models: Vec<Model>,
    /// Whether each model's clock runs.
    runs: Vec<bool>,
    links: Vec<Link>,
    wires: Wires,
}

impl Fabric {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a model.
    pub fn add(&mut self, model: Model) -> Result<PartId, SimError> {
        self.models.push(model);
        self.runs.push(true);
        self.rebuild()?;
        Ok(PartId(self.models.len() - 1))
    }

    /// Couples an output to an input: `connect(shell, "r0_phv_o", region, "phv_i")`.
    pub fn connect(
        &mut self,
        from: PartId,
        output: &str,
        to: PartId,
        input: &str,
    ) -> Result<(), SimError> {
        self.links.push(Link { from: (from, output.to_string()), to: (to, input.to_string()) });
        self.rebuild().inspect_err(|_| {
            self.links.pop();
        })
    }

    /// Puts another model in a place and gives back the one that was there. It must have the ports that are
    /// coupled; if it has not, all stays as it was.
    pub fn replace(&mut self, part: PartId, model: Model) -> Result<Model, SimError> {
        let old = std::mem::replace(&mut self.models[part.0], model);
        match self.rebuild() {
            Ok(()) => Ok(old),
            Err(error) => {
                self.models[part.0] = old;
                self.rebuild()?;
                Err(error)
            }
        }
    }

    /// Takes away what couples a model. Inputs stay as they are; the model's place stays taken.
    pub fn disconnect(&mut self, part: PartId) -> Result<(), SimError> {
        self.links.retain(|link| link.from.0 != part && link.to.0 != part);
        self.rebuild()
    }

    /// Lets a model's clock stand, or run.
    pub fn set_clock(&mut self, part: PartId, runs: bool) {
        self.runs[part.0] = runs;
    }

    /// All places, in the order in which they were added.
    pub fn parts(&self) -> impl Iterator<Item = PartId> + use<> {
        (0..self.models.len()).map(PartId)
    }

    /// A model, to read its ports.
    pub fn model(&self, part: PartId) -> &Model {
        &self.models[part.0]
    }

    /// A model, to set its ports.
    pub fn model_mut(&mut self, part: PartId) -> &mut Model {
        &mut self.models[part.0]
    }

    /// One clock of the whole.
    pub fn tick(&mut self) -> Result<(), SimError> {
        if !self.wires.copy(self.models.iter_mut().map(Model::instance_mut)) {
            // A model was exchanged through `model_mut`.
            self.rebuild()?;
            self.wires.copy(self.models.iter_mut().map(Model::instance_mut));
        }
        for (model, _) in self.models.iter_mut().zip(&self.runs).filter(|(_, runs)| **runs) {
            model.tick();
        }
        Ok(())
    }

    /// Whether all models still run.
    pub fn check(&self) -> Result<(), SimError> {
        self.models.iter().try_for_each(Model::check)
    }

    /// Looks all couplings up.
    fn rebuild(&mut self) -> Result<(), SimError> {
        let mut list = Vec::new();
        let mut driven = std::collections::HashSet::new();
        for Link { from, to } in &self.links {
            let end = |(part, name): &(PartId, String)| {
                let model = &self.models[part.0];
                let id = model.port(name)?;
                Ok::<_, SimError>(((part.0, id.0), &model.library().all_ports()[id.0]))
            };
            let ((source, output), (destination, input)) = (end(from)?, end(to)?);
            let wrong = |why: String| {
                let name = |(part, port): &(PartId, String)| {
                    format!(
                        "`{}` of part {} (`{}`)",
                        port,
                        part.0,
                        self.models[part.0].library().name()
                    )
                };
                Err(SimError::Coupling { from: name(from), to: name(to), why })
            };
            if !output.output {
                return wrong("the first is no output".into());
            }
            if input.output {
                return wrong("the second is no input".into());
            }
            if output.width != input.width {
                return wrong(format!(
                    "it has {} bits, and {} are wanted",
                    output.width, input.width
                ));
            }
            if !driven.insert(destination) {
                return wrong("something drives it already".into());
            }
            list.push((source, destination));
        }
        let models = self.models.iter().map(Model::instance);
        // All was looked up just now, so there is nothing left that could be missing.
        self.wires = Wires::new(models, list.into_iter()).unwrap_or_default();
        Ok(())
    }
}
