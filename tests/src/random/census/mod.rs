//! How often a set of programs, and their traffic, uses each thing that a program can say.

mod code;
mod names;

pub use names::statements;

use names::{ALL, FATES, match_name};
use restage_program::entity::ErrorCode;
use restage_program::expr::{Expr, HeaderRef};
use restage_program::op::Op;
use restage_program::program::{
    ActionScope, Checksum, Elements, Emit, MatchKind, Program, SelectOn, Target, Transition,
};
use restage_program::standard;
use restage_program::stmt::StmtKind;
use restage_program::{Entity, Type};
use std::collections::BTreeMap;
use std::fmt;

/// Counts by group and name.
#[derive(Clone, Debug)]
pub struct Census {
    counts: BTreeMap<(&'static str, &'static str), u64>,
    programs: u64,
}

impl Default for Census {
    fn default() -> Self {
        let mut census = Census { counts: BTreeMap::new(), programs: 0 };
        for op in Op::ALL {
            census.counts.insert(("operation", op.name()), 0);
        }
        for (group, names) in ALL {
            for name in *names {
                census.counts.insert((group, name), 0);
            }
        }
        for fate in FATES {
            census.counts.insert(("fate", fate), 0);
        }
        census
    }
}

impl Census {
    /// What never came up.
    pub fn missing(&self) -> Vec<String> {
        let zero = self.counts.iter().filter(|(_, n)| **n == 0);
        zero.map(|((group, name), _)| format!("{group}: {name}")).collect()
    }

    /// The counts: group, name, number.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        self.counts.iter().map(|((group, name), n)| (*group, *name, *n))
    }

    /// Adds what happened to packets.
    pub fn fates(&mut self, tally: &BTreeMap<&'static str, u64>) {
        for (fate, n) in tally {
            *self.counts.entry(("fate", fate)).or_default() += n;
        }
    }

    fn hit(&mut self, group: &'static str, name: &'static str) {
        *self.counts.entry((group, name)).or_default() += 1;
    }

    /// Adds a program.
    pub fn program(&mut self, program: &Program) {
        self.programs += 1;
        for ty in program.header_types.values().flat_map(|t| &t.fields) {
            self.ty(ty.ty);
        }
        program.metas.values().for_each(|m| self.ty(m.ty));
        for state in program.states.keys() {
            self.state(program, state);
        }
        program.actions.values().for_each(|a| self.block(program, &a.body));
        self.block(program, &program.ingress);
        self.block(program, &program.egress);
        self.tables(program);
        program.verify.iter().for_each(|c| self.checksum(program, "verified", c));
        program.update.iter().for_each(|c| self.checksum(program, "updated", c));
        for emit in &program.deparser {
            self.hit(
                "emit",
                match emit {
                    Emit::Header(_) => "header",
                    Emit::Stack(_) => "stack",
                    Emit::Union(_) => "union",
                },
            );
        }
        let ageing = program.maps.values().filter(|m| m.idle_timeout_us > 0).count();
        for (name, n) in [
            ("register", program.registers.len()),
            ("counter", program.counters.len()),
            ("meter", program.meters.len()),
            ("map", program.maps.len()),
            ("ageing map", ageing),
            ("value set", program.value_sets.len()),
            ("field list", program.field_lists.len()),
            ("digest", program.digests.len()),
        ] {
            *self.counts.entry(("cell", name)).or_default() += n as u64;
        }
        program.digests.values().flat_map(|d| &d.fields).for_each(|(_, e)| self.expr(e));
    }

    fn ty(&mut self, ty: Type) {
        let name = match ty {
            Type::Bit(_) => "bit",
            Type::Int(_) => "int",
            Type::Bool => "bool",
            Type::Error => "error",
            Type::Varbit(_) => "varbit",
        };
        self.hit("type", name);
        match ty {
            Type::Bit(w) if w > 512 => self.hit("type", "bit over 512"),
            Type::Bit(w) if w > 64 => self.hit("type", "bit over 64"),
            Type::Int(w) if w > 64 => self.hit("type", "int over 64"),
            _ => {}
        }
    }

    fn state(&mut self, program: &Program, state: restage_program::entity::State) {
        let decl = &program.states[state];
        self.block(program, &decl.body);
        for stmt in &decl.body {
            match &stmt.kind {
                StmtKind::Extract(header) => self.extract(program, header),
                StmtKind::ExtractVar { .. } => self.hit("parser", "varbit"),
                StmtKind::Assign { src, .. } => {
                    self.hit("parser", "assignment");
                    src.walk(&mut |e| {
                        if matches!(e, Expr::Lookahead { .. }) {
                            self.hit("parser", "lookahead");
                        }
                    });
                }
                StmtKind::CopyHeader { .. } => self.hit("parser", "header copy"),
                StmtKind::Verify { error, .. } if is_own(*error) => self.hit("parser", "own error"),
                StmtKind::ReadRegister { .. } | StmtKind::WriteRegister { .. } => {
                    self.hit("parser", "register");
                }
                _ => {}
            }
        }
        let target = |census: &mut Self, to: Target| {
            census.hit(
                "goes to",
                match to {
                    Target::Accept => "accept",
                    Target::Reject => "reject",
                    Target::State(s) if s == state => "itself",
                    Target::State(_) => "state",
                },
            );
        };
        match &decl.next {
            Transition::To(to) => {
                self.hit("transition", "to");
                target(self, *to);
            }
            Transition::Select { keys, cases } => {
                self.hit("transition", "select");
                if keys.len() > 1 {
                    self.hit("transition", "several keys");
                }
                keys.iter().for_each(|k| self.expr(k));
                for case in cases {
                    target(self, case.to);
                    match &case.on {
                        SelectOn::Default => self.hit("transition", "default"),
                        SelectOn::ValueSet(_) => self.hit("select", "value set"),
                        SelectOn::Keys(row) => {
                            row.iter().for_each(|key| self.hit("select", match_name(key)));
                        }
                    }
                }
                if !cases.iter().any(|c| c.on == SelectOn::Default) {
                    self.hit("transition", "no default");
                }
            }
        }
    }

    fn extract(&mut self, program: &Program, header: &HeaderRef) {
        match header {
            HeaderRef::Element { stack, .. } => {
                let unions = matches!(program.stacks[*stack].elements, Elements::Unions(_));
                let name = if unions { "element of a stack of unions" } else { "stack element" };
                self.hit("parser", name);
            }
            HeaderRef::Header(header) => {
                if program.unions.values().any(|u| u.members.contains(header)) {
                    self.hit("parser", "union member");
                }
            }
        }
    }

    fn tables(&mut self, program: &Program) {
        for table in program.tables.values() {
            for key in &table.keys {
                self.hit(
                    "match kind",
                    match key.kind {
                        MatchKind::Exact => "exact",
                        MatchKind::Lpm => "lpm",
                        MatchKind::Ternary => "ternary",
                        MatchKind::Range => "range",
                        MatchKind::Optional => "optional",
                    },
                );
                self.hit(
                    "key",
                    match &key.value {
                        Expr::Read(_) => "field or metadata",
                        Expr::Valid(_) => "validity",
                        _ => "computed",
                    },
                );
                self.expr(&key.value);
            }
            for entry in &table.entries {
                entry.keys.iter().for_each(|k| self.hit("match", match_name(k)));
            }
            let selector = table.profile.is_some_and(|p| program.profiles[p].selector.is_some());
            let scope = |s| table.actions.iter().any(|a| a.scope == s);
            for (name, has) in [
                ("without keys", table.keys.is_empty()),
                ("own entries", !table.entries.is_empty()),
                ("const entries", table.const_entries),
                ("const default", table.const_default),
                ("profile", table.profile.is_some()),
                ("selector", selector),
                ("direct counter", table.counter.is_some()),
                ("direct meter", table.meter.is_some()),
                ("table only", scope(ActionScope::TableOnly)),
                ("default only", scope(ActionScope::DefaultOnly)),
            ] {
                if has {
                    self.hit("table", name);
                }
            }
            if let Some(meter) = &table.meter {
                self.place(&meter.dst);
            }
        }
        for selector in program.profiles.values().filter_map(|p| p.selector.as_ref()) {
            self.algorithm(selector.algorithm);
            self.items(program, &selector.items);
        }
    }

    fn checksum(&mut self, program: &Program, what: &'static str, checksum: &Checksum) {
        self.hit("checksum", what);
        if !matches!(checksum.condition, Expr::Const { .. }) {
            self.hit("checksum", "conditional");
        }
        if checksum.with_payload {
            self.hit("checksum", "with payload");
        }
        self.expr(&checksum.condition);
        self.algorithm(checksum.algorithm);
        self.items(program, &checksum.items);
        self.place(&checksum.field);
    }
}

fn is_own(error: ErrorCode) -> bool {
    error.index() >= standard::ERRORS.len()
}

/// A table, a group to a paragraph.
impl fmt::Display for Census {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} programs", self.programs)?;
        let mut last = "";
        for ((group, name), n) in &self.counts {
            if *group != last {
                writeln!(f, "{group}")?;
                last = group;
            }
            let mark = if *n == 0 { "  <- never" } else { "" };
            writeln!(f, "  {name:<32} {n:>9}{mark}")?;
        }
        Ok(())
    }
}
