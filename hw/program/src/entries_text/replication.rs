//! Commands on the traffic point: multicast groups, their nodes, clone sessions.

use super::commands::Args;
use super::error::Stop;
use super::session::Session;
use crate::entry::{CloneTarget, Replica, Write};

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

pub(super) fn create_group(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (group, rest) = group(s, *args)?;
    rest.end(s)?;
    s.multicast_at.insert(group, s.writes.len());
    s.writes.push(Write::SetMulticast { group, replicas: Some(Vec::new()) });
    Ok(())
}

pub(super) fn destroy_group(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (group, rest) = group(s, *args)?;
    rest.end(s)?;
    s.multicast_at.remove(&group);
    s.writes.push(Write::SetMulticast { group, replicas: None });
    Ok(())
}

pub(super) fn create_node(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (rid, rest) = args.one(s, "replica id", u16::MAX.into())?;
    let mut replicas: Vec<Replica> = Vec::with_capacity(rest.words.len());
    for word in rest.words {
        let port = s.number(args.line, *word, "port", MAX_PORT)? as u16;
        replicas.push(Replica { port, rid: rid as u16 });
    }
    s.nodes.push(replicas);
    Ok(())
}

pub(super) fn associate(s: &mut Session, args: &Args) -> Result<(), Stop> {
    let (group, rest) = group(s, *args)?;
    let (node, rest) = rest.one(s, "node", u64::MAX)?;
    rest.end(s)?;
    let Some(node) = s.nodes.get(node as usize).cloned() else {
        let help = format!("nodes count from 0; {} are created above this line", s.nodes.len());
        let message = format_args!("there is no node {node}");
        return Err(s.fault(args.line, args.words[1], message, Some(help)));
    };
    let at = s.multicast_at.get(&group).copied();
    let last = at.is_some_and(|at| at + 1 == s.writes.len());
    let found = at.and_then(|at| s.writes.get_mut(at));
    let Some(Write::SetMulticast { replicas: Some(replicas), .. }) = found else {
        let message = format_args!("there is no multicast group {group} above this line");
        let help = Some("use mc_mgrp_create".to_string());
        return Err(s.fault(args.line, args.words[0], message, help));
    };
    if replicas.len() + node.len() > MAX_REPLICAS {
        let message = format_args!("multicast group {group} has too many replicas");
        return Err(s.fault(args.line, args.words[0], message, None));
    }
    if last {
        // Consecutive lines on one group are one write.
        let items = node.len();
        replicas.extend(node);
        return s.list(args.line, items);
    }
    let replicas = [replicas.as_slice(), &node].concat();
    s.list(args.line, replicas.len())?;
    s.multicast_at.insert(group, s.writes.len());
    s.writes.push(Write::SetMulticast { group, replicas: Some(replicas) });
    Ok(())
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
