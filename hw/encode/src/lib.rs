//! What a control plane writes, as words on the configuration bus of the regions.
//!
//! [`Encoder`] knows what is installed and where it lies: slots of cuckoo tables, leaves of prefix trees, positions of
//! ternary tables, ids. It takes the same [`Write`]s as the golden model, refuses the same ones, and gives
//! [`BusOp`]s; whoever has the bus carries them out in order. It does no I/O.
//!
//! Entries, defaults, members, groups and value sets exist per epoch. Before any packet [`Epochs::Both`] is written. A
//! batch that packets must see as a whole or not at all is written under the epoch that no packet has, the epoch flips, and
//! when the old one has no packet left the same batch is written under it. Under the epoch of the packets single writes
//! are safe in exact tables only: others may move what they did not mean for as long as the writing takes.
//! Registers, counters, meters and maps have no epochs.
//!
//! A refused write changes nothing, and of a batch with one nothing remains.

mod bus;
mod encoder;
mod exact;
mod ids;
mod lists;
mod lpm;
mod profile;
mod read;
mod state;
mod table;
mod ternary;

pub use bus::BusOp;
pub use encoder::{EncodeError, Encoder, Epochs};
pub use read::{RowRead, Rows};
pub use state::{counter_value, map_bucket, map_entry, meter_missing};
