//! Verilog made executable: Verilator and the machine's C++ compiler turn it into a shared object that is
//! cached by its content and loaded into this process.
//!
//! * [`Build`] says what to build; [`Build::build`] gives a [`Library`], from the [`Cache`] if it is there.
//! * [`Library::instance`] makes a [`Model`]: ports by name, one clock, registers and memories that start
//!   with random contents from a seed.
//! * [`Fabric`] couples several models by their registered boundaries.
//! * [`Fpga`] is a part whose regions are loaded with images, word by word, while it runs.
//! * [`Nic`] is a card on the bench: packets in and out at full rate, registers, monitors.
//!
//! ```no_run
//! use restage_sim_verilator::{Build, Cache};
//! let verilog = "module add(input [7:0] a_i, input [7:0] b_i, output [7:0] sum_o);
//!     assign sum_o = a_i + b_i;
//! endmodule";
//! let library = Build::new("add").source("add.v", verilog).build(&Cache::standard())?;
//! let mut model = library.instance(1)?;
//! let (a, b, sum) = (model.port("a_i")?, model.port("b_i")?, model.port("sum_o")?);
//! model.set_u64(a, 250);
//! model.set_u64(b, 10);
//! model.eval();
//! assert_eq!(model.get_u64(sum), 4);
//! # Ok::<(), restage_sim_verilator::SimError>(())
//! ```
//!
//! Not here: making Verilog, and judging what comes out.

mod cache;
mod compile;
mod error;
mod fabric;
mod foreign;
mod fpga;
mod instead;
mod model;
mod nic;
mod shim;
mod tools;

pub use cache::Cache;
pub use compile::{Build, Trace};
pub use error::SimError;
pub use fabric::{Fabric, PartId};
pub use fpga::{Fpga, PartOptions, library};
pub use model::{Library, Model, Port, PortId, Tape};
pub use nic::{BenchOptions, Device, Line, Nic, Received, Seen, Sent, WatchId};

#[cfg(target_endian = "big")]
compile_error!("ports are read as little-endian memory");
