//! Multicast groups and clone sessions: lists of replicas in the shell.
//!
//! A list that changes gets new rows; then the word that points to it is written, in one clock; then its old
//! rows are free. So a packet meets the old list or the new one.

use crate::bus::BusOp;
use restage_manifest::ShellConfig;
use restage_manifest::address::{SHELL, shell};
use restage_program::accept::Fault;
use restage_program::entry::{CloneTarget, Replica};
use std::collections::BTreeMap;

/// A copy of a session is not truncated.
const WHOLE: u32 = (1 << 14) - 1;

/// What is installed.
#[derive(Clone, Debug)]
pub(crate) struct Lists {
    config: ShellConfig,
    groups: BTreeMap<u16, Vec<Replica>>,
    sessions: BTreeMap<u32, (CloneTarget, Option<u32>)>,
    /// Rows in use: the first, and how many, by who has them.
    rows: BTreeMap<Owner, (u32, u32)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Owner {
    Group(u16),
    Session(u32),
}

impl Lists {
    pub fn new(config: &ShellConfig) -> Self {
        Lists {
            config: config.clone(),
            groups: BTreeMap::new(),
            sessions: BTreeMap::new(),
            rows: BTreeMap::new(),
        }
    }

    /// Sets or removes a group.
    pub fn group(&mut self, group: u16, replicas: Option<&[Replica]>) -> Result<Vec<BusOp>, Fault> {
        if group == 0 {
            return Err(Fault::Invalid("means no group; groups are numbered from 1".into()));
        }
        below(group.into(), self.config.groups)?;
        if replicas.is_none() && !self.groups.contains_key(&group) {
            return Err(Fault::Missing(format!("group {group}")));
        }
        let mut ops = Vec::new();
        let place = self.list(Owner::Group(group), replicas.unwrap_or_default(), &mut ops)?;
        match replicas {
            Some(replicas) => self.groups.insert(group, replicas.to_vec()),
            None => self.groups.remove(&group),
        };
        put(&mut ops, shell::GROUP_ROW, group.into());
        put(&mut ops, shell::GROUP_DATA, place);
        let named: Vec<u32> = self
            .sessions
            .iter()
            .filter(|(_, (target, _))| *target == CloneTarget::Group(group))
            .map(|(session, _)| *session)
            .collect();
        for session in named {
            self.point(session, &mut ops)?;
        }
        Ok(ops)
    }

    /// Sets or removes a session.
    pub fn session(
        &mut self,
        session: u32,
        target: Option<&(CloneTarget, Option<u32>)>,
    ) -> Result<Vec<BusOp>, Fault> {
        below(session, self.config.sessions)?;
        if target.is_none() && !self.sessions.contains_key(&session) {
            return Err(Fault::Missing(format!("session {session}")));
        }
        let mut ops = Vec::new();
        let own: &[Replica] = match target {
            Some((CloneTarget::Replicas(replicas), _)) => replicas,
            _ => &[],
        };
        self.list(Owner::Session(session), own, &mut ops)?;
        match target {
            Some(target) => self.sessions.insert(session, target.clone()),
            None => self.sessions.remove(&session),
        };
        self.point(session, &mut ops)?;
        Ok(ops)
    }

    /// Writes where a session points.
    fn point(&mut self, session: u32, ops: &mut Vec<BusOp>) -> Result<(), Fault> {
        let (held, owner) = match self.sessions.get(&session) {
            None => (0, None),
            Some((target, most)) => {
                let most = most.map_or(WHOLE, |bytes| bytes.min(WHOLE));
                let owner = match target {
                    CloneTarget::Replicas(_) => Owner::Session(session),
                    CloneTarget::Group(group) => Owner::Group(*group),
                };
                (1 << 31 | most, Some(owner))
            }
        };
        let place = owner.and_then(|o| self.rows.get(&o)).map_or(0, |(first, n)| first << 16 | n);
        put(ops, shell::SESSION_ROW, session);
        put(ops, shell::SESSION_HOLD, held);
        put(ops, shell::SESSION_DATA, place);
        Ok(())
    }

    /// Puts a list in rows that nobody has; gives the word that points to it.
    fn list(
        &mut self,
        owner: Owner,
        replicas: &[Replica],
        ops: &mut Vec<BusOp>,
    ) -> Result<u32, Fault> {
        let count = replicas.len() as u32;
        if count == 0 {
            self.rows.remove(&owner);
            return Ok(0);
        }
        let full = Fault::Full { of: "replicas", limit: self.config.replicas.into() };
        let first = self.room(count).ok_or(full)?;
        put(ops, shell::REPLICA_ROW, first);
        for replica in replicas {
            put(ops, shell::REPLICA_DATA, u32::from(replica.rid) << 16 | u32::from(replica.port));
        }
        self.rows.insert(owner, (first, count));
        Ok(first << 16 | count)
    }

    /// The first free rows of this number.
    fn room(&self, count: u32) -> Option<u32> {
        let mut taken: Vec<(u32, u32)> = self.rows.values().copied().collect();
        taken.sort_unstable();
        let mut next = 0;
        for (first, length) in taken {
            if first - next >= count {
                break;
            }
            next = first + length;
        }
        (next + count <= self.config.replicas).then_some(next)
    }
}

fn below(number: u32, limit: u32) -> Result<(), Fault> {
    match number < limit {
        true => Ok(()),
        false => Err(Fault::Invalid(format!(
            "is out of range; this shell has numbers below {limit}, which its configuration can raise"
        ))),
    }
}

fn put(ops: &mut Vec<BusOp>, word: u32, value: u32) {
    ops.push(BusOp::Write { unit: SHELL, word, value });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replicas(ports: &[u16]) -> Vec<Replica> {
        ports.iter().map(|port| Replica { port: *port, rid: 7 }).collect()
    }

    /// What the shell has after some writes.
    #[derive(Default)]
    struct Shell {
        groups: BTreeMap<u32, u32>,
        sessions: BTreeMap<u32, (u32, u32)>,
        rows: Vec<u32>,
    }

    fn shell_after(ops: &[BusOp]) -> Shell {
        let mut has = Shell { rows: vec![0; 16], ..Shell::default() };
        let Shell { groups, sessions, rows } = &mut has;
        let (mut row, mut held) = (0, 0);
        for op in ops {
            let BusOp::Write { word, value, .. } = *op else { continue };
            match word {
                shell::GROUP_ROW | shell::SESSION_ROW | shell::REPLICA_ROW => row = value,
                shell::SESSION_HOLD => held = value,
                shell::GROUP_DATA => drop(groups.insert(row, value)),
                shell::SESSION_DATA => drop(sessions.insert(row, (held, value))),
                _ => {
                    rows[row as usize] = value;
                    row += 1;
                }
            }
        }
        has
    }

    #[test]
    fn lists_get_rows_that_nobody_has_and_sessions_follow_their_group() {
        let config = ShellConfig { replicas: 16, groups: 4, sessions: 4, ..ShellConfig::default() };
        let mut lists = Lists::new(&config);
        let mut ops = lists.group(1, Some(&replicas(&[1, 2]))).unwrap();
        ops.extend(lists.group(2, Some(&replicas(&[3]))).unwrap());
        ops.extend(lists.session(3, Some(&(CloneTarget::Group(1), Some(100)))).unwrap());
        ops.extend(lists.group(1, Some(&replicas(&[4, 5, 6]))).unwrap());
        let Shell { groups, sessions, rows } = shell_after(&ops);
        assert_eq!(groups[&2], 2 << 16 | 1);
        assert_eq!(groups[&1], 3 << 16 | 3);
        assert_eq!(sessions[&3], (1 << 31 | 100, 3 << 16 | 3));
        assert_eq!(rows[2..6], [7 << 16 | 3, 7 << 16 | 4, 7 << 16 | 5, 7 << 16 | 6]);
        assert!(matches!(lists.group(3, Some(&replicas(&[1; 16]))), Err(Fault::Full { .. })));
        assert!(lists.group(4, Some(&[])).is_err());
        assert!(lists.session(2, None).is_err());
        assert!(lists.group(3, Some(&replicas(&[1; 10]))).is_ok(), "six rows are in use");
    }
}
