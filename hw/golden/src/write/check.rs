//! Whether what a write contains fits what is declared.

use crate::error::Fault;
use restage_program::entity::{Action, Entity};
use restage_program::entry::{KeyMatch, prefix_mask};
use restage_program::program::{
    ActionCall, ActionRef, ActionScope, FieldDecl, MatchKind, Program, TableDecl,
};
use restage_program::{Bits, Type};

/// A value has the width that is declared.
pub(super) fn width(what: &str, value: &Bits, width: u32) -> Result<(), Fault> {
    match value.width() == width {
        true => Ok(()),
        false => {
            Err(Fault::Invalid(format!("{what} has {} bits; it takes {width}", value.width())))
        }
    }
}

/// There is a value for each field.
pub(super) fn fields(what: &str, values: &[Bits], fields: &[FieldDecl]) -> Result<(), Fault> {
    if values.len() != fields.len() {
        let names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
        return Err(Fault::Invalid(format!(
            "{} given as {what}; it takes {} ({})",
            values.len(),
            fields.len(),
            names.join(", ")
        )));
    }
    let mut pairs = values.iter().zip(fields);
    pairs.try_for_each(|(value, f)| width(&format!("`{}`", f.name), value, f.ty.width()))
}

/// The keys of an entry fit the table's.
pub(super) fn keys(
    program: &Program,
    table: &TableDecl,
    keys: &[KeyMatch],
    priority: u32,
) -> Result<(), Fault> {
    if keys.len() != table.keys.len() {
        let names: Vec<&str> = table.keys.iter().map(|k| k.name.as_str()).collect();
        return Err(Fault::Invalid(format!(
            "{} keys given; it has {} ({})",
            keys.len(),
            table.keys.len(),
            names.join(", ")
        )));
    }
    for (key, decl) in keys.iter().zip(&table.keys) {
        let ty = program.type_of(&decl.value, &[]).unwrap_or(Type::Bit(1));
        let fits = matches!(
            (decl.kind, key),
            (MatchKind::Exact, KeyMatch::Exact(_))
                | (MatchKind::Lpm, KeyMatch::Lpm { .. } | KeyMatch::Any)
                | (MatchKind::Ternary, KeyMatch::Masked { .. } | KeyMatch::Any)
                | (MatchKind::Range, KeyMatch::Range { .. } | KeyMatch::Any)
                | (MatchKind::Optional, KeyMatch::Exact(_) | KeyMatch::Any)
        );
        if !fits {
            let takes = match decl.kind {
                MatchKind::Exact => "`exact`",
                MatchKind::Lpm => "`lpm` or `any`",
                MatchKind::Ternary => "`masked` or `any`",
                MatchKind::Range => "`range` or `any`",
                MatchKind::Optional => "`exact` or `any`",
            };
            let name = &decl.name;
            return Err(Fault::Invalid(format!("key `{name}` is given {key:?}; it takes {takes}")));
        }
        any_match(&decl.name, key, ty)?;
    }
    if priority != 0 && !crate::table::has_priority(table.keys.iter().map(|k| k.kind)) {
        return Err(Fault::Invalid(format!(
            "priority {priority} given; without a ternary, range or optional key it is 0"
        )));
    }
    Ok(())
}

/// A match of a value of a type is well formed.
pub(super) fn any_match(name: &str, key: &KeyMatch, ty: Type) -> Result<(), Fault> {
    let what = format!("key `{name}`");
    let bits = ty.width();
    let beyond = |value: &Bits, mask: &Bits| {
        let spill = value.limbs().iter().zip(mask.limbs()).any(|(v, m)| v & !m != 0);
        match spill {
            true => Err(Fault::Invalid(format!(
                "{what} has bits of the value {value:#x} where the mask {mask:#x} is 0; clear them"
            ))),
            false => Ok(()),
        }
    };
    match key {
        KeyMatch::Any => Ok(()),
        KeyMatch::Exact(value) => width(&what, value, bits),
        KeyMatch::Lpm { value, prefix } => {
            width(&what, value, bits)?;
            if *prefix > bits {
                let text = format!("{what} has a prefix of {prefix}; it has {bits} bits");
                return Err(Fault::Invalid(text));
            }
            beyond(value, &prefix_mask(bits, *prefix))
        }
        KeyMatch::Masked { value, mask } => {
            width(&what, value, bits)?;
            width(&format!("the mask of {what}"), mask, bits)?;
            beyond(value, mask)
        }
        KeyMatch::Range { low, high } => {
            width(&what, low, bits)?;
            width(&what, high, bits)?;
            match key.matches(low, ty.is_signed()) {
                true => Ok(()),
                false => Err(Fault::Invalid(format!(
                    "{what} has the range {low:#x}..{high:#x}; the low end comes first"
                ))),
            }
        }
    }
}

/// Arguments of an action as slots, if they fit its parameters.
fn arguments(program: &Program, call: &ActionCall) -> Result<Vec<u64>, Fault> {
    let Some(action) = program.actions.get(call.action) else {
        let (index, count) = (call.action.index(), program.actions.len());
        return Err(Fault::Invalid(format!("there is no action {index}; there are {count}")));
    };
    fields(&format!("data of action `{}`", action.preamble.name), &call.args, &action.params)?;
    Ok(super::limbs(&call.args))
}

fn named(program: &Program, action: Action) -> String {
    let decl = program.actions.get(action);
    decl.map_or_else(|| format!("{action:?}"), |a| format!("`{}`", a.preamble.name))
}

/// An action that one of these allows, as slots.
pub(super) fn action<'a>(
    program: &Program,
    allowed: impl Iterator<Item = &'a ActionRef> + Clone,
    call: &ActionCall,
    as_default: bool,
) -> Result<Vec<u64>, Fault> {
    let other = if as_default { ActionScope::TableOnly } else { ActionScope::DefaultOnly };
    let fits = |a: &&ActionRef| a.scope != other;
    if !allowed.clone().filter(fits).any(|a| a.action == call.action) {
        let names: Vec<String> = allowed.filter(fits).map(|a| named(program, a.action)).collect();
        let place = if as_default { "as the default" } else { "in entries" };
        let call = named(program, call.action);
        return Err(Fault::Invalid(format!(
            "action {call} is not allowed {place}; these are: {}",
            names.join(", ")
        )));
    }
    arguments(program, call)
}
