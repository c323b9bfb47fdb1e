//! Hashes and the lists that are hashed.

use super::file::File;
use super::gaps::Gap;
use super::layout::Layout;
use super::stmt::Body;
use crate::expr::{Expr, HeaderRef, Place};
use crate::program::{HashAlgorithm, Item};

/// What a hash is computed of, and where it goes.
pub(super) struct HashCall<'s> {
    pub dst: &'s Place,
    pub algorithm: HashAlgorithm,
    pub base: &'s Expr,
    pub items: &'s [Item],
    pub max: &'s Expr,
}

impl Body<'_> {
    /// Writes a hash; fields of headers that may be invalid are left out of it by asking before.
    pub(super) fn hash(
        &self,
        call: &HashCall<'_>,
        optional: &[&HeaderRef],
        absent: &mut Vec<HeaderRef>,
        out: &mut Layout,
    ) {
        let x = &self.exprs;
        if let Some((header, rest)) = optional.split_first() {
            out.open(format!("if ({}.isValid())", x.header(header)));
            self.hash(call, rest, absent, out);
            out.reopen("else");
            absent.push((*header).clone());
            self.hash(call, rest, absent, out);
            absent.pop();
            out.close();
            return;
        }
        let present = |item: &&Item| match item {
            Item::IfValid { header, .. } => !absent.contains(header),
            _ => true,
        };
        let items: Vec<String> = call.items.iter().filter(present).map(|i| self.item(i)).collect();
        let algorithm = algorithm(self.file, call.algorithm);
        let (base, max) = (x.exact(call.base), x.exact(call.max));
        if matches!(call.dst, Place::Slice { .. }) {
            let items = items.join(", ");
            return self.into(call.dst, out, |dst| {
                format!("hash({dst}, HashAlgorithm.{algorithm}, {base}, {{ {items} }}, {max});")
            });
        }
        let name = x.place(call.dst);
        let head = format!("hash({name}, HashAlgorithm.{algorithm}, {base}, {{ ");
        out.list(&head, &items, &format!(" }}, {max});"));
    }

    /// One member of a list to be hashed.
    pub fn item(&self, item: &Item) -> String {
        match item {
            Item::Value(expr) => self.exprs.bits(expr),
            Item::IfValid { header, field } => {
                self.exprs.place(&Place::Field { header: header.clone(), field: *field })
            }
            Item::Header(header) => self.exprs.header(header),
        }
    }
}

/// v1model's name of a hash function.
pub(super) fn algorithm(file: &File<'_>, algorithm: HashAlgorithm) -> &'static str {
    match algorithm {
        HashAlgorithm::Crc32 => "crc32",
        HashAlgorithm::Crc16 => "crc16",
        HashAlgorithm::CrcCcitt => {
            file.gap(Gap::CCITT);
            "crc16_custom"
        }
        HashAlgorithm::Csum16 => "csum16",
        HashAlgorithm::Xor16 => "xor16",
        HashAlgorithm::Identity => "identity",
        HashAlgorithm::Custom(crc) => match file.program.crcs.get(crc).map(|c| c.width) {
            Some(16) => "crc16_custom",
            _ => "crc32_custom",
        },
    }
}
