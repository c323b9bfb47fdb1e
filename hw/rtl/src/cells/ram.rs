//! Memories that the host writes and packets read.

use super::config::{Config, Fixed, Ports};
use crate::net::{Drive, Reg};
use crate::pipe::{MemStyle, Pipe, Sig};
use restage_manifest::cell::{Part, PartShape, bits_for};

/// The row at `addr`.
pub(super) fn ram(
    p: &mut Pipe,
    config: &mut Config,
    ports: &Ports,
    part: Part,
    name: &str,
    addr: Sig,
) -> Sig {
    let fixed = config.fixed(p, ports, part);
    let shape = ports.shape(part);
    let addr = p.resize(addr, bits_for(shape.rows));
    let m = p.module();
    let memory = m.memory(name, shape.width, shape.rows.max(2), MemStyle::Auto);
    m.write_port(memory, fixed.enable, fixed.row, fixed.data);
    p.ram_read(memory, addr)
}

/// The row at `2 * row + epoch`.
pub(super) fn versioned(
    p: &mut Pipe,
    config: &mut Config,
    ports: &Ports,
    part: Part,
    name: &str,
    row: Sig,
    epoch: Sig,
) -> Sig {
    let addr = p.concat(&[row, epoch]);
    ram(p, config, ports, part, name, addr)
}

/// All rows at once, from registers.
pub(super) fn registers(
    p: &mut Pipe,
    config: &mut Config,
    ports: &Ports,
    part: Part,
    name: &str,
) -> Vec<Reg> {
    let Fixed { enable, row, data } = config.fixed(p, ports, part);
    let PartShape { width, rows, .. } = ports.shape(part);
    let m = p.module();
    let mut all = Vec::new();
    for at in 0..rows {
        let register = m.reg(&format!("{name}_{at}"), width);
        let number = m.lit(bits_for(rows), at.into());
        let mine = m.eq(row, number);
        let mine = m.and(mine, enable);
        m.drive(register, data, Drive::when(mine));
        all.push(register);
    }
    all
}
