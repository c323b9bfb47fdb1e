//! What tables would like packets to be: the keys of their entries.

use crate::random::Rng;
use crate::slow::Slow;
use crate::slow::num::{number, wrap};
use num_bigint::BigInt;
use restage_program::entity::Meta;
use restage_program::entry::KeyMatch;
use restage_program::expr::{Expr, Place};
use restage_program::stmt::{AfterApply, Stmt, StmtKind};
use restage_program::{Bits, Type};
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
        let mut wishes = Wishes { tables, sources: BTreeMap::new(), constants: Vec::new() };
        wishes.block(&program.ingress);
        wishes.block(&program.egress);
        program.actions.values().for_each(|a| wishes.block(&a.body));
        program.states.values().for_each(|s| wishes.block(&s.body));
        wishes
    }

    fn block(&mut self, block: &[Stmt]) {
        for stmt in block {
            match &stmt.kind {
                StmtKind::Assign { dst: Place::Meta(meta), src } => {
                    self.sources.entry(*meta).or_default().push(src.clone());
                }
                StmtKind::If { condition, then, otherwise } => {
                    condition.walk(&mut |e| self.constant(e));
                    self.block(then);
                    self.block(otherwise);
                }
                StmtKind::Apply { then: AfterApply::Hit { hit, miss }, .. } => {
                    self.block(hit);
                    self.block(miss);
                }
                StmtKind::Apply { then: AfterApply::Switch { cases, default }, .. } => {
                    cases.iter().for_each(|c| self.block(&c.body));
                    self.block(default);
                }
                _ => {}
            }
        }
    }

    fn constant(&mut self, expr: &Expr) {
        if let Expr::Op { args, .. } = expr
            && let [of @ Expr::Read(_), Expr::Const { value, .. }]
            | [Expr::Const { value, .. }, of @ Expr::Read(_)] = args.as_slice()
        {
            self.constants.push((of.clone(), value.clone()));
        }
    }

    /// The keys of one entry of each table; sometimes one bit beside, sometimes none.
    pub fn draw(&self, rng: &mut Rng) -> Vec<Wish> {
        let mut out = Vec::new();
        for entries in &self.tables {
            let Some(entry) = rng.pick(entries) else { continue };
            if rng.chance(12) {
                continue;
            }
            let mut drawn: Vec<Wish> = entry.iter().filter_map(|w| w.draw(rng)).collect();
            if rng.chance(8)
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
            && rng.chance(40)
        {
            let near = number(Type::Bit(value.width()), value) + rng.below(3) as i64 - 1;
            let width = value.width();
            let mask = Bits::ones(width);
            out.push(Wish { expr: expr.clone(), value: wrap(width, &near), mask });
        }
        out
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
