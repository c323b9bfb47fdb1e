//! The shell: all that stays while region variants come and go.
//!
//! ```text
//! s_axis -> gate -> window -> [parser] -> [stages of ingress] -> traffic -> [stages of egress] -> [deparser] -> verdict
//!            ^ |                                                                                                   |
//!            | +-> payload buffer --------------------------------------------------------------------------> merge -> m_axis
//!            +------------------------------ loop buffer <--------------------------------------------------------+
//! ```
//!
//! In brackets: a guard and, outside of the shell, the region behind its socket. Between them and the traffic point is
//! the router: which region is where on the way is said for each epoch. Each file is one circuit with its contract
//! above it. Packets pass every place in the order in which they passed the gate, copies of
//! a packet one after the other; that is why the payload buffer is a ring and nothing needs a list. What
//! comes back through the loop port is let in again by the gate and is in that order like any other.
//!
//! What is decided where: the traffic point what becomes of a packet behind ingress, the verdict behind
//! egress. Room is reserved at the gate (queue, payload, loop buffer) and at the traffic point (merge), so
//! that nothing in between ever waits or is lost.

mod admit;
mod align;
mod axil;
mod control;
mod csr;
mod digest;
mod fabric;
mod fate;
mod fifo;
mod gate;
mod guard;
mod image;
mod inflight;
mod join;
mod kit;
mod lane;
mod lists;
mod looper;
mod merge;
mod payload;
mod put;
mod router;
mod shape;
mod socket;
mod sum;
mod top;
mod traffic;
mod turn;
mod verdict;
mod window;
mod wiring;
mod words;

pub use axil::AXIL_ADDRESS_BITS;
pub use fabric::{Static, fabric};
pub use fifo::{Fifos, fifo};
pub use guard::guard;
pub use restage_manifest::socket::{Socket, sockets};
pub use shape::{MOST_BYTES, USER_BITS};
pub use socket::region_interface;
pub use top::shell;

#[cfg(test)]
mod tests;
