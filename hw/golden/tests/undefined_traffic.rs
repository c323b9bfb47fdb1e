//! One test for each row of the undefined-behaviour table of ARCHITECTURE.md that is about tables,
//! copies and what becomes of a packet.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Byte, insert, model, send};
use restage_golden::{Golden, Input, Options, Output};
use restage_program::Bits;
use restage_program::entry::{
    CloneTarget, Entry, EntryTarget, KeyMatch, MeterConfig, Replica, Write,
};
use restage_program::prelude::*;
use restage_program::program::ActionCall;

fn parsed(p: &mut Builder) -> Byte {
    let b: Byte = p.header("b");
    p.state("start", |c| {
        c.extract(b);
        c.accept();
    });
    b
}

fn drops(golden: &mut Golden, bytes: &[u8]) -> (Output, usize) {
    let mut out = Output::new();
    golden.process(&Input::new(1, bytes), &mut out);
    let count = out.packets().len();
    (out, count)
}

fn replica(port: u16, rid: u16) -> Replica {
    Replica { port, rid }
}

fn session(session: u32, replicas: Vec<Replica>) -> Write {
    Write::SetClone { session, target: Some((CloneTarget::Replicas(replicas), None)) }
}

#[test]
fn groups_and_sessions_that_do_not_exist() {
    let mut golden = model(|p| {
        let s = p.standard();
        let b = parsed(p);
        p.ingress(|c| {
            c.if_(b.v.eq(1), |c| c.set(s.mcast_grp, 7)).else_(|c| c.clone_ingress(9, None));
        });
        p.emit(b);
    });
    let (out, count) = drops(&mut golden, &[1]);
    assert_eq!((out.drops.no_group, count), (1, 0));
    let (out, count) = drops(&mut golden, &[2]);
    assert_eq!((out.drops.no_session, count), (1, 1), "the packet itself goes on");
    golden.write(&session(9, vec![replica(4, 0)])).unwrap();
    assert_eq!(send(&mut golden, &[2]), [(4, vec![2]), (0, vec![2])]);
    let replicas = Some(vec![replica(3, 1), replica(3, 2), replica(5, 1)]);
    golden.write(&Write::SetMulticast { group: 7, replicas }).unwrap();
    let ports: Vec<u16> = send(&mut golden, &[1]).iter().map(|(port, _)| *port).collect();
    assert_eq!(ports, [3, 3, 5]);
}

#[test]
fn the_last_clone_and_digest_and_the_smallest_truncation() {
    let mut golden = model(|p| {
        let b = parsed(p);
        let m = p.meta("m", bit(8));
        let first = p.digest("first", [("v", b.v)]);
        let last = p.digest("last", [("v", b.v), ("m", m)]);
        p.ingress(|c| {
            c.clone_ingress(1, None);
            c.clone_ingress(2, None);
            c.digest(first);
            c.digest(last);
            c.set(m, 3);
            c.truncate(3);
            c.truncate(2);
            c.truncate(9);
        });
        p.emit(b);
    });
    golden.write(&session(1, vec![replica(10, 0)])).unwrap();
    golden.write(&session(2, vec![replica(20, 0)])).unwrap();
    let (out, _) = drops(&mut golden, &[1, 2, 3, 4]);
    let packets: Vec<(u16, Vec<u8>)> = out.packets().map(|(p, b)| (p, b.to_vec())).collect();
    assert_eq!(packets, [(20, vec![1, 2, 3, 4]), (0, vec![1, 2])], "a clone is not truncated");
    let digests: Vec<_> = out.digests().collect();
    assert_eq!(digests.len(), 1);
    assert_eq!(digests[0].0.0, 1);
    assert_eq!(digests[0].1, [Bits::new(8, 1), Bits::new(8, 3)], "as at the end of ingress");
}

/// Truncation belongs to the copy that asks for it: multicast copies and further passes are whole.
#[test]
fn truncation_is_not_inherited() {
    let mut golden = model(|p| {
        let s = p.standard();
        let b = parsed(p);
        p.ingress(|c| {
            c.truncate(1);
            c.if_(b.v.eq(0), |c| c.set(s.mcast_grp, 1));
        });
        p.egress(|c| {
            c.if_(b.v.eq(1), |c| {
                c.set(b.v, 0);
                c.recirculate(None);
            });
        });
        p.emit(b);
    });
    let replicas = Some(vec![replica(3, 1)]);
    golden.write(&Write::SetMulticast { group: 1, replicas }).unwrap();
    assert_eq!(send(&mut golden, &[0, 5, 6]), [(3, vec![0, 5, 6])]);
    assert_eq!(send(&mut golden, &[1, 5, 6]), [(3, vec![0, 5, 6])]);
    assert_eq!(send(&mut golden, &[2, 5, 6]), [(0, vec![2])]);
}

#[test]
fn passes_and_copies_are_bounded() {
    let describe = |p: &mut Builder| {
        let b = parsed(p);
        p.ingress(|c| {
            c.if_(b.v.eq(1), |c| c.resubmit(None));
        });
        p.egress(|c| {
            c.set(b.v, b.v + 1);
            c.if_(b.v.ge(0x80), |c| c.recirculate(None));
            c.if_(b.v.eq(0x70), |c| {
                c.set(b.v, 0x6f);
                c.clone_egress(1, None);
            });
        });
        p.emit(b);
    };
    let mut golden = model(describe);
    for start in [1, 0x80] {
        let (out, count) = drops(&mut golden, &[start]);
        assert_eq!((out.drops.max_passes, count), (1, 0), "{start}");
    }
    // A clone that makes two clones of itself, and so on.
    golden.write(&session(1, vec![replica(1, 0), replica(2, 0)])).unwrap();
    let (out, count) = drops(&mut golden, &[0x6f]);
    assert!(out.drops.max_copies > 0);
    assert_eq!(count, 4097);
    let options = Options { max_passes: 3, ..Options::default() };
    let mut golden = Golden::with_options(golden.program(), options).unwrap();
    golden.write(&session(1, vec![replica(1, 0), replica(2, 0)])).unwrap();
    let (out, count) = drops(&mut golden, &[0x6f]);
    assert_eq!((out.drops.max_passes, count), (8, 7));
}

fn mark(p: &mut Builder, b: Byte, value: i32) -> Action {
    p.action(&format!("mark{value}"), [], |c, []| c.set(b.v, value))
}

#[test]
fn empty_tables_and_empty_groups() {
    let mut golden = model(|p| {
        let b = parsed(p);
        let (one, two, three) = (mark(p, b, 1), mark(p, b, 2), mark(p, b, 3));
        let selector = p.action_selector("sel", Crc16, list![b.v], 8);
        let t = p.table("t", |t| {
            t.exact(b.v).actions([one, two]).default(two, []).size(4).implementation(selector);
            t.counter("hits", Unit::Packets);
        });
        p.ingress(|c| {
            c.apply(t).hit(|_| {}).miss(|c| {
                c.if_(b.v.eq(2), |c| c.run(three));
            });
        });
        p.emit(b);
    });
    assert_eq!(send(&mut golden, &[9]), [(0, vec![3])], "an empty table misses");
    let profile = golden.program().find_profile("sel").unwrap();
    let table = golden.program().find_table("t").unwrap();
    let one = golden.program().find_action("mark1").unwrap();
    let call = ActionCall { action: one, args: vec![] };
    golden.write(&Write::SetMember { profile, member: 5, call }).unwrap();
    golden.write(&Write::SetGroup { profile, group: 1, members: vec![(5, 2)] }).unwrap();
    let keys = vec![KeyMatch::Exact(Bits::new(8, 9))];
    let target = EntryTarget::Group(1);
    let entry = Entry { keys: keys.clone(), priority: 0, target, idle_timeout_us: 0 };
    golden.write(&Write::Insert(table, entry)).unwrap();
    assert_eq!(send(&mut golden, &[9]), [(0, vec![1])]);
    golden.write(&Write::SetGroup { profile, group: 1, members: vec![] }).unwrap();
    assert_eq!(send(&mut golden, &[9]), [(0, vec![3])], "an empty group is a miss");
    assert_eq!(golden.direct_counter(table, &keys, 0).unwrap().packets, 1);
}

#[test]
fn equal_priorities() {
    let mut golden = model(|p| {
        let b = parsed(p);
        let (one, two) = (mark(p, b, 1), mark(p, b, 2));
        let t = p.table("t", |t| {
            t.ternary(b.v).actions([one, two]).default(two, []).size(4);
        });
        p.ingress(|c| {
            c.apply(t);
        });
        p.emit(b);
    });
    let masked = |value: u128, mask: u128| {
        vec![KeyMatch::Masked { value: Bits::new(8, value), mask: Bits::new(8, mask) }]
    };
    let program = golden.program().clone();
    golden.write(&insert(&program, "t", masked(0xf0, 0xf0), "mark1", vec![], 5)).unwrap();
    golden.write(&insert(&program, "t", masked(0x0f, 0x0f), "mark2", vec![], 5)).unwrap();
    assert_eq!(send(&mut golden, &[0xff]), [(0, vec![1])], "the one installed first");
    golden.write(&insert(&program, "t", masked(0x03, 0x03), "mark2", vec![], 6)).unwrap();
    assert_eq!(send(&mut golden, &[0xff]), [(0, vec![2])], "the larger one");
}

/// A write that is refused names what is wrong and changes nothing.
#[test]
fn refused_writes() {
    let mut golden = model(|p| {
        let b = parsed(p);
        let one = mark(p, b, 1);
        let set = p.action("set", [("v", bit(8))], |c, [v]| c.set(b.v, v));
        let t = p.table("t", |t| {
            t.lpm(b.v).actions([one, set]).default(one, []).size(2);
        });
        p.register("reg", bit(8), 2);
        let meter = p.meter("met", Unit::Packets, 1);
        let m = p.meta("m", bit(2));
        p.ingress(|c| {
            c.execute_meter(m, meter, 0);
            c.apply(t);
        });
        p.emit(b);
    });
    let program = golden.program().clone();
    let lpm = |value: u128, prefix| vec![KeyMatch::Lpm { value: Bits::new(8, value), prefix }];
    let arg = |width| vec![Bits::new(width, 1)];
    let add = |golden: &mut Golden, keys, action, args| {
        golden.write(&insert(&program, "t", keys, action, args, 0)).map_err(|e| e.to_string())
    };
    let text = |result: std::result::Result<(), String>| result.unwrap_err();
    assert!(text(add(&mut golden, lpm(1, 4), "mark1", vec![])).contains("clear them"));
    assert!(text(add(&mut golden, lpm(0, 9), "mark1", vec![])).contains("it has 8 bits"));
    assert!(text(add(&mut golden, vec![], "mark1", vec![])).contains("0 keys given"));
    assert!(
        text(add(&mut golden, vec![KeyMatch::Exact(Bits::new(8, 1))], "mark1", vec![]))
            .contains("`lpm`")
    );
    assert!(text(add(&mut golden, lpm(0, 0), "set", vec![])).contains("it takes 1 (v)"));
    assert!(text(add(&mut golden, lpm(0, 0), "set", arg(9))).contains("it takes 8"));
    assert_eq!(golden.entries(program.find_table("t").unwrap()).len(), 0);
    add(&mut golden, lpm(0, 0), "set", arg(8)).unwrap();
    assert!(
        text(add(&mut golden, vec![KeyMatch::Any], "mark1", vec![])).contains("exists already")
    );
    add(&mut golden, lpm(0x80, 1), "set", arg(8)).unwrap();
    assert!(text(add(&mut golden, lpm(0xc0, 2), "set", arg(8))).contains("it holds 2 entries"));
    let register = program.find_register("reg").unwrap();
    let write = Write::SetRegister(register, 2, Bits::new(8, 1));
    assert!(golden.write(&write).unwrap_err().to_string().contains("no index 2"));
    let meter = program.find_meter("met").unwrap();
    for (cir, pir) in [(2.0, 1.0), (f64::NAN, 1.0), (-1.0, 1.0), (0.0, f64::INFINITY)] {
        let config = MeterConfig { cir, cburst: 1, pir, pburst: 1 };
        let error = golden.write(&Write::SetMeter(meter, 0, Some(config))).unwrap_err();
        assert!(error.to_string().starts_with("meter `met`: committed rate"), "{error}");
    }
    let table = restage_program::entity::Table(99);
    let missing = golden.write(&Write::SetDefault(table, None)).unwrap_err();
    assert_eq!(missing.to_string(), "table `99`: does not exist; the program has 1");
}
