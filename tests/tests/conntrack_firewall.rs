//! `conntrack_firewall`, which has no outside oracle: what its map does is said here.

use restage_golden::{Golden, Input, Output};
use restage_program::entity::Counter;
use restage_program::entries_text;

const INSIDE: u16 = 1;
const OUTSIDE: u16 = 2;
const IDLE_US: u64 = 30_000_000;
const BUCKETS: u32 = 1024;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// What the program counts, by index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Opened,
    Passed,
    Closed,
    Full,
    Unknown,
    Untracked,
}
use Verdict::*;
const VERDICTS: [Verdict; 6] = [Opened, Passed, Closed, Full, Unknown, Untracked];

/// A connection as the inside sees it.
#[derive(Clone, Copy, Debug)]
struct Flow {
    inside: ([u8; 4], u16),
    outside: ([u8; 4], u16),
    proto: u8,
}

fn flow(inside_port: u16) -> Flow {
    Flow { inside: ([10, 0, 0, 2], inside_port), outside: ([203, 0, 113, 7], 443), proto: TCP }
}

impl Flow {
    /// A frame of it; `frag` is the fragment offset.
    fn frame(self, from: u16, flags: u8, frag: u16) -> Vec<u8> {
        let (src, dst) = match from {
            INSIDE => (self.inside, self.outside),
            _ => (self.outside, self.inside),
        };
        let l4 = match self.proto {
            TCP => vec![0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0],
            _ => vec![0, 8, 0, 0],
        };
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
        let length = 24 + l4.len() as u8;
        let [frag_high, frag_low] = frag.to_be_bytes();
        frame.extend([0x45, 0, 0, length, 0, 0, frag_high, frag_low, 64, self.proto, 0, 0]);
        frame.extend(src.0.iter().chain(&dst.0));
        frame.extend(src.1.to_be_bytes().iter().chain(&dst.1.to_be_bytes()));
        frame.extend(l4);
        frame
    }

    /// The bucket that the map has for it: the CRC-32 of the key's fields.
    fn bucket(self) -> u32 {
        let mut key = self.inside.0.to_vec();
        key.extend(self.inside.1.to_be_bytes());
        key.extend(self.outside.0);
        key.extend(self.outside.1.to_be_bytes());
        key.push(self.proto);
        crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&key) % BUCKETS
    }
}

struct Firewall {
    golden: Golden,
    now: u64,
    counted: [u64; VERDICTS.len()],
}

impl Firewall {
    fn new() -> Self {
        let item = restage_library::get("conntrack_firewall").expect("the library has it");
        let program = item.program().check().expect("it is sound");
        let mut golden = Golden::new(&program).expect("it can be built");
        for write in entries_text::parse(&program, item.entries).expect("its entries fit") {
            golden.write(&write).expect("its entries can be written");
        }
        Firewall { golden, now: 0, counted: [0; VERDICTS.len()] }
    }

    /// Sends a frame and says what it counted as, if it did; checks that it passes, unchanged, when and
    /// only when that verdict lets it.
    fn send_bytes(&mut self, from: u16, frame: &[u8]) -> Option<Verdict> {
        let mut out = Output::new();
        let input = Input { time_us: self.now, ..Input::new(from, frame) };
        self.golden.process(&input, &mut out);
        let count = |v| self.golden.counter(Counter(0), v as u32).expect("it is there").packets;
        let counted = VERDICTS.map(count);
        let verdict =
            VERDICTS.into_iter().find(|v| counted[*v as usize] != self.counted[*v as usize]);
        let before: u64 = self.counted.iter().sum();
        assert_eq!(counted.iter().sum::<u64>(), before + u64::from(verdict.is_some()));
        self.counted = counted;
        let sent: Vec<(u16, Vec<u8>)> = out.packets().map(|(p, b)| (p, b.to_vec())).collect();
        match verdict {
            Some(Full | Unknown | Untracked) => assert_eq!(sent, []),
            _ => assert_eq!(sent, [(INSIDE + OUTSIDE - from, frame.to_vec())]),
        }
        verdict
    }

    fn send(&mut self, from: u16, flow: Flow, flags: u8) -> Verdict {
        self.send_bytes(from, &flow.frame(from, flags, 0)).expect("it is counted")
    }

    fn open(&mut self, flow: Flow) {
        assert_eq!(self.send(INSIDE, flow, SYN), Opened);
        assert_eq!(self.send(OUTSIDE, flow, SYN | ACK), Passed);
        assert_eq!(self.send(INSIDE, flow, ACK), Passed);
    }
}

#[test]
fn the_inside_opens_and_both_sides_pass() {
    let mut f = Firewall::new();
    f.open(flow(1000));
    assert_eq!(f.send(OUTSIDE, flow(1000), ACK), Passed);
    // Another port, another protocol, and the same numbers the other way round are other connections.
    assert_eq!(f.send(OUTSIDE, flow(1001), ACK), Unknown);
    assert_eq!(f.send(OUTSIDE, Flow { proto: UDP, ..flow(1000) }, 0), Unknown);
    let Flow { inside, outside, proto } = flow(1000);
    let reversed = Flow { inside: outside, outside: inside, proto };
    assert_eq!(f.send(OUTSIDE, reversed, ACK), Unknown);
}

#[test]
fn the_outside_opens_nothing() {
    let mut f = Firewall::new();
    assert_eq!(f.send(OUTSIDE, flow(1), SYN), Unknown);
    assert_eq!(f.send(INSIDE, flow(1), SYN | ACK), Unknown, "only a SYN alone opens");
    assert_eq!(f.send(INSIDE, flow(1), ACK), Unknown);
    assert_eq!(f.send(OUTSIDE, Flow { proto: UDP, ..flow(1) }, 0), Unknown);
}

#[test]
fn udp_opens_with_its_first_datagram() {
    let mut f = Firewall::new();
    let dns = Flow { proto: UDP, ..flow(53) };
    assert_eq!(f.send(INSIDE, dns, 0), Opened);
    assert_eq!(f.send(OUTSIDE, dns, 0), Passed);
    assert_eq!(f.send(INSIDE, dns, 0), Passed);
}

#[test]
fn an_idle_connection_is_dead_after_its_time_out() {
    for side in [INSIDE, OUTSIDE] {
        let mut f = Firewall::new();
        f.open(flow(7));
        // Either side's packets keep it alive, up to the last microsecond.
        for _ in 0..3 {
            f.now += IDLE_US;
            assert_eq!(f.send(side, flow(7), ACK), Passed);
        }
        f.now += IDLE_US + 1;
        assert_eq!(f.send(side, flow(7), ACK), Unknown);
        f.open(flow(7));
    }
}

#[test]
fn a_refused_packet_keeps_nothing_alive() {
    let mut f = Firewall::new();
    f.open(flow(7));
    f.now += IDLE_US;
    let fragment = flow(7).frame(OUTSIDE, ACK, 100);
    assert_eq!(f.send_bytes(OUTSIDE, &fragment), Some(Untracked));
    f.now += 1;
    assert_eq!(f.send(OUTSIDE, flow(7), ACK), Unknown);
}

#[test]
fn a_full_bucket_refuses_the_fifth_connection_and_no_other() {
    let bucket = flow(0).bucket();
    let colliding: Vec<Flow> = (0..).map(flow).filter(|f| f.bucket() == bucket).take(5).collect();
    let [.., fifth] = colliding[..] else { unreachable!() };
    let elsewhere = (0..).map(flow).find(|f| f.bucket() != bucket).unwrap();

    let mut f = Firewall::new();
    for four in &colliding[..4] {
        f.open(*four);
    }
    assert_eq!(f.send(INSIDE, fifth, SYN), Full);
    assert_eq!(f.send(OUTSIDE, fifth, SYN | ACK), Unknown, "it was not let in by half");
    f.open(elsewhere);
    for four in &colliding[..4] {
        assert_eq!(f.send(OUTSIDE, *four, ACK), Passed, "nobody was thrown out");
        assert_eq!(f.send(INSIDE, *four, SYN), Opened, "a known connection needs no room");
    }

    // One that is closed makes room, and so does one that has died of age.
    assert_eq!(f.send(OUTSIDE, colliding[2], RST), Closed);
    f.open(fifth);
    assert_eq!(f.send(INSIDE, colliding[2], SYN), Full);
    f.now += IDLE_US;
    for alive in [colliding[0], colliding[1], fifth] {
        assert_eq!(f.send(INSIDE, alive, ACK), Passed);
    }
    assert_eq!(f.send(INSIDE, colliding[2], SYN), Full);
    f.now += 1;
    f.open(colliding[2]);
    assert_eq!(f.send(OUTSIDE, colliding[3], ACK), Unknown);
}

#[test]
fn a_reset_from_either_side_closes_at_once() {
    for side in [INSIDE, OUTSIDE] {
        let mut f = Firewall::new();
        f.open(flow(9));
        assert_eq!(f.send(side, flow(9), RST), Closed);
        assert_eq!(f.send(INSIDE, flow(9), ACK), Unknown);
        assert_eq!(f.send(OUTSIDE, flow(9), ACK), Unknown);
    }
}

#[test]
fn the_packet_behind_both_fins_is_the_last_one() {
    for (first, second) in [(INSIDE, OUTSIDE), (OUTSIDE, INSIDE)] {
        let mut f = Firewall::new();
        f.open(flow(9));
        assert_eq!(f.send(first, flow(9), FIN | ACK), Passed);
        assert_eq!(f.send(second, flow(9), ACK), Passed, "half closed: the other side may go on");
        assert_eq!(f.send(first, flow(9), FIN | ACK), Passed, "sent again, it counts once");
        assert_eq!(f.send(second, flow(9), FIN | ACK), Passed);
        assert_eq!(f.send(first, flow(9), ACK), Closed);
        assert_eq!(f.send(second, flow(9), ACK), Unknown);
    }
}

#[test]
fn a_new_syn_forgets_the_fins() {
    let mut f = Firewall::new();
    f.open(flow(9));
    f.send(INSIDE, flow(9), FIN | ACK);
    f.send(OUTSIDE, flow(9), FIN | ACK);
    f.open(flow(9));
    assert_eq!(f.send(OUTSIDE, flow(9), ACK), Passed);
}

#[test]
fn the_control_plane_sees_to_one_connection() {
    let mut f = Firewall::new();
    let known = Flow { inside: ([10, 0, 0, 1], 1024), outside: ([203, 0, 113, 1], 80), proto: TCP };
    assert_eq!(f.send(OUTSIDE, known, ACK), Passed);
}

#[test]
fn what_cannot_be_tracked_is_refused_but_arp_passes() {
    let mut f = Firewall::new();
    let icmp = Flow { proto: 1, ..flow(0) }.frame(INSIDE, 0, 0);
    assert_eq!(f.send_bytes(INSIDE, &icmp), Some(Untracked));
    for length in 0..54 {
        let cut = &flow(0).frame(INSIDE, SYN, 0)[..length];
        assert_eq!(f.send_bytes(INSIDE, cut), Some(Untracked), "{length} bytes");
    }
    let mut arp = vec![0xff; 42];
    arp[12..14].copy_from_slice(&[8, 6]);
    assert_eq!(f.send_bytes(INSIDE, &arp), None);
    assert_eq!(f.send_bytes(OUTSIDE, &arp), None);
}
