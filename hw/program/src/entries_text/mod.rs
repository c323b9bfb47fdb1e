//! Entries as text: what a person writes to fill the tables of a program.
//!
//! One command per line, named as in BMv2's `simple_switch_CLI`; `#` starts a comment. Names are full
//! names or unique suffixes of them ([`crate::names`]). Values are decimal, `0x`, `0b`, dotted IPv4,
//! colon IPv6, colon MAC, `true` and `false`.
//!
//! | command | what it does |
//! | --- | --- |
//! | `table_add T A KEY... => ARG... [PRIO]` | adds an entry |
//! | `table_indirect_add T KEY... => MEMBER [PRIO]`, `table_indirect_add_with_group T KEY... => GROUP [PRIO]` | adds an entry that names a member or a group |
//! | `table_modify T A ENTRY ARG...`, `table_indirect_modify T ENTRY MEMBER`, `table_indirect_modify_with_group T ENTRY GROUP` | changes what an entry does |
//! | `table_delete T ENTRY` (also `table_indirect_delete`), `table_clear T` | removes an entry, removes all |
//! | `table_set_timeout T ENTRY MS` | sets an idle time-out; `timeout=MS` behind the other commands does so at once |
//! | `table_set_default T A ARG...`, `table_reset_default T` (also `table_indirect_reset_default`) | the default action |
//! | `act_prof_create_member P A ARG...`, `act_prof_modify_member P A MEMBER ARG...`, `act_prof_delete_member P MEMBER` | members |
//! | `act_prof_create_group P`, `act_prof_add_member_to_group P MEMBER GROUP [WEIGHT]`, `act_prof_remove_member_from_group P MEMBER GROUP`, `act_prof_delete_group P GROUP` | groups |
//! | `act_prof_set_group P GROUP [MEMBER[*WEIGHT]...]` | a whole group under a number of one's own |
//! | `mc_mgrp_create G`, `mc_mgrp_destroy G`, `mc_node_create RID PORT...`, `mc_node_update NODE PORT...`, `mc_node_destroy NODE`, `mc_node_associate G NODE`, `mc_node_dissociate G NODE` | multicast groups |
//! | `mirroring_add S PORT[:RID]... [truncate=BYTES]`, `mirroring_add_mc S G [truncate=BYTES]`, `mirroring_delete S` | clone sessions |
//! | `pvs_add V KEY...`, `pvs_remove V KEY...`, `pvs_clear V` | value sets |
//! | `register_write R INDEX VALUE`, `register_reset R` | a register, all of an array |
//! | `counter_write C INDEX PACKETS BYTES` | a counter; `ENTRY` instead of `INDEX` for a direct one |
//! | `counter_reset C` | all counters of an array or of a table |
//! | `meter_set_rates M INDEX RATE:BURST RATE:BURST`, `meter_unset M INDEX` | a meter: committed and peak, in tokens per microsecond; `ENTRY` for a direct one |
//! | `meter_array_set_rates M RATE:BURST RATE:BURST` | all meters of an array or of a table |
//! | `set_crc16_parameters C POLYNOMIAL START XOR REFLECT_DATA REFLECT_RESULT`, `set_crc32_parameters ...` | a custom CRC; of an imported program it has the name of p4c's calculation |
//! | `map_add M KEY... => VALUE...`, `map_delete M KEY...` | entries of a map |
//!
//! Keys: exact `V`; lpm `V/LENGTH`; ternary `V&&&MASK` or `V`; range `LOW->HIGH`; optional `V` or
//! `V&&&MASK`; anything but an exact key also `*`. `PRIO` is there exactly when a key is ternary, range or
//! optional, and *the smaller number wins*, against [`crate::entry`] ([`priority`] translates). Handles of
//! entries, members, groups and nodes count from 0, entries that come with the program included; a
//! handle is not used again. `ENTRY` is a handle or, in brackets, the keys and the priority of the entry:
//! `[10.0.0.0/8]`, `[* 6&&&0xff 20]`.
//!
//! Of the CLI's other commands there is none here: they show something, or are about ports, queues, link
//! aggregation and the switch itself; `table_indirect_set_default` is missing because a default is an action.
//!
//! [`parse`] reports every fault of a text and applies nothing: whether an entry exists already is found
//! out by whoever executes the writes.

mod commands;
mod crcs;
mod error;
mod lines;
mod live;
mod print;
mod rates;
mod replication;
mod selectors;
mod session;
mod stateful;
mod tables;
#[cfg(test)]
mod tests;
mod value;
mod value_sets;

pub use error::{EntriesErrors, Fault, MAX_FAULTS};
pub use print::print;

use crate::entry::Write;
use crate::program::Program;

/// The sum of both ways to say a priority.
const PRIORITY_SUM: i64 = i32::MAX as i64;

/// The priority, larger wins, of a number in text, smaller wins. `None` when it is out of range.
pub fn priority(text: i64) -> Option<u32> {
    u32::try_from(PRIORITY_SUM.checked_sub(text)?).ok()
}

/// The number in text, smaller wins, of a priority, larger wins.
pub fn priority_text(priority: u32) -> i64 {
    PRIORITY_SUM - i64::from(priority)
}

/// Reads entries for a program.
pub fn parse(program: &Program, text: &str) -> Result<Vec<Write>, EntriesErrors> {
    let mut session = session::Session::new(program, text);
    for line in lines::lines(text) {
        // A line that stops has noted why; the next one may be sound.
        let _ = commands::run(&mut session, &line);
    }
    session.faults.into_result(session.writes)
}
