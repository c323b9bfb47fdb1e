//! Whether what a control plane writes fits what is declared, and why not.
//!
//! Everything that takes writes refuses the same ones, in the same words: the golden model, the encoder of the
//! hardware's memories, the services. What depends on what is installed is said by those who know.

use crate::bits::Bits;
use crate::entity::{Action, Entity, EntityMap};
use crate::entry::{KeyMatch, MeterConfig, prefix_mask};
use crate::program::{
    ActionCall, ActionRef, ActionScope, FieldDecl, MatchKind, Program, TableDecl,
};
use crate::types::Type;

/// Why a write is refused. A refused write has changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} `{name}`: {fault}")]
pub struct WriteError {
    /// Kind of object: `table`, `register`, ...
    pub what: &'static str,
    /// Its name, or its number when it has none.
    pub name: String,
    /// What is wrong with the write, and what would be accepted.
    pub fault: Fault,
}

/// What is wrong with a write. Each says what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// There is no such object.
    #[error("does not exist; the program has {count}")]
    NoSuchObject {
        /// How many there are.
        count: usize,
    },
    /// Something else is wrong with the request itself.
    #[error("{0}")]
    Invalid(String),
    /// An entry, member, group or session that is to be added exists.
    #[error("{0} exists already; modify or delete it")]
    Exists(String),
    /// An entry, member, group or session that is named does not exist.
    #[error("{0} does not exist; insert it first")]
    Missing(String),
    /// There is no more room.
    #[error("is full: it holds {limit} {of}; delete some first or give it a larger size")]
    Full {
        /// Of what.
        of: &'static str,
        /// How many there can be.
        limit: u64,
    },
    /// It is still named elsewhere.
    #[error("{0} is in use; delete what names it first")]
    InUse(String),
}

/// A refusal.
pub fn refused(what: &'static str, name: &str, fault: Fault) -> WriteError {
    WriteError { what, name: name.to_string(), fault }
}

/// The declaration of what a write names.
pub fn object<'a, K: Entity, V>(
    what: &'static str,
    all: &'a EntityMap<K, V>,
    key: K,
) -> Result<&'a V, WriteError> {
    let missing = Fault::NoSuchObject { count: all.len() };
    all.get(key).ok_or_else(|| refused(what, &key.index().to_string(), missing))
}

/// An index is one of an array's.
pub fn in_range(index: u32, size: u32) -> Result<(), Fault> {
    match index < size {
        true => Ok(()),
        false => {
            Err(Fault::Invalid(format!("has no index {index}; they go from 0 to below {size}")))
        }
    }
}

/// A meter's rates make sense.
pub fn rates(config: Option<&MeterConfig>) -> Result<(), Fault> {
    let Some(c) = config else { return Ok(()) };
    let number = |r: f64| r.is_finite() && r >= 0.0;
    if number(c.cir) && number(c.pir) && c.cir <= c.pir {
        return Ok(());
    }
    let (cir, pir) = (c.cir, c.pir);
    let text = format!(
        "committed rate {cir}, peak rate {pir}: rates are numbers from 0 on, and the committed one is not above the peak"
    );
    Err(Fault::Invalid(text))
}

/// Whether entries of these keys have priorities.
pub fn has_priority(kinds: impl Iterator<Item = MatchKind> + Clone) -> bool {
    let prefixes = kinds.clone().filter(|k| *k == MatchKind::Lpm).count();
    prefixes > 1 || kinds.into_iter().any(|k| !matches!(k, MatchKind::Exact | MatchKind::Lpm))
}

/// A value has the width that is declared.
pub fn width(what: &str, value: &Bits, width: u32) -> Result<(), Fault> {
    match value.width() == width {
        true => Ok(()),
        false => {
            Err(Fault::Invalid(format!("{what} has {} bits; it takes {width}", value.width())))
        }
    }
}

/// There is a value for each field.
pub fn fields(what: &str, values: &[Bits], fields: &[FieldDecl]) -> Result<(), Fault> {
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
pub fn keys(
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
    if priority != 0 && !has_priority(table.keys.iter().map(|k| k.kind)) {
        return Err(Fault::Invalid(format!(
            "priority {priority} given; without a ternary, range or optional key it is 0"
        )));
    }
    Ok(())
}

/// A match of a value of a type is well formed.
pub fn any_match(name: &str, key: &KeyMatch, ty: Type) -> Result<(), Fault> {
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

/// Arguments of an action fit its parameters.
fn arguments(program: &Program, call: &ActionCall) -> Result<(), Fault> {
    let Some(action) = program.actions.get(call.action) else {
        let (index, count) = (call.action.index(), program.actions.len());
        return Err(Fault::Invalid(format!("there is no action {index}; there are {count}")));
    };
    fields(&format!("data of action `{}`", action.preamble.name), &call.args, &action.params)
}

fn named(program: &Program, action: Action) -> String {
    let decl = program.actions.get(action);
    decl.map_or_else(|| format!("{action:?}"), |a| format!("`{}`", a.preamble.name))
}

/// An action is one that these allow.
pub fn action<'a>(
    program: &Program,
    allowed: impl Iterator<Item = &'a ActionRef> + Clone,
    call: &ActionCall,
    as_default: bool,
) -> Result<(), Fault> {
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
