//! What can be wrong with a packet.

use crate::random::Rng;

/// Cuts a packet, adds to it, flips bits of it, or replaces it by garbage.
pub(super) fn damage(bytes: &mut Vec<u8>, rng: &mut Rng) {
    match rng.below(10) {
        0..4 => bytes.truncate(rng.below(bytes.len())),
        4 | 5 => {
            for _ in 0..rng.between(1, 40) {
                bytes.push(rng.bits64() as u8);
            }
        }
        6..9 => {
            for _ in 0..rng.between(1, 4) {
                let at = rng.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << rng.below(8);
                }
            }
        }
        _ => {
            let length = rng.between(0, 100);
            *bytes = (0..length).map(|_| rng.bits64() as u8).collect();
        }
    }
}
