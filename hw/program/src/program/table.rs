//! Actions, tables, and what belongs to a table.

use super::{FieldDecl, HashAlgorithm, Item, Preamble, Unit};
use crate::bits::Bits;
use crate::entity::{Action, Profile};
use crate::entry::Entry;
use crate::expr::{Expr, Place};
use crate::stmt::Block;
use serde::{Deserialize, Serialize};

/// An action.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ActionDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// Action data, from the entry or the caller.
    pub params: Vec<FieldDecl>,
    /// What it does.
    pub body: Block,
}

/// A match/action table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TableDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// What is matched.
    pub keys: Vec<Key>,
    /// What entries may do.
    pub actions: Vec<ActionRef>,
    /// What a miss does.
    pub default: ActionCall,
    /// Whether the default action is fixed.
    pub const_default: bool,
    /// Entries that come with the program; see [`Entry::priority`].
    pub entries: Vec<Entry>,
    /// Whether `entries` are all there ever are.
    pub const_entries: bool,
    /// Entries that it must be able to hold.
    pub size: u32,
    /// The profile in which its actions are, if it has one.
    pub profile: Option<Profile>,
    /// Its direct counter: every hit counts.
    pub counter: Option<DirectCounter>,
    /// Its direct meter: every hit is metered before the action runs.
    pub meter: Option<DirectMeter>,
    /// Whether entries can time out.
    pub idle_timeout: bool,
}

/// One key of a table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Key {
    /// Control plane name.
    pub name: String,
    /// What is matched.
    pub value: Expr,
    /// How.
    pub kind: MatchKind,
}

/// How a key is matched.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchKind {
    /// Equal.
    Exact,
    /// The longest prefix wins.
    Lpm,
    /// Equal where the mask is 1.
    Ternary,
    /// Between two numbers, both included.
    Range,
    /// Equal or anything.
    Optional,
}

/// An action that a table may run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ActionRef {
    /// The action.
    pub action: Action,
    /// As what.
    pub scope: ActionScope,
}

/// As what a table may run an action.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionScope {
    /// For entries and as the default.
    TableAndDefault,
    /// `@tableonly`.
    TableOnly,
    /// `@defaultonly`.
    DefaultOnly,
}

/// An action with its data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ActionCall {
    /// The action.
    pub action: Action,
    /// A value for each parameter, of the parameter's width.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Bits>,
}

/// An action profile.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ProfileDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// Most members (and weights of a selector's members).
    pub size: u32,
    /// How a member of a group is chosen, if there are groups.
    pub selector: Option<SelectorDecl>,
}

/// How a selector chooses: member `h % n` of the n members in the order of their ids.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SelectorDecl {
    /// The hash function.
    pub algorithm: HashAlgorithm,
    /// What is hashed.
    pub items: Vec<Item>,
    /// Most members in a group; 0 if unlimited.
    pub max_group_size: u32,
}

/// A direct counter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DirectCounter {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// What it counts.
    pub unit: Unit,
}

/// A direct meter.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DirectMeter {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// What it measures.
    pub unit: Unit,
    /// Gets the colour.
    pub dst: Place,
}
