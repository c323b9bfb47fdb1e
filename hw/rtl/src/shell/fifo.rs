//! A queue whose first entry is always on its output.

use super::kit::{bits_for, later};
use crate::net::{Circuit, Drive, MemStyle, Module, ModuleInterface, NetFault};
use restage_program::Bits;
use std::collections::BTreeMap;

/// `restage_fifo_WIDTHxDEPTH`.
///
/// Contract: `push_i` only when there is room (whoever pushes counts: `count_o` is the number of entries,
/// those not visible yet included); `pop_i` only when `valid_o` is 1. `data_o` comes from the memory's
/// output register. An entry is visible two clocks after it was pushed. One entry per clock in and out.
///
/// `depth` is a power of two. It does not say when it is full, and an entry that is pushed then replaces others.
pub fn fifo(width: u32, depth: u32) -> Result<Circuit, Vec<NetFault>> {
    let mut m = Module::new(name(width, depth));
    m.about(format!("A queue of {depth} words of {width} bits"));
    let (address, count) = (bits_for(depth - 1), bits_for(depth));
    m.section("ports");
    let push = m.input("push_i", 1);
    let data = m.input("data_i", width);
    let pop = m.input("pop_i", 1);

    m.section("pointers");
    let write = super::kit::counter(&mut m, "write_ptr", address, push);
    let read = m.reg("read_ptr", address);
    let step = m.zext(pop, address);
    let read_next = m.add(read.q(), step);
    let read_next = m.named("read_next", read_next);
    m.drive(read, read_next, Drive::always().reset(Bits::zero(address)));

    m.section("entries, and those of them that the memory can already show");
    let entries = super::kit::up_down(&mut m, "entries", count, push, &[pop]);
    let arrived = later(&mut m, "arrived", push, 1);
    let shown = m.reg("shown", count);
    let (up, down) = (m.zext(arrived, count), m.zext(pop, count));
    let shown_next = m.add(shown.q(), up);
    let shown_next = m.sub(shown_next, down);
    m.drive(shown, shown_next, Drive::always().reset(Bits::zero(count)));
    // A pop comes late: whether something is left is known before, with it and without.
    let without = m.any(shown.q());
    let without = m.or(without, arrived);
    let several = m.slice(shown.q(), count - 1, 1);
    let several = m.any(several);
    let one = m.bit(shown.q(), 0);
    let one_more = m.and(one, arrived);
    let with = m.or(several, one_more);
    let some = m.mux(pop, with, without);
    let valid = super::kit::state(&mut m, "valid", some);

    m.section("memory");
    let style = if depth <= 64 { MemStyle::Distributed } else { MemStyle::Block };
    let memory = m.memory("slots", width, depth, style);
    m.write_port(memory, push, write, data);
    let q = m.read_port(memory, some, read_next, 1);
    m.output("valid_o", valid);
    m.output("data_o", q);
    m.output("count_o", entries);
    m.finish()
}

/// Name of the module.
pub fn name(width: u32, depth: u32) -> String {
    format!("restage_fifo_{width}x{depth}")
}

/// The queues that a shell is made of, each made once.
#[derive(Debug, Default)]
pub struct Fifos {
    made: BTreeMap<(u32, u32), Circuit>,
}

impl Fifos {
    /// The interface of the queue of these dimensions.
    pub fn get(&mut self, width: u32, depth: u32) -> Result<ModuleInterface, Vec<NetFault>> {
        if let Some(made) = self.made.get(&(width, depth)) {
            return Ok(made.interface().clone());
        }
        let made = fifo(width, depth)?;
        let interface = made.interface().clone();
        self.made.insert((width, depth), made);
        Ok(interface)
    }

    /// All that were asked for.
    pub fn into_circuits(self) -> Vec<Circuit> {
        self.made.into_values().collect()
    }
}
