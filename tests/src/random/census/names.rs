//! What is counted, and what it is called.

use restage_program::entry::KeyMatch;
use restage_program::stmt::StmtKind;

/// What each kind of statement is called, as in the serde form.
pub fn statements() -> impl Iterator<Item = &'static str> {
    ALL.iter()
        .filter(|(group, _)| *group == "statement")
        .flat_map(|(_, names)| names.iter().copied())
}

/// Everything that is counted, by group.
pub(super) const ALL: &[(&str, &[&str])] = &[
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
    ("hash", &["crc32", "crc16", "custom", "crc_ccitt", "csum16", "xor16", "identity"]),
    ("checksum", &["verified", "updated", "conditional", "with payload"]),
    ("item", &["value", "if valid", "header", "varbit"]),
    ("emit", &["header", "stack", "union"]),
    (
        "cell",
        &["register", "counter", "meter", "map", "ageing map", "value set", "field list", "digest"],
    ),
];

/// What must happen to packets, as the slow evaluator counts it.
pub(super) const FATES: &[&str] = &[
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

pub(super) fn match_name(key: &KeyMatch) -> &'static str {
    match key {
        KeyMatch::Exact(_) => "exact",
        KeyMatch::Lpm { .. } => "lpm",
        KeyMatch::Masked { .. } => "masked",
        KeyMatch::Range { .. } => "range",
        KeyMatch::Any => "any",
    }
}

pub(super) fn stmt_name(stmt: &StmtKind) -> &'static str {
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
