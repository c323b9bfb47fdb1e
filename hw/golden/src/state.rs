//! What outlives a packet: entries, registers, counters, meters, maps, groups and sessions.

use crate::crc::CustomCrc;
use crate::error::BuildError;
use crate::layout::slots_of;
use crate::map::MapState;
use crate::matching::Test;
use crate::meter::Meter;
use crate::profile::ProfileState;
use crate::table::TableState;
use restage_program::Type;
use restage_program::entity::Action;
use restage_program::entry::{CloneTarget, CounterValue, KeyMatch, Replica};
use restage_program::program::Program;
use restage_program::random::{self, Sites};
use std::collections::{BTreeMap, HashMap};

/// Words of state that one object may have: 1 GB.
const MOST_WORDS: u64 = 1 << 27;

/// An array of registers.
#[derive(Clone, Debug)]
pub(crate) struct RegisterState {
    pub ty: Type,
    pub size: u32,
    pub limbs: usize,
    pub words: Vec<u64>,
}

/// A value set: what the control plane wrote, and the same for the parser.
#[derive(Clone, Default, Debug)]
pub(crate) struct ValueSetState {
    pub members: Vec<Vec<KeyMatch>>,
    pub tests: Vec<Vec<Test>>,
}

/// A clone session: where to, and at most how many bytes.
pub(crate) type Session = (CloneTarget, Option<u32>);

/// All state.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub tables: Vec<TableState>,
    pub profiles: Vec<ProfileState>,
    pub value_sets: Vec<ValueSetState>,
    pub registers: Vec<RegisterState>,
    pub counters: Vec<Vec<CounterValue>>,
    pub meters: Vec<Vec<Meter>>,
    pub maps: Vec<MapState>,
    pub groups: HashMap<u16, Vec<Replica>>,
    pub sessions: BTreeMap<u32, Session>,
    pub crcs: Vec<CustomCrc>,
    /// The generators of [`restage_program::random`], by site.
    pub random: Vec<u64>,
    /// The time of the last packet, in microseconds.
    pub now: u64,
}

/// Slots that the parameters of an action take.
pub(crate) fn params_len(program: &Program, action: Action) -> usize {
    program.actions[action].params.iter().map(|p| slots_of(p.ty) as usize).sum()
}

impl State {
    pub fn new(program: &Program, seed: u64) -> Result<Self, BuildError> {
        let fits = |what: &'static str, name: &str, words: u64| match words > MOST_WORDS {
            true => {
                Err(BuildError::TooBig { what, name: name.to_string(), words, limit: MOST_WORDS })
            }
            false => Ok(()),
        };
        for r in program.registers.values() {
            fits("register", &r.preamble.name, u64::from(r.size) * u64::from(slots_of(r.ty)))?;
        }
        for c in program.counters.values() {
            fits("counter", &c.preamble.name, u64::from(c.size) * 2)?;
        }
        for m in program.meters.values() {
            let words = (size_of::<Meter>() / 8) as u64;
            fits("meter", &m.preamble.name, u64::from(m.size) * words)?;
        }
        for (map, m) in program.maps.iter() {
            fits("map", &m.preamble.name, MapState::words(program, map))?;
        }
        let tables = program.tables.values().map(|table| {
            let kinds = table
                .keys
                .iter()
                .map(|k| (k.kind, program.type_of(&k.value, &[]).unwrap_or(Type::Bit(1))));
            let actions = table.actions.iter().map(|a| a.action).chain([table.default.action]);
            let stride = actions.map(|a| params_len(program, a)).max().unwrap_or(0);
            TableState::new(kinds.collect(), stride, table.default.clone())
        });
        let profiles = program.profiles.iter().map(|(profile, _)| {
            let tables = program.tables.values().filter(|t| t.profile == Some(profile));
            let actions = tables.flat_map(|t| &t.actions);
            let stride = actions.map(|a| params_len(program, a.action)).max().unwrap_or(0);
            ProfileState::new(stride)
        });
        let registers = program.registers.values().map(|r| {
            let limbs = slots_of(r.ty) as usize;
            RegisterState { ty: r.ty, size: r.size, limbs, words: vec![0; r.size as usize * limbs] }
        });
        Ok(State {
            tables: tables.collect(),
            profiles: profiles.collect(),
            value_sets: program.value_sets.values().map(|_| ValueSetState::default()).collect(),
            registers: registers.collect(),
            counters: program
                .counters
                .values()
                .map(|c| vec![CounterValue::default(); c.size as usize])
                .collect(),
            meters: program
                .meters
                .values()
                .map(|m| vec![Meter::default(); m.size as usize])
                .collect(),
            maps: program.maps.keys().map(|m| MapState::new(program, m)).collect(),
            groups: HashMap::new(),
            sessions: BTreeMap::new(),
            crcs: program.crcs.values().map(|c| CustomCrc::standard(c.width)).collect(),
            random: (0..Sites::of(program).count()).map(|site| random::start(seed, site)).collect(),
            now: 0,
        })
    }
}

/// Counts a packet.
pub(crate) fn count(counter: &mut CounterValue, bytes: u64) {
    counter.packets = counter.packets.wrapping_add(1);
    counter.bytes = counter.bytes.wrapping_add(bytes);
}
