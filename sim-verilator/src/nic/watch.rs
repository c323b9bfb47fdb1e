//! Outputs of the model that are written down whenever one of them is 1: what monitors report.

use crate::error::SimError;
use crate::model::{Library, Model, PortId};

/// Something that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchId(pub(super) usize);

/// What was seen in one clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The clock.
    pub cycle: u64,
    /// The low 64 bits of the outputs, in the order in which they were asked for.
    pub values: Vec<u64>,
}

#[derive(Debug)]
pub(super) struct Watch {
    when: PortId,
    ports: Vec<PortId>,
    pub log: Vec<Seen>,
}

impl Watch {
    pub fn new(library: &Library, when: &str, ports: &[&str]) -> Result<Self, SimError> {
        let ports = ports.iter().map(|p| library.port(p)).collect::<Result<_, _>>()?;
        Ok(Watch { when: library.port(when)?, ports, log: Vec::new() })
    }

    pub fn look(&mut self, model: &Model, cycle: u64) {
        if model.get_u64(self.when) != 0 {
            let values = self.ports.iter().map(|p| model.get_u64(*p)).collect();
            self.log.push(Seen { cycle, values });
        }
    }
}
