//! Packets per second of l3_acl: 60-byte packets of 10,000 flows over all routes, of which half hit a
//! rule of the access list, uniformly by priority.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use restage_golden::{Golden, Input, Output};
use restage_program::entry::{Entry, EntryTarget, KeyMatch, Write};
use restage_program::program::ActionCall;
use restage_program::{Bits, Checked};
use std::hint::black_box;

const FLOWS: usize = 10_000;

fn insert(
    program: &Checked,
    table: &str,
    action: &str,
    keys: Vec<KeyMatch>,
    args: Vec<Bits>,
    priority: u32,
) -> Write {
    let table = program.find_table(table).unwrap();
    let action = program.find_table_action(table, action).unwrap();
    let target = EntryTarget::Action(ActionCall { action, args });
    Write::Insert(table, Entry { keys, priority, target, idle_timeout_us: 0 })
}

/// One address of a prefix.
fn inside(rng: &mut SmallRng, prefix: (u32, u32)) -> u32 {
    prefix.0 | rng.random::<u32>().checked_shr(prefix.1).unwrap_or(0)
}

fn prefix(rng: &mut SmallRng, length: u32) -> (u32, u32) {
    (rng.random::<u32>() & u32::MAX << (32 - length), length)
}

fn packet(src: u32, dst: u32, proto: u8, ports: u32) -> Vec<u8> {
    let mut p =
        vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, proto, 0, 0];
    p.extend(src.to_be_bytes());
    p.extend(dst.to_be_bytes());
    let mut sum: u32 = p[14..].chunks(2).map(|w| u32::from(w[0]) << 8 | u32::from(w[1])).sum();
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    p[24..26].copy_from_slice(&(!(sum as u16)).to_be_bytes());
    p.extend(ports.to_be_bytes());
    p.resize(60, 0);
    p
}

/// The model with its entries, and the packets.
fn set_up(routes: usize, rules: usize) -> (Golden, Vec<Vec<u8>>) {
    let mut program = restage_library::get("l3_acl").unwrap().program();
    for name in ["route", "acl", "nexthop"] {
        let table = program.find_table(name).unwrap();
        program.tables[table].size = 65_536;
    }
    let program = program.check().unwrap();
    let mut golden = Golden::new(&program).unwrap();
    let mut rng = SmallRng::seed_from_u64(1);
    let bits = |width, value: u32| Bits::new(width, value.into());
    for hop in 0..64u32 {
        let args = vec![bits(9, hop % 16), bits(48, hop), bits(48, !hop)];
        golden
            .write(&insert(
                &program,
                "nexthop",
                "adjacency",
                vec![KeyMatch::Exact(bits(16, hop))],
                args,
                0,
            ))
            .unwrap();
    }
    let mut prefixes = Vec::new();
    while prefixes.len() < routes {
        let length = if rng.random_bool(0.7) { 24 } else { rng.random_range(12..=32) };
        let p = prefix(&mut rng, length);
        let key = KeyMatch::lpm(&bits(32, p.0), p.1);
        let hop = rng.random_range(0..64);
        if golden.write(&insert(&program, "route", "to", vec![key], vec![bits(16, hop)], 0)).is_ok()
        {
            prefixes.push(p);
        }
    }
    let mut list = Vec::new();
    for rank in 0..rules {
        let length = rng.random_range(16..=32);
        let (src, to) = (prefix(&mut rng, length), prefixes[rng.random_range(0..routes)]);
        let dst = if rng.random_bool(0.5) { to } else { (0, 0) };
        let proto =
            if rng.random_bool(0.7) { Some(if rng.random() { 6u8 } else { 17 }) } else { None };
        let port = rng.random_bool(0.6).then(|| rng.random::<u16>());
        let masked = |p: (u32, u32)| {
            let mask = u32::MAX.checked_shl(32 - p.1).unwrap_or(0);
            KeyMatch::masked(&bits(32, p.0), bits(32, mask))
        };
        let any = |value: Option<u32>, width| match value {
            Some(v) => KeyMatch::masked(&bits(width, v), Bits::ones(width)),
            None => KeyMatch::Any,
        };
        let dport = any(port.map(u32::from), 16);
        let keys =
            vec![masked(src), masked(dst), any(proto.map(u32::from), 8), KeyMatch::Any, dport];
        let action = if rng.random_bool(0.5) { "permit" } else { "deny" };
        golden
            .write(&insert(&program, "acl", action, keys, vec![], (rules - rank) as u32))
            .unwrap();
        list.push((src, if dst.1 == 0 { to } else { dst }, proto, port));
    }
    let packets = (0..FLOWS)
        .map(|flow| {
            let (src, dst, proto, port) = match flow % 2 {
                0 => list[rng.random_range(0..rules)],
                _ => ((0, 0), prefixes[rng.random_range(0..routes)], None, None),
            };
            let (src, dst) = (inside(&mut rng, src), inside(&mut rng, dst));
            let ports = rng.random::<u32>() & 0xffff_0000 | u32::from(port.unwrap_or(rng.random()));
            packet(src, dst, proto.unwrap_or(if rng.random() { 6 } else { 17 }), ports)
        })
        .collect();
    (golden, packets)
}

fn main() {
    let a: Vec<usize> = std::env::args().skip(1).map(|x| x.parse().unwrap()).collect();
    let (mut golden, packets) = set_up(a[0], a[1]);
    let mut out = Output::new();
    let mut all = vec![];
    for _ in 0..a[2] {
        for chunk in packets.chunks(500) {
            let w = std::time::Instant::now();
            for packet in chunk {
                golden.process(&Input::new(0, packet), &mut out);
                black_box(&out);
            }
            all.push(w.elapsed().as_nanos() as f64 / chunk.len() as f64);
        }
    }
    all.sort_by(f64::total_cmp);
    println!(
        "min {} 10% {} median {} ns/packet wall",
        all[0],
        all[all.len() / 10],
        all[all.len() / 2]
    );
}
