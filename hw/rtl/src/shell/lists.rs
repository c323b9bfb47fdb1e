//! Multicast groups, clone sessions, and the lists of replicas that they name.

use super::kit::{bits_for, held, is};
use super::shape::{Shape, WORD_BITS};
use super::words::Words;
use crate::net::{Drive, MemStyle, Memory, Module, Net};
use restage_manifest::ShellField;
use restage_manifest::address::shell as word;
use restage_program::Bits;

/// Clocks from a number to what is known of it.
pub(super) const LOOKUP_CLOCKS: u32 = 2;
/// Clocks from a place in a list to the replica.
pub(super) const REPLICA_CLOCKS: u32 = 2;

/// A list of replicas; empty where there is none.
#[derive(Clone, Copy)]
pub(super) struct List {
    pub start: Net,
    pub count: Net,
}

/// What is known of a session.
#[derive(Clone, Copy)]
pub(super) struct Session {
    pub exists: Net,
    pub truncate: Net,
    pub list: List,
}

/// The three memories, written over the configuration bus, and cleared after a reset.
pub(super) struct Lists {
    groups: Option<Memory>,
    sessions: Option<Memory>,
    replicas: Memory,
    replica_bits: u32,
    /// All rows have been cleared.
    pub ready: Net,
}

impl Lists {
    /// With the ports of the configuration bus.
    pub fn new(m: &mut Module, shape: Shape<'_>) -> Self {
        let config = shape.config;
        m.section("writes over the configuration bus");
        let csr = Words::new(m);
        let data = csr.data;

        m.section("clearing after a reset");
        let rows = config.groups.max(config.sessions);
        let bits = bits_for(rows);
        let sweep = m.reg("sweep", bits);
        let ready = is(m, sweep.q(), rows.into());
        let ready = m.named("ready", ready);
        let one = m.lit(bits, 1);
        let up = m.add(sweep.q(), one);
        let clearing = m.not(ready);
        m.drive(sweep, up, Drive::when(clearing).reset(Bits::zero(bits)));

        let replica_bits = bits_for(config.replicas - 1);
        let entry = list_entry(m, data, replica_bits);
        let table = |m: &mut Module, name: &str, rows: u32, set: u32, go: u32, entry: Net| {
            let (set, go) = (csr.at(m, set), csr.at(m, go));
            let row = row(m, name, rows, set, go, data);
            let memory = m.memory(name, m.width(entry), rows, MemStyle::Block);
            let bits = memory.addr_width();
            let swept = m.resize(sweep.q(), bits);
            let address = m.mux(ready, row, swept);
            let nothing = m.bits(&Bits::zero(m.width(entry)));
            let entry = m.mux(ready, entry, nothing);
            let enable = m.or(go, clearing);
            m.write_port(memory, enable, address, entry);
            memory
        };
        let groups = config.multicast.then(|| {
            m.section("multicast groups");
            table(m, "groups", config.groups, word::GROUP_ROW, word::GROUP_DATA, entry)
        });
        let sessions = shape.clones().then(|| {
            m.section("clone sessions");
            let hold = csr.at(m, word::SESSION_HOLD);
            let low = m.slice(data, ShellField::Truncate.width() - 1, 0);
            let exists = m.bit(data, WORD_BITS - 1);
            let about = m.concat(&[exists, low]);
            let about = held(m, "session_hold", hold, about);
            let all = m.concat(&[about, entry]);
            table(m, "sessions", config.sessions, word::SESSION_ROW, word::SESSION_DATA, all)
        });
        m.section("replicas");
        let set = csr.at(m, word::REPLICA_ROW);
        let go = csr.at(m, word::REPLICA_DATA);
        let row = row(m, "replicas", config.replicas, set, go, data);
        let port = m.slice(data, ShellField::EgressPort.width() - 1, 0);
        let rid = m.slice(data, 31, 16);
        let replica = m.concat(&[rid, port]);
        let replicas = m.memory("replicas", m.width(replica), config.replicas, MemStyle::Block);
        m.write_port(replicas, go, row, replica);
        Lists { groups, sessions, replicas, replica_bits, ready }
    }

    /// Bits of a list.
    pub fn width(&self) -> u32 {
        2 * self.replica_bits + 1
    }

    /// The list of a group, [`LOOKUP_CLOCKS`] later.
    pub fn group(&self, m: &mut Module, number: Net) -> List {
        match self.groups {
            Some(memory) => {
                let (q, inside) = self.look(m, memory, number);
                self.list(m, q, inside)
            }
            None => self.nothing(m),
        }
    }

    /// A session, [`LOOKUP_CLOCKS`] later.
    pub fn session(&self, m: &mut Module, number: Net) -> Session {
        let Some(memory) = self.sessions else {
            let exists = m.lit(1, 0);
            let truncate = m.lit(ShellField::Truncate.width(), 0);
            return Session { exists, truncate, list: self.nothing(m) };
        };
        let (q, inside) = self.look(m, memory, number);
        let list = self.list(m, q, inside);
        let low = self.width();
        let truncate = m.slice(q, low + ShellField::Truncate.width() - 1, low);
        let exists = m.bit(q, low + ShellField::Truncate.width());
        let exists = m.and(exists, inside);
        Session { exists, truncate, list }
    }

    /// Port and id of the replica at a place, [`REPLICA_CLOCKS`] later.
    pub fn replica(&self, m: &mut Module, enable: Net, place: Net) -> (Net, Net) {
        let q = m.read_port(self.replicas, enable, place, REPLICA_CLOCKS);
        let port = ShellField::EgressPort.width();
        let rid = m.slice(q, port + 15, port);
        (m.slice(q, port - 1, 0), rid)
    }

    fn look(&self, m: &mut Module, memory: Memory, number: Net) -> (Net, Net) {
        let bits = memory.addr_width();
        let address = m.resize(number, bits);
        let yes = m.lit(1, 1);
        let q = m.read_port(memory, yes, address, LOOKUP_CLOCKS);
        let width = m.width(number);
        let inside = if width > bits {
            let above = m.slice(number, width - 1, bits);
            let above = m.any(above);
            let inside = m.not(above);
            m.delay(inside, LOOKUP_CLOCKS)
        } else {
            yes
        };
        (q, inside)
    }

    fn list(&self, m: &mut Module, q: Net, inside: Net) -> List {
        let bits = self.replica_bits;
        let count = m.slice(q, bits, 0);
        let none = m.lit(bits + 1, 0);
        let count = m.mux(inside, count, none);
        List { start: m.slice(q, 2 * bits, bits + 1), count }
    }

    fn nothing(&self, m: &mut Module) -> List {
        List { start: m.lit(self.replica_bits, 0), count: m.lit(self.replica_bits + 1, 0) }
    }
}

/// First replica and their number, as they stand in a word.
fn list_entry(m: &mut Module, data: Net, bits: u32) -> Net {
    let start = m.slice(data, 16 + bits - 1, 16);
    let count = m.slice(data, 15, 0);
    let count = m.resize(count, bits + 1);
    m.concat(&[start, count])
}

/// The row that is written next: set by one word, counted up by a write.
fn row(m: &mut Module, name: &str, rows: u32, set: Net, step: Net, data: Net) -> Net {
    let bits = bits_for(rows - 1);
    let reg = m.reg(&format!("{name}_row"), bits);
    let one = m.lit(bits, 1);
    let up = m.add(reg.q(), one);
    let value = m.resize(data, bits);
    let next = m.mux(set, value, up);
    let change = m.or(set, step);
    m.drive(reg, next, Drive::when(change).reset(Bits::zero(bits)));
    reg.q()
}
