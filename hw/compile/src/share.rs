//! Lets headers that are never valid together share PHV bits.
//!
//! ```text
//! before: ipv4.dst at 200..232, ipv6.dst at 232..360, of which one is always 0
//! after:  shared0 at 200..360;  ipv6.dst = ipv6.valid ? shared0[127:0] : 0   ipv4.dst = ipv4.valid ? ...
//! ```
//!
//! Members of a union exclude each other, and so do headers that only the parser makes valid, on different
//! ways. Sharing costs a gate where a field is read and a choice where one is written, so it is for programs
//! that do not fit otherwise.

use crate::flow::{Def, Flow, Maker, Slot, Value, order, slot_type};
use crate::lower::{Lowered, walk};
use restage_manifest::PhvBits;
use restage_program::entity::{Entity, Header};
use restage_program::expr::HeaderRef;
use restage_program::op::Op;
use restage_program::program::Program;
use restage_program::stmt::StmtKind;
use restage_program::types::{MAX_WIDTH, bit};
use std::collections::{BTreeMap, BTreeSet};

/// Which slots lie in shared ones.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sharing {
    /// Width of each shared slot.
    widths: Vec<u32>,
    /// The headers in each.
    groups: Vec<Vec<Header>>,
    /// The bits of a slot inside the shared one.
    places: BTreeMap<Slot, (u32, PhvBits)>,
}

impl Sharing {
    /// The shared slot in which a slot lies, and where.
    pub fn of(&self, slot: Slot) -> Option<(Slot, PhvBits)> {
        self.places.get(&slot).map(|(group, at)| (Slot::Shared(*group), *at))
    }

    /// All slots that lie in shared ones.
    pub fn slots(&self) -> impl Iterator<Item = (Slot, Slot, PhvBits)> + '_ {
        self.places.iter().map(|(slot, (group, at))| (*slot, Slot::Shared(*group), *at))
    }

    /// The width of a shared slot.
    pub fn width(&self, group: u32) -> u32 {
        self.widths.get(group as usize).copied().unwrap_or(0)
    }
}

/// The flows with headers that exclude each other in shared slots.
pub fn share(program: &Program, lowered: &Lowered) -> (Lowered, Sharing) {
    let sharing = choose(program, lowered);
    let mut shared = lowered.clone();
    let Lowered { parser, ingress, egress, update, .. } = &mut shared;
    for (flow, first) in [(parser, true), (ingress, false), (egress, false)] {
        *flow = rewritten(program, flow, &sharing, first);
    }
    if let Some(update) = update {
        *update = rewritten(program, update, &sharing, false);
    }
    for emission in &mut shared.deparser.emissions {
        emission.shared = sharing.of(Slot::Field(emission.header, 0)).is_some();
    }
    (shared, sharing)
}

/// The slots of a header beside its validity.
fn slots(program: &Program, header: Header) -> Vec<Slot> {
    let ty = &program.header_types[program.headers[header].ty];
    let fields = (0..ty.fields.len() as u32).map(|f| Slot::Field(header, f));
    fields.chain(ty.varbit().map(|_| Slot::VarLength(header))).collect()
}

/// Groups of headers that exclude each other, the largest headers first.
fn choose(program: &Program, lowered: &Lowered) -> Sharing {
    let width = |h: Header| -> u32 {
        slots(program, h).into_iter().filter_map(|s| slot_type(program, s)).map(|t| t.width()).sum()
    };
    let mut headers: Vec<Header> =
        program.headers.keys().filter(|h| width(*h) <= MAX_WIDTH).collect();
    headers.sort_by_key(|h| (std::cmp::Reverse(width(*h)), *h));
    let apart = Apart::new(program, &lowered.parser);
    let mut groups: Vec<Vec<Header>> = Vec::new();
    for header in headers {
        match groups.iter_mut().find(|g| g.iter().all(|other| apart.apart(header, *other))) {
            Some(group) => group.push(header),
            None => groups.push(vec![header]),
        }
    }
    groups.retain(|g| g.len() > 1);
    let mut sharing = Sharing::default();
    for (number, group) in groups.into_iter().enumerate() {
        let whole = group.first().map_or(0, |h| width(*h));
        for header in &group {
            let mut high = whole;
            for slot in slots(program, *header) {
                let width = slot_type(program, slot).map_or(0, |t| t.width());
                high -= width;
                sharing.places.insert(slot, (number as u32, PhvBits { low: high, width }));
            }
        }
        sharing.widths.push(whole);
        sharing.groups.push(group);
    }
    sharing
}

/// Knows which headers are never valid together.
struct Apart<'a> {
    program: &'a Program,
    make: Maker<'a>,
    /// Validity behind the parser, of headers that only the parser makes valid.
    parsed: BTreeMap<Header, Value>,
}

impl<'a> Apart<'a> {
    fn new(program: &'a Program, parser: &Flow) -> Self {
        let mut made_elsewhere: BTreeSet<Header> = BTreeSet::new();
        let mut note = |header: &HeaderRef| made_elsewhere.extend(program.candidates(header));
        let parser_bodies = program.states.values().flat_map(|s| &s.body);
        let bodies = program.actions.values().flat_map(|a| &a.body);
        let bodies = bodies.chain(&program.ingress).chain(&program.egress).chain(parser_bodies);
        let mut stacks = BTreeSet::new();
        walk(bodies, &mut |stmt| match stmt {
            StmtKind::SetValid(header) | StmtKind::CopyHeader { dst: header, .. } => note(header),
            StmtKind::CopyStack { dst: stack, .. }
            | StmtKind::PushFront { stack, .. }
            | StmtKind::PopFront { stack, .. } => {
                stacks.insert(*stack);
            }
            _ => {}
        });
        let at = |stack| HeaderRef::Element {
            stack,
            at: restage_program::expr::ElementIndex::Next,
            member: 0,
        };
        for stack in stacks {
            made_elsewhere.extend(program.candidates(&at(stack)));
        }
        let mut make = Maker::new(program);
        let values = make.copy(parser);
        let valid = parser.outputs.iter().filter_map(|(slot, value)| match slot {
            Slot::Valid(header) if !made_elsewhere.contains(header) => {
                Some((*header, values[value.index()]))
            }
            _ => None,
        });
        let parsed = valid.collect();
        Apart { program, make, parsed }
    }

    fn apart(&self, a: Header, b: Header) -> bool {
        let union = |u: &restage_program::program::UnionDecl| {
            u.members.contains(&a) && u.members.contains(&b)
        };
        let parsed = self.parsed.get(&a).zip(self.parsed.get(&b));
        self.program.unions.values().any(union)
            || parsed.is_some_and(|(a, b)| self.make.exclusive(*a, *b))
    }
}

fn rewritten(program: &Program, flow: &Flow, sharing: &Sharing, first: bool) -> Flow {
    let mut make = Maker::new(program);
    let values = make.copy_with(flow, &mut |make, slot| {
        let (shared, at) = sharing.of(slot)?;
        let header = match slot {
            Slot::Field(header, _) | Slot::VarLength(header) => header,
            _ => return None,
        };
        Some(read(make, sharing, header, slot, shared, at))
    });
    let written: BTreeMap<Slot, Value> =
        flow.outputs.iter().map(|(s, v)| (*s, values[v.index()])).collect();
    let mut outputs: Vec<(Slot, Value)> =
        written.iter().filter(|(s, _)| sharing.of(**s).is_none()).map(|(s, v)| (*s, *v)).collect();
    for (number, group) in sharing.groups.iter().enumerate() {
        let touched = |h: &Header| {
            written.contains_key(&Slot::Valid(*h))
                || slots(program, *h).iter().any(|s| written.contains_key(s))
        };
        if !group.iter().any(touched) {
            continue;
        }
        let width = sharing.width(number as u32);
        let mut arms = Vec::new();
        for header in group {
            let Some(content) = content(&mut make, program, sharing, *header, &written, first)
            else {
                continue;
            };
            let valid = written.get(&Slot::Valid(*header)).copied();
            let valid = valid.unwrap_or_else(|| make.slot(Slot::Valid(*header)));
            let above = make.ty(content).width();
            let content = match width - above {
                0 => content,
                below => {
                    let zeros = make.zero(bit(below));
                    make.op(Op::Concat, &[content, zeros])
                }
            };
            arms.push((valid, content));
        }
        let none = make.zero(bit(width));
        let value = make.select(&arms, none);
        outputs.push((Slot::Shared(number as u32), value));
    }
    let shared = make.finish(&flow.name, outputs);
    // Nothing waits for what it did not wait for before.
    order(&shared).unwrap_or(shared)
}

/// A field as it was: what the shared bits say, if the header is valid.
fn read(
    make: &mut Maker<'_>,
    sharing: &Sharing,
    header: Header,
    slot: Slot,
    shared: Slot,
    at: PhvBits,
) -> Value {
    let Slot::Shared(group) = shared else { return make.slot(slot) };
    let whole = make.define(bit(sharing.width(group)), Def::Slot(shared));
    let ty = slot_type(make.program, slot).unwrap_or(bit(at.width));
    let bits = make.op(Op::Slice { hi: at.high(), lo: at.low }, &[whole]);
    let bits = make.cast(ty, bits);
    let zero = make.zero(ty);
    let valid = make.slot(Slot::Valid(header));
    make.mux(valid, bits, zero)
}

/// What a header holds behind a flow, its first field in the most significant place; `None` for one that the
/// parser does not write because nothing needs it.
fn content(
    make: &mut Maker<'_>,
    program: &Program,
    sharing: &Sharing,
    header: Header,
    written: &BTreeMap<Slot, Value>,
    first: bool,
) -> Option<Value> {
    let mut whole: Option<Value> = None;
    let mut known = false;
    for slot in slots(program, header) {
        let (shared, at) = sharing.of(slot)?;
        let value = match written.get(&slot) {
            Some(value) => {
                known = true;
                *value
            }
            // Nothing was there before the parser.
            None if first => {
                let ty = slot_type(program, slot)?;
                make.zero(ty)
            }
            None => {
                known = true;
                read(make, sharing, header, slot, shared, at)
            }
        };
        let value = make.natural(at.width, value);
        whole = Some(match whole {
            None => value,
            Some(above) => make.op(Op::Concat, &[above, value]),
        });
    }
    whole.filter(|_| known)
}
