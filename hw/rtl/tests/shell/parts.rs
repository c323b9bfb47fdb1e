//! Single circuits of the shell against plain models.

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use restage_manifest::ShellConfig;
use restage_manifest::address::shell::FED;
use restage_manifest::address::{self, guard as word, region, shell};
use restage_manifest::socket::RegionKind;
use restage_program::Bits;
use restage_rtl::Circuit;
use restage_rtl::shell::{fabric, fifo, guard};
use restage_sim_verilator::{Build, Cache, Model};
use std::collections::VecDeque;

fn model(circuit: &Circuit, seed: u64) -> Model {
    let build = Build::new(circuit.name()).source("part.v", circuit.verilog());
    let mut model = build.build(&Cache::standard()).unwrap().instance(seed).unwrap();
    set(&mut model, "rst_ni", 0);
    (0..4).for_each(|_| model.tick());
    set(&mut model, "rst_ni", 1);
    model
}

fn set(model: &mut Model, port: &str, value: u64) {
    let port = model.port(port).unwrap();
    model.set_u64(port, value);
}

fn get(model: &mut Model, port: &str) -> u64 {
    let port = model.port(port).unwrap();
    model.get_u64(port)
}

/// State goes from the stage that each word's register names, when it is coupled, and to nobody else.
#[test]
fn lanes_go_where_the_registers_say() {
    let config = ShellConfig { regions: 5, lane_words: 2, ..ShellConfig::default() };
    let parts = fabric(&config).unwrap().parts;
    let circuit = parts.iter().find(|part| part.name() == "restage_lane").unwrap();
    let mut rng = SmallRng::seed_from_u64(1);
    let mut dut = model(circuit, 1);
    let stages: Vec<String> = (0..config.regions).map(|i| format!("stage{i}")).collect();
    let first = address::stage(&config, 0);
    let count = stages.len();
    let words = config.lane_words as usize;
    let mut routes = vec![vec![0u64; words]; count];
    // What each stage said a clock ago: whether it was heard, and the words.
    let mut shown: Vec<(u64, Vec<u64>)> = vec![(0, vec![0; words]); count];
    let fed_bit = u64::from(FED);
    let (mut asked, mut sent): (Option<(u32, u64)>, u64) = (None, 0);
    for clock in 0..6000u32 {
        dut.eval();
        for (to, name) in stages.iter().enumerate() {
            let valid = get(&mut dut, &format!("{name}_lane_valid_o"));
            let said = get(&mut dut, &format!("{name}_lane_o"));
            for word in 0..words {
                let (route, what) = (routes[to][word], format!("word {word} of {name}, {clock}"));
                let from = (route & 0xff) as usize;
                let from = from.wrapping_sub(first as usize);
                let source = shown.get(from).filter(|_| route & fed_bit != 0 && from != to);
                let got = said >> (32 * word) & 0xffff_ffff;
                let want = source.map_or((0, 0), |(valid, said)| (valid >> word & 1, said[word]));
                assert_eq!((valid >> word & 1, got), want, "{what}");
                sent += want.0;
            }
        }
        if let Some((at, want)) = asked.take_if(|(at, _)| *at == clock) {
            assert_eq!(get(&mut dut, "csr_rdata_o"), want, "read at {at}");
        }
        for (i, name) in stages.iter().enumerate() {
            let coupled = rng.random_range(0..4) > 0;
            let valid = rng.random_range(0..1 << words);
            let said: Vec<u64> = (0..words).map(|_| rng.random::<u32>().into()).collect();
            set(&mut dut, &format!("{name}_coupled_i"), coupled.into());
            set(&mut dut, &format!("{name}_lane_valid_i"), valid);
            set(&mut dut, &format!("{name}_lane_i"), said[1] << 32 | said[0]);
            shown[i] = (if coupled { valid } else { 0 }, said);
        }
        // Registers change while nobody says anything.
        set(&mut dut, "csr_write_i", 0);
        if clock % 60 == 50 && asked.is_none() {
            let (to, word) = (rng.random_range(0..count), rng.random_range(0..words));
            let unit = u64::from(first) + rng.random_range(0..count as u64);
            let fed = if rng.random_range(0..5) == 0 { 0 } else { fed_bit };
            let elsewhere = rng.random_range(0..6) == 0;
            set(&mut dut, "csr_write_i", 1);
            set(&mut dut, "csr_wdata_i", fed | unit);
            let at = shell::lane(to as u32, word as u32) + if elsewhere { 0x400 } else { 0 };
            set(&mut dut, "csr_addr_i", at.into());
            dut.tick();
            set(&mut dut, "csr_write_i", 0);
            dut.tick();
            if !elsewhere {
                routes[to][word] = fed | unit;
            }
            let (to, word) = (rng.random_range(0..count), rng.random_range(0..words));
            set(&mut dut, "csr_addr_i", shell::lane(to as u32, word as u32).into());
            asked = Some((clock + 3, routes[to][word]));
        }
        dut.tick();
    }
    assert!(sent > 10_000, "{sent}");
}

fn part_of(config: &ShellConfig, name: &str) -> Circuit {
    fabric(config).unwrap().parts.into_iter().find(|part| part.name() == name).unwrap()
}

/// Beats are where they were written, and the room is what is free less what may be on its way.
#[test]
fn the_payload_buffer_is_a_ring() {
    let config = crate::small::small();
    let beats = u64::from(config.payload_beats);
    // Pointers go round eight times as far as the ring.
    let (all, margin) = (8 * beats, 16);
    let mut rng = SmallRng::seed_from_u64(1);
    let mut dut = model(&part_of(&config, "restage_payload"), 1);
    let mut ring: Vec<u64> = vec![0; beats as usize];
    let (mut ptr, mut free) = (0u64, 0u64);
    let mut reads: VecDeque<Option<[u64; 2]>> = vec![None; 3].into();
    let mut rooms: VecDeque<Option<u64>> = vec![None; 3].into();
    let (mut full, mut looked) = (0, 0);
    for clock in 0..120_000u64 {
        dut.eval();
        if let Some(want) = reads.pop_front().unwrap() {
            let got = ["beat_o", "next_o"].map(|port| get(&mut dut, port));
            assert_eq!(got, want, "clock {clock}");
            looked += 1;
        }
        let room = get(&mut dut, "room_o");
        if let Some(want) = rooms.pop_front().unwrap() {
            assert_eq!(room, want, "clock {clock}");
            full += 1 - want;
        }
        // Full for a while, then empty for a while.
        let filling = clock / 10_000 % 2 == 0;
        let inside = ptr - free;
        let write =
            inside + margin < beats && rng.random_range(0..10) < if filling { 9 } else { 3 };
        let frees = rng.random_range(0..10) < if filling { 2 } else { 8 };
        let data: u64 = rng.random();
        set(&mut dut, "beat_valid_i", write.into());
        set(&mut dut, "beat_data_i", data);
        set(&mut dut, "ptr_i", ptr % all);
        // Two beats that have been written.
        let read = inside > 20 && rng.random_range(0..3) > 0;
        let from = free + rng.random_range(0..inside.max(4) - 3);
        set(&mut dut, "read_i", read.into());
        set(&mut dut, "read_ptr_i", from % all);
        let at = |pointer: u64| ring[(pointer % beats) as usize];
        reads.push_back(read.then(|| [at(from), at(from + 1)]));
        // What is said to be free may be ahead of what has come.
        let ahead = if rng.random_range(0..50) == 0 { 10 } else { 0 };
        let next = (free + rng.random_range(0..4)).min(ptr);
        let said = if frees { next + if next == ptr { ahead } else { 0 } } else { rng.random() };
        set(&mut dut, "free_i", frees.into());
        set(&mut dut, "free_ptr_i", said % all);
        if frees {
            free = next;
        }
        let ahead = if frees { said - next } else { 0 };
        if write {
            ring[(ptr % beats) as usize] = data;
            ptr += 1;
        }
        // The pointer of the next clock is the one that is compared with what is free then.
        rooms.push_back((ahead == 0).then(|| u64::from(ptr - free + margin < beats)));
        dut.tick();
    }
    assert!(full > 5000 && looked > 10_000 && ptr > 2 * all, "{full} {looked} {ptr}");
}

/// Of each epoch's deparser what counts comes out; two at once, and tags that do not follow each other, are said.
#[test]
fn the_join_takes_from_the_deparser_of_the_epoch() {
    let mut rng = SmallRng::seed_from_u64(4);
    let mut dut = model(&part_of(&crate::small::small(), "restage_join"), 1);
    let what = ["tag", "ticket", "side", "header", "length"];
    let outputs = what[1..].iter().map(|name| dut.port(&format!("{name}_o")).unwrap());
    let outputs: Vec<_> = outputs.collect();
    set(&mut dut, "join0_i", 1);
    set(&mut dut, "join1_i", 2);
    let (mut want, mut tag, mut expected) = (None::<Vec<Bits>>, 0, 0);
    let (mut collided, mut disordered, mut seen) = (false, false, [0; 3]);
    for clock in 0..20_000 {
        dut.eval();
        assert_eq!(get(&mut dut, "valid_o"), u64::from(want.is_some()), "clock {clock}");
        assert_eq!(get(&mut dut, "collided_o"), u64::from(collided), "clock {clock}");
        assert_eq!(get(&mut dut, "disordered_o"), u64::from(disordered), "clock {clock}");
        for (port, value) in outputs.iter().zip(want.iter().flat_map(|all| &all[1..])) {
            assert_eq!(dut.get(*port), *value, "clock {clock}");
        }
        disordered = want.is_some() && tag != expected;
        if want.is_some() {
            expected = (tag + 1) & 0xff;
        }
        let mut counts = Vec::new();
        for i in 0..2u64 {
            let valid = rng.random_range(0..3) == 0;
            set(&mut dut, &format!("deparser{i}_valid_i"), valid.into());
            let mut values = Vec::new();
            for name in what {
                let port = dut.port(&format!("deparser{i}_{name}_i")).unwrap();
                let value = match name {
                    "tag" if rng.random_range(0..20) > 0 => Bits::new(8, expected.into()),
                    _ => some(&mut rng, dut.width(port)),
                };
                dut.set(port, &value);
                values.push(value);
            }
            if valid && values[1].low_u64() & 1 == i {
                counts.push(values);
            }
        }
        collided = counts.len() == 2;
        seen[0] += u32::from(collided);
        seen[1] += u32::from(disordered);
        want = counts.pop();
        seen[2] += u32::from(want.is_some());
        tag = want.as_ref().map_or(0, |all| all[0].low_u64());
        dut.tick();
    }
    assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
}

/// What makes packets and what ends them, of either epoch, whatever the number.
#[test]
fn packets_inside_are_counted_by_epoch() {
    let mut rng = SmallRng::seed_from_u64(3);
    let mut dut = model(&part_of(&crate::small::small(), "restage_inflight"), 1);
    let more = ["begun", "copied", "looped"].map(|name| (name, 1));
    let less = ["forgotten", "popped", "gone", "retired"].map(|name| (name, -1));
    let mut counts: VecDeque<[i64; 2]> = vec![[0; 2]; 2].into();
    let mut most = 0;
    for clock in 0..200_000u32 {
        dut.eval();
        let want = counts.pop_front().unwrap();
        let got = ["count0_o", "count1_o"].map(|port| get(&mut dut, port) as i64);
        assert_eq!(got, want.map(|count| count & 0xffff), "clock {clock}");
        let mut now = *counts.back().unwrap();
        let rising = clock / 50_000 % 2 == 0;
        for (name, change) in more.into_iter().chain(less) {
            let epoch = rng.random_range(0..2usize);
            let often = if rising == (change > 0) { 8 } else { 2 };
            let room = now[epoch] + change >= 0;
            let event = room && rng.random_range(0..10) < often;
            set(&mut dut, &format!("{name}_i"), event.into());
            set(&mut dut, &format!("{name}_epoch_i"), epoch as u64);
            now[epoch] += i64::from(event) * change;
        }
        most = most.max(now[1]);
        counts.push_back(now);
        dut.tick();
    }
    assert!(most > 0x8000, "{most}");
}

/// Everything is counted, three events of a kind in a clock at most.
#[test]
fn counters_count_every_event() {
    let config = crate::small::small();
    let mut rng = SmallRng::seed_from_u64(2);
    let mut dut = model(&part_of(&config, "restage_csr"), 1);
    let names = [
        "received",
        "sent",
        "dropped_ingress",
        "dropped_egress",
        "no_group",
        "no_session",
        "too_often",
        "looped",
        "loop_full",
        "digest_lost",
        "wrong_size",
        "lost",
        "collided",
        "disordered",
        "held_ingress",
        "held_egress",
        "shed",
    ];
    let ports: Vec<_> = names.iter().map(|n| dut.port(&format!("{n}_i")).unwrap()).collect();
    let mut counts = [0u64; 17];
    set(&mut dut, "csr_write_i", 0);
    let check = |dut: &mut Model, counts: &[u64; 17]| {
        ports.iter().for_each(|port| dut.set_u64(*port, 0));
        for (count, want) in shell::Count::ALL.into_iter().zip(counts) {
            let word = |dut: &mut Model, at: u32| {
                set(dut, "csr_addr_i", at.into());
                (0..6).for_each(|_| dut.tick());
                get(dut, "csr_rdata_o")
            };
            let (low, high) = (word(dut, count.word()), word(dut, count.word() + 1));
            assert_eq!(high << 32 | low, *want, "{count:?}");
        }
    };
    for round in 0..40 {
        for _ in 0..50 {
            for (port, count) in ports.iter().zip(&mut counts) {
                let events = rng.random_range(0..8u64);
                dut.set_u64(*port, events);
                *count += u64::from(events.count_ones());
            }
            dut.tick();
        }
        check(&mut dut, &counts);
        // As many as there can be, for a while.
        let clocks = if round % 10 == 9 { 300_000 } else { 2000 };
        ports.iter().for_each(|port| dut.set_u64(*port, 7));
        (0..clocks).for_each(|_| dut.tick());
        counts.iter_mut().for_each(|count| *count += 3 * clocks);
        check(&mut dut, &counts);
    }
    assert!(counts[0] > 1 << 21);
}

#[test]
fn a_queue_keeps_order_at_every_filling() {
    for (depth, seed) in [(32, 1), (256, 2)] {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut dut = model(&fifo(40, depth).unwrap(), seed);
        set(&mut dut, "push_i", 0);
        set(&mut dut, "pop_i", 0);
        let mut inside: VecDeque<(u64, u64)> = VecDeque::new();
        let (mut most, mut passed) = (0, 0);
        for clock in 0..20_000u64 {
            dut.eval();
            let shown = inside.front().is_some_and(|(_, at)| *at + 2 <= clock);
            assert_eq!(get(&mut dut, "valid_o"), u64::from(shown), "clock {clock}");
            assert_eq!(get(&mut dut, "count_o"), inside.len() as u64);
            if shown {
                assert_eq!(get(&mut dut, "data_o"), inside[0].0);
            }
            let bias = if clock / 1000 % 2 == 0 { 8 } else { 2 };
            let push = inside.len() < depth as usize && rng.random_range(0..10) < bias;
            let pop = shown && rng.random_range(0..10) < 10 - bias;
            let data = rng.random::<u64>() >> 24;
            set(&mut dut, "push_i", push.into());
            set(&mut dut, "data_i", data);
            set(&mut dut, "pop_i", pop.into());
            if pop {
                inside.pop_front();
                passed += 1;
            }
            if push {
                inside.push_back((data, clock));
            }
            most = most.max(inside.len());
            dut.tick();
        }
        assert!(most == depth as usize && passed > 4000, "{most} {passed}");
    }
}

/// What is on its way through a guard.
#[derive(Clone)]
struct Slot {
    valid: bool,
    live: bool,
    tag: u64,
    ticket: Bits,
    phv: Bits,
}

fn some(rng: &mut SmallRng, width: u32) -> Bits {
    let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| rng.random()).collect();
    Bits::from_limbs(width, &limbs)
}

/// The region's bits where the mask says so, the others of the packet.
fn merged(mask: &Bits, theirs: &Bits, own: &Bits) -> Bits {
    let all = mask.limbs().iter().zip(theirs.limbs()).zip(own.limbs());
    let limbs: Vec<u64> = all.map(|((m, t), o)| t & m | o & !m).collect();
    Bits::from_limbs(mask.width(), &limbs)
}

#[test]
fn a_guard_delays_by_the_latency_and_keeps_what_is_not_the_regions() {
    guarded(RegionKind::Stage);
}

#[test]
fn a_parsers_guard_delays_by_the_latency_and_keeps_what_is_not_the_regions() {
    guarded(RegionKind::Parser);
}

#[test]
fn a_deparsers_guard_delays_by_the_latency_and_shows_its_header() {
    guarded(RegionKind::Deparser);
}

fn guarded(kind: RegionKind) {
    let config = crate::small::small();
    let circuit = guard(&config, kind).unwrap();
    let header = kind == RegionKind::Deparser;
    let window = u64::from(config.window_bytes);
    let unit = 3;
    // Of the ticket: behind epoch, time, pointer, size and source stands whether the packet skips this half.
    let skip = 1 + 48 + config.payload_beats.trailing_zeros() + 3 + 16 + 16;
    let bit = |bits: &Bits, at: u32| bits.limbs()[at as usize / 64] >> (at % 64) & 1;
    for (latency, coupled, seed) in
        [(4, true, 1), (5, true, 2), (8, false, 3), (17, true, 4), (32, true, 5), (31, true, 6)]
    {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut dut = model(&circuit, seed);
        for port in ["valid_i", "csr_write_i", "loading_i", "cfg_ack_i"] {
            set(&mut dut, port, 0);
        }
        set(&mut dut, "unit_i", unit);
        let port = |name: &str| dut.port(name).unwrap();
        let (given, shown) = match header {
            true => ("region_header_i", "header_o"),
            false => ("region_phv_i", "phv_o"),
        };
        let [side, ticket, theirs] = ["side_i", "ticket_i", given].map(port);
        let [out, ticket_out] = [shown, "ticket_o"].map(port);
        let (width, about, side_width) = (dut.width(out), dut.width(ticket), dut.width(side));
        let write = |dut: &mut Model, at: u32, value: u64| {
            set(dut, "csr_write_i", 1);
            set(dut, "csr_addr_i", shell::guard(unit as u32, at).into());
            set(dut, "csr_wdata_i", value);
            dut.tick();
            set(dut, "csr_write_i", 0);
            // Another unit's.
            set(dut, "csr_addr_i", shell::guard(unit as u32 + 1, at).into());
            set(dut, "csr_write_i", 1);
            dut.tick();
            set(dut, "csr_write_i", 0);
        };
        let mask = some(&mut rng, width);
        for i in 0..if header { 0 } else { width.div_ceil(32) as usize } {
            write(
                &mut dut,
                word::MASK + i as u32,
                mask.limbs()[i / 2] >> (32 * (i % 2)) & 0xffff_ffff,
            );
        }
        write(&mut dut, word::LATENCY, latency);
        introduce(&mut dut, &config, kind, latency);
        write(&mut dut, word::COUPLED, coupled.into());
        let nothing = Slot {
            valid: false,
            live: false,
            tag: 0,
            ticket: Bits::zero(about),
            phv: Bits::zero(side_width),
        };
        let mut line: VecDeque<Slot> = vec![nothing.clone(); latency as usize].into();
        let mut want = nothing;
        // What the region said with it: the header and its length.
        let mut said = (Bits::zero(width), 0);
        let mut errors = 0;
        for clock in 0..2500u64 {
            dut.eval();
            let what = format!("clock {clock}, latency {latency}");
            assert_eq!(get(&mut dut, "valid_o"), u64::from(want.valid), "{what}");
            if want.valid {
                assert_eq!(get(&mut dut, "tag_o"), want.tag, "{what}");
                assert_eq!(get(&mut dut, "live_o"), 1 - bit(&want.ticket, skip), "{what}");
                if header {
                    let port = dut.port("side_o").unwrap();
                    assert_eq!(dut.get(port), want.phv, "{what}");
                    assert_eq!(get(&mut dut, "length_o"), said.1, "{what}");
                    let got = dut.get(out);
                    let counts = width - 8 * said.1 as u32;
                    let wrong = (counts..width).find(|at| bit(&got, *at) != bit(&said.0, *at));
                    assert_eq!(wrong, None, "{what}");
                } else {
                    assert_eq!(dut.get(out), want.phv, "{what}");
                }
                assert_eq!(dut.get(ticket_out), want.ticket, "{what}");
            }
            let next = line.front().unwrap();
            assert_eq!(get(&mut dut, "next_valid_o"), u64::from(next.valid), "{what}");
            if next.valid {
                let epoch = get(&mut dut, "next_epoch_o");
                assert_eq!(epoch, next.ticket.low_u64() & 1, "{what}");
            }
            let valid = rng.random_range(0..4) < 3;
            let slot = Slot {
                valid,
                live: valid && rng.random_range(0..8) > 0,
                tag: clock & 0xff,
                ticket: some(&mut rng, about),
                phv: some(&mut rng, side_width),
            };
            set(&mut dut, "valid_i", valid.into());
            set(&mut dut, "live_i", slot.live.into());
            set(&mut dut, "tag_i", slot.tag);
            dut.set(ticket, &slot.ticket);
            dut.set(side, &slot.phv);
            // What the region gives is for the packet that entered it so many clocks ago.
            line.push_back(slot);
            let due = line.pop_front().unwrap();
            let given = some(&mut rng, width);
            let wrong = clock > 1000 && rng.random_range(0..50) == 0;
            let other = 1 << rng.random_range(0..8);
            set(&mut dut, "region_tag_i", due.tag ^ if wrong { other } else { 0 });
            dut.set(theirs, &given);
            // After the first wrong tag nothing is believed.
            let listened = due.valid && due.live && coupled && errors == 0;
            errors += u64::from(listened && wrong);
            let heard = listened && !wrong;
            let phv = match heard && !header {
                true => merged(&mask, &given, &due.phv),
                false => due.phv.clone(),
            };
            if header {
                let length = rng.random_range(0..512u64);
                set(&mut dut, "region_length_i", length);
                said = (given, if heard { length.min(window) } else { 0 });
            }
            want = Slot { phv, ..due };
            dut.tick();
        }
        set(&mut dut, "valid_i", 0);
        for due in line {
            set(&mut dut, "region_tag_i", due.tag);
            dut.tick();
        }
        set(&mut dut, "csr_addr_i", shell::guard(unit as u32, word::TAG_ERRORS).into());
        (0..3).for_each(|_| dut.tick());
        assert_eq!(get(&mut dut, "csr_rdata_o"), errors);
        assert_eq!(errors, u64::from(coupled));
        let state = |dut: &mut Model| {
            set(dut, "csr_addr_i", shell::guard(unit as u32, word::COUPLED).into());
            (0..3).for_each(|_| dut.tick());
            get(dut, "csr_rdata_o")
        };
        assert_eq!(state(&mut dut), if coupled { 0b111 } else { 0b100 });
        write(&mut dut, word::COUPLED, 0);
        write(&mut dut, word::COUPLED, 1);
        assert_eq!(state(&mut dut), 0b101, "the quarantine ends with the coupling");
        if latency == 4 {
            // Wrong tags again and again: one is counted for each coupling.
            set(&mut dut, "valid_i", 1);
            set(&mut dut, "live_i", 1);
            set(&mut dut, "tag_i", 1);
            set(&mut dut, "region_tag_i", 0);
            for _ in 0..300 {
                (0..10).for_each(|_| dut.tick());
                write(&mut dut, word::COUPLED, 0);
                write(&mut dut, word::COUPLED, 1);
            }
            set(&mut dut, "valid_i", 0);
            (0..10).for_each(|_| dut.tick());
            set(&mut dut, "csr_addr_i", shell::guard(unit as u32, word::TAG_ERRORS).into());
            (0..3).for_each(|_| dut.tick());
            let found = get(&mut dut, "csr_rdata_o");
            assert!((errors + 300..=errors + 301).any(|n| n % 256 == found), "{found}");
        }
    }
}

/// The answers to reads of the identity, as a guard hears them.
fn introduce(dut: &mut Model, config: &ShellConfig, kind: RegionKind, latency: u64) {
    for (at, value) in [
        (region::MAGIC, region::MAGIC_VALUE.into()),
        (region::SHELL_HASH, config.fingerprint().into()),
        (region::KIND, kind as u64),
        (region::LATENCY, latency),
    ] {
        answer(dut, at, value);
    }
}

fn answer(dut: &mut Model, at: u32, value: u64) {
    for (port, value) in
        [("cfg_ack_i", 1), ("cfg_write_i", 0), ("cfg_addr_i", at.into()), ("cfg_rdata_i", value)]
    {
        set(dut, port, value);
    }
    dut.tick();
    set(dut, "cfg_ack_i", 0);
    // Not an answer.
    set(dut, "cfg_rdata_i", !value & 0xffff_ffff);
    dut.tick();
}

/// What is not what it should be is not coupled, whichever word it is, and whatever it said before its load.
#[test]
fn a_guard_couples_only_what_fits() {
    let config = ShellConfig { phv_bits: 512, ..ShellConfig::default() };
    let circuit = guard(&config, RegionKind::Stage).unwrap();
    let (unit, latency) = (3u64, 16);
    let mut dut = model(&circuit, 1);
    for port in ["valid_i", "ticket_i", "csr_write_i", "loading_i", "cfg_ack_i"] {
        set(&mut dut, port, 0);
    }
    set(&mut dut, "unit_i", unit);
    let write = |dut: &mut Model, at: u32, value: u64| {
        set(dut, "csr_write_i", 1);
        set(dut, "csr_addr_i", shell::guard(unit as u32, at).into());
        set(dut, "csr_wdata_i", value);
        dut.tick();
        set(dut, "csr_write_i", 0);
        (0..3).for_each(|_| dut.tick());
    };
    let couples = |dut: &mut Model| {
        write(dut, word::COUPLED, 1);
        let coupled = get(dut, "coupled_o") == 1;
        write(dut, word::COUPLED, 0);
        assert_eq!(get(dut, "coupled_o"), 0);
        coupled
    };
    write(&mut dut, word::LATENCY, latency);
    assert!(!couples(&mut dut), "it has said nothing");
    introduce(&mut dut, &config, RegionKind::Stage, latency);
    assert!(couples(&mut dut) && couples(&mut dut));
    for (at, wrong) in [
        (region::MAGIC, 0),
        (region::SHELL_HASH, u64::from(config.fingerprint() ^ 1)),
        (region::KIND, 2),
        (region::LATENCY, latency - 1),
        (region::LATENCY, latency + 64),
        (region::LATENCY, latency | 1 << 31),
    ] {
        answer(&mut dut, at, wrong);
        assert!(!couples(&mut dut), "word {at} is {wrong:#x}");
        // Other words say nothing of it.
        answer(&mut dut, region::READY, wrong);
        assert!(!couples(&mut dut));
        introduce(&mut dut, &config, RegionKind::Stage, latency);
        assert!(couples(&mut dut));
    }
    write(&mut dut, word::LATENCY, latency - 8);
    assert!(!couples(&mut dut), "it takes longer than is said");
    write(&mut dut, word::LATENCY, latency);
    write(&mut dut, word::COUPLED, 1);
    write(&mut dut, word::LATENCY, latency - 8);
    assert_eq!(get(&mut dut, "coupled_o"), 1);
    write(&mut dut, word::COUPLED, 0);
    assert!(couples(&mut dut), "its latency did not change while it was coupled");
    set(&mut dut, "loading_i", 1);
    (0..3).for_each(|_| dut.tick());
    set(&mut dut, "loading_i", 0);
    assert!(!couples(&mut dut), "something else may be there now");
}
