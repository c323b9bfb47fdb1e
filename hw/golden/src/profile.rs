//! Action profiles at run time: members, groups, and who uses them.

use crate::table::Goal;
use restage_program::program::ActionCall;
use std::collections::BTreeMap;

/// A member as the control plane knows it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub call: ActionCall,
    /// Entries and groups that name it.
    pub uses: u32,
}

/// A group as the control plane knows it.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub members: Vec<(u32, u32)>,
    /// Entries that name it.
    pub uses: u32,
}

/// A profile. Members and groups keep their places as long as they exist.
#[derive(Clone, Debug)]
pub(crate) struct ProfileState {
    /// Action of each place.
    pub actions: Vec<u32>,
    pub args: Vec<u64>,
    pub stride: usize,
    /// For each group's place the places of its members, each as often as its weight says.
    pub choices: Vec<Vec<u32>>,
    members: BTreeMap<u32, (u32, Member)>,
    groups: BTreeMap<u32, (u32, Group)>,
    free_members: Vec<u32>,
    free_groups: Vec<u32>,
}

impl ProfileState {
    pub fn new(stride: usize) -> Self {
        ProfileState {
            actions: Vec::new(),
            args: Vec::new(),
            stride,
            choices: Vec::new(),
            members: BTreeMap::new(),
            groups: BTreeMap::new(),
            free_members: Vec::new(),
            free_groups: Vec::new(),
        }
    }

    pub fn member(&self, id: u32) -> Option<(u32, &Member)> {
        self.members.get(&id).map(|(place, member)| (*place, member))
    }

    pub fn group(&self, id: u32) -> Option<(u32, &Group)> {
        self.groups.get(&id).map(|(place, group)| (*place, group))
    }

    /// Members by their ids.
    pub fn members(&self) -> impl ExactSizeIterator<Item = (u32, &Member)> {
        self.members.iter().map(|(id, (_, member))| (*id, member))
    }

    /// Groups by their ids.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (u32, &Group)> {
        self.groups.iter().map(|(id, (_, group))| (*id, group))
    }

    pub fn set_member(&mut self, id: u32, call: ActionCall, args: &[u64]) {
        let (free, actions) = (&mut self.free_members, &mut self.actions);
        let (place, member) = self.members.entry(id).or_insert_with(|| {
            let place = free.pop().unwrap_or(actions.len() as u32);
            (place, Member { call: call.clone(), uses: 0 })
        });
        let at = *place as usize;
        if at == actions.len() {
            actions.push(0);
            self.args.resize(self.args.len() + self.stride, 0);
        }
        actions[at] = call.action.0;
        member.call = call;
        self.args[at * self.stride..][..args.len()].copy_from_slice(args);
    }

    pub fn delete_member(&mut self, id: u32) {
        self.free_members.extend(self.members.remove(&id).map(|(place, _)| place));
    }

    /// Sets a group of members that exist.
    pub fn set_group(&mut self, id: u32, mut members: Vec<(u32, u32)>) {
        members.sort_unstable();
        let old = self.groups.get(&id).map(|(_, g)| g.members.clone()).unwrap_or_default();
        self.count(&old, false);
        self.count(&members, true);
        let choices = members
            .iter()
            .filter_map(|(id, weight)| Some((self.members.get(id)?.0, *weight as usize)))
            .flat_map(|(place, weight)| std::iter::repeat_n(place, weight))
            .collect();
        let (free, all) = (&mut self.free_groups, &mut self.choices);
        let (place, group) = self.groups.entry(id).or_insert_with(|| {
            let place = free.pop().unwrap_or(all.len() as u32);
            (place, Group { members: Vec::new(), uses: 0 })
        });
        if *place as usize == all.len() {
            all.push(Vec::new());
        }
        all[*place as usize] = choices;
        group.members = members;
    }

    pub fn delete_group(&mut self, id: u32) {
        if let Some((place, group)) = self.groups.remove(&id) {
            self.count(&group.members, false);
            self.choices[place as usize].clear();
            self.free_groups.push(place);
        }
    }

    /// Counts a use by an entry, or its end.
    pub fn entry_uses(&mut self, goal: Goal, begins: bool) {
        let uses = match goal {
            Goal::Action(_) => None,
            Goal::Member(at) => {
                self.members.values_mut().find(|(p, _)| *p == at).map(|(_, m)| &mut m.uses)
            }
            Goal::Group(at) => {
                self.groups.values_mut().find(|(p, _)| *p == at).map(|(_, g)| &mut g.uses)
            }
        };
        if let Some(uses) = uses {
            *uses = if begins { *uses + 1 } else { uses.saturating_sub(1) };
        }
    }

    fn count(&mut self, members: &[(u32, u32)], begins: bool) {
        for (id, _) in members {
            if let Some((_, member)) = self.members.get_mut(id) {
                member.uses = if begins { member.uses + 1 } else { member.uses.saturating_sub(1) };
            }
        }
    }
}
