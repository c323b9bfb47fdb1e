//! The parser: value sets, states, selects.

use super::arithmetic::folded;
use super::expr::{Site, cast};
use super::file::File;
use super::gaps::Gap;
use super::layout::Layout;
use super::names::annotations;
use super::number::digits;
use super::stmt::Body;
use super::table::unsigned;
use super::uses::{Object, Part};
use crate::bits::Bits;
use crate::entity::Entity;
use crate::entry::{KeyMatch, prefix_mask};
use crate::expr::Expr;
use crate::program::{SelectCase, SelectOn, Target, Transition};
use crate::types::Type;

/// Writes it.
pub(super) fn write(file: &File<'_>, out: &mut Layout) {
    let (p, names) = (file.program, &file.names);
    let (block, h, m) = (&names.blocks.parser, &names.headers_type, &names.metadata_type);
    out.line(format!("parser {block}(packet_in pkt, out {h} h, inout {m} m,"));
    out.open(format!("{}inout standard_metadata_t s)", " ".repeat(block.len() + 8)));
    for (set, decl) in p.value_sets.iter() {
        let Some(local) = names.local(Part::Parser, set) else { continue };
        let ty = match (decl.columns.as_slice(), names.value_set_type(set)) {
            ([one], _) => unsigned(one.ty).to_string(),
            (_, Some(name)) => name.clone(),
            (_, None) => "?type".into(),
        };
        let words = annotations(p, Object::from(set), local);
        out.line(format!("{words}value_set<{ty}>({}) {};", decl.size, local.name));
    }
    super::control::instances(file, Part::Parser, out);
    if p.start.is_none() {
        out.gap();
        out.open("state start");
        out.line("transition accept;");
        out.close();
    }
    for (state, decl) in p.states.iter() {
        let name = &names.states[state.index()];
        file.at(format!("state {}", decl.name));
        let mut body = out.inner();
        Body::new(file, Part::Parser, file.exprs(Site::Parser)).block(&decl.body, &mut body);
        transition(file, &decl.next, &mut body);
        out.gap();
        file.remarks(out);
        out.open(format!("state {name}"));
        out.paste(body);
        out.close();
    }
    if p.states.values().any(|s| may_match_nothing(&s.next)) {
        out.gap();
        out.open(format!("state {}", names.no_match));
        out.line("verify(false, error.NoMatch);");
        out.line("transition accept;");
        out.close();
    }
    out.close();
}

/// Whether a select may be left without a case.
fn may_match_nothing(next: &Transition) -> bool {
    match next {
        Transition::To(_) => false,
        Transition::Select { cases, .. } => !cases.iter().any(|c| is_default(&c.on)),
    }
}

/// Whether a case takes everything.
fn is_default(on: &SelectOn) -> bool {
    match on {
        SelectOn::Default => true,
        SelectOn::Keys(matches) => matches.iter().all(takes_all),
        SelectOn::ValueSet(_) => false,
    }
}

/// Whether a match takes every value.
fn takes_all(m: &KeyMatch) -> bool {
    match m {
        KeyMatch::Any => true,
        KeyMatch::Lpm { prefix, .. } => *prefix == 0,
        KeyMatch::Masked { mask, .. } => mask.is_zero(),
        KeyMatch::Range { low, high } => low.is_zero() && *high == Bits::ones(high.width()),
        KeyMatch::Exact(_) => false,
    }
}

fn transition(file: &File<'_>, next: &Transition, out: &mut Layout) {
    let (keys, cases) = match next {
        Transition::To(to) => {
            out.line(format!("transition {};", target(file, *to)));
            return;
        }
        Transition::Select { keys, cases } => without_constants(file, keys, cases),
    };
    let exprs = file.exprs(Site::Parser);
    let piece = |key: &Expr| {
        let piece = exprs.piece(key);
        match piece.ty {
            // p4c has no negative numbers in cases.
            Some(Type::Int(w)) => cast(&piece, Type::Bit(w)),
            _ => piece,
        }
    };
    let types: Vec<Option<Type>> = keys.iter().map(|k| file.program.type_of(k, &[]).ok()).collect();
    let texts: Vec<String> = keys.iter().map(|k| piece(k).text).collect();
    let mut rows = Vec::new();
    for SelectCase { on, to } in &cases {
        let to = format!(": {};", target(file, *to));
        match on {
            _ if is_default(on) => rows.push(vec!["default".into(), to]),
            SelectOn::Default => {}
            SelectOn::ValueSet(set) => {
                let name = file.names.local(Part::Parser, *set).map(|l| l.name.clone());
                rows.push(vec![name.unwrap_or_else(|| "?value_set".into()), to]);
            }
            SelectOn::Keys(matches) => {
                for tuple in alternatives(file, matches, &types) {
                    rows.push(vec![tuple, to.clone()]);
                }
            }
        }
        // Nothing behind an unconditional case is ever reached, and p4c says so.
        if is_default(on) {
            break;
        }
    }
    // P4 says that a packet which matches no case has the error `NoMatch`; what p4c makes for BMv2 goes
    // on without an error. So it is said here.
    if rows.last().is_none_or(|row| row[0] != "default") {
        rows.push(vec!["default".into(), format!(": {};", file.names.no_match)]);
    }
    if let [row] = rows.as_slice() {
        let to = row[1].trim_start_matches([':', ' ']);
        return out.line(format!("transition {to}"));
    }
    out.open(format!("transition select({})", texts.join(", ")));
    out.columns(&rows);
    out.close();
}

/// A select without the keys that are constants, which p4c does not take, and without the cases that
/// these do not match.
fn without_constants(
    file: &File<'_>,
    keys: &[Expr],
    cases: &[SelectCase],
) -> (Vec<Expr>, Vec<SelectCase>) {
    let constants: Vec<Option<Bits>> = keys.iter().map(|k| folded(k, 0)).collect();
    let signed = |i: usize| {
        matches!(keys.get(i).map(|k| file.program.type_of(k, &[])), Some(Ok(Type::Int(_))))
    };
    let mut kept = Vec::new();
    for case in cases {
        let on = match &case.on {
            SelectOn::Keys(matches) => {
                let pairs = || matches.iter().zip(&constants).enumerate();
                let met = pairs().all(|(i, (m, constant))| {
                    constant.as_ref().is_none_or(|value| m.matches(value, signed(i)))
                });
                if !met {
                    continue;
                }
                let rest = pairs().filter(|(_, (_, constant))| constant.is_none());
                SelectOn::Keys(rest.map(|(_, (m, _))| m.clone()).collect())
            }
            SelectOn::ValueSet(set) => {
                if constants.iter().any(Option::is_some) {
                    file.gap(Gap::CONSTANT_KEY);
                }
                SelectOn::ValueSet(*set)
            }
            SelectOn::Default => SelectOn::Default,
        };
        kept.push(SelectCase { on, to: case.to });
    }
    let keys = keys.iter().zip(&constants).filter(|(_, c)| c.is_none()).map(|(k, _)| k.clone());
    (keys.collect(), kept)
}

/// A case as tuples of keysets: several where a range of numbers with signs includes both negative and
/// other ones, since p4c compares without signs, and where ranges need more masks than p4c makes.
fn alternatives(file: &File<'_>, matches: &[KeyMatch], types: &[Option<Type>]) -> Vec<String> {
    let mut columns: Vec<Vec<KeyMatch>> = Vec::new();
    for (m, ty) in matches.iter().zip(types.iter().chain(std::iter::repeat(&None))) {
        columns.push(match (m, ty) {
            (KeyMatch::Range { low, high }, Some(Type::Int(w))) if *w > 0 => {
                let ranges = unsigned_ranges(*w, low, high).into_iter();
                ranges.map(|(low, high)| KeyMatch::Range { low, high }).collect()
            }
            _ => vec![m.clone()],
        });
    }
    let count = |m: &KeyMatch| masks(m).map_or(MAX_TUPLES, |masks| masks.len());
    let most = |column: &Vec<KeyMatch>| column.iter().map(count).max().unwrap_or(1);
    if columns.iter().map(most).fold(1, usize::saturating_mul) > MAX_MASKS {
        for column in &mut columns {
            *column =
                column.iter().flat_map(|m| masks(m).unwrap_or_else(|| vec![m.clone()])).collect();
        }
    }
    let mut tuples: Vec<Vec<String>> = vec![Vec::new()];
    for (column, ty) in columns.iter().zip(types.iter().chain(std::iter::repeat(&None))) {
        let ty = ty.filter(|t| *t == Type::Bool);
        let texts: Vec<String> = column.iter().map(|m| keyset(m, ty)).collect();
        if tuples.len() * texts.len() > MAX_TUPLES {
            file.gap(Gap::RANGES);
            break;
        }
        tuples = tuples
            .iter()
            .flat_map(|t| {
                texts.iter().map(move |text| [t.as_slice(), std::slice::from_ref(text)].concat())
            })
            .collect();
    }
    tuples
        .into_iter()
        .map(|t| if t.len() == 1 { t.concat() } else { format!("({})", t.join(", ")) })
        .collect()
}

/// Masks that p4c makes of the ranges of one case.
const MAX_MASKS: usize = 100;
/// Rows that one case may become.
const MAX_TUPLES: usize = 1024;

/// A range as matches under masks, `None` beyond 64 bits.
fn masks(m: &KeyMatch) -> Option<Vec<KeyMatch>> {
    let KeyMatch::Range { low, high } = m else { return Some(vec![m.clone()]) };
    let width = low.width();
    let (mut at, end) = (u128::from(low.to_u64()?), u128::from(high.to_u64()?) + 1);
    if width > 64 {
        return None;
    }
    let mut out = Vec::new();
    while at < end {
        // The largest block that begins here and does not reach beyond the end.
        let mut size = if at == 0 { 1u128 << width } else { at & at.wrapping_neg() };
        while at + size > end {
            size >>= 1;
        }
        let mask = Bits::new(width, !(size - 1));
        out.push(KeyMatch::masked(&Bits::new(width, at), mask));
        at += size;
    }
    Some(out)
}

/// A range of two's complement numbers as ranges of unsigned ones.
fn unsigned_ranges(width: u32, low: &Bits, high: &Bits) -> Vec<(Bits, Bits)> {
    let negative = |b: &Bits| b.bit(width - 1);
    let largest = Bits::ones(width - 1).resize(width);
    match (negative(low), negative(high)) {
        (true, false) => vec![
            (low.clone(), Bits::ones(width)),
            (Bits::zero(width), if *high > largest { largest } else { high.clone() }),
        ],
        _ => vec![(low.clone(), high.clone())],
    }
}

/// One key's match in a case or an entry; `ty` is given for what is not written as a number.
pub(super) fn keyset(m: &KeyMatch, ty: Option<Type>) -> String {
    let one = |v: &Bits| match ty {
        Some(Type::Bool) => (if v.is_zero() { "false" } else { "true" }).to_string(),
        _ => digits(v),
    };
    let masked = |value: &Bits, mask: &Bits| match mask {
        mask if mask.is_zero() => "_".to_string(),
        mask if *mask == Bits::ones(mask.width()) => one(value),
        mask => format!("{} &&& {}", digits(value), digits(mask)),
    };
    match m {
        KeyMatch::Any => "_".into(),
        KeyMatch::Exact(value) => one(value),
        KeyMatch::Lpm { value, prefix } => masked(value, &prefix_mask(value.width(), *prefix)),
        KeyMatch::Masked { value, mask } => masked(value, mask),
        KeyMatch::Range { low, high } if low == high => one(low),
        KeyMatch::Range { low, high } => format!("{} .. {}", digits(low), digits(high)),
    }
}

fn target(file: &File<'_>, target: Target) -> String {
    match target {
        Target::Accept => "accept".into(),
        Target::Reject => "reject".into(),
        Target::State(state) => {
            let name = file.names.states.get(state.index());
            name.cloned().unwrap_or_else(|| format!("?state{}", state.0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The masks of a range take exactly its numbers.
    #[test]
    fn ranges_are_masks() {
        for low in 0..16u128 {
            for high in low..16 {
                let range = KeyMatch::Range { low: Bits::new(4, low), high: Bits::new(4, high) };
                let masks = masks(&range).unwrap();
                for value in (0..16).map(|v| Bits::new(4, v)) {
                    let hits = masks.iter().filter(|m| m.matches(&value, false)).count();
                    assert_eq!(
                        hits,
                        usize::from(range.matches(&value, false)),
                        "{range:?} {value}"
                    );
                }
            }
        }
    }
}
