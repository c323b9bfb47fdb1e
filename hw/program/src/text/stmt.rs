//! Statements.

use super::branch::Head;
use super::expr::{Exprs, Piece, bind, cast, param_type};
use super::file::File;
use super::gaps::Gap;
use super::hash::HashCall;
use super::layout::Layout;
use super::names::is_no_action;
use super::path::flatten;
use super::uses::{Object, Part};
use crate::check::MAX_DEPTH;
use crate::entity::{Action, Entity, FieldList, Map};
use crate::expr::{Expr, HeaderRef, Place};
use crate::program::Item;
use crate::stmt::{Block, Stmt, StmtKind};
use crate::types::Type;
use std::cell::Cell;

/// p4c shifts by so many bits at most, also where it writes some bits of a field.
const FAR: u32 = 256;

/// A hash over fields of at most so many headers that may be invalid: each doubles the text.
const MAX_OPTIONAL: usize = 4;

/// Writes the statements of one state, action or half.
#[derive(Debug)]
pub(super) struct Body<'a> {
    pub(super) file: &'a File<'a>,
    pub(super) part: Part,
    pub(super) exprs: Exprs<'a>,
    pub(super) depth: Cell<u32>,
}

impl<'a> Body<'a> {
    pub fn new(file: &'a File<'a>, part: Part, exprs: Exprs<'a>) -> Self {
        Body { file, part, exprs, depth: Cell::new(0) }
    }

    /// Writes statements. What is nested deeper than the checker allows is not written.
    pub fn block(&self, block: &Block, out: &mut Layout) {
        if self.depth.get() > MAX_DEPTH {
            return out.line("...");
        }
        self.depth.set(self.depth.get() + 1);
        block.iter().for_each(|stmt| self.stmt(stmt, out));
        self.depth.set(self.depth.get() - 1);
    }

    fn stmt(&self, stmt: &Stmt, out: &mut Layout) {
        let x = &self.exprs;
        match &stmt.kind {
            StmtKind::Assign { dst, src } => match self.awkward_slice(dst) {
                true => self.assign(dst, &x.piece(src).at_least(bind::SUM + 1), out),
                false => self.assign(dst, &x.known(src), out),
            },
            StmtKind::CopyHeader { dst, src } => {
                x.check_read(src);
                out.line(format!("{} = {};", x.header_written(dst), x.header(src)));
            }
            StmtKind::CopyStack { dst, src } => {
                out.line(format!("h.{} = h.{};", x.stack(*dst), x.stack(*src)));
            }
            StmtKind::SetValid(header) => {
                out.line(format!("{}.setValid();", x.header_written(header)));
            }
            StmtKind::SetInvalid(header) => {
                out.line(format!("{}.setInvalid();", x.header_written(header)));
            }
            StmtKind::PushFront { stack, count } => {
                self.not_in_parser(Gap::PARSER_STACK);
                out.line(format!("h.{}.push_front({count});", x.stack(*stack)));
            }
            StmtKind::PopFront { stack, count } => {
                self.not_in_parser(Gap::PARSER_STACK);
                out.line(format!("h.{}.pop_front({count});", x.stack(*stack)));
            }
            StmtKind::Extract(header) => out.line(format!("pkt.extract({});", x.header(header))),
            StmtKind::ExtractVar { header, bits } => {
                out.line(format!("pkt.extract({}, {});", x.header(header), x.bit32(bits)));
            }
            StmtKind::Advance(bits) => {
                out.line(format!("pkt.advance({});", x.exact(bits)));
            }
            StmtKind::Verify { condition, error } => {
                out.line(format!("verify({}, {});", x.exact(condition), x.error(*error)));
            }
            StmtKind::If { condition, then, otherwise } => {
                self.branch(Head::If, &x.piece(condition), then, otherwise, out);
                out.close();
            }
            StmtKind::Apply { table, then } => self.apply(*table, then, out),
            StmtKind::Call { action, args } => {
                let unsigned = self.file.unsigned_params(*action);
                let arg = |a| {
                    let piece = x.known_piece(a);
                    match piece.ty.map(|ty| (ty, param_type(ty, unsigned))) {
                        Some((ty, declared)) if ty != declared => cast(&x.piece(a), declared).text,
                        _ => piece.text,
                    }
                };
                let args: Vec<String> = args.iter().map(arg).collect();
                let name = self.action(*action);
                if !is_no_action(self.file.program, *action) {
                    out.line(format!("{name}({});", args.join(", ")));
                }
            }
            StmtKind::Exit => out.line("exit;"),
            StmtKind::MarkToDrop => out.line("mark_to_drop(s);"),
            StmtKind::Count { counter, index } => {
                let name = self.object((*counter).into());
                out.line(format!("{name}.count({});", x.index(index)));
            }
            StmtKind::ExecuteMeter { meter, index, dst } => {
                let name = self.object((*meter).into());
                let index = x.index(index);
                self.into(dst, out, |dst| format!("{name}.execute_meter({index}, {dst});"));
            }
            StmtKind::ReadRegister { register, index, dst } => {
                self.not_in_parser(Gap::PARSER_STATE);
                let name = self.object((*register).into());
                let index = x.index(index);
                self.into(dst, out, |dst| format!("{name}.read({dst}, {index});"));
            }
            StmtKind::WriteRegister { register, index, value } => {
                self.not_in_parser(Gap::PARSER_STATE);
                let name = self.object((*register).into());
                out.line(format!("{name}.write({}, {});", x.index(index), x.known(value)));
            }
            StmtKind::MapLookup { map, key, found, values, touch } => {
                let method = if *touch { "lookup" } else { "peek" };
                self.lookup(*map, method, key, found, values, out);
            }
            StmtKind::MapPut { map, key, values, stored } => {
                let (key, values) = (self.map_key(*map, key), self.map_values(*map, values));
                let name = self.object((*map).into());
                let variable = self.file.names.map_variables(self.part, *map).map(|(_, s)| s);
                match stored {
                    Some(place) => {
                        self.into(place, out, |dst| format!("{name}.put({key}, {values}, {dst});"));
                    }
                    None => {
                        let unused = variable.map_or("?variable", String::as_str);
                        out.line(format!("{name}.put({key}, {values}, {unused});"));
                    }
                }
            }
            StmtKind::MapRemove { map, key } => {
                let key = self.map_key(*map, key);
                out.line(format!("{}.remove({key});", self.object((*map).into())));
            }
            StmtKind::Hash { dst, algorithm, base, items, max } => {
                let mut optional: Vec<&HeaderRef> = Vec::new();
                for item in items {
                    if let Item::IfValid { header, .. } = item
                        && !optional.contains(&header)
                    {
                        optional.push(header);
                    }
                }
                if optional.len() > MAX_OPTIONAL {
                    self.file.gap(Gap::HASH_LIST);
                    optional.clear();
                }
                let hash = HashCall { dst, algorithm: *algorithm, base, items, max };
                self.hash(&hash, &optional, &mut Vec::new(), out);
            }
            StmtKind::Random { dst, low, high } => {
                let (low, high) = (x.exact(low), x.exact(high));
                self.into(dst, out, |dst| format!("random({dst}, {low}, {high});"));
            }
            StmtKind::Digest(digest) => {
                if self.file.late.contains(digest) {
                    self.file.gap(Gap::LATE_DIGEST);
                }
                let names = &self.file.names;
                let ty = names.digests.get(digest.index()).map_or("?digest", String::as_str);
                let fields = self.file.program.digests.get(*digest).map(|d| d.fields.as_slice());
                let values: Vec<String> =
                    fields.unwrap_or_default().iter().map(|(_, e)| x.known(e)).collect();
                out.list(&format!("digest<{ty}>(1, {{ "), &values, " });");
            }
            StmtKind::CloneIngress { session, keep } => self.clone_to("I2E", session, *keep, out),
            StmtKind::CloneEgress { session, keep } => self.clone_to("E2E", session, *keep, out),
            StmtKind::Resubmit { keep } => {
                out.line(format!("resubmit_preserving_field_list({});", self.list(*keep)));
            }
            StmtKind::Recirculate { keep } => {
                out.line(format!("recirculate_preserving_field_list({});", self.list(*keep)));
            }
            StmtKind::Truncate { bytes } => out.line(format!("truncate({});", x.bit32(bytes))),
        }
    }

    /// `dst = text`. Bits that cannot be written alone are written with those around them; the text must hold as
    /// tightly as a sum then.
    fn assign(&self, dst: &Place, text: &str, out: &mut Layout) {
        if !self.awkward_slice(dst) {
            return out.line(format!("{} = {text};", self.exprs.place(dst)));
        }
        let (root, hi, lo) = flatten(dst);
        let whole = self.exprs.piece(&Expr::Read(root.clone()));
        let Some(ty) = whole.ty else { return };
        let bits = cast(&whole, Type::Bit(ty.width()));
        let bits = bits.at_least(bind::WHOLE);
        let mut parts = Vec::new();
        if hi + 1 < ty.width() {
            parts.push(format!("{bits}[{}:{}]", ty.width() - 1, hi + 1));
        }
        parts.push(text.to_string());
        if lo > 0 {
            parts.push(format!("{bits}[{}:0]", lo - 1));
        }
        let all = Piece::new(parts.join(" ++ "), bind::SUM, Some(Type::Bit(ty.width())));
        out.line(format!("{} = {};", self.exprs.place(root), cast(&all, ty).text));
    }

    /// Whether a place is some bits that p4c does not write: of a number with a sign, or far up.
    fn awkward_slice(&self, place: &Place) -> bool {
        let (root, _, lo) = flatten(place);
        matches!(place, Place::Slice { .. })
            && match self.file.program.type_of_place(root) {
                Ok(Type::Int(_)) => true,
                Ok(_) => lo > FAR,
                Err(_) => false,
            }
    }

    /// A statement that writes to a place by itself; through a variable when that is some bits of a
    /// field, which p4c does not take everywhere.
    pub(super) fn into(&self, dst: &Place, out: &mut Layout, text: impl FnOnce(&str) -> String) {
        if !matches!(dst, Place::Slice { .. }) {
            return out.line(text(&self.exprs.place(dst)));
        }
        let (_, hi, lo) = flatten(dst);
        let name = &self.file.names.temporary;
        out.open_block();
        out.line(format!("bit<{}> {name};", hi.saturating_sub(lo) + 1));
        out.line(text(name));
        self.assign(dst, name, out);
        out.close();
    }

    /// The identifier of an object here.
    pub(super) fn object(&self, object: Object) -> &str {
        match self.file.names.local(self.part, object) {
            Some(local) => &local.name,
            None => "?object",
        }
    }

    pub(super) fn action(&self, action: Action) -> &str {
        self.object(action.into())
    }

    fn not_in_parser(&self, gap: &'static str) {
        if self.part == Part::Parser {
            self.file.gap(gap);
        }
    }

    fn clone_to(&self, ty: &str, session: &Expr, keep: Option<FieldList>, out: &mut Layout) {
        let session = self.exprs.bit32(session);
        match keep {
            None => out.line(format!("clone(CloneType.{ty}, {session});")),
            Some(_) => out.line(format!(
                "clone_preserving_field_list(CloneType.{ty}, {session}, {});",
                self.list(keep)
            )),
        }
    }

    /// The number of a field list; one that no field has is empty.
    fn list(&self, keep: Option<FieldList>) -> usize {
        keep.map_or(0, |list| list.index() + 1)
    }

    fn map_key(&self, map: Map, key: &[Expr]) -> String {
        let decl = self.file.program.maps.get(map);
        self.record(decl.map(|d| d.key.as_slice()).unwrap_or_default(), key)
    }

    fn map_values(&self, map: Map, values: &[Expr]) -> String {
        let decl = self.file.program.maps.get(map);
        self.record(decl.map(|d| d.values.as_slice()).unwrap_or_default(), values)
    }

    fn record(&self, fields: &[crate::program::FieldDecl], values: &[Expr]) -> String {
        let names = super::headers::field_names(fields);
        let pairs: Vec<String> = names
            .iter()
            .zip(values)
            .map(|(n, v)| format!("{n} = {}", self.exprs.known(v)))
            .collect();
        format!("{{ {} }}", pairs.join(", "))
    }

    fn lookup(
        &self,
        map: Map,
        method: &str,
        key: &[Expr],
        found: &Place,
        values: &[Place],
        out: &mut Layout,
    ) {
        let key = self.map_key(map, key);
        let name = self.object(map.into());
        let variable = self.file.names.map_variables(self.part, map).map(|(v, _)| v.as_str());
        let variable = variable.unwrap_or("?variable");
        self.into(found, out, |dst| format!("{name}.{method}({key}, {dst}, {variable});"));
        let decl = self.file.program.maps.get(map);
        let fields = super::headers::field_names(decl.map(|d| &d.values[..]).unwrap_or_default());
        for (place, field) in values.iter().zip(fields) {
            self.assign(place, &format!("{variable}.{field}"), out);
        }
    }
}
