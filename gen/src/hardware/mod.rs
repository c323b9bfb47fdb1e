//! A program as hardware: placed, built, with its manifest.

pub mod map;
pub mod picture;

use restage_compile::flow::{AccessKind, Flow, Slot, slot_type};
use restage_compile::lower::{self, Refusal};
use restage_manifest::cell::Cells;
use restage_manifest::{
    Cost, FORMAT, Half, Manifest, NamedBits, PhvBits, Region, ShellConfig, ShellField, address,
    socket::RegionKind,
};
use restage_program::Checked;
use restage_rtl::region::{self, BuildError, Plan, Variant};
use restage_rtl::shell::{self, Static};
use restage_rtl::{Circuit, ModuleInterface, NetFault, net::Resources};
use std::collections::BTreeMap;

/// A placed program with its circuits.
#[derive(Clone, Debug)]
pub struct Hardware {
    /// What a host must know.
    pub manifest: Manifest,
    /// The region variants, in the order of the manifest's regions.
    pub variants: Vec<Circuit>,
    /// The static part.
    pub fabric: Static,
    /// The whole.
    pub top: Circuit,
}

/// Why there is no hardware.
#[derive(Debug, thiserror::Error)]
pub enum HardwareError {
    /// The program asks for what hardware cannot do.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Refused(Vec<Refusal>),
    /// A circuit cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The shell cannot be built.
    #[error("the shell: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Shell(Vec<NetFault>),
}

/// Compiles a program for the smallest shell that has what it needs.
pub fn build(program: &Checked) -> Result<Hardware, HardwareError> {
    build_like(program, &ShellConfig::default())
}

/// As [`build`], with the sizes of another shell.
pub fn build_like(program: &Checked, like: &ShellConfig) -> Result<Hardware, HardwareError> {
    let mut config = lower::shell_for(program, like);
    config.ingress_regions = 1;
    config.egress_regions = 1;
    build_for(program, &config)
}

/// Compiles a program for a shell.
pub fn build_for(program: &Checked, config: &ShellConfig) -> Result<Hardware, HardwareError> {
    let lowered = lower::lower(program, config).map_err(HardwareError::Refused)?;
    let empty = Flow::default();
    let update = lowered.update.as_ref().unwrap_or(&empty);
    let mut config = config.clone();
    let layout = provisional(program, &mut config, &lowered);
    let place = |slot: Slot| layout.get(&slot).copied();
    let mut regions = Vec::new();
    let mut variants = Vec::new();
    let mut cells = Cells::default();
    let parts: [(&str, u32, Option<Half>, &Flow); 4] = [
        ("parser", address::PARSER, None, &lowered.parser),
        ("ingress_0", address::FIRST_STAGE, Some(Half::Ingress), &lowered.ingress),
        ("egress_0", address::FIRST_STAGE + 1, Some(Half::Egress), &lowered.egress),
        ("deparser", address::deparser(&config), None, update),
    ];
    for (part, unit, half, flow) in parts {
        let name = format!("{}_{part}", program.name);
        let plan = Plan { name: &name, unit, hash: 0, config: &config, program, layout: &place };
        let (kind, variant): (RegionKind, Variant) = match part {
            "parser" => (RegionKind::Parser, region::parser(&plan, flow)?),
            "deparser" => (RegionKind::Deparser, region::deparser(&plan, flow, &lowered.deparser)?),
            _ => (RegionKind::Stage, region::stage(&plan, flow)?),
        };
        regions.push(Region {
            unit,
            kind,
            half,
            module: name,
            hash: 0,
            latency: variant.latency,
            needed: variant.needed,
            writes: variant.writes,
            contents: contents(program, flow),
            cost: cost(variant.circuit.resources()),
        });
        cells.append(variant.cells);
        variants.push(variant.circuit);
    }
    let fabric = shell::fabric(&config).map_err(HardwareError::Shell)?;
    let interfaces: Vec<ModuleInterface> =
        variants.iter().map(|v: &Circuit| v.interface().clone()).collect();
    let top = shell::shell(&config, fabric.fabric.interface(), &interfaces)
        .map_err(HardwareError::Shell)?;
    let fields = layout
        .iter()
        .map(|(slot, bits)| NamedBits { name: format!("{slot:?}"), bits: *bits })
        .collect();
    let manifest =
        Manifest { format: FORMAT, program: program.name.clone(), config, regions, cells, fields };
    Ok(Hardware { manifest, variants, fabric, top })
}

/// What a flow accesses, in words.
fn contents(program: &Checked, flow: &Flow) -> Vec<String> {
    let name = |access: &AccessKind| match access {
        AccessKind::Table(used) => format!("table {}", program.tables[used.table].preamble.name),
        AccessKind::Register { register, .. } => {
            format!("register {}", program.registers[*register].preamble.name)
        }
        AccessKind::Counter { counter, .. } => {
            format!("counter {}", program.counters[*counter].preamble.name)
        }
        AccessKind::Meter { meter, .. } => {
            format!("meter {}", program.meters[*meter].preamble.name)
        }
        AccessKind::Map(used) => format!("map {}", program.maps[used.map].preamble.name),
        AccessKind::Random { site, .. } => format!("random {site}"),
        AccessKind::ValueSet { set, .. } => {
            format!("value set {}", program.value_sets[*set].preamble.name)
        }
    };
    flow.accesses.values().map(|access| name(&access.kind)).collect()
}

fn cost(found: Resources) -> Cost {
    let Resources { luts, ffs, bram18, uram, dsp } = found;
    Cost { luts, registers: ffs, bram18, uram, dsp }
}

/// Every slot at a place of its own.
fn provisional(
    program: &Checked,
    config: &mut ShellConfig,
    lowered: &lower::Lowered,
) -> BTreeMap<Slot, PhvBits> {
    let mut layout = BTreeMap::new();
    for field in ShellField::ALL {
        if let Some(bits) = field.at(config) {
            layout.insert(Slot::Shell(*field), bits);
        }
    }
    let mut next = config.fixed_bits();
    let mut slots: Vec<Slot> = Vec::new();
    for flow in lowered.flows() {
        slots.extend(flow.inputs().map(|(slot, _)| slot));
        slots.extend(flow.outputs.iter().map(|(slot, _)| *slot));
    }
    for slot in slots {
        if slot == Slot::Available || layout.contains_key(&slot) {
            continue;
        }
        let Some(ty) = slot_type(program, slot) else { continue };
        layout.insert(slot, PhvBits { low: next, width: ty.width() });
        next += ty.width();
    }
    config.phv_bits = config.phv_bits.max(next.next_multiple_of(512));
    layout
}
