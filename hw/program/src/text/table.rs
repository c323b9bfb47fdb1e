//! Tables.

use super::expr::{Site, bind, param_type};
use super::file::File;
use super::gaps::Gap;
use super::layout::Layout;
use super::names::{annotations, is_no_action};
use super::parser::keyset;
use super::uses::{Object, Part};
use super::words::quoted;
use crate::entity::{Action, Table};
use crate::entry::{Entry, EntryTarget, KeyMatch};
use crate::expr::{Expr, HeaderRef, Place};
use crate::program::{ActionCall, ActionScope, FieldDecl, Item, MatchKind, TableDecl};
use crate::types::Type;

/// Writes a table.
pub(super) fn write(file: &File<'_>, part: Part, table: Table, decl: &TableDecl, out: &mut Layout) {
    let Some(local) = file.names.declared(part, table) else { return };
    file.at(format!("table {}", decl.preamble.name));
    if file.uses.forks(table) {
        file.gap(Gap::APPLIED_TWICE);
    }
    let mut body = out.inner();
    keys(file, part, decl, &mut body);
    actions(file, part, decl, &mut body);
    default(file, part, decl, &mut body);
    let name = |object: Object| file.names.local(part, object).map(|l| l.name.clone());
    if let Some(name) = decl.profile.and_then(|p| name(p.into())) {
        body.line(format!("implementation = {name};"));
    }
    if let Some(name) = decl.counter.as_ref().and_then(|_| name(Object::DirectCounter(table.0))) {
        body.line(format!("counters = {name};"));
    }
    if let Some(name) = decl.meter.as_ref().and_then(|_| name(Object::DirectMeter(table.0))) {
        body.line(format!("meters = {name};"));
    }
    if decl.size > 0 && !decl.keys.is_empty() && !decl.const_entries {
        body.line(format!("size = {};", decl.size));
    }
    if decl.idle_timeout {
        body.line("support_timeout = true;");
    }
    entries(file, part, decl, &mut body);
    out.gap();
    file.remarks(out);
    let words = annotations(file.program, table.into(), local);
    out.open(format!("{words}table {}", local.name));
    out.paste(body);
    out.close();
}

/// The type with which a key is compared. In entries p4c has no negative numbers, and `true` only for
/// exact keys: keys of tables with entries are compared as bits, except for a range of numbers with
/// signs, which would be another one then.
fn key_type(decl: &TableDecl, kind: MatchKind, ty: Option<Type>) -> Option<Type> {
    match (kind, ty) {
        _ if decl.entries.is_empty() => ty,
        (MatchKind::Exact, Some(Type::Bool)) => ty,
        (_, Some(Type::Bool)) => Some(Type::Bit(1)),
        (MatchKind::Range, _) => ty,
        (_, ty) => ty.map(unsigned),
    }
}

/// A type without its sign.
pub(super) fn unsigned(ty: Type) -> Type {
    match ty {
        Type::Int(w) => Type::Bit(w),
        other => other,
    }
}

fn keys(file: &File<'_>, part: Part, decl: &TableDecl, out: &mut Layout) {
    let exprs = file.exprs(Site::Control(part));
    let mut rows = Vec::new();
    for key in &decl.keys {
        let piece = exprs.piece(&key.value);
        let natural = natural_name(&key.value, &piece.text);
        let text = match (key_type(decl, key.kind, piece.ty), piece.ty) {
            (Some(to), Some(from)) if to != from => super::expr::cast(&piece, to).text,
            _ => piece.at_least(bind::MUX + 1),
        };
        let kind = match key.kind {
            MatchKind::Exact => "exact",
            MatchKind::Lpm => "lpm",
            MatchKind::Ternary => "ternary",
            MatchKind::Range => "range",
            MatchKind::Optional => "optional",
        };
        let plain = text == piece.text && natural.as_deref() == Some(&key.name);
        rows.push(match plain {
            true => vec![text, format!(": {kind};")],
            false => vec![text, format!(": {kind}"), format!("@name({});", quoted(&key.name))],
        });
    }
    let selector = decl.profile.and_then(|p| file.program.profiles.get(p)?.selector.as_ref());
    for (i, item) in selector.iter().flat_map(|s| &s.items).enumerate() {
        let place = |header: &HeaderRef, field| {
            exprs.place(&Place::Field { header: header.clone(), field })
        };
        if let Item::IfValid { header, .. } | Item::Header(header) = item
            && !matches!(header, HeaderRef::Header(h) if file.names.is_single(*h))
        {
            file.gap(Gap::SELECTOR_COPY);
        }
        let (text, named) = match item {
            Item::IfValid { header, field } => {
                let ty = file.program.header_type(header).ok();
                if ty.is_some_and(|t| t.varbit() == Some(*field)) {
                    file.gap(Gap::SELECTOR_ITEM);
                }
                (place(header, *field), true)
            }
            Item::Header(header) => {
                rows.extend(header_keys(file, header, &place));
                continue;
            }
            Item::Value(expr @ Expr::Read(Place::Meta(_))) => {
                let (plain, bits) = (exprs.exact(expr), exprs.bits(expr));
                let named = plain == bits;
                (bits, named)
            }
            // A field of an invalid header would be left out; an expression is not.
            Item::Value(expr @ Expr::Read(Place::Field { header, .. })) => {
                let zero = exprs.piece(expr).ty.map_or(1, Type::width);
                let (h, x) = (exprs.header(header), exprs.exact(expr));
                (format!("({h}.isValid() ? {x} : {zero}w0)"), false)
            }
            Item::Value(expr) => (format!("({})", exprs.bits(expr)), false),
        };
        rows.push(match named {
            true => vec![text, ": selector;".into()],
            false => vec![text, ": selector".into(), format!("@name(\"selector_{i}\");")],
        });
    }
    match rows.as_slice() {
        [] => {}
        [row] => out.line(format!("key = {{ {} }}", row.join(" "))),
        _ => {
            out.open("key =");
            out.columns(&rows);
            out.close();
        }
    }
}

/// A whole header as selector keys: its fields, which are left out when it is invalid as it is.
fn header_keys(
    file: &File<'_>,
    header: &HeaderRef,
    place: &dyn Fn(&HeaderRef, u32) -> String,
) -> Vec<Vec<String>> {
    let fields = file.program.header_type(header).map(|t| t.fields.as_slice()).unwrap_or_default();
    if fields.iter().any(|f| matches!(f.ty, Type::Varbit(_))) {
        file.gap(Gap::SELECTOR_ITEM);
    }
    (0..fields.len() as u32).map(|i| vec![place(header, i), ": selector;".into()]).collect()
}

/// The name that p4c gives to a key by itself.
fn natural_name(key: &Expr, text: &str) -> Option<String> {
    match key {
        Expr::Valid(_) => Some(format!("{}.$valid$", text.strip_suffix(".isValid()")?)),
        Expr::Read(Place::Slice { of, .. }) if !matches!(**of, Place::Slice { .. }) => {
            (!text.starts_with('(')).then(|| text.to_string())
        }
        Expr::Read(_) => Some(text.to_string()),
        _ => None,
    }
}

fn actions(file: &File<'_>, part: Part, decl: &TableDecl, out: &mut Layout) {
    let items: Vec<String> = decl
        .actions
        .iter()
        .map(|r| {
            let scope = match r.scope {
                ActionScope::TableAndDefault => "",
                ActionScope::TableOnly => "@tableonly ",
                ActionScope::DefaultOnly => "@defaultonly ",
            };
            format!("{scope}{};", action(file, part, r.action))
        })
        .collect();
    let whole = format!("actions = {{ {} }}", items.join(" "));
    if whole.len() < 80 {
        out.line(whole);
    } else {
        out.open("actions =");
        items.iter().for_each(|i| out.line(i));
        out.close();
    }
}

fn action(file: &File<'_>, part: Part, action: Action) -> String {
    let local = file.names.local(part, action);
    local.map_or_else(|| format!("?action{}", action.0), |l| l.name.clone())
}

/// An action with constant arguments.
pub(super) fn call(file: &File<'_>, part: Part, call: &ActionCall) -> String {
    let params = file.program.actions.get(call.action).map(|a| a.params.as_slice());
    let exprs = file.exprs(Site::Control(part));
    let unsigned = file.unsigned_params(call.action);
    let ty = |p: &FieldDecl| param_type(p.ty, unsigned);
    let args: Vec<String> = call
        .args
        .iter()
        .zip(params.unwrap_or_default())
        .map(|(value, p)| exprs.known(&Expr::Const { ty: ty(p), value: value.clone() }))
        .collect();
    format!("{}({})", action(file, part, call.action), args.join(", "))
}

fn default(file: &File<'_>, part: Part, decl: &TableDecl, out: &mut Layout) {
    let listed = decl.actions.iter().any(|r| r.action == decl.default.action);
    let nothing = is_no_action(file.program, decl.default.action);
    if decl.profile.is_some() {
        // p4c has no default actions here: where the table is applied, a miss calls it.
        if !nothing && !decl.const_default {
            file.gap(Gap::PROFILE_DEFAULT);
        }
        return;
    }
    if nothing && !listed && !decl.const_default {
        return;
    }
    let word = if decl.const_default { "const " } else { "" };
    out.line(format!("{word}default_action = {};", call(file, part, &decl.default)));
}

/// Entries, the first to be tried first: their order is what BMv2 gets.
fn entries(file: &File<'_>, part: Part, decl: &TableDecl, out: &mut Layout) {
    if decl.entries.is_empty() && !decl.const_entries {
        return;
    }
    let kinds: Vec<MatchKind> = decl.keys.iter().map(|k| k.kind).collect();
    let ordered = kinds
        .iter()
        .any(|k| matches!(k, MatchKind::Ternary | MatchKind::Range | MatchKind::Optional));
    let mut sorted: Vec<&Entry> = decl.entries.iter().collect();
    if ordered {
        sorted.sort_by_key(|e| std::cmp::Reverse(e.priority));
    }
    let types: Vec<Option<Type>> = decl
        .keys
        .iter()
        .map(|k| key_type(decl, k.kind, file.program.type_of(&k.value, &[]).ok()))
        .collect();
    let mut rows = Vec::new();
    for entry in sorted {
        let EntryTarget::Action(target) = &entry.target else {
            file.gap(Gap::PROFILE_ENTRY);
            continue;
        };
        if entry.idle_timeout_us > 0 {
            file.gap(Gap::ENTRY_TIMEOUT);
        }
        let negative = |(m, ty): (&KeyMatch, &Option<Type>)| match (m, ty) {
            (KeyMatch::Range { low, high }, Some(Type::Int(w))) => {
                low.bit(w.saturating_sub(1)) || high.bit(w.saturating_sub(1))
            }
            _ => false,
        };
        if entry.keys.iter().zip(&types).any(negative) {
            file.gap(Gap::SIGNED_RANGE);
            continue;
        }
        let wide = |m: &KeyMatch| match m {
            KeyMatch::Lpm { value, prefix } => {
                value.width() > 64 && *prefix > 0 && *prefix < value.width()
            }
            _ => false,
        };
        if entry.keys.iter().any(wide) {
            file.gap(Gap::WIDE_PREFIX);
        }
        let keys: Vec<String> = entry
            .keys
            .iter()
            .zip(&types)
            .map(|(m, ty)| keyset(m, ty.filter(|t| *t == Type::Bool)))
            .collect();
        let keys = if keys.len() == 1 { keys.concat() } else { format!("({})", keys.join(", ")) };
        let mut row = Vec::new();
        if ordered && !decl.const_entries {
            row.push(format!("priority = {}:", entry.priority));
        }
        row.push(keys);
        row.push(format!(": {};", call(file, part, target)));
        rows.push(row);
    }
    out.open(if decl.const_entries { "const entries =" } else { "entries =" });
    out.columns(&rows);
    out.close();
}

/// Tables whose direct meter an action reads. BMv2 meters every hit by itself, and p4c takes from one
/// `read` where the colour goes, so one action of the table is enough: one that no other table has, if
/// there is one.
pub(super) fn metered_by(file: &File<'_>, action: Action) -> Vec<Table> {
    let p = file.program;
    let own = |table: Table, a: Action| file.uses.only_table(a) == Some(table);
    let body = |a: Action| !is_no_action(p, a);
    p.tables
        .iter()
        .filter(|(_, decl)| decl.meter.is_some())
        .filter(|(table, decl)| {
            let mut all = decl.actions.iter().map(|r| r.action).filter(|a| body(*a));
            match all.clone().any(|a| own(*table, a)) {
                true => own(*table, action) && body(action),
                false => all.next() == Some(action),
            }
        })
        .map(|(table, _)| table)
        .collect()
}
