//! Cuckoo placement.
//!
//! A key has one slot in each way and may stand in any, or in the stash. When all are taken, the shortest
//! chain of moves that ends at a free slot is searched, first moves first. Moves are written from the end of the chain: the
//! new copy is there before the old one is overwritten, so no packet misses an entry that is there.

use crate::bus::{Log, Memory, Word};
use restage_manifest::cell::{Cell, ExactShape, Part, TableShape, bits_for, hash_mask};
use restage_program::Bits;
use std::collections::{HashMap, VecDeque};

/// Slots looked at before a key goes to the stash.
const SEARCH: usize = 2000;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Place {
    Slot { way: u32, row: u32 },
    Stash(u32),
}

/// An exact table's slots.
#[derive(Clone, Debug)]
pub(crate) struct Exact {
    shape: ExactShape,
    masks: Vec<Vec<Bits>>,
    ways: Vec<Memory>,
    stash: Memory,
    at: HashMap<Place, Bits>,
    places: HashMap<Bits, Place>,
}

impl Exact {
    pub fn new(cell: &Cell<TableShape>, shape: &ExactShape) -> Self {
        let bits = if shape.ways > 0 { bits_for(shape.depth) } else { 0 };
        let masks = |way| (0..bits).map(|bit| hash_mask(shape.key_bits, way, bit)).collect();
        Exact {
            shape: shape.clone(),
            masks: (0..shape.ways).map(masks).collect(),
            ways: (0..shape.ways).map(|w| Memory::new(cell, Part::Way(w))).collect(),
            stash: Memory::new(cell, Part::Stash),
            at: HashMap::new(),
            places: HashMap::new(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Slots that there are.
    pub fn slots(&self) -> u64 {
        u64::from(self.shape.ways) * u64::from(self.shape.depth) + u64::from(self.shape.stash)
    }

    /// Puts a key into the epochs in which it is; into none removes it. Says whether there was room.
    pub fn put(&mut self, log: &mut Log, key: &Bits, id: u32, there: [bool; 2]) -> bool {
        let slot = self.word(key, id, there);
        if there == [false; 2] {
            if let Some(place) = self.places.remove(key) {
                self.at.remove(&place);
                self.store(log, place, &Bits::zero(self.shape.slot_bits()));
            }
            return true;
        }
        let place = match self.places.get(key) {
            Some(place) => *place,
            None => match self.room(log, key) {
                Some(place) => place,
                None => return false,
            },
        };
        self.at.insert(place, key.clone());
        self.places.insert(key.clone(), place);
        self.store(log, place, &slot);
        true
    }

    fn word(&self, key: &Bits, id: u32, there: [bool; 2]) -> Bits {
        let mut word = Word::new(self.shape.slot_bits());
        word.put(0, key).number(self.shape.id_at(), self.shape.id_bits, id.into());
        for (epoch, there) in (0..).zip(there) {
            word.number(self.shape.valid_at() + epoch, 1, there.into());
        }
        word.bits()
    }

    fn store(&mut self, log: &mut Log, place: Place, slot: &Bits) {
        match place {
            Place::Slot { way, row } => {
                if let Some(memory) = self.ways.get_mut(way as usize) {
                    memory.put(log, row, slot);
                }
            }
            Place::Stash(row) => self.stash.put(log, row, slot),
        }
    }

    fn load(&self, place: Place) -> Bits {
        match place {
            Place::Slot { way, row } => {
                self.ways.get(way as usize).map_or(Bits::zero(0), |memory| memory.get(row))
            }
            Place::Stash(row) => self.stash.get(row),
        }
    }

    /// The slots in which a key may stand.
    fn choices(&self, key: &Bits) -> Vec<Place> {
        let parity = |mask: &Bits| {
            let both = key.limbs().iter().zip(mask.limbs());
            both.fold(0, |n, (k, m)| n ^ (k & m).count_ones()) & 1
        };
        (0..)
            .zip(&self.masks)
            .map(|(way, masks)| {
                let row = masks.iter().rev().fold(0, |row, mask| row << 1 | parity(mask));
                Place::Slot { way, row }
            })
            .collect()
    }

    /// A free place for a key, made by moving others if need be.
    fn room(&mut self, log: &mut Log, key: &Bits) -> Option<Place> {
        // Each step: a place, and the step whose key would move there.
        let mut steps: Vec<(Place, Option<usize>)> =
            self.choices(key).into_iter().map(|place| (place, None)).collect();
        let mut queue: VecDeque<usize> = (0..steps.len()).collect();
        while let Some(at) = queue.pop_front() {
            let Some(other) = self.at.get(&steps[at].0) else {
                return Some(self.move_along(log, &steps, at));
            };
            if steps.len() > SEARCH {
                continue;
            }
            for place in self.choices(other) {
                if place != steps[at].0 {
                    steps.push((place, Some(at)));
                    queue.push_back(steps.len() - 1);
                }
            }
        }
        (0..self.shape.stash).map(Place::Stash).find(|place| !self.at.contains_key(place))
    }

    /// Moves keys along a chain whose end is free; gives its beginning.
    fn move_along(&mut self, log: &mut Log, steps: &[(Place, Option<usize>)], end: usize) -> Place {
        let mut at = end;
        while let Some(before) = steps[at].1 {
            let (from, to) = (steps[before].0, steps[at].0);
            let slot = self.load(from);
            if let Some(key) = self.at.remove(&from) {
                self.places.insert(key.clone(), to);
                self.at.insert(to, key);
            }
            self.store(log, to, &slot);
            at = before;
        }
        steps[at].0
    }
}
