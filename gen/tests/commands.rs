//! The commands as people call them: what they print and how they end.

#![allow(clippy::unwrap_used)] // a test may

use restage_gen::pcap::{ETHERNET, Packet, Reader, Writer};
use std::path::{Path, PathBuf};
use std::process::Command;

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(command: &str, args: &[&str]) -> Ended {
    let output = Command::new(command).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

fn golden(args: &[&str]) -> Ended {
    run(env!("CARGO_BIN_EXE_golden"), args)
}

fn made(args: &[&str]) -> Ended {
    run(env!("CARGO_BIN_EXE_gen"), args)
}

/// A folder of its own for a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// IPv4 from 10.0.0.1 to 10.0.0.2 with a right checksum, ICMP.
const PING: [u8; 34] = [
    0x02, 0, 0, 0, 0, 8, 0x02, 0, 0, 0, 0, 1, 0x08, 0x00, 0x45, 0, 0, 20, 0, 0, 0, 0, 64, 1, 0x66,
    0xe7, 10, 0, 0, 1, 10, 0, 0, 2,
];

fn capture(folder: &Path, name: &str, times: &[u32]) -> PathBuf {
    let path = folder.join(name);
    let mut writer = Writer::new(Vec::new(), ETHERNET).unwrap();
    for seconds in times {
        writer.packet(Packet { seconds: *seconds, micros: 7, bytes: &PING }).unwrap();
    }
    std::fs::write(&path, writer.finish().unwrap()).unwrap();
    path
}

#[test]
fn a_capture_goes_through_the_router() {
    let folder = folder("router");
    let first = format!("1={}", text(&capture(&folder, "a.pcap", &[5, 9])));
    let second = format!("2={}", text(&capture(&folder, "b.pcap", &[7])));
    let out = folder.join("out");
    let ended = golden(&["--in", &first, "--in", &second, "--out", text(&out), "--trace=1"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    for part in
        ["packet 1: 34 bytes on port 2", "table route", "ipv4.ttl: 0x40 -> 0x3f", "3 packets"]
    {
        assert!(ended.out.contains(part), "{part} is not in\n{}", ended.out);
    }
    assert!(!ended.out.contains("packet 0:"), "one packet alone is told about");
    let file = std::fs::read(out.join("out1.pcap")).unwrap();
    let mut reader = Reader::new(file.as_slice()).unwrap();
    let mut times = Vec::new();
    while let Some(packet) = reader.packet().unwrap() {
        assert_eq!(packet.bytes[22], 63, "the TTL went down");
        times.push((packet.seconds, packet.micros));
    }
    assert_eq!(times, [(5, 7), (7, 7), (9, 7)], "packets are in the order of their times");
}

#[test]
fn the_summary_is_json_when_asked_for() {
    let folder = folder("json");
    let input = format!("1={}", text(&capture(&folder, "a.pcap", &[1, 2, 3])));
    let ended = golden(&["--in", &input, "--json", "--max-packets", "2", "--entries", "none"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let summary: serde_json::Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(summary["packets"], 2);
    assert_eq!(summary["tables"]["route"]["misses"], 2);
    assert_eq!(summary["without_output"], 2);
}

#[test]
fn what_gen_makes_is_read_again() {
    let folder = folder("gen");
    let ended = made(&["-o", text(&folder)]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let p4 = std::fs::read_to_string(folder.join("l3_acl.p4")).unwrap();
    assert!(p4.contains("#include <v1model.p4>"));
    let input = format!("1={}", text(&capture(&folder, "a.pcap", &[1])));
    let (json, entries) = (folder.join("l3_acl.json"), folder.join("entries.txt"));
    let again =
        golden(&["--program", text(&json), "--entries", text(&entries), "--in", &input, "--trace"]);
    let first = golden(&["--in", &input, "--trace"]);
    assert_eq!(again.code, Some(0), "{}", again.err);
    assert_eq!(again.out, first.out);
}

/// The lines of regions in what `gen` says: module, and whether it stays.
fn changes(out: &str) -> Vec<(&str, &str)> {
    let words = out.lines().map(|line| line.split_whitespace());
    words
        .filter_map(|mut words| Some((words.next()?, words.next()?)))
        .filter(|(_, change)| ["stays", "new"].contains(change))
        .collect()
}

/// A table gets another size: its region is new, all others stay what they are, whatever the program is called.
#[test]
fn what_did_not_change_stays() {
    let folder = folder("after");
    let part = include_str!("../../parts/alveo_u50.json").replace("64000", "20000");
    let small = folder.join("small.json");
    std::fs::write(&small, part).unwrap();
    let (one, two) = (folder.join("one"), folder.join("two"));
    let ended = made(&["--part", text(&small), "-o", text(&one)]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let json = std::fs::read_to_string(one.join("l3_acl.json")).unwrap();
    assert_eq!(json.matches("\"size\": 512").count(), 1);
    let changed = folder.join("changed.json");
    let json = json.replace("\"size\": 512", "\"size\": 96");
    std::fs::write(&changed, json.replacen("\"l3_acl\"", "\"router\"", 1)).unwrap();
    let args = ["--part", text(&small), "--program", text(&changed), "--after", text(&one)];
    let ended = made(&[&args[..], &["-o", text(&two)]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let expected = [
        ("router_parser", "stays"),
        ("router_ingress_0", "stays"),
        ("router_ingress_1", "new"),
        ("router_egress_0", "stays"),
        ("router_deparser", "stays"),
    ];
    assert_eq!(changes(&ended.out), expected, "{}", ended.out);
    for file in ["placement.json", "manifest.json"] {
        let old = std::fs::read_to_string(one.join(file)).unwrap();
        std::fs::write(one.join(file), "{\"format\": 99}").unwrap();
        let ended = made(&[&args[..], &["-o", text(&two)]].concat());
        assert_eq!(ended.code, Some(2));
        assert!(ended.err.contains("format 99 is of another version"), "{}", ended.err);
        std::fs::write(one.join(file), old).unwrap();
    }
}

#[test]
fn regions_are_as_many_as_asked_for() {
    let folder = folder("regions");
    for (regions, expected) in
        [("5", Ok(5)), ("x", Err("invalid value 'x'")), ("0", Err("1 to 16 are accepted"))]
    {
        let ended = made(&["--program", "ecn", "--regions", regions, "-o", text(&folder)]);
        match expected {
            Ok(count) => {
                let top = std::fs::read_to_string(folder.join("rtl/restage_fabric.v")).unwrap();
                let sockets = (0..20).filter(|i| top.contains(&format!("stage{i}_phv_o")));
                assert_eq!(sockets.count(), count, "{}", ended.out);
            }
            Err(part) => {
                assert_eq!(ended.code, Some(2));
                assert!(ended.err.contains(part), "{}", ended.err);
            }
        }
    }
}

#[test]
fn images_are_made_when_asked_for() {
    let folder = folder("images");
    let args = ["--program", "vlan", "--images", "--out", text(&folder)];
    let old = folder.join("images");
    std::fs::create_dir_all(&old).unwrap();
    std::fs::write(old.join("old_1.rsti"), [0]).unwrap();
    let ended = made(&args);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let manifest = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    let manifest: restage_manifest::Manifest = serde_json::from_str(&manifest).unwrap();
    for region in &manifest.regions {
        let path = format!("images/{}_{}.rsti", region.module, region.unit);
        assert!(ended.out.contains(&path), "{}", ended.out);
        let bytes = std::fs::read(folder.join(path)).unwrap();
        let image = restage_image::Image::parse(&bytes).unwrap();
        let header = image.header();
        assert_eq!((u32::from(header.unit), header.variant), (region.unit, region.hash));
        let (module, verilog) = restage_image::verilog::unpack(image.payload()).unwrap();
        assert_eq!(module, region.module);
        let built = folder.join("rtl").join(format!("{module}.v"));
        assert_eq!(verilog, std::fs::read_to_string(built).unwrap());
    }
    assert_eq!(std::fs::read_dir(old).unwrap().count(), manifest.regions.len());
}

#[test]
fn what_is_wrong_is_named_and_ends_with_2() {
    let folder = folder("wrong");
    let capture = capture(&folder, "a.pcap", &[1]);
    let input = format!("1={}", text(&capture));
    let file = |name: &str, content: &[u8]| {
        std::fs::write(folder.join(name), content).unwrap();
        folder.join(name)
    };
    let whole = std::fs::read(&capture).unwrap();
    let cut = format!("1={}", text(&file("cut.pcap", &whole[..whole.len() - 1])));
    let garbage = format!("1={}", text(&file("garbage.pcap", b"no capture at all")));
    let faults = file("faults.txt", b"table_add rout to 1 => 2\ntable_add route to 1/8 => x\n");
    let twice = file("twice.txt", b"table_add route to 1/8 => 1\ntable_add route to 1/8 => 2\n");
    let source = file("a.p4", b"");
    for (args, parts) in [
        (vec!["--program", "l3_acll", "--in", &input], vec!["did you mean `l3_acl`"]),
        (vec!["--program", text(&source), "--in", &input], vec!["p4c-bm2-ss"]),
        (vec!["--in", &cut], vec!["cut off in packet 0"]),
        (vec!["--in", &garbage], vec!["no pcap file"]),
        (vec!["--in", "1=/nowhere/x.pcap"], vec!["/nowhere/x.pcap: No such file"]),
        (vec!["--in", "x"], vec!["PORT=FILE"]),
        (vec![], vec!["--in <PORT=FILE>"]),
        (
            vec!["--in", &input, "--entries", text(&faults)],
            vec!["2 faults", "faults.txt:1:11", "did you mean `route`", "faults.txt:2:27"],
        ),
        (
            vec!["--in", &input, "--entries", text(&twice)],
            vec!["1 of the entries are refused", "exists"],
        ),
        (vec!["--in", &input, "--trace=x"], vec!["invalid value 'x'"]),
    ] {
        let ended = golden(&args);
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.err);
        for part in parts {
            assert!(ended.err.contains(part), "{args:?}: {part} is not in\n{}", ended.err);
        }
    }
    let ended = made(&["--program", text(&faults)]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.err.contains("restage's own JSON or p4c's"), "{}", ended.err);
}

#[test]
fn the_library_is_listed() {
    let ended = made(&["--list"]);
    assert_eq!(ended.out.lines().count(), restage_library::ALL.len());
    assert!(ended.out.lines().next().unwrap().starts_with("l3_acl "));
}
