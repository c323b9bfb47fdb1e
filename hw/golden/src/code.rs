//! The flat form of a program: instructions on slots, executed by one loop.
//!
//! Operations of the narrow kind that programs mostly consist of have instructions of their own, which
//! only means that the compiler can fold `eval_word` for them. Everything rarer is an [`Effect`].

use crate::checksum::List;
use crate::layout::{Slot, Val};
use crate::matching::Test;
use crate::wire::HeaderPlan;
use restage_program::Type;
use restage_program::op::Op;
use restage_program::program::{HashAlgorithm, Unit};

/// Position of an instruction.
pub(crate) type Pc = u32;

/// Operations of two unsigned operands of one width of at most 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Alu {
    Add,
    Sub,
    And,
    Or,
    Xor,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

/// One instruction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Instr {
    Jump(Pc),
    IfZero(Slot, Pc),
    IfNotZero(Slot, Pc),
    IfEq(Slot, Slot, Pc),
    IfNe(Slot, Slot, Pc),
    Move {
        dst: Slot,
        src: Slot,
    },
    MoveMany {
        dst: Slot,
        src: Slot,
        count: u16,
    },
    Alu {
        op: Alu,
        width: u8,
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    /// A slice of an operand of at most 64 bits.
    Slice {
        hi: u8,
        lo: u8,
        dst: Slot,
        a: Slot,
    },
    /// An unsigned cast within 64 bits.
    Cast {
        width: u8,
        dst: Slot,
        a: Slot,
    },
    Concat {
        low: u8,
        dst: Slot,
        a: Slot,
        b: Slot,
    },
    /// Any operation: an index into [`Code::evals`].
    Eval(u32),
    /// Replaces some bits of a slot.
    Put {
        lo: u8,
        width: u8,
        dst: Slot,
        src: Slot,
    },
    /// Runs the action of the last lookup.
    Run,
    /// Runs the code of an action whose parameters are set.
    Call(u32),
    Return,
    /// Ends the segment.
    End,
    /// Looks up in a table: an index into [`Code::lookups`].
    Lookup(u32),
    IfMiss(Pc),
    /// Jumps by the action that the last lookup ran: an index into [`Code::switches`].
    Switch(u32),
    /// A parser state begins.
    Enter(u32),
    /// Extracts a fixed header.
    Extract(u32),
    /// An index into [`Code::selects`].
    Select(u32),
    /// An index into [`Code::effects`].
    Do(u32),
}

/// An operation on values of any width.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eval {
    pub op: Op,
    pub types: [Type; 2],
    pub dst: Val,
    pub args: [Val; 3],
    pub words: Words,
}

/// The smallest word that holds operands and result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Words {
    One,
    Two,
    Many,
}

/// A header: one, or the one whose base is in a slot.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    Fixed(u32),
    Found(Slot),
}

/// Which element of a stack is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Which {
    Next,
    Last,
    Index(Val),
}

/// What is rarer than an instruction.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    /// Finds an element's header; `strict` makes being out of range a parser error.
    Find {
        dst: Slot,
        bases: Vec<Slot>,
        next: Slot,
        which: Which,
        strict: bool,
    },
    /// Loads from a header that was found.
    Load {
        base: Slot,
        offset: u32,
        dst: Val,
    },
    /// Stores to a header that was found, if it is valid.
    Store {
        base: Slot,
        offset: u32,
        src: Val,
    },
    /// Skips unless the header that was found is valid.
    IfInvalid {
        base: Slot,
        to: Pc,
    },
    LastIndex {
        dst: Slot,
        next: Slot,
    },
    /// Replaces some bits of a value of any width.
    Put {
        dst: Val,
        lo: u32,
        src: Val,
    },
    SetValid(At),
    SetInvalid(At),
    Copy {
        dst: At,
        src: At,
    },
    CopyStack {
        pairs: Vec<(u32, u32)>,
        dst: Slot,
        src: Slot,
    },
    /// Moves elements up (`by > 0`) or down; `elements` are the headers of each.
    Shift {
        elements: Vec<Vec<u32>>,
        next: Slot,
        by: i64,
    },

    Extract {
        at: At,
        next: Option<Slot>,
        bits: Option<Val>,
    },
    Advance(Val),
    Lookahead {
        dst: Val,
        skip: u32,
    },
    Verify {
        condition: Slot,
        error: u32,
    },
    /// Ends parsing without an error.
    Reject,

    MarkToDrop,
    Count {
        counter: u32,
        index: Val,
    },
    Meter {
        meter: u32,
        index: Val,
        dst: Slot,
    },
    ReadRegister {
        register: u32,
        index: Val,
        dst: Val,
    },
    WriteRegister {
        register: u32,
        index: Val,
        value: Val,
    },
    MapLookup {
        map: u32,
        key: Vec<Val>,
        found: Slot,
        values: Vec<Val>,
        touch: bool,
    },
    MapPut {
        map: u32,
        key: Vec<Val>,
        values: Vec<Val>,
        stored: Slot,
    },
    MapRemove {
        map: u32,
        key: Vec<Val>,
    },
    Hash {
        dst: Val,
        algorithm: HashAlgorithm,
        base: Val,
        items: List,
        max: Val,
    },
    Sum {
        dst: Val,
        algorithm: HashAlgorithm,
        items: List,
        with_payload: bool,
    },
    /// Compares a sum (a full 64-bit number) with a field.
    Verified {
        index: usize,
        sum: Val,
        field: Val,
    },
    Random {
        /// Of which statement.
        site: u32,
        dst: Val,
        low: Val,
        high: Val,
    },
    Digest(u32),
    CloneIngress {
        session: Val,
        keep: Option<u32>,
    },
    CloneEgress {
        session: Val,
        keep: Option<u32>,
    },
    Resubmit(Option<u32>),
    Recirculate(Option<u32>),
    Truncate(Val),
}

/// A select.
#[derive(Clone, Debug)]
pub(crate) struct Select {
    pub keys: Vec<Val>,
    pub cases: Cases,
}

/// The cases of a select, fastest form first.
#[derive(Clone, Debug)]
pub(crate) enum Cases {
    /// One narrow key, exact cases in ascending order, and what follows otherwise.
    Sorted(Vec<(u64, Pc)>, Option<Pc>),
    /// One narrow key under masks, in order: mask, value, where to.
    Masked(Vec<(u64, u64, Pc)>),
    /// Anything.
    Any(Vec<(CaseOn, Pc)>),
}

/// What a case of the general form matches.
#[derive(Clone, Debug)]
pub(crate) enum CaseOn {
    Keys(Vec<Test>),
    ValueSet(u32),
}

/// What the loop needs to know of an action.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ActionPlan {
    pub start: Pc,
    /// Where its parameters stand, one behind the other.
    pub params: Slot,
    pub params_len: u32,
}

/// What the loop needs to know where a table is applied.
#[derive(Clone, Debug)]
pub(crate) struct LookupPlan {
    pub table: u32,
    pub keys: Vec<Val>,
    pub profile: Option<u32>,
    /// What the group members are chosen by.
    pub selector: Option<(HashAlgorithm, List)>,
    pub counts: bool,
    /// Unit of its direct meter and where the colour goes.
    pub meter: Option<(Unit, Slot)>,
}

/// Code that ends in [`Instr::End`], and the values it leaves behind.
#[derive(Clone, Debug)]
pub(crate) struct DigestPlan {
    pub start: Pc,
    pub values: Vec<Val>,
}

/// A compiled program.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub instrs: Vec<Instr>,
    pub evals: Vec<Eval>,
    pub effects: Vec<Effect>,
    pub selects: Vec<Select>,
    /// For each switch a place per action of the program.
    pub switches: Vec<Vec<Pc>>,
    pub headers: Vec<HeaderPlan>,
    /// See [`crate::layout::by_base`].
    pub by_base: Vec<u32>,
    pub actions: Vec<ActionPlan>,
    pub lookups: Vec<LookupPlan>,
    pub digests: Vec<DigestPlan>,
    /// For each field list the ranges of slots that it keeps.
    pub keeps: Vec<Vec<(Slot, u32)>>,
    pub emits: Vec<u32>,
    pub parser: Option<Pc>,
    pub verify: Pc,
    pub ingress: Pc,
    pub egress: Pc,
    pub update: Pc,
    /// Slots in all.
    pub slots: u32,
    /// What stands in them from the beginning.
    pub constants: Vec<(Slot, u64)>,
}
