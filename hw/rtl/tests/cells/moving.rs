//! State that moves: two variants with the same cell and a lane between them, packets now through the one, now through
//! the other. A third one that gets all packets says what must come out.

use crate::bench::{Built, library, module};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use restage_manifest::Sublane;
use restage_manifest::address::region;
use restage_manifest::cell::{CounterShape, MapShape, MeterShape, RegisterShape};
use restage_program::Bits;
use restage_program::program::Unit;
use restage_rtl::cells::{Config, MapIn, MapStep, Ports, Site, counter, map, meter, register};
use restage_rtl::pipe::{Pipe, Sig};
use restage_sim_verilator::{Library, Model};
use std::collections::VecDeque;

/// Words of the lane.
const WORDS: u32 = 14;
/// Clocks that a copy may take, per row, and some.
const PATIENCE: u64 = 40;

/// A cell in a module with a lane.
struct Part {
    library: Library,
    latency: u32,
    outputs: Vec<String>,
    inputs: Vec<(String, u32)>,
    lane: Sublane,
    rows: u64,
}

impl Part {
    fn new(
        name: &str,
        inputs: &[(&str, u32)],
        build: impl FnOnce(
            &mut Pipe,
            &mut Config,
            Site<'_>,
            &[Sig],
        ) -> (Vec<(&'static str, Sig)>, Ports),
    ) -> Part {
        let Built { piped, outputs, kept, .. } = module(name, inputs, WORDS, build);
        let library = library(name, &piped.circuit);
        // What is changed latest and read earliest: of a meter the tokens and the time.
        let lanes: Vec<Sublane> = kept.iter().map(|k| k.lane.unwrap()).collect();
        let longest = lanes.iter().max_by_key(|l| l.sent - l.read).unwrap();
        Part {
            library,
            latency: piped.latency,
            outputs,
            inputs: inputs.iter().map(|(name, width)| (name.to_string(), *width)).collect(),
            lane: *longest,
            rows: kept.iter().map(|k| u64::from(k.rows)).max().unwrap(),
        }
    }

    /// Clocks without a packet between one here and one at another of the same.
    fn bubble(&self) -> u32 {
        self.lane.sent + Sublane::TRANSIT + Sublane::SEEN - self.lane.read - 1
    }
}

/// Two of it with lanes both ways, and one beside.
struct Pair<'a> {
    part: &'a Part,
    /// The two, and the one that says what is right.
    models: [Model; 3],
    clock: u64,
    due: VecDeque<(u64, usize)>,
    wrong: u64,
    checked: u64,
}

impl<'a> Pair<'a> {
    fn new(part: &'a Part, seed: u64) -> Self {
        let models = [0, 1, 2].map(|i| part.library.instance(seed + i).unwrap());
        let mut pair = Pair { part, models, clock: 0, due: VecDeque::new(), wrong: 0, checked: 0 };
        for reset in [0, 1] {
            for model in &mut pair.models {
                let port = model.port("rst_ni").unwrap();
                model.set_u64(port, reset);
            }
            (0..4).for_each(|_| pair.step(None));
        }
        while (0..3).any(|i| pair.read(i, region::READY) != 1) {}
        pair
    }

    /// A clock; a packet goes to one of the two.
    fn step(&mut self, packet: Option<(usize, u64, &[Bits])>) {
        let names = &self.part.outputs;
        if self.due.front().is_some_and(|(clock, _)| *clock == self.clock) {
            let (_, at) = self.due.pop_front().unwrap();
            for name in names {
                let [got, want] = [at, 2].map(|i| {
                    let port = self.models[i].port(name).unwrap();
                    self.models[i].get(port)
                });
                self.checked += 1;
                self.wrong += u64::from(got != want);
            }
        }
        // One register lies between what leaves and what arrives: the values of before this clock.
        let sent: Vec<(u64, Bits)> = [0, 1]
            .map(|i| {
                let model = &self.models[i];
                let valid = model.get_u64(model.port("lane_valid_o").unwrap());
                (valid, model.get(model.port("lane_o").unwrap()))
            })
            .into();
        for (i, model) in self.models.iter_mut().enumerate() {
            let goes = packet.filter(|p| i == 2 || p.0 == i);
            let set = |model: &mut Model, name: &str, value: u64| {
                let port = model.port(name).unwrap();
                model.set_u64(port, value);
            };
            set(model, "valid_i", u64::from(goes.is_some()));
            if let Some((_, time, inputs)) = packet {
                set(model, "time_i", time);
                for ((name, _), value) in self.part.inputs.iter().zip(inputs) {
                    let port = model.port(name).unwrap();
                    model.set(port, value);
                }
            }
        }
        if let Some((at, ..)) = packet {
            self.due.push_back((self.clock + u64::from(self.part.latency), at));
        }
        self.models.iter_mut().for_each(Model::tick);
        for i in [0, 1] {
            let (valid, message) = &sent[1 - i];
            let model = &mut self.models[i];
            let (to, data) = (model.port("lane_valid_i").unwrap(), model.port("lane_i").unwrap());
            model.set_u64(to, *valid);
            model.set(data, message);
        }
        self.clock += 1;
    }

    fn begin(&mut self, at: usize, write: bool, word: u32, value: u32) {
        let model = &mut self.models[at];
        for (name, value) in [
            ("cfg_valid_i", 1),
            ("cfg_write_i", u64::from(write)),
            ("cfg_addr_i", word.into()),
            ("cfg_wdata_i", value.into()),
        ] {
            let port = model.port(name).unwrap();
            model.set_u64(port, value);
        }
    }

    /// Whether the request before has been answered, and with what.
    fn answer(&mut self, at: usize) -> Option<u32> {
        let model = &mut self.models[at];
        let [valid, ack, data] =
            ["cfg_valid_i", "cfg_ack_o", "cfg_rdata_o"].map(|name| model.port(name).unwrap());
        let value = (model.get_u64(ack) == 1).then(|| model.get_u64(data) as u32);
        model.set_u64(valid, 0);
        value
    }

    fn access(&mut self, at: usize, write: bool, word: u32, value: u32) -> u32 {
        self.begin(at, write, word, value);
        let begun = self.clock;
        loop {
            self.step(None);
            assert!(self.clock < begun + 1000, "word {word:#x} is not answered");
            if let Some(value) = self.answer(at) {
                // The bus takes the next request a clock behind its answer.
                self.step(None);
                return value;
            }
        }
    }

    fn read(&mut self, at: usize, word: u32) -> u32 {
        self.access(at, false, word, 0)
    }
}

/// Makes packets.
type Make<'a> = &'a dyn Fn(&mut StdRng) -> Vec<Bits>;

/// A life: packets to the first one, which is copied while they go on; then to and fro with `bubble` free clocks
/// between them. Gives how much was wrong.
fn life(part: &Part, seed: u64, bubble: u32, make: Make<'_>) -> (u64, u64) {
    let mut pair = Pair::new(part, seed);
    let mut rng = StdRng::seed_from_u64(seed);
    let mut time = 1000;
    for i in [0, 1] {
        pair.access(i, true, region::LANE, 1);
    }
    let mut packet = |pair: &mut Pair<'_>, rng: &mut StdRng, at: usize, rate: u32| {
        time += u64::from(rng.random_range(0..40) == 0);
        let there = rng.random_range(0..64) < rate;
        let inputs = make(rng);
        pair.step(there.then_some((at, time, &inputs)));
    };
    for _ in 0..2000 {
        packet(&mut pair, &mut rng, 0, 60);
    }
    pair.begin(0, true, region::LANE, 3);
    let rate = [60, 48, 32][rng.random_range(0..3)];
    for _ in 0..part.rows * PATIENCE + 200 {
        packet(&mut pair, &mut rng, 0, rate);
        pair.answer(0);
    }
    let (sender, taker) = (pair.read(0, region::LANE), pair.read(1, region::LANE));
    assert_eq!(sender & 7, 1, "all rows have been sent");
    assert_eq!(taker & 7, 1, "nothing was lost");
    assert!(taker >> 8 != 0, "{taker:#x}: the end has come");
    for flip in 1..60 {
        for _ in 0..rng.random_range(1..60) {
            packet(&mut pair, &mut rng, flip % 2, 64);
        }
        (0..bubble).for_each(|_| pair.step(None));
    }
    (0..40).for_each(|_| pair.step(None));
    assert_eq!(pair.read(0, region::LANE) & 4, 0, "no message met a write");
    (pair.wrong, pair.checked)
}

/// With the bubble of the formula all is right; with one clock less it is not, for some seed.
fn moves(part: &Part, make: Make<'_>) {
    let bubble = part.bubble();
    println!("{:?}: bubble {bubble}", part.lane);
    assert!(bubble <= 12);
    let mut noticed = 0;
    for seed in 0..4 {
        let (wrong, checked) = life(part, seed, bubble, make);
        assert!(checked > 2000);
        assert_eq!(wrong, 0, "seed {seed}: of {checked}");
        noticed += life(part, seed, bubble - 1, make).0;
    }
    assert!(noticed > 0, "one clock less is noticed");
}

fn number(rng: &mut StdRng, width: u32) -> Bits {
    let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| rng.random()).collect();
    Bits::from_limbs(width, &limbs)
}

/// A small number, often the same.
fn hot(rng: &mut StdRng, width: u32) -> Bits {
    let at = if rng.random_range(0..3) > 0 { 3 } else { rng.random_range(0..12) };
    Bits::new(width, at)
}

#[test]
fn registers_move() {
    let shape = RegisterShape { width: 48, size: 37, signed: true };
    let part =
        Part::new("moving_register", &[("index_i", 8), ("x_i", 48)], |p, config, site, i| {
            let (old, ports) = register(p, config, &shape, site, i[0], &[i[1]], |p, old, rest| {
                let on = p.lit(1, 1);
                (on, p.add(old, rest[0]))
            });
            (vec![("old_o", old)], ports)
        });
    moves(&part, &|rng| vec![hot(rng, 8), number(rng, 48)]);
}

#[test]
fn meters_move() {
    let shape = MeterShape { unit: Unit::Packets, size: 16 };
    let part = Part::new("moving_meter", &[("index_i", 8)], |p, config, site, i| {
        let on = p.lit(1, 1);
        let length = p.lit(16, 100);
        let (colour, ports) = meter(p, config, &shape, site, on, i[0], length);
        (vec![("colour_o", colour)], ports)
    });
    assert!(part.bubble() <= 12);
}

#[test]
fn counters_move() {
    let shape = CounterShape { unit: Unit::Both, size: 64 };
    let inputs = [("index_i", 8), ("length_i", 16), ("on_i", 1)];
    let part = Part::new("moving_counter", &inputs, |p, config, site, i| {
        let ports = counter(p, config, &shape, site, i[2], i[0], i[1]);
        (Vec::new(), ports)
    });
    assert_eq!(part.bubble(), 7);
}

#[test]
fn maps_move() {
    let shape =
        MapShape { key: vec![16, 8], values: vec![16, 5], buckets: 8, ways: 4, idle_timeout_us: 9 };
    let inputs = [
        ("hash_i", 32),
        ("touch_i", 1),
        ("put_i", 1),
        ("remove_i", 1),
        ("key0_i", 16),
        ("key1_i", 8),
        ("value0_i", 16),
        ("value1_i", 5),
    ];
    let part = Part::new("moving_map", &inputs, |p, config, site, i| {
        let operands = [i[2], i[3], i[6], i[7]];
        let key = vec![i[4], i[5]];
        let input = MapIn { key, hash: i[0], touch: i[1], operands: &operands };
        let (out, ports) = map(p, config, &shape, site, &input, |p, found, old, rest| {
            let mixed = p.xor(old[0], rest[2]);
            let remove = p.and(rest[1], found);
            MapStep { put: Some((rest[0], vec![mixed, rest[3]])), remove: Some(remove) }
        });
        let mut listed = vec![("found_o", out.found), ("stored_o", out.stored)];
        listed.extend(["v0_o", "v1_o"].into_iter().zip(out.values));
        (listed, ports)
    });
    moves(&part, &|rng| {
        // The bucket goes with the key, as a hash does.
        let key = rng.random_range(0..48u32);
        let key = if rng.random_range(0..2) == 0 { 5 } else { key };
        let does = rng.random_range(0..8);
        vec![
            Bits::new(32, (key % 8).into()),
            Bits::new(1, u128::from(does > 2)),
            Bits::new(1, u128::from((1..5).contains(&does))),
            Bits::new(1, u128::from(does == 0)),
            Bits::new(16, key.into()),
            Bits::new(8, 7),
            number(rng, 16),
            number(rng, 5),
        ]
    });
}
