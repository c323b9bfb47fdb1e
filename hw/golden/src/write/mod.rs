//! Writes of a control plane: looked at as a whole first, then done, so that a refused one changes
//! nothing.

pub(crate) mod entries;
mod profiles;

use crate::crc::CustomCrc;
use crate::map::MapState;
use crate::matching::Test;
use crate::state::State;
use restage_program::Bits;
use restage_program::accept::{self, Fault, WriteError, in_range, object, rates, refused};
use restage_program::entity::{Entity, Map, ValueSet};
use restage_program::entry::{CloneTarget, CrcParams, KeyMatch, Replica, Write};
use restage_program::program::{FieldDecl, Program};

/// Does a write.
pub(crate) fn write(program: &Program, state: &mut State, write: &Write) -> Result<(), WriteError> {
    match write {
        Write::Insert(..)
        | Write::Modify(..)
        | Write::Delete { .. }
        | Write::SetDefault(..)
        | Write::SetDirectCounter { .. }
        | Write::SetDirectMeter { .. } => entries::write(program, state, write),
        Write::SetMember { .. }
        | Write::DeleteMember(..)
        | Write::SetGroup { .. }
        | Write::DeleteGroup(..) => profiles::write(program, state, write),
        Write::SetMulticast { group, replicas } => multicast(state, *group, replicas.as_deref()),
        Write::SetClone { session, target } => {
            let refuse = |fault| refused("clone session", &session.to_string(), fault);
            match target {
                None if !state.sessions.contains_key(session) => {
                    return Err(refuse(Fault::Missing("the session".into())));
                }
                None => {
                    state.sessions.remove(session);
                }
                Some((CloneTarget::Replicas(replicas), _)) if wrong_port(replicas).is_some() => {
                    return Err(refuse(Fault::Invalid(port_text(replicas))));
                }
                Some(target) => {
                    state.sessions.insert(*session, target.clone());
                }
            }
            Ok(())
        }
        Write::SetValueSet(set, members) => value_set(program, state, *set, members),
        Write::SetRegister(register, index, value) => {
            let decl = object("register", &program.registers, *register)?;
            let refuse = |fault| refused("register", &decl.preamble.name, fault);
            let cells = &mut state.registers[register.index()];
            in_range(*index, decl.size).map_err(refuse)?;
            accept::width("its value", value, decl.ty.width()).map_err(refuse)?;
            let at = *index as usize * cells.limbs;
            cells.words[at..at + cells.limbs].copy_from_slice(value.limbs());
            Ok(())
        }
        Write::SetCounter(counter, index, value) => {
            let decl = object("counter", &program.counters, *counter)?;
            let refuse = |fault| refused("counter", &decl.preamble.name, fault);
            in_range(*index, decl.size).map_err(refuse)?;
            state.counters[counter.index()][*index as usize] = *value;
            Ok(())
        }
        Write::SetMeter(meter, index, config) => {
            let decl = object("meter", &program.meters, *meter)?;
            let refuse = |fault| refused("meter", &decl.preamble.name, fault);
            in_range(*index, decl.size).map_err(refuse)?;
            rates(config.as_ref()).map_err(refuse)?;
            state.meters[meter.index()][*index as usize].configure(*config, state.now);
            Ok(())
        }
        Write::SetCrc(crc, params) => {
            let decl = object("custom CRC", &program.crcs, *crc)?;
            let CrcParams { polynomial, start, xor, .. } = *params;
            if (polynomial | start | xor).checked_shr(decl.width).unwrap_or(0) != 0 {
                let text = format!("has {} bits, its parameters no more", decl.width);
                return Err(refused("custom CRC", &decl.name, Fault::Invalid(text)));
            }
            state.crcs[crc.index()] = CustomCrc::new(decl.width, *params);
            Ok(())
        }
        Write::SetMapEntry { map, key, values } => {
            map_entry(program, state, *map, key, Some(values))
        }
        Write::DeleteMapEntry(map, key) => map_entry(program, state, *map, key, None),
    }
}

fn wrong_port(replicas: &[Replica]) -> Option<u16> {
    replicas.iter().map(|r| r.port).find(|p| *p > 511)
}

fn port_text(replicas: &[Replica]) -> String {
    format!("there is no port {}; they go from 0 to 511", wrong_port(replicas).unwrap_or(0))
}

fn multicast(
    state: &mut State,
    group: u16,
    replicas: Option<&[Replica]>,
) -> Result<(), WriteError> {
    let refuse = |fault| Err(refused("multicast group", &group.to_string(), fault));
    match replicas {
        _ if group == 0 => {
            refuse(Fault::Invalid("means no multicast; groups are numbered from 1".into()))
        }
        None if !state.groups.contains_key(&group) => {
            refuse(Fault::Missing("the group".to_string()))
        }
        None => {
            state.groups.remove(&group);
            Ok(())
        }
        Some(replicas) if wrong_port(replicas).is_some() => {
            refuse(Fault::Invalid(port_text(replicas)))
        }
        Some(replicas) => {
            state.groups.insert(group, replicas.to_vec());
            Ok(())
        }
    }
}

fn value_set(
    program: &Program,
    state: &mut State,
    set: ValueSet,
    members: &[Vec<KeyMatch>],
) -> Result<(), WriteError> {
    let decl = object("value set", &program.value_sets, set)?;
    let refuse = |fault| refused("value set", &decl.preamble.name, fault);
    if members.len() > decl.size as usize {
        return Err(refuse(Fault::Full { of: "members", limit: decl.size.into() }));
    }
    let mut tests = Vec::new();
    for member in members {
        if member.len() != decl.columns.len() {
            let (got, want) = (member.len(), decl.columns.len());
            let text = format!("a member has {got} matches; it has {want} columns");
            return Err(refuse(Fault::Invalid(text)));
        }
        for (on, column) in member.iter().zip(&decl.columns) {
            accept::any_match(&column.name, on, column.ty).map_err(refuse)?;
        }
        let columns = member.iter().zip(&decl.columns);
        tests.push(columns.map(|(on, column)| Test::new(on, column.ty)).collect());
    }
    let state = &mut state.value_sets[set.index()];
    (state.members, state.tests) = (members.to_vec(), tests);
    Ok(())
}

/// Sets the values of a map's key, or removes it.
fn map_entry(
    program: &Program,
    state: &mut State,
    map: Map,
    key: &[Bits],
    values: Option<&Vec<Bits>>,
) -> Result<(), WriteError> {
    let decl = object("map", &program.maps, map)?;
    let refuse = |fault| refused("map", &decl.preamble.name, fault);
    accept::fields("key", key, &decl.key).map_err(refuse)?;
    let now = state.now;
    let hash = map_hash(key, &decl.key);
    let words = limbs(key);
    let state: &mut MapState = &mut state.maps[map.index()];
    let Some(values) = values else {
        return match state.remove(hash, &words, now) {
            true => Ok(()),
            false => Err(refuse(Fault::Missing("the key".into()))),
        };
    };
    accept::fields("values", values, &decl.values).map_err(refuse)?;
    match state.put(hash, &words, &limbs(values), now) {
        true => Ok(()),
        false => {
            Err(refuse(Fault::Full { of: "entries in the key's bucket", limit: decl.ways.into() }))
        }
    }
}

/// The hash of a key, as packets compute it.
pub(crate) fn map_hash(key: &[Bits], fields: &[FieldDecl]) -> u32 {
    let (mut slots, mut vals, mut at) = (Vec::new(), Vec::new(), 0);
    for (value, field) in key.iter().zip(fields) {
        vals.push(crate::layout::Val { slot: at, ty: field.ty });
        slots.extend_from_slice(value.limbs());
        at += value.limbs().len() as u32;
    }
    crate::checksum::crc32_of(&vals, &slots, &mut Vec::new())
}

pub(crate) fn limbs(values: &[Bits]) -> Vec<u64> {
    values.iter().flat_map(|v| v.limbs().iter().copied()).collect()
}
