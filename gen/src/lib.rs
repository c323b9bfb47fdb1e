//! What the command line tools share: programs by name or file, pcap files, replaying captures.
//!
//! The crates under `hw/` do no I/O; this one does it for them.

pub mod bus_writes;
pub mod files;
pub mod hardware;
pub mod images;
pub mod pcap;
pub mod replay;
pub mod say;
pub mod source;
pub mod summary;
pub mod wanted;
