//! Random lives of a card: programs, functions, parsers, deparsers and entries come and go, move, are taken back, while packets
//! are on every clock. The golden model follows and knows every packet and every row.
//!
//! [`life`] chooses what happens next, [`pool`] has the programs, [`follow`] compares.

pub mod follow;
pub mod hostile;
pub mod life;
pub mod pool;
mod rules;
mod traffic;
