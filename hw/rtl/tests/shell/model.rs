//! What a shell with stand-ins does, pass by pass, in plain Rust.

use crate::stand_in::{CLONE_KEEPS, LOOP_KEEPS};
use restage_manifest::ShellConfig;
use restage_manifest::address::shell::Count;
use std::collections::{BTreeMap, VecDeque};

/// A packet that comes out: port, bytes.
pub type Out = (u16, Vec<u8>);

/// Port and id.
pub type Replica = (u16, u16);

/// Groups, sessions, and what was counted.
#[derive(Default, Clone, Debug)]
pub struct Model {
    pub config: ShellConfig,
    pub groups: BTreeMap<u16, Vec<Replica>>,
    /// Replicas, and how long their packets may be.
    pub sessions: BTreeMap<u16, (Vec<Replica>, u16)>,
    pub counts: BTreeMap<Count, u64>,
    pub digests: Vec<Vec<u8>>,
    pub out: Vec<Out>,
}

/// A packet in egress.
#[derive(Clone)]
struct Copy {
    window: Vec<u8>,
    payload: Vec<u8>,
    port: u16,
    rid: u16,
    instance: u8,
    kept: u8,
    passes: u8,
    truncate: u16,
    pass: u32,
    sum: u32,
}

/// A packet on its way through ingress.
struct Pass {
    bytes: Vec<u8>,
    kept: u8,
    passes: u8,
    pass: u32,
}

/// Does not limit the length.
const WHOLE: u16 = 0x3fff;

impl Model {
    pub fn count(&mut self, what: Count) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// All that one packet causes.
    pub fn packet(&mut self, bytes: &[u8]) {
        let mut passes =
            VecDeque::from([Pass { bytes: bytes.to_vec(), kept: 0, passes: 0, pass: 1 }]);
        while let Some(pass) = passes.pop_front() {
            let mut copies = VecDeque::new();
            self.ingress(pass, &mut copies, &mut passes);
            while let Some(copy) = copies.pop_front() {
                self.egress(copy, &mut copies, &mut passes);
            }
        }
    }

    fn ingress(&mut self, p: Pass, copies: &mut VecDeque<Copy>, loops: &mut VecDeque<Pass>) {
        let config = self.config.clone();
        let size = config.window_bytes as usize;
        let mut window = p.bytes.clone();
        window.resize(size, 0);
        let number = |i: usize| u16::from_be_bytes([window[i], window[i + 1]]);
        let consumed = usize::from(window[0]).min(p.bytes.len().min(size));
        let asks = p.passes <= window[11];
        let flag = |bit: u8| asks && window[8] >> bit & 1 == 1;
        let clone = flag(0) && (config.ingress_clones || config.egress_clones);
        let loops_again = flag(1) && (config.resubmit || config.recirculate);
        let passes = p.passes.wrapping_add(u8::from(clone || loops_again));
        let (spec, group, session) = (number(2) & 511, number(4), number(9));
        let copy = Copy {
            payload: p.bytes[consumed..].to_vec(),
            port: spec,
            rid: 0,
            instance: 0,
            kept: p.kept,
            passes,
            truncate: !number(6) & WHOLE,
            pass: p.pass,
            sum: sum(&p.bytes),
            window: window.clone(),
        };
        if clone && config.ingress_clones {
            match self.sessions.get(&session).cloned() {
                Some((replicas, truncate)) => {
                    if replicas.is_empty() {
                        self.count(Count::NoGroup);
                    }
                    for (port, rid) in replicas {
                        let kept = CLONE_KEEPS;
                        copies.push_back(Copy {
                            port,
                            rid,
                            instance: 1,
                            truncate,
                            kept,
                            ..copy.clone()
                        });
                    }
                }
                None => self.count(Count::NoSession),
            }
        }
        if flag(2) && config.digest_bits > 0 {
            self.digests.push(window[..config.digest_bits as usize / 8].to_vec());
        }
        if loops_again && config.resubmit {
            if p.pass >= config.max_passes {
                return self.count(Count::MaxPasses);
            }
            return loops.push_back(Pass { kept: LOOP_KEEPS, passes, pass: p.pass + 1, ..p });
        }
        if group != 0 {
            let replicas = self.groups.get(&group).cloned().unwrap_or_default();
            if replicas.is_empty() || !config.multicast {
                return self.count(Count::NoGroup);
            }
            for (port, rid) in replicas {
                copies.push_back(Copy { port, rid, instance: 5, truncate: WHOLE, ..copy.clone() });
            }
        } else if spec == 511 {
            self.count(Count::DroppedIngress);
        } else {
            copies.push_back(copy);
        }
    }

    fn egress(&mut self, mut c: Copy, copies: &mut VecDeque<Copy>, loops: &mut VecDeque<Pass>) {
        let config = self.config.clone();
        let asks = c.passes <= c.window[11];
        let flag = |bit: u8| asks && c.window[8] >> bit & 1 == 1;
        let (clone, again, drop) = (flag(3), flag(4), flag(5));
        let clone = clone && (config.ingress_clones || config.egress_clones);
        let again = again && (config.resubmit || config.recirculate);
        let session = u16::from_be_bytes([c.window[9], c.window[10]]);
        let seen = [c.kept << 3 | c.instance, c.rid as u8, c.passes, c.port as u8];
        c.window[12..16].copy_from_slice(&seen);
        if config.payload_sum {
            c.window[16..20].copy_from_slice(&c.sum.to_be_bytes());
        }
        let passes = c.passes.wrapping_add(u8::from(clone || again));
        if clone && config.egress_clones {
            if c.pass >= config.max_passes {
                self.count(Count::MaxPasses);
            } else if let Some((replicas, truncate)) = self.sessions.get(&session).cloned() {
                if replicas.is_empty() {
                    self.count(Count::NoGroup);
                }
                for (port, rid) in replicas {
                    let (kept, instance, pass) = (CLONE_KEEPS, 2, c.pass + 1);
                    copies.push_back(Copy {
                        port,
                        rid,
                        instance,
                        truncate,
                        kept,
                        passes,
                        pass,
                        ..c.clone()
                    });
                }
            } else {
                self.count(Count::NoSession);
            }
        }
        if drop {
            return self.count(Count::DroppedEgress);
        }
        let header = usize::from(c.window[1]).min(config.window_bytes as usize);
        let mut bytes = c.window[..header].to_vec();
        bytes.extend(&c.payload);
        if again && config.recirculate {
            if c.pass >= config.max_passes {
                return self.count(Count::MaxPasses);
            }
            return loops.push_back(Pass { bytes, kept: LOOP_KEEPS, passes, pass: c.pass + 1 });
        }
        if c.truncate != WHOLE {
            bytes.truncate(c.truncate.into());
        }
        self.count(Count::Sent);
        self.out.push((c.port, bytes));
    }
}

/// All 16-bit words added, an odd last byte being the upper half of one.
fn sum(bytes: &[u8]) -> u32 {
    let word = |w: &[u8]| u32::from(w[0]) << 8 | w.get(1).map_or(0, |b| u32::from(*b));
    bytes.chunks(2).map(word).sum()
}
