//! Random lives of a card: changes of all kinds under traffic on every clock, against the golden model.
//!
//! Exit code 1 when a packet or a row of state is not what the model says.

use anyhow::Result;
use clap::Parser;
use restage_tests::soak::life::{Kind, Life, Options};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

#[derive(Parser)]
#[command(about = "Lets a card live through random changes while packets are on every clock")]
struct Args {
    /// Of everything.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many changes.
    #[arg(long, default_value_t = 200)]
    changes: usize,
    /// How many versions of each function are made from the seed.
    #[arg(long, default_value_t = 8)]
    fresh: u8,
    /// State is compared after so many changes.
    #[arg(long, default_value_t = 10)]
    every: usize,
    /// Plants a fault, to see what is said of it: bubbles are so many clocks shorter than they have to be.
    #[arg(long, default_value_t = 0)]
    shorten: u32,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let start = Instant::now();
    let options = Options { seed: args.seed, fresh: args.fresh, ..Options::default() };
    let mut life = Life::new(options)?;
    life.shorten_bubbles(args.shorten);
    let mut kinds: BTreeMap<Kind, u32> = BTreeMap::new();
    let (mut flips, mut both) = (0, 0);
    for number in 1..=args.changes {
        let event = match life.step() {
            Ok(event) => event,
            Err(error) => return failed(&life, args.seed, number, &error),
        };
        *kinds.entry(event.kind).or_default() += 1;
        let mut text = format!("{number:4} {:<10} {}", format!("{:?}", event.kind), event.versions);
        if let Some(flip) = event.flip {
            flips += 1;
            both += u32::from(flip.inside.iter().all(|n| *n > 0));
            text += &format!(
                "; from packet {} on, inside {} + {}",
                flip.at, flip.inside[0], flip.inside[1]
            );
        }
        if let Some(bubbles) = event.bubbles {
            text += &format!("; bubble {} + {}", bubbles.ingress, bubbles.egress);
            let why: Vec<String> = bubbles.why().map(ToString::to_string).collect();
            if !why.is_empty() {
                text += &format!(" ({})", why.join(", "));
            }
            text += &format!("; {} loaded, {} again", event.regions.0, event.regions.1);
            text += &format!("; {} moved in {} clocks", event.carried.0, event.carried.1);
        }
        if !event.said.is_empty() {
            text += &format!("; {}", event.said);
        }
        println!("{text}");
        if (number.is_multiple_of(args.every) || number == args.changes)
            && let Err(error) = life.check()
        {
            return failed(&life, args.seed, number, &error);
        }
    }
    let seen = life.seen().clone();
    let rows = life.rows;
    let clocks = life.card().nic.cycle();
    println!("{kinds:?}");
    println!(
        "sent {}, received {}, dropped {}, different {}, mixed {}; {} rows of state, {} wrong; {both} of {flips} flips with packets of both epochs inside",
        seen.sent, seen.received, seen.dropped, seen.different, seen.mixed, rows.0, rows.1
    );
    let seconds = start.elapsed().as_secs_f64();
    println!("{clocks} clocks in {seconds:.1} s: {:.0} k a second", clocks as f64 / seconds / 1e3);
    Ok(ExitCode::SUCCESS)
}

fn failed(life: &Life, seed: u64, number: usize, error: &anyhow::Error) -> Result<ExitCode> {
    println!("FAILED in change {number} of seed {seed}: {error:#}");
    for text in &life.seen().wrong {
        println!("  {text}");
    }
    Ok(ExitCode::FAILURE)
}
