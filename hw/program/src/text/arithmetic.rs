//! Operations that P4, or p4c for BMv2, has no sign for: saturating casts, division by a constant,
//! shifts by a wide amount.
//!
//! A saturating cast of something short is a conditional expression; everything else becomes a function
//! at the top of the file, so that the text stays as long as the expression and no operand is written
//! twice.

use super::expr::{Exprs, Piece, Site, Style, bind, cast, slice};
use super::gaps::Gap;
use super::number::digits;
use crate::bits::Bits;
use crate::check::MAX_DEPTH;
use crate::eval::eval;
use crate::expr::Expr;
use crate::op::Op;
use crate::types::{MAX_WIDTH, Type};

/// p4c takes a shift amount of at most so many bits for BMv2.
const AMOUNT: u32 = 8;

/// An operand that is longer is not written three times.
const LONG: usize = 5000;

/// The value of an expression that has one without any packet, as p4c finds it too.
pub(super) fn folded(expr: &Expr, depth: u32) -> Option<Bits> {
    match expr {
        Expr::Const { value, .. } => Some(value.clone()),
        Expr::Op { op, args } if depth < MAX_DEPTH => {
            let values = args.iter().map(|a| Some((constant_type(a)?, folded(a, depth + 1)?)));
            let values: Vec<(Type, Bits)> = values.collect::<Option<_>>()?;
            let pairs: Vec<(Type, &Bits)> = values.iter().map(|(t, v)| (*t, v)).collect();
            eval(*op, &pairs)
        }
        _ => None,
    }
}

/// The type of an expression of constants.
fn constant_type(expr: &Expr) -> Option<Type> {
    match expr {
        Expr::Const { ty, .. } => Some(*ty),
        Expr::Op { op, args } => {
            let types: Option<Vec<Type>> = args.iter().map(constant_type).collect();
            op.result_type(&types?).ok()
        }
        _ => None,
    }
}

impl Exprs<'_> {
    /// The nearest value of another type.
    pub(super) fn sat_cast(&self, of: &Piece, to: Type, operand: Option<&Expr>) -> Piece {
        let Some(from) = of.ty else { return Piece::whole(format!("?({})", of.text), Some(to)) };
        let Style::File(file, site) = self.style else {
            return Piece::whole(format!("saturate<{to}>({})", of.text), Some(to));
        };
        if !clamps(from, to) {
            return cast(of, to);
        }
        let simple = matches!(operand, Some(Expr::Read(_) | Expr::Param(_) | Expr::Const { .. }));
        // p4c has no `if` in parsers, which is what a function with a conditional becomes.
        if simple || site == Site::Parser && of.text.len() < LONG {
            return saturated(of, from, to);
        }
        if site == Site::Parser {
            file.gap(Gap::LONG_IN_PARSER);
        }
        let name = format!("saturate_{}_to_{}", word(from), word(to));
        let body = saturated(&Piece::whole("x", Some(from)), from, to);
        let name = file.function(&name, |name| {
            format!("{to} {name}(in {from} x) {{\n    return {};\n}}\n", body.text)
        });
        Piece::whole(format!("{name}({})", of.text), Some(to))
    }

    /// Division and remainder by a constant, with a multiplication by its inverse: p4c has neither
    /// for BMv2. `None` when there is no such form.
    pub(super) fn divide(&self, op: Op, of: &Piece, by: Option<&Expr>) -> Option<Piece> {
        let Style::File(file, _) = self.style else { return None };
        let (Some(ty @ Type::Bit(width)), Some(Expr::Const { value, .. })) = (of.ty, by) else {
            file.gap(Gap::DIVISION);
            return None;
        };
        if value.is_zero() {
            return Some(Piece::whole(format!("{width}w0"), Some(ty)));
        }
        let one = value.significant() == 1;
        let power = (0..width).filter(|i| value.bit(*i)).count() == 1;
        let log = value.significant() - 1;
        if power {
            return Some(match (op, one) {
                (Op::Div, true) => of.clone(),
                (Op::Div, _) => {
                    let text = format!("{} >> {log}", of.at_least(bind::SHIFT));
                    Piece::new(text, bind::SHIFT, Some(ty))
                }
                (_, true) => Piece::whole(format!("{width}w0"), Some(ty)),
                _ => {
                    let mask = Bits::ones(log).resize(width);
                    let text = format!("{} & {}", of.at_least(bind::BIT_AND), digits(&mask));
                    Piece::new(text, bind::BIT_AND, Some(ty))
                }
            });
        }
        // With m = floor(2^s / d) + 1 and s = w + ceil(log2 d), x * m >> s is x / d for all x < 2^w.
        let shift = width + log + 1;
        let wide = 2 * width + 2;
        if wide > MAX_WIDTH {
            file.gap(Gap::DIVISION);
            return None;
        }
        let kind = Type::Bit(wide);
        let numerator = {
            let mut limbs = vec![0u64; crate::bits::limb_count(wide)];
            *limbs.get_mut((shift / 64) as usize)? |= 1 << (shift % 64);
            Bits::from_limbs(wide, &limbs)
        };
        let quotient = eval(Op::Div, &[(kind, &numerator), (kind, &value.resize(wide))])?;
        let inverse = eval(Op::Add, &[(kind, &quotient), (kind, &Bits::new(wide, 1))])?;
        // A slice and no shift, since p4c shifts by 256 bits at most.
        let top = wide - 1;
        let divide =
            format!("(bit<{width}>)((bit<{wide}>)x * {})[{top}:{shift}]", digits(&inverse));
        let (verb, body) = match op {
            Op::Div => ("divide", divide),
            _ => ("remainder", format!("x - {divide} * {}", digits(value))),
        };
        let name = format!("{verb}_{}_by_{}", word(ty), digits(value));
        let name = file
            .function(&name, |name| format!("{ty} {name}(in {ty} x) {{\n    return {body};\n}}\n"));
        Some(Piece::whole(format!("{name}({})", of.text), Some(ty)))
    }

    /// A shift by a constant. p4c shifts by 256 bits at most; what is shifted farther is put together.
    pub(super) fn fixed_shift(&self, op: Op, of: &Piece, by: &Bits) -> Piece {
        let Some(ty) = of.ty else { return Piece::whole("?shift", None) };
        let width = ty.width();
        // By more than the width is as good as by the width.
        let by = by.to_u64().map_or(width, |by| by.min(width.into()) as u32);
        let signed = ty.is_signed() && op == Op::Shr;
        match op {
            _ if matches!(self.style, Style::Plain) || by <= 1 << AMOUNT && by < width => {
                let sign = if op == Op::Shl { "<<" } else { ">>" };
                Piece::new(format!("{} {sign} {by}", of.at_least(bind::SHIFT)), bind::SHIFT, of.ty)
            }
            Op::Shr if signed => {
                let top = slice(of, width - 1, by.min(width - 1));
                cast(&cast(&top, Type::Int(width - by.min(width - 1))), ty)
            }
            _ if by >= width => {
                cast(&Piece::whole(format!("{width}w0"), Some(Type::Bit(width))), ty)
            }
            Op::Shl => {
                let text = format!("{} ++ {by}w0", slice(of, width - 1 - by, 0).text);
                cast(&Piece::new(text, bind::SUM, Some(Type::Bit(width))), ty)
            }
            _ => cast(&slice(of, width - 1, by), ty),
        }
    }

    /// The amount of a shift, narrow enough for p4c; or the whole shift, when one narrow amount does
    /// not reach.
    pub(super) fn long_shift(&self, op: Op, of: &Piece, amount: &Expr) -> Result<Piece, Piece> {
        let by = self.piece(amount);
        let (Style::File(file, _), Some(from @ Type::Bit(width))) = (self.style, by.ty) else {
            return Ok(by);
        };
        if width <= AMOUNT {
            return Ok(by);
        }
        let Some(ty) = of.ty else { return Ok(by) };
        let most = (1 << AMOUNT) - 1;
        if ty.width() <= most {
            return Ok(self.sat_cast(&by, Type::Bit(AMOUNT), Some(amount)));
        }
        let sign = if op == Op::Shl { "<<" } else { ">>" };
        let name = format!("shift_{}_{}", if op == Op::Shl { "left" } else { "right" }, word(ty));
        let name = file.function(&format!("{name}_by_{}", word(from)), |name| {
            let mut body = "x".to_string();
            for start in (0..ty.width()).step_by(most as usize) {
                if Bits::new(width, start.into()).low_u64() != u64::from(start) {
                    break;
                }
                let rest = match start {
                    0 => Piece::whole("n", Some(from)),
                    _ => Piece::new(format!("n |-| {start}"), bind::SUM, Some(from)),
                };
                let step = saturated(&rest, from, Type::Bit(AMOUNT));
                body = format!("({body} {sign} {})", step.at_least(bind::WHOLE));
            }
            format!("{ty} {name}(in {ty} x, in {from} n) {{\n    return {body};\n}}\n")
        });
        Err(Piece::whole(format!("{name}({}, {})", of.text, by.text), Some(ty)))
    }

    /// An index as a `bit<32>`. What does not fit is out of range either way.
    pub(super) fn index(&self, index: &Expr) -> String {
        self.as_bit32(index, true)
    }

    /// A number as a `bit<32>`, cut when it is wider.
    pub(super) fn bit32(&self, value: &Expr) -> String {
        self.as_bit32(value, false)
    }

    fn as_bit32(&self, expr: &Expr, saturate: bool) -> String {
        let to = Type::Bit(32);
        let piece = self.piece(expr);
        match (expr, piece.ty) {
            (Expr::Const { ty: Type::Bit(w), value }, _) if *w <= 32 => digits(value),
            (_, Some(Type::Bit(w))) if w > 32 && saturate => {
                self.sat_cast(&piece, to, Some(expr)).text
            }
            _ => cast(&piece, to).text,
        }
    }
}

/// The largest number of a type is two to the power of this, less 1.
fn high(ty: Type) -> u32 {
    ty.width() - u32::from(ty.is_signed() && ty.width() > 0)
}

/// Whether a type has numbers that another has not.
fn clamps(from: Type, to: Type) -> bool {
    let below = from.is_signed() && (!to.is_signed() || from.width() > to.width());
    high(from) > high(to) || below
}

/// The nearest value of another type, as a conditional expression in which `of` stands three times at
/// most.
fn saturated(of: &Piece, from: Type, to: Type) -> Piece {
    let mut piece = cast(of, to);
    let x = of.at_least(bind::ORDER + 1);
    let limit = |ones: u32| digits(&Bits::ones(ones).resize(from.width()));
    let literal = |ones: u32| {
        let sign = if to.is_signed() { 's' } else { 'w' };
        format!("{}{sign}{}", to.width(), digits(&Bits::ones(ones).resize(to.width())))
    };
    if high(from) > high(to) {
        let text = format!(
            "{x} > {} ? {} : {}",
            limit(high(to)),
            literal(high(to)),
            piece.at_least(bind::MUX + 1)
        );
        piece = Piece::new(text, bind::MUX, Some(to));
    }
    if !from.is_signed() {
        return piece;
    }
    let (low, lowest) = if !to.is_signed() {
        ("0".to_string(), format!("{}w0", to.width()))
    } else if from.width() > to.width() {
        let w = to.width();
        let power = Bits::ones(w - 1).resize(w + 1);
        let kind = Type::Bit(w + 1);
        let power = eval(Op::Add, &[(kind, &power), (kind, &Bits::new(w + 1, 1))]).unwrap_or(power);
        (format!("-{}", digits(&power)), format!("(int<{w}>){w}w{}", digits(&power.resize(w))))
    } else {
        return piece;
    };
    let text = format!("{x} < {low} ? {lowest} : {}", piece.at_least(bind::MUX + 1));
    Piece::new(text, bind::MUX, Some(to))
}

/// A type as part of a name.
fn word(ty: Type) -> String {
    ty.to_string().chars().filter(|c| c.is_ascii_alphanumeric()).collect()
}
