//! Statements: what parser states, actions and the two halves do.
//!
//! There is one kind of statement for all of them; [`StmtKind`] says where each may stand, and the
//! checker enforces it.

use crate::entity::{
    Action, Counter, Digest, ErrorCode, FieldList, Map, Meter, Register, Stack, Table,
};
use crate::expr::{Expr, HeaderRef, Place};
use crate::loc::Loc;
use crate::program::{HashAlgorithm, Item};
use serde::{Deserialize, Serialize};

/// Statements in order.
pub type Block = Vec<Stmt>;

/// A statement and where it was said.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "StmtKind", into = "StmtKind")]
pub struct Stmt {
    /// What it does.
    pub kind: StmtKind,
    /// Where the description says so.
    pub loc: Loc,
}

impl From<StmtKind> for Stmt {
    fn from(kind: StmtKind) -> Self {
        Stmt { kind, loc: Loc::default() }
    }
}

impl From<Stmt> for StmtKind {
    fn from(stmt: Stmt) -> Self {
        stmt.kind
    }
}

/// What a statement does. *Anywhere* means parser states, actions and both halves.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StmtKind {
    /// `dst = src`. Anywhere.
    Assign {
        /// What is written.
        dst: Place,
        /// Its new value, of the same type.
        src: Expr,
    },
    /// `dst = src` for headers of one type: all fields and the validity. Anywhere.
    CopyHeader {
        /// What is written.
        dst: HeaderRef,
        /// What is copied.
        src: HeaderRef,
    },
    /// `dst = src` for stacks of one type and size: all elements and the next index. Anywhere.
    CopyStack {
        /// What is written.
        dst: Stack,
        /// What is copied.
        src: Stack,
    },
    /// `header.setValid()`: an invalid header gets fields of 0, a valid one stays as it is; the other
    /// members of its union become invalid. Anywhere.
    SetValid(HeaderRef),
    /// `header.setInvalid()`. Anywhere.
    SetInvalid(HeaderRef),
    /// `stack.push_front(count)`: elements move up, the last ones are lost, the first are invalid. Anywhere.
    PushFront {
        /// The stack.
        stack: Stack,
        /// By how many.
        count: u32,
    },
    /// `stack.pop_front(count)`: elements move down, the last ones become invalid. Anywhere.
    PopFront {
        /// The stack.
        stack: Stack,
        /// By how many.
        count: u32,
    },

    /// `packet.extract(header)`. Parser states only.
    Extract(HeaderRef),
    /// `packet.extract(header, bits)`: `bits` is the length of the header's one varbit field. Parser
    /// states only.
    ExtractVar {
        /// The header.
        header: HeaderRef,
        /// Bits of the varbit field, a `bit<32>`; a multiple of 8.
        bits: Expr,
    },
    /// `packet.advance(bits)`, a `bit<32>`, a multiple of 8. Parser states only.
    Advance(Expr),
    /// `verify(condition, error)`. Parser states only.
    Verify {
        /// What must hold.
        condition: Expr,
        /// The error otherwise.
        error: ErrorCode,
    },

    /// `if`. Actions and halves.
    If {
        /// The condition, a `bool`.
        condition: Expr,
        /// When it holds.
        then: Block,
        /// When not.
        otherwise: Block,
    },
    /// `table.apply()`. Halves only.
    Apply {
        /// The table.
        table: Table,
        /// What follows, depending on what happened.
        then: AfterApply,
    },
    /// A direct call of an action. Halves only.
    Call {
        /// The action.
        action: Action,
        /// Its arguments, evaluated before.
        args: Vec<Expr>,
    },
    /// Ends the half. Actions and halves.
    Exit,

    /// `mark_to_drop`: `egress_spec` becomes 511 and `mcast_grp` 0. Actions and halves.
    MarkToDrop,
    /// `counter.count(index)`. Actions and halves.
    Count {
        /// The counters.
        counter: Counter,
        /// Which one; out of range nothing happens.
        index: Expr,
    },
    /// `meter.execute_meter(index, dst)`. Actions and halves.
    ExecuteMeter {
        /// The meters.
        meter: Meter,
        /// Which one; out of range `dst` is green.
        index: Expr,
        /// Gets 0 green, 1 yellow, 2 red.
        dst: Place,
    },
    /// `register.read(dst, index)`. Anywhere.
    ReadRegister {
        /// The registers.
        register: Register,
        /// Which one; out of range `dst` becomes 0.
        index: Expr,
        /// Gets the content.
        dst: Place,
    },
    /// `register.write(index, value)`. Anywhere.
    WriteRegister {
        /// The registers.
        register: Register,
        /// Which one; out of range nothing happens.
        index: Expr,
        /// The new content.
        value: Expr,
    },
    /// Looks a key up in a map. Actions and halves.
    MapLookup {
        /// The map.
        map: Map,
        /// The key's fields.
        key: Vec<Expr>,
        /// Gets whether a live entry was found, a `bool`.
        found: Place,
        /// Get the entry's values, 0 when there is none.
        values: Vec<Place>,
        /// Whether finding it counts as use and restarts the entry's time-out.
        touch: bool,
    },
    /// Writes the entry of a key, making it if there is room in its bucket. Actions and halves.
    MapPut {
        /// The map.
        map: Map,
        /// The key's fields.
        key: Vec<Expr>,
        /// The entry's values.
        values: Vec<Expr>,
        /// Gets whether it was stored (not when the bucket is full of other live entries), a `bool`.
        stored: Option<Place>,
    },
    /// Removes the entry of a key, if there is one. Actions and halves.
    MapRemove {
        /// The map.
        map: Map,
        /// The key's fields.
        key: Vec<Expr>,
    },
    /// `hash(dst, algorithm, base, items, max)`: `dst = base + h % max`, `base` when `max` is 0. Actions
    /// and halves.
    Hash {
        /// Gets the result, cut to its width.
        dst: Place,
        /// The hash function.
        algorithm: HashAlgorithm,
        /// The smallest result.
        base: Expr,
        /// What is hashed.
        items: Vec<Item>,
        /// Number of possible results.
        max: Expr,
    },
    /// `random(dst, low, high)`, both ends included. Each statement has a generator of its own, see
    /// [`crate::random`]. Actions and halves.
    Random {
        /// Gets the number.
        dst: Place,
        /// The smallest.
        low: Expr,
        /// The largest.
        high: Expr,
    },
    /// `digest`: a message is sent at the end of ingress, with the values of that time. The last one
    /// wins. Actions and ingress.
    Digest(Digest),
    /// `clone_preserving_field_list(I2E)`: a copy of the packet as it arrived goes to the ports of a
    /// session, with the listed metadata as it is at the end of ingress. The last one wins. Actions and
    /// ingress.
    CloneIngress {
        /// The session, a number.
        session: Expr,
        /// The metadata kept.
        keep: Option<FieldList>,
    },
    /// `clone_preserving_field_list(E2E)`: a copy as the packet is at the end of egress goes through
    /// egress again. The last one wins. Actions and egress.
    CloneEgress {
        /// The session, a number.
        session: Expr,
        /// The metadata kept.
        keep: Option<FieldList>,
    },
    /// `resubmit_preserving_field_list`: after ingress the packet as it arrived enters again. Actions and
    /// ingress.
    Resubmit {
        /// The metadata kept.
        keep: Option<FieldList>,
    },
    /// `recirculate_preserving_field_list`: after the deparser the packet enters again. Actions and egress.
    Recirculate {
        /// The metadata kept.
        keep: Option<FieldList>,
    },
    /// `truncate(bytes)`: what is sent has at most so many bytes; of several the smallest counts. Actions
    /// and halves.
    Truncate {
        /// The length, a `bit<32>`.
        bytes: Expr,
    },
}

/// What follows `table.apply()`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterApply {
    /// Nothing in particular.
    #[default]
    Nothing,
    /// `if (table.apply().hit) ... else ...`
    Hit {
        /// When an entry matched.
        hit: Block,
        /// When the default action ran.
        miss: Block,
    },
    /// `switch (table.apply().action_run)`.
    Switch {
        /// Actions and what follows them.
        cases: Vec<SwitchCase>,
        /// What follows all others.
        default: Block,
    },
}

/// One case of a switch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SwitchCase {
    /// The actions.
    pub actions: Vec<Action>,
    /// What follows them.
    pub body: Block,
}
