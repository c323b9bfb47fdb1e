//! Lowered programs do what the golden model does.

#![allow(clippy::unwrap_used)] // a test may

use restage_compile::flow::verify;
use restage_library::ALL;
use restage_manifest::ShellConfig;
use restage_program::entries_text;
use restage_tests::flow_run::{FlowRun, compare, spread};
use restage_tests::oracle::case::{Case as OracleCase, directory, names};
use restage_tests::oracle::subject::{Subject, from_library, imported};
use restage_tests::random::compare::{Case, Packet};
use restage_tests::random::line_rate::line_rate;
use restage_tests::random::trial::{case_for, trial};

/// Windows as large as shells may have them.
fn large() -> ShellConfig {
    ShellConfig { window_bytes: 256, phv_bits: 4096, ..ShellConfig::default() }
}

#[test]
fn library_programs_are_lowered_and_agree() {
    let mut failed = Vec::new();
    for item in ALL {
        let program = item.program().check().unwrap();
        let writes = entries_text::parse(&program, item.entries).unwrap();
        let case = case_for(program, writes, 7, 300);
        let run = match FlowRun::new(&case.program, &large()) {
            Ok(run) => run,
            Err(refusals) => {
                for refusal in refusals {
                    failed.push(format!("{}: {refusal}", item.name));
                }
                continue;
            }
        };
        let before = failed.len();
        for flow in run.flows().all() {
            if let Err(faults) = verify(&case.program, flow) {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                failed.push(format!(
                    "{}: {}\n{}",
                    item.name,
                    faults.join("\n"),
                    flow.show(&case.program)
                ));
            }
        }
        if failed.len() > before {
            continue;
        }
        match compare(&case, run) {
            Ok(sent) => println!("{}: {sent} packets sent", item.name),
            Err(difference) => failed.push(format!("{}: {difference}", item.name)),
        }
    }
    assert!(failed.is_empty(), "{} faults:\n{}", failed.len(), failed.join("\n"));
}

/// What random programs do once what hardware cannot do is taken out of them.
#[test]
fn random_programs_are_lowered_and_agree() {
    let mut lowered = 0;
    for seed in 1..=60 {
        let case = trial(seed, 60).unwrap();
        let Some(case) = line_rate(case, large().window_bytes) else { continue };
        let Ok(run) = FlowRun::new(&case.program, &large()) else { continue };
        lowered += 1;
        for flow in run.flows().all() {
            verify(&case.program, flow).unwrap();
        }
        if let Err(difference) = compare(&case, run) {
            panic!("seed {seed}: {difference}");
        }
    }
    assert!(lowered >= 20, "{lowered} of 60 programs were lowered");
}

/// Cut into as many stages as there are tables, programs do the same.
#[test]
fn placed_programs_agree() {
    let like = ShellConfig { regions: 16, ..large() };
    for item in ALL {
        let program = item.program().check().unwrap();
        let writes = entries_text::parse(&program, item.entries).unwrap();
        let case = case_for(program, writes, 11, 200);
        let run = spread(&case.program, &like).unwrap();
        if let Err(difference) = compare(&case, run) {
            panic!("{}: {difference}", item.name);
        }
    }
    let mut cut = 0;
    for seed in 1..=60 {
        let case = trial(seed, 60).unwrap();
        let Some(case) = line_rate(case, large().window_bytes) else { continue };
        let Ok(run) = spread(&case.program, &like) else { continue };
        let stages = run.flows().ingress.iter().filter(|f| !f.outputs.is_empty()).count();
        cut += usize::from(stages > 1);
        for flow in run.flows().all() {
            verify(&case.program, flow).unwrap();
        }
        if let Err(difference) = compare(&case, run) {
            panic!("seed {seed}: {difference}");
        }
    }
    assert!(cut >= 10, "{cut} programs had more than one stage");
}

/// With headers in shared bits, programs do the same.
#[test]
fn shared_bits_agree() {
    let mut shared = 0;
    for item in ALL {
        let program = item.program().check().unwrap();
        let writes = entries_text::parse(&program, item.entries).unwrap();
        let case = case_for(program, writes, 5, 200);
        let run = FlowRun::shared(&case.program, &large()).unwrap();
        shared += run.flows().sharing.slots().count();
        if let Err(difference) = compare(&case, run) {
            panic!("{}: {difference}", item.name);
        }
    }
    assert!(shared > 50, "{shared} fields");
    let mut unions = 0;
    for seed in 100..=160 {
        let case = trial(seed, 60).unwrap();
        let Some(case) = line_rate(case, large().window_bytes) else { continue };
        let Ok(run) = FlowRun::shared(&case.program, &large()) else { continue };
        unions += run.flows().sharing.slots().count();
        if let Err(difference) = compare(&case, run) {
            panic!("seed {seed}: {difference}");
        }
    }
    assert!(unions > 50, "{unions} fields of random programs");
}

/// The traces of the oracle, on the library's programs and on p4c's as imported, flow by flow as the golden
/// model does them (which does them as BMv2 did). Of imported ones those are named that ask for more than
/// one packet per clock allows.
#[test]
fn traces_agree() {
    let mut refused = Vec::new();
    for name in names(&directory()).unwrap() {
        let data = OracleCase::load(&directory(), &name).unwrap();
        let reference = imported(&data).unwrap();
        let library = from_library(&data).map(|p| (p, "library"));
        for (program, source) in [(reference.clone(), "imported")].into_iter().chain(library) {
            let subject = Subject::new(program, &reference).unwrap();
            let writes = subject.entries(&data.entries).unwrap();
            let writes = writes.iter().map(|w| subject.translation().write(w).unwrap()).collect();
            let packets = data.trace.inputs.iter().map(|(number, frame)| Packet {
                port: frame.port,
                bytes: frame.bytes.clone(),
                time_us: u64::from(*number) * 1000,
                depth: 0,
            });
            let packets = packets.collect();
            let case = Case { program: subject.program().clone(), writes, packets };
            let run = match FlowRun::new(&case.program, &large()) {
                Ok(run) => run,
                Err(refusals) => {
                    let text: Vec<String> = refusals.iter().map(ToString::to_string).collect();
                    refused.push(format!("{name}, {source}: {}", text.join("; ")));
                    continue;
                }
            };
            if let Err(difference) = compare(&case, run) {
                panic!("{name}, {source}: {difference}");
            }
        }
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}
