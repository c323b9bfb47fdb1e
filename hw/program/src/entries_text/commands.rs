//! The commands by name, with their usage, and what all of them share: reading arguments.

use super::error::Stop;
use super::lines::{Line, MAX_WORDS, Word};
use super::session::Session;
use super::{crcs, replication, selectors, stateful, tables, value, value_sets};
use crate::bits::Bits;
use crate::names;
use crate::program::{ActionCall, FieldDecl};

/// A command: name, usage behind the name, what executes it.
type Command = (&'static str, &'static str, fn(&mut Session, &Args) -> Result<(), Stop>);

const COMMANDS: &[Command] = &[
    ("table_add", "TABLE ACTION KEY... => ARG... [PRIORITY] [timeout=MS]", tables::add),
    ("table_indirect_add", "TABLE KEY... => MEMBER [PRIORITY] [timeout=MS]", tables::add_member),
    (
        "table_indirect_add_with_group",
        "TABLE KEY... => GROUP [PRIORITY] [timeout=MS]",
        tables::add_group,
    ),
    ("table_modify", "TABLE ACTION ENTRY ARG... [timeout=MS]", tables::modify),
    ("table_indirect_modify", "TABLE ENTRY MEMBER [timeout=MS]", tables::modify_member),
    ("table_indirect_modify_with_group", "TABLE ENTRY GROUP [timeout=MS]", tables::modify_group),
    ("table_delete", "TABLE ENTRY", tables::delete),
    ("table_indirect_delete", "TABLE ENTRY", tables::delete),
    ("table_clear", "TABLE", tables::clear),
    ("table_set_timeout", "TABLE ENTRY MS", tables::set_timeout),
    ("table_set_default", "TABLE ACTION ARG...", tables::set_default),
    ("table_reset_default", "TABLE", tables::reset_default),
    ("table_indirect_reset_default", "TABLE", tables::reset_default),
    ("act_prof_create_member", "PROFILE ACTION ARG...", selectors::create_member),
    ("act_prof_modify_member", "PROFILE ACTION MEMBER ARG...", selectors::modify_member),
    ("act_prof_delete_member", "PROFILE MEMBER", selectors::delete_member),
    ("act_prof_create_group", "PROFILE", selectors::create_group),
    ("act_prof_set_group", "PROFILE GROUP [MEMBER[*WEIGHT]...]", selectors::set_group),
    ("act_prof_add_member_to_group", "PROFILE MEMBER GROUP [WEIGHT]", selectors::add_to_group),
    ("act_prof_remove_member_from_group", "PROFILE MEMBER GROUP", selectors::remove_from_group),
    ("act_prof_delete_group", "PROFILE GROUP", selectors::delete_group),
    ("mc_mgrp_create", "GROUP", replication::create_group),
    ("mc_mgrp_destroy", "GROUP", replication::destroy_group),
    ("mc_node_create", "RID PORT...", replication::create_node),
    ("mc_node_update", "NODE PORT...", replication::update_node),
    ("mc_node_destroy", "NODE", replication::destroy_node),
    ("mc_node_associate", "GROUP NODE", replication::associate),
    ("mc_node_dissociate", "GROUP NODE", replication::dissociate),
    ("mirroring_add", "SESSION PORT[:RID]... [truncate=BYTES]", replication::mirror),
    ("mirroring_add_mc", "SESSION GROUP [truncate=BYTES]", replication::mirror_group),
    ("mirroring_delete", "SESSION", replication::mirror_delete),
    ("pvs_add", "VALUE_SET KEY...", value_sets::add),
    ("pvs_remove", "VALUE_SET KEY...", value_sets::remove),
    ("pvs_clear", "VALUE_SET", value_sets::clear),
    ("register_write", "REGISTER INDEX VALUE", stateful::register_write),
    ("register_reset", "REGISTER", stateful::register_reset),
    ("counter_write", "COUNTER INDEX PACKETS BYTES", stateful::counter_write),
    ("counter_reset", "COUNTER", stateful::counter_reset),
    ("meter_set_rates", "METER INDEX RATE:BURST RATE:BURST", stateful::meter_set_rates),
    ("meter_unset", "METER INDEX", stateful::meter_unset),
    ("meter_array_set_rates", "METER RATE:BURST RATE:BURST", stateful::meter_array_set_rates),
    ("set_crc16_parameters", "CRC POLYNOMIAL START XOR REFLECT_DATA REFLECT_RESULT", crcs::set_16),
    ("set_crc32_parameters", "CRC POLYNOMIAL START XOR REFLECT_DATA REFLECT_RESULT", crcs::set_32),
    ("map_add", "MAP KEY... => VALUE...", stateful::map_add),
    ("map_delete", "MAP KEY...", stateful::map_delete),
];

/// Executes a line.
pub(super) fn run(session: &mut Session, line: &Line) -> Result<(), Stop> {
    let Some((command, words)) = line.words.split_first() else { return Ok(()) };
    let all = COMMANDS.iter().map(|c| (c, c.0));
    let (name, usage, execute) =
        *session.named(line, *command, names::find("command", command.text, all))?;
    if words.len() >= MAX_WORDS {
        return Err(session.fault(line, *command, "the line is too long", None));
    }
    execute(session, &Args { line, words, name, usage })
}

/// How many there are, in words.
pub(super) fn there_are(count: usize, what: &str) -> String {
    if count == 1 { format!("there is 1 {what}") } else { format!("there are {count} {what}s") }
}

/// The words behind a command.
#[derive(Clone, Copy)]
pub(super) struct Args<'a, 't> {
    pub line: &'a Line<'t>,
    pub words: &'a [Word<'t>],
    name: &'static str,
    usage: &'static str,
}

impl<'a, 't> Args<'a, 't> {
    /// Other words of the same line.
    pub fn with(self, words: &'a [Word<'t>]) -> Self {
        Args { words, ..self }
    }

    /// The first word and what follows it.
    pub fn first(self, s: &mut Session) -> Result<(Word<'t>, Self), Stop> {
        match self.words.split_first() {
            Some((first, words)) => Ok((*first, self.with(words))),
            None => Err(s.fault_at_end(self.line, "the line ends too early", self.usage())),
        }
    }

    /// Nothing more may follow.
    pub fn end(self, s: &mut Session) -> Result<(), Stop> {
        match self.words.first() {
            Some(word) => Err(self.unexpected(s, *word)),
            None => Ok(()),
        }
    }

    pub fn unexpected(self, s: &mut Session, word: Word) -> Stop {
        let short: String = word.text.chars().take(80).collect();
        s.fault(self.line, word, format_args!("`{short}` is not expected here"), Some(self.usage()))
    }

    /// The first word as a number up to `max`.
    pub fn one(self, s: &mut Session, what: &str, max: u64) -> Result<(u64, Self), Stop> {
        let (word, rest) = self.first(s)?;
        Ok((s.number(self.line, word, what, max)?, rest))
    }

    /// What stands before and behind `=>`.
    pub fn arrow(self, s: &mut Session) -> Result<(Self, Self), Stop> {
        match self.words.iter().position(|w| w.text == "=>") {
            Some(at) => {
                let (left, right) = self.words.split_at(at);
                let right = right.get(1..).unwrap_or_default();
                Ok((self.with(left), self.with(right)))
            }
            None => Err(s.fault_at_end(self.line, "there is no `=>`", self.usage())),
        }
    }

    /// Behind an entry or a member BMv2 takes `=>` too, where nothing needs it.
    pub fn skip_arrow(self) -> Self {
        match self.words.split_first() {
            Some((first, words)) if first.text == "=>" => self.with(words),
            _ => self,
        }
    }

    /// Takes a last word `NAME=VALUE` off.
    pub fn option(self, name: &str) -> (Option<Word<'t>>, Self) {
        match self.words.split_last() {
            Some((last, words)) if last.text.split_once('=').is_some_and(|(n, _)| n == name) => {
                (Some(*last), self.with(words))
            }
            _ => (None, self),
        }
    }

    pub fn usage(&self) -> String {
        format!("write: {} {}", self.name, self.usage)
    }

    /// One value for each field; all faults are noted.
    pub fn values(
        self,
        s: &mut Session,
        of: &str,
        fields: &[FieldDecl],
    ) -> Result<Vec<Bits>, Stop> {
        if self.words.len() != fields.len() {
            let list: Vec<String> =
                fields.iter().map(|f| format!("{} ({})", f.name, f.ty)).collect();
            let takes = match list.len() {
                0 => format!("{of} takes no values"),
                n => format!("{of} takes {n}: {}", list.join(", ")),
            };
            let message = there_are(self.words.len(), "value");
            return Err(match self.words.get(fields.len()) {
                Some(word) => s.fault(self.line, *word, message, Some(takes)),
                None => s.fault_at_end(self.line, message, takes),
            });
        }
        let mut out = Vec::with_capacity(fields.len());
        let mut stop = None;
        for (word, field) in self.words.iter().zip(fields) {
            match value::parse(field.ty, word.text) {
                Ok(bits) => out.push(bits),
                Err(message) => {
                    let help = format!("{} is a {}", field.name, field.ty);
                    stop = Some(s.fault(self.line, *word, message, Some(help)));
                }
            }
        }
        stop.map_or(Ok(out), Err)
    }

    /// The values of an action's parameters.
    pub fn call(self, s: &mut Session, action: crate::entity::Action) -> Result<ActionCall, Stop> {
        let program = s.program;
        let Some(decl) = program.actions.get(action) else {
            return Ok(ActionCall { action, args: Vec::new() });
        };
        let args = self.values(s, &format!("action {}", decl.preamble.name), &decl.params)?;
        Ok(ActionCall { action, args })
    }
}
