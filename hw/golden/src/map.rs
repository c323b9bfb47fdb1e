//! Maps that packets fill: set-associative, with ageing.
//!
//! The bucket of a key is the CRC-32 of its packed fields modulo the number of buckets. An entry is
//! dead when it was last used more than the time-out ago; a dead entry is not found, and its place is
//! free. A new entry takes the first free way.

use restage_program::entity::Map;
use restage_program::program::Program;

use crate::layout::slots_of;

/// Contents of a map.
#[derive(Clone, Debug)]
pub(crate) struct MapState {
    buckets: u32,
    ways: usize,
    timeout: u64,
    key_len: usize,
    stride: usize,
    /// When each place was last used; `None` for an empty one.
    used: Vec<Option<u64>>,
    /// Key and values of each place.
    data: Vec<u64>,
}

impl MapState {
    /// Words that a map needs.
    pub fn words(program: &Program, map: Map) -> u64 {
        let decl = &program.maps[map];
        let fields = decl.key.iter().chain(&decl.values);
        let stride: u64 = fields.map(|f| u64::from(slots_of(f.ty))).sum();
        u64::from(decl.buckets) * u64::from(decl.ways) * (stride + 2)
    }

    pub fn new(program: &Program, map: Map) -> Self {
        let decl = &program.maps[map];
        let len = |fields: &[restage_program::program::FieldDecl]| {
            fields.iter().map(|f| slots_of(f.ty) as usize).sum::<usize>()
        };
        let (key_len, stride) = (len(&decl.key), len(&decl.key) + len(&decl.values));
        let places = decl.buckets as usize * decl.ways as usize;
        MapState {
            buckets: decl.buckets.max(1),
            ways: decl.ways as usize,
            timeout: decl.idle_timeout_us,
            key_len,
            stride,
            used: vec![None; places],
            data: vec![0; places * stride],
        }
    }

    /// Takes the entries of a map of the same shape over.
    pub fn adopt(&mut self, old: &MapState) {
        self.used.clone_from(&old.used);
        self.data.clone_from(&old.data);
    }

    fn live(&self, place: usize, now: u64) -> bool {
        self.used[place]
            .is_some_and(|at| self.timeout == 0 || now.saturating_sub(at) <= self.timeout)
    }

    fn places(&self, hash: u32) -> std::ops::Range<usize> {
        let first = (hash % self.buckets) as usize * self.ways;
        first..first + self.ways
    }

    fn find(&self, hash: u32, key: &[u64], now: u64) -> Option<usize> {
        self.places(hash).find(|p| {
            let at = p * self.stride;
            self.live(*p, now) && self.data[at..at + self.key_len] == *key
        })
    }

    /// The values of a live entry; `touch` restarts its time-out.
    pub fn get(&mut self, hash: u32, key: &[u64], now: u64, touch: bool) -> Option<&[u64]> {
        let place = self.find(hash, key, now)?;
        if touch {
            self.used[place] = Some(now);
        }
        let at = place * self.stride;
        Some(&self.data[at + self.key_len..at + self.stride])
    }

    /// Stores an entry unless its bucket is full of other live ones.
    pub fn put(&mut self, hash: u32, key: &[u64], values: &[u64], now: u64) -> bool {
        let place =
            self.find(hash, key, now).or_else(|| self.places(hash).find(|p| !self.live(*p, now)));
        let Some(place) = place else { return false };
        self.used[place] = Some(now);
        let at = place * self.stride;
        self.data[at..at + self.key_len].copy_from_slice(key);
        self.data[at + self.key_len..at + self.stride].copy_from_slice(values);
        true
    }

    /// Removes an entry; says whether there was a live one.
    pub fn remove(&mut self, hash: u32, key: &[u64], now: u64) -> bool {
        match self.find(hash, key, now) {
            Some(place) => {
                self.used[place] = None;
                true
            }
            None => false,
        }
    }

    /// Key, values and last use of all live entries, in order of their places.
    pub fn entries(&self, now: u64) -> impl Iterator<Item = (&[u64], &[u64], u64)> {
        (0..self.used.len()).filter(move |p| self.live(*p, now)).filter_map(|p| {
            let at = p * self.stride;
            let (key, values) = self.data[at..at + self.stride].split_at(self.key_len);
            Some((key, values, self.used[p]?))
        })
    }
}
