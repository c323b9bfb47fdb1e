//! How often a set of programs, and their traffic, uses each thing that a program can say.

use restage_program::entity::ErrorCode;
use restage_program::entry::KeyMatch;
use restage_program::expr::{ElementIndex, Expr, HeaderRef, Place};
use restage_program::op::Op;
use restage_program::program::{
    ActionScope, Checksum, Elements, Emit, HashAlgorithm, Item, MatchKind, Program, SelectOn,
    Target, Transition,
};
use restage_program::standard;
use restage_program::stmt::{AfterApply, Stmt, StmtKind};
use restage_program::{Entity, Type};
use std::collections::BTreeMap;
use std::fmt;

/// Everything that is counted, by group.
const ALL: &[(&str, &[&str])] = &[
    (
        "type",
        &["bit", "int", "bool", "error", "varbit", "bit over 64", "bit over 512", "int over 64"],
    ),
    (
        "statement",
        &[
            "assign",
            "copy_header",
            "copy_stack",
            "set_valid",
            "set_invalid",
            "push_front",
            "pop_front",
            "extract",
            "extract_var",
            "advance",
            "verify",
            "if",
            "apply",
            "call",
            "exit",
            "mark_to_drop",
            "count",
            "execute_meter",
            "read_register",
            "write_register",
            "map_lookup",
            "map_put",
            "map_remove",
            "hash",
            "random",
            "digest",
            "clone_ingress",
            "clone_egress",
            "resubmit",
            "recirculate",
            "truncate",
        ],
    ),
    ("after apply", &["nothing", "hit", "switch"]),
    ("expression", &["const", "read", "param", "valid", "last_index", "lookahead", "op"]),
    ("place", &["metadata", "standard metadata", "field", "slice"]),
    ("header", &["instance", "next", "last", "run-time index", "member of a stack of unions"]),
    ("match kind", &["exact", "lpm", "ternary", "range", "optional"]),
    ("key", &["field or metadata", "validity", "computed"]),
    ("match", &["exact", "lpm", "masked", "range", "any"]),
    (
        "table",
        &[
            "without keys",
            "own entries",
            "const entries",
            "const default",
            "profile",
            "selector",
            "direct counter",
            "direct meter",
            "table only",
            "default only",
        ],
    ),
    ("transition", &["to", "select", "default", "no default", "several keys"]),
    ("select", &["exact", "masked", "range", "any", "value set"]),
    ("goes to", &["accept", "reject", "state", "itself"]),
    (
        "parser",
        &[
            "stack element",
            "element of a stack of unions",
            "union member",
            "varbit",
            "lookahead",
            "assignment",
            "header copy",
            "own error",
            "register",
        ],
    ),
    (
        "hash",
        &[
            "crc32",
            "crc32_custom",
            "crc16",
            "crc16_custom",
            "crc_ccitt",
            "csum16",
            "xor16",
            "identity",
        ],
    ),
    ("checksum", &["verified", "updated", "conditional", "with payload"]),
    ("item", &["value", "if valid", "header", "varbit"]),
    ("emit", &["header", "stack", "union"]),
    (
        "cell",
        &["register", "counter", "meter", "map", "ageing map", "value set", "field list", "digest"],
    ),
];

/// What must happen to packets, as the slow evaluator counts it.
const FATES: &[&str] = &[
    "sent",
    "sent to the cpu",
    "dropped in ingress",
    "dropped in egress",
    "no group",
    "multicast",
    "ingress clone",
    "egress clone",
    "no session",
    "resubmitted",
    "recirculated",
    "truncated",
    "digest",
    "exit",
    "hit",
    "miss",
    "parser accepts",
    "parser rejects",
    "PacketTooShort",
    "NoMatch",
    "StackOutOfBounds",
    "HeaderTooShort",
    "ParserInvalidArgument",
    "own error",
    "checksum wrong",
    "yellow",
    "red",
    "map found",
    "map full",
];

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

    fn algorithm(&mut self, algorithm: HashAlgorithm) {
        self.hit(
            "hash",
            match algorithm {
                HashAlgorithm::Crc32 => "crc32",
                HashAlgorithm::Crc32Custom => "crc32_custom",
                HashAlgorithm::Crc16 => "crc16",
                HashAlgorithm::Crc16Custom => "crc16_custom",
                HashAlgorithm::CrcCcitt => "crc_ccitt",
                HashAlgorithm::Csum16 => "csum16",
                HashAlgorithm::Xor16 => "xor16",
                HashAlgorithm::Identity => "identity",
            },
        );
    }

    fn items(&mut self, program: &Program, items: &[Item]) {
        for item in items {
            match item {
                Item::Value(expr) => {
                    self.hit("item", "value");
                    self.expr(expr);
                }
                Item::IfValid { header, field } => {
                    self.hit("item", "if valid");
                    self.header(header);
                    let ty = program.header_type(header);
                    if ty.is_ok_and(|t| t.varbit() == Some(*field)) {
                        self.hit("item", "varbit");
                    }
                }
                Item::Header(header) => {
                    self.hit("item", "header");
                    self.header(header);
                }
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Const { ty, .. } => {
                self.hit("expression", "const");
                self.ty(*ty);
            }
            Expr::Read(place) => {
                self.hit("expression", "read");
                self.place(place);
            }
            Expr::Param(_) => self.hit("expression", "param"),
            Expr::Valid(header) => {
                self.hit("expression", "valid");
                self.header(header);
            }
            Expr::LastIndex(_) => self.hit("expression", "last_index"),
            Expr::Lookahead { .. } => self.hit("expression", "lookahead"),
            Expr::Op { op, args } => {
                self.hit("expression", "op");
                self.hit("operation", op.name());
                args.iter().for_each(|a| self.expr(a));
            }
        }
    }

    fn place(&mut self, place: &Place) {
        match place {
            Place::Meta(meta) if standard::is_standard(*meta) => {
                self.hit("place", "standard metadata");
            }
            Place::Meta(_) => self.hit("place", "metadata"),
            Place::Field { header, .. } => {
                self.hit("place", "field");
                self.header(header);
            }
            Place::Slice { of, .. } => {
                self.hit("place", "slice");
                self.place(of);
            }
        }
    }

    fn header(&mut self, header: &HeaderRef) {
        let HeaderRef::Element { at, member, .. } = header else {
            self.hit("header", "instance");
            return;
        };
        if *member > 0 {
            self.hit("header", "member of a stack of unions");
        }
        match at {
            ElementIndex::Next => self.hit("header", "next"),
            ElementIndex::Last => self.hit("header", "last"),
            ElementIndex::Expr(index) => {
                self.hit("header", "run-time index");
                self.expr(index);
            }
        }
    }

    fn block(&mut self, program: &Program, block: &[Stmt]) {
        block.iter().for_each(|s| self.stmt(program, &s.kind));
    }

    fn stmt(&mut self, program: &Program, stmt: &StmtKind) {
        self.hit("statement", stmt_name(stmt));
        match stmt {
            StmtKind::Assign { dst, src } => {
                self.place(dst);
                self.expr(src);
            }
            StmtKind::CopyHeader { dst, src } => {
                self.header(dst);
                self.header(src);
            }
            StmtKind::SetValid(h) | StmtKind::SetInvalid(h) | StmtKind::Extract(h) => {
                self.header(h);
            }
            StmtKind::ExtractVar { header, bits } => {
                self.header(header);
                self.expr(bits);
            }
            StmtKind::Advance(e)
            | StmtKind::Verify { condition: e, .. }
            | StmtKind::Count { index: e, .. }
            | StmtKind::Truncate { bytes: e }
            | StmtKind::CloneIngress { session: e, .. }
            | StmtKind::CloneEgress { session: e, .. } => self.expr(e),
            StmtKind::If { condition, then, otherwise } => {
                self.expr(condition);
                self.block(program, then);
                self.block(program, otherwise);
            }
            StmtKind::Apply { then, .. } => match then {
                AfterApply::Nothing => self.hit("after apply", "nothing"),
                AfterApply::Hit { hit, miss } => {
                    self.hit("after apply", "hit");
                    self.block(program, hit);
                    self.block(program, miss);
                }
                AfterApply::Switch { cases, default } => {
                    self.hit("after apply", "switch");
                    cases.iter().for_each(|c| self.block(program, &c.body));
                    self.block(program, default);
                }
            },
            StmtKind::Call { args, .. } => args.iter().for_each(|a| self.expr(a)),
            StmtKind::ExecuteMeter { index, dst, .. }
            | StmtKind::ReadRegister { index, dst, .. } => {
                self.expr(index);
                self.place(dst);
            }
            StmtKind::WriteRegister { index, value, .. } => {
                self.expr(index);
                self.expr(value);
            }
            StmtKind::MapLookup { key, found, values, .. } => {
                key.iter().for_each(|k| self.expr(k));
                self.place(found);
                values.iter().for_each(|v| self.place(v));
            }
            StmtKind::MapPut { key, values, stored, .. } => {
                key.iter().chain(values).for_each(|e| self.expr(e));
                stored.iter().for_each(|s| self.place(s));
            }
            StmtKind::MapRemove { key, .. } => key.iter().for_each(|k| self.expr(k)),
            StmtKind::Hash { dst, algorithm, base, items, max } => {
                self.place(dst);
                self.algorithm(*algorithm);
                self.expr(base);
                self.expr(max);
                self.items(program, items);
            }
            StmtKind::Random { dst, low, high } => {
                self.place(dst);
                self.expr(low);
                self.expr(high);
            }
            StmtKind::CopyStack { .. }
            | StmtKind::PushFront { .. }
            | StmtKind::PopFront { .. }
            | StmtKind::Exit
            | StmtKind::MarkToDrop
            | StmtKind::Digest(_)
            | StmtKind::Resubmit { .. }
            | StmtKind::Recirculate { .. } => {}
        }
    }
}

fn is_own(error: ErrorCode) -> bool {
    error.index() >= standard::ERRORS.len()
}

fn match_name(key: &KeyMatch) -> &'static str {
    match key {
        KeyMatch::Exact(_) => "exact",
        KeyMatch::Lpm { .. } => "lpm",
        KeyMatch::Masked { .. } => "masked",
        KeyMatch::Range { .. } => "range",
        KeyMatch::Any => "any",
    }
}

fn stmt_name(stmt: &StmtKind) -> &'static str {
    match stmt {
        StmtKind::Assign { .. } => "assign",
        StmtKind::CopyHeader { .. } => "copy_header",
        StmtKind::CopyStack { .. } => "copy_stack",
        StmtKind::SetValid(_) => "set_valid",
        StmtKind::SetInvalid(_) => "set_invalid",
        StmtKind::PushFront { .. } => "push_front",
        StmtKind::PopFront { .. } => "pop_front",
        StmtKind::Extract(_) => "extract",
        StmtKind::ExtractVar { .. } => "extract_var",
        StmtKind::Advance(_) => "advance",
        StmtKind::Verify { .. } => "verify",
        StmtKind::If { .. } => "if",
        StmtKind::Apply { .. } => "apply",
        StmtKind::Call { .. } => "call",
        StmtKind::Exit => "exit",
        StmtKind::MarkToDrop => "mark_to_drop",
        StmtKind::Count { .. } => "count",
        StmtKind::ExecuteMeter { .. } => "execute_meter",
        StmtKind::ReadRegister { .. } => "read_register",
        StmtKind::WriteRegister { .. } => "write_register",
        StmtKind::MapLookup { .. } => "map_lookup",
        StmtKind::MapPut { .. } => "map_put",
        StmtKind::MapRemove { .. } => "map_remove",
        StmtKind::Hash { .. } => "hash",
        StmtKind::Random { .. } => "random",
        StmtKind::Digest(_) => "digest",
        StmtKind::CloneIngress { .. } => "clone_ingress",
        StmtKind::CloneEgress { .. } => "clone_egress",
        StmtKind::Resubmit { .. } => "resubmit",
        StmtKind::Recirculate { .. } => "recirculate",
        StmtKind::Truncate { .. } => "truncate",
    }
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
