//! Comparisons: of numbers, truth values, headers and unions.

use super::read::{Reader, Value};
use super::{Compare, Num, Truth};
use crate::error::Result;
use crate::json::Node;
use crate::objects::UnionRef;
use restage_program::expr::{Expr, HeaderRef, Place};

impl Reader<'_> {
    /// `==`, `!=`, `<` and the like; of headers and unions too.
    pub fn comparison(&mut self, op: Compare, node: &Node) -> Result<Truth> {
        let (left, right) = (node.get("left")?, node.get("right")?);
        let equality = matches!(op, Compare::Eq | Compare::Ne);
        let same = match (self.value(&left)?, self.value(&right)?) {
            (Value::Num(a), Value::Num(b)) => return Ok(Truth::Compare(op, a, b)),
            (Value::Truth(a), Value::Truth(b)) if equality => Truth::Same(Box::new(a), Box::new(b)),
            (Value::Header(a), Value::Header(b)) if equality => self.headers_equal(node, &a, &b)?,
            (Value::Union(a), Value::Union(b)) if equality => {
                let count = self.objects.members(&a, node)?.len();
                let mut each = Vec::new();
                for i in 0..count {
                    let (a, b) =
                        (self.objects.member(&a, i, node)?, self.objects.member(&b, i, node)?);
                    each.push(self.headers_equal(node, &a, &b)?);
                }
                balanced(each, Truth::Or, false)
            }
            (a, b) => {
                return Err(node.fault(
                    format!("compares {} with {}", a.describe(), b.describe()),
                    "two numbers; for == and != also two truth values, headers or unions",
                ));
            }
        };
        Ok(if op == Compare::Eq { same } else { Truth::Not(Box::new(same)) })
    }

    /// As BMv2 compares headers: both must be valid.
    fn headers_equal(&mut self, node: &Node, a: &HeaderRef, b: &HeaderRef) -> Result<Truth> {
        let wrong = || {
            node.fault(
                "compares headers that cannot be compared",
                "two headers of one type without varbit",
            )
        };
        let (ta, tb) =
            (self.objects.program.type_of_header(a), self.objects.program.type_of_header(b));
        if ta.is_err() || ta != tb {
            return Err(wrong());
        }
        let fields = self.objects.program.header_type(a).map_err(|_| wrong())?.fields.clone();
        let valid = |h: &HeaderRef| Truth::Is(Expr::Valid(h.clone()));
        let mut all = vec![valid(a), valid(b)];
        for (i, field) in fields.iter().enumerate() {
            if !field.ty.is_number() {
                return Err(wrong());
            }
            let read = |header: &HeaderRef| {
                let place = Place::Field { header: header.clone(), field: i as u32 };
                Num::Leaf(Expr::Read(place), field.ty)
            };
            all.push(Truth::Compare(Compare::Eq, read(a), read(b)));
        }
        Ok(balanced(all, Truth::And, true))
    }

    /// Whether a member of a union is valid.
    pub fn union_valid(&mut self, node: &Node, union: &UnionRef) -> Result<Truth> {
        let count = self.objects.members(union, node)?.len();
        let mut each = Vec::new();
        for i in 0..count {
            each.push(Truth::Is(Expr::Valid(self.objects.member(union, i, node)?)));
        }
        Ok(balanced(each, Truth::Or, false))
    }
}

/// All of them under one operation, in a tree of little depth.
fn balanced(mut all: Vec<Truth>, op: fn(Box<Truth>, Box<Truth>) -> Truth, none: bool) -> Truth {
    while all.len() > 1 {
        let mut half = Vec::with_capacity(all.len().div_ceil(2));
        let mut rest = all.into_iter();
        while let Some(a) = rest.next() {
            half.push(match rest.next() {
                Some(b) => op(Box::new(a), Box::new(b)),
                None => a,
            });
        }
        all = half;
    }
    all.pop().unwrap_or(Truth::Const(none))
}
