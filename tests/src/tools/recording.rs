//! What a verilated model was given clock by clock and what it gave, to be played to another simulator.

use restage_program::Bits;
use restage_sim_verilator::{Model, Port};
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

impl Recording {
    /// What has been [recorded](Model::record) of a model that has the clock `clk_i`, or none.
    pub fn of(model: &mut Model) -> Self {
        let tape = model.recorded().unwrap_or_default();
        let mut recording = Recording { given: tape.given, got: tape.got, ..Recording::default() };
        for port in model.library().ports() {
            if port.name == "clk_i" {
                recording.clocked = true;
            } else if port.output {
                recording.outputs.push(port.clone());
            } else {
                recording.inputs.push(port.clone());
            }
        }
        recording
    }

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
