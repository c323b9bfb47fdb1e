//! What a variant is, for those who read its Verilog: the comment at its top, and names of fields.

use super::Plan;
use super::values::identifier;
use restage_compile::flow::{AccessKind, Flow, Slot};
use restage_manifest::PhvBits;
use restage_manifest::socket::RegionKind;
use restage_program::program::Program;

/// The comment at the top of a variant.
pub(super) fn about(
    plan: &Plan<'_>,
    kind: RegionKind,
    flow: &Flow,
    latency: u32,
    needed: u32,
) -> String {
    let what = match kind {
        RegionKind::Parser => "Parser: header window to PHV",
        RegionKind::Stage => "Stage: PHV to PHV",
        RegionKind::Deparser => "Deparser: PHV to header bytes",
    };
    // Nothing here may depend on the program's name: what stays when a program changes is known by its text.
    let mut text = format!(
        "{} - {what}\nRegion variant made by restage. Change the program, not this file.\n\n",
        plan.name
    );
    text += &format!(
        "One packet per clock; what enters with valid_i leaves {latency} clocks later ({needed} would do).\n"
    );
    text += "cfg_*: words of registers.md, one request at a time, answered by a pulse of cfg_ack_o. lane_*: state that moves.\n";
    let cells = contents(plan.program, flow);
    if !cells.is_empty() {
        text += &format!("Cells: {}\n", cells.join(", "));
    }
    if kind != RegionKind::Parser {
        text += &places("phv_i, what it reads", flow.inputs().map(|(slot, _)| slot), plan);
    }
    if kind != RegionKind::Deparser {
        let title = "phv_o, what it writes (all other bits are 0, the shell keeps what they were)";
        text += &places(title, flow.outputs.iter().map(|(slot, _)| *slot), plan);
    }
    text
}

/// What a flow accesses, in words.
pub fn contents(program: &Program, flow: &Flow) -> Vec<String> {
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

/// A list of slots and where they lie.
fn places(title: &str, slots: impl Iterator<Item = Slot>, plan: &Plan<'_>) -> String {
    let mut list: Vec<(PhvBits, Slot)> =
        slots.filter_map(|slot| Some(((plan.layout)(slot)?, slot))).collect();
    if list.is_empty() {
        return String::new();
    }
    list.sort();
    let line = |(bits, slot): &(PhvBits, Slot)| {
        format!("  [{:>4}:{:>4}]  {}\n", bits.high(), bits.low, slot.name(plan.program))
    };
    let lines: String = list.iter().map(line).collect();
    format!("\n{title}:\n{lines}")
}

/// What a slot is called in the Verilog.
pub(super) fn name(plan: &Plan<'_>, slot: Slot) -> String {
    let text = match slot {
        Slot::Shell(field) => {
            let mut words = String::from("shell");
            for c in format!("{field:?}").chars() {
                if c.is_ascii_uppercase() {
                    words.push('_');
                }
                words.push(c.to_ascii_lowercase());
            }
            words
        }
        slot => slot.name(plan.program),
    };
    identifier(&text)
}
