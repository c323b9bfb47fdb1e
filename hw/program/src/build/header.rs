//! Header types as Rust structures, so that `ip.ttl` is a field and a misspelt one does not compile.

use super::value::{Field, Href, Val};
use crate::entity::{Header, Stack};
use crate::expr::Expr;
use crate::program::{Emit, FieldDecl, Item};
use crate::types::Type;
use std::marker::PhantomData;

/// A header type, made by [`header!`](crate::header!): the value is an instance, its members are the fields.
pub trait HeaderView: Copy {
    /// The type's name in Rust.
    const NAME: &'static str;
    /// Its fields in wire order.
    fn fields() -> Vec<FieldDecl>;
    /// The instance that a reference stands for.
    fn view(header: Href) -> Self;
    /// The reference.
    fn href(self) -> Href;

    /// `header.isValid()`
    fn valid(self) -> Val {
        Val::new(Expr::Valid(self.href().into()), Type::Bool)
    }

    /// All fields but these, as a list to be hashed or summed.
    fn except<const N: usize>(self, without: [Field; N]) -> Vec<Item> {
        let skip: Vec<Option<u32>> = without.iter().map(|f| f.position()).collect();
        (0..Self::fields().len() as u32)
            .filter(|i| !skip.contains(&Some(*i)))
            .map(|field| Item::IfValid { header: self.href().into(), field })
            .collect()
    }
}

impl<H: HeaderView> From<H> for Item {
    fn from(header: H) -> Item {
        Item::Header(header.href().into())
    }
}

/// A stack of headers of one type.
#[derive(Clone, Copy, Debug)]
pub struct StackView<H> {
    pub(super) stack: Stack,
    pub(super) first: Header,
    pub(super) size: u32,
    pub(super) kind: PhantomData<H>,
}

impl<H: HeaderView> StackView<H> {
    /// `stack.next`; in parser states.
    pub fn next(self) -> H {
        H::view(Href::Next(self.stack, 0))
    }

    /// `stack.last`
    pub fn last(self) -> H {
        H::view(Href::Last(self.stack, 0))
    }

    /// `stack[index]`; an index beyond the stack names a header that does not exist, which the checker reports.
    pub fn get(self, index: u32) -> H {
        let beyond = if index < self.size { self.first.0 + index } else { u32::MAX };
        H::view(Href::One(Header(beyond)))
    }

    /// `stack[index]` with the index in a metadata field.
    pub fn at(self, index: Field) -> H {
        match index.as_meta() {
            Some(meta) => H::view(Href::At(self.stack, meta, 0)),
            None => H::view(Href::One(Header(u32::MAX))),
        }
    }

    /// `stack.lastIndex`
    pub fn last_index(self) -> Val {
        Val::new(Expr::LastIndex(self.stack), Type::Bit(32))
    }

    /// Number of elements.
    pub fn size(self) -> u32 {
        self.size
    }

    /// The stack itself.
    pub fn stack(self) -> Stack {
        self.stack
    }
}

/// A group of metadata fields, made by [`metadata!`](crate::metadata!).
pub trait MetadataView: Copy {
    /// Names and types.
    fn fields() -> Vec<FieldDecl>;
    /// The fields, once they are declared.
    fn view(fields: &mut dyn FnMut() -> Field) -> Self;
}

/// What a deparser can be told to emit.
pub trait Emittable {
    /// The order to emit it.
    fn emit(self) -> Emit;
}

impl<H: HeaderView> Emittable for H {
    fn emit(self) -> Emit {
        match self.href() {
            Href::One(header) => Emit::Header(header),
            // Only fixed instances can be emitted; the checker reports this one as missing.
            _ => Emit::Header(Header(u32::MAX)),
        }
    }
}

impl<H> Emittable for StackView<H> {
    fn emit(self) -> Emit {
        Emit::Stack(self.stack)
    }
}

impl Emittable for crate::entity::Union {
    fn emit(self) -> Emit {
        Emit::Union(self)
    }
}

/// Turns a name as Rust writes types into one as P4 writes them: `Ipv4` into `ipv4_t`.
pub(super) fn p4_type_name(name: &str) -> String {
    let mut out = String::new();
    for (i, c) in name.chars().enumerate() {
        if c.is_uppercase() && i > 0 {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out + "_t"
}

/// Declares a header type.
///
/// ```
/// restage_program::header! {
///     /// A UDP header.
///     pub struct Udp { sport: bit<16>, dport: bit<16>, length: bit<16>, csum: bit<16> }
/// }
/// ```
#[macro_export]
macro_rules! header {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$fmeta:meta])* $field:ident : $kind:ident < $width:literal >),* $(,)?
    })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $vis struct $name {
            restage_header: $crate::build::Href,
            $($(#[$fmeta])* pub $field: $crate::build::Field),*
        }

        impl $crate::build::HeaderView for $name {
            const NAME: &'static str = stringify!($name);
            fn fields() -> Vec<$crate::program::FieldDecl> {
                vec![$($crate::build::field_decl(stringify!($field), $crate::types::$kind($width))),*]
            }
            fn view(header: $crate::build::Href) -> Self {
                let mut position = 0..;
                let mut next = |ty| {
                    $crate::build::Field::of(header, position.next().unwrap_or_default(), ty)
                };
                $name { restage_header: header, $($field: next($crate::types::$kind($width))),* }
            }
            fn href(self) -> $crate::build::Href {
                self.restage_header
            }
        }
    )*};
}

/// Declares a group of metadata fields.
///
/// ```
/// restage_program::metadata! {
///     struct Meta { nhop: bit<16>, mine: bool }
/// }
/// ```
#[macro_export]
macro_rules! metadata {
    ($(#[$meta:meta])* $vis:vis struct $name:ident {
        $($(#[$fmeta:meta])* $field:ident : $kind:ident $(< $width:literal >)?),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $vis struct $name {
            $($(#[$fmeta])* pub $field: $crate::build::Field),*
        }

        impl $crate::build::MetadataView for $name {
            fn fields() -> Vec<$crate::program::FieldDecl> {
                vec![$($crate::build::field_decl(
                    stringify!($field),
                    $crate::metadata!(@type $kind $($width)?),
                )),*]
            }
            fn view(fields: &mut dyn FnMut() -> $crate::build::Field) -> Self {
                $name { $($field: fields()),* }
            }
        }
    };
    (@type bool) => { $crate::types::Type::Bool };
    (@type error) => { $crate::types::Type::Error };
    (@type $kind:ident $width:literal) => { $crate::types::$kind($width) };
}

/// A list to be hashed or summed: `list![ip.src, tcp.sport, bits(8, 0)]`.
#[macro_export]
macro_rules! list {
    ($($item:expr),* $(,)?) => { vec![$($crate::program::Item::from($item)),*] };
}
