//! The way of packets of one epoch through the shell, and how long it takes.
//!
//! ```text
//! window -> parser -> ingress[0] -> ... -> traffic point -> egress[0] -> ... -> deparser -> join
//! ```

use crate::address::last;
use crate::address::shell::{FED, JOIN, POINT, route};
use crate::config::ShellConfig;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Clocks that a packet takes from a region's input to the next one's beyond the region's latency: the guard and
/// the router, or the join behind a deparser, one each.
pub const HOP_CLOCKS: u32 = 2;

/// A region on the way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Stop {
    /// Its unit.
    pub unit: u32,
    /// Its variant's latency.
    pub latency: u32,
}

/// What serves packets of one epoch.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    /// The parser.
    pub parser: Stop,
    /// The stages of ingress, in order.
    pub ingress: Vec<Stop>,
    /// The stages of egress, in order.
    pub egress: Vec<Stop>,
    /// The deparser.
    pub deparser: Stop,
}

impl Way {
    /// All regions.
    pub fn stops(&self) -> impl Iterator<Item = Stop> {
        let ends = [self.parser].into_iter().chain(self.ingress.iter().copied());
        ends.chain(self.egress.iter().copied()).chain([self.deparser])
    }

    /// From the window to the traffic point: each place behind a multiplexer, and the clocks until a packet is
    /// there.
    pub fn to_point(&self) -> Vec<(u32, u32)> {
        let stops = [self.parser].into_iter().chain(self.ingress.iter().copied());
        delays(0, stops, POINT)
    }

    /// From the exit of the traffic point to behind the deparsers.
    pub fn to_join(&self) -> Vec<(u32, u32)> {
        let stops = self.egress.iter().copied().chain([self.deparser]);
        delays(1, stops, JOIN)
    }

    /// The writes that make it the way of an epoch: words of the shell and their values. What it does not pass
    /// is not fed.
    pub fn routes(&self, config: &ShellConfig, epoch: u32) -> Vec<(u32, u32)> {
        let mut words: BTreeMap<u32, u32> =
            (1..=last(config)).map(|unit| (route(epoch, unit), 0)).collect();
        words.insert(route(epoch, self.parser.unit), FED);
        let mut feed = |to: u32, from: u32| words.insert(route(epoch, to), FED | from);
        let mut from = self.parser.unit;
        for unit in self.ingress.iter().map(|s| s.unit).chain([POINT]) {
            feed(unit, from);
            from = unit;
        }
        for unit in self.egress.iter().map(|s| s.unit).chain([self.deparser.unit, JOIN]) {
            feed(unit, from);
            from = unit;
        }
        words.into_iter().collect()
    }
}

/// The first stop's input is `start` clocks away.
fn delays(start: u32, stops: impl Iterator<Item = Stop>, end: u32) -> Vec<(u32, u32)> {
    let mut at = start;
    let mut all = Vec::new();
    for stop in stops {
        all.push((stop.unit, at));
        at += stop.latency + HOP_CLOCKS;
    }
    all.push((end, at));
    all
}
