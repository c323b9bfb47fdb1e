//! What a name may be in P4: identifiers, and the words that are taken.

use std::collections::HashSet;

/// Keywords, and what `core.p4` and `v1model.p4` declare.
const TAKEN: &[&str] = &[
    "abstract",
    "action",
    "actions",
    "apply",
    "bit",
    "bool",
    "break",
    "const",
    "continue",
    "control",
    "default",
    "else",
    "entries",
    "enum",
    "error",
    "exit",
    "extern",
    "false",
    "for",
    "header",
    "header_union",
    "if",
    "in",
    "inout",
    "int",
    "key",
    "list",
    "match_kind",
    "out",
    "package",
    "parser",
    "pragma",
    "priority",
    "return",
    "select",
    "state",
    "string",
    "struct",
    "switch",
    "table",
    "this",
    "transition",
    "true",
    "tuple",
    "type",
    "typedef",
    "value_set",
    "varbit",
    "void",
    "_",
    "accept",
    "reject",
    "packet_in",
    "packet_out",
    "verify",
    "NoAction",
    "static_assert",
    "exact",
    "ternary",
    "lpm",
    "range",
    "optional",
    "selector",
    "standard_metadata_t",
    "CounterType",
    "MeterType",
    "counter",
    "direct_counter",
    "meter",
    "direct_meter",
    "register",
    "action_profile",
    "random",
    "digest",
    "HashAlgorithm",
    "mark_to_drop",
    "hash",
    "action_selector",
    "CloneType",
    "Checksum16",
    "verify_checksum",
    "update_checksum",
    "verify_checksum_with_payload",
    "update_checksum_with_payload",
    "clone",
    "clone3",
    "resubmit",
    "resubmit_preserving_field_list",
    "recirculate",
    "recirculate_preserving_field_list",
    "clone_preserving_field_list",
    "truncate",
    "assert",
    "assume",
    "log_msg",
    "Parser",
    "VerifyChecksum",
    "Ingress",
    "Egress",
    "ComputeChecksum",
    "Deparser",
    "V1Switch",
    "main",
    "PortId_t",
    "restage_map",
    "__v1model_version",
    "V1MODEL_VERSION",
];

/// Keywords that may not even name a field; the others of [`TAKEN`] may.
const KEYWORDS: usize = 50;

/// Names of one scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    used: HashSet<String>,
}

impl Words {
    /// Names at the top of a file, where those of the included files are taken.
    pub fn top() -> Self {
        Words { used: TAKEN.iter().map(|w| w.to_string()).collect() }
    }

    /// Names of fields, where only keywords are taken.
    pub fn fields() -> Self {
        // These keywords are allowed as the name of a field.
        let allowed = ["apply", "key", "actions", "state", "entries", "type", "priority", "list"];
        let words = TAKEN[..KEYWORDS].iter().filter(|w| !allowed.contains(w));
        Words { used: words.map(|w| w.to_string()).collect() }
    }

    /// Takes a name: the wished one when it is an identifier that is free, else one like it.
    pub fn take(&mut self, wish: &str) -> String {
        let base = identifier(wish);
        let mut name = base.clone();
        let mut count = 1;
        while !self.used.insert(name.clone()) {
            name = format!("{base}_{count}");
            count += 1;
        }
        name
    }

    /// Whether a name is free.
    pub fn is_free(&self, name: &str) -> bool {
        !self.used.contains(name)
    }
}

/// Whether a text is an identifier.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The identifier that is most like a text.
fn identifier(text: &str) -> String {
    let clean: String =
        text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let clean = if is_identifier(text) { text } else { clean.trim_end_matches('_') };
    match clean.chars().next() {
        None => "unnamed".to_string(),
        Some(c) if c.is_ascii_digit() => format!("_{clean}"),
        Some(_) => clean.to_string(),
    }
}

/// A string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_free_identifiers() {
        let mut words = Words::top();
        assert_eq!(words.take("route"), "route");
        assert_eq!(words.take("route"), "route_1");
        assert_eq!(words.take("table"), "table_1");
        assert_eq!(words.take("a.b[3]"), "a_b_3");
        assert_eq!(words.take("9lives"), "_9lives");
        assert_eq!(words.take(""), "unnamed");
        assert_eq!(Words::fields().take("type"), "type");
        assert_eq!(Words::fields().take("counter"), "counter");
        assert_eq!(Words::fields().take("select"), "select_1");
        assert_eq!(TAKEN[KEYWORDS], "accept");
    }
}
