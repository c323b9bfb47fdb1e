//! Maps that packets fill: all ways of a bucket at once, one packet at every clock.
//!
//! Contract: packets act in order, as the golden model has it, also back to back on one bucket; what the host puts or
//! removes enters in the clocks without packets, with the time of the last packet. Rows can be read by the host and not
//! written: a put finds its own place.
//!
//! Comparing keys and times takes longer than a clock, so what goes round in one clock are not rows but two bits for each way:
//! whether its key is this packet's, and whether its entry lives. For a row that was read they are computed on the
//! way; for a row that a packet in flight has changed since they are known in advance for each pair of packets (the same bucket? the
//! same key? near enough in time?), and all that is missing is which way the earlier packet took.

mod moving;
mod ways;

use super::Site;
use super::config::{Config, Live, Ports};
use super::lane::Moving;
use super::rmw::fits_a_clock;
use crate::net::{Drive, MemStyle, Net};
use crate::pipe::{Pipe, Sig};
use moving::{Operation, Taken};
use restage_manifest::cell::{MapShape, Part, Parts, bits_for};
use restage_manifest::socket::TIME_BITS;
use ways::{Doing, Pair, Way, after, pair};

/// Clocks that a host operation waits, so that what packets did before it is in memory when it reads.
const SETTLING: u32 = 8;

/// What is looked up.
#[derive(Clone, Debug)]
pub struct MapIn<'a> {
    /// The key's fields.
    pub key: Vec<Sig>,
    /// CRC-32 of the key, fields joined without gaps and filled with zeros to whole bytes.
    pub hash: Sig,
    /// Whether finding an entry counts as use; includes the guard.
    pub touch: Sig,
    /// Everything else that the update needs.
    pub operands: &'a [Sig],
}

/// What the update says, in one clock.
#[derive(Clone, Debug)]
pub struct MapStep {
    /// Whether an entry is written (includes the guard), and with which values.
    pub put: Option<(Sig, Vec<Sig>)>,
    /// Whether the entry is removed; includes the guard. Not together with `put`.
    pub remove: Option<Sig>,
}

/// What a map gives.
#[derive(Clone, Debug)]
pub struct MapOut {
    /// Whether there is a live entry.
    pub found: Sig,
    /// Its values, 0 if there is none.
    pub values: Vec<Sig>,
    /// Whether a put is, or would be, stored.
    pub stored: Sig,
}

/// A map. `update` is given whether there is a live entry, its values (0 if not) and the operands, all in one clock,
/// and must stay in that clock.
pub fn map(
    p: &mut Pipe,
    config: &mut Config,
    shape: &MapShape,
    site: Site<'_>,
    input: &MapIn<'_>,
    update: impl FnOnce(&mut Pipe, Sig, &[Sig], &[Sig]) -> MapStep,
) -> (MapOut, Ports) {
    let name = site.name;
    p.section(format!("map {name}"));
    let ports = config.cell(&shape.parts());
    let (ways, row_bits) = (shape.ways as usize, bits_for(shape.buckets));

    // The packet, or in its place the host.
    let bucket = match shape.buckets {
        0 | 1 => p.lit(row_bits, 0),
        _ => p.resize(input.hash, row_bits),
    };
    let key = p.concat(&input.key);
    let (bucket, key) = (p.registered(bucket), p.registered(key));
    let start = p.latest(&[bucket, key, site.packet, site.time, input.touch]);
    let packet = p.at(site.packet, start);
    let way_bits = bits_for(shape.ways);
    let class = moving::class(shape);
    let moving = Moving {
        name,
        class: &class,
        ports: &ports,
        part: Part::MapWay(0),
        rows: shape.buckets << way_bits,
        bits: moving::bits(shape),
        signed: false,
        start,
    };
    let moves = config.moves(p, &moving);
    let busy = match moves {
        None => packet,
        Some(moves) => p.or(packet, moves.copy),
    };
    let hosts: Vec<Live> = (0..shape.ways)
        .map(|way| config.live_after(p, &ports, Part::MapWay(way), busy, SETTLING))
        .collect();
    let (bucket, key) = (p.at(bucket, start), p.at(key, start));
    let time = p.at(site.time, start);
    let m = p.module();
    let issues: Vec<Net> = hosts.iter().map(|h| h.issue).collect();
    let issue = m.or_all(&issues);
    let row = m.resize(hosts[0].row, row_bits);
    let mut bucket = m.mux(issue, row, bucket.net());
    if let Some(moves) = moves {
        let row = m.slice(moves.row.net(), way_bits + row_bits - 1, way_bits);
        bucket = m.mux(moves.copy.net(), row, bucket);
    }
    let held_key = m.slice(hosts[0].data, shape.time_at() - 1, shape.key_at());
    let key = m.mux(issue, held_key, key.net());
    let last = m.reg(&format!("{name}_last_time"), TIME_BITS);
    let zero = m.lit(TIME_BITS, 0);
    let latest = m.mux(hosts[0].clear, zero, time.net());
    let mut changes = m.or(packet.net(), hosts[0].clear);
    let taken = moves.map(|moves| Taken::new(m, shape, &moves));
    let latest = match &taken {
        None => latest,
        Some(taken) => {
            let latest = m.mux(changes, latest, taken.time);
            changes = m.or(changes, taken.now);
            latest
        }
    };
    m.drive(last, latest, Drive::when(changes).reset_zero(TIME_BITS));
    let now = m.mux(packet.net(), time.net(), last.q());
    let sig = |p: &Pipe, net| p.sig(net, start);
    let (bucket, key, now, issue) = (sig(p, bucket), sig(p, key), sig(p, now), sig(p, issue));
    let address = bucket;
    let (bucket, key, now) = (p.register(bucket), p.register(key), p.register(now));
    let oldest = p.lit(TIME_BITS, 0);
    let mut since = oldest;
    if shape.idle_timeout_us > 0 && shape.idle_timeout_us < 1 << TIME_BITS {
        let most = p.lit(TIME_BITS, shape.idle_timeout_us);
        let early = p.lt(now, most);
        let passed = p.sub(now, most);
        since = p.mux(early, oldest, passed);
        since = p.registered(since);
    }

    // What the memories say.
    let memories: Vec<_> = (0..ways)
        .map(|way| {
            let m = p.module();
            let (depth, auto) = (shape.buckets.max(2), MemStyle::Auto);
            let held = m.memory(&format!("{name}_way{way}"), shape.time_at(), depth, auto);
            let used = m.memory(&format!("{name}_used{way}"), TIME_BITS + 1, depth, auto);
            let on = m.lit(1, 1);
            let row = m.read_port(held, on, address.net(), 2);
            let time = m.read_port(used, on, address.net(), 2);
            (held, used, p.sig(row, start + 2), p.sig(time, start + 2))
        })
        .collect();
    let mut base = Vec::new();
    for (_, _, row, used) in &memories {
        let stored = p.slice(*row, shape.time_at() - 1, shape.key_at());
        let same = p.eq(stored, key);
        let (there, at) = (p.bit(*used, TIME_BITS), p.slice(*used, TIME_BITS - 1, 0));
        let late = p.le(since, at);
        let alive = p.and(there, late);
        let values = match shape.value_bits() {
            0 => None,
            bits => Some(p.slice(*row, bits - 1, 0)),
        };
        base.push(Way { same: p.registered(same), alive: p.registered(alive), values });
    }
    let flags: Vec<Sig> = base.iter().flat_map(|w| [w.same, w.alive]).collect();
    let given: Vec<Sig> = input.operands.iter().map(|o| p.registered(*o)).collect();
    let operands = p.latest(&given);
    // One cycle to merge with what was done two and more packets before, then the operation.
    let merge = p.latest(&flags).max(operands.saturating_sub(1));
    let exec = merge + 1;

    let doing = Doing {
        put: (0..ways).map(|w| p.module().reg(&format!("{name}_put{w}"), 1)).collect(),
        changed: (0..ways).map(|w| p.module().reg(&format!("{name}_changed{w}"), 1)).collect(),
        removed: (0..ways).map(|w| p.module().reg(&format!("{name}_removed{w}"), 1)).collect(),
        values: (shape.value_bits() > 0)
            .then(|| p.module().reg(&format!("{name}_new"), shape.value_bits())),
    };
    // The memory is read at `start` and written one cycle behind the operation.
    let before: Vec<Pair> = (1..=exec - start + 1)
        .map(|count| {
            let at = if count == 1 { exec } else { merge };
            pair(p, count, bucket, key, now, since, at)
        })
        .collect();
    let mut registered = Vec::new();
    for (way, base) in base.iter().enumerate() {
        let mut merged = Way {
            same: p.at(base.same, merge),
            alive: p.at(base.alive, merge),
            values: base.values.map(|v| p.at(v, merge)),
        };
        for (ago, pair) in before.iter().skip(1).enumerate().rev() {
            merged = after(p, &doing, way, ago as u32, merge, pair, merged);
        }
        registered.push(Way {
            same: p.register(merged.same),
            alive: p.register(merged.alive),
            values: merged.values.map(|v| p.register(v)),
        });
    }

    // The operation, which begins where an earlier packet's doing comes in. It must stay in its clock.
    let usual = p.allow_levels(u32::MAX);
    let found_ways: Vec<Way> = registered
        .into_iter()
        .enumerate()
        .map(|(way, old)| after(p, &doing, way, 0, exec, &before[0], old))
        .collect();
    let hits: Vec<Sig> = found_ways.iter().map(|w| p.and(w.same, w.alive)).collect();
    let found = p.or_all(&hits);
    let mut values = Vec::new();
    if shape.value_bits() > 0 {
        let choices: Vec<(Sig, Sig)> =
            hits.iter().zip(&found_ways).filter_map(|(hit, w)| Some((*hit, w.values?))).collect();
        let all = p.select(&choices);
        let mut at = 0;
        for width in &shape.values {
            values.push(p.slice(all, at + width - 1, at));
            at += width;
        }
    }
    let rest: Vec<Sig> = given.iter().map(|o| p.at(*o, exec)).collect();
    let step = update(p, found, &values, &rest);
    let packet = p.at(packet, exec);
    let (host, command) = (p.at(issue, exec), hosts[0].command);
    let order = |p: &mut Pipe, code: u32| {
        let m = p.module();
        let code = m.lit(m.width(command), code.into());
        let mine = m.eq(command, code);
        let mine = p.sig(mine, exec);
        p.and(host, mine)
    };
    let (host_put, host_remove) = (order(p, MapShape::PUT), order(p, MapShape::REMOVE));
    let clears = p.sig(hosts[0].clear, start);
    let clears = p.at(clears, exec);
    let cleared = p.and(host, clears);
    let (mut put, mut new) = (host_put, None);
    if let Some((enable, values)) = step.put {
        let enable = p.and(enable, packet);
        put = p.or(put, enable);
        let parts: Vec<Sig> = values.iter().rev().copied().collect();
        if !parts.is_empty() {
            new = Some(p.concat(&parts));
        }
    }
    let mut remove = host_remove;
    if let Some(enable) = step.remove {
        let enable = p.and(enable, packet);
        remove = p.or(remove, enable);
    }
    let touch = p.at(input.touch, exec);
    let touch = p.and(touch, packet);
    let mut none_before = p.lit(1, 1);
    let mut ends = Vec::new();
    let mut places = Vec::new();
    for (hit, way) in hits.iter().zip(&found_ways) {
        let not_found = p.not(found);
        let free = p.not(way.alive);
        let first = p.and_all(&[not_found, free, none_before]);
        none_before = p.and(none_before, way.alive);
        let place = p.or(*hit, first);
        let puts = p.and(place, put);
        let removes = p.and(remove, *hit);
        let touches = p.and(touch, *hit);
        let changes = p.or_all(&[puts, removes, touches]);
        let (puts, changes) = (p.or(puts, cleared), p.or(changes, cleared));
        let gone = p.or(removes, cleared);
        ends.extend([puts, changes, gone]);
        places.push((puts, changes, gone));
    }
    let stored = p.not(none_before);
    let stored = p.or(found, stored);
    for (way, (puts, changes, gone)) in places.into_iter().enumerate() {
        let m = p.module();
        m.drive(doing.put[way], puts.net(), Drive::always());
        m.drive(doing.changed[way], changes.net(), Drive::always());
        m.drive(doing.removed[way], gone.net(), Drive::always());
    }
    if let Some(register) = doing.values {
        let m = p.module();
        let held = m.slice(hosts[0].data, shape.value_bits() - 1, 0);
        let held = p.sig(held, exec);
        let new = match new {
            None => held,
            Some(new) => p.mux(host, held, new),
        };
        ends.push(new);
        p.module().drive(register, new.net(), Drive::always());
    }
    p.allow_levels(usual);
    fits_a_clock(p, &format!("map {name}"), exec, &ends);

    // Memories are written behind the operation.
    let (bucket, key, now) = (p.at(bucket, exec + 1), p.at(key, exec + 1), p.at(now, exec + 1));
    if let Some(moves) = moves {
        let rows = memories.iter().map(|(_, _, row, used)| (*row, *used)).collect();
        let operation = Operation { rows, before: &before, doing: &doing, bucket, key, now, exec };
        let any = p.or(packet, issue);
        let any = p.at(any, exec + 1);
        let (message, sent) = operation.message(p, shape, &moves, any);
        let clash = taken.map_or(sent.row, |taken| taken.clash(p.module(), &doing));
        config.send(p, &moving, &moves, exec + 1, sent.valid, sent.row, message, clash);
    }
    let m = p.module();
    for (way, (held, used, ..)) in memories.iter().enumerate() {
        let (put, changed, gone) =
            (doing.put[way].q(), doing.changed[way].q(), doing.removed[way].q());
        let row = match doing.values {
            None => key.net(),
            Some(values) => m.concat(&[key.net(), values.q()]),
        };
        let there = m.not(gone);
        let mark = m.concat(&[there, now.net()]);
        match &taken {
            None => {
                m.write_port(*held, put, bucket.net(), row);
                m.write_port(*used, changed, bucket.net(), mark);
            }
            Some(taken) => {
                let (enable, to, row) = taken.row(m, way, put, bucket.net(), row);
                m.write_port(*held, enable, to, row);
                let (enable, to, mark) = taken.mark(m, way, changed, bucket.net(), mark);
                m.write_port(*used, enable, to, mark);
            }
        }
    }
    for (host, (_, _, row, used)) in hosts.iter().zip(&memories) {
        let m = p.module();
        let read = m.lit(m.width(command), restage_manifest::address::region::READ.into());
        let reads = m.eq(command, read);
        let done = m.delay(host.issue, 2);
        let done = m.and(done, reads);
        let whole = m.concat(&[used.net(), row.net()]);
        config.answer(done, whole, None);
        // Any other command ends with the operation; writing rows is none.
        let m = p.module();
        let others = m.not(reads);
        let done = m.delay(host.issue, exec - start);
        let done = m.and(done, others);
        let full = m.not(stored.net());
        let full = m.and(full, host_put.net());
        let absent = m.not(found.net());
        let absent = m.and(absent, host_remove.net());
        let known = m.or_all(&[host_put.net(), host_remove.net(), cleared.net()]);
        let unknown = m.not(known);
        let refused = m.or_all(&[full, absent, unknown]);
        let refused = m.and(refused, done);
        let nothing = m.lit(1, 0);
        config.answer(done, nothing, Some(refused));
    }
    (MapOut { found, values, stored }, ports)
}
