//! Members and groups of a profile, and where they lie in the memories of each of its tables.

use crate::bus::{Log, Memory, Word};
use crate::ids::Ids;
use crate::table::data_word;
use restage_manifest::cell::{Cell, Part, ProfileShape, TableShape};
use restage_program::Bits;
use restage_program::accept::Fault;
use restage_program::entry::EntryTarget;
use restage_program::program::ActionCall;
use std::collections::BTreeMap;

/// A profile in one epoch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plane {
    pub members: BTreeMap<u32, ActionCall>,
    /// Members and weights, by member id.
    pub groups: BTreeMap<u32, Vec<(u32, u32)>>,
    /// First choice and number of choices of each group.
    spans: BTreeMap<u32, (u32, u32)>,
    /// How many entries and groups name a member, how many entries a group.
    member_uses: BTreeMap<u32, u32>,
    group_uses: BTreeMap<u32, u32>,
}

/// The memories of one table.
#[derive(Clone, Debug)]
struct Copy {
    shape: TableShape,
    members: Memory,
    groups: Memory,
    choices: Memory,
}

/// A profile.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub shape: ProfileShape,
    pub planes: [Plane; 2],
    members: Ids<u32>,
    groups: Ids<u32>,
    copies: Vec<Copy>,
}

impl Profile {
    pub fn new(shape: &ProfileShape) -> Self {
        Profile {
            shape: shape.clone(),
            planes: [Plane::default(), Plane::default()],
            members: Ids::new(shape.members),
            groups: Ids::new(shape.groups),
            copies: Vec::new(),
        }
    }

    /// One more table has it.
    pub fn add_table(&mut self, cell: &Cell<TableShape>) {
        self.copies.push(Copy {
            shape: cell.shape.clone(),
            members: Memory::new(cell, Part::Member),
            groups: Memory::new(cell, Part::Group),
            choices: Memory::new(cell, Part::Choice),
        });
    }

    /// Is what another one is, whose tables have the same memories; `rename` gives its actions the numbers that they have
    /// here.
    pub fn take_over(&mut self, other: &Profile, rename: &dyn Fn(&mut ActionCall)) {
        let shapes: Vec<TableShape> = self.copies.iter().map(|copy| copy.shape.clone()).collect();
        *self = Profile { shape: self.shape.clone(), ..other.clone() };
        self.copies.iter_mut().zip(shapes).for_each(|(copy, shape)| copy.shape = shape);
        self.planes.iter_mut().flat_map(|plane| plane.members.values_mut()).for_each(rename);
    }

    /// An entry's data.
    pub fn target_word(&self, epoch: usize, target: &EntryTarget) -> Result<Bits, Fault> {
        let (place, group) = match target {
            EntryTarget::Member(id) => {
                (self.members.get(id, epoch).ok_or_else(|| missing(*id))?, 0)
            }
            EntryTarget::Group(id) => {
                let missing = || Fault::Missing(format!("group {id} of its profile"));
                (self.groups.get(id, epoch).ok_or_else(missing)?, 1)
            }
            EntryTarget::Action(_) => {
                return Err(Fault::Invalid(
                    "has an action profile; an entry names a member or a group of it".into(),
                ));
            }
        };
        let mut word = Word::new(self.shape.target_bits());
        word.number(0, self.shape.place_bits(), place.into());
        if self.shape.hash_bits > 0 {
            word.number(self.shape.place_bits(), 1, group);
        }
        Ok(word.bits())
    }

    /// Counts a use by an entry, or its end.
    pub fn entry_uses(&mut self, epoch: usize, target: &EntryTarget, begins: bool) {
        let plane = &mut self.planes[epoch];
        match target {
            EntryTarget::Member(id) => count(&mut plane.member_uses, *id, begins),
            EntryTarget::Group(id) => count(&mut plane.group_uses, *id, begins),
            EntryTarget::Action(_) => {}
        }
    }

    pub fn set_member(
        &mut self,
        log: &mut Log,
        epoch: usize,
        id: u32,
        call: &ActionCall,
    ) -> Result<(), Fault> {
        let full = Fault::Full { of: "members", limit: self.shape.members.into() };
        let place = self.members.add(&id, epoch).ok_or(full)?;
        self.planes[epoch].members.insert(id, call.clone());
        for copy in &mut self.copies {
            copy.members.put(log, 2 * place + epoch as u32, &data_word(&copy.shape.data, call));
        }
        Ok(())
    }

    pub fn delete_member(&mut self, epoch: usize, id: u32) -> Result<(), Fault> {
        let plane = &mut self.planes[epoch];
        if plane.member_uses.get(&id).is_some_and(|uses| *uses > 0) {
            return Err(Fault::InUse(format!("member {id}")));
        }
        plane.members.remove(&id).ok_or_else(|| Fault::Missing(format!("member {id}")))?;
        self.members.remove(&id, epoch);
        Ok(())
    }

    /// Sets a group; `members` have been looked at.
    pub fn set_group(
        &mut self,
        log: &mut Log,
        epoch: usize,
        id: u32,
        members: &[(u32, u32)],
    ) -> Result<(), Fault> {
        let mut members = members.to_vec();
        members.sort_unstable();
        let full = Fault::Full { of: "groups", limit: self.shape.groups.into() };
        let place = self.groups.add(&id, epoch).ok_or(full)?;
        let total: u32 = members.iter().map(|(_, weight)| weight).sum();
        let first = match self.room(epoch, total) {
            Some(first) => first,
            None => {
                self.planes[epoch].spans.remove(&id);
                self.pack(log, epoch);
                let plane = &self.planes[epoch];
                plane.spans.values().map(|(first, count)| first + count).max().unwrap_or(0)
            }
        };
        let plane = &mut self.planes[epoch];
        for (member, _) in plane.groups.insert(id, members.clone()).unwrap_or_default() {
            count(&mut plane.member_uses, member, false);
        }
        for (member, _) in &members {
            count(&mut plane.member_uses, *member, true);
        }
        self.write_group(log, epoch, place, first, &members);
        if total > 0 {
            self.planes[epoch].spans.insert(id, (first, total));
        } else {
            self.planes[epoch].spans.remove(&id);
        }
        Ok(())
    }

    pub fn delete_group(&mut self, log: &mut Log, epoch: usize, id: u32) -> Result<(), Fault> {
        let plane = &mut self.planes[epoch];
        if plane.group_uses.get(&id).is_some_and(|uses| *uses > 0) {
            return Err(Fault::InUse(format!("group {id}")));
        }
        let old = plane.groups.remove(&id).ok_or_else(|| Fault::Missing(format!("group {id}")))?;
        for (member, _) in old {
            count(&mut plane.member_uses, member, false);
        }
        plane.spans.remove(&id);
        if let Some(place) = self.groups.get(&id, epoch) {
            self.write_group(log, epoch, place, 0, &[]);
        }
        self.groups.remove(&id, epoch);
        Ok(())
    }

    /// A free span of choices of an epoch.
    fn room(&self, epoch: usize, total: u32) -> Option<u32> {
        let mut spans: Vec<(u32, u32)> = self.planes[epoch].spans.values().copied().collect();
        spans.sort_unstable();
        let mut at = 0;
        for (first, count) in spans {
            if first - at >= total {
                return Some(at);
            }
            at = first + count;
        }
        (self.shape.choices - at >= total).then_some(at)
    }

    /// Moves all choices together. Only the epoch's own packets could notice, for as long as it is written.
    fn pack(&mut self, log: &mut Log, epoch: usize) {
        let mut spans: Vec<(u32, u32, u32)> =
            self.planes[epoch].spans.iter().map(|(id, (first, n))| (*first, *n, *id)).collect();
        spans.sort_unstable();
        let mut at = 0;
        for (_, total, id) in spans {
            self.planes[epoch].spans.insert(id, (at, total));
            let members = self.planes[epoch].groups.get(&id).cloned().unwrap_or_default();
            if let Some(place) = self.groups.get(&id, epoch) {
                self.write_group(log, epoch, place, at, &members);
            }
            at += total;
        }
    }

    fn write_group(
        &mut self,
        log: &mut Log,
        epoch: usize,
        place: u32,
        first: u32,
        members: &[(u32, u32)],
    ) {
        let mut total = 0;
        for (member, weight) in members {
            let place = self.members.get(member, epoch).unwrap_or(0);
            let bits = Bits::new(self.shape.place_bits(), place.into());
            for _ in 0..*weight {
                let row = 2 * (first + total) + epoch as u32;
                self.copies.iter_mut().for_each(|copy| copy.choices.put(log, row, &bits));
                total += 1;
            }
        }
        let (count_bits, first_bits) = (self.shape.count_bits(), self.shape.first_bits());
        let mut word = Word::new(self.shape.group_bits());
        if total > 0 {
            word.number(0, count_bits, total.into()).number(count_bits, first_bits, first.into());
            let reciprocal = reciprocal(self.shape.hash_bits + count_bits, total);
            word.put(count_bits + first_bits, &Bits::new(self.shape.reciprocal_bits(), reciprocal));
        }
        let bits = word.bits();
        let row = 2 * place + epoch as u32;
        self.copies.iter_mut().for_each(|copy| copy.groups.put(log, row, &bits));
    }
}

/// `ceil(2^shift / n)`; the shift is below 100.
fn reciprocal(shift: u32, n: u32) -> u128 {
    (1u128 << shift).div_ceil(n.into())
}

fn count(uses: &mut BTreeMap<u32, u32>, id: u32, begins: bool) {
    let uses = uses.entry(id).or_default();
    *uses = if begins { *uses + 1 } else { uses.saturating_sub(1) };
}

fn missing(id: u32) -> Fault {
    Fault::Missing(format!("member {id} of its profile"))
}
