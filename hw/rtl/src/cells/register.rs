//! Registers and counters.

use super::Site;
use super::config::{Config, Ports};
use super::rmw::{Class, Rmw, rmw, rmw_together};
use crate::pipe::{Pipe, Sig};
use restage_manifest::cell::{CounterShape, Part, Parts, RegisterShape};
use restage_program::program::Unit;

/// An array of registers; gives the old content, 0 when the index, of any width, is out of range.
///
/// `update` says whether the register is written and with what. It is given the old content and the operands
/// (everything else that it needs, the guard too), all in one clock, and must stay in that clock.
pub fn register(
    p: &mut Pipe,
    config: &mut Config,
    shape: &RegisterShape,
    site: Site<'_>,
    index: Sig,
    operands: &[Sig],
    update: impl FnOnce(&mut Pipe, Sig, &[Sig]) -> (Sig, Sig),
) -> (Sig, Ports) {
    p.section(format!("register {}", site.name));
    let ports = config.cell(&shape.parts());
    let part = Part::Content;
    let what = format!("register {}", site.name);
    let class = if shape.signed { Class::Signed } else { Class::Register };
    let (name, ports_of) = (site.name, &ports);
    let cell = Rmw { name, what: &what, ports: ports_of, part, packet: site.packet, index, class };
    let old = rmw(p, config, &cell, operands, update);
    (old, ports)
}

/// An array of registers among those that are updated together.
#[derive(Clone, Debug)]
pub struct RegisterIn<'a> {
    /// Its shape.
    pub shape: RegisterShape,
    /// Its place.
    pub site: Site<'a>,
    /// What is done to it, for messages.
    pub what: &'a str,
    /// Which of it, of any width.
    pub index: Sig,
}

/// Arrays of registers that are read together and updated together, each from the old contents of all.
pub fn registers(
    p: &mut Pipe,
    config: &mut Config,
    arrays: &[RegisterIn<'_>],
    operands: &[Sig],
    update: impl FnOnce(&mut Pipe, &[Sig], &[Sig]) -> Vec<(Sig, Sig)>,
) -> (Vec<Sig>, Vec<Ports>) {
    let names: Vec<&str> = arrays.iter().map(|a| a.site.name).collect();
    p.section(format!("registers {}", names.join(", ")));
    let ports: Vec<Ports> = arrays.iter().map(|a| config.cell(&a.shape.parts())).collect();
    let cells: Vec<Rmw<'_>> = arrays
        .iter()
        .zip(&ports)
        .map(|(array, ports)| Rmw {
            name: array.site.name,
            what: array.what,
            ports,
            part: Part::Content,
            packet: array.site.packet,
            index: array.index,
            class: if array.shape.signed { Class::Signed } else { Class::Register },
        })
        .collect();
    let old = rmw_together(p, config, &cells, operands, update);
    (old, ports)
}

/// An array of counters. `guard` says whether to count, `length` the bytes.
pub fn counter(
    p: &mut Pipe,
    config: &mut Config,
    shape: &CounterShape,
    site: Site<'_>,
    guard: Sig,
    index: Sig,
    length: Sig,
) -> Ports {
    p.section(format!("counter {}", site.name));
    let ports = config.cell(&shape.parts());
    let part = Part::Count;
    let what = format!("counter {}", site.name);
    let class = Class::Counter(shape.unit);
    let (name, ports_of) = (site.name, &ports);
    let cell = Rmw { name, what: &what, ports: ports_of, part, packet: site.packet, index, class };
    count(p, config, &cell, shape.unit, guard, length);
    ports
}

/// Counts in a memory.
pub(super) fn count(
    p: &mut Pipe,
    config: &mut Config,
    cell: &Rmw<'_>,
    unit: Unit,
    guard: Sig,
    length: Sig,
) {
    let one = p.lit(64, 1);
    let bytes = p.resize(length, 64);
    rmw(p, config, cell, &[guard, bytes], |p, old, rest| {
        let (guard, bytes) = (rest[0], rest[1]);
        let new = match unit {
            Unit::Packets => p.add(old, one),
            Unit::Bytes => p.add(old, bytes),
            Unit::Both => {
                let (packets, sum) = (p.slice(old, 63, 0), p.slice(old, 127, 64));
                let packets = p.add(packets, one);
                let sum = p.add(sum, bytes);
                p.concat(&[sum, packets])
            }
        };
        (guard, new)
    });
}
