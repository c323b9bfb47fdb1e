//! Registers, counters and meters: arrays that the program indexes, and those of tables' entries.

use crate::error::Result;
use crate::json::Node;
use crate::objects::Objects;
use crate::p4info::Info;
use restage_program::Type;
use restage_program::program::{
    CounterDecl, DirectCounter, DirectMeter, MeterDecl, RegisterDecl, Unit,
};
use std::collections::HashMap;

/// Counters and meters of tables' entries, by the name of the table or of the array.
#[derive(Default)]
pub(crate) struct Direct {
    pub counters: HashMap<String, DirectCounter>,
    pub meters: HashMap<String, DirectMeter>,
}

/// Declares all arrays.
pub(crate) fn declare(root: &Node, objects: &mut Objects, info: &Info) -> Result<Direct> {
    let mut direct = Direct::default();
    registers(root, objects, info)?;
    for node in root.list("counter_arrays")? {
        let name = node.name("name")?;
        if node.flag("is_direct")? {
            let unit =
                info.find("direct_counters", name).and_then(|o| o.unit()).unwrap_or(Unit::Both);
            let preamble = info.preamble("direct_counters", name, node.loc());
            let table = node.name("binding")?.to_string();
            direct.counters.insert(table, DirectCounter { preamble, unit });
            continue;
        }
        let unit = info.find("counters", name).and_then(|o| o.unit()).unwrap_or(Unit::Both);
        let preamble = info.preamble("counters", name, node.loc());
        let counter = objects.program.counters.push(CounterDecl {
            preamble,
            unit,
            size: node.get("size")?.number()?,
        });
        objects.names.counters.insert(name.to_string(), counter);
    }
    for node in root.list("meter_arrays")? {
        meter(&node, objects, info, &mut direct)?;
    }
    Ok(direct)
}

fn registers(root: &Node, objects: &mut Objects, info: &Info) -> Result<()> {
    for node in root.list("register_arrays")? {
        let name = node.name("name")?;
        let width = crate::headers::width(&node.get("bitwidth")?)?;
        let signed = info.find("registers", name).is_some_and(|o| o.is_signed());
        let ty = if signed { Type::Int(width) } else { Type::Bit(width) };
        let preamble = info.preamble("registers", name, node.loc());
        let register = objects.program.registers.push(RegisterDecl {
            preamble,
            ty,
            size: node.get("size")?.number()?,
        });
        objects.names.registers.insert(name.to_string(), register);
    }
    Ok(())
}

fn meter(node: &Node, objects: &mut Objects, info: &Info, direct: &mut Direct) -> Result<()> {
    let name = node.name("name")?;
    let unit = match node.name("type")? {
        "packets" => Unit::Packets,
        "bytes" => Unit::Bytes,
        other => {
            return Err(crate::expr::read::unknown(node, other, "a meter type: packets, bytes"));
        }
    };
    if let Some(rates) = node.opt("rate_count") {
        match rates.number()? {
            2 => {}
            n => {
                return Err(
                    rates.fault(format!("a meter with {n} rates"), "2 rates and three colours")
                );
            }
        }
    }
    if node.flag("is_direct")? {
        let target = node.get("result_target")?;
        let field = objects.field(&target)?;
        let (dst, _) = objects.written(&target, field)?;
        let preamble = info.preamble("direct_meters", name, node.loc());
        direct.meters.insert(name.to_string(), DirectMeter { preamble, unit, dst });
        return Ok(());
    }
    let preamble = info.preamble("meters", name, node.loc());
    let meter = objects.program.meters.push(MeterDecl {
        preamble,
        unit,
        size: node.get("size")?.number()?,
    });
    objects.names.meters.insert(name.to_string(), meter);
    Ok(())
}
