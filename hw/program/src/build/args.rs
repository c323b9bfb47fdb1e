//! Arguments: one value, or a tuple of values and numbers; `[]` for none.

use super::value::{Field, FieldSlice, Operand, Param, Val};

/// What an action, a map or a header is given, in order.
pub trait Args {
    /// The arguments.
    fn args(self) -> Vec<Operand>;
}

impl<const N: usize> Args for [Operand; N] {
    fn args(self) -> Vec<Operand> {
        self.into()
    }
}

macro_rules! single {
    ($($value:ty)*) => {$(
        impl Args for $value {
            fn args(self) -> Vec<Operand> {
                vec![self.into()]
            }
        }
    )*};
}

single! { Field FieldSlice Param Val bool i32 u8 u16 u32 i64 u64 i128 }

macro_rules! tuples {
    ($first:ident $($rest:ident)*) => {
        impl<$first: Into<Operand>, $($rest: Into<Operand>),*> Args for ($first, $($rest,)*) {
            #[allow(non_snake_case)]
            fn args(self) -> Vec<Operand> {
                let ($first, $($rest,)*) = self;
                vec![$first.into(), $($rest.into()),*]
            }
        }
        tuples! { $($rest)* }
    };
    () => {};
}

// As many as IPv4 has fields.
tuples! { A B C D E F G H I J K L M }
