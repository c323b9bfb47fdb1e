//! Legal programs that hardware cannot run at one packet per clock.

use crate::{Base, read, wrong};
use restage_program::build::Builder;
use restage_program::check::Rule;
use restage_program::prelude::*;

fn found(change: impl FnOnce(&mut Builder, &Base)) -> Vec<Rule> {
    let checked = wrong(change).check().unwrap();
    checked.beyond_line_rate().iter().map(|v| v.rule).collect()
}

#[test]
fn what_hardware_can_do() {
    assert_eq!(found(|p, b| p.ingress(|c| c.write(b.cells, b.ip.src, 1))), []);
    let read_then_write = found(|p, b| {
        p.ingress(|c| {
            c.read(b.m.index, b.cells, b.ip.src);
            c.write(b.cells, b.ip.src, b.m.index + 1);
        });
    });
    assert_eq!(read_then_write, []);
    let in_branches = found(|p, b| {
        p.ingress(|c| {
            c.if_(b.m.flag, |c| c.read(b.m.index, b.cells, 1)).else_(|c| c.write(b.cells, 2, 1));
        });
    });
    assert_eq!(in_branches, []);
    let behind_exit = found(|p, b| {
        p.ingress(|c| {
            c.if_(b.m.flag, |c| {
                c.read(b.m.index, b.cells, 1);
                c.exit();
            });
            c.write(b.cells, 2, 1);
        });
    });
    assert_eq!(behind_exit, []);
    let map = found(|p, b| {
        p.ingress(|c| {
            c.map_lookup(b.flows, b.ip.src, b.m.flag, [b.s.egress_spec], true);
            c.if_(!b.m.flag, |c| c.map_put(b.flows, b.ip.src, b.s.egress_spec, None));
        });
    });
    assert_eq!(map, []);
    let in_one_action = found(|p, b| {
        let bump = p.action("bump", [("cell", bit(32))], |c, [cell]| {
            c.read(b.m.index, b.cells, cell);
            c.write(b.cells, cell, b.m.index + 1);
        });
        p.ingress(|c| c.call(bump, 5));
    });
    assert_eq!(in_one_action, []);
    let by_copies_of_an_index = found(|p, b| {
        p.ingress(|c| {
            let first = c.local("first", b.ip.src ^ b.ip.dst);
            c.read(b.m.wide.slice(31, 0), b.cells, first);
            let second = c.local("second", b.ip.src ^ b.ip.dst);
            c.write(b.cells, second, 1);
        });
    });
    assert_eq!(by_copies_of_an_index, []);
    let by_action_run = found(|p, b| {
        let write = p.action("write", [], |c, []| c.write(b.cells, 0, 1));
        let table = p.table("t", |t| {
            t.exact(b.ip.ttl).actions([write]).const_default(b.drop, []);
        });
        p.ingress(|c| {
            c.apply(table).on(b.drop, |c| c.read(b.m.index, b.cells, 0));
        });
    });
    assert_eq!(by_action_run, []);
}

#[test]
fn what_it_cannot_do() {
    assert_eq!(
        found(|p, b| {
            let write = p.action("write", [("cell", bit(32))], |c, [cell]| {
                c.write(b.cells, cell, 1);
            });
            let read = p.action("read", [("cell", bit(32))], |c, [cell]| {
                c.read(b.m.index, b.cells, cell);
            });
            p.ingress(|c| {
                c.call(read, 1);
                c.call(write, 1);
            });
        }),
        [Rule::W01],
        "a parameter of another action is another value"
    );
    assert_eq!(
        found(|p, b| {
            p.ingress(|c| {
                c.read(b.m.index, b.cells, b.m.index);
                c.write(b.cells, b.m.index, 1);
            });
        }),
        [Rule::W01],
        "the read changes its own index"
    );
    assert_eq!(
        found(|p, b| {
            p.ingress(|c| {
                let first = c.local("first", b.ip.src ^ b.ip.dst);
                c.read(b.m.index, b.cells, first);
                c.set(b.ip.src, b.m.index);
                let second = c.local("second", b.ip.src ^ b.ip.dst);
                c.write(b.cells, second, 1);
            });
        }),
        [Rule::W01],
        "what the index is computed of has changed"
    );
    assert_eq!(
        found(|p, b| {
            let write = p.action("write", [], |c, []| c.write(b.cells, 0, 1));
            let table = p.table("t", |t| {
                t.exact(b.ip.ttl).actions([write]).default(b.drop, []);
            });
            p.ingress(|c| {
                c.apply(table).on(write, |c| c.read(b.m.index, b.cells, 0));
            });
        }),
        [Rule::W01]
    );
    assert_eq!(
        found(|p, b| {
            p.state("count", |c| {
                c.extract(b.others.next());
                c.read(b.m.index, b.cells, 0);
                c.select(b.others.last().rest).case(0, "count").default("accept");
            });
            p.program_mut().start = Some(restage_program::entity::State(4));
            p.ingress(|_| {});
        }),
        [Rule::W01],
        "a loop comes back"
    );
}

#[test]
fn a_generator_serves_one_place() {
    let dice = |p: &mut Builder, b: &Base| {
        let m = b.m;
        p.action("dice", [], move |c, []| c.random(m.index, 1, 6))
    };
    let by_paths_that_exclude_each_other = found(|p, b| {
        let dice = dice(p, b);
        p.ingress(|c| {
            c.if_(b.m.flag, |c| c.call(dice, [])).else_(|c| c.call(dice, []));
        });
        p.egress(|c| {
            c.random(b.m.index, 1, 6);
            c.random(b.m.index, 1, 6);
        });
    });
    assert_eq!(by_paths_that_exclude_each_other, []);
    let twice = found(|p, b| {
        let dice = dice(p, b);
        let table = p.table("t", |t| {
            t.exact(b.ip.ttl).actions([dice]).default(b.drop, []);
        });
        p.ingress(|c| {
            c.apply(table);
            c.call(dice, []);
        });
    });
    assert_eq!(twice, [Rule::W03]);
    let in_both_halves = found(|p, b| {
        let dice = dice(p, b);
        p.ingress(|c| c.call(dice, []));
        p.egress(|c| c.call(dice, []));
    });
    assert_eq!(in_both_halves, [Rule::W03]);
}

#[test]
fn both_places_are_named() {
    let checked = wrong(|p, b| {
        let dice = p.action("dice", [], |c, []| c.random(b.m.wide.slice(31, 0), 1, 6));
        p.ingress(|c| {
            c.if_(b.m.flag, |c| c.read(b.m.index, b.cells, 1));
            c.write(b.cells, 2, 1);
            c.call(dice, []);
            c.call(dice, []);
        });
        p.egress(|c| {
            c.read(b.m.index, b.cells, 1);
            c.call(dice, []);
        });
    })
    .check()
    .unwrap();
    let text: Vec<String> = checked.beyond_line_rate().iter().map(|v| v.report(read)).collect();
    insta::assert_snapshot!(text.join("\n"));
}
