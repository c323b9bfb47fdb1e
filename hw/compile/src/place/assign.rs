//! Chooses the stage of every access.

use super::apart::wanted;
use super::{Cost, Estimate, Split, Stage, split};
use crate::flow::{Access, Def, Flow, Slot};
use crate::lower::{Refusal, cell_name};
use restage_program::entity::Entity;
use restage_program::program::Program;
use std::collections::{BTreeMap, BTreeSet};

pub(super) struct Assign<'a> {
    program: &'a Program,
    flow: &'a Flow,
    regions: usize,
    capacity: Cost,
    estimate: &'a mut dyn Estimate,
    how: Split,
    /// The region that each access wants to be in, by name.
    labels: Vec<Option<String>>,
}

impl<'a> Assign<'a> {
    pub fn new(
        program: &'a Program,
        flow: &'a Flow,
        regions: std::ops::Range<usize>,
        capacity: Cost,
        estimate: &'a mut dyn Estimate,
    ) -> Self {
        let (before, regions) = (regions.start, regions.len());
        // One more stage than there are holds what is not placed yet.
        let how = Split {
            accesses: vec![regions; flow.accesses.len()],
            floors: BTreeMap::new(),
            stages: regions + 1,
            before,
        };
        let labels = vec![None; flow.accesses.len()];
        Assign { program, flow, regions, capacity, estimate, how, labels }
    }

    /// The stages, one for each region.
    pub fn stages(&mut self, old: &[Stage]) -> Result<Vec<Stage>, Refusal> {
        if self.regions == 0 && !self.flow.outputs.is_empty() {
            return Err(Refusal::new(
                self.flow.name.clone(),
                "is left without a region by the other half",
                "a shell with more regions is accepted",
            ));
        }
        for (access, decl) in self.flow.accesses.iter() {
            if let Some(cell) = decl.kind.cell() {
                self.labels[access.index()] = wanted(self.program, cell)?;
            }
        }
        let waits = waits(self.flow);
        for group in in_order(&waits) {
            self.assign(&group, &waits, old)?;
        }
        self.how.stages = self.regions;
        for region in 0..self.regions {
            self.relieve(region)?;
        }
        let mut stages = Vec::new();
        for flow in split(self.flow, &self.how) {
            let cost = self.estimate.stage(&flow)?;
            if let Some(found) = cost.beyond(self.capacity) {
                return Err(self.beyond(&flow, found));
            }
            let cells = self.names(&flow);
            if flow.outputs.is_empty() && cells.is_empty() {
                continue;
            }
            stages.push(Stage { flow, cells, cost });
        }
        Ok(stages)
    }

    fn names(&self, flow: &Flow) -> Vec<String> {
        flow.cells().map(|(cell, _)| cell_name(self.program, cell)).collect()
    }

    /// Places accesses in the first region that has room for them, their old one if possible.
    fn assign(
        &mut self,
        group: &[Access],
        waits: &[BTreeSet<Access>],
        old: &[Stage],
    ) -> Result<(), Refusal> {
        let before = group.iter().flat_map(|a| &waits[a.index()]).filter(|a| !group.contains(a));
        let first = before.map(|a| self.how.accesses[a.index()]).max().unwrap_or(0);
        let cells = group.iter().filter_map(|a| self.flow.accesses[*a].kind.cell());
        let names: Vec<String> = cells.map(|c| cell_name(self.program, c)).collect();
        let before = old.iter().position(|s| names.iter().any(|n| s.cells.contains(n)));
        let before = before.filter(|at| (first..self.regions).contains(at));
        let label = self.label(group)?;
        let may = |region: &usize| {
            let others = (0..).zip(&self.how.accesses).filter(|(_, at)| *at == region);
            others.map(|(a, _): (usize, _)| &self.labels[a]).all(|other| *other == label)
        };
        let places: Vec<usize> =
            before.into_iter().chain(first..self.regions).filter(may).collect();
        let mut last = None;
        for region in places {
            group.iter().for_each(|a| self.how.accesses[a.index()] = region);
            let stage = split(self.flow, &self.how).swap_remove(region);
            let cost = self.estimate.stage(&stage)?;
            match cost.beyond(self.capacity) {
                None => return Ok(()),
                Some(found) => last = Some((stage, found)),
            }
        }
        let name = names.join(", ");
        let Some((stage, (resource, needed, there))) = last else {
            return Err(Refusal::new(
                name,
                match first < self.regions {
                    true => format!(
                        "finds no region among the {} of {} that is not others' own",
                        self.regions, self.flow.name
                    ),
                    false => format!(
                        "comes after the last of the {} regions of {}",
                        self.regions, self.flow.name
                    ),
                },
                "a shell with more regions is accepted",
            ));
        };
        let others: Vec<String> =
            self.names(&stage).into_iter().filter(|n| !names.contains(n)).collect();
        let with =
            if others.is_empty() { String::new() } else { format!(" with {}", others.join(", ")) };
        Err(Refusal::new(
            name,
            format!(
                "needs {needed} {resource} in the last region that it can be in{with}, and a region of {} has {there}",
                self.flow.name
            ),
            "a smaller size is accepted, two tables of which the second is applied when the first misses \
             (they may be in different regions), or a shell with larger or more regions",
        ))
    }

    /// The region that accesses want which must stay together.
    fn label(&self, group: &[Access]) -> Result<Option<String>, Refusal> {
        let mut labels = group.iter().map(|a| &self.labels[a.index()]);
        let label = labels.next().cloned().flatten();
        match labels.find(|other| **other != label) {
            None => Ok(label),
            Some(other) => {
                let cells = group.iter().filter_map(|a| self.flow.accesses[*a].kind.cell());
                let names: Vec<String> = cells.map(|c| cell_name(self.program, c)).collect();
                let said = |l: &Option<String>| l.clone().unwrap_or_else(|| "any region".into());
                Err(Refusal::new(
                    names.join(", "),
                    format!(
                        "wait for each other and want `{}` and `{}`",
                        said(&label),
                        said(other)
                    ),
                    "the same `@region` for all of them is accepted",
                ))
            }
        }
    }

    /// Moves what a region writes without waiting for an access to the next one until the region has room.
    fn relieve(&mut self, region: usize) -> Result<(), Refusal> {
        loop {
            let stage = split(self.flow, &self.how).swap_remove(region);
            let Some(found) = self.estimate.stage(&stage)?.beyond(self.capacity) else {
                return Ok(());
            };
            let free: Vec<Slot> = stage
                .outputs
                .iter()
                .map(|(slot, _)| *slot)
                .filter(|s| !matches!(s, Slot::Temp(_)))
                .filter(|s| self.how.floors.get(s).copied().unwrap_or(0) <= region)
                .collect();
            if free.is_empty() || region + 1 >= self.regions {
                return Err(self.beyond(&stage, found));
            }
            for slot in free.iter().skip(free.len() / 2) {
                self.how.floors.insert(*slot, region + 1);
            }
        }
    }

    fn beyond(&self, stage: &Flow, (resource, needed, there): (&str, u64, u64)) -> Refusal {
        let names = self.names(stage);
        let subject = if names.is_empty() { stage.name.clone() } else { names.join(", ") };
        Refusal::new(
            subject,
            format!("{} needs {needed} {resource}, a region has {there}", stage.name),
            "a shell with larger or more regions is accepted, or less that is computed",
        )
    }
}

/// The accesses for whose outputs each access waits, directly or not. Two registers whose new contents depend
/// on each other's old ones wait for each other.
fn waits(flow: &Flow) -> Vec<BTreeSet<Access>> {
    let mut of_values: Vec<BTreeSet<Access>> = Vec::with_capacity(flow.values.len());
    for decl in flow.values.values() {
        let mut on = BTreeSet::new();
        let mut add = |v: crate::flow::Value| on.extend(of_values[v.index()].iter().copied());
        decl.def.operands(&mut add);
        if let Def::Out(access, _) = decl.def {
            flow.accesses[access].kind.issue(&mut add);
            add(flow.accesses[access].guard);
            on.insert(access);
        }
        of_values.push(on);
    }
    let mut all = Vec::new();
    for (access, decl) in flow.accesses.iter() {
        let mut on = BTreeSet::new();
        let mut add = |v: crate::flow::Value| on.extend(of_values[v.index()].iter().copied());
        add(decl.guard);
        decl.kind.issue(&mut add);
        decl.kind.update(&mut add);
        on.remove(&access);
        all.push(on);
    }
    loop {
        let further = |on: &BTreeSet<Access>| {
            on.iter().flat_map(|a| &all[a.index()]).chain(on).copied().collect()
        };
        let closed: Vec<BTreeSet<Access>> = all.iter().map(further).collect();
        if closed == all {
            return all;
        }
        all = closed;
    }
}

/// Accesses in an order in which each comes after all that it waits for; those that wait for each other
/// together.
fn in_order(waits: &[BTreeSet<Access>]) -> Vec<Vec<Access>> {
    let mut order: Vec<Access> = (0..waits.len()).map(Access::from_index).collect();
    // What waits for more comes later, itself counted: the sets are closed.
    let more = |a: &Access| usize::from(!waits[a.index()].contains(a));
    order.sort_by_key(|a| (waits[a.index()].len() + more(a), *a));
    let mut groups: Vec<Vec<Access>> = Vec::new();
    for access in order {
        let mutual = |other: &Access| {
            waits[access.index()].contains(other) && waits[other.index()].contains(&access)
        };
        match groups.iter_mut().find(|g| g.iter().any(mutual)) {
            Some(group) => group.push(access),
            None => groups.push(vec![access]),
        }
    }
    groups
}
