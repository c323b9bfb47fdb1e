//! Typed indices and the maps they index.
//!
//! A program is a set of flat tables of declarations that name each other by index. Every kind of
//! declaration has an index type of its own, so a table can never be looked up with an action's index.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// An index type: a number with a kind.
pub trait Entity: Copy + Eq + fmt::Debug {
    /// What a reader calls it: `table`, `action`, ...
    const KIND: &'static str;
    /// The entity with this position.
    fn from_index(index: usize) -> Self;
    /// Its position in the map.
    fn index(self) -> usize;
}

macro_rules! entities {
    ($($(#[$doc:meta])* $name:ident $kind:literal;)*) => {$(
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
                write!(f, "{}{}", $kind, self.0)
            }
        }
    )*};
}

entities! {
    /// A header type: named fields in wire order.
    HeaderType "header type";
    /// A header instance. Elements of stacks and members of unions are instances too.
    Header "header";
    /// A header union: at most one of its member headers is valid.
    Union "union";
    /// A stack of headers or of unions.
    Stack "stack";
    /// A metadata field: standard metadata first, then the program's own.
    Meta "metadata";
    /// A parser error code.
    ErrorCode "error";
    /// A parser value set, filled at run time.
    ValueSet "value set";
    /// A parser state.
    State "state";
    /// An action.
    Action "action";
    /// A match/action table.
    Table "table";
    /// An action profile, with or without a selector.
    Profile "action profile";
    /// An array of counters indexed by the program.
    Counter "counter";
    /// An array of meters indexed by the program.
    Meter "meter";
    /// An array of registers.
    Register "register";
    /// A set-associative map that packets fill.
    Map "map";
    /// A list of metadata that a clone, resubmission or recirculation keeps.
    FieldList "field list";
    /// A message to the control plane.
    Digest "digest";
    /// A CRC whose parameters are set at run time.
    Crc "custom CRC";
}

/// A vector indexed by one kind of entity.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntityMap<K, V> {
    items: Vec<V>,
    #[serde(skip)]
    kind: PhantomData<fn(K) -> K>,
}

impl<K: Entity, V> EntityMap<K, V> {
    /// An empty map.
    pub fn new() -> Self {
        EntityMap { items: Vec::new(), kind: PhantomData }
    }

    /// Adds a declaration and returns its index.
    pub fn push(&mut self, value: V) -> K {
        self.items.push(value);
        K::from_index(self.items.len() - 1)
    }

    /// The declaration, unless the index is out of range (only unchecked programs have such indices).
    pub fn get(&self, key: K) -> Option<&V> {
        self.items.get(key.index())
    }

    /// As [`get`](Self::get), to be changed.
    pub fn get_mut(&mut self, key: K) -> Option<&mut V> {
        self.items.get_mut(key.index())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether the index is one of this map's.
    pub fn contains(&self, key: K) -> bool {
        key.index() < self.items.len()
    }

    /// All of them in order, with their indices.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> + ExactSizeIterator {
        self.items.iter().enumerate().map(|(i, v)| (K::from_index(i), v))
    }

    /// As [`iter`](Self::iter), to be changed.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (K, &mut V)> {
        self.items.iter_mut().enumerate().map(|(i, v)| (K::from_index(i), v))
    }

    /// The indices alone.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = K> + ExactSizeIterator + use<K, V> {
        (0..self.items.len()).map(K::from_index)
    }

    /// The declarations alone.
    pub fn values(&self) -> std::slice::Iter<'_, V> {
        self.items.iter()
    }

    /// The declarations alone, to be changed.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, V> {
        self.items.iter_mut()
    }
}

impl<K: Entity, V> Default for EntityMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Entity, V> FromIterator<V> for EntityMap<K, V> {
    fn from_iter<I: IntoIterator<Item = V>>(items: I) -> Self {
        EntityMap { items: items.into_iter().collect(), kind: PhantomData }
    }
}

impl<K: Entity, V: fmt::Debug> fmt::Debug for EntityMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Panics when the index is out of range, like a slice. A checked program has no such index.
impl<K: Entity, V> Index<K> for EntityMap<K, V> {
    type Output = V;
    fn index(&self, key: K) -> &V {
        &self.items[key.index()]
    }
}

impl<K: Entity, V> IndexMut<K> for EntityMap<K, V> {
    fn index_mut(&mut self, key: K) -> &mut V {
        &mut self.items[key.index()]
    }
}
