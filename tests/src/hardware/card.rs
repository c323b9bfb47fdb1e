//! A program's hardware as a card in a bench: the fabric and the regions verilated, booted, driven.

mod flow;
mod read;
mod state;

use super::Packet;
use super::live::Live;
use restage_encode::{BusOp, EncodeError, Encoder, Epochs};
use restage_gen::hardware::Hardware;
use restage_manifest::address::{self, region, shell};
use restage_manifest::{Manifest, Region};
use restage_program::accept::{Fault, refused};
use restage_program::entity::Digest;
use restage_program::entry::Write;
use restage_program::{Bits, Checked};
use restage_rtl::net::Circuit;
use restage_rtl::shell::sockets;
use restage_sim_verilator::{
    BenchOptions, Build, Cache, Device, Fpga, Library, Model, Nic, PartOptions, Received, Seen,
    Sent, SimError, Trace, WatchId,
};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// Reads of a word that wait for something, at most.
const WAITS: u32 = 200_000;

/// Clocks without a beat after which all is out: longer than any way through a card.
const QUIET: u64 = 2_000;

/// Clocks after a packet's last beat until the shell counts it as inside, and more.
const NOTICED: u64 = 64;

/// Waves of which kind go to which file.
pub type Waves<'a> = (Trace, &'a Path);

/// What is special about a card.
#[derive(Clone, Copy, Default, Debug)]
pub struct Special<'a> {
    /// It writes waves: of the fabric to the file that is named, of each region to one beside it.
    pub waves: Option<Waves<'a>>,
    /// A planted fault: a text in the Verilog of all regions, and what stands there instead.
    pub planted: Option<(&'a str, &'a str)>,
}

/// What went wrong with a card.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The simulation.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// What comes with the program does not fit.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A region is not what the manifest says, or does not come up.
    #[error("unit {unit}: word {word:#x} is {found:#x}, not {wanted:#x}")]
    Unit {
        /// Its number.
        unit: u32,
        /// The word that was read.
        word: u32,
        /// What was read.
        found: u32,
        /// What should be there.
        wanted: u32,
    },
}

/// A card.
#[derive(Debug)]
pub struct Card {
    /// The bench.
    pub nic: Nic,
    pub(super) manifest: Manifest,
    pub(super) encoder: Encoder,
    gate: Option<WatchId>,
    emit: Option<WatchId>,
    loops: Option<WatchId>,
    /// The epoch that new packets get.
    pub(super) epoch: u32,
    /// What its changes leave behind.
    pub(super) live: Live,
    /// What its models took to build.
    pub(super) built: Built,
}

/// Seconds of processor time that building models took; 0 if they were there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Built {
    /// The shell.
    pub shell: f64,
    /// The region that took longest.
    pub region: f64,
}

/// What came of packets.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// When each was taken.
    pub sent: Vec<Sent>,
    /// What left.
    pub received: Vec<Received>,
    /// What passed the gate: tag, time, source, size, looped.
    pub gate: Vec<Seen>,
    /// What entered egress: tag, whether it went past it to the loop port, its time, when it was queued, how many waited
    /// then, how long it waited, how many waited in the end.
    pub emitted: Vec<Seen>,
    /// What should go to the loop buffer: whether it was full.
    pub loops: Vec<Seen>,
    /// Messages that were read.
    pub messages: Vec<(Digest, Vec<Bits>)>,
}

impl Card {
    /// Builds all models, couples and boots them. Registers begin with what the seed says.
    pub fn new(
        program: &Checked,
        hardware: &Hardware,
        options: BenchOptions,
    ) -> Result<Self, CardError> {
        Self::special(program, hardware, options, Special::default())
    }

    /// As [`new`](Self::new), of a special kind.
    pub fn special(
        program: &Checked,
        hardware: &Hardware,
        options: BenchOptions,
        special: Special<'_>,
    ) -> Result<Self, CardError> {
        let cache = Cache::standard();
        let Special { waves, .. } = special;
        let lasting = Special { waves, ..Special::default() };
        let watched = |model: &mut Model, region: Option<&str>| match waves {
            Some((_, path)) => model.trace(&beside(path, region)),
            None => Ok(()),
        };
        let fabric_circuit = &hardware.fabric.fabric;
        let shell = library(fabric_circuit.name(), hardware.fabric.circuits(), lasting, &cache)?;
        let mut built = Built { shell: shell.seconds(), region: 0.0 };
        let mut shell = shell.instance(options.seed)?;
        watched(&mut shell, None)?;
        let config = &hardware.manifest.config;
        let part = PartOptions { seed: options.seed, ..PartOptions::default() };
        let mut fpga = Fpga::new(shell, config, part)?;
        let sockets = sockets(config);
        for (circuit, region) in hardware.variants.iter().zip(&hardware.manifest.regions) {
            let variant = library(circuit.name(), [circuit], special, &cache)?;
            built.region = variant.seconds().max(built.region);
            let part = fpga.configure(region.unit, &variant)?;
            let socket = sockets.iter().find(|s| s.unit == region.unit);
            watched(fpga.fabric_mut().model_mut(part), socket.map(|s| s.name.as_str()))?;
        }
        let mut nic = Nic::on(fpga, options)?;
        let gate = nic.watch(
            "mon_gate_valid_o",
            &[
                "mon_gate_tag_o",
                "mon_gate_time_o",
                "mon_gate_source_o",
                "mon_gate_size_o",
                "mon_gate_looped_o",
            ],
        )?;
        let queue = ["raw", "time", "enq_time", "enq_depth", "deq_delta", "deq_depth"];
        let mut ports = vec!["mon_emit_tag_o".to_string()];
        let there = |name: &str| fabric_circuit.interface().port(name).is_some();
        ports.extend(queue.map(|n| format!("mon_emit_{n}_o")).into_iter().filter(|n| there(n)));
        let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
        let emit = nic.watch("mon_emit_valid_o", &ports)?;
        let loops = match there("mon_loop_valid_o") {
            true => Some(nic.watch("mon_loop_valid_o", &["mon_loop_full_o"])?),
            false => None,
        };
        let card = Self::booted(nic, program, hardware, [Some(gate), Some(emit), loops])?;
        Ok(Card { built, ..card })
    }

    /// As [`new`](Self::new), with the top as one model, as users have it. It has no monitors.
    pub fn whole(
        program: &Checked,
        hardware: &Hardware,
        options: BenchOptions,
    ) -> Result<Self, CardError> {
        let parts = hardware.fabric.circuits().chain(&hardware.variants);
        let top = &hardware.top;
        let library =
            library(top.name(), parts.chain([top]), Special::default(), &Cache::standard())?;
        let nic = Nic::single(library.instance(options.seed)?, options)?;
        Self::booted(nic, program, hardware, [None; 3])
    }

    fn booted(
        nic: Nic,
        program: &Checked,
        hardware: &Hardware,
        [gate, emit, loops]: [Option<WatchId>; 3],
    ) -> Result<Self, CardError> {
        let encoder =
            Encoder::new(program, &hardware.manifest.cells).with_shell(&hardware.manifest.config);
        let manifest = hardware.manifest.clone();
        let (epoch, live, built) = (0, Live::default(), Built::default());
        let mut card = Card { nic, manifest, encoder, gate, emit, loops, epoch, live, built };
        card.boot()?;
        Ok(card)
    }

    /// What a host does before the first packet: asks every region what it is, says how long it takes and what it may write,
    /// and opens the gate.
    fn boot(&mut self) -> Result<(), CardError> {
        self.wait(address::SHELL, shell::STATUS, |word| word & 1 == 1)?;
        for region in self.manifest.regions.clone() {
            self.identify(&region)?;
        }
        self.nic.write_all(&self.manifest.boot())?;
        let initial = self.encoder.initial(&[])?;
        self.carry_out(&initial)?;
        self.nic.write(address::byte(address::SHELL, shell::GATE), 1)?;
        Ok(())
    }

    /// Asks a region what it is and waits until it has cleared its memories.
    pub(super) fn identify(&mut self, region: &Region) -> Result<(), CardError> {
        let config = &self.manifest.config;
        for (word, wanted) in [
            (region::MAGIC, region::MAGIC_VALUE),
            (region::SHELL_HASH, config.fingerprint()),
            (region::KIND, region.kind as u32),
            (region::VARIANT, region.hash as u32),
            (region::LATENCY, region.latency),
        ] {
            let found = self.nic.read(address::byte(region.unit, word))?;
            if found != wanted {
                return Err(CardError::Unit { unit: region.unit, word, found, wanted });
            }
        }
        self.wait(region.unit, region::READY, |word| word == 1)?;
        Ok(())
    }

    /// Does what a control plane asks, in both epochs; the inner error is a refusal.
    pub fn install(&mut self, write: &Write) -> Result<Result<(), EncodeError>, CardError> {
        match self.encoder.write(Epochs::Both, std::slice::from_ref(write)) {
            Ok(ops) if self.carry_out(&ops)? => Ok(Ok(())),
            // Only a map finds out by itself whether it can do what it is asked to.
            Ok(_) => {
                let fault =
                    Fault::Invalid("is full where the key would be, or has no such key".into());
                let source = refused("map", &format!("{write:?}"), fault);
                Ok(Err(EncodeError { index: 0, source }))
            }
            Err(refusal) => Ok(Err(refusal)),
        }
    }

    /// Whether the card has refused none of it.
    pub(super) fn carry_out(&mut self, ops: &[BusOp]) -> Result<bool, CardError> {
        let (mut writes, mut done) = (Vec::new(), true);
        for op in ops {
            match op {
                BusOp::Write { unit, word, value } => {
                    writes.push((address::byte(*unit, *word), *value));
                }
                BusOp::Settle { unit } => {
                    self.nic.write_all(&std::mem::take(&mut writes))?;
                    let status = self.wait(*unit, region::STATUS, |word| word & 1 == 0)?;
                    done &= status & 2 == 0;
                }
            }
        }
        self.nic.write_all(&writes)?;
        Ok(done)
    }

    pub(super) fn wait(
        &mut self,
        unit: u32,
        word: u32,
        done: impl Fn(u32) -> bool,
    ) -> Result<u32, CardError> {
        let mut found = 0;
        for _ in 0..WAITS {
            found = self.nic.read(address::byte(unit, word))?;
            if done(found) {
                return Ok(found);
            }
        }
        Err(CardError::Unit { unit, word, found, wanted: 1 })
    }

    /// Sends packets as fast as the bench's options let it and waits until all is out.
    pub fn run(&mut self, packets: &[Packet]) -> Result<Run, CardError> {
        for packet in packets {
            self.nic.send(packet.port, packet.bytes.clone());
        }
        let beats: u64 = packets.iter().map(|p| p.bytes.len() as u64 / 16 + 8).sum();
        self.nic.drain(QUIET, 100 * beats + 1_000_000)?;
        Ok(self.seen())
    }

    /// What has been seen since this was last asked.
    pub fn seen(&mut self) -> Run {
        Run {
            sent: self.nic.sent(),
            received: self.nic.received(),
            gate: self.gate.map(|watch| self.nic.seen(watch)).unwrap_or_default(),
            emitted: self.emit.map(|watch| self.nic.seen(watch)).unwrap_or_default(),
            loops: self.loops.map(|watch| self.nic.seen(watch)).unwrap_or_default(),
            messages: Vec::new(),
        }
    }

    /// Whether packets can come back: then the order of passes depends on time, which the model does not know.
    pub fn loops(&self) -> bool {
        self.manifest.config.loops() || self.manifest.config.egress_clones
    }

    /// Sends one packet and waits until the shell says that nothing is inside any more.
    pub fn run_one(&mut self, packet: &Packet) -> Result<Run, CardError> {
        self.nic.send(packet.port, packet.bytes.clone());
        while self.nic.waiting() > 0 {
            self.nic.step()?;
        }
        // Until the shell has noticed it.
        self.nic.run(NOTICED)?;
        self.wait(address::SHELL, shell::STATUS, |word| word & 2 != 0)?;
        Ok(self.seen())
    }

    /// As [`run`](Self::run), each packet when nothing of the one before is inside any more. What leaves for a packet
    /// is in the order of ports and bytes: copies and further passes overtake each other.
    pub fn run_apart(&mut self, packets: &[Packet]) -> Result<Run, CardError> {
        let mut all = Run::default();
        for packet in packets {
            let mut run = self.run(std::slice::from_ref(packet))?;
            run.received
                .sort_by(|a, b| (a.destination(), &a.bytes).cmp(&(b.destination(), &b.bytes)));
            all.sent.extend(run.sent);
            all.received.extend(run.received);
            all.gate.extend(run.gate.into_iter().take(1));
            all.emitted.extend(run.emitted);
        }
        Ok(all)
    }

    /// Forgets what has been seen, but for packets: what runs for long must not keep it.
    pub fn forget(&mut self) {
        self.nic.sent();
        for watch in [self.gate, self.emit, self.loops].into_iter().flatten() {
            self.nic.seen(watch);
        }
    }

    /// What runs.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// One of the shell's counts.
    pub fn count(&mut self, count: shell::Count) -> Result<u64, CardError> {
        let low = self.nic.read(address::byte(address::SHELL, count.word()))?;
        let high = self.nic.read(address::byte(address::SHELL, count.word() + 1))?;
        Ok(u64::from(low) | u64::from(high) << 32)
    }
}

fn library<'a>(
    top: &str,
    circuits: impl IntoIterator<Item = &'a Circuit>,
    Special { waves, planted }: Special<'_>,
    cache: &Cache,
) -> Result<Library, SimError> {
    let build = Build::new(top).clock("clk_i");
    let build = waves.into_iter().fold(build, |build, (trace, _)| build.trace(trace));
    circuits
        .into_iter()
        .fold(build, |build, circuit| {
            let text = circuit.verilog();
            let text = planted.iter().fold(text, |text, (from, to)| text.replace(from, to));
            build.source(format!("{}.v", circuit.name()), text)
        })
        .build(cache)
}

/// A file, or the one for a region beside it.
fn beside(path: &Path, region: Option<&str>) -> PathBuf {
    let Some(region) = region else { return path.to_path_buf() };
    let part = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (stem, end) = (part(path.file_stem()), part(path.extension()));
    path.with_file_name(format!("{stem}_{region}.{end}"))
}
