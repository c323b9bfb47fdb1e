//! Exact keys: a hash table from packed slots to ids.

use hashbrown::HashTable;

/// A map from keys of `limbs` slots to ids. Keys stand in one array, by id.
#[derive(Clone, Debug)]
pub(crate) struct Exact {
    limbs: usize,
    keys: Vec<u64>,
    table: HashTable<u32>,
}

/// Mixes all slots of a key.
#[inline(always)]
fn hash(key: &[u64]) -> u64 {
    let mut hash = 0x9e37_79b9_7f4a_7c15u64;
    for limb in key {
        let wide = u128::from(hash ^ limb) * 0xd6e8_feb8_6659_fd93;
        hash = (wide >> 64) as u64 ^ wide as u64;
    }
    hash
}

impl Exact {
    pub fn new(limbs: usize) -> Self {
        Exact { limbs, keys: Vec::new(), table: HashTable::new() }
    }

    fn key(keys: &[u64], limbs: usize, id: u32) -> &[u64] {
        let at = id as usize * limbs;
        keys.get(at..at + limbs).unwrap_or_default()
    }

    /// Adds a key that is not there.
    pub fn insert(&mut self, key: &[u64], id: u32) {
        let at = id as usize * self.limbs;
        if self.keys.len() < at + self.limbs {
            self.keys.resize(at + self.limbs, 0);
        }
        self.keys[at..at + self.limbs].copy_from_slice(key);
        let (keys, limbs) = (&self.keys, self.limbs);
        self.table.insert_unique(hash(key), id, |id| hash(Self::key(keys, limbs, *id)));
    }

    pub fn remove(&mut self, key: &[u64]) {
        let (keys, limbs) = (&self.keys, self.limbs);
        let found = self.table.find_entry(hash(key), |id| Self::key(keys, limbs, *id) == key);
        if let Ok(entry) = found {
            entry.remove();
        }
    }

    #[inline(always)]
    pub fn get(&self, key: &[u64]) -> Option<u32> {
        if let [word] = key {
            let found = self.table.find(hash(&[*word]), |id| self.keys[*id as usize] == *word);
            return found.copied();
        }
        self.table.find(hash(key), |id| Self::key(&self.keys, self.limbs, *id) == key).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng, rngs::SmallRng};
    use std::collections::HashMap;

    #[test]
    fn agrees_with_a_map() {
        for limbs in [1, 2, 5] {
            let mut rng = SmallRng::seed_from_u64(limbs as u64);
            let (mut exact, mut map) = (Exact::new(limbs), HashMap::<Vec<u64>, u32>::new());
            let mut free: Vec<u32> = (0..500).collect();
            for _ in 0..20_000 {
                let key: Vec<u64> = (0..limbs).map(|_| rng.random_range(0..20)).collect();
                assert_eq!(exact.get(&key), map.get(&key).copied());
                if let Some(id) = map.get(&key).copied() {
                    if rng.random_bool(0.5) {
                        map.remove(&key);
                        exact.remove(&key);
                        free.push(id);
                    }
                } else if let Some(id) = free.pop() {
                    exact.insert(&key, id);
                    map.insert(key, id);
                }
            }
            assert!(map.len() > 5);
        }
    }
}
