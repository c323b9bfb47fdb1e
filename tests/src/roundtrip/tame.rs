//! Random programs without what P4 cannot say, so that all the rest of them can go around.
//!
//! What is replaced here is what [`Program::p4_gaps`] lists; the replacement means something else, but
//! is as good a program.

use restage_program::Program;
use restage_program::entry::Write;
use restage_program::standard::FIELDS;
use serde_json::{Value, json};

/// The program without its gaps; `None` when it is no program any more.
pub fn tame(program: &Program) -> Option<Program> {
    let mut value = serde_json::to_value(program).ok()?;
    parser(value.get_mut("states")?);
    for part in ["actions", "tables", "ingress", "egress", "digests", "profiles"] {
        outside_the_parser(value.get_mut(part)?);
    }
    let metas = value["metas"].as_array()?.iter().enumerate();
    let bools: Vec<u64> = metas.filter(|(_, m)| m["ty"] == "bool").map(|(i, _)| i as u64).collect();
    for part in ["verify", "update"] {
        checksums(value.get_mut(part)?, &bools);
    }
    let profiled = value["tables"].as_array()?.iter().enumerate();
    let profiled: Vec<u64> =
        profiled.filter(|(_, t)| t["profile"].is_u64()).map(|(i, _)| i as u64).collect();
    // What such a table has run is not known to p4c when it misses.
    walk(&mut value, &mut |v| {
        if v.get("table").and_then(Value::as_u64).is_some_and(|t| profiled.contains(&t))
            && v.get("then").is_some_and(|then| then.get("switch").is_some())
        {
            v["then"] = json!("nothing");
        }
    });
    selectors(&mut value);
    lists(value.get_mut("field_lists")?);
    tables(value.get_mut("tables")?);
    walk(&mut value, &mut |v| {
        if *v == json!("crc_ccitt") {
            *v = json!("crc16");
        }
    });
    // P4's numbers come from anywhere, and p4c makes several statements of one: only one number is left.
    walk(&mut value, &mut |v| {
        if let Some(random) = v.get_mut("random").filter(|r| r.is_object()) {
            random["high"] = random["low"].clone();
        }
    });
    indices(&mut value);
    remove(&mut value, &["map_lookup", "map_put", "map_remove"]);
    value["maps"] = json!([]);
    serde_json::from_value(value).ok()
}

/// The writes that such a program takes: it has no maps, p4c makes custom CRCs of its own, and defaults of tables with profiles are fixed.
pub fn writes(program: &Program, writes: &[Write]) -> Vec<Write> {
    let fits = |write: &&Write| match write {
        Write::SetMapEntry { .. } | Write::DeleteMapEntry(..) | Write::SetCrc(..) => false,
        Write::SetDefault(table, _) => {
            program.tables.get(*table).is_some_and(|t| t.profile.is_none())
        }
        _ => true,
    };
    writes.iter().filter(fits).cloned().collect()
}

/// Calls `f` on every value, innermost last.
fn walk(value: &mut Value, f: &mut dyn FnMut(&mut Value)) {
    f(value);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|v| walk(v, f)),
        Value::Object(fields) => fields.values_mut().for_each(|v| walk(v, f)),
        _ => {}
    }
}

/// Replaces an index that p4c does not fold, or folds to one beyond the stack, by a plain one.
fn indices(program: &mut Value) {
    let unions: Vec<u64> = program["stacks"]
        .as_array()
        .iter()
        .flat_map(|s| s.iter().enumerate())
        .filter(|(_, s)| s["elements"].get("unions").is_some())
        .map(|(i, _)| i as u64)
        .collect();
    walk(program, &mut |v| {
        let union = v.get("stack").and_then(Value::as_u64).is_some_and(|s| unions.contains(&s));
        let Some(index) = v.get("at").and_then(|at| at.get("expr")) else { return };
        if union || index.get("op").is_some() || index.get("const").is_some() {
            v["at"] = json!({"expr": {"const": {"ty": {"bit": 8}, "value": "8w0x0"}}});
        }
    });
}

/// Removes statements of these kinds.
fn remove(value: &mut Value, kinds: &[&str]) {
    walk(value, &mut |v| {
        if let Value::Array(items) = v {
            items.retain(|i| !kinds.iter().any(|k| i.get(k).is_some()));
        }
    });
}

fn parser(states: &mut Value) {
    // `next` is only extracted, and `last` of a stack of unions not read; p4c has the width of
    // `lastIndex` wrong inside of other operations.
    walk(states, &mut |v| {
        if v.get("extract").or(v.get("extract_var")).is_some() {
            return;
        }
        if v.get("last_index").is_some() {
            *v = json!({"const": {"ty": {"bit": 32}, "value": "32w0x1"}});
        }
        for part in ["read", "valid", "assign", "copy_header", "set_valid", "set_invalid"] {
            let Some(place) = v.get_mut(part) else { continue };
            walk(place, &mut |v| {
                if v.get("at").is_some_and(|at| at == "next" || at == "last") {
                    v["at"] = json!({"expr": {"const": {"ty": {"bit": 8}, "value": "8w0x0"}}});
                }
            });
        }
    });
    remove(states, &["push_front", "pop_front", "read_register", "write_register"]);
}

fn outside_the_parser(part: &mut Value) {
    walk(part, &mut |v| {
        if v.get("last_index").is_some() {
            *v = json!({"const": {"ty": {"bit": 32}, "value": "32w0x1"}});
        }
        if v.get("at").is_some_and(|at| at == "last") {
            v["at"] = json!({"expr": {"const": {"ty": {"bit": 8}, "value": "8w0x0"}}});
        }
    });
}

fn uses_standard(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(uses_standard),
        Value::Object(fields) => fields.iter().any(|(k, v)| {
            k == "meta" && v.as_u64().is_some_and(|m| m < FIELDS.len() as u64) || uses_standard(v)
        }),
        _ => false,
    }
}

fn mentions(value: &Value, what: &[&str]) -> bool {
    match value {
        Value::String(text) => what.contains(&text.as_str()),
        Value::Array(items) => items.iter().any(|v| mentions(v, what)),
        Value::Object(fields) => {
            fields.iter().any(|(k, v)| what.contains(&k.as_str()) || mentions(v, what))
        }
        _ => false,
    }
}

fn checksums(sums: &mut Value, bools: &[u64]) {
    outside_the_parser(sums);
    let Value::Array(sums) = sums else { return };
    for sum in sums.iter_mut() {
        let hard = ["mux", "div", "mod", "sat_cast"];
        if uses_standard(&sum["condition"]) || mentions(&sum["condition"], &hard) {
            sum["condition"] = json!({"const": {"ty": "bool", "value": "1w0x1"}});
        }
        let Some(Value::Array(items)) = sum.get_mut("items") else { continue };
        items.retain(|item| {
            let value = item.get("value");
            let plain = value.is_none_or(|v| {
                v.get("read").and_then(|r| r.get("meta")).is_some() && !uses_standard(v)
            });
            let bool = value
                .and_then(|v| v.get("read")?.get("meta")?.as_u64())
                .is_some_and(|m| bools.contains(&m));
            plain && !bool && !mentions(item, &["expr"])
        });
    }
    sums.retain(|sum| {
        sum["items"].as_array().is_some_and(|i| !i.is_empty())
            && !uses_standard(&sum["field"])
            && !mentions(&sum["field"], &["slice", "expr"])
    });
}

/// Fields of headers in stacks or with a varbit are no members of a selection.
fn selectors(program: &mut Value) {
    let names: Vec<bool> = program["headers"]
        .as_array()
        .iter()
        .flat_map(|h| h.iter())
        .map(|h| {
            let single = h["name"].as_str().is_some_and(|n| !n.contains('['));
            let ty = h["ty"].as_u64().map(|t| &program["header_types"][t as usize]);
            single && !ty.is_some_and(|t| mentions(t, &["varbit"]))
        })
        .collect();
    let plain = |header: &Value| {
        header["header"].as_u64().and_then(|h| names.get(h as usize)).is_some_and(|n| *n)
    };
    let Some(Value::Array(profiles)) = program.get_mut("profiles") else { return };
    for profile in profiles {
        let Some(Value::Array(items)) = profile["selector"].get_mut("items") else { continue };
        items.retain(|item| match (item.get("if_valid"), item.get("header")) {
            (Some(field), _) => plain(&field["header"]),
            (_, Some(header)) => plain(header),
            _ => true,
        });
        if items.is_empty() {
            items.push(json!({"value": {"read": {"meta": 0}}}));
        }
    }
}

fn lists(lists: &mut Value) {
    let Value::Array(lists) = lists else { return };
    for list in lists {
        if let Some(Value::Array(metas)) = list.get_mut("metas") {
            metas.retain(|m| m.as_u64().is_some_and(|m| m >= FIELDS.len() as u64));
        }
    }
}

fn tables(tables: &mut Value) {
    let Value::Array(tables) = tables else { return };
    for table in tables {
        // p4c gets long prefixes in entries wrong.
        let odd =
            table["keys"].as_array().is_some_and(|keys| keys.iter().any(|k| k["kind"] == "lpm"));
        if table["profile"].is_u64() || odd {
            table["entries"] = json!([]);
            table["const_entries"] = json!(false);
        }
        // A configuration gives only the order of a table's own entries.
        if let Some(Value::Array(entries)) = table.get_mut("entries") {
            entries.sort_by_key(|e| std::cmp::Reverse(e["priority"].as_u64()));
            let count = entries.len();
            for (i, entry) in entries.iter_mut().enumerate() {
                if entry["priority"] != 0 {
                    entry["priority"] = json!(count - i);
                }
            }
        }
        // A table in a place that is never reached would leave its meter behind, which p4c refuses.
        table["meter"] = Value::Null;
        if table["profile"].is_u64() {
            table["const_default"] = json!(true);
        }
    }
}
