//! A deparser: PHV to header bytes.

use super::build::Builder;
use super::emit::{emit, left};
use super::socket::zeros;
use super::{BuildError, Plan, Socket, Variant};
use crate::pipe::{Pipe, Sig};
use restage_compile::flow::{Flow, Slot, slot_type};
use restage_compile::lower::{DeparserPlan, Emission};
use restage_manifest::PhvBits;
use restage_manifest::socket::RegionKind;

/// Builds a deparser. `update` is what is still computed before headers are written: checksums, where a clone
/// must not see them.
pub fn deparser(
    plan: &Plan<'_>,
    update: &Flow,
    emissions: &DeparserPlan,
) -> Result<Variant, BuildError> {
    let mut pipe = Pipe::new(plan.name);
    let socket = Socket::new(&mut pipe, RegionKind::Deparser, plan.config);
    let phv = socket.get(&mut pipe, "phv_i");
    let window = 8 * plan.config.window_bytes;
    let mut builder = Builder::new(pipe, plan, &socket, update);
    let brought = |pipe: &mut Pipe, slot: Slot| {
        let bits = (plan.layout)(slot)?;
        Some(pipe.slice(phv, bits.high(), bits.low))
    };
    builder.slots(brought);
    builder.run();
    // By their bits: a header's field may lie in a slot that it shares with others.
    let updated: Vec<(PhvBits, Sig)> = update
        .outputs
        .iter()
        .filter_map(|(slot, value)| Some(((plan.layout)(*slot)?, builder.sig(*value))))
        .collect();
    let names = |e: &Emission| plan.program.headers[e.header].name.clone();
    let pipe = builder.pipe();
    let (bits, length) = emit(pipe, emissions, names, |pipe, slot| {
        if let Some(at) = (plan.layout)(slot)
            && let Some((all, sig)) =
                updated.iter().find(|(all, _)| all.low <= at.low && at.high() <= all.high())
        {
            return pipe.slice(*sig, at.high() - all.low, at.low - all.low);
        }
        // What has no place is never written.
        brought(pipe, slot).unwrap_or_else(|| {
            zeros(pipe, slot_type(plan.program, slot).map_or(1, |ty| ty.width()))
        })
    });
    let header = match bits {
        None => zeros(pipe, window),
        Some(bits) if pipe.width(bits) <= window => left(pipe, bits, window),
        Some(bits) => {
            // Longer than the window only where headers exclude each other.
            let width = pipe.width(bits);
            pipe.slice(bits, width - 1, width - window)
        }
    };
    let latency = builder.latency_of(&[header, length]);
    let outputs = [("header_o", header), ("length_o", length)];
    builder.finish(RegionKind::Deparser, &outputs, latency, Vec::new())
}
