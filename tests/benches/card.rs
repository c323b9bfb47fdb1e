//! Clocks a second of a simulated card: eight regions of which five work, PHVs of 1024 bits.
//!
//! `line rate`: a packet of 64 bytes on nearly every clock. `nothing`: the gate is open and nothing comes. `a packet in a thousand
//! clocks`: 0.1 % of line rate, every clock evaluated, and the clocks in between skipped.

#![allow(clippy::unwrap_used)] // a benchmark may

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use restage_gen::hardware::{Target, build_with};
use restage_sim_verilator::{BenchOptions, Line, Received};
use restage_tests::hardware::card::Card;
use restage_tests::soak::life::Options;
use restage_tests::soak::pool::{FUNCTIONS, MARKED, Versions, program};
use std::io;

/// Packets of 64 bytes, one every so many clocks; with 0 as many as the card takes.
#[derive(Debug)]
struct Every {
    clocks: u64,
    clock: u64,
    at: u64,
    number: u32,
}

impl Every {
    fn packet(&mut self) -> (u16, Vec<u8>) {
        self.number = self.number.wrapping_mul(0x9e37_79b1).wrapping_add(1);
        let mut bytes = vec![0, 3, self.number as u8, 0];
        bytes.extend(self.number.to_be_bytes());
        bytes.resize(33, 0);
        bytes.extend(MARKED);
        bytes.resize(64, 0);
        (1, bytes)
    }
}

impl Line for Every {
    fn exchange(&mut self, _: Vec<Received>, waiting: usize) -> io::Result<Vec<(u16, Vec<u8>)>> {
        if self.clocks == 0 {
            return Ok((waiting..128).map(|_| self.packet()).collect());
        }
        let mut new = Vec::new();
        while self.at <= self.clock {
            self.at += self.clocks;
            new.push(self.packet());
        }
        Ok(new)
    }

    fn next(&self) -> Option<u64> {
        (self.clocks > 0).then_some(self.at)
    }

    fn clock(&mut self, clock: u64) {
        self.clock = clock;
    }
}

fn card(clocks: u64) -> Card {
    let Options { config, .. } = Options::default();
    let versions = Versions { parser: 3, functions: [Some(1); FUNCTIONS], deparser: 0 };
    let program = program(&versions, 1).check().unwrap();
    let target = Target { like: Some(&config), regions: Some(config.regions), ..Target::default() };
    let hardware = build_with(&program, &target).unwrap();
    let mut card = Card::new(&program, &hardware, BenchOptions::default()).unwrap();
    let clock = card.nic.cycle();
    card.nic.attach(Box::new(Every { clocks, clock, at: clock, number: 1 }));
    card
}

fn clocks(c: &mut Criterion) {
    let mut group = c.benchmark_group("card");
    group.sample_size(10);
    let mut measure = |name: &str, every: u64, count: u64, skip: bool| {
        group.throughput(Throughput::Elements(count));
        let mut card = card(every);
        card.nic.run(5_000).unwrap();
        group.bench_function(name, |b| {
            b.iter(|| {
                if skip { card.nic.pass(count) } else { card.nic.run(count) }.unwrap();
                card.forget();
            });
        });
    };
    measure("line rate", 0, 20_000, false);
    measure("nothing", u64::MAX / 2, 100_000, false);
    measure("a packet in a thousand clocks", 1000, 100_000, false);
    measure("a packet in a hundred thousand clocks, skipping", 100_000, 10_000_000, true);
    group.finish();
}

criterion_group!(benches, clocks);
criterion_main!(benches);
