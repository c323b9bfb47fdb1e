//! A parser: header window to PHV.

use super::build::Builder;
use super::socket::assemble;
use super::{BuildError, Plan, Socket, Variant, written};
use crate::pipe::Pipe;
use restage_compile::flow::{Flow, Slot};
use restage_manifest::socket::{RegionKind, shell_bits};

/// Builds a parser.
pub fn parser(plan: &Plan<'_>, flow: &Flow) -> Result<Variant, BuildError> {
    let mut pipe = Pipe::new(plan.name);
    let socket = Socket::new(&mut pipe, RegionKind::Parser, plan.config);
    let window = socket.get(&mut pipe, "window_i");
    let available = socket.get(&mut pipe, "avail_i");
    let shell = socket.get(&mut pipe, "shell_i");
    let brought = shell_bits(plan.config);
    let mut builder = Builder::new(pipe, plan, &socket, flow).with_window(window);
    builder.slots(|pipe, slot: Slot| match slot {
        Slot::Available => Some(available),
        slot => {
            let bits = (plan.layout)(slot)?;
            // What the shell does not bring is 0 when parsing begins.
            Some(if bits.high() < brought {
                pipe.slice(shell, bits.high(), bits.low)
            } else {
                super::socket::zeros(pipe, bits.width)
            })
        }
    });
    builder.run();
    let outputs = builder.outputs();
    let latency = builder.latency(&outputs);
    let word = assemble(builder.pipe(), plan.config.phv_bits, &outputs, latency - 1);
    builder.finish(RegionKind::Parser, &[("phv_o", word)], latency, written(flow, plan.layout))
}
