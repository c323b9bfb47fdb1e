//! Regions that do what the first bytes of a packet say, so that the shell can be tried without a program.
//!
//! | byte | |
//! | --- | --- |
//! | 0 | bytes that the parser consumes, but no more than there are |
//! | 1 | bytes of header that the deparser writes: those of the window |
//! | 2, 3 | `egress_spec` |
//! | 4, 5 | `mcast_grp` |
//! | 6, 7 | `truncate`, inverted |
//! | 8 | bit 0: clone in ingress, 1: resubmit, 2: digest, 3: clone in egress, 4: recirculate, 5: drop in egress |
//! | 9, 10 | session of the clone |
//! | 11 | how often the further passes ask for all this again |
//!
//! The window stands in the upper half of the PHV; the kept metadata's lowest byte counts what was asked for.
//! If metadata is kept, egress writes what it sees into bytes 12 to 15: how the copy came to be and what it kept, its replica's id,
//! that count, its port; behind that the packet's sum, if there is one.

use restage_manifest::ShellConfig;
use restage_manifest::ShellField as F;
use restage_manifest::socket::{LENGTH_BITS, RegionKind};
use restage_program::Bits;
use restage_rtl::net::{Circuit, Module, ModuleInterface, Net};
use restage_rtl::shell::region_interface;

/// What clones and further passes keep.
pub const CLONE_KEEPS: u8 = 0b11010;
pub const LOOP_KEEPS: u8 = 0b10101;

/// A region of a kind with a latency; its name says both.
pub fn stand_in(config: &ShellConfig, kind: RegionKind, egress: bool, latency: u32) -> Circuit {
    let interface = region_interface(config, kind, "any");
    let half = if egress { "egress" } else { "ingress" };
    let name = match kind {
        RegionKind::Parser => format!("stand_in_parser_{latency}"),
        RegionKind::Stage => format!("stand_in_{half}_{latency}"),
        RegionKind::Deparser => format!("stand_in_deparser_{latency}"),
    };
    let mut module = Module::new(name);
    let m = &mut module;
    let input = |m: &mut Module, name: &str| {
        let port = interface.port(name).unwrap();
        m.input(name, port.width)
    };
    common(m, &interface, latency);
    let window_bits = 8 * config.window_bytes;
    match kind {
        RegionKind::Parser => {
            let window = input(m, "window_i");
            let avail = input(m, "avail_i");
            let shell = input(m, "shell_i");
            let wanted = byte(m, window, 0);
            let wanted = m.zext(wanted, LENGTH_BITS);
            let fits = m.le(wanted, avail);
            let consumed = m.mux(fits, wanted, avail);
            let low = F::bits(config);
            let shell = m.zext(shell, config.phv_bits - window_bits);
            let all = m.concat(&[window, shell]);
            let (b2, b3) = (byte(m, window, 2), byte(m, window, 3));
            let spec = m.concat(&[b2, b3]);
            let spec = m.slice(spec, 8, 0);
            let mut phv = put(m, config, all, F::Consumed, consumed);
            phv = put(m, config, phv, F::EgressSpec, spec);
            let _ = low;
            let phv = m.delay(phv, latency);
            m.output("phv_o", phv);
        }
        RegionKind::Stage => {
            let phv = input(m, "phv_i");
            let window = m.slice(phv, config.phv_bits - 1, config.phv_bits - window_bits);
            let flags = byte(m, window, 8);
            let (b9, b10) = (byte(m, window, 9), byte(m, window, 10));
            let session = m.concat(&[b9, b10]);
            let repeat = byte(m, window, 11);
            let before = phv;
            let mut phv = phv;
            let passes = if config.keep_bits >= 8 {
                let at = F::bits(config);
                m.slice(phv, at + 7, at)
            } else {
                m.lit(8, 0)
            };
            let more = m.le(passes, repeat);
            let flag = |m: &mut Module, bit: u32| {
                let flag = m.bit(flags, bit);
                m.and(flag, more)
            };
            let (clone, looped) = if egress { (3, 4) } else { (0, 1) };
            let ask = |m: &mut Module, field: F, bit: u32| match field.at(config) {
                Some(_) => flag(m, bit),
                None => m.lit(1, 0),
            };
            let (clone, looped) = (ask(m, F::Clone, clone), ask(m, F::Loop, looped));
            phv = put(m, config, phv, F::Clone, clone);
            phv = put(m, config, phv, F::CloneSession, session);
            phv = put(m, config, phv, F::Loop, looped);
            let clones = m.lit(5, CLONE_KEEPS.into());
            let loops = m.lit(5, LOOP_KEEPS.into());
            phv = put(m, config, phv, F::CloneKeep, clones);
            phv = put(m, config, phv, F::LoopKeep, loops);
            if egress {
                let drop = flag(m, 5);
                let all = m.lit(9, 511);
                let spec = field(m, config, phv, F::EgressSpec);
                let spec = m.mux(drop, all, spec);
                phv = put(m, config, phv, F::EgressSpec, spec);
                let instance = field(m, config, phv, F::Instance);
                let kept = match F::Kept.at(config) {
                    Some(at) => m.slice(phv, at.high(), at.low),
                    None => m.lit(5, 0),
                };
                let rid = field(m, config, phv, F::EgressRid);
                let rid = m.slice(rid, 7, 0);
                let port = field(m, config, phv, F::EgressPort);
                let port = m.slice(port, 7, 0);
                let seen = m.concat(&[kept, instance, rid, passes, port]);
                let top = config.phv_bits - 8 * 16;
                if config.keep_bits > 0 {
                    phv = put_at(m, phv, top, seen);
                }
                if let Some(at) = F::PacketSum.at(config) {
                    let sum = m.slice(phv, at.high(), at.low);
                    phv = put_at(m, phv, top - at.width, sum);
                }
            } else {
                let (b4, b5) = (byte(m, window, 4), byte(m, window, 5));
                let group = m.concat(&[b4, b5]);
                phv = put(m, config, phv, F::McastGrp, group);
                let (b6, b7) = (byte(m, window, 6), byte(m, window, 7));
                let limit = m.concat(&[b6, b7]);
                let limit = m.slice(limit, 13, 0);
                let limit = m.not(limit);
                phv = put(m, config, phv, F::Truncate, limit);
                let digest = flag(m, 2);
                let digest = m.zext(digest, 4);
                phv = put(m, config, phv, F::Digest, digest);
                if config.digest_bits > 0 {
                    let low = F::bits(config) + config.keep_bits;
                    let bits = m.slice(window, window_bits - 1, window_bits - config.digest_bits);
                    phv = put_at(m, phv, low, bits);
                }
            }
            if config.keep_bits >= 8 {
                let asked = m.or(clone, looped);
                let step = m.zext(asked, 8);
                let next = m.add(passes, step);
                phv = put_at(m, phv, F::bits(config), next);
            }
            // A clone made in ingress asks for nothing there.
            let run = field(m, config, before, F::Run);
            let phv = m.mux(run, phv, before);
            let phv = m.delay(phv, latency);
            m.output("phv_o", phv);
        }
        RegionKind::Deparser => {
            let phv = input(m, "phv_i");
            let window = m.slice(phv, config.phv_bits - 1, config.phv_bits - window_bits);
            let length = byte(m, window, 1);
            let length = m.zext(length, LENGTH_BITS);
            let length = m.delay(length, latency);
            let window = m.delay(window, latency);
            m.output("header_o", window);
            m.output("length_o", length);
        }
    }
    module.finish().unwrap_or_else(|f| panic!("{f:?}"))
}

/// What all of them have: tags come back, the bus answers but for its highest address, the lane says nothing.
pub fn common(m: &mut Module, interface: &ModuleInterface, latency: u32) {
    let width = |name: &str| interface.port(name).map(|port| port.width);
    let input = |m: &mut Module, name: &str| m.input(name, width(name).unwrap());
    for name in ["valid_i", "epoch_i", "time_i", "lane_valid_i", "lane_i"] {
        width(name).map(|width| m.input(name, width));
    }
    let tag = input(m, "tag_i");
    let tag = m.delay(tag, latency);
    m.output("tag_o", tag);
    let (cfg, write, address, data) = (
        input(m, "cfg_valid_i"),
        input(m, "cfg_write_i"),
        input(m, "cfg_addr_i"),
        input(m, "cfg_wdata_i"),
    );
    let held = m.reg("held", 32);
    let set = m.and(cfg, write);
    m.drive(held, data, restage_rtl::net::Drive::when(set));
    // Never answers at the highest address.
    let silent = m.all(address);
    let loud = m.not(silent);
    let answer = m.and(cfg, loud);
    m.output_reg("cfg_ack_o", answer);
    let wide = m.zext(address, 32);
    let sum = m.add(wide, held.q());
    m.output_reg("cfg_rdata_o", sum);
    for name in ["lane_valid_o", "lane_o"] {
        if let Some(width) = width(name) {
            let nothing = m.bits(&Bits::zero(width));
            m.output(name, nothing);
        }
    }
}

/// A byte of the window.
pub fn byte(m: &mut Module, window: Net, index: u32) -> Net {
    let top = m.width(window) - 8 * index;
    m.slice(window, top - 1, top - 8)
}

pub fn field(m: &mut Module, config: &ShellConfig, phv: Net, field: F) -> Net {
    let at = field.at(config).unwrap();
    m.slice(phv, at.high(), at.low)
}

pub fn put(m: &mut Module, config: &ShellConfig, phv: Net, field: F, value: Net) -> Net {
    match field.at(config) {
        Some(at) => put_at(m, phv, at.low, value),
        None => phv,
    }
}

pub fn put_at(m: &mut Module, phv: Net, low: u32, value: Net) -> Net {
    let (width, bits) = (m.width(phv), m.width(value));
    let mut parts = Vec::new();
    if low + bits < width {
        parts.push(m.slice(phv, width - 1, low + bits));
    }
    parts.push(value);
    if low > 0 {
        parts.push(m.slice(phv, low - 1, 0));
    }
    m.concat(&parts)
}
