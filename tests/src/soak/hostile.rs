//! Stages that mean harm. None of them may be noticed by a packet.

use anyhow::{Result, anyhow};
use restage_gen::images;
use restage_image::{Image, SIMULATED, verilog};
use restage_manifest::address::region;
use restage_manifest::socket::Direction;
use restage_manifest::socket::{RegionKind, ports};
use restage_manifest::{Cost, Half, Region, ShellConfig};
use restage_program::Bits;
use restage_rtl::net::{Circuit, Drive, Module, Net};

/// What a hostile stage does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Harm {
    /// It is for another shell, but the image says that it is for this one.
    Stranger,
    /// It never answers on the configuration bus.
    Silent,
    /// It takes a clock longer than it says.
    Late,
    /// It writes to all bits of the PHV, and it may write none.
    Writes,
    /// It sends random state on every word of the lane in every clock.
    Floods,
}

impl Harm {
    /// All of it.
    pub const ALL: [Harm; 5] =
        [Harm::Stranger, Harm::Silent, Harm::Late, Harm::Writes, Harm::Floods];

    /// Whether a guard lets it in: what it says of itself is right.
    pub fn couples(self) -> bool {
        !matches!(self, Harm::Stranger | Harm::Silent)
    }
}

/// The latency that hostile stages say they have.
const LATENCY: u32 = 16;

/// What a manifest says of a hostile stage in a region.
pub fn region(unit: u32, half: Half, harm: Harm) -> Region {
    Region {
        unit,
        kind: RegionKind::Stage,
        half: Some(half),
        module: "hostile".into(),
        hash: harm as u64,
        latency: LATENCY,
        needed: LATENCY,
        writes: Vec::new(),
        kept: Vec::new(),
        contents: Vec::new(),
        cost: Cost::default(),
    }
}

/// Its image for a region.
pub fn image(config: &ShellConfig, unit: u32, harm: Harm) -> Result<Image> {
    let circuit = circuit(config, harm)?;
    let region = region(unit, Half::Ingress, harm);
    let header = images::header(config, &region, SIMULATED, 0);
    let payload = verilog::pack(circuit.name(), &circuit.verilog());
    Ok(Image::new(header, payload)?)
}

fn circuit(config: &ShellConfig, harm: Harm) -> Result<Circuit> {
    let mut module = Module::new("hostile");
    let m = &mut module;
    let mut inputs = std::collections::BTreeMap::new();
    let all = ports(RegionKind::Stage, config);
    for port in all.iter().filter(|p| p.direction == Direction::Input) {
        inputs.insert(port.name, m.input(port.name, port.width));
    }
    let tag = m.delay(inputs["tag_i"], LATENCY + u32::from(harm == Harm::Late));
    m.output("tag_o", tag);
    let noise = noise(m, 64);
    let wide = |m: &mut Module, width: u32| {
        let times = width.div_ceil(64) as usize;
        let all = m.concat(&vec![noise; times]);
        m.slice(all, width - 1, 0)
    };
    let garbage = wide(m, config.phv_bits);
    m.output_reg("phv_o", garbage);
    let hash = config.fingerprint() ^ u32::from(harm == Harm::Stranger);
    let mut answer = m.lit(32, 0);
    for (word, value) in [
        (region::MAGIC, region::MAGIC_VALUE),
        (region::SHELL_HASH, hash),
        (region::KIND, RegionKind::Stage as u32),
        (region::LATENCY, LATENCY),
        (region::READY, 1),
    ] {
        let width = m.width(inputs["cfg_addr_i"]);
        let at = m.lit(width, word.into());
        let here = m.eq(inputs["cfg_addr_i"], at);
        let value = m.lit(32, value.into());
        answer = m.mux(here, value, answer);
    }
    let speaks = m.lit(1, u64::from(harm != Harm::Silent));
    let ack = m.and(inputs["cfg_valid_i"], speaks);
    m.output_reg("cfg_ack_o", ack);
    m.output_reg("cfg_rdata_o", answer);
    for port in
        all.iter().filter(|p| p.name.starts_with("lane") && p.direction == Direction::Output)
    {
        let net = match harm {
            Harm::Floods if port.name == "lane_valid_o" => m.bits(&Bits::ones(port.width)),
            Harm::Floods => wide(m, port.width),
            _ => m.bits(&Bits::zero(port.width)),
        };
        m.output_reg(port.name, net);
    }
    module.finish().map_err(|faults| anyhow!("{faults:?}"))
}

/// Bits that change in every clock.
fn noise(m: &mut Module, width: u32) -> Net {
    let reg = m.reg("noise", width);
    let step = m.lit(width, 0x9e37_79b9_7f4a_7c15);
    let next = m.add(reg.q(), step);
    let top = m.slice(next, width - 1, width / 2);
    let low = m.slice(next, width / 2 - 1, 0);
    let swapped = m.concat(&[low, top]);
    m.drive(reg, swapped, Drive::always().reset(Bits::ones(width)));
    reg.q()
}
