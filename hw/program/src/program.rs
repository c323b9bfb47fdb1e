//! The program: flat lists of declarations, and the two halves.

use crate::bits::Bits;
use crate::entity::{
    Action, Counter, Digest, EntityMap, ErrorCode, FieldList, Header, HeaderType, Map, Meta, Meter,
    Profile, Register, Stack, State, Table, Union, ValueSet,
};
use crate::entry::{Entry, KeyMatch};
use crate::expr::{Expr, HeaderRef, Place};
use crate::loc::Loc;
use crate::stmt::Block;
use crate::types::Type;
use serde::{Deserialize, Serialize};

/// Version of the serde form. A reader refuses what it does not know.
pub const FORMAT: u32 = 1;

/// A match/action program of the v1model shape.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// [`FORMAT`].
    pub format: u32,
    /// A name for people and file names.
    pub name: String,
    /// Header types.
    pub header_types: EntityMap<HeaderType, HeaderTypeDecl>,
    /// Header instances, those in stacks and unions included.
    pub headers: EntityMap<Header, HeaderDecl>,
    /// Header unions.
    pub unions: EntityMap<Union, UnionDecl>,
    /// Header stacks.
    pub stacks: EntityMap<Stack, StackDecl>,
    /// Metadata: [`crate::standard::FIELDS`] first, then the program's own.
    pub metas: EntityMap<Meta, MetaDecl>,
    /// Parser errors: [`crate::standard::ERRORS`] first, then the program's own.
    pub errors: EntityMap<ErrorCode, String>,
    /// Parser value sets.
    pub value_sets: EntityMap<ValueSet, ValueSetDecl>,
    /// Parser states.
    pub states: EntityMap<State, StateDecl>,
    /// Where parsing starts; a program without states parses nothing.
    pub start: Option<State>,
    /// Checksums verified between parser and ingress, in order.
    pub verify: Vec<Checksum>,
    /// Actions.
    pub actions: EntityMap<Action, ActionDecl>,
    /// Tables.
    pub tables: EntityMap<Table, TableDecl>,
    /// Action profiles and selectors.
    pub profiles: EntityMap<Profile, ProfileDecl>,
    /// Counter arrays.
    pub counters: EntityMap<Counter, CounterDecl>,
    /// Meter arrays.
    pub meters: EntityMap<Meter, MeterDecl>,
    /// Register arrays.
    pub registers: EntityMap<Register, RegisterDecl>,
    /// Maps.
    pub maps: EntityMap<Map, MapDecl>,
    /// Lists of metadata kept by copies and loops.
    pub field_lists: EntityMap<FieldList, FieldListDecl>,
    /// Messages to the control plane.
    pub digests: EntityMap<Digest, DigestDecl>,
    /// The ingress half.
    pub ingress: Block,
    /// The egress half.
    pub egress: Block,
    /// Checksums updated between egress and deparser, in order.
    pub update: Vec<Checksum>,
    /// What is sent in front of the payload, in order.
    pub deparser: Vec<Emit>,
    /// What the builder was told and could not write down; the checker reports it.
    #[serde(skip)]
    pub faults: Vec<Fault>,
}

/// Something wrong in how a program was described.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// What would be accepted.
    pub remedy: String,
    /// Where it was said.
    pub loc: Loc,
}

/// What P4Runtime knows an object by, beside its name.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Preamble {
    /// The fully qualified control plane name.
    pub name: String,
    /// The P4Runtime id; 0 until [`crate::ids::assign`] has run.
    pub id: u32,
    /// Annotations as written, `@` included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<String>,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// A header type.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HeaderTypeDecl {
    /// Its name.
    pub name: String,
    /// Its fields in wire order.
    pub fields: Vec<FieldDecl>,
    /// Annotations as written, such as `@controller_header("packet_in")`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub annotations: Vec<String>,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

impl HeaderTypeDecl {
    /// Bits on the wire, varbits at their longest.
    pub fn max_width(&self) -> u32 {
        self.fields.iter().map(|f| f.ty.width()).fold(0, u32::saturating_add)
    }

    /// Bits on the wire without the varbit field.
    pub fn fixed_width(&self) -> u32 {
        self.fields
            .iter()
            .filter(|f| !matches!(f.ty, Type::Varbit(_)))
            .map(|f| f.ty.width())
            .fold(0, u32::saturating_add)
    }

    /// The position of its varbit field.
    pub fn varbit(&self) -> Option<u32> {
        self.fields.iter().position(|f| matches!(f.ty, Type::Varbit(_))).map(|i| i as u32)
    }

    /// The position of the field with this name.
    pub fn field(&self, name: &str) -> Option<u32> {
        self.fields.iter().position(|f| f.name == name).map(|i| i as u32)
    }
}

/// A named, typed field: of a header type, a digest, an entry of a map.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FieldDecl {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
}

/// A header instance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HeaderDecl {
    /// Its name in the headers structure: `ipv4`, `mpls[2]`, `l4.tcp`.
    pub name: String,
    /// Its type.
    pub ty: HeaderType,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// A header union.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UnionDecl {
    /// Its name in the headers structure.
    pub name: String,
    /// The name of its type.
    pub type_name: String,
    /// Its members in order; the last part of a member's name is its name in the union.
    pub members: Vec<Header>,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// A header stack.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StackDecl {
    /// Its name in the headers structure.
    pub name: String,
    /// Its elements, first to last.
    pub elements: Elements,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// The elements of a stack.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Elements {
    /// Headers of one type.
    Headers(Vec<Header>),
    /// Unions of one type.
    Unions(Vec<Union>),
}

impl Elements {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Elements::Headers(h) => h.len(),
            Elements::Unions(u) => u.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A metadata field.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MetaDecl {
    /// Its name in the metadata structure; dots for nested structures.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// A parser value set: whole select keys, filled at run time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ValueSetDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// Types of the columns.
    pub columns: Vec<FieldDecl>,
    /// Most members.
    pub size: u32,
}

/// A parser state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StateDecl {
    /// Its name.
    pub name: String,
    /// What it does.
    pub body: Block,
    /// Where it goes.
    pub next: Transition,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

impl StateDecl {
    /// The states that may follow.
    pub fn targets(&self) -> impl Iterator<Item = State> {
        let (to, cases) = match &self.next {
            Transition::To(to) => (Some(to), &[][..]),
            Transition::Select { cases, .. } => (None, cases.as_slice()),
        };
        to.into_iter().chain(cases.iter().map(|c| &c.to)).filter_map(|t| match t {
            Target::State(state) => Some(*state),
            Target::Accept | Target::Reject => None,
        })
    }
}

/// Where a parser state goes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// Always there.
    To(Target),
    /// To the first case that matches; none is the error `NoMatch`.
    Select {
        /// What is compared.
        keys: Vec<Expr>,
        /// The cases in order.
        cases: Vec<SelectCase>,
    },
}

/// Where parsing goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Parsing has ended well.
    Accept,
    /// Parsing has ended; the packet is processed all the same.
    Reject,
    /// Another state.
    State(State),
}

/// One case of a select.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SelectCase {
    /// What the keys must be.
    pub on: SelectOn,
    /// Where parsing goes on.
    pub to: Target,
}

/// What the keys of a select must be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SelectOn {
    /// Anything: `default`.
    Default,
    /// One match for every key.
    Keys(Vec<KeyMatch>),
    /// A member of a value set.
    ValueSet(ValueSet),
}

/// A checksum to be verified or updated.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Checksum {
    /// Nothing happens unless this holds.
    pub condition: Expr,
    /// What is summed.
    pub items: Vec<Item>,
    /// Where the sum stands.
    pub field: Place,
    /// How it is computed.
    pub algorithm: HashAlgorithm,
    /// Whether everything behind the extracted headers is summed too, after the items.
    pub with_payload: bool,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// A member of a list that is hashed or summed. Members are concatenated without gaps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A value; a field of an invalid header is 0 of its full width (a varbit: nothing).
    Value(Expr),
    /// A field, left out when its header is invalid, as `verify_checksum` and selectors do.
    IfValid {
        /// The header.
        header: HeaderRef,
        /// The field's position; may be a varbit.
        field: u32,
    },
    /// All fields of a header, left out when it is invalid.
    Header(HeaderRef),
}

/// A hash or checksum function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashAlgorithm {
    /// CRC-32 of Ethernet.
    Crc32,
    /// CRC-32 with parameters set at run time; those of `Crc32` until then.
    Crc32Custom,
    /// CRC-16, reflected 0x8005, start 0.
    Crc16,
    /// CRC-16 with parameters set at run time; those of `Crc16` until then.
    Crc16Custom,
    /// CRC-16 with polynomial 0x1021, start 0xffff (CCITT).
    CrcCcitt,
    /// Complement of the one's complement sum of 16-bit words.
    Csum16,
    /// Exclusive or of 16-bit words.
    Xor16,
    /// The first 64 bits as a number.
    Identity,
}

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

/// What a counter counts or a meter measures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Packets.
    Packets,
    /// Bytes of the packet as it entered.
    Bytes,
    /// Both; not for meters.
    Both,
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

/// An array of counters.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CounterDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// What they count.
    pub unit: Unit,
    /// How many.
    pub size: u32,
}

/// An array of meters (two rates, three colours, RFC 2698, colour-blind).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MeterDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// What they measure.
    pub unit: Unit,
    /// How many.
    pub size: u32,
}

/// An array of registers, 0 at the start.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RegisterDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// Type of one.
    pub ty: Type,
    /// How many.
    pub size: u32,
}

/// A set-associative map that packets fill. Its geometry is visible: a put into a bucket full of live
/// entries stores nothing.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MapDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// Fields of the key.
    pub key: Vec<FieldDecl>,
    /// Fields of an entry.
    pub values: Vec<FieldDecl>,
    /// Number of buckets, a power of two. The bucket is the CRC-32 of the key modulo this.
    pub buckets: u32,
    /// Entries in a bucket.
    pub ways: u32,
    /// An entry not used for longer than this is dead, in microseconds; 0 for never.
    pub idle_timeout_us: u64,
}

/// Metadata that a clone, resubmission or recirculation keeps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FieldListDecl {
    /// Its name.
    pub name: String,
    /// What is kept.
    pub metas: Vec<Meta>,
    /// Where it was declared.
    #[serde(skip)]
    pub loc: Loc,
}

/// A message to the control plane.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DigestDecl {
    /// Name and id.
    #[serde(flatten)]
    pub preamble: Preamble,
    /// Its fields and what they are, at the end of ingress.
    pub fields: Vec<(FieldDecl, Expr)>,
}

/// What a deparser sends. Invalid headers are left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emit {
    /// A header.
    Header(Header),
    /// The valid elements of a stack, in order.
    Stack(Stack),
    /// The valid member of a union.
    Union(Union),
}

impl Program {
    /// An empty program: standard metadata and errors, and nothing else.
    pub fn new(name: impl Into<String>) -> Self {
        Program {
            format: FORMAT,
            name: name.into(),
            header_types: EntityMap::new(),
            headers: EntityMap::new(),
            unions: EntityMap::new(),
            stacks: EntityMap::new(),
            metas: crate::standard::metas(),
            errors: crate::standard::ERRORS.iter().map(|e| e.to_string()).collect(),
            value_sets: EntityMap::new(),
            states: EntityMap::new(),
            start: None,
            verify: Vec::new(),
            actions: EntityMap::new(),
            tables: EntityMap::new(),
            profiles: EntityMap::new(),
            counters: EntityMap::new(),
            meters: EntityMap::new(),
            registers: EntityMap::new(),
            maps: EntityMap::new(),
            field_lists: EntityMap::new(),
            digests: EntityMap::new(),
            ingress: Vec::new(),
            egress: Vec::new(),
            update: Vec::new(),
            deparser: Vec::new(),
            faults: Vec::new(),
        }
    }
}
