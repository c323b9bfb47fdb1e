//! Statements of actions and halves.

use super::{Half, Maker, Site, SiteKind};
use restage_program::entity::Crc;
use restage_program::expr::{Expr, Place};
use restage_program::op::Op;
use restage_program::program::{Elements, HashAlgorithm, Item};
use restage_program::standard::{self, instance};
use restage_program::stmt::{Block, Stmt, StmtKind};
use restage_program::types::bit;
use restage_program::{Entity, Type};

/// Ports that packets are sent to; the first is the one to which a CPU is attached.
pub const PORTS: [u16; 6] = [64, 1, 2, 3, 4, 5];
/// Multicast groups that entries make.
pub const GROUPS: [u16; 3] = [1, 2, 3];
/// Clone sessions that entries make.
pub const SESSIONS: [u32; 3] = [1, 2, 3];
/// Every hash function; the custom ones are those that every random program declares.
pub const ALGORITHMS: [HashAlgorithm; 8] = [
    HashAlgorithm::Crc32,
    HashAlgorithm::Custom(Crc(0)),
    HashAlgorithm::Crc16,
    HashAlgorithm::Custom(Crc(1)),
    HashAlgorithm::CrcCcitt,
    HashAlgorithm::Csum16,
    HashAlgorithm::Xor16,
    HashAlgorithm::Identity,
];

impl Maker {
    /// So many statements.
    pub(super) fn block(&mut self, site: &Site, count: u32, depth: u32) -> Block {
        let mut block = Vec::new();
        for _ in 0..count {
            block.extend(self.stmt(site, depth));
        }
        block
    }

    /// A type of which there is something to write.
    pub(super) fn assignable(&mut self) -> Type {
        if self.rng.chance(15) { Type::Bool } else { self.known_number() }
    }

    fn stmt(&mut self, site: &Site, depth: u32) -> Option<Stmt> {
        let kind = match self.rng.below(30) {
            0..=7 => {
                let ty = self.assignable();
                let dst = self.target(site, ty)?;
                StmtKind::Assign { dst, src: self.expr(site, ty, 3) }
            }
            8..=11 if depth > 0 => {
                let condition = self.expr(site, Type::Bool, 2);
                let count = self.rng.between(1, 3);
                let then = self.block(site, count, depth - 1);
                let count = self.rng.between(0, 2);
                let otherwise = self.block(site, count, depth - 1);
                StmtKind::If { condition, then, otherwise }
            }
            12 => {
                let ty = self.any_fixed();
                let dst = self.header_of(site, ty)?;
                StmtKind::CopyHeader { dst, src: self.header_of(site, ty)? }
            }
            13 => return self.stack_stmt(),
            14 => StmtKind::SetValid(self.header(site)),
            15 if self.rng.chance(60) => StmtKind::SetInvalid(self.header(site)),
            16 | 17 => return self.register_stmt(site),
            18 => {
                let counter = self.one(&self.counters.clone())?;
                StmtKind::Count { counter, index: self.index(site, 6) }
            }
            19 => {
                let meter = self.one(&self.meters.clone())?;
                // Where it can be seen.
                let dst = self.field_or_slice(site, bit(2))?;
                StmtKind::ExecuteMeter { meter, index: self.index(site, 4), dst }
            }
            20..=22 => return self.map_stmt(site),
            23 => {
                let ty = bit([16, 32, 3, 8][self.rng.below(4)]);
                let dst = self.target(site, ty)?;
                let algorithm = ALGORITHMS[self.rng.below(ALGORITHMS.len())];
                let base = Expr::Const { ty, value: self.rng.value(ty) };
                let max = match self.rng.below(3) {
                    0 => self.expr(site, ty, 1),
                    _ => Expr::bit(32, self.rng.between(1, 70_000).into()),
                };
                StmtKind::Hash { dst, algorithm, base, items: self.items(site, true), max }
            }
            24 => {
                let ty = bit([8, 16, 32][self.rng.below(3)]);
                let dst = self.target(site, ty)?;
                let low = self.rng.value(ty);
                let high = self.rng.value(ty);
                let constant = |value| Expr::Const { ty, value };
                let low = if self.rng.chance(20) { self.expr(site, ty, 1) } else { constant(low) };
                StmtKind::Random { dst, low, high: constant(high) }
            }
            25 => {
                let length = self.rng.between(0, 80);
                let bytes = match self.rng.below(3) {
                    0 => self.expr(site, bit(32), 1),
                    _ => Expr::bit(32, length.into()),
                };
                StmtKind::Truncate { bytes }
            }
            26 if self.rng.chance(40) => StmtKind::Exit,
            _ => return self.fate(site),
        };
        Some(kind.into())
    }

    /// What decides where a packet goes.
    fn fate(&mut self, site: &Site) -> Option<Stmt> {
        let session = |maker: &mut Self| match maker.rng.below(8) {
            0 => {
                let small = maker.expr(site, bit(2), 1);
                Expr::op(Op::Cast(bit(32)), [small])
            }
            // One more than there are.
            _ => Expr::bit(32, maker.rng.between(1, SESSIONS.len() as u32 + 1).into()),
        };
        let kind = match (site.half()?, self.rng.below(9)) {
            (_, 0) => StmtKind::MarkToDrop,
            (Half::Ingress, 1..=3) => StmtKind::Assign {
                dst: Place::Meta(standard::EGRESS_SPEC),
                src: Expr::bit(9, PORTS[self.rng.below(PORTS.len())].into()),
            },
            (Half::Ingress, 4) => StmtKind::Assign {
                dst: Place::Meta(standard::MCAST_GRP),
                src: Expr::bit(16, self.rng.between(0, GROUPS.len() as u32 + 1).into()),
            },
            (Half::Ingress, 5) => {
                let keep = self.list();
                let clone = StmtKind::CloneIngress { session: session(self), keep };
                if keep.is_some() {
                    clone
                } else {
                    // The copy has forgotten how many passes it had.
                    let condition = self.instance_is(Op::Eq, instance::NORMAL);
                    StmtKind::If { condition, then: vec![clone.into()], otherwise: Vec::new() }
                }
            }
            (Half::Ingress, 6) => StmtKind::Digest(self.one(&self.digests.clone())?),
            (Half::Ingress, _) => {
                let keep = self.list();
                let first = self.instance_is(Op::Eq, instance::NORMAL);
                return Some(
                    self.guarded(keep.is_none().then_some(first), StmtKind::Resubmit { keep }),
                );
            }
            (Half::Egress, 1..=4) => {
                let first = self.instance_is(Op::Ne, instance::EGRESS_CLONE);
                let then = StmtKind::CloneEgress { session: session(self), keep: self.list() };
                StmtKind::If { condition: first, then: vec![then.into()], otherwise: Vec::new() }
            }
            (Half::Egress, _) => {
                let keep = Some(self.lists[self.rng.below(self.lists.len())]);
                let first = self.instance_is(Op::Ne, instance::EGRESS_CLONE);
                return Some(self.guarded(Some(first), StmtKind::Recirculate { keep }));
            }
        };
        Some(kind.into())
    }

    fn instance_is(&self, op: Op, kind: u32) -> Expr {
        Expr::op(op, [Expr::meta(standard::INSTANCE_TYPE), Expr::bit(32, kind.into())])
    }

    /// A list of metadata, or none.
    fn list(&mut self) -> Option<restage_program::entity::FieldList> {
        if self.rng.chance(20) { None } else { self.one(&self.lists.clone()) }
    }

    /// A further pass, unless there were enough.
    fn guarded(&mut self, also: Option<Expr>, kind: StmtKind) -> Stmt {
        let passes = Expr::meta(self.passes);
        let most = self.rng.between(1, 2).into();
        let few = Expr::op(Op::Lt, [passes.clone(), Expr::bit(8, most)]);
        let condition = match also {
            Some(also) => Expr::op(Op::And, [also, few]),
            None => few,
        };
        let count = StmtKind::Assign {
            dst: Place::Meta(self.passes),
            src: Expr::op(Op::Add, [passes, Expr::bit(8, 1)]),
        };
        let then = vec![count.into(), kind.into()];
        StmtKind::If { condition, then, otherwise: Vec::new() }.into()
    }

    /// An index that is mostly in range.
    fn index(&mut self, site: &Site, size: u32) -> Expr {
        match self.rng.below(3) {
            0 => Expr::bit(32, self.rng.between(0, size).into()),
            1 => {
                let small = self.expr(site, bit(3), 1);
                Expr::op(Op::Cast(bit(32)), [small])
            }
            _ => {
                let any = self.expr(site, bit(32), 1);
                Expr::op(Op::Mod, [any, Expr::bit(32, (size + 1).into())])
            }
        }
    }

    pub(super) fn register_stmt(&mut self, site: &Site) -> Option<Stmt> {
        let register = self.one(&self.registers.clone())?;
        let decl = &self.program.registers[register];
        let (ty, size) = (decl.ty, decl.size);
        // Parsers of BMv2 index registers by constants and fields alike; keep to what is in range.
        let index = self.index(site, size);
        let kind = if self.rng.chance(50) {
            let dst = self.target(site, ty)?;
            StmtKind::ReadRegister { register, index, dst }
        } else {
            StmtKind::WriteRegister { register, index, value: self.expr(site, ty, 2) }
        };
        Some(kind.into())
    }

    pub(super) fn stack_stmt(&mut self) -> Option<Stmt> {
        let stack = self.one(&self.stacks.clone())?;
        let headers = matches!(self.program.stacks[stack].elements, Elements::Headers(_));
        let both = self
            .stacks
            .iter()
            .copied()
            .filter(|s| matches!(self.program.stacks[*s].elements, Elements::Headers(_)));
        let both: Vec<_> = both.collect();
        let count = self.rng.between(1, 3);
        let kind = match self.rng.below(4) {
            0 | 3 if headers && both.len() == 2 => {
                let at = self.rng.below(2);
                StmtKind::CopyStack { dst: both[at], src: both[1 - at] }
            }
            0 | 1 => StmtKind::PushFront { stack, count },
            _ => StmtKind::PopFront { stack, count },
        };
        Some(kind.into())
    }

    fn map_stmt(&mut self, site: &Site) -> Option<Stmt> {
        let map = self.one(&self.maps.clone())?;
        let decl = self.program.maps[map].clone();
        let key: Vec<Expr> = match self.map_keys.get(map.index()) {
            Some(key) if self.rng.chance(75) => key.clone(),
            _ => decl.key.iter().map(|k| self.expr(site, k.ty, 0)).collect(),
        };
        let kind = match self.rng.below(6) {
            0 | 1 => {
                let found = self.target(site, Type::Bool)?;
                let mut values = Vec::new();
                for value in &decl.values {
                    values.push(self.target(site, value.ty)?);
                }
                StmtKind::MapLookup { map, key, found, values, touch: self.rng.chance(50) }
            }
            2 | 3 => {
                let values = decl.values.iter().map(|v| self.expr(site, v.ty, 1)).collect();
                let stored = if self.rng.chance(60) { self.target(site, Type::Bool) } else { None };
                StmtKind::MapPut { map, key, values, stored }
            }
            _ => StmtKind::MapRemove { map, key },
        };
        Some(kind.into())
    }

    /// A list to be hashed or summed. `values` says whether it may hold computed ones.
    pub(super) fn items(&mut self, site: &Site, values: bool) -> Vec<Item> {
        let mut items = Vec::new();
        for _ in 0..self.rng.between(1, 4) {
            let item = match self.rng.below(4) {
                0 | 1 if values => {
                    let ty = self.known_number();
                    Item::Value(self.expr(site, ty, 1))
                }
                0 => {
                    let header = self.header(site);
                    Item::Header(header)
                }
                _ => {
                    let header = self.header(site);
                    let fields = self.program.header_type(&header).map_or(1, |t| t.fields.len());
                    Item::IfValid { header, field: self.rng.below(fields) as u32 }
                }
            };
            // The list of `hash` is copied first: only values.
            if values && site.kind != SiteKind::Outside && !matches!(item, Item::Value(_)) {
                let ty = self.known_number();
                items.push(Item::Value(self.expr(site, ty, 1)));
            } else {
                items.push(item);
            }
        }
        items
    }
}
