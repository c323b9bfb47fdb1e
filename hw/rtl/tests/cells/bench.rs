//! A cell in a module of its own, and what drives it: a packet or none at every clock, the configuration bus
//! beside them, and what must come out for each packet.

use restage_manifest::Kept;
use restage_manifest::address::region;
use restage_program::Bits;
use restage_rtl::cells::{Config, Lane, Ports, Site, Wish};
use restage_rtl::net::Circuit;
use restage_rtl::pipe::{Latency, Pipe, Sig};
use restage_sim_verilator::{Build, Cache, Library, Model, PortId};
use std::collections::VecDeque;

/// What the bus is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bus {
    Write(u32, u32),
    Read(u32),
    /// Waits until no command is under way; gives `STATUS`.
    Settle,
}

/// Clocks in which everything must have come to an end, and more of them for each request on the bus.
const PATIENCE: u64 = 2_000_000;
const EACH: u64 = 20;

/// A module under test.
pub struct Bench {
    model: Model,
    pub latency: u32,
    valid: PortId,
    epoch: PortId,
    time: PortId,
    inputs: Vec<PortId>,
    outputs: Vec<(String, PortId)>,
    cfg: [PortId; 6],
    pub clock: u64,
    due: VecDeque<(u64, Vec<Option<Bits>>)>,
    pub bus: VecDeque<Bus>,
    begun: bool,
    /// What reads and waits gave.
    pub answers: VecDeque<u32>,
    pub note: String,
    pub ports: Ports,
    pub checked: u64,
    /// Behind the last held word that somebody has written.
    pub held: u32,
    /// Where writes that are nobody's come from.
    pub noise: u32,
}

/// A packet.
#[derive(Clone, Debug)]
pub struct Packet {
    pub epoch: bool,
    pub time: u64,
    pub inputs: Vec<Bits>,
}

pub fn cache() -> Cache {
    Cache::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/verilated"))
}

/// A cell under test.
pub struct Built {
    pub piped: restage_rtl::pipe::Piped,
    pub ports: Ports,
    /// Names of its outputs.
    pub outputs: Vec<String>,
    pub kept: Vec<Kept>,
}

/// A pipe with a cell in it, and so many words of a lane.
pub fn module(
    name: &str,
    inputs: &[(&str, u32)],
    words: u32,
    build: impl FnOnce(&mut Pipe, &mut Config, Site<'_>, &[Sig]) -> (Vec<(&'static str, Sig)>, Ports),
) -> Built {
    let mut p = Pipe::new(name);
    let packet = p.input("valid_i", 1);
    let epoch = p.input("epoch_i", 1);
    let time = p.input("time_i", 48);
    let sigs: Vec<Sig> = inputs.iter().map(|(name, width)| p.input(name, *width)).collect();
    let mut config = Config::new(&mut p);
    if words > 0 {
        let lane = Lane::new(&mut p, words, packet, Wish::default());
        config = config.with_lane(lane);
    }
    let site = Site { name: "cell", packet, epoch, time };
    let (outputs, ports) = build(&mut p, &mut config, site, &sigs);
    let kept = config.finish(&mut p, &[region::MAGIC_VALUE, 1, 2, 3, 4, 5, 6, 7].map(Some));
    let names = outputs.iter().map(|(name, _)| name.to_string()).collect();
    let piped = p.finish(&outputs, Latency::Shortest);
    let piped = piped.unwrap_or_else(|faults| {
        let text: Vec<String> = faults.iter().map(|f| f.to_string()).collect();
        panic!("{name}: {}", text.join("\n"))
    });
    Built { piped, ports, outputs: names, kept }
}

/// The model of a circuit; its Verilog is kept in the folder that RESTAGE_KEEP names.
pub fn library(name: &str, circuit: &Circuit) -> Library {
    let text = circuit.verilog();
    if let Ok(folder) = std::env::var("RESTAGE_KEEP") {
        std::fs::write(format!("{folder}/{name}.v"), &text).unwrap();
    }
    Build::new(name).source(format!("{name}.v"), text).build(&cache()).unwrap()
}

impl Bench {
    pub fn new(
        name: &str,
        seed: u64,
        inputs: &[(&str, u32)],
        build: impl FnOnce(
            &mut Pipe,
            &mut Config,
            Site<'_>,
            &[Sig],
        ) -> (Vec<(&'static str, Sig)>, Ports),
    ) -> Self {
        let Built { piped, ports, outputs: names, .. } = module(name, inputs, 0, build);
        let library = library(name, &piped.circuit);
        let model = library.instance(seed).unwrap();
        let port = |name: &str| model.port(name).unwrap();
        let mut bench = Bench {
            latency: piped.latency,
            valid: port("valid_i"),
            epoch: port("epoch_i"),
            time: port("time_i"),
            inputs: inputs.iter().map(|(name, _)| port(name)).collect(),
            outputs: names.iter().map(|name| (name.clone(), port(name))).collect(),
            cfg: [
                "cfg_valid_i",
                "cfg_write_i",
                "cfg_addr_i",
                "cfg_wdata_i",
                "cfg_ack_o",
                "cfg_rdata_o",
            ]
            .map(port),
            clock: 0,
            due: VecDeque::new(),
            bus: VecDeque::new(),
            begun: false,
            answers: VecDeque::new(),
            note: format!("{name}, seed {seed}"),
            ports,
            checked: 0,
            held: region::HOLD,
            noise: seed as u32,
            model,
        };
        bench.reset();
        bench
    }

    fn reset(&mut self) {
        let reset = self.model.port("rst_ni").unwrap();
        self.model.set_u64(reset, 0);
        for _ in 0..4 {
            self.model.tick();
        }
        self.model.set_u64(reset, 1);
        while self.read(region::READY) != 1 {
            assert!(self.clock < PATIENCE, "{}: it never is ready", self.note);
        }
    }

    /// One clock. `expect` has a value for each output that matters.
    pub fn step(&mut self, packet: Option<&Packet>, expect: Vec<Option<Bits>>) {
        if let Some((clock, want)) = self.due.front()
            && *clock == self.clock
        {
            for ((name, port), want) in self.outputs.iter().zip(want) {
                let Some(want) = want else { continue };
                let got = self.model.get(*port);
                assert_eq!(
                    got,
                    *want,
                    "{}: `{name}` of the packet of clock {}",
                    self.note,
                    self.clock - u64::from(self.latency)
                );
                self.checked += 1;
            }
            self.due.pop_front();
        }
        self.model.set_u64(self.valid, u64::from(packet.is_some()));
        if let Some(packet) = packet {
            self.model.set_u64(self.epoch, u64::from(packet.epoch));
            self.model.set_u64(self.time, packet.time);
            for (port, value) in self.inputs.iter().zip(&packet.inputs) {
                self.model.set(*port, value);
            }
            self.due.push_back((self.clock + u64::from(self.latency), expect));
        }
        self.drive_bus();
        self.model.tick();
        self.clock += 1;
    }

    fn drive_bus(&mut self) {
        let [valid, write, addr, wdata, ack, rdata] = self.cfg;
        if self.begun && self.model.get_u64(ack) == 1 {
            let value = self.model.get_u64(rdata) as u32;
            self.begun = false;
            self.model.set_u64(valid, 0);
            match self.bus.front() {
                Some(Bus::Read(_)) => self.answers.push_back(value),
                // Asked again until nothing is under way.
                Some(Bus::Settle) if value & 1 == 1 => return,
                Some(Bus::Settle) => self.answers.push_back(value),
                _ => {}
            }
            self.bus.pop_front();
            return;
        }
        if self.begun {
            return;
        }
        let (is_write, word, value) = match self.bus.front() {
            None => return,
            Some(Bus::Write(word, value)) => (1, *word, *value),
            Some(Bus::Read(word)) => (0, *word, 0),
            Some(Bus::Settle) => (0, region::STATUS, 0),
        };
        self.model.set_u64(valid, 1);
        self.model.set_u64(write, is_write);
        self.model.set_u64(addr, word.into());
        self.model.set_u64(wdata, value.into());
        self.begun = true;
    }

    /// Clocks without packets until the bus is done and all is checked.
    pub fn drain(&mut self) {
        let last = self.clock + PATIENCE + EACH * self.bus.len() as u64;
        while !self.bus.is_empty() || !self.due.is_empty() || self.begun {
            self.step(None, Vec::new());
            assert!(self.clock < last, "{}: the bus does not come to an end", self.note);
        }
        self.step(None, Vec::new());
    }

    /// Bits of the inputs.
    pub fn widths(&self) -> Vec<u32> {
        self.inputs.iter().map(|port| self.model.width(*port)).collect()
    }

    pub fn read(&mut self, word: u32) -> u32 {
        self.bus.push_back(Bus::Read(word));
        self.drain();
        self.answers.pop_back().unwrap()
    }
}
