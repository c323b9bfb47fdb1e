//! The two halves, checksums.

use super::{Half, Maker, Site, SiteKind};
use restage_program::Loc;
use restage_program::Type;
use restage_program::entity::{Action, Table};
use restage_program::expr::{Expr, HeaderRef, Place};
use restage_program::program::{Checksum, HashAlgorithm, Item};
use restage_program::standard;
use restage_program::stmt::{AfterApply, Block, Stmt, StmtKind, SwitchCase};
use restage_program::types::bit;

use super::stmt::PORTS;

impl Maker {
    pub(super) fn halves(&mut self) {
        for (half, name) in [(Half::Ingress, "Ing"), (Half::Egress, "Eg")] {
            let most = if half == Half::Ingress { 5 } else { 3 };
            for i in 0..self.rng.between(2, most) {
                self.action(half, format!("{name}.a{i}"));
            }
            let most = if half == Half::Ingress { 4 } else { 2 };
            for i in 0..self.rng.between(u32::from(half == Half::Ingress), most) {
                self.table(half, format!("{name}.t{i}"));
            }
        }
        let ingress = self.half(Half::Ingress);
        let egress = self.half(Half::Egress);
        // Nobody would see much if port 0 were all there is.
        let port = Expr::bit(9, PORTS[self.rng.below(PORTS.len())].into());
        let dst = Place::Meta(standard::EGRESS_SPEC);
        self.program.ingress = vec![StmtKind::Assign { dst, src: port }.into()];
        self.program.ingress.extend(ingress);
        self.program.egress = egress;
        if self.rng.chance(75) {
            let show = self.show_metadata();
            self.program.egress.extend(show);
        }
    }

    /// Writes a hash of all metadata into the first header, so that none of them is without effect.
    fn show_metadata(&mut self) -> Option<Stmt> {
        let header = self.plain[0];
        let decl = self.program.header_type(&HeaderRef::Header(header)).ok()?;
        let wide = |f: &&restage_program::program::FieldDecl| {
            matches!(f.ty, Type::Bit(w) if w > 7) && f.name != "next"
        };
        let field = decl.field(&decl.fields.iter().find(wide)?.name)?;
        let metas = self.program.metas.iter().filter(|(_, m)| m.ty != Type::Error);
        let items = metas.map(|(meta, _)| Item::Value(Expr::meta(meta))).collect();
        let kind = StmtKind::Hash {
            dst: Place::field(header, field),
            algorithm: HashAlgorithm::Crc32,
            base: Expr::bit(32, 0),
            items,
            max: Expr::bit(32, u32::MAX.into()),
        };
        Some(kind.into())
    }

    /// Tables in order, with statements between and around them.
    fn half(&mut self, half: Half) -> Block {
        let site = Site::new(SiteKind::Body(half));
        let mut block = Vec::new();
        for table in self.tables[half as usize].clone() {
            let count = self.rng.between(0, 2);
            block.extend(self.block(&site, count, 2));
            let apply = self.apply(&site, table);
            if self.rng.chance(25) {
                let condition = self.expr(&site, Type::Bool, 2);
                let otherwise = self.block(&site, 1, 1);
                block.push(StmtKind::If { condition, then: vec![apply], otherwise }.into());
            } else {
                block.push(apply);
            }
        }
        let count = self.rng.between(0, 3);
        block.extend(self.block(&site, count, 2));
        if self.rng.chance(40) {
            let call = self.direct_call(&site, half);
            let at = self.rng.below(block.len() + 1);
            block.insert(at, call);
        }
        block
    }

    fn direct_call(&mut self, site: &Site, half: Half) -> Stmt {
        let pool = &self.actions[half as usize];
        let action = pool[self.rng.below(pool.len())];
        let params = self.program.actions[action].params.clone();
        let args = params
            .iter()
            .map(|p| {
                if self.rng.chance(40) {
                    Expr::Const { ty: p.ty, value: self.any_bits(p.ty) }
                } else {
                    self.expr(site, p.ty, 1)
                }
            })
            .collect();
        StmtKind::Call { action, args }.into()
    }

    fn apply(&mut self, site: &Site, table: Table) -> Stmt {
        let then = match self.rng.below(4) {
            0 => AfterApply::Hit { hit: self.block(site, 1, 1), miss: self.block(site, 1, 1) },
            1 => {
                let mut actions: Vec<Action> =
                    self.program.tables[table].actions.iter().map(|a| a.action).collect();
                self.rng.shuffle(&mut actions);
                let mut cases = Vec::new();
                while !actions.is_empty() && self.rng.chance(75) {
                    let many = self.rng.between(1, 2).min(actions.len() as u32) as usize;
                    let some = actions.split_off(actions.len() - many);
                    cases.push(SwitchCase { actions: some, body: self.block(site, 1, 1) });
                }
                AfterApply::Switch { cases, default: self.block(site, 1, 1) }
            }
            _ => AfterApply::Nothing,
        };
        StmtKind::Apply { table, then }.into()
    }

    /// Checksums, verified and updated.
    pub(super) fn ends(&mut self) {
        let mut verify = Vec::new();
        let mut update = Vec::new();
        for header in self.plain.clone() {
            if self.rng.chance(25) {
                verify.extend(self.checksum(header));
            }
            if self.rng.chance(30) {
                update.extend(self.checksum(header));
            }
        }
        self.program.verify = verify;
        self.program.update = update;
    }

    fn checksum(&mut self, header: restage_program::entity::Header) -> Option<Checksum> {
        let reference = HeaderRef::Header(header);
        let decl = self.program.header_type(&reference).ok()?.clone();
        let field = decl.field("sum")?;
        let algorithm = match self.rng.below(6) {
            0 => HashAlgorithm::Crc16,
            1 => HashAlgorithm::Xor16,
            _ => HashAlgorithm::Csum16,
        };
        let mut items: Vec<Item> = (0..decl.fields.len() as u32)
            .filter(|i| *i != field)
            .map(|field| Item::IfValid { header: reference.clone(), field })
            .collect();
        let site = Site::new(SiteKind::Outside);
        match self.rng.below(6) {
            0 => items.push(Item::Header(HeaderRef::Header(
                self.plain[self.rng.below(self.plain.len())],
            ))),
            1 => items.push(Item::Value(self.expr(&site, bit(16), 1))),
            _ => {}
        }
        let condition = match self.rng.below(4) {
            0 => self.condition(&site, 1),
            1 => Expr::bool(true),
            _ => Expr::Valid(reference.clone()),
        };
        Some(Checksum {
            condition,
            items,
            field: Place::Field { header: reference, field },
            algorithm,
            with_payload: self.rng.chance(25),
            loc: Loc::default(),
        })
    }
}
