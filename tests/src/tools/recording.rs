//! What a verilated model was given clock by clock and what it gave, to be played to another simulator.

use restage_program::Bits;
use restage_sim_verilator::{Model, Port, PortId};
use std::collections::HashMap;

/// Values of all ports in every clock.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Whether there is a clock, `clk_i`.
    pub clocked: bool,
    /// The inputs without the clock.
    pub inputs: Vec<Port>,
    /// The outputs.
    pub outputs: Vec<Port>,
    /// What the inputs were before each edge.
    pub given: Vec<Vec<Bits>>,
    /// What the outputs were behind it, with the same inputs.
    pub got: Vec<Vec<Bits>>,
    /// Outputs that mean something only while another is not 0.
    pub only_while: HashMap<String, String>,
    /// Clocks at the beginning whose outputs are not compared.
    pub skip: usize,
}

/// Records a model.
#[derive(Debug)]
pub struct Recorder {
    inputs: Vec<PortId>,
    outputs: Vec<PortId>,
    recording: Recording,
}

impl Recorder {
    /// Of a model that has the clock `clk_i`, or none.
    pub fn new(model: &Model) -> Self {
        let mut recorder =
            Recorder { inputs: Vec::new(), outputs: Vec::new(), recording: Recording::default() };
        for port in model.library().ports() {
            let Ok(id) = model.port(&port.name) else { continue };
            if port.output {
                recorder.outputs.push(id);
                recorder.recording.outputs.push(port.clone());
            } else if port.name == "clk_i" {
                recorder.recording.clocked = true;
            } else {
                recorder.inputs.push(id);
                recorder.recording.inputs.push(port.clone());
            }
        }
        recorder
    }

    /// Makes a clock of the model and writes it down.
    pub fn tick(&mut self, model: &mut Model) {
        let values =
            |model: &Model, ports: &[PortId]| ports.iter().map(|p| model.get(*p)).collect();
        self.recording.given.push(values(model, &self.inputs));
        model.tick();
        self.recording.got.push(values(model, &self.outputs));
    }

    /// What has been recorded.
    pub fn finish(self) -> Recording {
        self.recording
    }
}

impl Recording {
    /// An output is compared only in clocks in which another is not 0.
    pub fn only_while(mut self, output: &str, when: &str) -> Self {
        self.only_while.insert(output.to_string(), when.to_string());
        self
    }

    /// Leaves out the first clocks, in which what is not reset still comes out.
    pub fn skip(mut self, clocks: usize) -> Self {
        self.skip = clocks;
        self
    }
}
