//! What a host reads of a card: registers, counters, messages. And how it starts anew.

use super::{Card, CardError};
use restage_encode::{EncodeError, Encoder, Rows, counter_value};
use restage_manifest::address::{self, shell};
use restage_manifest::{PhvBits, ShellField};
use restage_program::entity::{Counter, Digest, Register, Table};
use restage_program::entry::{CounterValue, KeyMatch};
use restage_program::program::Unit;
use restage_program::{Bits, Checked};
use restage_sim_verilator::Device;

impl Card {
    /// Resets the card, which clears all its memories, and boots it again.
    pub fn restart(&mut self, program: &Checked) -> Result<(), CardError> {
        self.nic.reset()?;
        self.encoder =
            Encoder::new(program, &self.manifest.cells).with_shell(&self.manifest.config);
        self.boot()
    }

    /// Reads a row of a memory that packets write.
    pub fn row(&mut self, rows: &Rows, row: u32) -> Result<Bits, CardError> {
        let read = rows.read(row);
        self.carry_out(&read.ops)?;
        let mut words = Vec::new();
        for (unit, word) in &read.words {
            words.push(self.nic.read(address::byte(*unit, *word))?);
        }
        Ok(read.row(&words))
    }

    /// A register; `None` if the program's circuits have no such array.
    pub fn register(&mut self, register: Register, index: u32) -> Result<Option<Bits>, CardError> {
        let rows = self.encoder.registers(register);
        rows.map(|rows| self.row(&rows, index)).transpose()
    }

    /// A counter, in all its banks. What it does not count is 0.
    pub fn counter(
        &mut self,
        counter: Counter,
        unit: Unit,
        index: u32,
    ) -> Result<CounterValue, CardError> {
        let mut sum = CounterValue::default();
        for bank in self.encoder.counters(counter) {
            let value = counter_value(unit, &self.row(&bank, index)?);
            sum.packets = sum.packets.wrapping_add(value.packets);
            sum.bytes = sum.bytes.wrapping_add(value.bytes);
        }
        Ok(sum)
    }

    /// The direct counter of an entry. What it does not count is 0.
    pub fn direct_counter(
        &mut self,
        table: Table,
        unit: Unit,
        keys: &[KeyMatch],
        priority: u32,
    ) -> Result<CounterValue, CardError> {
        let found = self.encoder.direct_counter(self.epoch == 1, table, keys, priority);
        let found = found.map_err(|source| EncodeError { index: 0, source })?;
        let Some((rows, row)) = found else { return Ok(CounterValue::default()) };
        Ok(counter_value(unit, &self.row(&rows, row)?))
    }

    /// Takes all messages that wait: which digest, and its fields.
    pub fn messages(&mut self, program: &Checked) -> Result<Vec<(Digest, Vec<Bits>)>, CardError> {
        let mut found = Vec::new();
        if self.manifest.config.digest_bits == 0 {
            return Ok(found);
        }
        let at = |word| address::byte(address::SHELL, word);
        for _ in 0..self.nic.read(at(shell::DIGEST_COUNT))? {
            let number = self.nic.read(at(shell::DIGEST_NUMBER))?;
            let mut words = Vec::new();
            for word in 0..self.manifest.config.digest_bits.div_ceil(32) {
                words.push(self.nic.read(at(shell::DIGEST_DATA + word))?);
            }
            self.nic.write(at(shell::DIGEST_POP), 1)?;
            let digest = Digest(number.wrapping_sub(1));
            let fields = program.digests.get(digest).map(|d| d.fields.as_slice());
            let names = fields.unwrap_or_default().iter().map(|(field, _)| &field.name);
            let places: Vec<PhvBits> =
                names.filter_map(|name| self.message_field(digest, name)).collect();
            found.push((digest, places.into_iter().map(|at| field(&words, at)).collect()));
        }
        Ok(found)
    }

    /// Where a field of a digest stands in a message.
    fn message_field(&self, digest: Digest, name: &str) -> Option<PhvBits> {
        let name = format!("message{}.{name}", digest.0);
        let field = self.manifest.fields.iter().find(|f| f.name == name)?;
        let first = ShellField::bits(&self.manifest.config) + self.manifest.config.keep_bits;
        Some(PhvBits { low: field.bits.low - first, width: field.bits.width })
    }
}

/// Bits out of words, the first word lowest.
fn field(words: &[u32], at: PhvBits) -> Bits {
    let bit = |i: u32| words.get((i / 32) as usize).is_some_and(|w| w >> (i % 32) & 1 == 1);
    let mut limbs = vec![0u64; at.width.div_ceil(64) as usize];
    for i in (0..at.width).filter(|i| bit(at.low + i)) {
        limbs[(i / 64) as usize] |= 1 << (i % 64);
    }
    Bits::from_limbs(at.width, &limbs)
}
