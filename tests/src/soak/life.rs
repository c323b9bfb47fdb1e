//! What happens to a card, one thing after the other.

use super::follow::{Follower, Seen};
use super::hostile::{self, Harm};
use super::pool::{DEPARSERS, FRESH, FUNCTIONS, PARSERS, POOL, Versions, program, suffix, wide};
use super::rules::Rules;
use super::traffic::{Endless, Log};
use crate::hardware::card::Card;
use crate::hardware::live::{Change, ChangeError, Flip};
use crate::hardware::state;
use crate::random::Rng;
use anyhow::{Result, anyhow, bail};
use restage_compile::change::{Bubbles, Impossible, Wishes};
use restage_gen::hardware::{Hardware, Target, build_with};
use restage_gen::images::image;
use restage_golden::Golden;
use restage_image::SIMULATED;
use restage_manifest::address::shell::{self, Count};
use restage_manifest::address::{self, guard, region};
use restage_manifest::socket::RegionKind;
use restage_manifest::{Half, ShellConfig};
use restage_program::Checked;
use restage_sim_verilator::{BenchOptions, Device};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a life is.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of everything.
    pub seed: u64,
    /// Versions that nobody has seen before.
    pub fresh: u8,
    /// Sizes of the shell.
    pub config: ShellConfig,
}

/// Words of the lane: one function after the other has some.
const LANE_WORDS: u32 = 16;

impl Default for Options {
    fn default() -> Self {
        let config = ShellConfig { lane_words: LANE_WORDS, regions: 8, ..ShellConfig::default() };
        Options { seed: 1, fresh: 8, config }
    }
}

/// What kind of thing happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// Entries changed.
    Batch,
    /// Functions were replaced.
    Swap,
    /// The parser, the deparser or both were replaced.
    Edges,
    /// Functions and edges were replaced together.
    Program,
    /// Functions were taken away.
    Bypass,
    /// Functions came again, or for the first time.
    Restore,
    /// A function went to another region.
    Move,
    /// What ran before ran again.
    RollBack,
    /// An image that is not right was given to the card.
    BadImage,
    /// A stage that means harm was loaded, and fed if its guard let it in.
    Hostile,
    /// A change that cannot be was asked for.
    Impossible,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// What.
    pub kind: Kind,
    /// What runs since.
    pub versions: Versions,
    /// The flip, if there was one.
    pub flip: Option<Flip>,
    /// Its bubbles.
    pub bubbles: Option<Bubbles>,
    /// What moved, and in how many clocks.
    pub carried: (usize, u64),
    /// Images loaded, regions fed again.
    pub regions: (usize, usize),
    /// What else there is to say.
    pub said: String,
}

/// A card and all that belongs to it.
#[derive(Debug)]
pub struct Life {
    options: Options,
    rng: Rng,
    card: Card,
    log: Arc<Mutex<Log>>,
    follower: Follower,
    rules: Rules,
    program: Checked,
    hardware: Hardware,
    /// Whether the last thing that happened can be taken back.
    back: Option<(Checked, Hardware)>,
    /// Rows that were compared, and that differ.
    pub rows: (u64, u64),
}

fn build(
    versions: &Versions,
    options: &Options,
    old: Option<(&Hardware, &Card)>,
) -> Result<(Checked, Hardware)> {
    let program = program(versions, options.seed).check().map_err(|e| anyhow!("{e:?}"))?;
    let target = Target {
        like: Some(&options.config),
        regions: Some(options.config.regions),
        old: old.map(|(hardware, card)| (&hardware.placement, card.manifest())),
        ..Target::default()
    };
    let hardware = build_with(&program, &target)?;
    Ok((program, hardware))
}

impl Life {
    /// A card that has booted, with traffic.
    pub fn new(options: Options) -> Result<Self> {
        let mut rng = Rng::new(options.seed);
        let versions = Versions { parser: 1, functions: [Some(1); FUNCTIONS], deparser: 0 };
        let rules = Rules::new(&mut rng);
        let (program, hardware) = build(&versions, &options, None)?;
        let bench = BenchOptions { seed: options.seed, ..BenchOptions::default() };
        let mut card = Card::new(&program, &hardware, bench)?;
        let mut model = Golden::new(&program)?;
        for write in rules.writes(&program, &versions) {
            card.install(&write)??;
            model.write(&write)?;
        }
        let (endless, log) = Endless::new(rng.bits64());
        card.forget();
        card.nic.attach(Box::new(endless));
        let follower = Follower::new(model, versions);
        let back = None;
        Ok(Life { options, rng, card, log, follower, rules, program, hardware, back, rows: (0, 0) })
    }

    /// What was seen of packets so far.
    pub fn seen(&self) -> &Seen {
        &self.follower.seen
    }

    /// Plants a fault: bubbles are so many clocks shorter than they have to be.
    pub fn shorten_bubbles(&mut self, clocks: u32) {
        self.card.shorten_bubbles(clocks);
    }

    /// The card.
    pub fn card(&mut self) -> &mut Card {
        &mut self.card
    }

    fn log(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
        log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares what packets there were until one of a number.
    fn follow(&mut self, until: Option<u64>) -> Result<()> {
        self.card.nic.exchange()?;
        self.follower.follow(&mut self.card, &mut Self::log(&self.log), until);
        if let Some(first) = self.follower.seen.wrong.first() {
            bail!("{first}");
        }
        Ok(())
    }

    /// Lets packets flow for so many clocks.
    pub fn run(&mut self, clocks: u64) -> Result<()> {
        self.card.nic.run(clocks)?;
        self.follow(None)
    }

    /// Does the next thing.
    pub fn step(&mut self) -> Result<Event> {
        if self.rng.chance(15) {
            let (gaps, pressure) = (self.rng.below(60) as u8, self.rng.below(40) as u8);
            let quiet = self.rng.chance(50);
            self.card.nic.set_pace(if quiet { 0 } else { gaps }, if quiet { 0 } else { pressure });
        }
        let clocks = 100 + self.rng.below(1000) as u64;
        self.run(clocks)?;
        if self.back.is_some() && self.rng.chance(25) {
            return self.roll_back();
        }
        match self.rng.weighted(&[25, 8, 5, 62]) {
            0 => self.batch(),
            1 => self.bad_image(),
            2 => self.hostile(),
            _ => self.change(),
        }
    }

    fn event(&self, kind: Kind) -> Event {
        Event {
            kind,
            versions: self.follower.versions().clone(),
            flip: None,
            bubbles: None,
            carried: (0, 0),
            regions: (0, 0),
            said: String::new(),
        }
    }

    fn batch(&mut self) -> Result<Event> {
        let before = self.rules.clone();
        let versions = self.follower.versions().clone();
        let writes = self.rules.change(&mut self.rng, &self.program, &versions);
        match self.card.batch(&writes) {
            Ok(flip) => {
                self.follow(Some(flip.at))?;
                self.follower.batch(&writes)?;
                self.follow(None)?;
                self.back = None;
                let said = format!("{} writes", writes.len());
                Ok(Event { flip: Some(flip), said, ..self.event(Kind::Batch) })
            }
            Err(ChangeError::Encode(error)) => {
                self.rules = before;
                self.back = None;
                Ok(Event { said: format!("refused: {error}"), ..self.event(Kind::Batch) })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn roll_back(&mut self) -> Result<Event> {
        let Some(back) = self.back.take() else { bail!("there is nothing to go back to") };
        let flip = self.card.roll_back()?;
        self.follow(Some(flip.at))?;
        self.follower.roll_back()?;
        self.follow(None)?;
        let was = (
            std::mem::replace(&mut self.program, back.0),
            std::mem::replace(&mut self.hardware, back.1),
        );
        self.back = Some(was);
        Ok(Event { flip: Some(flip), ..self.event(Kind::RollBack) })
    }

    /// Some version but this one.
    fn version(&mut self, but: Option<u8>) -> u8 {
        loop {
            let at = self.rng.below(usize::from(POOL + self.options.fresh)) as u8;
            let version = if at < POOL { at + 1 } else { FRESH + at - POOL };
            if Some(version) != but {
                return version;
            }
        }
    }

    /// The next program.
    fn wanted(&mut self) -> (Kind, Versions) {
        let now = self.follower.versions().clone();
        let mut next = now.clone();
        let there: Vec<usize> = (0..FUNCTIONS).filter(|f| now.functions[*f].is_some()).collect();
        let gone: Vec<usize> = (0..FUNCTIONS).filter(|f| now.functions[*f].is_none()).collect();
        let mut kind =
            [Kind::Swap, Kind::Edges, Kind::Program, Kind::Bypass, Kind::Restore, Kind::Move]
                [self.rng.weighted(&[40, 15, 15, 10, 8 * gone.len() as u32, 6])];
        if there.is_empty() {
            kind = Kind::Restore;
        }
        if matches!(kind, Kind::Edges | Kind::Program) {
            let which = self.rng.below(3);
            if which != 0 {
                next.parser = (now.parser + 1 + self.rng.below(3) as u8) % PARSERS;
            }
            if which != 1 {
                next.deparser = (now.deparser + 1 + self.rng.below(5) as u8) % DEPARSERS;
            }
        }
        match kind {
            Kind::Swap | Kind::Program => {
                for _ in 0..1 + self.rng.below(3) {
                    if let Some(function) = self.rng.pick(&there).copied() {
                        next.functions[function] = Some(self.version(now.functions[function]));
                    }
                }
            }
            Kind::Bypass => {
                if let Some(function) = self.rng.pick(&there).copied() {
                    next.functions[function] = None;
                }
            }
            Kind::Restore => {
                if let Some(function) = self.rng.pick(&gone).copied() {
                    let before = self.follower.last(function);
                    let again = self.rng.chance(70);
                    next.functions[function] =
                        Some(if again { before } else { self.version(None) });
                }
            }
            _ => {}
        }
        (kind, next)
    }

    fn change(&mut self) -> Result<Event> {
        let (kind, versions) = self.wanted();
        let now = self.follower.versions().clone();
        let (program, hardware) =
            build(&versions, &self.options, Some((&self.hardware, &self.card)))?;
        let mut to = BTreeMap::new();
        if kind == Kind::Move {
            let units =
                address::stage(&self.options.config, 0)..address::deparser(&self.options.config, 0);
            let serves = |unit: &u32| self.card.manifest().regions.iter().any(|r| r.unit == *unit);
            let free: Vec<u32> = units.filter(|unit| !serves(unit)).collect();
            let regions = hardware.manifest.regions.iter().enumerate();
            let stages: Vec<usize> =
                regions.filter(|(_, r)| r.kind == RegionKind::Stage).map(|(at, _)| at).collect();
            if let (Some(at), Some(unit)) = (self.rng.pick(&stages), self.rng.pick(&free)) {
                to.insert(*at, *unit);
            }
        }
        let mut reset = BTreeSet::new();
        if let (Some(old), Some(new)) = (now.functions[0], versions.functions[0])
            && old != new
            && (wide(old) && !wide(new) || self.rng.chance(15))
        {
            reset.insert("sum_0");
        }
        let writes = self.rules.writes(&program, &versions);
        let wishes = Wishes { reset: Some(&reset), to: Some(&to) };
        let done = self.card.change(&program, &hardware, &writes, wishes);
        let Change { flip, plan, copying } = match done {
            Ok(change) => change,
            Err(ChangeError::Impossible(impossible)) => {
                let Impossible::NoRoom { .. } = impossible else { return Err(impossible.into()) };
                self.back = None;
                self.follow(None)?;
                let said = impossible.to_string();
                return Ok(Event { said, ..self.event(Kind::Impossible) });
            }
            Err(error) => return Err(error.into()),
        };
        self.follow(Some(flip.at))?;
        let of = |function: &usize| {
            let end = suffix(*function);
            let mut tables = program.tables.iter().filter(|(_, t)| t.preamble.name.ends_with(&end));
            let table = tables.next().map(|(table, _)| table);
            let cell = plan.manifest.cells.tables.iter().find(|(t, _)| Some(*t) == table);
            cell.is_some_and(|(_, cell)| plan.resumed.contains(&cell.unit))
        };
        // What ran until now goes on from there.
        let gone = |f: &usize| now.functions[*f].is_none();
        let resumed: Vec<usize> = (0..FUNCTIONS).filter(gone).filter(of).collect();
        let reset: Vec<&str> = reset.into_iter().collect();
        self.follower.change(&program, &versions, &writes, &resumed, &reset)?;
        self.follow(None)?;
        let old = (
            std::mem::replace(&mut self.program, program),
            std::mem::replace(&mut self.hardware, hardware),
        );
        self.back = Some(old);
        Ok(Event {
            flip: Some(flip),
            carried: (plan.adoption.carried.len(), copying),
            regions: (plan.loaded.len(), plan.resumed.len()),
            bubbles: Some(plan.there),
            ..self.event(kind)
        })
    }

    /// Gives the card an image that is not right.
    fn bad_image(&mut self) -> Result<Event> {
        self.card.retire()?;
        self.back = None;
        let config = &self.options.config;
        let units: Vec<u32> = (address::PARSER..=address::last(config)).collect();
        let unit = units[self.rng.below(units.len())];
        let index = self.rng.below(self.hardware.variants.len());
        let image = image(&self.hardware, index, SIMULATED, 0)?;
        let mut bytes = image.bytes()?;
        // Right in itself, and for the region where it is asked to go, only if it is changed.
        let what = match self.rng.below(3) {
            0 => {
                let at = self.rng.below(bytes.len());
                bytes[at] ^= 1 << self.rng.below(8);
                "damaged"
            }
            1 => {
                bytes.truncate(self.rng.below(bytes.len()) / 4 * 4 + 4);
                bytes.pop();
                bytes.pop();
                bytes.pop();
                bytes.pop();
                "truncated"
            }
            _ => {
                let serves = self.card.manifest().regions.iter().any(|r| r.unit == unit);
                if !serves && u32::from(image.header().unit) == unit {
                    bytes[0] ^= 1;
                }
                "foreign"
            }
        };
        let done = self.card.load_image(unit, &bytes);
        let Err(ChangeError::Load { code, .. }) = done else {
            bail!("a {what} image for unit {unit} was taken: {done:?}");
        };
        self.follow(None)?;
        let said = format!("{what}, unit {unit}: {code:?}");
        Ok(Event { said, ..self.event(Kind::BadImage) })
    }

    /// Loads a stage that means harm, feeds it with packets for a while, and takes it out again.
    fn hostile(&mut self) -> Result<Event> {
        self.card.retire()?;
        self.back = None;
        let config = self.options.config.clone();
        let harm = Harm::ALL[self.rng.below(Harm::ALL.len())];
        let half = if self.rng.chance(50) { Half::Ingress } else { Half::Egress };
        let stages = address::stage(&config, 0)..address::deparser(&config, 0);
        let serves = |unit: &u32| self.card.manifest().regions.iter().any(|r| r.unit == *unit);
        let free: Vec<u32> = stages.filter(|unit| !serves(unit)).collect();
        let Some(unit) = self.rng.pick(&free).copied() else { bail!("no region is free") };
        let image = hostile::image(&config, unit, harm)?.bytes()?;
        self.card.load_image(unit, &image)?;
        for word in region::IDENTITY {
            // What answers nothing is an error on the bus.
            let _ = self.card.nic.read(address::byte(unit, word));
        }
        let said = format!("{harm:?} in unit {unit}");
        let flip = match self.card.detour(hostile::region(unit, half, harm)) {
            Ok(flip) => flip,
            Err(ChangeError::Stuck(why)) if !harm.couples() => {
                self.follow(None)?;
                return Ok(Event { said: format!("{said}: {why}"), ..self.event(Kind::Hostile) });
            }
            Err(error) => return Err(error.into()),
        };
        if !harm.couples() {
            bail!("{said} was coupled");
        }
        let clocks = 200 + self.rng.below(500) as u64;
        self.run(clocks)?;
        let coupled = self.card.word(shell::guard(unit, guard::COUPLED))?;
        if (harm == Harm::Late) != (coupled & 2 != 0) {
            bail!("{said}: its guard says {coupled:#x}");
        }
        self.card.roll_back()?;
        self.run(300)?;
        Ok(Event { flip: Some(flip), said, ..self.event(Kind::Hostile) })
    }

    /// Stops the traffic, compares all that is still inside and all state, and lets it go on.
    pub fn check(&mut self) -> Result<()> {
        Self::log(&self.log).stopped = true;
        self.card.nic.drain(2000, 1_000_000)?;
        self.follow(None)?;
        let missing = self.follower.missing(&Self::log(&self.log));
        if missing != (0, 0) {
            bail!("{} packets did not leave, {} left that should not", missing.0, missing.1);
        }
        let seed = self.rng.bits64();
        let behind =
            state::compare_cells(&self.program, self.follower.model(), &mut self.card, seed)?;
        self.rows.0 += behind.rows;
        self.rows.1 += behind.wrong.len() as u64;
        if let Some(first) = behind.wrong.first() {
            bail!("{first}");
        }
        for count in [Count::Collided, Count::Disordered, Count::Lost] {
            let found = self.card.count(count)?;
            if found > 0 {
                bail!("the monitor counts {found}: {count:?}");
            }
        }
        Self::log(&self.log).stopped = false;
        Ok(())
    }
}
