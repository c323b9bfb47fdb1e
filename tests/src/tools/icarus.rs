//! A second simulator: Icarus Verilog is given what a verilated model was given, and must give the same.
//!
//! Icarus knows bits that nobody has set (`x`), where the verilated model has random ones. Those are not
//! compared but counted.

use super::recording::Recording;
use super::{Design, Scratch, ToolError};
use restage_program::Bits;
use std::fmt::Write as _;

/// What both simulators agreed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Clocks that were compared.
    pub clocks: usize,
    /// Bits that were equal.
    pub equal: u64,
    /// Bits that Icarus does not know.
    pub unknown: u64,
}

/// The most outputs that are named when they differ.
const NAMED: usize = 10;

/// Plays a recording to Icarus.
pub fn icarus(design: &Design, recording: &Recording) -> Result<Agreement, ToolError> {
    let scratch = Scratch::new(design)?;
    scratch.write("restage_bench.v", &bench(design, recording))?;
    scratch.write("given.txt", &vectors(recording))?;
    let args = ["-g2005", "-Wall", "-o", "bench", "-s", "restage_bench", "restage_bench.v"];
    scratch.run(design, "iverilog", "iverilog", args.into_iter().chain(design.names()))?;
    scratch.run(design, "vvp", "iverilog", ["-n", "bench"])?;
    compare(design, recording, &scratch.read("got.txt")?)
}

/// Reads all inputs of a clock as one number, makes an edge, and writes all outputs as another.
fn bench(design: &Design, recording: &Recording) -> String {
    let width = |ports: &[restage_sim_verilator::Port]| ports.iter().map(|p| p.width).sum::<u32>();
    // A module may have no inputs; a register of no bits may not be.
    let (inputs, outputs) = (width(&recording.inputs).max(1), width(&recording.outputs).max(1));
    let mut connections: Vec<String> =
        recording.clocked.then(|| ".clk_i(clk)".to_string()).into_iter().collect();
    for (ports, bus) in [(&recording.inputs, "given"), (&recording.outputs, "got")] {
        let mut low = 0;
        for port in ports {
            let high = low + port.width - 1;
            connections.push(format!(".{}({bus}[{high}:{low}])", port.name));
            low += port.width;
        }
    }
    format!(
        "`timescale 1ns/1ns
module restage_bench;
    reg clk;
    reg [{}:0] given;
    wire [{}:0] got;
    integer from, to, found;
    {} dut ({});
    initial begin
        clk = 0;
        from = $fopen(\"given.txt\", \"r\");
        to = $fopen(\"got.txt\", \"w\");
        found = $fscanf(from, \"%b\", given);
        while (found == 1) begin
            #1 clk = 1;
            #1 $fdisplay(to, \"%b\", got);
            clk = 0;
            found = $fscanf(from, \"%b\", given);
        end
        $fclose(to);
        $finish;
    end
endmodule
",
        inputs - 1,
        outputs - 1,
        design.top,
        connections.join(", ")
    )
}

/// The inputs of every clock, the first port in the lowest bits.
fn vectors(recording: &Recording) -> String {
    let mut text = String::new();
    for values in &recording.given {
        for value in values.iter().rev() {
            text.extend(bits_of(value));
        }
        if values.is_empty() {
            text.push('0');
        }
        text.push('\n');
    }
    text
}

fn bits_of(value: &Bits) -> impl Iterator<Item = char> {
    (0..value.width()).rev().map(|i| if value.bit(i) { '1' } else { '0' })
}

fn compare(design: &Design, recording: &Recording, got: &str) -> Result<Agreement, ToolError> {
    let lines: Vec<&str> = got.lines().collect();
    if lines.len() != recording.got.len() {
        let what = format!("{} clocks instead of {}", lines.len(), recording.got.len());
        return Err(ToolError::Output { tool: "vvp", top: design.top.clone(), what });
    }
    let place = |name: &str| recording.outputs.iter().position(|p| p.name == name);
    let guards: Vec<Option<usize>> = recording
        .outputs
        .iter()
        .map(|p| recording.only_while.get(&p.name).and_then(|w| place(w)))
        .collect();
    let mut agreement = Agreement::default();
    let mut differences = String::new();
    let mut count = 0;
    for (clock, (line, want)) in lines.iter().zip(&recording.got).enumerate().skip(recording.skip) {
        agreement.clocks += 1;
        let mut end = line.len();
        for ((port, value), guard) in recording.outputs.iter().zip(want).zip(&guards) {
            let start = end.saturating_sub(port.width as usize);
            let other = line.get(start..end).unwrap_or_default();
            end = start;
            if guard.is_some_and(|g| want[g].is_zero()) {
                continue;
            }
            let mut differs = other.len() != port.width as usize;
            for (a, b) in other.chars().zip(bits_of(value)) {
                match a {
                    'x' | 'z' => agreement.unknown += 1,
                    _ if a == b => agreement.equal += 1,
                    _ => differs = true,
                }
            }
            if differs {
                count += 1;
                if count <= NAMED {
                    let own: String = bits_of(value).collect();
                    let _ = writeln!(
                        differences,
                        "clock {clock}, {}: Verilator {own}, Icarus {other}",
                        port.name
                    );
                }
            }
        }
    }
    if count == 0 {
        return Ok(agreement);
    }
    let text = format!("{count} outputs differ\n{differences}");
    Err(ToolError::Refused {
        tool: "comparing Verilator and Icarus",
        top: design.top.clone(),
        text,
    })
}
