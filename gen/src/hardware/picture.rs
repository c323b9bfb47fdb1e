//! A placed program as a picture: parser, stages and deparser from left to right, what is in each, how long it
//! takes, and which PHV bits it writes.

use super::Hardware;
use restage_manifest::socket::RegionKind;
use restage_manifest::{Half, Region, ShellConfig};
use std::fmt::Write;

const BOX: u32 = 210;
const GAP: u32 = 34;
const TOP: u32 = 84;
const LINE: u32 = 17;
/// Height of the strip that shows the PHV.
const STRIP: u32 = 26;

/// The picture as SVG.
pub fn svg(hardware: &Hardware) -> String {
    let manifest = &hardware.manifest;
    let most = manifest.regions.iter().map(|r| r.contents.len()).max().unwrap_or(0) as u32;
    let height = 118 + LINE * most;
    let count = manifest.regions.len() as u32;
    let width = GAP + count * (BOX + GAP);
    let total: u32 = manifest.regions.iter().map(|r| r.latency).sum();
    let mut out = String::new();
    let mut put = |text: String| {
        // A `String` takes everything.
        let _ = writeln!(out, "{text}");
    };
    put(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{}\" font-family=\"sans-serif\" font-size=\"13\">",
        TOP + height + 76
    ));
    put("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>".into());
    put(format!(
        "<text x=\"{GAP}\" y=\"34\" font-size=\"20\">{}</text>",
        escaped(&manifest.program)
    ));
    put(format!(
        "<text x=\"{GAP}\" y=\"58\" fill=\"#555\">{} bits of PHV, window of {} bytes; the regions take {total} clocks \
         of {} MHz. Strips: PHV bits that are written, bit 0 at the left</text>",
        manifest.config.phv_bits, manifest.config.window_bytes, manifest.config.clock_mhz
    ));
    for (i, region) in (0..).zip(&manifest.regions) {
        let x = GAP + i * (BOX + GAP);
        if i > 0 {
            let y = TOP + height / 2;
            put(format!(
                "<path d=\"M {} {y} h {} m -7 -4 l 7 4 l -7 4\" stroke=\"#333\" fill=\"none\"/>",
                x - GAP + 4,
                GAP - 8
            ));
        }
        let behind = i > 0 && manifest.regions[i as usize - 1].half == Some(Half::Ingress);
        if behind && region.half != Some(Half::Ingress) {
            let middle = x - GAP / 2;
            put(format!(
                "<line x1=\"{middle}\" y1=\"{}\" x2=\"{middle}\" y2=\"{}\" stroke=\"#c33\" stroke-dasharray=\"5 4\"/>",
                TOP - 6,
                TOP + height + 6
            ));
            put(format!(
                "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" fill=\"#c33\">traffic point</text>",
                TOP + height + 22
            ));
        }
        draw(&mut put, region, x, height, manifest.config.phv_bits);
    }
    if manifest.config.loops() {
        back(&mut put, &manifest.config, width, TOP + height);
    }
    put("</svg>".into());
    out
}

/// The way of packets that enter again.
fn back(put: &mut impl FnMut(String), config: &ShellConfig, width: u32, bottom: u32) {
    let who: Vec<&str> = [
        (config.ingress_clones, "clones of ingress"),
        (config.egress_clones, "clones of egress"),
        (config.resubmit, "resubmitted"),
        (config.recirculate, "recirculated"),
    ]
    .into_iter()
    .filter_map(|(there, name)| there.then_some(name))
    .collect();
    let (left, right) = (GAP / 2, width - GAP / 2);
    put(format!(
        "<path d=\"M {right} {} V {} H {left} V {} m -4 7 l 4 -7 l 4 7\" stroke=\"#36c\" fill=\"none\"/>",
        bottom + 4,
        bottom + 34,
        bottom + 4
    ));
    put(format!(
        "<text x=\"{GAP}\" y=\"{}\" fill=\"#36c\">loop port: {}</text>",
        bottom + 52,
        who.join(", ")
    ));
}

fn draw(put: &mut impl FnMut(String), region: &Region, x: u32, height: u32, phv_bits: u32) {
    let fill = match region.half {
        None => "#eef1f6",
        Some(Half::Ingress) => "#e8f4ea",
        Some(Half::Egress) => "#f7f0e4",
    };
    put(format!(
        "<rect x=\"{x}\" y=\"{TOP}\" width=\"{BOX}\" height=\"{height}\" rx=\"6\" fill=\"{fill}\" stroke=\"#333\"/>"
    ));
    let text = |y: u32, size: u32, text: &str| {
        format!("<text x=\"{}\" y=\"{y}\" font-size=\"{size}\">{}</text>", x + 10, escaped(text))
    };
    put(text(TOP + 22, 14, &region.module));
    put(text(TOP + 42, 12, &format!("{} clocks ({} needed)", region.latency, region.needed)));
    put(text(
        TOP + 60,
        12,
        &format!(
            "{} LUT, {} FF, {} RAM18",
            region.cost.luts, region.cost.registers, region.cost.bram18
        ),
    ));
    for (line, content) in (0..).zip(&region.contents) {
        put(text(TOP + 80 + line * LINE, 12, content));
    }
    if region.kind == RegionKind::Deparser {
        return;
    }
    // Which bits of the PHV it writes.
    let y = TOP + height - STRIP - 8;
    let inner = BOX - 20;
    put(format!(
        "<rect x=\"{}\" y=\"{y}\" width=\"{inner}\" height=\"{STRIP}\" fill=\"white\" stroke=\"#999\"/>",
        x + 10
    ));
    for bits in &region.writes {
        let scale = |bit: u32| f64::from(bit) * f64::from(inner) / f64::from(phv_bits.max(1));
        put(format!(
            "<rect x=\"{:.1}\" y=\"{y}\" width=\"{:.1}\" height=\"{STRIP}\" fill=\"#4a7fb5\"/>",
            f64::from(x + 10) + scale(bits.low),
            scale(bits.width).max(0.5)
        ));
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
