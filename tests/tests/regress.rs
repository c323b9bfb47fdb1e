//! What `regress` compares: planted faults are found, each in words; passes done one at a time mean what all at once mean.

#![allow(clippy::unwrap_used)] // a test may

use restage_gen::hardware::build;
use restage_golden::{Entering, Golden, Input, Output};
use restage_program::entity::Counter;
use restage_program::entry::Write;
use restage_program::expr::Expr;
use restage_program::stmt::StmtKind;
use restage_program::types::bit;
use restage_program::{Bits, Checked, entries_text};
use restage_sim_verilator::BenchOptions;
use restage_tests::hardware::prepare::prepare;
use restage_tests::hardware::regress::{Job, Kind, Report, regress_on};
use restage_tests::traffic::Traffic;
use std::collections::VecDeque;

fn of_library(name: &str) -> (Checked, Vec<Write>) {
    let item = restage_library::get(name).unwrap();
    let program = item.program().check().unwrap();
    let writes = entries_text::parse(&program, item.entries).unwrap();
    (program, writes)
}

fn golden(program: &Checked, writes: &[Write]) -> Golden {
    let mut golden = Golden::new(program).unwrap();
    writes.iter().for_each(|w| golden.write(w).unwrap());
    golden
}

/// Clones are given their copies later, so what leaves comes in another order; nothing else differs.
#[test]
fn one_pass_at_a_time() {
    for name in ["mirror", "recirculate_demo", "int_md", "l3_acl"] {
        let (program, writes) = of_library(name);
        let (mut whole, mut parts) = (golden(&program, &writes), golden(&program, &writes));
        let (mut out, mut further) = (Output::new(), 0);
        for (port, bytes) in Traffic::new(&program, &writes, 5).take(400) {
            whole.process(&Input::new(port, &bytes), &mut out);
            let sent = |out: &Output| -> Vec<(u16, Vec<u8>)> {
                out.packets().map(|(port, bytes)| (port, bytes.to_vec())).collect()
            };
            let (mut wanted, drops) = (sent(&out), out.drops);
            let (mut found, mut looped) = (Vec::new(), VecDeque::new());
            let (mut dropped, mut no_session) = (0, 0);
            let mut next = Some(Entering::New { port, bytes: &bytes });
            while let Some(entering) = next {
                parts.pass(entering, 0, &[], &mut out, &mut looped, &mut |_| {});
                found.extend(sent(&out));
                dropped += out.drops.ingress + out.drops.egress;
                no_session += out.drops.no_session;
                next = looped.pop_front().map(Entering::Again);
                further += u64::from(next.is_some());
            }
            wanted.sort();
            found.sort();
            assert_eq!(found, wanted, "{name}: {bytes:02x?}");
            assert_eq!((dropped, no_session), (drops.ingress + drops.egress, drops.no_session));
        }
        assert_eq!(further > 0, name != "l3_acl", "{name}: {further} further passes");
    }
}

/// Hardware of one program against the model of another.
fn run(model: &Checked, hardware: &Checked) -> Report {
    let (_, writes) = of_library("recirculate_demo");
    let prepared = prepare(model, writes, 3, (60, 20));
    let job = Job {
        program: model,
        writes: &prepared.writes,
        lone: &prepared.lone[..4],
        packets: &prepared.packets,
        dense: &prepared.dense,
        options: BenchOptions::default(),
    };
    regress_on(&build(hardware).unwrap(), &job).unwrap()
}

#[test]
fn planted_faults_are_found() {
    let (program, _) = of_library("recirculate_demo");
    let report = run(&program, &program);
    assert!(report.difference.is_none(), "{:?}", report.difference);
    assert!(report.tally.looped > 20 && report.rows > 10, "{report:?}");

    let mut dropping = (*program).clone();
    dropping.egress.push(StmtKind::MarkToDrop.into());
    let found = run(&program, &dropping.check().unwrap()).difference.unwrap();
    assert_eq!(found.kind, Kind::Packet);
    assert!(
        found.packet.is_some() && found.text.contains("the hardware nothing more"),
        "{found:?}"
    );
    assert!(found.text.contains("what the model did"), "{found:?}");

    let mut counting = (*program).clone();
    let index = Expr::Const { ty: bit(32), value: Bits::new(32, 7) };
    counting.ingress.insert(0, StmtKind::Count { counter: Counter(0), index }.into());
    let found = run(&program, &counting.check().unwrap()).difference.unwrap();
    assert_eq!(found.kind, Kind::State);
    assert!(found.text.contains("counter kinds[7]: model"), "{found:?}");
}
