//! Which bits of a PHV are taken at which points.

use restage_manifest::PhvBits;

/// For each bit the points at which something is there.
#[derive(Debug)]
pub struct Bits {
    first: u32,
    taken: Vec<u64>,
}

impl Bits {
    /// Bits from `first` up to a size, all free.
    pub fn new(first: u32, size: u32) -> Self {
        Bits { first, taken: vec![0; size as usize] }
    }

    fn range(&self, at: PhvBits) -> Option<&[u64]> {
        self.taken.get(at.low as usize..(at.low + at.width) as usize)
    }

    /// Whether a range is free at all these points.
    pub fn is_free(&self, at: PhvBits, points: u64) -> bool {
        at.low >= self.first
            && self.range(at).is_some_and(|bits| bits.iter().all(|taken| taken & points == 0))
    }

    /// Takes a range.
    pub fn take(&mut self, at: PhvBits, points: u64) {
        for bit in at.low..at.low + at.width {
            if let Some(taken) = self.taken.get_mut(bit as usize) {
                *taken |= points;
            }
        }
    }

    /// The lowest range of a width that is free at all these points.
    pub fn find(&self, width: u32, points: u64) -> Option<u32> {
        let mut free = 0;
        for (bit, taken) in self.taken.iter().enumerate().skip(self.first as usize) {
            free = if taken & points == 0 { free + 1 } else { 0 };
            if free >= width {
                return Some(bit as u32 + 1 - width);
            }
        }
        None
    }
}
