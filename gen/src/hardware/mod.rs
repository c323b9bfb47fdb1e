//! A program as hardware: placed, built, with its manifest.

pub mod map;
pub mod part;
pub mod picture;
mod words;

use restage_compile::change::units;
use restage_compile::flow::{Flow, Slot};
use restage_compile::lower::{self, Refusal};
use restage_compile::place::{Cost as Capacity, Placement, place};
use restage_manifest::cell::Cells;
use restage_manifest::{
    ConfigError, Cost, FORMAT, Half, Manifest, NamedBits, Region, ShellConfig, socket::RegionKind,
};
use restage_program::Checked;
use restage_rtl::cells::Wish;
use restage_rtl::region::{self, BuildError, Plan};
use restage_rtl::shell::{self, Static};
use restage_rtl::{Circuit, ModuleInterface, NetFault, net::Resources};

/// A placed program with its circuits.
#[derive(Clone, Debug)]
pub struct Hardware {
    /// What is where: by it a later version is placed.
    pub placement: Placement,
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
    /// The part file is wrong.
    #[error("{0}")]
    Part(serde_json::Error),
    /// A region takes longer than its guard can wait.
    #[error(
        "region `{region}` takes {latency} clocks; a shell with `max_latency` of {} is accepted",
        .latency.next_power_of_two()
    )]
    Latency {
        /// Its module.
        region: String,
        /// Clocks from input to output.
        latency: u32,
    },
    /// There are more stages than regions, or no place for the parser.
    #[error("the shell has too few regions; one with more is accepted")]
    Regions,
    /// The shell cannot be built.
    #[error("the shell: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Shell(Vec<NetFault>),
}

/// The longest latency that a guard can be built for.
const LONGEST: u32 = 512;

/// PHVs that are tried, one after the other, when the program's slots do not fit.
const PHV_BITS: [u32; 4] = [1024, 2048, 4096, 8192];

/// What a program is compiled for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Target<'a> {
    /// Sizes of the shell; otherwise the smallest usual PHV in which the program fits.
    pub like: Option<&'a ShellConfig>,
    /// Regions of the shell; otherwise as many as are used.
    pub regions: Option<u32>,
    /// What a region offers; otherwise what the default part does.
    pub region: Option<Capacity>,
    /// What runs: its shell is taken, and what did not change stays in its region and at its bits.
    pub old: Option<(&'a Placement, &'a Manifest)>,
}

/// Compiles a program for the smallest shell of the default part that has what it needs.
pub fn build(program: &Checked) -> Result<Hardware, HardwareError> {
    build_with(program, &Target::default())
}

/// Compiles a program.
pub fn build_with(program: &Checked, target: &Target<'_>) -> Result<Hardware, HardwareError> {
    if let Some((old, running)) = target.old {
        return circuits(program, placed(program, &old.config, target)?, Some(running));
    }
    if let Some(like) = target.like {
        return build_like(program, like, target);
    }
    let mut last = None;
    for phv_bits in PHV_BITS {
        // What is not changed while it runs needs one parser, and its state stays where it is.
        let usual = ShellConfig { phv_bits, ..ShellConfig::default() };
        let like = match target.regions {
            Some(_) => usual,
            None => ShellConfig { slots: 1, lane_words: 0, ..usual },
        };
        match build_like(program, &like, target) {
            Err(HardwareError::Refused(refusals)) => last = Some(refusals),
            other => return other,
        }
    }
    Err(HardwareError::Refused(last.unwrap_or_default()))
}

/// Compiles a program for a shell as it is, which may have more than the program asks for.
pub fn build_for(program: &Checked, config: &ShellConfig) -> Result<Hardware, HardwareError> {
    circuits(program, placed(program, config, &Target::default())?, None)
}

/// With the sizes of a shell. Unless their number is given, regions are left out where they stay empty.
fn build_like(
    program: &Checked,
    like: &ShellConfig,
    target: &Target<'_>,
) -> Result<Hardware, HardwareError> {
    let mut config = lower::shell_for(program, like);
    config.regions = match target.regions {
        Some(regions) => regions,
        None => {
            let full = placed(program, &config, target)?;
            (full.ingress.len() + full.egress.len()).max(1) as u32
        }
    };
    match circuits(program, placed(program, &config, target)?, None) {
        Err(HardwareError::Latency { latency, .. }) if latency <= LONGEST => {
            config.max_latency = latency.next_power_of_two();
            circuits(program, placed(program, &config, target)?, None)
        }
        other => other,
    }
}

fn placed(
    program: &Checked,
    config: &ShellConfig,
    target: &Target<'_>,
) -> Result<Placement, HardwareError> {
    config.check().map_err(|faults| {
        let said = |fault: ConfigError| {
            let found = format!("has `{}` of {}", fault.parameter, fault.found);
            Refusal::new("the shell", found, fault.accepts)
        };
        HardwareError::Refused(faults.into_iter().map(said).collect())
    })?;
    let lowered = lower::lower(program, config).map_err(HardwareError::Refused)?;
    let region = match target.region {
        Some(region) => region,
        None => part::default_part().map_err(HardwareError::Part)?.region,
    };
    let mut estimate = region::Estimator { program, config };
    place(program, config, &lowered, region, &mut estimate, target.old.map(|old| old.0))
        .map_err(HardwareError::Refused)
}

/// Builds all circuits of a placed program.
fn circuits(
    program: &Checked,
    placement: Placement,
    running: Option<&Manifest>,
) -> Result<Hardware, HardwareError> {
    let config = &placement.config;
    let layout = |slot: Slot| placement.layout.at(slot);
    let empty = Flow::default();
    let update = placement.update.as_ref().unwrap_or(&empty);
    let mut parts: Vec<(String, RegionKind, Option<Half>, &Flow)> = Vec::new();
    parts.push(("parser".into(), RegionKind::Parser, None, &placement.parser));
    for (half, name, stages) in [
        (Half::Ingress, "ingress", &placement.ingress),
        (Half::Egress, "egress", &placement.egress),
    ] {
        for (i, stage) in stages.iter().enumerate() {
            parts.push((format!("{name}_{i}"), RegionKind::Stage, Some(half), &stage.flow));
        }
    }
    parts.push(("deparser".into(), RegionKind::Deparser, None, update));
    let make = |kind: RegionKind, flow: &Flow, plan: &Plan<'_>| match kind {
        RegionKind::Parser => region::parser(plan, flow),
        RegionKind::Deparser => region::deparser(plan, flow, &placement.deparser),
        RegionKind::Stage => region::stage(plan, flow),
    };
    // State that runs stays on its words of the lane.
    let kept = running.iter().flat_map(|old| &old.regions).flat_map(|region| &region.kept);
    let lanes: Vec<(String, u32)> =
        kept.filter_map(|kept| Some((kept.name.clone(), kept.lane?.first))).collect();
    let mut behind = 0;
    // A variant is known by what it is, whatever it is called and wherever it stands.
    let plan = Plan { name: "variant", config, program, lanes: Wish::default(), layout: &layout };
    let (mut known, mut built) = (Vec::new(), Vec::new());
    for (part, kind, _, flow) in &parts {
        let named = |e| BuildError { name: format!("{}_{part}", program.name), ..e };
        let lanes = Wish { named: &lanes, behind };
        let variant = make(*kind, flow, &Plan { lanes, ..plan }).map_err(named)?;
        let mut ends = variant.kept.iter().filter_map(|kept| kept.lane).map(|l| l.first + l.words);
        behind = ends.next_back().unwrap_or(behind);
        known.push((*kind, hash(&variant.circuit.verilog())));
        built.push(variant);
    }
    let units = units(config, &known, running).ok_or(HardwareError::Regions)?;
    let mut regions = Vec::new();
    let mut variants = Vec::new();
    let mut cells = Cells::default();
    let all = parts.into_iter().zip(known).zip(built).zip(units);
    for ((((part, kind, half, flow), (_, hash)), variant), unit) in all {
        let name = format!("{}_{part}", program.name);
        variants.push(variant.named(&name, hash));
        regions.push(Region {
            unit,
            kind,
            half,
            module: name,
            hash,
            latency: variant.latency,
            needed: variant.needed,
            writes: variant.writes,
            kept: variant.kept,
            contents: region::contents(program, flow),
            cost: cost(variant.circuit.resources()),
        });
        cells.append(variant.cells, unit);
    }
    if let Some(slow) = regions.iter().find(|r| r.latency > config.max_latency) {
        let (region, latency) = (slow.module.clone(), slow.latency);
        return Err(HardwareError::Latency { region, latency });
    }
    let fabric = shell::fabric(config).map_err(HardwareError::Shell)?;
    let units = regions.iter().map(|region: &Region| region.unit);
    let interfaces: Vec<(u32, ModuleInterface)> = units
        .zip(&variants)
        .map(|(unit, v): (_, &Circuit)| (unit, v.interface().clone()))
        .collect();
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
        loop_growth: lower::loop_growth(program, config),
        regions,
        cells,
        fields,
    };
    Ok(Hardware { placement, manifest, variants, fabric, top })
}

/// A number that no other text is likely to have: FNV-1a.
fn hash(text: &str) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64;
    let step = |h: u64, b: u8| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3);
    text.bytes().fold(start, step)
}

fn cost(found: Resources) -> Cost {
    let Resources { luts, ffs, bram18, uram, dsp } = found;
    Cost { luts, registers: ffs, bram18, uram, dsp }
}
