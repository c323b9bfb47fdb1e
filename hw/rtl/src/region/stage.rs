//! A stage: PHV to PHV.

use super::build::Builder;
use super::socket::assemble;
use super::{BuildError, Plan, Socket, Variant, written};
use crate::pipe::Pipe;
use restage_compile::flow::{Flow, Slot};
use restage_manifest::socket::RegionKind;

/// Builds a stage.
pub fn stage(plan: &Plan<'_>, flow: &Flow) -> Result<Variant, BuildError> {
    let mut pipe = Pipe::new(plan.name);
    let socket = Socket::new(&mut pipe, RegionKind::Stage, plan.config);
    let phv = socket.get(&mut pipe, "phv_i");
    let mut builder = Builder::new(pipe, plan, &socket, flow).with_lane();
    builder.slots(|pipe, slot: Slot| {
        let bits = (plan.layout)(slot)?;
        Some(pipe.slice(phv, bits.high(), bits.low))
    });
    builder.run();
    let outputs = builder.outputs();
    let latency = builder.latency(&outputs);
    let word = assemble(builder.pipe(), plan.config.phv_bits, &outputs, latency - 1);
    builder.finish(RegionKind::Stage, &[("phv_o", word)], latency, written(flow, plan.layout))
}
