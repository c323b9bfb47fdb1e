//! The simulated card as a program of its own: captures through it, and `ping` between two network namespaces while its
//! program changes.

#![allow(clippy::unwrap_used)] // a test may

use restage_gen::pcap::Reader;
use restage_golden::{Golden, Input, Output};
use restage_program::entries_text;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

const SIM: &str = env!("CARGO_BIN_EXE_restage-sim");

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn packets(path: &Path) -> Vec<Vec<u8>> {
    let mut reader = Reader::new(fs::File::open(path).unwrap()).unwrap();
    let mut all = Vec::new();
    while let Some(packet) = reader.packet().unwrap() {
        all.push(packet.bytes.to_vec());
    }
    all
}

#[test]
fn a_capture_goes_through_the_card() {
    let item = restage_library::get("l3_acl").unwrap();
    let program = item.program().check().unwrap();
    let input = Path::new(env!("CARGO_MANIFEST_DIR")).join("oracle/l3_acl/trace/in1.pcap");
    let out = folder("sim_capture");
    let ended = Command::new(SIM)
        .args(["--program", "l3_acl", "--regions", "4", "--pcap"])
        .arg(format!("1={}", input.display()))
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success(), "{text}");
    let mut golden = Golden::new(&program).unwrap();
    for write in entries_text::parse(&program, item.entries).unwrap() {
        golden.write(&write).unwrap();
    }
    let mut wanted: BTreeMap<u16, Vec<Vec<u8>>> = BTreeMap::new();
    let mut output = Output::new();
    for bytes in packets(&input) {
        golden.process(&Input::new(1, &bytes), &mut output);
        for (port, bytes) in output.packets() {
            wanted.entry(port).or_default().push(bytes.to_vec());
        }
    }
    assert!(wanted.len() > 1);
    for (port, wanted) in wanted {
        assert_eq!(packets(&out.join(format!("out{port}.pcap"))), wanted, "port {port}");
    }
}

#[test]
fn generated_packets_go_through_the_card() {
    let args = ["--program", "l3_acl", "--regions", "4", "--generator", "--clocks", "30000"];
    let ended = Command::new(SIM).args(args).output().unwrap();
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    let said = text.lines().last().unwrap().split_once(": ").unwrap().1;
    let said: Value = serde_json::from_str(said).unwrap();
    let count = |name: &str| said[name].as_u64().unwrap();
    assert!(count("received") > 1000 && count("sent") > 100 && count("lost") == 0, "{said}");
}

#[test]
fn what_cannot_be_is_said() {
    let ended = Command::new(SIM).output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("no packets would come"));
    // Without the capability, whoever runs this.
    let ended = Command::new("setpriv")
        .args(["--bounding-set=-net_admin", "--inh-caps=-net_admin", SIM])
        .args(["--tap", "none=1", "--clocks=0"])
        .output();
    let ended = match ended {
        Ok(ended) if ended.status.code() == Some(2) => ended,
        // Who may not drop capabilities has none.
        _ => Command::new(SIM).args(["--tap", "none=1", "--clocks=0"]).output().unwrap(),
    };
    let text = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(2), "{text}");
    assert!(text.contains("CAP_NET_ADMIN") && text.contains("--generator"), "{text}");
}

/// Two network namespaces, gone when this is dropped.
struct Namespaces([String; 2]);

impl Namespaces {
    fn new() -> Option<Self> {
        let names = ["a", "b"].map(|n| format!("restage{}{n}", std::process::id()));
        for name in &names {
            if !ip(&["netns", "add", name]) {
                return None;
            }
        }
        Some(Namespaces(names))
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for name in &self.0 {
            ip(&["netns", "del", name]);
        }
    }
}

fn ip(args: &[&str]) -> bool {
    Command::new("ip").args(args).stderr(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// A card that runs, ended when this is dropped.
struct Sim {
    child: Child,
    control: BufReader<UnixStream>,
}

impl Sim {
    fn start(args: &[&str], socket: &Path) -> Self {
        let mut child = Command::new(SIM)
            .args(args)
            .arg("--socket")
            .arg(socket)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("control:"), "{line}");
        let control = BufReader::new(UnixStream::connect(socket).unwrap());
        Sim { child, control }
    }

    fn ask(&mut self, request: Value) -> Value {
        writeln!(self.control.get_mut(), "{request}").unwrap();
        let mut line = String::new();
        self.control.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn does(&mut self, request: Value) -> Value {
        let answer = self.ask(request.clone());
        assert_eq!(answer["ok"], true, "{request}: {answer}");
        answer
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that is ended when this is dropped.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Ports, addresses and neighbours of the two ends, as the switch's example entries and these know them.
const ROUTES: &str = "\
table_add route to 10.0.0.1/32 => 1
table_add route to 10.0.0.2/32 => 2
table_add nexthop adjacency 1 => 1 0a:00:00:00:00:01 02:00:00:00:00:01
table_add nexthop adjacency 2 => 2 0a:00:00:00:00:02 02:00:00:00:00:02
";

#[test]
fn ping_does_not_notice_that_the_program_changes() {
    let Some(spaces) = Namespaces::new() else {
        println!("skipped: network namespaces need CAP_NET_ADMIN and CAP_SYS_ADMIN");
        return;
    };
    let folder = folder("sim_ping");
    let taps = ["a", "b"].map(|n| format!("rs{}{n}", std::process::id()));
    let args = ["--tap", &format!("{}=1", taps[0]), "--tap", &format!("{}=2", taps[1])];
    let mut sim = Sim::start(&args, &folder.join("control"));
    for (i, (space, tap)) in spaces.0.iter().zip(&taps).enumerate() {
        let n = i + 1;
        assert!(ip(&["link", "set", tap, "netns", space]));
        let inside = |args: &[&str]| assert!(ip(&[&["-n", space], args].concat()), "{args:?}");
        inside(&["link", "set", tap, "address", &format!("02:00:00:00:00:0{n}")]);
        inside(&["address", "add", &format!("10.0.0.{n}/24"), "dev", tap]);
        inside(&["link", "set", tap, "up"]);
    }
    // Who is who is found out through the switch, which floods.
    let ping = |args: &[&str]| {
        let mut ping = Command::new("ip");
        ping.args(["netns", "exec", &spaces.0[0], "ping", "-W", "20"]).args(args).arg("10.0.0.2");
        ping
    };
    let first = ping(&["-c", "3", "-i", "0.2"]).output().unwrap();
    let text = String::from_utf8_lossy(&first.stdout).into_owned();
    assert!(text.contains(" 3 received"), "{text}{}", String::from_utf8_lossy(&first.stderr));
    // The router asks nobody.
    for (i, (space, tap)) in spaces.0.iter().zip(&taps).enumerate() {
        let other = 2 - i;
        let (address, mac) = (format!("10.0.0.{other}"), format!("02:00:00:00:00:0{other}"));
        assert!(ip(&["-n", space, "neigh", "replace", &address, "lladdr", &mac, "dev", tap]));
    }
    let mut long = Ended(ping(&["-i", "0.05"]).stdout(Stdio::piped()).spawn().unwrap());
    sleep(Duration::from_millis(500));
    let routes = folder.join("routes.txt");
    fs::write(&routes, ROUTES).unwrap();
    let swapped = sim.does(json!({ "op": "swap", "program": "l3_acl", "entries": routes }));
    println!("to a router: {swapped}");
    sleep(Duration::from_millis(500));
    let back = sim.does(json!({ "op": "swap", "program": "l2_switch" }));
    println!("to a switch: {back}");
    // What is no image, and no request, changes nothing.
    let nothing = folder.join("nothing.rsti");
    fs::write(&nothing, [0; 64]).unwrap();
    let refused = sim.ask(json!({ "op": "load", "unit": 3, "file": nothing }));
    assert_eq!(refused["ok"], false, "{refused}");
    assert_eq!(sim.ask(json!({ "op": "dance" }))["ok"], false);
    assert_eq!(sim.ask(json!({ "op": "swap", "program": "nobody" }))["ok"], false);
    assert_eq!(sim.does(json!({ "op": "read", "address": 0 }))["value"], 0x5253_5453);
    sleep(Duration::from_millis(500));
    assert!(
        Command::new("kill").args(["-INT", &long.0.id().to_string()]).status().unwrap().success()
    );
    let mut text = String::new();
    std::io::Read::read_to_string(&mut long.0.stdout.take().unwrap(), &mut text).unwrap();
    long.0.wait().unwrap();
    let answers: Vec<(usize, u8)> = text
        .lines()
        .filter_map(|line| {
            let field = |name: &str| line.split_once(name)?.1.split(' ').next();
            Some((field("icmp_seq=")?.parse().ok()?, field("ttl=")?.parse().ok()?))
        })
        .collect();
    // The last one may still have been on its way when it was told to stop.
    let numbers: Vec<usize> = answers.iter().map(|a| a.0).collect();
    assert_eq!(numbers, (1..=answers.len()).collect::<Vec<_>>(), "{text}");
    let sent = text.lines().find_map(|line| line.split_once(" packets transmitted")).unwrap().0;
    assert!(sent.parse::<usize>().unwrap() - answers.len() <= 1, "{text}");
    // A router counts down, a switch does not.
    let mut lives: Vec<u8> = answers.iter().map(|a| a.1).collect();
    lives.dedup();
    assert_eq!(lives, [64, 63, 64], "{text}");
    let end = sim.does(json!({ "op": "status" }));
    println!("{sent} sent, {} answered; {end}", answers.len());
    for what in ["lost", "collided", "disordered"] {
        assert_eq!(end[what], 0, "{what}");
    }
    sim.does(json!({ "op": "quit" }));
    assert!(sim.child.wait().unwrap().success());
}
