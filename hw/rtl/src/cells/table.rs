//! Tables and parser value sets: the lookup, then what stands behind the id.

use super::Site;
use super::config::{Config, Ports};
use super::exact::exact;
use super::lpm::lpm;
use super::meter::{Metered, metered};
use super::ram::{registers, versioned};
use super::register::count;
use super::rmw::{Class, Rmw, rmw};
use super::selector::member;
use super::ternary;
use crate::pipe::{Pipe, Sig};
use restage_manifest::cell::{LookupShape, Part, Parts, TableShape, ValueSetShape};
use restage_program::program::MatchKind;

/// What a table looks up.
#[derive(Clone, Debug)]
pub struct TableIn {
    /// Whether it is applied.
    pub guard: Sig,
    /// A value for each key.
    pub keys: Vec<Sig>,
    /// The hash by which its profile's selector chooses, if there is one; `hash_bits` wide.
    pub selector: Option<Sig>,
    /// Bytes of the packet, 16 bits, for a direct counter or meter.
    pub length: Option<Sig>,
}

/// What it gives.
#[derive(Clone, Debug)]
pub struct TableOut {
    /// Whether an entry matched (and its group has members). 0 without a guard.
    pub hit: Sig,
    /// The position of the action in the shape's actions: that of the entry, or of the default action.
    pub action: Sig,
    /// The colour of the direct meter, 2 bits, 0 for green, without one, or on a miss.
    pub colour: Sig,
    /// For each action of the shape its parameters; those of the action that runs are its data, the others mean
    /// nothing.
    pub params: Vec<Vec<Sig>>,
}

/// A table.
pub fn table(
    p: &mut Pipe,
    config: &mut Config,
    shape: &TableShape,
    site: Site<'_>,
    input: &TableIn,
) -> (TableOut, Ports) {
    let name = site.name;
    p.section(format!("table {name}"));
    let ports = config.cell(&shape.parts());
    if input.keys.len() != shape.keys.len() {
        let (got, want) = (input.keys.len(), shape.keys.len());
        p.refuse(format!("table {name} is given {got} keys; it has {want}"));
    }
    let defaults = registers(p, config, &ports, Part::Default, &format!("{name}_default"));
    let found = lookup(p, config, &ports, shape, site, &input.keys);

    let (hit, data) = match found {
        None => (p.lit(1, 0), None),
        Some((hit, id)) => {
            let id = p.named(&format!("{name}_id"), id);
            let title = format!("{name}_data");
            let data = versioned(p, config, &ports, Part::Data, &title, id, site.epoch);
            let hit = p.and(hit, input.guard);
            match &shape.profile {
                None => (hit, Some((data, id))),
                Some(profile) => {
                    let (some, data) =
                        member(p, config, &ports, profile, site, data, input.selector);
                    (p.and(hit, some), Some((data, id)))
                }
            }
        }
    };
    let hit = p.named(&format!("{name}_hit"), hit);
    let colour = match data {
        Some((_, id)) => behind(p, config, &ports, shape, site, input, hit, id),
        None => p.lit(2, 0),
    };

    // The default's words are always there: taken at the last moment, nothing of them is delayed.
    let (old, new) = (defaults[0].q(), defaults[1].q());
    let late = p.latest(&[data.map_or(hit, |d| d.0), hit, input.guard]);
    let (old, new) = (p.sig(old, late), p.sig(new, late));
    let epoch = p.at(site.epoch, late);
    let mut word = p.mux(epoch, new, old);
    if let Some((data, _)) = data {
        word = p.mux(hit, data, word);
    }
    let word = p.named(&format!("{name}_action"), word);
    let action = p.slice(word, shape.data.index_bits() - 1, 0);
    let params = (0..shape.data.actions.len())
        .map(|action| {
            let places = shape.data.params(action);
            places.into_iter().map(|(low, width)| p.slice(word, low + width - 1, low)).collect()
        })
        .collect();
    (TableOut { hit, action, colour, params }, ports)
}

/// Whether an entry matches, and its id.
fn lookup(
    p: &mut Pipe,
    config: &mut Config,
    ports: &Ports,
    shape: &TableShape,
    site: Site<'_>,
    keys: &[Sig],
) -> Option<(Sig, Sig)> {
    match &shape.lookup {
        LookupShape::Keyless => None,
        LookupShape::Exact(inner) => {
            let key = p.concat(keys);
            Some(exact(p, config, ports, inner, site, key))
        }
        LookupShape::Lpm(inner) => {
            // The prefix is the lowest part.
            let mut parts: Vec<(bool, Sig)> = shape
                .keys
                .iter()
                .map(|k| k.kind == MatchKind::Lpm)
                .zip(keys.iter().copied())
                .collect();
            parts.sort_by_key(|(prefix, _)| *prefix);
            let key = p.concat(&parts.into_iter().map(|(_, key)| key).collect::<Vec<_>>());
            Some(lpm(p, config, ports, inner, site, key))
        }
        LookupShape::Ternary(inner) => {
            let (hit, position) = ternary::ternary(p, config, ports, inner, site, keys);
            let title = format!("{}_position", site.name);
            let id = versioned(p, config, ports, Part::Position, &title, position, site.epoch);
            Some((hit, id))
        }
    }
}

/// Direct counter and meter, and the time of the last hit; gives the colour.
#[allow(clippy::too_many_arguments)] // a step of `table`, which is long enough
fn behind(
    p: &mut Pipe,
    config: &mut Config,
    ports: &Ports,
    shape: &TableShape,
    site: Site<'_>,
    input: &TableIn,
    hit: Sig,
    id: Sig,
) -> Sig {
    let zero = p.lit(2, 0);
    let length = input.length.unwrap_or_else(|| p.lit(16, 0));
    if input.length.is_none() && (shape.counter.is_some() || shape.meter.is_some()) {
        p.refuse(format!("table {} counts or meters and is not told packet lengths", site.name));
    }
    let title = format!("{}_count", site.name);
    if let Some(unit) = shape.counter {
        let cell = Rmw {
            name: &title,
            what: &title,
            ports,
            part: Part::Count,
            packet: site.packet,
            index: id,
            class: Class::Counter(unit),
        };
        count(p, config, &cell, unit, hit, length);
    }
    let title = format!("{}_used", site.name);
    if shape.idle {
        let cell = Rmw {
            name: &title,
            what: &title,
            ports,
            part: Part::Used,
            packet: site.packet,
            index: id,
            class: Class::Used,
        };
        rmw(p, config, &cell, &[hit, site.time], |_, _, rest| (rest[0], rest[1]));
    }
    match shape.meter {
        None => zero,
        Some(unit) => {
            let name = format!("{}_meter", site.name);
            let site = Site { name: &name, ..site };
            metered(p, config, ports, site, Metered { unit, guard: hit, index: id, length })
        }
    }
}

/// A parser value set: whether its columns match a member.
pub fn value_set(
    p: &mut Pipe,
    config: &mut Config,
    shape: &ValueSetShape,
    site: Site<'_>,
    columns: &[Sig],
) -> (Sig, Ports) {
    p.section(format!("value set {}", site.name));
    let ports = config.cell(&shape.parts());
    let found = ternary::member(p, config, &ports, &shape.table, site, columns);
    (found, ports)
}
