//! Expressions and places.

use super::Lower;
use super::store::Store;
use crate::flow::{HashItem, HashUse, Slot, Value, Window, flow_type};
use restage_program::entity::{Entity, Header, Meta, Stack};
use restage_program::expr::{ElementIndex, Expr, HeaderRef, Place};
use restage_program::op::Op;
use restage_program::program::{Elements, HashAlgorithm, Item};
use restage_program::standard;
use restage_program::types::bit;
use restage_program::{Bits, Type};

/// A header instance that may be meant, and when it is.
pub type Candidate = (Value, Header);

impl Lower<'_> {
    /// The type of a place, as flows have it.
    pub fn type_of_place(&self, place: &Place) -> Type {
        flow_type(self.program, self.program.type_of_place(place).unwrap_or(Type::Bool))
    }

    /// The value of an expression.
    pub fn expr<S: Store>(&mut self, store: &mut S, expr: &Expr) -> Value {
        match expr {
            Expr::Const { ty, value } => {
                let ty = flow_type(self.program, *ty);
                self.make.constant(ty, value.resize(ty.width()))
            }
            Expr::Read(place) => self.read(store, place),
            Expr::Param(index) => match self.params.get(*index as usize) {
                Some(param) => *param,
                None => self.make.truth(false),
            },
            Expr::Valid(header) => {
                let candidates = self.resolve(store, header);
                self.valid(store, &candidates)
            }
            Expr::LastIndex(stack) => {
                let next = store.get(&mut self.make, Slot::NextIndex(*stack));
                let next = self.make.natural(32, next);
                let one = self.make.number(32, 1);
                self.make.op(Op::Sub, &[next, one])
            }
            Expr::Lookahead { skip, ty } => {
                let ty = flow_type(self.program, *ty);
                self.lookahead(store, *skip, ty)
            }
            Expr::Op { op, args } => {
                let args: Vec<Value> = args.iter().map(|a| self.expr(store, a)).collect();
                self.make.op(self.flow_op(*op), &args)
            }
        }
    }

    /// Errors have another type in flows.
    fn flow_op(&self, op: Op) -> Op {
        match op {
            Op::Cast(ty) => Op::Cast(flow_type(self.program, ty)),
            other => other,
        }
    }

    fn lookahead<S: Store>(&mut self, store: &mut S, skip: u32, ty: Type) -> Value {
        let Some(position) = store.position() else { return self.make.zero(ty) };
        let bytes = (skip + ty.width()).div_ceil(8);
        self.in_window(&position, bytes);
        let ok = self.fits(&position, bytes);
        store.require(&mut self.make, ok, standard::error::PACKET_TOO_SHORT);
        let bits = bit(ty.width());
        let plain = self.at_position(&position, skip, bits);
        self.make.cast(ty, plain)
    }

    /// Bits of the window, counted from a position.
    pub fn at_position(&mut self, position: &super::Position, skip: u32, ty: Type) -> Value {
        let window = match position.fixed() {
            Some(bytes) => Window { skip: 8 * bytes + skip, at: None },
            None => Window { skip, at: Some(position.at()) },
        };
        self.make.window(ty, window)
    }

    /// The instances that a reference may mean. Next and last of a stack are errors where there is none, in
    /// a parser; elsewhere nothing is meant.
    pub fn resolve<S: Store>(&mut self, store: &mut S, header: &HeaderRef) -> Vec<Candidate> {
        let (stack, at, member) = match header {
            HeaderRef::Header(header) => return vec![(self.make.truth(true), *header)],
            HeaderRef::Element { stack, at, member } => (*stack, at, *member),
        };
        let elements = self.elements(stack);
        let size = elements.len() as u64;
        let (index, above) = match at {
            ElementIndex::Next | ElementIndex::Last => {
                let next = store.get(&mut self.make, Slot::NextIndex(stack));
                (next, u64::from(*at == ElementIndex::Last))
            }
            ElementIndex::Expr(index) => (self.expr(store, index), 0),
        };
        if S::PARSER && !matches!(at, ElementIndex::Expr(_)) {
            let outside = if *at == ElementIndex::Next { size } else { 0 };
            let none = self.make.is(index, outside);
            let some = self.make.not(none);
            store.require(&mut self.make, some, standard::error::STACK_OUT_OF_BOUNDS);
        }
        let width = self.make.ty(index).width();
        let mut candidates = Vec::new();
        for (i, element) in elements.iter().enumerate() {
            let number = i as u64 + above;
            let Some(header) = element.get(member as usize) else { continue };
            if width < 64 && number >> width != 0 {
                continue;
            }
            let meant = self.make.is(index, number);
            if self.make.as_truth(meant) != Some(false) {
                candidates.push((meant, *header));
            }
        }
        candidates
    }

    /// The headers of each element of a stack.
    pub fn elements(&self, stack: Stack) -> Vec<Vec<Header>> {
        match &self.program.stacks[stack].elements {
            Elements::Headers(headers) => headers.iter().map(|h| vec![*h]).collect(),
            Elements::Unions(unions) => {
                unions.iter().map(|u| self.program.unions[*u].members.clone()).collect()
            }
        }
    }

    /// Whether what is meant is valid.
    pub fn valid<S: Store>(&mut self, store: &mut S, candidates: &[Candidate]) -> Value {
        let no = self.make.truth(false);
        self.choose(store, candidates, no, Slot::Valid)
    }

    /// A slot of what is meant, or the default when nothing is.
    pub fn choose<S: Store>(
        &mut self,
        store: &mut S,
        candidates: &[Candidate],
        default: Value,
        slot: impl Fn(Header) -> Slot,
    ) -> Value {
        let arms: Vec<(Value, Value)> =
            candidates.iter().map(|(c, h)| (*c, store.get(&mut self.make, slot(*h)))).collect();
        self.make.select(&arms, default)
    }

    /// What a place holds.
    pub fn read<S: Store>(&mut self, store: &mut S, place: &Place) -> Value {
        match place {
            Place::Meta(meta) => store.get(&mut self.make, Slot::Meta(*meta)),
            Place::Field { header, field } => {
                let candidates = self.resolve(store, header);
                let ty = self.type_of_place(place);
                let zero = self.make.zero(ty);
                self.choose(store, &candidates, zero, |h| Slot::Field(h, *field))
            }
            Place::Slice { of, hi, lo } => {
                let whole = self.read(store, of);
                self.make.op(Op::Slice { hi: *hi, lo: *lo }, &[whole])
            }
        }
    }

    /// Writes a place; the fields of invalid headers stay 0.
    pub fn write<S: Store>(&mut self, store: &mut S, place: &Place, value: Value) {
        match place {
            Place::Meta(meta) => store.set(&mut self.make, Slot::Meta(*meta), value),
            Place::Field { header, field } => {
                let candidates = self.resolve(store, header);
                self.write_slot(store, &candidates, value, |h| Slot::Field(h, *field));
            }
            Place::Slice { of, hi, lo } => {
                let whole = self.read(store, of);
                let value = self.with_bits(whole, *hi, *lo, value);
                self.write(store, of, value);
            }
        }
    }

    /// Writes a slot of what is meant, where that is valid.
    pub fn write_slot<S: Store>(
        &mut self,
        store: &mut S,
        candidates: &[Candidate],
        value: Value,
        slot: impl Fn(Header) -> Slot,
    ) {
        for (meant, header) in candidates {
            let slot = slot(*header);
            let old = store.get(&mut self.make, slot);
            let valid = store.get(&mut self.make, Slot::Valid(*header));
            let ty = self.make.ty(old);
            // What was there of an invalid header is 0 as well.
            let zero = self.make.zero(ty);
            let new = self.make.mux(valid, value, zero);
            let new = self.make.mux(*meant, new, old);
            store.set(&mut self.make, slot, new);
        }
    }

    /// A value with some of its bits replaced.
    fn with_bits(&mut self, whole: Value, hi: u32, lo: u32, bits: Value) -> Value {
        let ty = self.make.ty(whole);
        let width = ty.width();
        let mut out = self.make.natural(hi - lo + 1, bits);
        if hi + 1 < width {
            let above = self.make.op(Op::Slice { hi: width - 1, lo: hi + 1 }, &[whole]);
            out = self.make.op(Op::Concat, &[above, out]);
        }
        if lo > 0 {
            let below = self.make.op(Op::Slice { hi: lo - 1, lo: 0 }, &[whole]);
            out = self.make.op(Op::Concat, &[out, below]);
        }
        self.make.cast(ty, out)
    }

    /// Writes a number without a sign, cut to the place's width.
    pub fn write_natural<S: Store>(&mut self, store: &mut S, place: &Place, value: Value) {
        let ty = self.type_of_place(place);
        let bits = self.make.natural(ty.width(), value);
        let value = self.make.cast(ty, bits);
        self.write(store, place, value);
    }

    /// Sets metadata to a number.
    pub fn set_meta<S: Store>(&mut self, store: &mut S, meta: Meta, number: u64) {
        let ty = flow_type(self.program, self.program.metas[meta].ty);
        let value = self.make.constant(ty, Bits::new(ty.width(), number.into()));
        store.set(&mut self.make, Slot::Meta(meta), value);
    }

    /// A list that is hashed.
    pub fn items<S: Store>(&mut self, store: &mut S, items: &[Item]) -> Vec<HashItem> {
        let mut out = Vec::new();
        for item in items {
            match item {
                Item::Value(Expr::Read(Place::Field { header, field }))
                    if self.is_varbit(header, *field) =>
                {
                    let candidates = self.resolve(store, header);
                    out.push(self.item(store, &candidates, *field, None));
                }
                Item::Value(expr) => {
                    let value = self.expr(store, expr);
                    out.push(HashItem { value, present: None, bytes: None });
                }
                Item::IfValid { header, field } => {
                    let candidates = self.resolve(store, header);
                    let valid = self.valid(store, &candidates);
                    out.push(self.item(store, &candidates, *field, Some(valid)));
                }
                Item::Header(header) => {
                    let candidates = self.resolve(store, header);
                    let valid = self.valid(store, &candidates);
                    let fields = self.program.header_type(header).map_or(0, |t| t.fields.len());
                    for field in 0..fields as u32 {
                        out.push(self.item(store, &candidates, field, Some(valid)));
                    }
                }
            }
        }
        out.retain(|item| item.present.and_then(|p| self.make.as_truth(p)) != Some(false));
        for item in &mut out {
            item.present = item.present.filter(|p| self.make.as_truth(*p) != Some(true));
        }
        out
    }

    fn is_varbit(&self, header: &HeaderRef, field: u32) -> bool {
        self.program.header_type(header).is_ok_and(|t| t.varbit() == Some(field))
    }

    fn item<S: Store>(
        &mut self,
        store: &mut S,
        candidates: &[Candidate],
        field: u32,
        present: Option<Value>,
    ) -> HashItem {
        let Some((_, first)) = candidates.first() else {
            let value = self.make.truth(false);
            return HashItem { value, present: Some(value), bytes: None };
        };
        let ty = &self.program.header_types[self.program.headers[*first].ty];
        let varbit = ty.varbit() == Some(field);
        let of = flow_type(self.program, ty.fields[field as usize].ty);
        let zero = self.make.zero(of);
        let value = self.choose(store, candidates, zero, |h| Slot::Field(h, field));
        let bytes = varbit.then(|| self.var_length(store, candidates));
        // A varbit without bytes is as good as absent.
        HashItem { value, present: if varbit { None } else { present }, bytes }
    }

    /// Bytes of the varbit of what is meant.
    pub fn var_length<S: Store>(&mut self, store: &mut S, candidates: &[Candidate]) -> Value {
        let zero = match candidates.first() {
            Some((_, first)) => {
                let length = store.get(&mut self.make, Slot::VarLength(*first));
                let ty = self.make.ty(length);
                self.make.zero(ty)
            }
            None => self.make.number(1, 0),
        };
        self.choose(store, candidates, zero, Slot::VarLength)
    }

    /// The hash of a list.
    pub fn hash<S: Store>(
        &mut self,
        store: &mut S,
        algorithm: HashAlgorithm,
        items: &[Item],
    ) -> Value {
        let (algorithm, items) = (self.fixed(algorithm), self.items(store, items));
        self.make.hash(HashUse { algorithm, items, behind: None })
    }

    /// The algorithm as it is in a circuit: a custom CRC has the parameters that it begins with.
    pub fn fixed(&self, algorithm: HashAlgorithm) -> HashAlgorithm {
        match algorithm {
            HashAlgorithm::Custom(crc) => match self.program.crcs.get(crc).map(|decl| decl.width) {
                Some(16) => HashAlgorithm::Crc16,
                _ => HashAlgorithm::Crc32,
            },
            fixed => fixed,
        }
    }

    /// The name of a header instance.
    pub fn header_name(&self, header: Header) -> &str {
        self.program.headers.get(header).map_or("?", |h| h.name.as_str())
    }

    /// The union that a header is in.
    pub fn siblings(&self, header: Header) -> Vec<Header> {
        let unions = self.program.unions.values().filter(|u| u.members.contains(&header));
        unions.flat_map(|u| &u.members).copied().filter(|m| m.index() != header.index()).collect()
    }
}
