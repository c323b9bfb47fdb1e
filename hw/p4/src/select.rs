//! Where a parser state goes.
//!
//! A select of BMv2 without a default ends parsing without an error when nothing matches; in a program
//! that is the error `NoMatch`. So the default is written out here: it accepts.

use crate::error::Result;
use crate::expr::Num;
use crate::expr::read::{Value, constant, unknown};
use crate::json::Node;
use crate::objects::Objects;
use crate::parser::States;
use restage_program::bits::limb_count;
use restage_program::entity::ValueSet;
use restage_program::entry::KeyMatch;
use restage_program::expr::Expr;
use restage_program::op::Op;
use restage_program::program::{FieldDecl, SelectCase, SelectOn, Target, Transition};
use restage_program::{Bits, Type};

impl States<'_, '_> {
    /// The transition of a state.
    pub fn transition(&mut self, node: &Node) -> Result<Transition> {
        let mut keys = Vec::new();
        for key in node.list("transition_key")? {
            keys.push(self.key(&key)?);
        }
        let mut types = Vec::new();
        for key in &keys {
            let ty = self.objects.program.type_of(key, &[]);
            types.push(ty.map_err(|e| node.fault(e.to_string(), "a field to select on"))?);
        }
        let mut cases = Vec::new();
        let mut whole = false;
        let mut default = Target::Accept;
        for case in node.list("transitions")? {
            let to = self.target(&case)?;
            let value = case.get("value");
            let kind = case.opt("type").map_or(Ok("hexstr"), |t| t.text())?;
            let is_default = kind == "default"
                || kind == "hexstr"
                    && value.as_ref().is_ok_and(|v| v.text().is_ok_and(|v| v == "default"));
            let on = if is_default {
                default = to;
                continue;
            } else if kind == "hexstr" {
                self.case(&case, &value?, &types)?
            } else if kind == "parse_vset" {
                let (set, is_whole) = self.value_set(&case, &value?, &types)?;
                whole |= is_whole;
                Some(SelectOn::ValueSet(set))
            } else {
                return Err(unknown(&case, kind, "a transition: default, hexstr, parse_vset"));
            };
            cases.extend(on.map(|on| SelectCase { on, to }));
        }
        if keys.is_empty() || cases.is_empty() {
            return Ok(Transition::To(default));
        }
        if whole {
            keys = join(keys, &mut cases).ok_or_else(|| {
                node.fault(
                    "value sets of different shapes in one select",
                    "value sets with a column for each key",
                )
            })?;
        }
        cases.push(SelectCase { on: SelectOn::Default, to: default });
        Ok(Transition::Select { keys, cases })
    }

    fn key(&mut self, node: &Node) -> Result<Expr> {
        let mut reader = self.reader();
        match reader.value(node)? {
            Value::Num(Num::Leaf(expr, _)) => Ok(expr),
            Value::Num(Num::FromTruth(truth)) => {
                let valid = reader.lowered(node, &truth)?;
                Ok(Expr::op(Op::Cast(Type::Bit(1)), [valid]))
            }
            Value::Num(num @ Num::Error(_)) => reader.typed(node, &num, Type::Bit(32)),
            _ => Err(node.wrong("a field, stack_field, union_stack_field or lookahead")),
        }
    }

    /// A case: the keys' values one after the other, each padded to whole bytes. A case that asks for
    /// padding other than 0 never matches; it is left out.
    fn case(&self, node: &Node, value: &Node, types: &[Type]) -> Result<Option<SelectOn>> {
        let bytes = |w: u32| w.div_ceil(8) * 8;
        let total: u32 = types.iter().map(|t| bytes(t.width())).fold(0, u32::saturating_add);
        let read = |node: &Node| -> Result<Bits> {
            let number = constant(node)?;
            if number.is_negative() || number.significant() > total {
                return Err(node.fault(
                    format!("a value of {} bits", number.significant()),
                    format!("{} bytes: each key padded to whole bytes", total / 8),
                ));
            }
            Ok(number.bits(total))
        };
        let value = read(value)?;
        let mask = node.opt("mask").map(|m| read(&m)).transpose()?;
        let mut keys = Vec::new();
        let mut top = total;
        for ty in types {
            let width = ty.width();
            top -= bytes(width);
            let own = part(&value, top, width);
            let padding = part(&value, top + width, bytes(width) - width);
            match &mask {
                Some(mask) => {
                    let pad = part(mask, top + width, bytes(width) - width);
                    let wrong = padding.limbs().iter().zip(pad.limbs()).any(|(v, m)| v & m != 0);
                    if wrong {
                        return Ok(None);
                    }
                    let mask = part(mask, top, width);
                    keys.push(match mask {
                        m if m == Bits::ones(width) => KeyMatch::Exact(own),
                        m => KeyMatch::masked(&own, m),
                    });
                }
                None if !padding.is_zero() => return Ok(None),
                None => keys.push(KeyMatch::Exact(own)),
            }
        }
        Ok(Some(SelectOn::Keys(keys)))
    }

    /// A value set, and whether its one column is all keys together.
    fn value_set(&mut self, node: &Node, value: &Node, types: &[Type]) -> Result<(ValueSet, bool)> {
        let set = Objects::find(&self.objects.names.value_sets, value, "value set")?;
        if let Some(mask) = node.opt("mask") {
            return Err(mask.fault("a value set under a mask", "null: members match whole keys"));
        }
        let Some(decl) = self.objects.program.value_sets.get_mut(set) else {
            return Ok((set, false));
        };
        if decl.columns.is_empty() {
            let name = |i| if types.len() == 1 { "value".into() } else { format!("value_{i}") };
            let columns = types.iter().enumerate();
            decl.columns = columns.map(|(i, ty)| FieldDecl { name: name(i), ty: *ty }).collect();
        }
        let columns: Vec<u32> = decl.columns.iter().map(|c| c.ty.width()).collect();
        let widths: Vec<u32> = types.iter().map(|t| t.width()).collect();
        if columns == widths {
            for (column, ty) in decl.columns.iter_mut().zip(types) {
                column.ty = *ty;
            }
            return Ok((set, false));
        }
        if columns == [widths.iter().copied().fold(0, u32::saturating_add)] {
            return Ok((set, true));
        }
        Err(value.fault(
            format!("a value set with columns of {columns:?} bits for keys of {widths:?} bits"),
            "columns with the widths of the keys",
        ))
    }
}

/// The keys as one, and the cases for it; nothing when a value set wants them apart.
fn join(keys: Vec<Expr>, cases: &mut [SelectCase]) -> Option<Vec<Expr>> {
    for case in cases.iter_mut() {
        let SelectOn::Keys(matches) = &case.on else { continue };
        let (mut value, mut mask) = (Vec::new(), Vec::new());
        for found in matches.iter().rev() {
            let (v, m) = match found {
                KeyMatch::Exact(v) => (v, Bits::ones(v.width())),
                KeyMatch::Masked { value, mask } => (value, mask.clone()),
                _ => return None,
            };
            value.extend(v.as_bitslice().iter().by_vals());
            mask.extend(m.as_bitslice().iter().by_vals());
        }
        let (value, mask) = (from_bits(&value), from_bits(&mask));
        let all = mask == Bits::ones(mask.width());
        case.on = SelectOn::Keys(vec![if all {
            KeyMatch::Exact(value)
        } else {
            KeyMatch::masked(&value, mask)
        }]);
    }
    let joined = keys.into_iter().reduce(|a, b| Expr::op(Op::Concat, [a, b]))?;
    Some(vec![joined])
}

/// A number out of its bits, the lowest first.
fn from_bits(bits: &[bool]) -> Bits {
    let mut limbs = vec![0u64; limb_count(bits.len() as u32)];
    for (i, bit) in bits.iter().enumerate() {
        limbs[i / 64] |= u64::from(*bit) << (i % 64);
    }
    Bits::from_limbs(bits.len() as u32, &limbs)
}

/// Bits `lo .. lo + width` of a number.
fn part(bits: &Bits, lo: u32, width: u32) -> Bits {
    let bits: Vec<bool> = (lo..lo + width).map(|i| bits.bit(i)).collect();
    from_bits(&bits)
}
