//! Values of a flow as signals.

use super::window;
use crate::hash::{self, Item};
use crate::op;
use crate::pipe::{Pipe, Sig};
use restage_compile::flow::{Def, Flow, Value};
use restage_program::Type;

/// Builds a value that is neither a slot nor given by an access. `get` has its operands; `window` is a
/// parser's.
pub(super) fn value(
    pipe: &mut Pipe,
    flow: &Flow,
    value: Value,
    window: Option<Sig>,
    get: &impl Fn(Value) -> Sig,
) -> Option<Sig> {
    let decl = &flow.values[value];
    let sig = match &decl.def {
        Def::Slot(_) | Def::Out(..) => return None,
        Def::Const(bits) => pipe.bits(bits),
        Def::Op(op, args) => {
            let args: Vec<(Type, Sig)> = args.iter().map(|a| (flow.ty(*a), get(*a))).collect();
            op::circuit(pipe, *op, &args)
        }
        Def::Select { arms, default } => {
            let mut choices: Vec<(Sig, Sig)> =
                arms.iter().map(|(c, v)| (get(*c), get(*v))).collect();
            let default = get(*default);
            let conditions: Vec<Sig> = choices.iter().map(|(c, _)| *c).collect();
            if conditions.is_empty() {
                return Some(default);
            }
            if pipe.constant(default).is_none_or(|bits| !bits.is_zero()) {
                let any = pipe.or_all(&conditions);
                choices.push((pipe.not(any), default));
            }
            pipe.select(&choices)
        }
        Def::Hash(hash) => {
            let items: Vec<Item> = hash
                .items
                .iter()
                .map(|item| Item {
                    value: get(item.value),
                    present: item.present.map(get),
                    bytes: item.bytes.map(get),
                })
                .collect();
            hash::hash(pipe, hash.algorithm, &items, hash.behind.map(get))
        }
        Def::Window(read) => {
            let at = read.at.as_ref().map(|at| (at, get(at.position)));
            window::read(pipe, window?, read.skip, at, decl.ty.width())
        }
        Def::WindowSum { length } => window::sum(pipe, window?, get(*length)),
    };
    Some(sig)
}

/// A name as Verilog takes it.
pub(super) fn identifier(name: &str) -> String {
    let mut out: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic()) {
        out.insert_str(0, "n_");
    }
    while out.contains("__") {
        out = out.replace("__", "_");
    }
    out.trim_end_matches('_').to_string()
}
