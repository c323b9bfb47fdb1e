//! The two halves: what stands in the slots when they begin, and what they leave.

use super::env::Env;
use super::metas::{Metas, home, keep_place, place, source};
use super::store::HalfStore;
use super::{Known, Lower};
use crate::flow::{Slot, Value, flow_type};
use restage_manifest::ShellField;
use restage_program::entity::{FieldList, Meta};
use restage_program::types::int;
use restage_program::{Bits, Type, standard};
use std::collections::{BTreeMap, BTreeSet};

impl Lower<'_> {
    /// A shell field as a number of a metadata field's type.
    pub fn shell(&mut self, field: ShellField, meta: Meta) -> Value {
        let ty = flow_type(self.program, self.program.metas[meta].ty);
        if !field.is_in(self.config) {
            return self.make.zero(ty);
        }
        let value = self.make.slot(Slot::Shell(field));
        let width = flow_type(self.program, self.program.metas[meta].ty).width();
        self.make.natural(width, value)
    }

    /// Kept metadata, if the packet's list has it, else 0.
    pub fn kept(&mut self, lists: &BTreeSet<FieldList>, meta: Meta) -> Value {
        let lists = Metas::lists_of(self.program, lists, meta);
        let ty = flow_type(self.program, self.program.metas[meta].ty);
        let zero = self.make.zero(ty);
        if lists.is_empty() {
            return zero;
        }
        let kept = self.make.slot(Slot::Shell(ShellField::Kept));
        let mut has = self.make.truth(false);
        for list in lists {
            let this = self.make.is(kept, u64::from(list.0) + 1);
            has = self.make.or(has, this);
        }
        let value = self.make.slot(keep_place(meta));
        self.make.mux(has, value, zero)
    }

    fn half(&mut self, known: &Known) -> HalfStore {
        let path = self.make.truth(true);
        let mut env = Env::default();
        for (slot, (ty, bits)) in known {
            let value = self.make.constant(*ty, bits.clone());
            env.set(*slot, value);
        }
        HalfStore { env, path }
    }

    /// Verification of checksums, then ingress.
    pub fn ingress(&mut self, known: &Known) -> Vec<(Slot, Value)> {
        let mut store = self.half(known);
        for meta in self.program.metas.keys() {
            let value = match (home(meta), source(meta)) {
                (Some(field), _) => self.shell(field, meta),
                (None, Some(_)) if self.metas.crosses(self.program, meta) => continue,
                (None, Some(field))
                    if meta == standard::INSTANCE_TYPE || meta == standard::PACKET_LENGTH =>
                {
                    self.shell(field, meta)
                }
                (None, Some(_)) => {
                    let ty = flow_type(self.program, self.program.metas[meta].ty);
                    self.make.zero(ty)
                }
                (None, None) => continue,
            };
            store.env.set(Slot::Meta(meta), value);
        }
        self.no_requests(&mut store.env);
        let ones = Bits::ones(ShellField::Truncate.width());
        let unlimited = self.make.constant(Type::Bit(ones.width()), ones);
        store.env.set(Slot::Shell(ShellField::Truncate), unlimited);
        let before = store.env.clone();
        if self.metas.ingress_clones {
            store.path = self.make.slot(Slot::Shell(ShellField::Run));
        }
        let run = store.path;
        self.verify_checksums(&mut store);
        let program = self.program;
        self.block(&mut store, &program.ingress);
        let mut messages = Vec::new();
        for digest in self.metas.digests.clone() {
            for (i, (_, expr)) in program.digests[digest].fields.iter().enumerate() {
                let value = self.expr(&mut store, expr);
                messages.push((Slot::Message(digest, i as u32), value));
            }
        }
        let env = Env::choose(&mut self.make, run, store.env, before);
        let mut outputs = self.leave(env, known);
        outputs.extend(messages);
        outputs
    }

    /// Egress, with checksums updated if they are.
    pub fn egress(&mut self, known: &Known, update: bool) -> Vec<(Slot, Value)> {
        let mut store = self.half(known);
        let cloned = match self.metas.egress_clones {
            true => {
                let instance = self.make.slot(Slot::Shell(ShellField::Instance));
                self.make.is(instance, standard::instance::EGRESS_CLONE.into())
            }
            false => self.make.truth(false),
        };
        let lists = self.metas.kept_by_egress.clone();
        for meta in self.program.metas.keys() {
            let value = match meta {
                standard::EGRESS_SPEC => {
                    let ty = flow_type(self.program, self.program.metas[meta].ty);
                    self.make.zero(ty)
                }
                standard::EGRESS_PORT => self.shell(ShellField::EgressPort, meta),
                standard::EGRESS_RID => self.shell(ShellField::EgressRid, meta),
                standard::PACKET_LENGTH => {
                    let length = self.make.slot(Slot::Length);
                    let wide = self.make.cast(int(32), length);
                    self.make.natural(32, wide)
                }
                _ => match source(meta) {
                    Some(field) => self.shell(field, meta),
                    None => {
                        let here = place(meta);
                        let came = match here {
                            Slot::Shell(field) => self.shell(field, meta),
                            _ => store.env.get(&mut self.make, here),
                        };
                        let kept = self.kept(&lists, meta);
                        self.make.mux(cloned, kept, came)
                    }
                },
            };
            store.env.set(Slot::Meta(meta), value);
        }
        self.no_requests(&mut store.env);
        let program = self.program;
        self.block(&mut store, &program.egress);
        if update {
            self.update_checksums(&mut store);
        }
        self.leave(store.env, known)
    }

    /// Checksums updated, nothing else.
    pub fn update(&mut self, known: &Known) -> Vec<(Slot, Value)> {
        let mut store = self.half(known);
        for meta in self.program.metas.keys() {
            let value = self.make.slot(place(meta));
            store.env.set(Slot::Meta(meta), value);
        }
        let before = store.env.clone();
        self.update_checksums(&mut store);
        let old: BTreeMap<Slot, Value> = before.changed().collect();
        let changed: Vec<(Slot, Value)> = store.env.changed().collect();
        changed
            .into_iter()
            .filter(|(slot, value)| old.get(slot) != Some(value) && *value != self.make.slot(*slot))
            .collect()
    }

    /// Nothing is asked of the traffic point yet.
    fn no_requests(&mut self, env: &mut Env) {
        for field in [
            ShellField::Clone,
            ShellField::CloneSession,
            ShellField::CloneKeep,
            ShellField::Loop,
            ShellField::LoopKeep,
            ShellField::Digest,
        ] {
            if field.is_in(self.config) {
                env.clear(&mut self.make, Slot::Shell(field));
            }
        }
    }

    /// What a half leaves in the slots. What holds a known constant and still does is not written.
    fn leave(&mut self, env: Env, known: &Known) -> Vec<(Slot, Value)> {
        let metas: Vec<Meta> = self.program.metas.keys().collect();
        let mut outputs: Vec<(Slot, Value)> = Vec::new();
        for meta in metas {
            let value = env.get(&mut self.make, Slot::Meta(meta));
            outputs.push((place(meta), value));
            if self.metas.is_kept(self.program, meta) && keep_place(meta) != place(meta) {
                outputs.push((keep_place(meta), value));
            }
        }
        let others: Vec<(Slot, Value)> =
            env.changed().filter(|(slot, _)| !matches!(slot, Slot::Meta(_))).collect();
        outputs.extend(others);
        let config = self.config;
        outputs.retain(|(slot, _)| !matches!(slot, Slot::Shell(f) if !f.is_in(config)));
        outputs.retain(|(slot, value)| {
            let before = known.get(slot).map(|(_, bits)| bits);
            *value != self.make.slot(*slot)
                && (before.is_none() || self.make.as_const(*value) != before)
        });
        outputs
    }
}
