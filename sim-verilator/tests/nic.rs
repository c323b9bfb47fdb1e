//! The bench, against a small hand-written card that can be made to break the rules.

#![allow(clippy::unwrap_used)] // a test may

use restage_sim_verilator::{BenchOptions, Build, Cache, Device, Nic, SimError};

const SHELL: &str = include_str!("shell.v");

fn card(bug: u32, options: BenchOptions) -> Nic {
    let cache = Cache::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/verilated"));
    let build = Build::new("restage_shell").source("restage_shell.v", SHELL);
    let library = build.flags([format!("-GBUG={bug}")]).build(&cache).unwrap();
    Nic::single(library.instance(options.seed).unwrap(), options).unwrap()
}

/// Packets of all lengths around the borders of beats.
fn packets() -> Vec<Vec<u8>> {
    let lengths = [60, 64, 1, 65, 127, 128, 129, 1500, 64, 64, 9000];
    (0..60u8).map(|i| (0..lengths[i as usize % 11]).map(|b| b as u8 ^ i).collect()).collect()
}

/// Sends everything and compares; gives the clocks of what came out.
fn loop_back(nic: &mut Nic) -> Vec<(u64, u64)> {
    let packets = packets();
    for (i, packet) in packets.iter().enumerate() {
        nic.send(i as u16, packet.clone());
    }
    nic.drain(64, 200_000).unwrap();
    let (sent, received) = (nic.sent(), nic.received());
    assert_eq!((sent.len(), received.len()), (packets.len(), packets.len()));
    for (i, (packet, (sent, got))) in packets.iter().zip(sent.iter().zip(&received)).enumerate() {
        assert_eq!(got.bytes, *packet, "packet {i}");
        assert_eq!(got.length() as usize, packet.len());
        assert_eq!((got.source(), got.destination()), (i as u16, i as u16 + 1));
        assert!(sent.first <= sent.last && sent.first < got.first && got.first <= got.last);
    }
    received.iter().map(|r| (r.first, r.last)).collect()
}

#[test]
fn packets_go_in_and_out_at_full_rate() {
    let mut nic = card(0, BenchOptions::default());
    let start = nic.cycle();
    let seen = nic.watch("seen_o", &["seen_size_o", "seen_time_o"]).unwrap();
    loop_back(&mut nic);
    let beats: usize = packets().iter().map(|p| p.len().div_ceil(64)).sum();
    let clocks = nic.cycle() - start - 64;
    assert!(clocks < beats as u64 + 10, "{clocks} clocks for {beats} beats");
    let seen = nic.seen(seen);
    let sizes: Vec<u64> = seen.iter().map(|s| s.values[0]).collect();
    assert_eq!(sizes, packets().iter().map(|p| p.len() as u64).collect::<Vec<_>>());
    assert!(nic.watch("nothing_o", &[]).is_err());
}

#[test]
fn gaps_and_back_pressure_change_times_only() {
    let times: Vec<_> = [(0, 0, 1), (40, 0, 1), (0, 40, 1), (40, 40, 1), (40, 40, 1), (40, 40, 2)]
        .map(|(gaps, back_pressure, seed)| {
            loop_back(&mut card(
                0,
                BenchOptions { gaps, back_pressure, seed, ..BenchOptions::default() },
            ))
        })
        .to_vec();
    assert_eq!(times[3], times[4]);
    for (a, b) in [(0, 1), (0, 2), (1, 2), (4, 5)] {
        assert_ne!(times[a], times[b]);
    }
    assert!(times[1..].iter().all(|t| t.last().unwrap().1 > times[0].last().unwrap().1 + 100));
}

#[test]
fn a_stream_that_breaks_the_rules_is_noticed() {
    for (bug, want) in [(1, "withdrawn"), (2, "holes"), (3, "changed"), (4, "not the last")] {
        let mut nic =
            card(bug, BenchOptions { back_pressure: 50, gaps: 10, ..BenchOptions::default() });
        for packet in packets() {
            nic.send(1, packet);
        }
        let text = nic.drain(64, 100_000).unwrap_err().to_string();
        assert!(text.contains(want) && text.contains("m_axis in clock"), "{bug}: {text}");
    }
    let mut nic = card(5, BenchOptions::default());
    nic.send(1, vec![1; 64]);
    nic.send(1, vec![1; 64]);
    let text = nic.drain(64, 1000).unwrap_err().to_string();
    assert!(text.contains("packets wait"), "{text}");
}

#[test]
fn registers_are_read_and_written() {
    let mut nic = card(0, BenchOptions { back_pressure: 30, ..BenchOptions::default() });
    let values: Vec<(u32, u32)> = (0..16).map(|i| (4 * i, 0x1234_5678 ^ i << 20)).collect();
    // Packets flow meanwhile.
    packets().into_iter().for_each(|p| nic.send(3, p));
    nic.write_all(&values).unwrap();
    for (address, value) in &values {
        assert_eq!(nic.read(*address).unwrap(), *value);
    }
    assert_eq!(nic.read(0x40).unwrap(), 16);
    // Sixteen writes take three clocks each, because the next is issued before the last is answered.
    let start = nic.cycle();
    nic.write_all(&values).unwrap();
    assert!(nic.cycle() - start < 60, "{} clocks", nic.cycle() - start);
    let text = nic.read(0x80).unwrap_err().to_string();
    assert!(text.contains("0x000080") && text.contains("SLVERR"), "{text}");
    let text = nic.write(0x44, 0).unwrap_err().to_string();
    assert!(text.contains("DECERR"), "{text}");
    nic.write(0, 7).unwrap();
    assert_eq!(nic.read(0).unwrap(), 7);
    nic.drain(64, 100_000).unwrap();
    assert_eq!(nic.received().len(), packets().len());
    let error = card(6, BenchOptions::default()).write(0, 1).unwrap_err();
    assert!(matches!(error, SimError::Bus { response: "no answer", .. }), "{error}");
}

#[test]
fn time_goes_on_and_resets_lose_what_is_inside() {
    let options =
        BenchOptions { clocks_per_microsecond: 10, time: 1000, ..BenchOptions::default() };
    let mut nic = card(0, options);
    let seen = nic.watch("seen_o", &["seen_time_o"]).unwrap();
    nic.run(95).unwrap();
    nic.send(1, vec![0; 64]);
    nic.run(2).unwrap();
    let at = 1000 + (nic.cycle() - 2) / 10;
    assert_eq!(nic.seen(seen)[0].values, [at]);
    nic.set_time(5_000_000);
    nic.send(1, vec![0; 64]);
    nic.run(3).unwrap();
    assert_eq!(nic.seen(seen)[0].values, [5_000_000]);
    // Before the clocks that there have been.
    nic.set_time(3);
    assert_eq!(nic.time(), 3);
    nic.drain(10, 100).unwrap();
    assert_eq!(nic.received().len(), 2);
    nic.send(1, vec![0; 640]);
    nic.send(1, vec![1; 64]);
    nic.run(5).unwrap();
    nic.reset().unwrap();
    nic.drain(10, 100).unwrap();
    let left: Vec<usize> = nic.received().iter().map(|r| r.bytes.len()).collect();
    assert_eq!(left, [640, 64], "a packet that was cut off is sent again");
}
