//! Registers, counters, meters and maps: rows that packets change too, so nothing of them is remembered here.

use crate::bus::{RowWrite, Word, field, join};
use crc::{CRC_32_ISO_HDLC, Crc};
use restage_manifest::address::region;
use restage_manifest::cell::{Cell, MapShape, MeterShape, Part, Parts};
use restage_program::Bits;
use restage_program::entry::{CounterValue, MeterConfig};
use restage_program::program::Unit;

static CRC32: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// A row of a cell.
pub(crate) fn row<S: Parts>(cell: &Cell<S>, part: Part, row: u32, bits: Bits) -> Option<RowWrite> {
    let (number, shape) = cell.memory(part)?;
    let (unit, command, live) = (cell.unit, region::WRITE, shape.live);
    Some(RowWrite { unit, number, row, bits: bits.resize(shape.width), command, live })
}

/// A counter's row.
pub(crate) fn counter_row(unit: Unit, value: CounterValue) -> Bits {
    match unit {
        Unit::Packets => Bits::new(64, value.packets.into()),
        Unit::Bytes => Bits::new(64, value.bytes.into()),
        Unit::Both => Bits::from_limbs(128, &[value.packets, value.bytes]),
    }
}

/// A counter out of its row; what it does not count is 0.
pub fn counter_value(unit: Unit, row: &Bits) -> CounterValue {
    let limb = |i: usize| row.limbs().get(i).copied().unwrap_or(0);
    match unit {
        Unit::Packets => CounterValue { packets: limb(0), bytes: 0 },
        Unit::Bytes => CounterValue { packets: 0, bytes: limb(0) },
        Unit::Both => CounterValue { packets: limb(0), bytes: limb(1) },
    }
}

/// The rows of a meter: rates, then full buckets.
pub(crate) fn meter_rows<S: Parts>(
    cell: &Cell<S>,
    index: u32,
    config: Option<MeterConfig>,
) -> Vec<RowWrite> {
    let number = MeterShape::NUMBER;
    let mut rates = Word::new(4 * number + 1);
    if let Some(c) = config {
        for (at, value) in (0..).zip([c.cburst, rate(c.cir), c.pburst, rate(c.pir)]) {
            rates.number(at * number, number, value);
        }
        rates.number(4 * number, 1, 1);
    }
    let parts = [
        (Part::Rates, rates.bits()),
        (Part::Filled, Bits::zero(1)),
        (Part::Missing, Bits::zero(1)),
    ];
    parts.into_iter().filter_map(|(part, bits)| row(cell, part, index, bits)).collect()
}

/// What is missing of the full committed and peak buckets, in 2^-40 tokens, out of a row.
pub fn meter_missing(row: &Bits) -> [u128; 2] {
    [0, 1].map(|i| {
        let bits = field(row, i * MeterShape::TOKENS, MeterShape::TOKENS);
        let limb = |i: usize| u128::from(bits.limbs().get(i).copied().unwrap_or(0));
        limb(0) | limb(1) << 64
    })
}

/// Tokens per microsecond with 40 binary places, rounded up, at most 64 bits.
fn rate(per_second: f64) -> u64 {
    // A power of two changes no digit, and casts of what is too large give the largest number.
    (per_second / 1e6 * (1u64 << MeterShape::PLACES) as f64).ceil() as u64
}

/// A command on a map, with a key and perhaps values.
pub(crate) fn map_row(
    cell: &Cell<MapShape>,
    key: &[Bits],
    values: &[Bits],
    command: u32,
) -> Option<RowWrite> {
    let (number, _) = cell.memory(Part::MapWay(0))?;
    let shape = &cell.shape;
    let mut word = Word::new(shape.row_bits());
    let mut at = 0;
    for value in values {
        word.put(at, value);
        at += value.width();
    }
    word.put(shape.key_at(), &join(key));
    let row = map_bucket(shape, key);
    Some(RowWrite { unit: cell.unit, number, row, bits: word.bits(), command, live: true })
}

/// The bucket of a key.
pub fn map_bucket(shape: &MapShape, key: &[Bits]) -> u32 {
    map_hash(&join(key)) & shape.buckets.saturating_sub(1)
}

/// CRC-32 of a joined key, filled with zeros to whole bytes.
fn map_hash(key: &Bits) -> u32 {
    let width = key.width().next_multiple_of(8);
    let mut word = Word::new(width);
    word.put(width - key.width(), key);
    CRC32.checksum(&word.bits().to_be_bytes())
}

/// An entry of a map out of a row of a way: key, values, last use.
pub fn map_entry(shape: &MapShape, row: &Bits) -> Option<(Vec<Bits>, Vec<Bits>, u64)> {
    if !row.bit(shape.row_bits() - 1) {
        return None;
    }
    let mut at = 0;
    let values = shape.values.iter().map(|width| {
        at += width;
        field(row, at - width, *width)
    });
    let values = values.collect();
    let mut at = shape.time_at();
    let key = shape.key.iter().map(|width| {
        at -= width;
        field(row, at, *width)
    });
    let key = key.collect();
    let used = field(row, shape.time_at(), 48).low_u64();
    Some((key, values, used))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fixed::types::U24F40;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    /// The golden model takes the fixed-point number that is not below the rate.
    #[test]
    fn rates_are_rounded_up_as_in_the_model() {
        let mut rng = StdRng::seed_from_u64(1);
        let odd = [0.0, 1.0, 1e-9, 1e6, 333.0, 16e12, 17e12, 1e300, 1e6 + 1e-3];
        let random =
            (0..20_000).map(|_| rng.random::<f64>() * 10f64.powi(rng.random_range(-12..15)));
        for per_second in odd.into_iter().chain(random.collect::<Vec<_>>()) {
            let exact = per_second / 1e6;
            let below = U24F40::saturating_from_num(exact);
            let up = if below.to_num::<f64>() < exact {
                below.saturating_add(U24F40::DELTA)
            } else {
                below
            };
            assert_eq!(rate(per_second), up.to_bits(), "{per_second}");
        }
    }

    #[test]
    fn map_rows_come_back() {
        let shape = MapShape {
            key: vec![3, 33],
            values: vec![5, 70],
            buckets: 8,
            ways: 2,
            idle_timeout_us: 0,
        };
        let cell = Cell { unit: 1, first: 0, shape };
        let (key, values) =
            ([Bits::new(3, 5), Bits::new(33, 0x1_2345_6789)], [Bits::new(5, 9), Bits::ones(70)]);
        let write = map_row(&cell, &key, &values, 3).unwrap();
        assert_eq!(map_entry(&cell.shape, &write.bits), None);
        let mut row = Word::new(cell.shape.row_bits());
        row.put(0, &write.bits).number(cell.shape.time_at(), 48, 77).number(
            cell.shape.row_bits() - 1,
            1,
            1,
        );
        let (k, v, used) = map_entry(&cell.shape, &row.bits()).unwrap();
        assert_eq!((k.as_slice(), v.as_slice(), used), (&key[..], &values[..], 77));
    }
}
