//! How metadata gets from one flow to the next.
//!
//! Standard metadata that the shell knows lies in shell fields, everything else in a slot of its own. What the
//! shell sets anew for a half (`packet_length`, `instance_type`, what the queue says) takes a slot only when
//! the program itself writes it.

use super::Known;
use crate::flow::{Def, Flow, Slot};
use ::std::collections::BTreeSet;
use restage_manifest::ShellField;
use restage_program::entity::{FieldList, Meta};
use restage_program::expr::Place;
use restage_program::program::Program;
use restage_program::standard as std;
use restage_program::stmt::{AfterApply, Stmt, StmtKind};

/// What a program does with metadata and requests.
#[derive(Clone, Debug, Default)]
pub struct Metas {
    /// Lists kept by ingress clones and further passes; `None` keeps nothing.
    pub kept_by_parser: BTreeSet<FieldList>,
    /// Lists kept by egress clones.
    pub kept_by_egress: BTreeSet<FieldList>,
    /// Written in parser states.
    pub written_by_parser: BTreeSet<Meta>,
    /// Whether packets are cloned in ingress.
    pub ingress_clones: bool,
    /// Whether packets are cloned in egress.
    pub egress_clones: bool,
    /// Whether packets are resubmitted.
    pub resubmits: bool,
    /// Whether packets are recirculated.
    pub recirculates: bool,
    /// Whether there are messages.
    pub digests: BTreeSet<restage_program::entity::Digest>,
    /// Whether a multicast group may be asked for.
    pub multicast: bool,
    /// Whether a payload is summed.
    pub payload_sums: bool,
}

impl Metas {
    /// What a program does.
    pub fn new(program: &Program) -> Self {
        let mut metas = Metas::default();
        let parser = program.states.values().flat_map(|s| &s.body);
        walk(parser, &mut |stmt| metas.parser_writes(stmt));
        let actions = program.actions.values().flat_map(|a| &a.body);
        let halves = program.ingress.iter().chain(&program.egress);
        walk(actions.chain(halves), &mut |stmt| metas.requests(stmt));
        // The colour of a direct meter is written without a statement.
        let colours = program.tables.values().filter_map(|t| Some(&t.meter.as_ref()?.dst));
        metas.multicast |= colours.filter_map(meta_of).any(|m| m == std::MCAST_GRP);
        metas.payload_sums = program.verify.iter().chain(&program.update).any(|c| c.with_payload);
        metas
    }

    fn parser_writes(&mut self, stmt: &StmtKind) {
        let written = destinations(stmt).into_iter().filter_map(meta_of);
        self.written_by_parser.extend(written);
    }

    fn requests(&mut self, stmt: &StmtKind) {
        match stmt {
            StmtKind::CloneIngress { keep, .. } => {
                self.ingress_clones = true;
                self.kept_by_parser.extend(*keep);
            }
            StmtKind::CloneEgress { keep, .. } => {
                self.egress_clones = true;
                self.kept_by_egress.extend(*keep);
            }
            StmtKind::Resubmit { keep } => {
                self.resubmits = true;
                self.kept_by_parser.extend(*keep);
            }
            StmtKind::Recirculate { keep } => {
                self.recirculates = true;
                self.kept_by_parser.extend(*keep);
            }
            StmtKind::Digest(digest) => {
                self.digests.insert(*digest);
            }
            _ => {}
        }
        let groups = |place: &Place| meta_of(place) == Some(std::MCAST_GRP);
        self.multicast |= destinations(stmt).into_iter().any(groups);
    }

    /// The lists of a set that have this metadata.
    pub fn lists_of(program: &Program, lists: &BTreeSet<FieldList>, meta: Meta) -> Vec<FieldList> {
        let has = |l: &&FieldList| {
            program.field_lists.get(**l).is_some_and(|decl| decl.metas.contains(&meta))
        };
        lists.iter().filter(has).copied().collect()
    }

    /// Whether metadata has to be in the keep area at the end of a half.
    pub fn is_kept(&self, program: &Program, meta: Meta) -> bool {
        // These two are set for every pass.
        meta != std::INSTANCE_TYPE
            && meta != std::PACKET_LENGTH
            && (!Self::lists_of(program, &self.kept_by_parser, meta).is_empty()
                || !Self::lists_of(program, &self.kept_by_egress, meta).is_empty())
    }

    /// Whether metadata that the shell sets is carried from the parser to ingress all the same.
    pub fn crosses(&self, program: &Program, meta: Meta) -> bool {
        let looped = Self::lists_of(program, &self.kept_by_parser, meta);
        self.written_by_parser.contains(&meta)
            || meta != std::INSTANCE_TYPE && meta != std::PACKET_LENGTH && !looped.is_empty()
    }
}

/// The shell field in which metadata lies all the time.
pub fn home(meta: Meta) -> Option<ShellField> {
    Some(match meta {
        std::INGRESS_PORT => ShellField::IngressPort,
        std::EGRESS_SPEC => ShellField::EgressSpec,
        std::EGRESS_PORT => ShellField::EgressPort,
        std::MCAST_GRP => ShellField::McastGrp,
        std::EGRESS_RID => ShellField::EgressRid,
        std::INGRESS_GLOBAL_TIMESTAMP => ShellField::IngressTime,
        _ => return None,
    })
}

/// The shell field from which metadata is set when a half begins.
pub fn source(meta: Meta) -> Option<ShellField> {
    Some(match meta {
        std::INSTANCE_TYPE => ShellField::Instance,
        std::PACKET_LENGTH => ShellField::PacketLength,
        std::ENQ_TIMESTAMP => ShellField::EnqTime,
        std::ENQ_QDEPTH => ShellField::EnqDepth,
        std::DEQ_TIMEDELTA => ShellField::DeqDelta,
        std::DEQ_QDEPTH => ShellField::DeqDepth,
        std::EGRESS_GLOBAL_TIMESTAMP => ShellField::EgressTime,
        _ => return None,
    })
}

/// Where metadata lies between flows.
pub fn place(meta: Meta) -> Slot {
    home(meta).map_or(Slot::Meta(meta), Slot::Shell)
}

/// Where metadata lies when it is kept.
pub fn keep_place(meta: Meta) -> Slot {
    match home(meta) {
        Some(_) => Slot::Keep(meta),
        None => Slot::Meta(meta),
    }
}

/// Notes what a flow leaves as constants, and forgets what it changes otherwise.
pub fn note_constants(flow: &Flow, known: &mut Known) {
    for (slot, value) in &flow.outputs {
        let decl = &flow.values[*value];
        match (&decl.def, slot) {
            // The shell writes its own.
            (_, Slot::Shell(_)) => {}
            (Def::Const(bits), _) => {
                known.insert(*slot, (decl.ty, bits.clone()));
            }
            _ => {
                known.remove(slot);
            }
        }
    }
}

/// What a statement writes.
pub fn destinations(stmt: &StmtKind) -> Vec<&Place> {
    match stmt {
        StmtKind::Assign { dst, .. }
        | StmtKind::ReadRegister { dst, .. }
        | StmtKind::ExecuteMeter { dst, .. }
        | StmtKind::Hash { dst, .. }
        | StmtKind::Random { dst, .. } => vec![dst],
        StmtKind::MapLookup { found, values, .. } => values.iter().chain([found]).collect(),
        StmtKind::MapPut { stored, .. } => stored.iter().collect(),
        _ => Vec::new(),
    }
}

/// The metadata that a place is of.
fn meta_of(mut place: &Place) -> Option<Meta> {
    while let Place::Slice { of, .. } = place {
        place = of;
    }
    match place {
        Place::Meta(meta) => Some(*meta),
        _ => None,
    }
}

/// Calls `f` on every statement.
pub fn walk<'a>(block: impl IntoIterator<Item = &'a Stmt>, f: &mut impl FnMut(&'a StmtKind)) {
    let mut todo: Vec<&Stmt> = block.into_iter().collect();
    while let Some(stmt) = todo.pop() {
        f(&stmt.kind);
        match &stmt.kind {
            StmtKind::If { then, otherwise, .. } => todo.extend(then.iter().chain(otherwise)),
            StmtKind::Apply { then, .. } => match then {
                AfterApply::Nothing => {}
                AfterApply::Hit { hit, miss } => todo.extend(hit.iter().chain(miss)),
                AfterApply::Switch { cases, default } => {
                    todo.extend(cases.iter().flat_map(|c| &c.body).chain(default));
                }
            },
            _ => {}
        }
    }
}
