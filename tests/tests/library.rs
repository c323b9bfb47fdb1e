//! What a control plane sees of a library program is what it sees of the P4 program in `tests/oracle`: the
//! same tables, actions and arrays under the same names, the controls' names in front left out.

#![allow(clippy::unwrap_used)] // a test may

use restage_library::ALL;
use restage_program::Program;
use restage_program::program::{ActionCall, Emit, FieldDecl, HashAlgorithm, Item};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn oracle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle")
}

/// The P4 program of a name, if the oracle has it.
fn imported(name: &str) -> Option<Program> {
    let folder = oracle().join(name);
    let json = std::fs::read_to_string(folder.join(format!("{name}.json"))).ok()?;
    let info = std::fs::read_to_string(folder.join(format!("{name}.p4info.txtpb"))).unwrap();
    Some(restage_p4::import(&json, Some(&info), name).unwrap())
}

/// A name without the control in front of it.
fn short(name: &str) -> String {
    name.rsplit('.').next().unwrap_or(name).to_string()
}

fn fields(fields: &[FieldDecl]) -> String {
    let field = |f: &FieldDecl| format!("{}: {:?}", f.name, f.ty);
    fields.iter().map(field).collect::<Vec<_>>().join(", ")
}

fn call(program: &Program, call: &ActionCall) -> String {
    format!("{}{:?}", short(&program.actions[call.action].preamble.name), call.args)
}

/// Everything that has a name, as text.
fn seen(program: &Program) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    let mut put = |kind: &str, name: &str, text: String| {
        assert!(seen.insert(format!("{kind} {}", short(name)), text).is_none(), "{kind} {name}");
    };
    for t in program.tables.values() {
        let keys: Vec<_> = t
            .keys
            .iter()
            .map(|k| {
                format!("{} {:?} {:?}", k.name, k.kind, program.type_of(&k.value, &[]).unwrap())
            })
            .collect();
        put("keys of", &t.preamble.name, keys.join(", "));
        let mut actions: Vec<_> = t
            .actions
            .iter()
            .map(|a| {
                let action = &program.actions[a.action];
                let name = short(&action.preamble.name);
                format!("{name}({}) {:?}", fields(&action.params), a.scope)
            })
            .collect();
        actions.sort();
        put("actions of", &t.preamble.name, actions.join(", "));
        let default = call(program, &t.default);
        put("default of", &t.preamble.name, format!("{default} const: {}", t.const_default));
        let entries: Vec<_> =
            t.entries.iter().map(|e| format!("{:?} {:?}", e.keys, e.priority)).collect();
        put("entries of", &t.preamble.name, format!("{entries:?} const: {}", t.const_entries));
        put("size of", &t.preamble.name, t.size.to_string());
        if let Some(c) = &t.counter {
            put("direct counter", &c.preamble.name, format!("{:?}", c.unit));
        }
        if let Some(profile) = t.profile {
            put("profile of", &t.preamble.name, short(&program.profiles[profile].preamble.name));
        }
    }
    for c in program.counters.values() {
        put("counter", &c.preamble.name, format!("{:?} {}", c.unit, c.size));
    }
    for m in program.meters.values() {
        put("meter", &m.preamble.name, format!("{:?} {}", m.unit, m.size));
    }
    for r in program.registers.values() {
        put("register", &r.preamble.name, format!("{:?} {}", r.ty, r.size));
    }
    for p in program.profiles.values() {
        let selector = |s: &restage_program::program::SelectorDecl| -> (HashAlgorithm, usize) {
            (s.algorithm, s.items.iter().filter(|i| !matches!(i, Item::Header(_))).count())
        };
        put(
            "profile",
            &p.preamble.name,
            format!("{} {:?}", p.size, p.selector.as_ref().map(selector)),
        );
    }
    for d in program.digests.values() {
        let columns: Vec<FieldDecl> = d.fields.iter().map(|(f, _)| f.clone()).collect();
        put("digest", &d.preamble.name, fields(&columns));
    }
    put("what is", "sent", sent(program).join(", "));
    seen
}

/// What the deparser sends, with the length of each.
fn sent(program: &Program) -> Vec<String> {
    let emit = |e: &Emit| match e {
        Emit::Header(h) => {
            let header = &program.headers[*h];
            format!("{} {}", header.name, program.header_types[header.ty].max_width())
        }
        Emit::Stack(s) => {
            format!("{} {}", program.stacks[*s].name, program.stacks[*s].elements.len())
        }
        Emit::Union(u) => program.unions[*u].name.clone(),
    };
    program.deparser.iter().map(emit).collect()
}

#[test]
fn control_planes_see_what_they_see_of_the_p4_programs() {
    let mut compared = 0;
    for item in ALL {
        let Some(p4) = imported(item.name) else { continue };
        compared += 1;
        let (ours, theirs) = (seen(&item.program()), seen(&p4));
        for (what, text) in &theirs {
            assert_eq!(Some(text), ours.get(what), "{}: {what}", item.name);
        }
        let more: Vec<_> = ours.keys().filter(|k| !theirs.contains_key(*k)).collect();
        assert!(more.is_empty(), "{}: {more:?} are not in the P4", item.name);
    }
    assert_eq!(compared, 36, "programs that the oracle has");
}
