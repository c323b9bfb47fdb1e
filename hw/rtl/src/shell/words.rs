//! A circuit's words on the shell's part of the configuration bus.

use super::kit::{is, later};
use super::shape::{ADDRESS_BITS, WORD_BITS};
use crate::net::{Module, Net};

/// Clocks from an address to what stands there, for everything on the shell's bus.
pub(super) const READ_CLOCKS: u32 = 2;

/// The ports `csr_write_i`, `csr_addr_i`, `csr_wdata_i`, one register behind them.
///
/// Contract of all who have them: a write counts in the clock of `csr_write_i`; what is read is 0 for addresses of
/// others and comes two clocks after the address.
#[derive(Clone, Copy)]
pub(super) struct Words {
    /// Something is written.
    write: Net,
    /// Where.
    pub address: Net,
    /// What.
    pub data: Net,
}

impl Words {
    /// The ports and the registers.
    pub fn new(m: &mut Module) -> Self {
        let write = m.input("csr_write_i", 1);
        let address = m.input("csr_addr_i", ADDRESS_BITS);
        let data = m.input("csr_wdata_i", WORD_BITS);
        Words {
            write: later(m, "csr_write", write, 1),
            address: m.delay(address, 1),
            data: m.delay(data, 1),
        }
    }

    /// A word is written.
    pub fn at(&self, m: &mut Module, word: u32) -> Net {
        let here = is(m, self.address, word.into());
        m.and(self.write, here)
    }

    /// The value of the word that is asked for.
    pub fn read(&self, m: &mut Module, values: &[(u32, Net)]) -> Net {
        read(m, self.address, values)
    }
}

/// The value at an address, one clock later; 0 if there is none.
pub(super) fn read(m: &mut Module, address: Net, values: &[(u32, Net)]) -> Net {
    let choices: Vec<(Net, Net)> =
        values.iter().map(|(word, net)| (is(m, address, (*word).into()), *net)).collect();
    let value = m.select(&choices);
    m.delay(value, READ_CLOCKS - 1)
}
