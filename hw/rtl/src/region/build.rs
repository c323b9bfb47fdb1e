//! What all variants are built with: values in order, the words around them, the end.

use super::about::{about, name};
use super::order::{Knot, Step, order};
use super::values::{identifier, value};
use super::{BuildError, Plan, Socket, Variant};
use crate::cells::{Config, Lane};
use crate::pipe::{Latency, Pipe, Sig};
use restage_compile::flow::{Access, Def, Flow, Slot, Value};
use restage_manifest::PhvBits;
use restage_manifest::address::region;
use restage_manifest::cell::Cells;
use restage_manifest::socket::RegionKind;
use restage_program::entity::EntityMap;
use std::collections::{HashMap, HashSet};

/// A variant under construction.
#[derive(Debug)]
pub(super) struct Builder<'a> {
    pub(super) pipe: Pipe,
    pub(super) plan: &'a Plan<'a>,
    pub(super) flow: &'a Flow,
    pub(super) config: Config,
    values: EntityMap<Value, Option<Sig>>,
    /// Names of what is written in the end.
    results: HashMap<Value, String>,
    /// What each access gives, by port.
    pub(super) ports: EntityMap<Access, Vec<Sig>>,
    pub(super) cells: Cells,
    window: Option<Sig>,
    needed: u32,
    pub(super) valid: Sig,
    pub(super) epoch: Sig,
    pub(super) time: Sig,
    tag: Sig,
}

impl<'a> Builder<'a> {
    pub fn new(mut pipe: Pipe, plan: &'a Plan<'a>, socket: &Socket, flow: &'a Flow) -> Self {
        let valid = socket.get(&mut pipe, "valid_i");
        let tag = socket.get(&mut pipe, "tag_i");
        let epoch = socket.get(&mut pipe, "epoch_i");
        let time = socket.get(&mut pipe, "time_i");
        let config = Config::new(&mut pipe);
        // The first slot that a value is for gives it its name.
        let read: HashSet<Slot> = flow.inputs().map(|(slot, _)| slot).collect();
        let mut results = HashMap::new();
        for (slot, value) in &flow.outputs {
            let next = if read.contains(slot) { "_next" } else { "" };
            results.entry(*value).or_insert_with(|| name(plan, *slot) + next);
        }
        Builder {
            pipe,
            plan,
            flow,
            config,
            values: flow.values.iter().map(|_| None).collect(),
            results,
            ports: flow.accesses.iter().map(|_| Vec::new()).collect(),
            cells: Cells::default(),
            window: None,
            needed: 0,
            valid,
            epoch,
            time,
            tag,
        }
    }

    pub fn with_window(mut self, window: Sig) -> Self {
        self.window = Some(window);
        self
    }

    /// With a lane, if the shell has one.
    pub fn with_lane(mut self) -> Self {
        if self.plan.config.lane_words > 0 {
            let (words, wished) = (self.plan.config.lane_words, self.plan.lanes);
            let lane = Lane::new(&mut self.pipe, words, self.valid, wished);
            self.config = self.config.with_lane(lane);
        }
        self
    }

    pub fn pipe(&mut self) -> &mut Pipe {
        &mut self.pipe
    }

    /// Says what slots hold at the beginning.
    pub fn slots(&mut self, read: impl Fn(&mut Pipe, Slot) -> Option<Sig>) {
        self.pipe.section("fields");
        for (slot, value) in self.flow.inputs() {
            let width = self.flow.ty(value).width();
            let sig = match read(&mut self.pipe, slot) {
                Some(sig) => {
                    let sig = self.pipe.field(&name(self.plan, slot), sig);
                    self.pipe.resize(sig, width)
                }
                None => {
                    self.pipe.refuse(format!("{slot:?} is read and has no place in the PHV"));
                    super::socket::zeros(&mut self.pipe, width)
                }
            };
            self.values[value] = Some(sig);
        }
    }

    /// Builds all values and accesses.
    pub fn run(&mut self) {
        let order = match order(self.flow) {
            Ok(order) => order,
            Err(Knot(waiting)) => {
                let origins: Vec<&str> =
                    waiting.iter().map(|a| self.flow.accesses[*a].origin.text()).collect();
                self.pipe.refuse(format!(
                    "{}: each needs what comes of another, which would all have to be done in one clock; accesses \
                     in a row are accepted",
                    origins.join(", ")
                ));
                return;
            }
        };
        let mut section = None;
        for step in order.steps {
            match step {
                Step::Value(value) => self.value(value, &mut section),
                Step::Group(group) => self.group(&order.groups[group]),
            }
        }
    }

    fn value(&mut self, at: Value, section: &mut Option<String>) {
        if self.values[at].is_some() {
            return;
        }
        let decl = &self.flow.values[at];
        let title = match decl.origin.text() {
            // What several states lead to has no state of its own.
            _ if self.window.is_some() && self.results.contains_key(&at) => {
                "what is left in the PHV"
            }
            "" => "control flow, outside of tables and actions",
            text => text,
        };
        if section.as_deref() != Some(title) {
            *section = Some(title.to_string());
            self.pipe.section(title);
        }
        let built = match decl.def {
            Def::Out(access, port) => self.ports[access].get(port as usize).copied(),
            _ => {
                let (values, none) = (&self.values, self.valid);
                let get = |v: Value| values[v].unwrap_or(none);
                value(&mut self.pipe, self.flow, at, self.window, &get)
            }
        };
        let mut sig = built.unwrap_or_else(|| {
            self.pipe.refuse(format!("nothing is known of {at:?}"));
            super::socket::zeros(&mut self.pipe, decl.ty.width())
        });
        let name = decl.name.as_ref().map(|name| identifier(name));
        if let Some(name) = name.as_ref().or(self.results.get(&at))
            && self.pipe.constant(sig).is_none()
        {
            sig = self.pipe.named(name, sig);
        }
        self.values[at] = Some(sig);
    }

    /// A value that has been built.
    pub(super) fn sig(&self, value: Value) -> Sig {
        self.values[value].unwrap_or(self.valid)
    }

    /// What the flow writes, with its place.
    pub fn outputs(&mut self) -> Vec<(PhvBits, Sig)> {
        let mut outputs = Vec::new();
        for (slot, value) in &self.flow.outputs {
            let Some(bits) = (self.plan.layout)(*slot) else { continue };
            let Some(sig) = self.values[*value] else { continue };
            outputs.push((bits, self.pipe.resize(sig, bits.width)));
        }
        outputs
    }

    /// The latency class in which all outputs are there.
    pub fn latency(&mut self, outputs: &[(PhvBits, Sig)]) -> u32 {
        let signals: Vec<Sig> = outputs.iter().map(|(_, sig)| *sig).collect();
        self.latency_of(&signals)
    }

    /// As [`latency`](Self::latency).
    pub fn latency_of(&mut self, signals: &[Sig]) -> u32 {
        self.needed = self.pipe.latest(signals) + 1;
        self.needed.next_multiple_of(8)
    }

    /// Makes the common outputs and ends.
    pub fn finish(
        mut self,
        kind: RegionKind,
        outputs: &[(&str, Sig)],
        latency: u32,
        writes: Vec<PhvBits>,
    ) -> Result<Variant, BuildError> {
        let Plan { config, name, .. } = *self.plan;
        let mut identity = [0; 8].map(Some);
        for (word, value) in [
            (region::MAGIC, Some(region::MAGIC_VALUE)),
            (region::SHELL_HASH, Some(config.fingerprint())),
            (region::KIND, Some(kind as u32)),
            (region::VARIANT, None),
            (region::VARIANT + 1, None),
            (region::LATENCY, Some(latency)),
        ] {
            identity[word as usize] = value;
        }
        let kept = self.config.finish(&mut self.pipe, &identity);
        let about = about(self.plan, kind, self.flow, latency, self.needed);
        self.pipe.module().about(about);
        let mut all = vec![("tag_o", self.tag)];
        all.extend_from_slice(outputs);
        let piped = self
            .pipe
            .finish(&all, Latency::Exactly(latency))
            .map_err(|faults| BuildError { name: name.to_string(), faults })?;
        Ok(Variant {
            circuit: piped.circuit,
            latency,
            needed: self.needed,
            writes,
            kept,
            cells: self.cells,
        })
    }
}
