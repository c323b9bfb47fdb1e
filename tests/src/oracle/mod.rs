//! The oracle: what BMv2 did, against what the golden model does.
//!
//! `tests/oracle` holds, per program, P4 source, p4c's output, symbolic tests (STF) and a recorded trace;
//! its README explains them. Each is run on two descriptions of the program: p4c's, imported, and the
//! library's, whose entries are those of the first [translated](translate) by name.
//!
//! Nothing is tolerated beyond what the README says: on one port, the copies of one packet may come in
//! another order.

pub mod all;
pub mod case;
pub mod compare;
pub mod hardware;
pub mod report;
pub mod run;
pub mod state;
pub mod stf;
pub mod subject;
pub mod translate;
