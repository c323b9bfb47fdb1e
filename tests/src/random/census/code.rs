//! Statements and expressions.

use super::Census;
use super::names::stmt_name;
use restage_program::expr::{ElementIndex, Expr, HeaderRef, Place};
use restage_program::program::{HashAlgorithm, Item, Program};
use restage_program::standard;
use restage_program::stmt::{AfterApply, Stmt, StmtKind};

impl Census {
    pub(super) fn algorithm(&mut self, algorithm: HashAlgorithm) {
        self.hit(
            "hash",
            match algorithm {
                HashAlgorithm::Crc32 => "crc32",
                HashAlgorithm::Custom(_) => "custom",
                HashAlgorithm::Crc16 => "crc16",
                HashAlgorithm::CrcCcitt => "crc_ccitt",
                HashAlgorithm::Csum16 => "csum16",
                HashAlgorithm::Xor16 => "xor16",
                HashAlgorithm::Identity => "identity",
            },
        );
    }

    pub(super) fn items(&mut self, program: &Program, items: &[Item]) {
        for item in items {
            match item {
                Item::Value(expr) => {
                    self.hit("item", "value");
                    self.expr(expr);
                }
                Item::IfValid { header, field } => {
                    self.hit("item", "if valid");
                    self.header(header);
                    let ty = program.header_type(header);
                    if ty.is_ok_and(|t| t.varbit() == Some(*field)) {
                        self.hit("item", "varbit");
                    }
                }
                Item::Header(header) => {
                    self.hit("item", "header");
                    self.header(header);
                }
            }
        }
    }

    pub(super) fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Const { ty, .. } => {
                self.hit("expression", "const");
                self.ty(*ty);
            }
            Expr::Read(place) => {
                self.hit("expression", "read");
                self.place(place);
            }
            Expr::Param(_) => self.hit("expression", "param"),
            Expr::Valid(header) => {
                self.hit("expression", "valid");
                self.header(header);
            }
            Expr::LastIndex(_) => self.hit("expression", "last_index"),
            Expr::Lookahead { .. } => self.hit("expression", "lookahead"),
            Expr::Op { op, args } => {
                self.hit("expression", "op");
                self.hit("operation", op.name());
                args.iter().for_each(|a| self.expr(a));
            }
        }
    }

    pub(super) fn place(&mut self, place: &Place) {
        match place {
            Place::Meta(meta) if standard::is_standard(*meta) => {
                self.hit("place", "standard metadata");
            }
            Place::Meta(_) => self.hit("place", "metadata"),
            Place::Field { header, .. } => {
                self.hit("place", "field");
                self.header(header);
            }
            Place::Slice { of, .. } => {
                self.hit("place", "slice");
                self.place(of);
            }
        }
    }

    pub(super) fn header(&mut self, header: &HeaderRef) {
        let HeaderRef::Element { at, member, .. } = header else {
            self.hit("header", "instance");
            return;
        };
        if *member > 0 {
            self.hit("header", "member of a stack of unions");
        }
        match at {
            ElementIndex::Next => self.hit("header", "next"),
            ElementIndex::Last => self.hit("header", "last"),
            ElementIndex::Expr(index) => {
                self.hit("header", "run-time index");
                self.expr(index);
            }
        }
    }

    pub(super) fn block(&mut self, program: &Program, block: &[Stmt]) {
        block.iter().for_each(|s| self.stmt(program, &s.kind));
    }

    fn stmt(&mut self, program: &Program, stmt: &StmtKind) {
        self.hit("statement", stmt_name(stmt));
        match stmt {
            StmtKind::Assign { dst, src } => {
                self.place(dst);
                self.expr(src);
            }
            StmtKind::CopyHeader { dst, src } => {
                self.header(dst);
                self.header(src);
            }
            StmtKind::SetValid(h) | StmtKind::SetInvalid(h) | StmtKind::Extract(h) => {
                self.header(h);
            }
            StmtKind::ExtractVar { header, bits } => {
                self.header(header);
                self.expr(bits);
            }
            StmtKind::Advance(e)
            | StmtKind::Verify { condition: e, .. }
            | StmtKind::Count { index: e, .. }
            | StmtKind::Truncate { bytes: e }
            | StmtKind::CloneIngress { session: e, .. }
            | StmtKind::CloneEgress { session: e, .. } => self.expr(e),
            StmtKind::If { condition, then, otherwise } => {
                self.expr(condition);
                self.block(program, then);
                self.block(program, otherwise);
            }
            StmtKind::Apply { then, .. } => match then {
                AfterApply::Nothing => self.hit("after apply", "nothing"),
                AfterApply::Hit { hit, miss } => {
                    self.hit("after apply", "hit");
                    self.block(program, hit);
                    self.block(program, miss);
                }
                AfterApply::Switch { cases, default } => {
                    self.hit("after apply", "switch");
                    cases.iter().for_each(|c| self.block(program, &c.body));
                    self.block(program, default);
                }
            },
            StmtKind::Call { args, .. } => args.iter().for_each(|a| self.expr(a)),
            StmtKind::ExecuteMeter { index, dst, .. }
            | StmtKind::ReadRegister { index, dst, .. } => {
                self.expr(index);
                self.place(dst);
            }
            StmtKind::WriteRegister { index, value, .. } => {
                self.expr(index);
                self.expr(value);
            }
            StmtKind::MapLookup { key, found, values, .. } => {
                key.iter().for_each(|k| self.expr(k));
                self.place(found);
                values.iter().for_each(|v| self.place(v));
            }
            StmtKind::MapPut { key, values, stored, .. } => {
                key.iter().chain(values).for_each(|e| self.expr(e));
                stored.iter().for_each(|s| self.place(s));
            }
            StmtKind::MapRemove { key, .. } => key.iter().for_each(|k| self.expr(k)),
            StmtKind::Hash { dst, algorithm, base, items, max } => {
                self.place(dst);
                self.algorithm(*algorithm);
                self.expr(base);
                self.expr(max);
                self.items(program, items);
            }
            StmtKind::Random { dst, low, high } => {
                self.place(dst);
                self.expr(low);
                self.expr(high);
            }
            StmtKind::CopyStack { .. }
            | StmtKind::PushFront { .. }
            | StmtKind::PopFront { .. }
            | StmtKind::Exit
            | StmtKind::MarkToDrop
            | StmtKind::Digest(_)
            | StmtKind::Resubmit { .. }
            | StmtKind::Recirculate { .. } => {}
        }
    }
}
