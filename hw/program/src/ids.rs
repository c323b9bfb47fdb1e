//! P4Runtime ids: derived from names, so that they stay when a program changes elsewhere.
//!
//! An id is the kind's prefix in the top byte and 24 bits of a hash of the name, the next free number
//! when that one is taken. The hash is Jenkins' one-at-a-time, as p4c uses, so a program printed as P4
//! and compiled gets the same ids.

use crate::program::{Preamble, Program};
use std::collections::HashSet;

/// Kinds of P4Runtime objects; the number is the id's top byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// An action.
    Action = 0x01,
    /// A table.
    Table = 0x02,
    /// A parser value set.
    ValueSet = 0x03,
    /// An action profile or selector.
    Profile = 0x11,
    /// A counter array.
    Counter = 0x12,
    /// A direct counter.
    DirectCounter = 0x13,
    /// A meter array.
    Meter = 0x14,
    /// A direct meter.
    DirectMeter = 0x15,
    /// A register array.
    Register = 0x16,
    /// A digest.
    Digest = 0x17,
    /// A map: an extern of ours.
    Map = 0x81,
}

/// Jenkins' one-at-a-time hash.
pub fn one_at_a_time(name: &str) -> u32 {
    let mut hash: u32 = 0;
    for byte in name.bytes() {
        hash = hash.wrapping_add(byte.into());
        hash = hash.wrapping_add(hash << 10);
        hash ^= hash >> 6;
    }
    hash = hash.wrapping_add(hash << 3);
    hash ^= hash >> 11;
    hash.wrapping_add(hash << 15)
}

/// Gives an id to every object that has none.
pub fn assign(program: &mut Program) {
    let mut taken = HashSet::new();
    visit(program, &mut |_, p| {
        if p.id != 0 {
            taken.insert(p.id);
        }
    });
    visit(program, &mut |kind, p| {
        if p.id != 0 {
            return;
        }
        let mut suffix = one_at_a_time(&p.name) & 0xff_ffff;
        loop {
            let id = (kind as u32) << 24 | suffix;
            if taken.insert(id) {
                p.id = id;
                return;
            }
            suffix = (suffix + 1) & 0xff_ffff;
        }
    });
}

fn visit(program: &mut Program, f: &mut dyn FnMut(Kind, &mut Preamble)) {
    for t in program.tables.values_mut() {
        f(Kind::Table, &mut t.preamble);
        if let Some(c) = &mut t.counter {
            f(Kind::DirectCounter, &mut c.preamble);
        }
        if let Some(m) = &mut t.meter {
            f(Kind::DirectMeter, &mut m.preamble);
        }
    }
    program.actions.values_mut().for_each(|d| f(Kind::Action, &mut d.preamble));
    program.value_sets.values_mut().for_each(|d| f(Kind::ValueSet, &mut d.preamble));
    program.profiles.values_mut().for_each(|d| f(Kind::Profile, &mut d.preamble));
    program.counters.values_mut().for_each(|d| f(Kind::Counter, &mut d.preamble));
    program.meters.values_mut().for_each(|d| f(Kind::Meter, &mut d.preamble));
    program.registers.values_mut().for_each(|d| f(Kind::Register, &mut d.preamble));
    program.digests.values_mut().for_each(|d| f(Kind::Digest, &mut d.preamble));
    program.maps.values_mut().for_each(|d| f(Kind::Map, &mut d.preamble));
}

/// Every object with its kind and its place in the serde form (`.tables[3].counter`).
pub fn objects(program: &Program) -> Vec<(Kind, String, &Preamble)> {
    let mut all = Vec::new();
    for (i, t) in program.tables.values().enumerate() {
        all.push((Kind::Table, format!(".tables[{i}]"), &t.preamble));
        if let Some(c) = &t.counter {
            all.push((Kind::DirectCounter, format!(".tables[{i}].counter"), &c.preamble));
        }
        if let Some(m) = &t.meter {
            all.push((Kind::DirectMeter, format!(".tables[{i}].meter"), &m.preamble));
        }
    }
    macro_rules! list {
        ($kind:ident $list:ident) => {
            all.extend(program.$list.values().enumerate().map(|(i, d)| {
                (Kind::$kind, format!(concat!(".", stringify!($list), "[{}]"), i), &d.preamble)
            }));
        };
    }
    list!(Action actions);
    list!(ValueSet value_sets);
    list!(Profile profiles);
    list!(Counter counters);
    list!(Meter meters);
    list!(Register registers);
    list!(Digest digests);
    list!(Map maps);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids that p4c gave to these names.
    #[test]
    fn ids_are_those_of_p4c() {
        for (kind, name, id) in [
            (Kind::Table, "Ing.route", 44238715),
            (Kind::Table, "Ing.nexthop", 46159419),
            (Kind::Action, "Ing.drop", 28695931),
            (Kind::Action, "Ing.to", 26670670),
            (Kind::DirectCounter, "Ing.route_hits", 322364929),
        ] {
            assert_eq!((kind as u32) << 24 | one_at_a_time(name) & 0xff_ffff, id, "{name}");
        }
    }
}
