//! How many packets of each epoch are inside.

use crate::net::{Circuit, Drive, Module, Net, NetFault};
use restage_program::Bits;

/// Bits of the numbers.
pub(super) const IN_FLIGHT_BITS: u32 = 16;

/// What makes packets: let in, copied at the traffic point, gone to the loop port.
const MORE: [&str; 3] = ["begun", "copied", "looped"];
/// What ends them: dropped in ingress, replaced by copies, dropped behind egress, sent or gone to the loop port.
const LESS: [&str; 4] = ["forgotten", "popped", "gone", "retired"];

/// `restage_inflight`.
///
/// Contract: each event is one bit and the epoch that it counts for; all of them are as many clocks late as
/// what they tell. A packet in the loop buffer is inside. Whoever becomes another packet is counted in the
/// clock, or before the clock, in which it is counted out. `count0_o`, `count1_o`: two clocks later.
pub fn inflight() -> Result<Circuit, Vec<NetFault>> {
    let mut module = Module::new("restage_inflight");
    let m = &mut module;
    m.section("ports");
    let mut events = Vec::new();
    for (names, up) in [(&MORE[..], true), (&LESS[..], false)] {
        for name in names {
            let event = m.input(&format!("{name}_i"), 1);
            let epoch = m.input(&format!("{name}_epoch_i"), 1);
            events.push((event, epoch, up));
        }
    }
    for number in 0..2 {
        m.section(format!("epoch {number}"));
        let mut sums: [Vec<Net>; 2] = [Vec::new(), Vec::new()];
        for (event, epoch, up) in &events {
            let other = if number == 0 { m.not(*epoch) } else { *epoch };
            let counts = m.and(*event, other);
            sums[usize::from(!up)].push(m.zext(counts, 4));
        }
        let [more, less] = sums.map(|nets| {
            let zero = m.lit(4, 0);
            nets.into_iter().fold(zero, |sum, net| m.add(sum, net))
        });
        let change = m.sub(more, less);
        let change = super::kit::state(m, &format!("change{number}"), change);
        let change = m.sext(change, IN_FLIGHT_BITS);
        let count = m.reg(&format!("count{number}"), IN_FLIGHT_BITS);
        let next = m.add(count.q(), change);
        m.drive(count, next, Drive::always().reset(Bits::zero(IN_FLIGHT_BITS)));
        m.output(&format!("count{number}_o"), count.q());
    }
    module.finish()
}
