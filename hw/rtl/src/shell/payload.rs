//! The payload buffer: every beat of every packet, from the gate until the merge is done with it.

use super::kit::state;
use super::shape::Shape;
use crate::net::{Circuit, Drive, MemStyle, Module, NetFault};
use restage_manifest::ShellConfig;
use restage_program::Bits;

/// Beats that are kept free for what is on its way from the gate, and for reads under way.
const MARGIN: u64 = 16;
/// Clocks from `read_ptr_i` to the beats.
pub(super) const READ_CLOCKS: u32 = 3;

/// `restage_payload`: a ring of beats, in two banks so that two neighbours are read at once.
///
/// Contract:
/// * `beat_valid_i` writes `beat_data_i` at `ptr_i`, which counts up by itself at the gate.
/// * `beat_o` and `next_o` are the beats at `read_ptr_i` and behind it, three clocks later.
/// * Packets are done with in the order in which they came. What is before `free_ptr_i` is free when
///   `free_i` is 1; a pointer may be ahead of the gate's, when a packet was dropped before its end came.
/// * `room_o` falls early enough for beats that are on their way.
pub fn payload(config: &ShellConfig) -> Result<Circuit, Vec<NetFault>> {
    let shape = Shape::new(config);
    let bits = shape.pointer();
    let mut module = Module::new("restage_payload");
    let m = &mut module;
    m.about(
        "restage_payload - a ring of beats, in two banks so that two neighbours are read at once",
    );

    m.section("ports");
    let write = m.input("beat_valid_i", 1);
    let data = m.input("beat_data_i", shape.beat());
    let ptr = m.input("ptr_i", bits);
    let read = m.input("read_i", 1);
    let read_ptr = m.input("read_ptr_i", bits);
    let free = m.input("free_i", 1);
    let free_ptr = m.input("free_ptr_i", bits);

    m.section("banks of even and odd beats");
    let row = shape.address() - 1;
    let write_row = m.slice(ptr, row, 1);
    let odd = m.bit(ptr, 0);
    let even = m.not(odd);
    let read_odd = m.bit(read_ptr, 0);
    let read_row = m.slice(read_ptr, row, 1);
    let up = m.zext(read_odd, row);
    let even_row = m.add(read_row, up);
    let mut banks = Vec::new();
    for (name, choice, address) in [("even", even, even_row), ("odd", odd, read_row)] {
        let memory = m.memory(name, shape.beat(), config.payload_beats / 2, MemStyle::Block);
        let enable = m.and(write, choice);
        m.write_port(memory, enable, write_row, data);
        banks.push(m.read_port(memory, read, address, 2));
    }
    let swap = m.delay(read_odd, 2);
    let first = m.mux(swap, banks[1], banks[0]);
    let second = m.mux(swap, banks[0], banks[1]);
    for (name, net) in [("beat", first), ("next", second)] {
        let net = m.delay(net, READ_CLOCKS - 2);
        let net = m.named(name, net);
        m.output(&format!("{name}_o"), net);
    }

    m.section("room");
    let freed = m.reg("freed", bits);
    m.drive(freed, free_ptr, Drive::when(free).reset(Bits::zero(bits)));
    let end = m.lit(bits, u64::from(config.payload_beats) - MARGIN);
    let end = m.add(freed.q(), end);
    let room = m.sub(end, ptr);
    let room = state(m, "left", room);
    // Pointers are less than four rounds apart, so the difference is negative when its highest bit is 1.
    let sign = m.bit(room, bits - 1);
    let some = m.any(room);
    let positive = m.not(sign);
    let room = m.and(some, positive);
    let room = state(m, "room", room);
    m.output("room_o", room);
    module.finish()
}
