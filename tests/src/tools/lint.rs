//! Verilator's lint, every warning an error.

use super::{Design, Scratch, ToolError};

/// The only warning that is waived: generated files may hold several modules, or have other names.
const WAIVED: &str = "-Wno-DECLFILENAME";

/// Says nothing, or everything that Verilator has against a design.
pub fn lint(design: &Design) -> Result<(), ToolError> {
    let scratch = Scratch::new(design)?;
    let args = ["--lint-only", "-Wall", WAIVED, "--top-module", &design.top];
    scratch.run(design, "verilator", "verilator", args.into_iter().chain(design.names()))?;
    Ok(())
}
