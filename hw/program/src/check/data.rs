//! Checksums, custom CRCs, field lists, digests and the deparser: rules C, D and K.

use super::Rule;
use super::cx::{Cx, Scope, Spot};
use super::headers::Holds;
use crate::entity::Header;
use crate::program::{Checksum, Elements, Emit};
use std::collections::{HashMap, HashSet};

impl<'p> Cx<'p> {
    /// Checks what stands beside parser and halves.
    pub fn data(&mut self) {
        let p = self.p;
        self.about("verify_checksum", |cx| {
            cx.each(".verify", &p.verify, |cx, _, sum| cx.checksum(sum));
        });
        self.about("update_checksum", |cx| {
            cx.each(".update", &p.update, |cx, _, sum| cx.checksum(sum));
        });
        self.each(".field_lists", p.field_lists.values(), |cx, _, list| {
            cx.said(&list.loc, |cx| {
                cx.about(format!("field list `{}`", list.name), |cx| {
                    let mut seen = HashSet::new();
                    cx.each(".metas", &list.metas, |cx, _, meta| {
                        if cx.exists(*meta, p.metas.len()) && !seen.insert(*meta) {
                            let name = p.metas.get(*meta).map_or("?", |m| m.name.as_str());
                            cx.fault(
                                Rule::C01,
                                format!("`{name}` is listed twice"),
                                "each metadata once",
                            );
                        }
                    });
                });
            });
        });
        self.each(".crcs", p.crcs.values(), |cx, _, crc| {
            cx.said(&crc.loc, |cx| {
                if !matches!(crc.width, 16 | 32) {
                    let found = format!("custom CRC `{}` has {} bits", crc.name, crc.width);
                    cx.at(".width", |cx| cx.fault(Rule::K04, found, "16 or 32"));
                }
            });
        });
        self.each(".digests", p.digests.values(), |cx, _, digest| {
            cx.object("digest", &digest.preamble, |cx| {
                if digest.fields.is_empty() {
                    cx.fault(Rule::C02, "it has no fields", "one field at least");
                }
                cx.each(".fields", &digest.fields, |cx, _, (field, value)| {
                    cx.about(format!("`{}`", field.name), |cx| {
                        cx.at("[0]", |cx| cx.declared_type(field.ty, Holds::Values));
                        cx.at("[1]", |cx| {
                            cx.exactly(value, Scope::CONTROL, "its value", Some(field.ty));
                        });
                    });
                });
            });
        });
        self.deparser();
    }

    fn checksum(&mut self, sum: &'p Checksum) {
        self.said(&sum.loc, |cx| {
            cx.at(".condition", |cx| cx.condition(&sum.condition, Scope::CONTROL));
            cx.algorithm(sum.algorithm);
            cx.items(&sum.items, Scope::CONTROL, sum.with_payload);
            cx.at(".field", |cx| cx.sum_place(&sum.field, Scope::CONTROL));
        });
    }

    fn deparser(&mut self) {
        let p = self.p;
        let mut sent: HashMap<Header, Spot> = HashMap::new();
        let of_union = |u| p.unions.get(u).map_or(&[][..], |u| u.members.as_slice()).to_vec();
        self.about("deparser", |cx| {
            cx.each(".deparser", &p.deparser, |cx, _, emit| {
                let headers = match emit {
                    Emit::Header(header) => {
                        cx.at(".header", |cx| cx.exists(*header, p.headers.len()));
                        vec![*header]
                    }
                    Emit::Stack(stack) => {
                        cx.at(".stack", |cx| cx.exists(*stack, p.stacks.len()));
                        match p.stacks.get(*stack).map(|s| &s.elements) {
                            Some(Elements::Headers(list)) => list.clone(),
                            Some(Elements::Unions(list)) => {
                                list.iter().flat_map(|u| of_union(*u)).collect()
                            }
                            None => Vec::new(),
                        }
                    }
                    Emit::Union(union) => {
                        cx.at(".union", |cx| cx.exists(*union, p.unions.len()));
                        of_union(*union)
                    }
                };
                let again = headers.iter().find_map(|h| Some((p.headers.get(*h)?, sent.get(h)?)));
                if let Some((header, spot)) = again {
                    let related = vec![spot.related("emitted here first")];
                    let found = format!("header `{}` is emitted again", header.name);
                    cx.fault_with(Rule::D01, found, "each header once", related);
                }
                let spot = cx.spot();
                for header in headers {
                    sent.entry(header).or_insert_with(|| spot.clone());
                }
            });
        });
    }
}
