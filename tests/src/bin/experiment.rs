//! A stateful firewall is replaced, bypassed and restored while two flows pass: what becomes of each packet and how long it takes,
//! as a table, a file with all packets, and a plot.
//!
//! Exit code 1 if a packet is not what the golden model says, or one is lost.

use anyhow::{Context, Result};
use clap::Parser;
use restage_tests::experiment::plot::{nanos, svg};
use restage_tests::experiment::{Flow, Outcome, Packet, STEPS, run};
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "Changes a firewall under traffic, and shows what that costs the packets")]
struct Args {
    /// The folder for packets and plots.
    #[arg(long, short, default_value = "build/experiment")]
    out: PathBuf,
    /// Milliseconds between two steps, with 4000 packets a second.
    #[arg(long, default_value_t = 10)]
    milliseconds: u64,
    /// Clocks between two steps at line rate.
    #[arg(long, default_value_t = 4000)]
    clocks: u64,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    std::fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string())?;
    let mut fine = true;
    let slow = args.milliseconds * 250_000;
    for (name, title, rates, clocks) in [
        ("rates", "3000 and 1000 packets a second", Some([3000, 1000]), slow),
        ("line_rate", "line rate: a packet on every clock", None, args.clocks),
    ] {
        println!("{title}; the firewall is replaced, bypassed and restored meanwhile");
        let outcome = run(rates, clocks, true, &mut progress)?;
        fine &= outcome.wrong == 0 && outcome.faults == 0;
        print!("{}", table(&outcome));
        write(&args.out, name, title, &outcome)?;
    }
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A bar on a terminal, a line each elsewhere.
fn progress(hundredths: u32, what: &str) {
    let mut out = std::io::stdout();
    let bar = "#".repeat(hundredths as usize / 4);
    // Who does not see it misses nothing else.
    let _ = match out.is_terminal() {
        true if hundredths < 100 => write!(out, "\r  [{bar:<25}] {what:<60}"),
        true => writeln!(out, "\r  [{bar:<25}] {what:<60}"),
        false => writeln!(out, "  {hundredths:3} % {what}"),
    };
    let _ = out.flush();
}

/// Latencies of packets in nanoseconds: least, median, most.
fn latencies(packets: &[&Packet]) -> Option<[u64; 3]> {
    let mut all: Vec<u64> = packets.iter().filter_map(|p| p.latency).collect();
    all.sort_unstable();
    let pick = |at: usize| all.get(at).map(|clocks| nanos(*clocks));
    Some([pick(0)?, pick(all.len() / 2)?, pick(all.len() - 1)?])
}

fn table(outcome: &Outcome) -> String {
    let mut text = String::new();
    let mut line = |part: String| {
        text += &part;
        text += "\n";
    };
    line(format!(
        "  {:<36} {:<8} {:>8} {:>8} {:>8}   {}",
        "", "flow", "packets", "passed", "dropped", "latency, least / median / most"
    ));
    let phases = outcome.steps.len() + 1;
    for phase in 0..phases {
        let name = match phase {
            0 => "before".to_string(),
            _ => STEPS[phase - 1].0.to_string(),
        };
        // While the next step is prepared, and when nothing is.
        let begun = outcome.steps.get(phase).map_or(u64::MAX, |step| step.begun);
        for (what, during) in [(name, false), ("  while the next step is prepared".into(), true)] {
            for flow in [Flow::Known, Flow::Unknown] {
                let here =
                    |p: &&Packet| p.steps == phase && p.flow == flow && (p.at >= begun) == during;
                let packets: Vec<&Packet> = outcome.packets.iter().filter(here).collect();
                if packets.is_empty() {
                    continue;
                }
                let passed = packets.iter().filter(|p| p.latency.is_some()).count();
                let latency = match latencies(&packets) {
                    Some([least, median, most]) => format!("{least} / {median} / {most} ns"),
                    None => "-".into(),
                };
                let flow = format!("{flow:?}").to_lowercase();
                line(format!(
                    "  {what:<36} {flow:<8} {:>8} {passed:>8} {:>8}   {latency}",
                    packets.len(),
                    packets.len() - passed
                ));
            }
        }
    }
    let way = |p: &&Packet| p.latency;
    let most = outcome.packets.iter().filter_map(|p| way(&p)).max().unwrap_or(0);
    for (step, (name, _)) in outcome.steps.iter().zip(STEPS) {
        let plan = &step.change.plan;
        let why: Vec<String> = plan.there.why().map(ToString::to_string).collect();
        let state = match (plan.adoption.carried.len(), plan.adoption.resumed.len()) {
            (0, 0) => String::new(),
            (0, resumed) => format!(", {resumed} kinds of state as they were"),
            (carried, _) => {
                format!(", {carried} kinds of state copied in {} clocks", step.change.copying)
            }
        };
        line(format!(
            "  {name}: {} images loaded{state}; bubble {} clocks, {} ns{}; {} old and {} new packets inside at the flip",
            plan.loaded.len(),
            plan.there.ingress + plan.there.egress,
            nanos((plan.there.ingress + plan.there.egress).into()),
            if why.is_empty() { String::new() } else { format!(" ({})", why.join(", ")) },
            step.change.flip.inside[0],
            step.change.flip.inside[1]
        ));
    }
    line(format!(
        "  {} packets, the longest took {} ns; not as the model says: {}; lost, collided, out of order: {}",
        outcome.packets.len(),
        nanos(most),
        outcome.wrong,
        outcome.faults
    ));
    text
}

fn write(folder: &Path, name: &str, title: &str, outcome: &Outcome) -> Result<()> {
    let plot = folder.join(format!("{name}.svg"));
    std::fs::write(&plot, svg(outcome, title)).with_context(|| plot.display().to_string())?;
    let packets = folder.join(format!("{name}.csv"));
    let mut text = String::from("clock,flow,steps,latency_ns\n");
    for packet in &outcome.packets {
        let flow = format!("{:?}", packet.flow).to_lowercase();
        let latency = packet.latency.map_or(String::new(), |clocks| nanos(clocks).to_string());
        // Writing to a string does not fail.
        let _ = writeln!(text, "{},{flow},{},{latency}", packet.at, packet.steps);
    }
    std::fs::write(&packets, text).with_context(|| packets.display().to_string())?;
    println!("  plot: {}; every packet: {}", plot.display(), packets.display());
    Ok(())
}
