//! Expressions and places as text.
//!
//! Parentheses stand only where P4's precedence needs them; constants carry their width unless the
//! other operand or the destination says it. Two styles: for people and keys ([`Style::Plain`]), with
//! the program's own names and operators P4 lacks written as if it had them; and for a compiler
//! ([`Style::File`]).

use super::file::File;
use super::gaps::Gap;
use super::path::flatten;
use super::uses::Part;
use crate::check::MAX_DEPTH;
use crate::expr::{Expr, Place};
use crate::op::Op;
use crate::program::{FieldDecl, Program};
use crate::types::Type;

/// How tightly an expression holds together; larger binds tighter. P4's order, not C's.
pub(super) mod bind {
    pub const MUX: u8 = 0;
    pub const OR: u8 = 1;
    pub const AND: u8 = 2;
    pub const EQUAL: u8 = 3;
    pub const ORDER: u8 = 4;
    pub const BIT_OR: u8 = 5;
    pub const BIT_XOR: u8 = 6;
    pub const BIT_AND: u8 = 7;
    pub const SHIFT: u8 = 8;
    pub const SUM: u8 = 9;
    pub const PRODUCT: u8 = 10;
    pub const PREFIX: u8 = 11;
    pub const WHOLE: u8 = 12;
}

/// Where an expression stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Site {
    /// In a parser state.
    Parser,
    /// In a half, an action or a table of this part.
    Control(Part),
    /// In the control that verifies or updates checksums, where there is no standard metadata.
    Checksum,
}

/// For whom the text is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Style<'a> {
    /// For people.
    Plain,
    /// For a compiler.
    File(&'a File<'a>, Site),
}

/// Writes expressions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exprs<'a> {
    pub program: &'a Program,
    pub style: Style<'a>,
    /// Parameters of the action in which the expression stands.
    pub params: &'a [FieldDecl],
    /// Their identifiers; empty to use the declared names.
    pub param_names: &'a [String],
    /// Whether parameters with signs are declared without; see [`File::unsigned_params`].
    pub unsigned_params: bool,
    /// How deep in an expression this is; beyond [`MAX_DEPTH`] there is only `...`.
    pub depth: u32,
}

/// A piece of text, how tightly it holds, and what it is.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub text: String,
    pub bind: u8,
    pub ty: Option<Type>,
}

impl Piece {
    pub fn whole(text: impl Into<String>, ty: Option<Type>) -> Self {
        Piece { text: text.into(), bind: bind::WHOLE, ty }
    }

    pub fn new(text: impl Into<String>, bind: u8, ty: Option<Type>) -> Self {
        Piece { text: text.into(), bind, ty }
    }

    /// The text, in parentheses when it holds less tightly than asked.
    pub fn at_least(&self, bind: u8) -> String {
        if self.bind >= bind { self.text.clone() } else { format!("({})", self.text) }
    }
}

impl<'a> Exprs<'a> {
    /// An expression whose type must be seen from itself.
    pub fn exact(&self, expr: &Expr) -> String {
        self.piece(expr).text
    }

    /// An expression as a member of a list that is hashed, where p4c has no `bool`.
    pub fn bits(&self, expr: &Expr) -> String {
        let piece = self.piece(expr);
        match piece.ty {
            Some(Type::Bool) => cast(&piece, Type::Bit(1)).text,
            _ => piece.text,
        }
    }

    /// An expression whose type is known where it stands: constants are bare numbers.
    pub fn known(&self, expr: &Expr) -> String {
        self.known_piece(expr).text
    }

    pub fn known_piece(&self, expr: &Expr) -> Piece {
        match expr {
            Expr::Const { ty, value } => self.constant(*ty, value, true),
            _ => self.piece(expr),
        }
    }

    /// An expression.
    pub fn piece(&self, expr: &Expr) -> Piece {
        if self.depth > MAX_DEPTH {
            return Piece::whole("...", None);
        }
        Exprs { depth: self.depth + 1, ..*self }.inner(expr)
    }

    fn inner(&self, expr: &Expr) -> Piece {
        match expr {
            Expr::Const { ty, value } => self.constant(*ty, value, false),
            Expr::Read(place) => self.read(place),
            Expr::Param(index) => {
                let ty = self.params.get(*index as usize).map(|p| p.ty);
                let declared = self.params.get(*index as usize).map(|p| p.name.as_str());
                let name = self.param_names.get(*index as usize).map(String::as_str).or(declared);
                let name = name.map_or_else(|| format!("?parameter{index}"), str::to_string);
                match ty.map(|ty| (ty, param_type(ty, self.unsigned_params))) {
                    Some((ty, declared)) if ty != declared && self.is_file() => {
                        cast(&Piece::whole(name, Some(declared)), ty)
                    }
                    _ => Piece::whole(name, ty),
                }
            }
            Expr::Valid(header) => {
                self.check_read(header);
                Piece::whole(format!("{}.isValid()", self.header(header)), Some(Type::Bool))
            }
            Expr::LastIndex(stack) => {
                if let Style::File(file, Site::Control(_) | Site::Checksum) = self.style {
                    file.gap(Gap::LAST);
                }
                Piece::whole(format!("h.{}.lastIndex", self.stack(*stack)), Some(Type::Bit(32)))
            }
            Expr::Lookahead { skip, ty } => lookahead(*skip, *ty),
            Expr::Op { op, args } => self.operation(*op, args),
        }
    }

    fn is_file(&self) -> bool {
        matches!(self.style, Style::File(..))
    }

    /// What a place holds.
    fn read(&self, place: &Place) -> Piece {
        let (root, hi, lo) = flatten(place);
        let whole = Piece::whole(self.root(root, false), self.program.type_of_place(root).ok());
        match place {
            Place::Slice { .. } => slice(&whole, hi, lo),
            _ => whole,
        }
    }

    fn operation(&self, op: Op, args: &[Expr]) -> Piece {
        let missing = || Piece::whole("?operand", None);
        let arg = |i: usize| args.get(i).map_or_else(missing, |a| self.piece(a));
        let is_const = |i: usize| matches!(args.get(i), Some(Expr::Const { .. }));
        // One constant operand takes its width from the other one.
        let pair = || {
            let bare = |i: usize| match args.get(i) {
                Some(a) if !is_const(1 - i) => self.known_piece(a),
                _ => arg(i),
            };
            (bare(0), bare(1))
        };
        let infix = |sign: &str, binds: u8, (a, b): (Piece, Piece), ty: Option<Type>| {
            let text = format!("{} {sign} {}", a.at_least(binds), b.at_least(binds + 1));
            Piece::new(text, binds, ty)
        };
        // Comparisons do not chain, whatever the grammar says.
        let compare = |sign: &str, binds: u8| {
            let (a, b) = pair();
            let text = format!("{} {sign} {}", a.at_least(binds + 1), b.at_least(binds + 1));
            Piece::new(text, binds, Some(Type::Bool))
        };
        let same = |sign: &str, binds: u8| {
            let (a, b) = pair();
            let ty = a.ty;
            infix(sign, binds, (a, b), ty)
        };
        let logic = |word: &str, word_bind: u8, sign: &str, sign_bind: u8| {
            let (a, b) = pair();
            let ty = a.ty.or(b.ty);
            match ty {
                Some(Type::Bool) => infix(word, word_bind, (a, b), ty),
                _ => infix(sign, sign_bind, (a, b), ty),
            }
        };
        match op {
            Op::Not | Op::Neg => {
                let a = arg(0);
                let sign = match (op, a.ty) {
                    (Op::Neg, _) => "-",
                    (_, Some(Type::Bool)) => "!",
                    _ => "~",
                };
                let inner = a.at_least(bind::PREFIX);
                let inner = if inner.starts_with(sign) { format!("({inner})") } else { inner };
                Piece::new(format!("{sign}{inner}"), bind::PREFIX, a.ty)
            }
            Op::Cast(to) => cast(&arg(0), to),
            Op::SatCast(to) => self.sat_cast(&arg(0), to, args.first()),
            Op::Slice { hi, lo } => slice(&arg(0), hi, lo),
            Op::Add => same("+", bind::SUM),
            Op::Sub => same("-", bind::SUM),
            Op::Mul => same("*", bind::PRODUCT),
            Op::SatAdd => same("|+|", bind::SUM),
            Op::SatSub => same("|-|", bind::SUM),
            Op::Div | Op::Mod => {
                let sign = if op == Op::Div { "/" } else { "%" };
                match self.divide(op, &arg(0), args.get(1)) {
                    Some(piece) => piece,
                    None => same(sign, bind::PRODUCT),
                }
            }
            Op::And => logic("&&", bind::AND, "&", bind::BIT_AND),
            Op::Or => logic("||", bind::OR, "|", bind::BIT_OR),
            Op::Xor => {
                let (a, b) = pair();
                match a.ty.or(b.ty) {
                    Some(Type::Bool) => compare("!=", bind::EQUAL),
                    ty => infix("^", bind::BIT_XOR, (a, b), ty),
                }
            }
            Op::Shl | Op::Shr => {
                let a = arg(0);
                let amount = match args.get(1) {
                    Some(Expr::Const { value, .. }) => {
                        return self.fixed_shift(op, &a, value);
                    }
                    Some(amount) => match self.long_shift(op, &a, amount) {
                        Ok(amount) => amount,
                        Err(piece) => return piece,
                    },
                    None => missing(),
                };
                let ty = a.ty;
                infix(if op == Op::Shl { "<<" } else { ">>" }, bind::SHIFT, (a, amount), ty)
            }
            Op::Eq => compare("==", bind::EQUAL),
            Op::Ne => compare("!=", bind::EQUAL),
            Op::Lt => compare("<", bind::ORDER),
            Op::Le => compare("<=", bind::ORDER),
            Op::Gt => compare(">", bind::ORDER),
            Op::Ge => compare(">=", bind::ORDER),
            Op::Concat => {
                // p4c gets concatenations of numbers with signs wrong: bits are put together.
                let (a, b) = (arg(0), arg(1));
                let types: Option<Vec<Type>> = [a.ty, b.ty].into_iter().collect();
                let ty = types.and_then(|t| op.result_type(&t).ok());
                let bits = |p: Piece| match p.ty {
                    Some(Type::Int(w)) => cast(&p, Type::Bit(w)),
                    _ => p,
                };
                let width = ty.map(|t| Type::Bit(t.width()));
                let all = infix("++", bind::SUM, (bits(a), bits(b)), width);
                ty.map_or(all.clone(), |ty| cast(&all, ty))
            }
            Op::Mux => {
                let (c, a, b) = (arg(0), arg(1), arg(2));
                let ty = a.ty.or(b.ty);
                let inner = bind::MUX + 1;
                let text = format!(
                    "{} ? {} : {}",
                    c.at_least(inner),
                    a.at_least(inner),
                    b.at_least(inner)
                );
                Piece::new(text, bind::MUX, ty)
            }
        }
    }
}

/// The type with which an action's parameter is declared: p4c has no `bool` there.
pub(super) fn param_type(ty: Type, unsigned: bool) -> Type {
    match ty {
        Type::Bool => Type::Bit(1),
        Type::Int(w) if unsigned => Type::Bit(w),
        other => other,
    }
}

/// `x[hi:lo]`. A number with a sign is made one without before.
pub(super) fn slice(of: &Piece, hi: u32, lo: u32) -> Piece {
    let ty = (lo <= hi).then(|| Type::Bit(hi - lo + 1));
    match of.ty {
        Some(Type::Bit(w)) if lo == 0 && hi + 1 == w => of.clone(),
        Some(Type::Int(w)) => {
            let bits = cast(of, Type::Bit(w));
            if lo == 0 && hi + 1 == w {
                return bits;
            }
            Piece::whole(format!("{}[{hi}:{lo}]", bits.at_least(bind::WHOLE)), ty)
        }
        _ => Piece::whole(format!("{}[{hi}:{lo}]", of.at_least(bind::WHOLE)), ty),
    }
}

/// `(T)x`, in two steps where P4 asks for it: width and sign do not change at once.
pub(super) fn cast(of: &Piece, to: Type) -> Piece {
    let step = |of: &Piece, to: Type| {
        Piece::new(format!("({to}){}", of.at_least(bind::PREFIX)), bind::PREFIX, Some(to))
    };
    match (of.ty, to) {
        (Some(from), to) if from == to => of.clone(),
        (Some(Type::Bit(from)), Type::Int(w)) if from != w => step(&step(of, Type::Bit(w)), to),
        (Some(Type::Int(from)), Type::Bit(w)) if from != w => step(&step(of, Type::Int(w)), to),
        _ => step(of, to),
    }
}

/// `pkt.lookahead<T>()`; bits before the ones that are wanted are looked at and cut off.
fn lookahead(skip: u32, ty: Type) -> Piece {
    let width = ty.width();
    let ahead = skip.saturating_add(width);
    match ty {
        Type::Bit(_) | Type::Int(_) if skip == 0 => {
            Piece::whole(format!("pkt.lookahead<{ty}>()"), Some(ty))
        }
        _ => {
            let all =
                Piece::whole(format!("pkt.lookahead<bit<{ahead}>>()"), Some(Type::Bit(ahead)));
            let bits = if skip == 0 { all } else { slice(&all, width.max(1) - 1, 0) };
            cast(&bits, ty)
        }
    }
}
