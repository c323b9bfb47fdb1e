//! Commands on action profiles: members and groups.

use super::commands::Args;
use super::error::Stop;
use super::session::Session;
use crate::entity::Profile;
use crate::entry::Write;

/// Members that a group may have.
const MAX_GROUP: usize = 1 << 16;

fn profile<'a, 't>(s: &mut Session, args: Args<'a, 't>) -> Result<(Profile, Args<'a, 't>), Stop> {
    let (name, rest) = args.first(s)?;
    let profile = s.named(args.line, name, s.program.find_profile(name.text))?;
    Ok((profile, rest))
}

/// The profile, which must have groups.
fn selector<'a, 't>(s: &mut Session, args: Args<'a, 't>) -> Result<(Profile, Args<'a, 't>), Stop> {
    let (key, rest) = profile(s, args)?;
    if s.program.profiles.get(key).is_some_and(|p| p.selector.is_some()) {
        return Ok((key, rest));
    }
    let message = "this action profile has no selector, so it has no groups";
    Err(s.fault(args.line, args.words[0], message, None))
}

fn id<'a, 't>(
    s: &mut Session,
    args: Args<'a, 't>,
    what: &str,
) -> Result<(u32, Args<'a, 't>), Stop> {
    // The largest number has no successor, and the next handle is the largest plus one.
    let (number, rest) = args.one(s, what, u64::from(u32::MAX) - 1)?;
    Ok((number as u32, rest))
}

pub(super) fn create_member(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (profile, rest) = profile(s, *args)?;
    let member = s.members.get(&profile).copied().unwrap_or(0);
    set_member(s, rest, profile, |_, rest| Ok((member, rest)))
}

pub(super) fn modify_member(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (profile, rest) = profile(s, *args)?;
    set_member(s, rest, profile, |s, rest| id(s, rest, "member"))
}

fn set_member<'a, 't>(
    s: &mut Session,
    args: Args<'a, 't>,
    profile: Profile,
    number: impl Fn(&mut Session, Args<'a, 't>) -> Result<(u32, Args<'a, 't>), Stop>,
) -> Result<(), Stop> {
    let (name, rest) = args.first(s)?;
    let action = s.named(args.line, name, s.program.find_profile_action(profile, name.text))?;
    let (member, rest) = number(s, rest)?;
    let call = rest.skip_arrow().call(s, action)?;
    let next = s.members.entry(profile).or_default();
    *next = (*next).max(member + 1);
    s.writes.push(Write::SetMember { profile, member, call });
    Ok(())
}

pub(super) fn delete_member(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (profile, rest) = profile(s, *args)?;
    let (member, rest) = id(s, rest, "member")?;
    rest.end(s)?;
    s.writes.push(Write::DeleteMember(profile, member));
    Ok(())
}

pub(super) fn create_group(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (profile, rest) = selector(s, *args)?;
    rest.end(s)?;
    let group = s.groups.get(&profile).copied().unwrap_or(0);
    push_group(s, *args, profile, group, Vec::new())
}

pub(super) fn set_group(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (profile, rest) = selector(s, *args)?;
    let (group, rest) = id(s, rest, "group")?;
    let mut members = Vec::with_capacity(rest.words.len());
    for word in rest.words {
        let (member, weight) = word.text.split_once('*').unwrap_or((word.text, "1"));
        match (member.parse(), weight.parse()) {
            (Ok(member), Ok(weight)) if weight > 0 => members.push((member, weight)),
            _ => return Err(rest.unexpected(s, *word)),
        }
    }
    push_group(s, rest, profile, group, members)
}

fn push_group(
    s: &mut Session,
    args: Args,
    profile: Profile,
    group: u32,
    members: Vec<(u32, u32)>,
) -> Result<(), Stop> {
    s.list(args.line, members.len())?;
    let next = s.groups.entry(profile).or_default();
    *next = (*next).max(group + 1);
    s.groups_at.insert((profile, group), s.writes.len());
    s.writes.push(Write::SetGroup { profile, group, members });
    Ok(())
}

pub(super) fn add_to_group(s: &mut Session, args: &Args) -> Result<(), Stop> {
    change_group(s, *args, true)
}

pub(super) fn remove_from_group(s: &mut Session, args: &Args) -> Result<(), Stop> {
    change_group(s, *args, false)
}

fn change_group(s: &mut Session, args: Args, add: bool) -> Result<(), Stop> {
    let (profile, rest) = selector(s, args)?;
    let (member, rest) = id(s, rest, "member")?;
    let (group, rest) = id(s, rest, "group")?;
    let weight = match rest.words {
        [weight] if add => s.number(rest.line, *weight, "weight", u32::MAX.into())?.max(1) as u32,
        _ => {
            rest.end(s)?;
            1
        }
    };
    let at = s.groups_at.get(&(profile, group)).copied();
    let last = at.is_some_and(|at| at + 1 == s.writes.len());
    let Some(Write::SetGroup { members, .. }) = at.and_then(|at| s.writes.get_mut(at)) else {
        let message = format_args!("there is no group {group} above this line");
        let help = Some("use act_prof_create_group; groups count from 0".to_string());
        return Err(s.fault(args.line, args.words[2], message, help));
    };
    let found = members.iter().position(|(m, _)| *m == member);
    if found.is_some() == add || members.len() > MAX_GROUP {
        let is = if add { "is already, or cannot be," } else { "is not" };
        let message = format_args!("member {member} {is} in group {group}");
        return Err(s.fault(args.line, args.words[1], message, None));
    }
    let mut copy = if last { std::mem::take(members) } else { members.clone() };
    match found {
        Some(at) => drop(copy.remove(at)),
        None => copy.push((member, weight)),
    }
    if last {
        // Consecutive lines on one group are one write.
        *members = copy;
        return s.list(args.line, 1);
    }
    push_group(s, args, profile, group, copy)
}

pub(super) fn delete_group(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (profile, rest) = selector(s, *args)?;
    let (group, rest) = id(s, rest, "group")?;
    rest.end(s)?;
    s.groups_at.remove(&(profile, group));
    s.writes.push(Write::DeleteGroup(profile, group));
    Ok(())
}
