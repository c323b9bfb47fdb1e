//! Constants as text: numbers, truth values, errors.

use super::expr::{Exprs, Piece, Style, bind};
use crate::bits::Bits;
use crate::entity::{Entity, ErrorCode};
use crate::op::Op;
use crate::types::Type;

impl Exprs<'_> {
    /// A constant; a bare one has the type that its place gives it.
    pub(super) fn constant(&self, ty: Type, value: &Bits, bare: bool) -> Piece {
        let (text, bind) = match ty {
            Type::Bool => ((if value.is_zero() { "false" } else { "true" }).into(), bind::WHOLE),
            Type::Error => (self.error(ErrorCode(value.low_u64() as u32)), bind::WHOLE),
            Type::Varbit(_) | Type::Bit(_) if bare => (digits(value), bind::WHOLE),
            Type::Varbit(w) | Type::Bit(w) => (format!("{w}w{}", digits(value)), bind::WHOLE),
            Type::Int(w) => signed(w, value, bare),
        };
        Piece::new(text, bind, Some(ty))
    }

    /// A parser error.
    pub fn error(&self, code: ErrorCode) -> String {
        let name = match self.style {
            Style::Plain => self.program.errors.get(code),
            Style::File(file, _) => file.names.errors.get(code.index()),
        };
        match name {
            Some(name) => format!("error.{name}"),
            None => format!("?error{}", code.0),
        }
    }
}

/// A number: decimal when it is small, narrow or round, as ports and lengths are; else hexadecimal.
pub(super) fn digits(value: &Bits) -> String {
    match value.to_u64() {
        Some(n) if n < 256 || value.width() <= 12 => n.to_string(),
        Some(n) if n < 1_000_000 && n.is_multiple_of(100) => n.to_string(),
        _ => {
            let digits =
                if value.width().is_multiple_of(4) { value.width() as usize / 4 } else { 0 };
            format!("0x{:0>digits$}", format!("{value:x}"))
        }
    }
}

/// A two's complement number. The smallest one has no literal.
fn signed(width: u32, value: &Bits, bare: bool) -> (String, u8) {
    if width == 0 || !value.bit(width - 1) {
        let text = digits(value);
        return (if bare { text } else { format!("{width}s{text}") }, bind::WHOLE);
    }
    let magnitude = crate::eval::eval(Op::Neg, &[(Type::Int(width), value)]);
    match magnitude {
        Some(m) if !m.bit(width - 1) => {
            let text = digits(&m);
            (if bare { format!("-{text}") } else { format!("-{width}s{text}") }, bind::PREFIX)
        }
        _ => (format!("(int<{width}>){width}w{}", digits(value)), bind::PREFIX),
    }
}
