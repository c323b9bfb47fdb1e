//! Members and groups of action profiles.

use super::limbs;
use crate::profile::ProfileState;
use crate::state::State;
use restage_program::accept::{self, Fault, WriteError, object, refused};
use restage_program::entity::{Entity, Profile};
use restage_program::entry::Write;
use restage_program::program::{ActionCall, ActionRef, ProfileDecl, Program};

pub(super) fn write(program: &Program, state: &mut State, write: &Write) -> Result<(), WriteError> {
    let profile = match write {
        Write::SetMember { profile, .. } | Write::SetGroup { profile, .. } => *profile,
        Write::DeleteMember(profile, _) | Write::DeleteGroup(profile, _) => *profile,
        _ => return Ok(()),
    };
    let decl = object("action profile", &program.profiles, profile)?;
    let it = &mut state.profiles[profile.index()];
    let done = match write {
        Write::SetMember { member, call, .. } => set_member(program, it, profile, *member, call),
        Write::DeleteMember(_, id) => match it.member(*id) {
            None => Err(Fault::Missing(format!("member {id}"))),
            Some((_, member)) if member.uses > 0 => Err(Fault::InUse(format!("member {id}"))),
            Some(_) => {
                it.delete_member(*id);
                Ok(())
            }
        },
        Write::SetGroup { group, members, .. } => set_group(decl, it, *group, members),
        Write::DeleteGroup(_, id) => match it.group(*id) {
            None => Err(Fault::Missing(format!("group {id}"))),
            Some((_, group)) if group.uses > 0 => Err(Fault::InUse(format!("group {id}"))),
            Some(_) => {
                it.delete_group(*id);
                Ok(())
            }
        },
        _ => Ok(()),
    };
    done.map_err(|fault| refused("action profile", &decl.preamble.name, fault))
}

fn set_member(
    program: &Program,
    state: &mut ProfileState,
    profile: Profile,
    id: u32,
    call: &ActionCall,
) -> Result<(), Fault> {
    let tables = program.tables.values().filter(|t| t.profile == Some(profile));
    let allowed: Vec<&ActionRef> = tables.flat_map(|t| &t.actions).collect();
    accept::action(program, allowed.into_iter(), call, false)?;
    let limit = program.profiles[profile].size;
    if state.member(id).is_none() && state.members().len() >= limit as usize {
        return Err(Fault::Full { of: "members", limit: limit.into() });
    }
    state.set_member(id, call.clone(), &limbs(&call.args));
    Ok(())
}

fn set_group(
    decl: &ProfileDecl,
    state: &mut ProfileState,
    id: u32,
    members: &[(u32, u32)],
) -> Result<(), Fault> {
    let Some(selector) = &decl.selector else {
        return Err(Fault::Invalid("has no selector, so no groups".into()));
    };
    let mut seen = std::collections::HashSet::new();
    for (member, weight) in members {
        if state.member(*member).is_none() {
            return Err(Fault::Missing(format!("member {member}")));
        }
        if *weight == 0 {
            return Err(Fault::Invalid(format!("member {member} has weight 0; it is 1 at least")));
        }
        if !seen.insert(*member) {
            return Err(Fault::Invalid(format!(
                "member {member} is named twice; give it a weight"
            )));
        }
    }
    let weights = |members: &[(u32, u32)]| members.iter().map(|(_, w)| u64::from(*w)).sum::<u64>();
    let (most, here) = (u64::from(selector.max_group_size), weights(members));
    if most > 0 && here > most {
        return Err(Fault::Full { of: "weights in a group", limit: most });
    }
    let others = state.groups().filter(|(g, _)| *g != id).map(|(_, g)| weights(&g.members));
    if here + others.sum::<u64>() > u64::from(decl.size) {
        return Err(Fault::Full { of: "weights in all groups", limit: decl.size.into() });
    }
    state.set_group(id, members.to_vec());
    Ok(())
}
