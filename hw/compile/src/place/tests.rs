use super::*;
use crate::flow::{AccessKind, verify};
use crate::lower::{lower, shell_for};
use restage_program::entity::Entity;

/// Counts: a LUT for each bit of an operation, a block RAM for each access.
struct Counted;

impl Estimate for Counted {
    fn stage(&mut self, flow: &Flow) -> Result<Cost, Refusal> {
        let luts = flow.values.values().map(|v| u64::from(v.ty.width())).sum();
        let tables = flow.accesses.values().filter(|a| matches!(a.kind, AccessKind::Table(_)));
        let bram18 = tables.count() as u64;
        Ok(Cost { luts, bram18, ..Cost::default() })
    }
}

fn placed(
    name: &str,
    regions: u32,
    capacity: Cost,
    old: Option<&Placement>,
) -> Result<(restage_program::Checked, Placement), Vec<Refusal>> {
    let program = restage_library::get(name).unwrap().program().check().unwrap();
    let like = ShellConfig { window_bytes: 256, phv_bits: 4096, regions, ..ShellConfig::default() };
    let config = shell_for(&program, &like);
    let lowered = lower(&program, &config).unwrap();
    let placement = place(&program, &config, &lowered, capacity, &mut Counted, old)?;
    Ok((program, placement))
}

const WIDE: Cost =
    Cost { luts: 1 << 20, registers: 1 << 20, bram18: 1, uram: 0, dsp: 0, latency: 64 };

/// One table for each region: all that follows is about cutting.
#[test]
fn stages_are_flows_of_their_own() {
    for item in restage_library::ALL {
        let (program, placement) = placed(item.name, 16, WIDE, None).unwrap();
        let mut cells = std::collections::BTreeSet::new();
        for stage in placement.ingress.iter().chain(&placement.egress) {
            if let Err(faults) = verify(&program, &stage.flow) {
                panic!("{}: {faults:?}\n{}", item.name, stage.flow.show(&program));
            }
            for cell in &stage.cells {
                assert!(cells.insert(cell.clone()) || cell.contains("counter"), "{cell} twice");
            }
        }
        let applied = placement.ingress.iter().filter(|s| s.cost.bram18 > 0).count();
        assert_eq!(applied, {
            let config = &placement.config;
            let lowered = lower(&program, config).unwrap();
            let tables = lowered.ingress.accesses.values();
            tables.filter(|a| matches!(a.kind, AccessKind::Table(_))).count()
        });
    }
}

/// Where there is room for everything in one region, all is there.
#[test]
fn what_fits_stays_together() {
    let all = Cost { bram18: 100, ..WIDE };
    let (_, placement) = placed("l3_acl", 4, all, None).unwrap();
    assert_eq!((placement.ingress.len(), placement.egress.len()), (1, 1), "{placement:?}");
    let text = serde_json::to_string(&placement).unwrap();
    assert_eq!(serde_json::from_str::<Placement>(&text).unwrap(), placement);
}

#[test]
fn what_does_not_fit_is_refused_with_the_numbers() {
    let refusals = placed("l3_acl", 2, WIDE, None).unwrap_err();
    let text: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(text.join("\n"));
}

/// The stages of a program that has got another table keep what they did.
#[test]
fn what_was_placed_stays_where_it_was() {
    let (_, first) = placed("l3_acl", 6, WIDE, None).unwrap();
    let mut old = first.clone();
    // As if the last region had been the first free one when it was placed.
    let used = old.ingress.iter().filter(|s| !s.cells.is_empty()).count();
    let last = old.ingress.len() - 1;
    old.ingress.swap(used - 1, last);
    let (_, again) = placed("l3_acl", 6, WIDE, Some(&old)).unwrap();
    assert_eq!(again.ingress[last].cells, first.ingress[used - 1].cells);
    let (_, same) = placed("l3_acl", 6, WIDE, Some(&first)).unwrap();
    assert_eq!(same, first);
    assert_eq!(first.ingress[0].flow.values.keys().next().map(Entity::index), Some(0));
}

fn labelled(label: &str) -> Result<Placement, Vec<Refusal>> {
    let mut program = restage_library::get("l3_acl").unwrap().program();
    let (acl, _) = program.tables.iter().find(|(_, t)| t.preamble.name.contains("acl")).unwrap();
    program.tables[acl].preamble.annotations.push(label.into());
    let program = program.check().unwrap();
    let like = ShellConfig { regions: 4, ..ShellConfig::default() };
    let config = shell_for(&program, &like);
    let lowered = lower(&program, &config).unwrap();
    let all = Cost { bram18: 100, ..WIDE };
    place(&program, &config, &lowered, all, &mut Counted, None)
}

/// A cell that names a region is alone there, though all would fit into one.
#[test]
fn what_wants_a_region_to_itself_has_one() {
    let placement = labelled("@region(\"access\")").unwrap();
    let alone = placement.ingress.iter().filter(|s| s.cells.iter().any(|c| c.contains("acl")));
    let alone: Vec<_> = alone.map(|s| s.cells.len()).collect();
    assert_eq!(alone, [1], "{:?}", placement.ingress);
    assert_eq!(placement.ingress.iter().filter(|s| s.cells.len() > 1).count(), 1);
    assert!(labelled("@regional(1)").is_ok_and(|p| p.ingress.len() == 1));
    for wrong in ["@region", "@region(acl)", "@region(\"\")"] {
        let refusals = labelled(wrong).unwrap_err();
        assert!(refusals[0].to_string().contains(wrong), "{refusals:?}");
    }
}
