//! Members and groups of action profiles, and members of value sets.

use super::Encoder;
use super::entries::absent;
use crate::bus::Log;
use restage_program::accept::{self, Fault};
use restage_program::entity as id;
use restage_program::entry::{KeyMatch, Write};
use restage_program::program::ActionRef;
use std::collections::HashSet;

impl Encoder {
    pub(super) fn profile(
        &mut self,
        log: &mut Log,
        epoch: usize,
        profile: id::Profile,
        write: &Write,
    ) -> Result<(), Fault> {
        let program = &self.program;
        let decl = &program.profiles[profile];
        let Some(of) = self.profiles.get_mut(&profile.0) else { return absent() };
        match write {
            Write::SetMember { member, call, .. } => {
                let tables = program.tables.values().filter(|t| t.profile == Some(profile));
                let allowed: Vec<&ActionRef> = tables.flat_map(|t| &t.actions).collect();
                accept::action(program, allowed.into_iter(), call, false)?;
                let plane = &of.planes[epoch];
                let limit = decl.size;
                if !plane.members.contains_key(member) && plane.members.len() >= limit as usize {
                    return Err(Fault::Full { of: "members", limit: limit.into() });
                }
                of.set_member(log, epoch, *member, call)
            }
            Write::DeleteMember(_, member) => of.delete_member(epoch, *member),
            Write::SetGroup { group, members, .. } => {
                let plane = &of.planes[epoch];
                let selector = decl
                    .selector
                    .as_ref()
                    .ok_or_else(|| Fault::Invalid("has no selector, so no groups".into()))?;
                let mut seen = HashSet::new();
                for (member, weight) in members {
                    if !plane.members.contains_key(member) {
                        return Err(Fault::Missing(format!("member {member}")));
                    }
                    if *weight == 0 {
                        return Err(Fault::Invalid(format!(
                            "member {member} has weight 0; it is 1 at least"
                        )));
                    }
                    if !seen.insert(*member) {
                        return Err(Fault::Invalid(format!(
                            "member {member} is named twice; give it a weight"
                        )));
                    }
                }
                let weights =
                    |all: &[(u32, u32)]| all.iter().map(|(_, w)| u64::from(*w)).sum::<u64>();
                let (most, here) = (u64::from(selector.max_group_size), weights(members));
                if most > 0 && here > most {
                    return Err(Fault::Full { of: "weights in a group", limit: most });
                }
                let others = plane.groups.iter().filter(|(g, _)| *g != group);
                if here + others.map(|(_, g)| weights(g)).sum::<u64>() > u64::from(decl.size) {
                    let limit = decl.size.into();
                    return Err(Fault::Full { of: "weights in all groups", limit });
                }
                of.set_group(log, epoch, *group, members)
            }
            Write::DeleteGroup(_, group) => of.delete_group(log, epoch, *group),
            _ => Ok(()),
        }
    }

    pub(super) fn value_set(
        &mut self,
        epoch: usize,
        set: id::ValueSet,
        members: &[Vec<KeyMatch>],
    ) -> Result<(), Fault> {
        let decl = &self.program.value_sets[set];
        if members.len() > decl.size as usize {
            return Err(Fault::Full { of: "members", limit: decl.size.into() });
        }
        for member in members {
            if member.len() != decl.columns.len() {
                let (got, want) = (member.len(), decl.columns.len());
                let text = format!("a member has {got} matches; it has {want} columns");
                return Err(Fault::Invalid(text));
            }
            for (on, column) in member.iter().zip(&decl.columns) {
                accept::any_match(&column.name, on, column.ty)?;
            }
        }
        let old = self.members[epoch].insert(set.0, members.to_vec()).unwrap_or_default();
        for (_, of) in self.value_sets.iter_mut().filter(|(s, _)| *s == set) {
            let ranks = |count: usize| (0..count as u64).map(|order| (0, order));
            ranks(old.len()).for_each(|rank| of.table.remove(epoch, rank));
            for (rank, member) in ranks(members.len()).zip(members) {
                if !of.table.insert(epoch, rank, 0, member) {
                    let limit = of.cell.shape.size.into();
                    return Err(Fault::Full { of: "members", limit });
                }
            }
        }
        Ok(())
    }
}
