//! `restage-sim`: a simulated card that runs, with packets from network devices, files or a generator, and whose program is
//! changed while they flow.
//!
//! `restage-sim --program l2_switch --tap sim1=1 --tap sim2=2 --socket /tmp/card` makes two TAP devices and is the switch
//! between them. The card is simulated clock by clock, some ten thousand clocks a second, and stands still while there is nothing to do.

mod control;
mod line;

use anyhow::{Context, bail};
use clap::Parser;
use control::{Answer, Job, Order};
use line::{At, Ends};
use restage_compile::change::Wishes;
use restage_gen::hardware::{Target, build_with};
use restage_gen::source;
use restage_manifest::address::shell::Count;
use restage_program::entries_text;
use restage_sim_verilator::{BenchOptions, Device};
use restage_tests::hardware::card::{Card, CardError};
use restage_tests::hardware::live::Change;
use restage_tests::traffic::Traffic;
use serde_json::json;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::TryRecvError;
use std::time::Duration;

/// Runs a simulated card.
#[derive(Parser)]
#[command(name = "restage-sim")]
struct Args {
    /// A program of the library, restage's own JSON, or p4c's BMv2 JSON.
    #[arg(long, value_name = "NAME|FILE", default_value = "l2_switch")]
    program: String,
    /// Its entries, as simple_switch_CLI takes them; its examples by default.
    #[arg(long, value_name = "FILE")]
    entries: Option<PathBuf>,
    /// Regions for stages: what a program leaves free is for the next one.
    #[arg(long, value_name = "N", default_value_t = 6)]
    regions: u32,
    /// Makes a TAP device, the cable to a port. Needs CAP_NET_ADMIN.
    #[arg(long, value_name = "NAME=PORT", value_parser = tap)]
    tap: Vec<At<String>>,
    /// Plays a capture into a port.
    #[arg(long, value_name = "PORT=FILE", value_parser = capture)]
    pcap: Vec<At<PathBuf>>,
    /// Writes what leaves into a folder, outPORT.pcap each.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Sends packets made for the program, again and again.
    #[arg(long)]
    generator: bool,
    /// Takes requests on a Unix socket, a line of JSON each: {"op": "swap", "program": "l3_acl"}.
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Of what is random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Ends after so many clocks from when the entries are in.
    #[arg(long, value_name = "N")]
    clocks: Option<u64>,
}

fn tap(text: &str) -> Result<At<String>, String> {
    let (name, port) = text.rsplit_once('=').ok_or("NAME=PORT is wanted")?;
    Ok(At { port: number(port)?, what: name.to_string() })
}

fn capture(text: &str) -> Result<At<PathBuf>, String> {
    let (port, file) = text.split_once('=').ok_or("PORT=FILE is wanted")?;
    Ok(At { port: number(port)?, what: file.into() })
}

fn number(text: &str) -> Result<u16, String> {
    let port = u16::from_str(text).ok().filter(|port| *port < 511);
    port.ok_or(format!("`{text}` is no port; 0 to 510 are"))
}

/// Packets that the generator sends again and again.
const GENERATED: usize = 4096;
/// Clocks without a packet in or out after which nothing is inside.
const SETTLED: u64 = 4096;
/// Clocks between two looks at what is asked for.
const ROUND: u64 = 256;
/// How long the card stands still when there is nothing to do.
const NAP: Duration = Duration::from_micros(500);

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("restage-sim: {e:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    if args.tap.is_empty() && args.pcap.is_empty() && !args.generator {
        bail!("no packets would come: --tap, --pcap or --generator is wanted");
    }
    let loaded = source::load(&args.program, None)?;
    let text = match &args.entries {
        Some(path) => source::read(path)?,
        None => loaded.entries.unwrap_or_default().to_string(),
    };
    let writes = entries_text::parse(&loaded.program, &text)?;
    let generated = match args.generator {
        true => Traffic::new(&loaded.program, &writes, args.seed).take(GENERATED).collect(),
        false => Vec::new(),
    };
    if let Some(folder) = &args.out {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    let ends = Ends::new(&args.tap, &args.pcap, generated, args.out.clone())?;
    let over = ends.over();
    let target = Target { regions: Some(args.regions), ..Target::default() };
    let hardware = Arc::new(
        build_with(&loaded.program, &target)
            .with_context(|| format!("{} cannot be hardware", loaded.program.name))?,
    );
    let options = BenchOptions { seed: args.seed, ..BenchOptions::default() };
    let mut card = Card::new(&loaded.program, &hardware, options)?;
    for write in &writes {
        card.install(write)??;
    }
    let jobs = match &args.socket {
        Some(path) => {
            let jobs = control::listen(path, Arc::clone(&hardware));
            Some(jobs.with_context(|| path.display().to_string())?)
        }
        None => None,
    };
    let start = card.nic.cycle();
    card.nic.attach(Box::new(ends));
    say(&format!(
        "{} on {} regions{}",
        loaded.program.name,
        args.regions,
        args.socket.as_ref().map_or(String::new(), |path| format!(", control: {}", path.display()))
    ));
    loop {
        match jobs.as_ref().map(|jobs| jobs.try_recv()) {
            Some(Ok(Order { job: Job::Quit, answer })) => {
                let _ = answer.send(Ok(json!({})));
                break;
            }
            Some(Ok(Order { job, answer })) => {
                // Who has hung up needs no answer.
                let _ = answer.send(carry_out(&mut card, job));
            }
            Some(Err(TryRecvError::Disconnected)) => bail!("nobody listens any more"),
            Some(Err(TryRecvError::Empty)) | None => {}
        }
        card.nic.exchange()?;
        if args.clocks.is_some_and(|clocks| card.nic.cycle() - start >= clocks) {
            break;
        }
        if card.nic.quiet() < SETTLED {
            card.nic.run(ROUND)?;
        } else if over.load(Ordering::Relaxed) && args.socket.is_none() {
            break;
        } else {
            std::thread::sleep(NAP);
        }
        card.forget();
    }
    let said = status(&mut card)?;
    say(&said.to_string());
    if let Some(path) = &args.socket {
        let _ = std::fs::remove_file(path);
    }
    Ok(())
}

/// A line at once: who started this waits for it.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // Who closed the pipe does not want to know.
    let _ = writeln!(out, "restage-sim: {text}").and_then(|()| out.flush());
}

fn carry_out(card: &mut Card, job: Job) -> Answer {
    let start = card.nic.cycle();
    let said = |e: &dyn std::fmt::Display| e.to_string();
    match job {
        Job::Status => status(card).map_err(|e| said(&e)),
        Job::Read(address) => {
            let value = card.nic.read(address).map_err(|e| said(&e))?;
            Ok(json!({ "value": value }))
        }
        Job::Write(address, value) => {
            card.nic.write(address, value).map_err(|e| said(&e))?;
            Ok(json!({}))
        }
        Job::Load(unit, bytes) => {
            card.load_image(unit, &bytes).map_err(|e| said(&e))?;
            Ok(json!({ "clocks": card.nic.cycle() - start }))
        }
        Job::Swap(wanted) => {
            let Change { flip, plan, .. } = card
                .change(&wanted.program, &wanted.hardware, &wanted.writes, Wishes::default())
                .map_err(|e| said(&e))?;
            let clocks = card.nic.cycle() - start;
            let (bubble, loaded) = (plan.there.ingress, &plan.loaded);
            let done =
                json!({ "at": flip.at, "bubble": bubble, "loaded": loaded, "clocks": clocks });
            // Who asked may be gone.
            let _ = wanted.placed.send(plan.manifest);
            Ok(done)
        }
        Job::Quit => Ok(json!({})),
    }
}

fn status(card: &mut Card) -> Result<serde_json::Value, CardError> {
    Ok(json!({
        "program": card.manifest().program,
        "clocks": card.nic.cycle(),
        "received": card.count(Count::Received)?,
        "sent": card.count(Count::Sent)?,
        "lost": card.count(Count::Lost)?,
        "collided": card.count(Count::Collided)?,
        "disordered": card.count(Count::Disordered)?,
    }))
}
