//! What one packet is worth to a part of the pipeline: values, and accesses to what outlives packets.
//!
//! A [`Flow`] is a list of values in single assignment form. There are no branches: what the program does
//! under a condition is computed always, and the condition chooses ([`Def::Op`] with `Mux`,
//! [`Def::Select`]) or guards ([`AccessDecl::guard`]). There is no time either: when a value is there
//! follows from the circuit that is built of it.
//!
//! *Contract* (checked by [`verify`]): an operand comes before its user, but for what an access writes,
//! which may depend on what the same access reads; types fit; a slot is read and written once at most; a
//! register, map, table, counter or meter has one access at most.
//!
//! *Invariants of slots*, kept by every flow, so that reading needs no gating:
//! * the fields of an invalid header, and its varbit's length, are 0;
//! * a varbit is as wide as its type, its first bit on the wire in the most significant place, zeros behind
//!   its end;
//! * `Shell(Run)` 0 means that every guard is false and every slot leaves as it came.
//!
//! Parser errors are numbers of [`error_width`] bits here, varbits are `bit`s; they have no other types.

mod access;
mod assume;
mod balance;
mod eval;
mod make;
mod order;
mod range;
mod show;
mod simplify;
mod slot;
mod verify;

pub use access::{
    AccessDecl, AccessKind, Cell, Draw, MapPut, MapUse, RegisterWrite, TableUse, first_param,
};
pub use balance::balance;
pub use eval::evaluate;
pub use make::Maker;
pub use order::{Cycle, order};
pub use show::Shown;
pub use slot::{Slot, slot_type};
pub use verify::{FlowFault, verify};

use restage_program::entity::{Entity, EntityMap};
use restage_program::op::Op;
use restage_program::program::{HashAlgorithm, Program};
use restage_program::{Bits, Type};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

macro_rules! entities {
    ($($(#[$doc:meta])* $name:ident $kind:literal $short:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl Entity for $name {
            const KIND: &'static str = $kind;
            fn from_index(index: usize) -> Self {
                $name(index as u32)
            }
            fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($short, "{}"), self.0)
            }
        }
    )*};
}

entities! {
    /// A value of a flow.
    Value "value" "v";
    /// An access of a flow.
    Access "access" "a";
}

/// What a part of the pipeline computes for one packet.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Flow {
    /// A name for people: `parser`, `ingress`, `egress`.
    pub name: String,
    /// Values, operands before users.
    pub values: EntityMap<Value, ValueDecl>,
    /// Accesses. The order says nothing; values order them.
    pub accesses: EntityMap<Access, AccessDecl>,
    /// What is written to slots in the end. A slot that is not here stays as it was.
    pub outputs: Vec<(Slot, Value)>,
}

/// A value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ValueDecl {
    /// `Bit`, `Int` or `Bool`; wider than 2048 bits only for varbits, which are chosen but not reckoned with.
    pub ty: Type,
    /// What it is.
    pub def: Def,
    /// What people call it, if they do.
    pub name: Option<String>,
    /// What of the program it comes from.
    pub origin: Origin,
}

/// What of the program something comes from, in words: ``action `forward` ``. Shared, since much comes from
/// one place.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Origin(Arc<str>);

impl Origin {
    /// A place in words.
    pub fn new(text: &str) -> Self {
        Origin(text.into())
    }

    /// The words.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// What a value is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Def {
    /// What a slot holds when the packet enters.
    Slot(Slot),
    /// A constant, of the type's width.
    Const(Bits),
    /// An operation, as `restage_program::eval` defines it.
    Op(Op, Vec<Value>),
    /// The value whose condition holds, or the default if none does. At most one condition holds: that is
    /// a promise, so an and-or will do.
    Select {
        /// Conditions (`bool`) and values of this value's type.
        arms: Vec<(Value, Value)>,
        /// If no condition holds.
        default: Value,
    },
    /// What an access gives; the ports of each kind are listed at [`AccessKind`].
    Out(Access, u32),
    /// A hash, unsigned, of [`hash_width`] bits.
    Hash(HashUse),
    /// Parsers only: bits of the header window.
    Window(Window),
    /// Parsers only: the sum of the first `length` bytes of the window as a `bit<32>`: 16-bit words in
    /// network order, an odd last byte being the upper half of its word. No carry is folded.
    WindowSum {
        /// Bytes, any `bit`.
        length: Value,
    },
}

/// What is hashed: items concatenated without gaps; zeros are added behind to whole bytes (for a CRC) or
/// 16-bit words (for a sum).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct HashUse {
    /// The function.
    pub algorithm: HashAlgorithm,
    /// Its input.
    pub items: Vec<HashItem>,
    /// For `Csum16` only: a sum of 16-bit words, a `bit<16>` with the carries folded in, of more bytes that
    /// come behind the items; 0 only when all of them are 0. Items have whole bytes then; after an odd
    /// number of them its bytes are swapped.
    pub behind: Option<Value>,
}

/// A member of what is hashed.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct HashItem {
    /// Its bits.
    pub value: Value,
    /// Whether it is there, a `bool`; always if `None`.
    pub present: Option<Value>,
    /// For a varbit: how many bytes of it are there (from the most significant end), any `bit`.
    pub bytes: Option<Value>,
}

/// A range of bits of the header window; bit 0 is the first bit on the wire. The first bit becomes the most
/// significant one. What is behind the window or the packet is 0.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Window {
    /// The first bit, counted from `at` or from the window's beginning.
    pub skip: u32,
    /// Where to count from, when that is only known for each packet.
    pub at: Option<WindowAt>,
}

/// A position in the window that is computed.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct WindowAt {
    /// The position in bytes, any `bit`.
    pub position: Value,
    /// All values that it can have where it matters, ascending. Elsewhere the result is free.
    pub candidates: Vec<u32>,
}

/// Bits of a hash; a custom CRC of 16 bits has 32 too.
pub fn hash_width(algorithm: HashAlgorithm) -> u32 {
    match algorithm {
        HashAlgorithm::Crc32 | HashAlgorithm::Custom(_) => 32,
        HashAlgorithm::Crc16
        | HashAlgorithm::CrcCcitt
        | HashAlgorithm::Csum16
        | HashAlgorithm::Xor16 => 16,
        HashAlgorithm::Identity => 64,
    }
}

/// Bits that number `count` things, 1 at least.
pub fn bits_for(count: usize) -> u32 {
    usize::BITS - count.saturating_sub(1).max(1).leading_zeros()
}

/// Bits of a parser error.
pub fn error_width(program: &Program) -> u32 {
    bits_for(program.errors.len())
}

/// The type that a program's type has in a flow.
pub fn flow_type(program: &Program, ty: Type) -> Type {
    match ty {
        Type::Varbit(width) => Type::Bit(width),
        Type::Error => Type::Bit(error_width(program)),
        other => other,
    }
}

impl Flow {
    /// The type of a value.
    pub fn ty(&self, value: Value) -> Type {
        self.values[value].ty
    }

    /// The slots that it reads.
    pub fn inputs(&self) -> impl Iterator<Item = (Slot, Value)> + '_ {
        self.values.iter().filter_map(|(value, decl)| match decl.def {
            Def::Slot(slot) => Some((slot, value)),
            _ => None,
        })
    }
}

impl Def {
    /// Calls `f` on every value that this one is computed from at once; for [`Def::Out`] there is none, see
    /// [`AccessKind::issue`].
    pub fn operands(&self, f: &mut impl FnMut(Value)) {
        match self {
            Def::Slot(_) | Def::Const(_) | Def::Out(..) => {}
            Def::Op(_, args) => args.iter().copied().for_each(f),
            Def::Select { arms, default } => {
                arms.iter().for_each(|(condition, value)| {
                    f(*condition);
                    f(*value);
                });
                f(*default);
            }
            Def::Hash(hash) => {
                for item in &hash.items {
                    f(item.value);
                    item.present.into_iter().chain(item.bytes).for_each(&mut *f);
                }
                hash.behind.into_iter().for_each(f);
            }
            Def::Window(window) => window.at.iter().for_each(|at| f(at.position)),
            Def::WindowSum { length } => f(*length),
        }
    }

    /// Replaces every operand.
    pub fn map_operands(&mut self, f: &mut impl FnMut(Value) -> Value) {
        match self {
            Def::Slot(_) | Def::Const(_) | Def::Out(..) => {}
            Def::Op(_, args) => args.iter_mut().for_each(|a| *a = f(*a)),
            Def::Select { arms, default } => {
                for (condition, value) in arms {
                    *condition = f(*condition);
                    *value = f(*value);
                }
                *default = f(*default);
            }
            Def::Hash(hash) => {
                for item in &mut hash.items {
                    item.value = f(item.value);
                    item.present = item.present.map(&mut *f);
                    item.bytes = item.bytes.map(&mut *f);
                }
                hash.behind = hash.behind.map(f);
            }
            Def::Window(window) => window.at.iter_mut().for_each(|at| at.position = f(at.position)),
            Def::WindowSum { length } => *length = f(*length),
        }
    }
}

#[cfg(test)]
mod tests;
