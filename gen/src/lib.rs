//! What the command line tools share: programs by name or file, and pcap files.
//!
//! The crates under `hw/` do no I/O; this one does it for them.

pub mod pcap;
