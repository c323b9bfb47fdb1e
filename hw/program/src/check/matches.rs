//! What a key must be, in entries and selects: rules M.

use super::Rule;
use super::cx::Cx;
use super::expr::a;
use crate::bits::Bits;
use crate::entry::{KeyMatch, prefix_mask};
use crate::program::MatchKind;
use crate::types::Type;

/// What the match is for.
#[derive(Clone, Copy)]
pub(super) enum Column {
    /// A key of a table.
    Key(MatchKind),
    /// A key of a select.
    Select,
}

impl Cx<'_> {
    /// Checks a match; `ty` is the type of the key if it has one.
    pub fn key_match(&mut self, found: &KeyMatch, column: Column, ty: Option<Type>) {
        let taken = match (column, found) {
            (Column::Key(MatchKind::Exact), KeyMatch::Exact(_)) => true,
            (Column::Key(MatchKind::Exact), _) | (Column::Select, KeyMatch::Lpm { .. }) => false,
            (Column::Select, KeyMatch::Range { .. }) => ty.is_none_or(Type::is_number),
            (Column::Select, KeyMatch::Masked { .. }) => ty != Some(Type::Error),
            (Column::Select, _) | (_, KeyMatch::Any) => true,
            (Column::Key(MatchKind::Lpm), KeyMatch::Lpm { .. }) => true,
            (Column::Key(MatchKind::Ternary), KeyMatch::Masked { .. }) => true,
            (Column::Key(MatchKind::Range), KeyMatch::Range { .. }) => true,
            (Column::Key(MatchKind::Optional), KeyMatch::Exact(_)) => true,
            (Column::Key(_), _) => false,
        };
        if !taken {
            let accepts = match column {
                Column::Key(MatchKind::Exact) => "an exact key takes `exact`",
                Column::Key(MatchKind::Lpm) => "an lpm key takes `lpm` or `any`",
                Column::Key(MatchKind::Ternary) => "a ternary key takes `masked` or `any`",
                Column::Key(MatchKind::Range) => "a range key takes `range` or `any`",
                Column::Key(MatchKind::Optional) => "an optional key takes `exact` or `any`",
                Column::Select => {
                    "`exact`, `any`, `range` for numbers, and `masked` for numbers and bools"
                }
            };
            self.fault(Rule::M01, format!("a match of kind `{}`", word(found)), accepts);
        }
        let Some(ty) = ty else { return };
        let values: Vec<&Bits> = match found {
            KeyMatch::Exact(value) | KeyMatch::Lpm { value, .. } => vec![value],
            KeyMatch::Masked { value, mask } => vec![value, mask],
            KeyMatch::Range { low, high } => vec![low, high],
            KeyMatch::Any => vec![],
        };
        let mut fits = true;
        for value in values.iter().filter(|v| v.width() != ty.width()) {
            fits = false;
            self.fault(
                Rule::M02,
                format!("{value:#x} of {} bits for a key that is {}", value.width(), a(ty)),
                format!("a number of {} bits", ty.width()),
            );
        }
        if fits {
            self.canonical(found, ty);
        }
    }

    fn canonical(&mut self, found: &KeyMatch, ty: Type) {
        let width = ty.width();
        let outside = |value: &Bits, mask: &Bits| {
            value.limbs().iter().zip(mask.limbs()).any(|(v, m)| v & !m != 0)
        };
        let (found, accepts) = match found {
            KeyMatch::Lpm { prefix, .. } if *prefix > width => {
                (format!("a prefix of {prefix} bits"), format!("{width} bits at most"))
            }
            KeyMatch::Lpm { value, prefix } if outside(value, &prefix_mask(width, *prefix)) => (
                format!("{value:#x} has bits behind a prefix of {prefix}"),
                "zeros behind the prefix".to_owned(),
            ),
            KeyMatch::Masked { value, mask } if outside(value, mask) => (
                format!("{value:#x} has bits outside the mask {mask:#x}"),
                "zeros where the mask is 0".to_owned(),
            ),
            // The range is empty exactly when its low end is not in it.
            KeyMatch::Range { low, high } if !found.matches(low, ty.is_signed()) => {
                (format!("low {low:#x} is above high {high:#x}"), "low <= high".to_owned())
            }
            _ => return,
        };
        self.fault(Rule::M03, found, accepts);
    }
}

fn word(found: &KeyMatch) -> &'static str {
    match found {
        KeyMatch::Exact(_) => "exact",
        KeyMatch::Lpm { .. } => "lpm",
        KeyMatch::Masked { .. } => "masked",
        KeyMatch::Range { .. } => "range",
        KeyMatch::Any => "any",
    }
}
