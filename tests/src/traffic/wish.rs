//! What tables would like packets to be: the keys of their entries.

use crate::random::Rng;
use crate::slow::Slow;
use crate::slow::num::{number, wrap};
use num_bigint::BigInt;
use restage_program::entity::Meta;
use restage_program::entry::KeyMatch;
use restage_program::expr::{Expr, HeaderRef, Place};
use restage_program::stmt::{AfterApply, Stmt, StmtKind};
use restage_program::{Bits, Entity, Type};
use std::collections::BTreeMap;

/// Bits of an expression that should have certain values.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub expr: Expr,
    pub value: Bits,
    /// Which bits matter.
    pub mask: Bits,
}

impl Wish {
    /// The value wished for a metadata field.
    pub fn of_meta(&self, meta: Meta) -> Option<&Bits> {
        (self.expr == Expr::meta(meta)).then_some(&self.value)
    }
}

/// One key of an entry.
#[derive(Clone, Debug)]
struct Wanted {
    expr: Expr,
    ty: Type,
    key: KeyMatch,
}

/// What can be wished of a program's packets.
#[derive(Clone, Debug)]
pub(super) struct Wishes {
    /// Entries of each table.
    tables: Vec<Vec<Vec<Wanted>>>,
    /// What must hold, or must not, for a table to be applied.
    guards: Vec<Vec<(Expr, bool)>>,
    /// What metadata is set to, anywhere in the program.
    pub sources: BTreeMap<Meta, Vec<Expr>>,
    /// Constants that the program compares with, by the expression compared.
    pub constants: Vec<(Expr, Bits)>,
}

impl Wishes {
    pub fn new(slow: &Slow) -> Self {
        let program = &slow.program;
        let mut tables = Vec::new();
        for (table, decl) in program.tables.iter() {
            let mut entries = Vec::new();
            for (entry, _) in slow.entries(table) {
                let keys = decl.keys.iter().zip(&entry.keys).map(|(key, m)| Wanted {
                    expr: key.value.clone(),
                    ty: program.type_of(&key.value, &[]).unwrap_or(Type::Bool),
                    key: m.clone(),
                });
                entries.push(keys.collect());
            }
            tables.push(entries);
        }
        let mut wishes = Wishes {
            guards: vec![Vec::new(); tables.len()],
            tables,
            sources: BTreeMap::new(),
            constants: Vec::new(),
        };
        wishes.block(&program.ingress, &[]);
        wishes.block(&program.egress, &[]);
        program.actions.values().for_each(|a| wishes.block(&a.body, &[]));
        program.states.values().for_each(|s| wishes.block(&s.body, &[]));
        wishes
    }

    /// Notes what a block says; `guards` is what must hold for it to be reached.
    fn block(&mut self, block: &[Stmt], guards: &[(Expr, bool)]) {
        let mut guards = guards.to_vec();
        for stmt in block {
            match &stmt.kind {
                StmtKind::Assign { dst: Place::Meta(meta), src } => {
                    // Action data are nothing that a packet could bring.
                    let mut data = false;
                    src.walk(&mut |e| data |= matches!(e, Expr::Param(_)));
                    if !data {
                        self.sources.entry(*meta).or_default().push(src.clone());
                    }
                }
                StmtKind::If { condition, then, otherwise } => {
                    condition.walk(&mut |e| self.constant(e));
                    for (body, holds) in [(then, true), (otherwise, false)] {
                        guards.push((condition.clone(), holds));
                        self.block(body, &guards);
                        guards.pop();
                    }
                    // What follows is reached only by the other way.
                    for (body, holds) in [(then, false), (otherwise, true)] {
                        if body.iter().any(|s| s.kind == StmtKind::Exit) {
                            guards.push((condition.clone(), holds));
                        }
                    }
                }
                StmtKind::Apply { table, then } => {
                    self.guards[table.index()].clone_from(&guards);
                    match then {
                        AfterApply::Nothing => {}
                        AfterApply::Hit { hit, miss } => {
                            self.block(hit, &guards);
                            self.block(miss, &guards);
                        }
                        AfterApply::Switch { cases, default } => {
                            cases.iter().for_each(|c| self.block(&c.body, &guards));
                            self.block(default, &guards);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn constant(&mut self, expr: &Expr) {
        if let Expr::Op { args, .. } = expr
            && let [
                of @ Expr::Read(Place::Meta(_) | Place::Field { header: HeaderRef::Header(_), .. }),
                Expr::Const { value, .. },
            ]
            | [
                Expr::Const { value, .. },
                of @ Expr::Read(Place::Meta(_) | Place::Field { header: HeaderRef::Header(_), .. }),
            ] = args.as_slice()
        {
            self.constants.push((of.clone(), value.clone()));
        }
    }

    /// Whether there is any entry to be met.
    pub fn any(&self) -> bool {
        self.tables.iter().any(|entries| !entries.is_empty())
    }

    /// The table that a packet is made for: what must hold for it to be applied.
    pub fn guards(&self, table: usize) -> &[(Expr, bool)] {
        self.guards.get(table).map_or(&[], Vec::as_slice)
    }

    /// A table to make a packet for, and the keys of one entry of each table, that one's first; sometimes
    /// one bit beside, sometimes none.
    pub fn draw(&self, rng: &mut Rng) -> (usize, Vec<Wish>) {
        let mut out = Vec::new();
        let mut order: Vec<usize> = (0..self.tables.len()).collect();
        rng.shuffle(&mut order);
        order.sort_by_key(|t| self.tables[*t].is_empty());
        for table in &order {
            let Some(entry) = rng.pick(&self.tables[*table]) else { continue };
            if rng.chance(5) {
                continue;
            }
            let mut drawn: Vec<Wish> = entry.iter().filter_map(|w| w.draw(rng)).collect();
            if rng.chance(6)
                && let at = rng.below(drawn.len())
                && let Some(wish) = drawn.get_mut(at)
                && wish.value.width() > 0
            {
                let bit = rng.below(wish.value.width() as usize);
                let mut limbs = wish.value.limbs().to_vec();
                limbs[bit / 64] ^= 1 << (bit % 64);
                wish.value = Bits::from_limbs(wish.value.width(), &limbs);
            }
            out.append(&mut drawn);
        }
        if let Some((expr, value)) = rng.pick(&self.constants)
            && rng.chance(30)
        {
            let near = number(Type::Bit(value.width()), value) + rng.below(3) as i64 - 1;
            let width = value.width();
            let mask = Bits::ones(width);
            out.push(Wish { expr: expr.clone(), value: wrap(width, &near), mask });
        }
        (order.first().copied().unwrap_or(0), out)
    }
}

impl Wanted {
    fn draw(&self, rng: &mut Rng) -> Option<Wish> {
        let width = self.ty.width();
        let (value, mask) = match &self.key {
            KeyMatch::Any => return None,
            KeyMatch::Exact(value) => (value.clone(), Bits::ones(width)),
            KeyMatch::Lpm { value, prefix } => {
                (value.clone(), restage_program::entry::prefix_mask(width, *prefix))
            }
            KeyMatch::Masked { value, mask } => (value.clone(), mask.clone()),
            KeyMatch::Range { low, high } => {
                let (low, high) = (number(self.ty, low), number(self.ty, high));
                let span: BigInt = &high - &low + 1;
                let value = match rng.below(4) {
                    0 => low,
                    1 => high,
                    _ => low + BigInt::from(rng.bits64()) % span,
                };
                (wrap(width, &value), Bits::ones(width))
            }
        };
        Some(Wish { expr: self.expr.clone(), value, mask })
    }
}
