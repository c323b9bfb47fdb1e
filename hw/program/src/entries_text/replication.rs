//! Commands on the traffic point: multicast groups, their nodes, clone sessions.

use super::commands::Args;
use super::error::Stop;
use super::session::Session;
use crate::entry::{CloneTarget, Replica, Write};
use std::collections::BTreeMap;

/// `egress_spec` has nine bits.
const MAX_PORT: u64 = 511;
/// Copies that a group may ask for.
const MAX_REPLICAS: usize = 1 << 16;

fn group<'a, 't>(s: &mut Session, args: Args<'a, 't>) -> Result<(u16, Args<'a, 't>), Stop> {
    let word = args.words.first().copied();
    let (number, rest) = args.one(s, "multicast group", u16::MAX.into())?;
    match (number, word) {
        (0, Some(word)) => {
            Err(s.fault(args.line, word, "0 is no multicast group: it means none", None))
        }
        _ => Ok((number as u16, rest)),
    }
}

/// Groups and nodes as the lines so far have made them.
#[derive(Default)]
pub(super) struct Replication {
    /// Nodes by handle; `None` when destroyed.
    nodes: Vec<Option<Node>>,
    groups: BTreeMap<u16, Group>,
}

struct Node {
    rid: u16,
    ports: Vec<u16>,
}

struct Group {
    /// The handles of its nodes, in order.
    nodes: Vec<usize>,
    /// Which write said it last.
    at: usize,
}

pub(super) fn create_group(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (group, rest) = group(s, *args)?;
    rest.end(s)?;
    let empty = Group { nodes: Vec::new(), at: s.writes.len() };
    s.replication.groups.insert(group, empty);
    s.writes.push(Write::SetMulticast { group, replicas: Some(Vec::new()) });
    Ok(())
}

pub(super) fn destroy_group(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (group, rest) = group(s, *args)?;
    rest.end(s)?;
    s.replication.groups.remove(&group);
    s.writes.push(Write::SetMulticast { group, replicas: None });
    Ok(())
}

pub(super) fn create_node(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (rid, rest) = args.one(s, "replica id", u16::MAX.into())?;
    let ports = ports(s, rest)?;
    s.replication.nodes.push(Some(Node { rid: rid as u16, ports }));
    Ok(())
}

pub(super) fn update_node(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (handle, rest) = node(s, *args)?;
    let ports = ports(s, rest)?;
    if let Some(Some(node)) = s.replication.nodes.get_mut(handle) {
        node.ports = ports;
    }
    rewrite_groups_of(s, args, handle)
}

pub(super) fn destroy_node(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (handle, rest) = node(s, *args)?;
    rest.end(s)?;
    if let Some(slot) = s.replication.nodes.get_mut(handle) {
        *slot = None;
    }
    rewrite_groups_of(s, args, handle)
}

pub(super) fn associate(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (number, handle) = group_and_node(s, args)?;
    if let Some(group) = s.replication.groups.get_mut(&number) {
        group.nodes.push(handle);
    }
    rewrite(s, args, number, Some(handle))
}

pub(super) fn dissociate(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (number, handle) = group_and_node(s, args)?;
    let group = s.replication.groups.get_mut(&number);
    let found = group.and_then(|g| {
        let at = g.nodes.iter().position(|n| *n == handle)?;
        Some(g.nodes.remove(at))
    });
    if found.is_none() {
        let message = format_args!("node {handle} is not in multicast group {number}");
        return Err(s.fault(args.line, args.words[1], message, None));
    }
    rewrite(s, args, number, None)
}

fn ports(s: &mut Session, args: Args) -> Result<Vec<u16>, Stop> {
    let mut ports = Vec::with_capacity(args.words.len());
    for word in args.words {
        ports.push(s.number(args.line, *word, "port", MAX_PORT)? as u16);
    }
    Ok(ports)
}

/// The handle of a node that is there.
fn node<'a, 't>(s: &mut Session, args: Args<'a, 't>) -> Result<(usize, Args<'a, 't>), Stop> {
    let word = args.words.first().copied();
    let (handle, rest) = args.one(s, "node", u64::MAX)?;
    match (s.replication.nodes.get(handle as usize), word) {
        (Some(Some(_)), _) | (_, None) => Ok((handle as usize, rest)),
        (_, Some(word)) => {
            let count = s.replication.nodes.len();
            let help = format!("nodes count from 0; {count} are created above this line");
            let message = format_args!("there is no node {handle}");
            Err(s.fault(args.line, word, message, Some(help)))
        }
    }
}

fn group_and_node(s: &mut Session, args: &Args) -> Result<(u16, usize), Stop> {
    let (number, rest) = group(s, *args)?;
    let (handle, rest) = node(s, rest)?;
    rest.end(s)?;
    if !s.replication.groups.contains_key(&number) {
        let message = format_args!("there is no multicast group {number} above this line");
        let help = Some("use mc_mgrp_create".to_string());
        return Err(s.fault(args.line, args.words[0], message, help));
    }
    Ok((number, handle))
}

/// Says the groups again that have a node, which was changed or is gone.
fn rewrite_groups_of(s: &mut Session, args: &Args, handle: usize) -> Result<(), Stop> {
    let gone = matches!(s.replication.nodes.get(handle), Some(None));
    let with = s.replication.groups.iter_mut().filter(|(_, g)| g.nodes.contains(&handle));
    let mut numbers = Vec::new();
    for (number, group) in with {
        group.nodes.retain(|n| !gone || *n != handle);
        numbers.push(*number);
    }
    numbers.into_iter().try_for_each(|number| rewrite(s, args, number, None))
}

/// Says a group again; consecutive lines on one group are one write. `added` is a node that was put
/// behind the others, if that is all that has changed.
fn rewrite(s: &mut Session, args: &Args, number: u16, added: Option<usize>) -> Result<(), Stop> {
    let Some(group) = s.replication.groups.get_mut(&number) else { return Ok(()) };
    let nodes = &s.replication.nodes;
    let replicas_of = |handle: &usize| {
        let node = nodes.get(*handle).and_then(Option::as_ref);
        node.into_iter().flat_map(|n| n.ports.iter().map(|p| Replica { port: *p, rid: n.rid }))
    };
    let last = group.at + 1 == s.writes.len();
    let mut list = match s.writes.get_mut(group.at) {
        Some(Write::SetMulticast { replicas: Some(replicas), .. }) if last => {
            std::mem::take(replicas)
        }
        Some(Write::SetMulticast { replicas: Some(replicas), .. }) if added.is_some() => {
            replicas.clone()
        }
        _ => Vec::new(),
    };
    let before = list.len();
    match &added {
        Some(handle) => list.extend(replicas_of(handle)),
        None => list = group.nodes.iter().flat_map(replicas_of).collect(),
    }
    let items = match added {
        Some(_) if last => list.len() - before,
        Some(_) => list.len(),
        None => list.len() + group.nodes.len(),
    };
    if last {
        s.writes.pop();
    }
    group.at = s.writes.len();
    let many = list.len() > MAX_REPLICAS;
    s.writes.push(Write::SetMulticast { group: number, replicas: Some(list) });
    if many {
        let message = format_args!("multicast group {number} has too many replicas");
        return Err(s.fault(args.line, args.words[0], message, None));
    }
    s.list(args.line, items)
}

pub(super) fn mirror(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (session, rest) = args.one(s, "clone session", u32::MAX.into())?;
    let (limit, rest) = truncation(s, rest)?;
    let mut replicas = Vec::with_capacity(rest.words.len());
    for word in rest.words {
        let (port, rid) = word.text.split_once(':').unwrap_or((word.text, "0"));
        match (port.parse::<u16>(), rid.parse::<u16>()) {
            (Ok(port), Ok(rid)) if u64::from(port) <= MAX_PORT => {
                replicas.push(Replica { port, rid });
            }
            _ => {
                let short: String = word.text.chars().take(80).collect();
                let message = format_args!("`{short}` is no port, nor PORT:RID");
                let help = Some(format!("ports are numbers from 0 to {MAX_PORT}"));
                return Err(s.fault(args.line, *word, message, help));
            }
        }
    }
    let target = Some((CloneTarget::Replicas(replicas), limit));
    s.writes.push(Write::SetClone { session: session as u32, target });
    Ok(())
}

pub(super) fn mirror_group(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (session, rest) = args.one(s, "clone session", u32::MAX.into())?;
    let (limit, rest) = truncation(s, rest)?;
    let (group, rest) = group(s, rest)?;
    rest.end(s)?;
    let target = Some((CloneTarget::Group(group), limit));
    s.writes.push(Write::SetClone { session: session as u32, target });
    Ok(())
}

/// Takes `truncate=BYTES` off the end.
fn truncation<'a, 't>(
    s: &mut Session,
    args: Args<'a, 't>,
) -> Result<(Option<u32>, Args<'a, 't>), Stop> {
    let (word, rest) = args.option("truncate");
    let Some(word) = word else { return Ok((None, rest)) };
    match word.text.split_once('=').and_then(|(_, n)| n.parse().ok()) {
        Some(bytes) => Ok((Some(bytes), rest)),
        None => Err(s.fault(args.line, word, "this is no number of bytes", None)),
    }
}

pub(super) fn mirror_delete(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (session, rest) = args.one(s, "clone session", u32::MAX.into())?;
    rest.end(s)?;
    s.writes.push(Write::SetClone { session: session as u32, target: None });
    Ok(())
}
