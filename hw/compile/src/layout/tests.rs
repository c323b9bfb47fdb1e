use super::*;
use crate::lower::{Lowered, lower, shell_for};

static NOTHING_SHARED: std::sync::LazyLock<Sharing> = std::sync::LazyLock::new(Sharing::default);

fn lowered(name: &str) -> (restage_program::Checked, ShellConfig, Lowered) {
    let program = restage_library::get(name).unwrap().program().check().unwrap();
    let config = shell_for(
        &program,
        &ShellConfig { window_bytes: 256, phv_bits: 4096, ..ShellConfig::default() },
    );
    let lowered = lower(&program, &config).unwrap();
    (program, config, lowered)
}

fn parts(lowered: &Lowered) -> Parts<'_> {
    Parts {
        parser: &lowered.parser,
        ingress: std::slice::from_ref(&lowered.ingress),
        egress: std::slice::from_ref(&lowered.egress),
        update: lowered.update.as_ref(),
        deparser: &lowered.deparser,
        sharing: &NOTHING_SHARED,
    }
}

/// No two slots share a bit at a point at which both are alive, and everything read has a place.
#[test]
fn nothing_overlaps_while_it_is_alive() {
    for item in restage_library::ALL {
        let (program, config, lowered) = lowered(item.name);
        let parts = parts(&lowered);
        let laid = layout(&program, &config, &parts, None).unwrap();
        let lives = alive(&parts, &config);
        let fixed = |slot: &Slot| matches!(slot, Slot::Shell(_) | Slot::Message(..));
        for (i, a) in laid.slots.iter().enumerate() {
            assert!(a.at.low + a.at.width <= config.phv_bits, "{}: {a:?}", item.name);
            for b in &laid.slots[..i] {
                let apart = a.at.low + a.at.width <= b.at.low || b.at.low + b.at.width <= a.at.low;
                let points = |l: &Laid| match fixed(&l.slot) {
                    true => u64::MAX,
                    false => lives.get(&l.slot).copied().unwrap_or(0),
                };
                assert!(apart || points(a) & points(b) == 0, "{}: {a:?} {b:?}", item.name);
            }
        }
        for flow in lowered.flows() {
            for (slot, _) in flow.inputs() {
                assert!(
                    slot == Slot::Available || laid.at(slot).is_some(),
                    "{}: {slot:?}",
                    item.name
                );
            }
        }
        for emission in &lowered.deparser.emissions {
            assert!(laid.at(Slot::Valid(emission.header)).is_some(), "{}", item.name);
        }
    }
}

/// What is read in ingress alone makes room for what comes later.
#[test]
fn places_are_used_again() {
    let mut saved = 0;
    for item in restage_library::ALL {
        let (program, config, lowered) = lowered(item.name);
        let laid = layout(&program, &config, &parts(&lowered), None).unwrap();
        let side_by_side: u32 = laid.slots.iter().map(|s| s.at.width).sum();
        saved += side_by_side.saturating_sub(laid.bits);
    }
    assert!(saved > 0);
}

/// A program that changes a little keeps the places of what it has not changed.
#[test]
fn what_stays_stays_where_it_is() {
    let (program, config, lowered) = lowered("l3_acl");
    let first = layout(&program, &config, &parts(&lowered), None).unwrap();
    let mut moved = first.clone();
    // As if it had once been laid out in another order.
    let (i, j) = {
        let of = |name: &str| moved.slots.iter().position(|l| l.name == name).unwrap();
        (of("ipv4.src"), of("ipv4.dst"))
    };
    let low = moved.slots[i].at.low;
    moved.slots[i].at.low = moved.slots[j].at.low;
    moved.slots[j].at.low = low;
    assert_ne!(moved, first);
    assert_eq!(layout(&program, &config, &parts(&lowered), Some(&moved)).unwrap(), moved);
}

#[test]
fn a_phv_that_is_too_small_is_refused_with_the_numbers() {
    let (program, config, lowered) = lowered("l3_acl");
    let small = ShellConfig { phv_bits: 256, ..config };
    let refusal = layout(&program, &small, &parts(&lowered), None).unwrap_err();
    insta::assert_snapshot!(refusal.to_string());
}

/// Headers of different packets lie on each other, when that is asked for.
#[test]
fn headers_that_exclude_each_other_share_bits() {
    let mut saved = 0;
    for item in restage_library::ALL {
        let (program, config, lowered) = lowered(item.name);
        let plain = layout(&program, &config, &parts(&lowered), None).unwrap();
        let (shared, sharing) = crate::share::share(&program, &lowered);
        for flow in shared.flows() {
            if let Err(faults) = crate::flow::verify(&program, flow) {
                panic!("{}: {faults:?}", item.name);
            }
        }
        let tight = layout(&program, &config, &Parts { sharing: &sharing, ..parts(&shared) }, None)
            .unwrap();
        for emission in &lowered.deparser.emissions {
            assert!(tight.at(Slot::Field(emission.header, 0)).is_some(), "{}", item.name);
        }
        assert!(tight.bits <= plain.bits, "{}: {} of {}", item.name, tight.bits, plain.bits);
        saved += plain.bits - tight.bits;
    }
    assert!(saved >= 500, "{saved} bits");
}
