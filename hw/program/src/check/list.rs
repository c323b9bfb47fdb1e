//! Lists that are hashed or summed: rules K.

use super::Rule;
use super::cx::{Cx, Scope};
use super::expr::a;
use crate::expr::{Expr, Place};
use crate::program::{HashAlgorithm, Item};
use crate::types::Type;

impl<'p> Cx<'p> {
    /// Checks the members of a list.
    pub fn items(&mut self, items: &'p [Item], scope: Scope<'p>, may_be_empty: bool) {
        self.at(".items", |cx| {
            if items.is_empty() && !may_be_empty {
                cx.fault(Rule::K01, "the list is empty", "one member at least");
            }
            cx.each("", items, |cx, _, item| match item {
                Item::Value(Expr::Read(place)) => cx.at(".value.read", |cx| {
                    let ty = cx.place(place, scope);
                    cx.member(ty);
                }),
                Item::Value(expr) => cx.at(".value", |cx| {
                    let ty = cx.expr(expr, scope);
                    cx.member(ty);
                }),
                Item::IfValid { header, field } => cx.at(".if_valid", |cx| {
                    if let Some(ty) = cx.at(".header", |cx| cx.header(header, scope)) {
                        let ty = cx.field(ty, *field);
                        cx.member(ty);
                    }
                }),
                Item::Header(header) => {
                    cx.at(".header", |cx| cx.header(header, scope));
                }
            });
        });
    }

    /// Checks a hash function.
    pub fn algorithm(&mut self, algorithm: HashAlgorithm) {
        if let HashAlgorithm::Custom(crc) = algorithm {
            let count = self.p.crcs.len();
            self.at(".algorithm.custom", |cx| cx.exists(crc, count));
        }
    }

    fn member(&mut self, ty: Option<Type>) {
        if ty == Some(Type::Error) {
            self.fault(Rule::K03, "a member is an error", "numbers, bools and varbits");
        }
    }

    /// Checks where a sum or a hash goes.
    pub fn sum_place(&mut self, place: &'p Place, scope: Scope<'p>) {
        if let Some(ty) = self.place(place, scope)
            && !matches!(ty, Type::Bit(_))
        {
            let found = format!("`{}` is {}", self.place_name(place), a(ty));
            self.fault(Rule::K02, found, "a bit of any width; the sum is cut to it");
        }
    }
}
