//! What cannot be expressed is refused by name, at its place.

#![allow(clippy::unwrap_used)]

mod common;

use serde_json::{Value, json};

/// A program of the oracle with one change, and what the message must say.
fn refused(program: &str, pointer: &str, value: Value, says: &[&str]) {
    let (text, info) = common::files(program);
    let mut json: Value = serde_json::from_str(&text).unwrap();
    *json.pointer_mut(pointer).unwrap_or_else(|| panic!("{program} has no {pointer}")) = value;
    let error = restage_p4::import(&json.to_string(), Some(&info), program).unwrap_err();
    let said = format!("{error}\n{:?}", error.faults);
    for part in says {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
}

#[test]
fn constructs_are_refused_by_name() {
    let extern_instance =
        json!([{"name": "e", "id": 0, "type": "ext_crypt", "attribute_values": []}]);
    refused(
        "l3_acl",
        "/extern_instances",
        extern_instance,
        &["extern_instances[0]", "`ext_crypt`"],
    );
    refused("l3_acl", "/__meta__/version/0", json!(3), &["version 3"]);
    refused(
        "l3_acl",
        "/pipelines/0/name",
        json!("main_control"),
        &["pipelines[0]", "`main_control`", "`ingress`"],
    );
    let primitive = "/actions/2/primitives/0/op";
    refused(
        "int_md",
        primitive,
        json!("_ext_encrypt"),
        &["actions[2].primitives[0]", "`_ext_encrypt`", "int_md.p4:"],
    );
    refused(
        "int_md",
        "/header_types/2/fields/0/1",
        json!(4096),
        &["header_types[2].fields[0][1]", "4096"],
    );
    let saturating = json!(["dst", 48, false, true]);
    refused("int_md", "/header_types/2/fields/0", saturating, &["saturating"]);
    refused("varbit_options", "/header_types/4/max_length", json!(4096), &["varbit", "32768"]);
    refused("int_md", "/calculations/0/algo", json!("xxh64"), &["calculations[0].algo", "`xxh64`"]);
    refused("rate_limit", "/meter_arrays/0/rate_count", json!(3), &["3 rates"]);
    let key = "/pipelines/0/tables/2/key/0/match_type";
    refused("int_md", key, json!("fuzzy"), &["pipelines[0].tables[2].key[0]", "`fuzzy`"]);
    let op = "/parsers/0/parse_states/0/parser_ops/0/op";
    refused(
        "int_md",
        op,
        json!("extract_all"),
        &["parsers[0].parse_states[0].parser_ops[0]", "`extract_all`"],
    );
    let list = "/field_lists/0/elements/0/value";
    refused(
        "int_md",
        list,
        json!(["ipv4", "ttl"]),
        &["field_lists[0].elements[0].value", "header"],
    );
    refused("int_md", "/pipelines/0/conditionals/2/true_next", json!("node_2"), &["circle"]);
}

#[test]
fn loops_in_actions_and_strange_expressions_are_refused() {
    let jump = json!([
        {"op": "_jump_if_zero", "parameters": [{"type": "hexstr", "value": "0x1"}, {"type": "hexstr", "value": "0x2"}]},
        {"op": "_jump", "parameters": [{"type": "hexstr", "value": "0x0"}]}
    ]);
    refused("int_md", "/actions/2/primitives", jump, &["actions[2].primitives", "loop"]);
    let assign = |op: &str, left: Value, right: Value| {
        let value = json!({"op": op, "left": left, "right": right});
        let dst = json!({"type": "field", "value": ["ipv4", "ttl"]});
        let src = json!({"type": "expression", "value": {"type": "expression", "value": value}});
        json!([{"op": "assign", "parameters": [dst, src]}])
    };
    let field = || json!({"type": "field", "value": ["ipv4", "src"]});
    let divided = assign("/", field(), field());
    refused(
        "int_md",
        "/actions/2/primitives",
        divided,
        &["divides by something other than a positive constant"],
    );
    let unknown = assign("**", field(), field());
    refused("int_md", "/actions/2/primitives", unknown, &["`**`", "two_comp_mod"]);
    let wide = assign("<<", field(), field());
    let wide = assign(
        ">>",
        json!({"type": "expression", "value": wide[0]["parameters"][1]["value"]["value"].clone()}),
        field(),
    );
    refused("int_md", "/actions/2/primitives", wide, &["bits, more than 2048"]);
}

#[test]
fn all_faults_are_told_at_once() {
    let (text, info) = common::files("int_md");
    let mut json: Value = serde_json::from_str(&text).unwrap();
    for action in [2, 4, 5] {
        json["actions"][action]["primitives"][0]["op"] = json!("nothing_known");
    }
    let error = restage_p4::import(&json.to_string(), Some(&info), "three").unwrap_err();
    let places: Vec<&str> = error.faults.iter().map(|f| f.place.as_str()).collect();
    assert_eq!(
        places,
        ["actions[2].primitives[0]", "actions[4].primitives[0]", "actions[5].primitives[0]"]
    );
}
