//! Expressions and places of a wanted type.

use super::{Maker, Site, SiteKind};
use restage_program::entity::{HeaderType, Stack};
use restage_program::expr::{ElementIndex, Expr, HeaderRef, Place};
use restage_program::op::Op;
use restage_program::program::Elements;
use restage_program::types::{MAX_WIDTH, bit, int};
use restage_program::{Bits, Type, standard};

impl Maker {
    /// An expression of this type.
    pub(super) fn expr(&mut self, site: &Site, ty: Type, depth: u32) -> Expr {
        let leaf = depth == 0 || self.rng.chance(25);
        match ty {
            _ if leaf => self.leaf(site, ty),
            Type::Bool => self.condition(site, depth - 1),
            Type::Bit(_) | Type::Int(_) => self.number(site, ty, depth - 1),
            Type::Error | Type::Varbit(_) => self.leaf(site, ty),
        }
    }

    /// A number of this type, computed.
    fn number(&mut self, site: &Site, ty: Type, depth: u32) -> Expr {
        use Op::{Add, And, Div, Mod, Mul, Or, SatAdd, SatSub, Sub, Xor};
        let width = ty.width();
        let unary = |op, a| Expr::op(op, [a]);
        match self.rng.below(14) {
            0 => unary(Op::Not, self.expr(site, ty, depth)),
            1 => unary(Op::Neg, self.expr(site, ty, depth)),
            2 | 3 => {
                let op = [Add, Sub, Mul, SatAdd, SatSub][self.rng.below(5)];
                Expr::op(op, [self.expr(site, ty, depth), self.expr(site, ty, depth)])
            }
            4 => {
                let op = [And, Or, Xor][self.rng.below(3)];
                Expr::op(op, [self.expr(site, ty, depth), self.expr(site, ty, depth)])
            }
            5 if !ty.is_signed() => {
                let mut value = self.rng.value(ty);
                if value.is_zero() {
                    value = Bits::new(width, 1);
                }
                let divisor = Expr::Const { ty, value };
                Expr::op([Div, Mod][self.rng.below(2)], [self.expr(site, ty, depth), divisor])
            }
            6 => {
                let by = if self.rng.chance(50) {
                    let most = width.min(255) + 2;
                    Expr::bit(8, self.rng.between(0, most.min(255)).into())
                } else {
                    let by = bit(self.rng.between(1, 9));
                    self.expr(site, by, depth)
                };
                Expr::op([Op::Shl, Op::Shr][self.rng.below(2)], [self.expr(site, ty, depth), by])
            }
            7 | 8 => {
                let from = self.known_number();
                let op = if self.rng.chance(50) { Op::Cast(ty) } else { Op::SatCast(ty) };
                unary(op, self.expr(site, from, depth))
            }
            9 | 10 if !ty.is_signed() => {
                let known = self.known_number();
                let from = if known.width() >= width { known } else { bit(width + 3) };
                if from.width() > MAX_WIDTH {
                    return self.leaf(site, ty);
                }
                let lo = self.rng.between(0, from.width() - width);
                unary(Op::Slice { hi: lo + width - 1, lo }, self.expr(site, from, depth))
            }
            11 if width > 1 => {
                let low = self.rng.between(1, width - 1);
                let high = if ty.is_signed() { int(width - low) } else { bit(width - low) };
                let low = if low > 1 && self.rng.chance(20) { int(low) } else { bit(low) };
                Expr::op(Op::Concat, [self.expr(site, high, depth), self.expr(site, low, depth)])
            }
            12 if ty == bit(1) => unary(Op::Cast(ty), self.expr(site, Type::Bool, depth)),
            _ => {
                let condition = self.expr(site, Type::Bool, depth);
                Expr::op(
                    Op::Mux,
                    [condition, self.expr(site, ty, depth), self.expr(site, ty, depth)],
                )
            }
        }
    }

    /// A truth value, computed.
    pub(super) fn condition(&mut self, site: &Site, depth: u32) -> Expr {
        match self.rng.below(10) {
            0 => Expr::op(Op::Not, [self.expr(site, Type::Bool, depth)]),
            1 => {
                let op = [Op::And, Op::Or, Op::Xor][self.rng.below(3)];
                let b = Type::Bool;
                Expr::op(op, [self.expr(site, b, depth), self.expr(site, b, depth)])
            }
            2..=5 => {
                let ty = self.known_number();
                let op = [Op::Eq, Op::Ne, Op::Lt, Op::Le, Op::Gt, Op::Ge][self.rng.below(6)];
                let right = if self.rng.chance(60) {
                    Expr::Const { ty, value: self.rng.value(ty) }
                } else {
                    self.expr(site, ty, depth)
                };
                Expr::op(op, [self.expr(site, ty, depth), right])
            }
            6 => Expr::Valid(self.header(site)),
            7 => {
                let a = self.expr(site, bit(1), depth);
                Expr::op(Op::Cast(Type::Bool), [a])
            }
            8 if site.kind != SiteKind::Parser => {
                let error = self.rng.below(self.program.errors.len());
                let error = Bits::new(32, error as u128);
                let right = Expr::Const { ty: Type::Error, value: error };
                let op = if self.rng.chance(50) { Op::Eq } else { Op::Ne };
                Expr::op(op, [Expr::meta(standard::PARSER_ERROR), right])
            }
            _ => {
                let b = Type::Bool;
                Expr::op(
                    Op::Mux,
                    [
                        self.expr(site, b, depth),
                        self.expr(site, b, depth),
                        self.expr(site, b, depth),
                    ],
                )
            }
        }
    }

    /// A type that something has.
    pub(super) fn known_number(&mut self) -> Type {
        self.number_types[self.rng.below(self.number_types.len())]
    }

    /// Something that is not computed: a constant, a place, a parameter.
    fn leaf(&mut self, site: &Site, ty: Type) -> Expr {
        let params: Vec<u32> =
            (0..site.params.len() as u32).filter(|i| site.params[*i as usize].ty == ty).collect();
        if let Some(param) = self.one(&params)
            && self.rng.chance(50)
        {
            return Expr::Param(param);
        }
        if ty == Type::Bool && self.rng.chance(30) {
            return Expr::Valid(self.header(site));
        }
        if ty.is_number() && ty.width() <= site.ahead && self.rng.chance(20) {
            let skip = self.rng.between(0, (site.ahead - ty.width()).min(16));
            return Expr::Lookahead { skip, ty };
        }
        if ty == bit(32)
            && self.rng.chance(25)
            && let Some(stack) = self.one(&self.stacks.clone())
        {
            return Expr::LastIndex(stack);
        }
        if self.rng.chance(80)
            && let Some(place) = self.place(site, ty)
        {
            return Expr::Read(place);
        }
        let value = match ty {
            Type::Error => Bits::new(32, self.rng.below(self.program.errors.len()) as u128),
            _ => self.rng.value(ty),
        };
        Expr::Const { ty, value }
    }

    /// A place of this type that can be read.
    pub(super) fn place(&mut self, site: &Site, ty: Type) -> Option<Place> {
        if self.rng.chance(35) {
            let metas: Vec<_> = self
                .program
                .metas
                .iter()
                .filter(|(_, m)| m.ty == ty)
                .map(|(meta, _)| meta)
                .collect();
            if let Some(meta) = self.one(&metas) {
                return Some(Place::Meta(meta));
            }
        }
        self.field_or_slice(site, ty)
    }

    /// A place of this type that may be written.
    pub(super) fn target(&mut self, site: &Site, ty: Type) -> Option<Place> {
        let metas: Vec<_> =
            self.metas.iter().copied().filter(|m| self.program.metas[*m].ty == ty).collect();
        let meta = self.one(&metas).map(Place::Meta);
        if meta.is_some() && self.rng.chance(50) {
            return meta;
        }
        self.field_or_slice(site, ty).or(meta)
    }

    /// A field of this type, or some bits of one or of metadata.
    pub(super) fn field_or_slice(&mut self, site: &Site, ty: Type) -> Option<Place> {
        let direct = self.field_of(site, |t| t == ty);
        if direct.is_some() && self.rng.chance(80) {
            return direct;
        }
        let Type::Bit(width) = ty else { return direct };
        let (of, wide) = {
            let metas: Vec<_> = self
                .metas
                .iter()
                .copied()
                .filter(|m| {
                    let t = self.program.metas[*m].ty;
                    t.is_number() && t.width() >= width
                })
                .collect();
            let meta = self.one(&metas).map(Place::Meta);
            let field = self.field_of(site, |t| t.is_number() && t.width() >= width);
            let of = if self.rng.chance(50) { meta.or(field) } else { field };
            let Some(of) = of else { return direct };
            let wide = self.program.type_of_place(&of).ok()?.width();
            (of, wide)
        };
        let lo = self.rng.between(0, wide - width);
        Some(Place::Slice { of: Box::new(of), hi: lo + width - 1, lo })
    }

    /// A field of some header whose type is one of those wanted.
    fn field_of(&mut self, site: &Site, wanted: impl Fn(Type) -> bool) -> Option<Place> {
        for _ in 0..4 {
            let header = self.header(site);
            let decl = self.program.header_type(&header).ok()?;
            let fields: Vec<u32> = (0..decl.fields.len() as u32)
                .filter(|i| wanted(decl.fields[*i as usize].ty))
                .collect();
            if let Some(field) = self.one(&fields) {
                return Some(Place::Field { header, field });
            }
        }
        None
    }

    /// A header to look at or write.
    pub(super) fn header(&mut self, site: &Site) -> HeaderRef {
        if self.rng.chance(35)
            && let Some(stack) = self.one(&self.stacks.clone())
        {
            return self.element(site, stack);
        }
        let all: Vec<_> = self.program.headers.keys().collect();
        let header = if self.rng.chance(70) { self.one(&self.plain.clone()) } else { None };
        HeaderRef::Header(header.unwrap_or_else(|| all[self.rng.below(all.len())]))
    }

    /// A header of this type.
    pub(super) fn header_of(&mut self, site: &Site, ty: HeaderType) -> Option<HeaderRef> {
        for _ in 0..6 {
            let header = self.header(site);
            if self.program.type_of_header(&header).is_ok_and(|t| t == ty) {
                return Some(header);
            }
        }
        None
    }

    fn element(&mut self, site: &Site, stack: Stack) -> HeaderRef {
        let member = self.member_of(stack);
        let size = self.program.stacks[stack].elements.len() as u32;
        let at = match (site.kind, self.rng.below(3)) {
            (SiteKind::Parser, 0) if self.rng.chance(15) => ElementIndex::Next,
            (SiteKind::Parser | SiteKind::Outside, _) | (_, 0) => {
                if self.rng.chance(60) {
                    return self.fixed_element(stack, size, member);
                }
                ElementIndex::Last
            }
            _ => {
                // Small numbers, so that elements are met.
                let small = self.expr(site, bit(2), 1);
                ElementIndex::Expr(Box::new(Expr::op(Op::Cast(bit(32)), [small])))
            }
        };
        HeaderRef::Element { stack, at, member }
    }

    fn fixed_element(&mut self, stack: Stack, size: u32, member: u32) -> HeaderRef {
        let element = HeaderRef::Element { stack, at: ElementIndex::Last, member };
        let all = self.program.candidates(&element);
        HeaderRef::Header(all[self.rng.below(size as usize)])
    }

    /// A member of the elements of a stack of unions; 0 for a stack of headers.
    pub(super) fn member_of(&mut self, stack: Stack) -> u32 {
        match &self.program.stacks[stack].elements {
            Elements::Headers(_) => 0,
            Elements::Unions(unions) => {
                let members = self.program.unions[unions[0]].members.len() as u32;
                self.rng.between(0, members - 1)
            }
        }
    }
}
