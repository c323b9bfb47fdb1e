//! A shell with stand-ins on the bench.

use crate::common::lint;
use crate::stand_in::stand_in;
use restage_manifest::ShellConfig;
use restage_manifest::address::shell::Count;
use restage_manifest::address::{self, guard, region, shell as word};
use restage_manifest::route::{Stop, Way};
use restage_manifest::socket::{RegionKind, Socket};
use restage_rtl::net::Circuit;
use restage_rtl::shell::{fabric, shell, sockets};
use restage_sim_verilator::{BenchOptions, Build, Cache, Device, Fabric, Nic};

/// Latencies of the stand-ins: all different.
fn latency(index: usize) -> u32 {
    [8, 5, 16, 4, 11, 9, 24][index % 7]
}

/// A card that has been set up.
pub struct Card {
    pub nic: Nic,
    pub config: ShellConfig,
}

/// The circuits of a card: the static ones, then one for each socket.
pub fn circuits(config: &ShellConfig) -> (Vec<Circuit>, Vec<Circuit>) {
    let parts = fabric(config).unwrap_or_else(|f| panic!("{f:?}"));
    let regions = sockets(config)
        .iter()
        .enumerate()
        .map(|(i, socket)| {
            // The last region serves egress, all others ingress.
            let egress = socket.unit + 1 == address::deparser(config, 0);
            stand_in(config, socket.kind, egress, latency(i))
        })
        .collect();
    (parts.circuits().cloned().collect(), regions)
}

impl Card {
    pub fn new(config: &ShellConfig, options: BenchOptions) -> Card {
        let mut card = Card::coupled(config, &circuits(config), options);
        card.boot();
        card
    }

    /// A card with regions of one's own, not set up.
    pub fn coupled(
        config: &ShellConfig,
        (parts, regions): &(Vec<Circuit>, Vec<Circuit>),
        options: BenchOptions,
    ) -> Card {
        let cache = Cache::standard();
        let mut all = Fabric::new();
        let mut build = Build::new("restage_fabric");
        for part in parts {
            build = build.source(format!("{}.v", part.name()), part.verilog());
        }
        let library = build.build(&cache).unwrap();
        let shell = all.add(library.instance(options.seed).unwrap()).unwrap();
        for (socket, region) in sockets(config).iter().zip(regions) {
            let build = Build::new(region.name()).source("region.v", region.verilog());
            let model = build.build(&cache).unwrap().instance(options.seed).unwrap();
            let part = all.add(model).unwrap();
            for port in &region.interface().ports {
                let outside = socket.port(&port.name);
                match port.direction {
                    restage_rtl::net::Direction::Input => {
                        all.connect(shell, &outside, part, &port.name).unwrap();
                    }
                    restage_rtl::net::Direction::Output => {
                        all.connect(part, &port.name, shell, &outside).unwrap();
                    }
                }
            }
        }
        let nic = Nic::new(all, shell, options).unwrap();
        Card { nic, config: config.clone() }
    }

    /// Makes the stand-ins a card.
    pub fn boot(&mut self) {
        let latencies: Vec<u32> = (0..sockets(&self.config).len()).map(latency).collect();
        self.couple(&latencies);
        let first = address::stage(&self.config, 0);
        let last = address::deparser(&self.config, 0);
        let stop = |unit: u32| Stop { unit, latency: latencies[unit as usize - 1] };
        // A second one would ask for another copy or pass.
        let most = if self.config.loops() { 1 } else { usize::MAX };
        let way = Way {
            parser: stop(address::PARSER),
            ingress: (first..last - 1).take(most).map(stop).collect(),
            egress: vec![stop(last - 1)],
            deparser: stop(last),
        };
        for epoch in 0..2 {
            self.route(epoch, &way);
        }
        self.write(word::GATE, 1);
        while self.read(word::STATUS) & 1 == 0 {}
    }

    /// Makes a way that of an epoch.
    pub fn route(&mut self, epoch: u32, way: &Way) {
        for (word, value) in way.routes(&self.config, epoch) {
            self.write(word, value);
        }
    }

    /// Lets a region say what it is: it says what was written to it, plus the address. One that is being loaded says nothing.
    pub fn introduce(&mut self, socket: &Socket, latency: u32) {
        let said = [
            (region::MAGIC, region::MAGIC_VALUE),
            (region::SHELL_HASH, self.config.fingerprint()),
            (region::KIND, socket.kind as u32),
            (region::LATENCY, latency),
        ];
        for (word, value) in said {
            let at = address::byte(socket.unit, word);
            if self.nic.write(at, value.wrapping_sub(word)).is_err() {
                return;
            }
            assert_eq!(self.nic.read(at).unwrap(), value);
        }
    }

    /// Says how long each region takes, and that it may write everything.
    pub fn couple(&mut self, latencies: &[u32]) {
        for (socket, latency) in sockets(&self.config).iter().zip(latencies) {
            self.write(word::guard(socket.unit, guard::COUPLED), 0);
            self.introduce(socket, *latency);
        }
        let mut writes = Vec::new();
        let mut set =
            |word: u32, value: u32| writes.push((address::byte(address::SHELL, word), value));
        for (socket, latency) in sockets(&self.config).iter().zip(latencies) {
            set(word::guard(socket.unit, guard::LATENCY), *latency);
            for at in 0..self.config.phv_bits.div_ceil(32) {
                if socket.kind != RegionKind::Deparser {
                    set(word::guard(socket.unit, guard::MASK + at), u32::MAX);
                }
            }
            set(word::guard(socket.unit, guard::COUPLED), 1);
        }
        self.nic.write_all(&writes).unwrap();
    }

    /// Runs until no packet is inside.
    pub fn settle(&mut self) {
        let start = self.nic.cycle();
        self.nic.drain(8, 4_000_000).unwrap();
        while self.read(word::STATUS) != 3 {
            assert!(self.nic.cycle() - start < 1_000_000, "something is left inside");
        }
        assert_eq!([self.in_flight(0), self.in_flight(1)], [0, 0]);
        assert_eq!(self.faults(), 0);
    }

    /// Takes so many messages out; the bytes of each, as far as they are whole.
    pub fn digests(&mut self, count: usize) -> Vec<Vec<u8>> {
        let bits = self.config.digest_bits;
        let mut all = Vec::new();
        for left in (1..=count.min(256)).rev() {
            assert_eq!(self.read(word::DIGEST_COUNT), left as u32);
            assert_eq!(self.read(word::DIGEST_NUMBER), 1);
            let words: Vec<u32> =
                (0..bits.div_ceil(32)).map(|i| self.read(word::DIGEST_DATA + i)).collect();
            let bytes: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
            all.push(bytes[..bits as usize / 8].iter().rev().copied().collect());
            self.write(word::DIGEST_POP, 0);
        }
        if bits > 0 {
            assert_eq!(self.read(word::DIGEST_NUMBER), 0);
        }
        all
    }

    /// A word of the shell.
    pub fn read(&mut self, word: u32) -> u32 {
        self.nic.read(address::byte(address::SHELL, word)).unwrap()
    }

    /// Sets a word of the shell.
    pub fn write(&mut self, word: u32, value: u32) {
        self.nic.write(address::byte(address::SHELL, word), value).unwrap();
    }

    /// Packets that came back from a region with another tag.
    pub fn tag_errors(&mut self) -> u32 {
        let sockets = sockets(&self.config);
        sockets.iter().map(|s| self.read(word::guard(s.unit, guard::TAG_ERRORS))).sum()
    }

    /// Packets that met or overtook others.
    pub fn faults(&mut self) -> u64 {
        self.count(Count::Collided) + self.count(Count::Disordered)
    }

    /// Packets of an epoch that are inside.
    pub fn in_flight(&mut self, epoch: u32) -> u32 {
        self.read(word::IN_FLIGHT + epoch)
    }

    /// A counter.
    pub fn count(&mut self, count: Count) -> u64 {
        let low = self.read(count.word());
        u64::from(self.read(count.word() + 1)) << 32 | u64::from(low)
    }
}

/// The tools accept everything.
pub fn lint_all(config: &ShellConfig, name: &str) {
    let (parts, regions) = circuits(config);
    let units = sockets(config).into_iter().map(|s| s.unit);
    let interfaces: Vec<_> = units.zip(regions.iter().map(|r| r.interface().clone())).collect();
    let fabric = parts.last().unwrap().interface().clone();
    let top = shell(config, &fabric, &interfaces).unwrap_or_else(|f| panic!("{f:?}"));
    let all: Vec<&Circuit> = regions.iter().chain(&parts).chain([&top]).collect();
    lint(&all, &crate::common::folder(name));
}
