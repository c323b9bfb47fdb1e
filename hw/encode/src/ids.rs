//! Numbers for things that exist in two epochs.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// Numbers of keys. A key has one number in both epochs, and keeps it until it is in neither.
#[derive(Clone, Debug)]
pub(crate) struct Ids<K> {
    known: HashMap<K, (u32, [bool; 2])>,
    free: Vec<u32>,
    next: u32,
    limit: u32,
    /// Numbers that keys have elsewhere and shall have here.
    wished: HashMap<K, u32>,
}

impl<K: Hash + Eq + Clone> Ids<K> {
    pub fn new(limit: u32) -> Self {
        Ids { known: HashMap::new(), free: Vec::new(), next: 0, limit, wished: HashMap::new() }
    }

    /// From now on keys that others have in an epoch get the same numbers, as far as there are so many. Before any key is added.
    pub fn like(&mut self, others: &Ids<K>, epoch: usize) {
        let there = others.known.iter().filter(|(_, (id, there))| there[epoch] && *id < self.limit);
        self.wished = there.map(|(key, (id, _))| (key.clone(), *id)).collect();
        let taken: HashSet<u32> = self.wished.values().copied().collect();
        self.next = taken.iter().max().map_or(0, |most| most + 1);
        self.free = (0..self.next).filter(|id| !taken.contains(id)).collect();
    }

    /// No key is waited for any more: the numbers that none of those had are free.
    pub fn settle(&mut self) {
        self.free.extend(self.wished.drain().map(|(_, id)| id));
    }

    /// The number of a key in an epoch.
    pub fn get(&self, key: &K, epoch: usize) -> Option<u32> {
        self.known.get(key).filter(|(_, there)| there[epoch]).map(|(id, _)| *id)
    }

    /// Whether the key is in the epoch.
    pub fn there(&self, key: &K) -> [bool; 2] {
        self.known.get(key).map_or([false; 2], |(_, there)| *there)
    }

    /// Puts a key into an epoch; `None` when all numbers are taken.
    pub fn add(&mut self, key: &K, epoch: usize) -> Option<u32> {
        if let Some((id, there)) = self.known.get_mut(key) {
            there[epoch] = true;
            return Some(*id);
        }
        let id = match self.wished.remove(key).or_else(|| self.free.pop()) {
            Some(id) => id,
            None if self.next < self.limit => {
                self.next += 1;
                self.next - 1
            }
            None => return None,
        };
        let mut there = [false; 2];
        there[epoch] = true;
        self.known.insert(key.clone(), (id, there));
        Some(id)
    }

    /// Takes a key out of an epoch.
    pub fn remove(&mut self, key: &K, epoch: usize) {
        let Some((id, there)) = self.known.get_mut(key) else { return };
        there[epoch] = false;
        let id = *id;
        if *there == [false; 2] {
            self.known.remove(key);
            self.free.push(id);
        }
    }
}
