//! P4 programs in: p4c's output for BMv2's `simple_switch` becomes a [`Program`].
//!
//! The input is a BMv2 configuration (JSON) and, if there is one, the P4Info in protobuf's text form,
//! which knows ids, annotations, names of keys and which objects are the program's and which the
//! compiler's. The program behaves as `simple_switch` does, up to the rules for undefined behaviour in
//! ARCHITECTURE.md. What cannot be expressed is refused by name, with its place in the input.
//!
//! Names are the input's as far as a program may have them (`names.rs`). What is lost: `log_msg`, `assert` and `assume` (they do nothing), and the names of types.
//!
//! The way of a configuration:
//!
//! ```text
//! json ----> headers (types, instances, metadata) -> arrays, lists, calculations
//! p4info -->   -> parser, deparser -> actions -> tables and halves -> checksums -> merge -> ids
//! ```
//!
//! Nothing here does I/O, and no input makes it panic: depths are limited by the JSON reader and by
//! `flow.rs`, widths by the types.

mod actions;
mod arrays;
mod control;
mod error;
mod errors;
mod expr;
mod flow;
mod headers;
mod json;
mod lengths;
mod merge;
mod names;
mod objects;
mod p4info;
mod parser;
mod primitives;
mod select;
mod sums;
mod tables;

pub use error::{Fault, ImportError};

use error::Faults;
use json::Node;
use objects::{Names, Objects};
use p4info::Info;
use restage_program::{Loc, Program};

/// Imports a BMv2 configuration, with the P4Info of the same program if there is one.
pub fn import(json: &str, p4info: Option<&str>, name: &str) -> Result<Program, ImportError> {
    let mut faults = Faults::default();
    let info = faults.keep(Info::read(p4info));
    let value: Option<serde_json::Value> = faults.keep(serde_json::from_str(json).map_err(|e| {
        Box::new(Fault {
            place: format!("line {} column {}", e.line(), e.column()),
            found: e.to_string(),
            accepts: "the JSON that p4c-bm2-ss writes".into(),
            source_loc: Loc::default(),
        })
    }));
    faults.settle(name)?;
    let (info, value) = (info.unwrap_or_default(), value.unwrap_or_default());
    let root = Node::root(&value);
    faults.keep(externs(&root));
    faults.keep(is_configuration(&root));
    faults.settle(name)?;

    let mut objects =
        Objects { program: Program::new(names::dotted(name)), names: Names::default() };
    let lengths = faults.keep(headers::declare(&root, &mut objects, &info)).unwrap_or_default();
    faults.settle(name)?;
    let direct = faults.keep(arrays::declare(&root, &mut objects, &info)).unwrap_or_default();
    faults.keep(sums::calculations(&root, &mut objects));
    faults.keep(sums::field_lists(&root, &mut objects));
    faults.keep(sums::learn_lists(&root, &mut objects, &info));
    faults.keep(parser::value_sets(&root, &mut objects, &info));
    let uses = faults.keep(control::uses(&root, &info)).unwrap_or_default();
    faults.settle(name)?;
    parser::parser(&root, &mut objects, &lengths, &mut faults);
    faults.keep(parser::deparser(&root, &mut objects));
    faults.keep(sums::checksums(&root, &mut objects));
    let actions = actions::actions(&root, &mut objects, &info, &uses, &mut faults);
    faults.settle(name)?;
    control::halves(&root, &mut objects, &info, &direct, &actions, &mut faults);
    faults.settle(name)?;

    let mut program = objects.program;
    merge::merge(&mut program, |name| !name.contains('.'));
    names::name_rest(&mut program);
    restage_program::ids::assign(&mut program);
    Ok(program)
}

/// Something else than a configuration has nothing of what is looked for, and would be an empty program.
fn is_configuration(root: &Node) -> error::Result<()> {
    root.get("header_types")?.items()?;
    let Some(version) = root.opt("__meta__").and_then(|m| m.opt("version")) else { return Ok(()) };
    let [major, _] = version.tuple()?;
    match major.number()? {
        2 => Ok(()),
        n => Err(major.fault(format!("version {n} of the format"), "version 2")),
    }
}

fn externs(root: &Node) -> error::Result<()> {
    match root.list("extern_instances")?.first() {
        Some(instance) => {
            let ty = json::short(instance.name("type")?);
            Err(instance.fault(format!("an extern of type `{ty}`"), "the externs of v1model"))
        }
        None => Ok(()),
    }
}
