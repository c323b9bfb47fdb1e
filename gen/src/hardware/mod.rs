//! A program as hardware: placed, built, with its manifest.

pub mod map;
pub mod part;
pub mod picture;

use restage_compile::flow::{AccessKind, Flow, Slot};
use restage_compile::lower::{self, Refusal};
use restage_compile::place::{Placement, Stage, place};
use restage_manifest::cell::Cells;
use restage_manifest::{
    Cost, FORMAT, Half, Manifest, NamedBits, Region, ShellConfig, address, socket::RegionKind,
};
use restage_program::Checked;
use restage_rtl::region::{self, BuildError, Plan, Variant};
use restage_rtl::shell::{self, Static};
use restage_rtl::{Circuit, ModuleInterface, NetFault, net::Resources};

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
    /// The part file is wrong, or contents cannot be written.
    #[error("{0}")]
    Part(serde_json::Error),
    /// The shell cannot be built.
    #[error("the shell: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Shell(Vec<NetFault>),
}

/// PHVs that are tried, one after the other, when the program's slots do not fit.
const PHV_BITS: [u32; 4] = [1024, 2048, 4096, 8192];

/// Compiles a program for the smallest shell that has what it needs.
pub fn build(program: &Checked) -> Result<Hardware, HardwareError> {
    let mut last = None;
    for phv_bits in PHV_BITS {
        let like = ShellConfig { phv_bits, ..ShellConfig::default() };
        match build_like(program, &like) {
            Err(HardwareError::Refused(refusals)) => last = Some(refusals),
            other => return other,
        }
    }
    Err(HardwareError::Refused(last.unwrap_or_default()))
}

/// As [`build`], with the sizes of another shell, whose regions are left out where they stay empty.
pub fn build_like(program: &Checked, like: &ShellConfig) -> Result<Hardware, HardwareError> {
    let config = lower::shell_for(program, like);
    let full = placed(program, &config)?;
    let used = |stages: &[Stage]| {
        let last = stages.iter().rposition(|s| !s.flow.outputs.is_empty() || !s.cells.is_empty());
        last.map_or(1, |at| at as u32 + 1)
    };
    let config = ShellConfig {
        ingress_regions: used(&full.ingress),
        egress_regions: used(&full.egress),
        ..config
    };
    build_for(program, &config)
}

fn placed(program: &Checked, config: &ShellConfig) -> Result<Placement, HardwareError> {
    let lowered = lower::lower(program, config).map_err(HardwareError::Refused)?;
    let part = part::default_part().map_err(HardwareError::Part)?;
    let mut estimate = region::Estimator { program, config };
    place(program, config, &lowered, part.region, &mut estimate, None)
        .map_err(HardwareError::Refused)
}

/// Compiles a program for a shell with these regions.
pub fn build_for(program: &Checked, config: &ShellConfig) -> Result<Hardware, HardwareError> {
    circuits(program, &placed(program, config)?)
}

/// Builds all circuits of a placed program.
pub fn circuits(program: &Checked, placement: &Placement) -> Result<Hardware, HardwareError> {
    let config = &placement.config;
    let layout = |slot: Slot| placement.layout.at(slot);
    let empty = Flow::default();
    let update = placement.update.as_ref().unwrap_or(&empty);
    let mut parts: Vec<(String, Option<Half>, &Flow)> = Vec::new();
    parts.push(("parser".into(), None, &placement.parser));
    for (half, name, stages) in [
        (Half::Ingress, "ingress", &placement.ingress),
        (Half::Egress, "egress", &placement.egress),
    ] {
        for (i, stage) in stages.iter().enumerate() {
            parts.push((format!("{name}_{i}"), Some(half), &stage.flow));
        }
    }
    parts.push(("deparser".into(), None, update));
    let mut regions = Vec::new();
    let mut variants = Vec::new();
    let mut cells = Cells::default();
    for (unit, (part, half, flow)) in (address::PARSER..).zip(parts) {
        let name = format!("{}_{part}", program.name);
        let sent = (part == "deparser").then_some(&placement.deparser);
        let hash = hash(&(config, flow, &placement.layout, &name, sent))?;
        let plan = Plan { name: &name, unit, hash, config, program, layout: &layout };
        let (kind, variant): (RegionKind, Variant) = match part.as_str() {
            "parser" => (RegionKind::Parser, region::parser(&plan, flow)?),
            "deparser" => {
                (RegionKind::Deparser, region::deparser(&plan, flow, &placement.deparser)?)
            }
            _ => (RegionKind::Stage, region::stage(&plan, flow)?),
        };
        regions.push(Region {
            unit,
            kind,
            half,
            module: name,
            hash,
            latency: variant.latency,
            needed: variant.needed,
            writes: variant.writes,
            contents: contents(program, flow),
            cost: cost(variant.circuit.resources()),
        });
        cells.append(variant.cells);
        variants.push(variant.circuit);
    }
    let fabric = shell::fabric(config).map_err(HardwareError::Shell)?;
    let interfaces: Vec<ModuleInterface> =
        variants.iter().map(|v: &Circuit| v.interface().clone()).collect();
    let top = shell::shell(config, fabric.fabric.interface(), &interfaces)
        .map_err(HardwareError::Shell)?;
    let fields = placement
        .layout
        .slots
        .iter()
        .map(|laid| NamedBits { name: laid.name.clone(), bits: laid.at })
        .collect();
    let manifest = Manifest {
        format: FORMAT,
        program: program.name.clone(),
        config: config.clone(),
        regions,
        cells,
        fields,
    };
    Ok(Hardware { manifest, variants, fabric, top })
}

/// A number that other contents do not have: FNV-1a over their serde form.
fn hash(contents: &impl serde::Serialize) -> Result<u64, HardwareError> {
    let text = serde_json::to_vec(contents).map_err(HardwareError::Part)?;
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let step = |h: u64, b: &u8| (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3);
    Ok(text.iter().fold(start, step))
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
