//! The builder: how a program is written in Rust.
//!
//! ```
//! use restage_program::prelude::*;
//!
//! header! { struct Ethernet { dst: bit<48>, src: bit<48>, r#type: bit<16> } }
//!
//! let program = build("patch", |p| {
//!     let eth: Ethernet = p.header("eth");
//!     let s = p.standard();
//!     p.state("start", |c| {
//!         c.extract(eth);
//!         c.accept();
//!     });
//!     let drop = p.action("drop", [], |c, []| c.mark_to_drop());
//!     let to = p.action("to", [("port", bit(9))], |c, [port]| c.set(s.egress_spec, port));
//!     let patch = p.table("patch", |t| {
//!         t.exact(s.ingress_port).actions([to]).const_default(drop, []).size(16);
//!     });
//!     p.ingress(|c| {
//!         c.apply(patch);
//!     });
//!     p.emit(eth);
//! });
//! assert!(program.check().is_ok());
//! ```
//!
//! The builder refuses nothing: it writes down what it is told and where, and the checker tells all
//! that is wrong. What it cannot even write down (a state that does not exist) it leaves in
//! [`Program::faults`], which the checker reports too.

mod args;
mod body;
mod checksum;
mod declare;
mod header;
mod parser;
mod resources;
mod standard_view;
mod table;
mod value;

pub use args::Args;
pub use body::{Applied, Body, Else, value};
pub use header::{Emittable, HeaderView, MetadataView, StackView};
pub use parser::{
    ANY, Match, Select, SelectKeys, SelectMatches, StateBody, lookahead, lookahead_at, mask, range,
};
pub use standard_view::Standard;
pub use table::TableBody;
pub use value::{Field, FieldSlice, Href, Operand, Param, Val, Value, bits, max, min, mux};

use crate::entity::{Action, ErrorCode, HeaderType, Profile, State, Table, ValueSet};
use crate::loc::Loc;
use crate::program::*;
use crate::types::Type;
use std::collections::HashMap;

/// The default action of a table before it is known.
const NO_DEFAULT: Action = Action(u32::MAX);

/// A program that is being described.
#[derive(Debug)]
pub struct Builder {
    program: Program,
    types: HashMap<&'static str, HeaderType>,
    /// States by name; those that were named but not yet described have a location.
    states: HashMap<String, (State, Option<Loc>)>,
    no_action: Option<Action>,
}

/// Describes a program.
pub fn build(name: &str, describe: impl FnOnce(&mut Builder)) -> Program {
    let mut builder = Builder {
        program: Program::new(name),
        types: HashMap::new(),
        states: HashMap::new(),
        no_action: None,
    };
    describe(&mut builder);
    builder.finish()
}

/// A field's declaration; `r#type` is the field `type`.
pub fn field_decl(name: &str, ty: Type) -> FieldDecl {
    FieldDecl { name: name.strip_prefix("r#").unwrap_or(name).into(), ty }
}

#[track_caller]
fn preamble(name: &str) -> Preamble {
    Preamble { name: name.into(), id: 0, annotations: Vec::new(), loc: Loc::caller() }
}

fn field_decls<const N: usize>(fields: [(&str, Type); N]) -> Vec<FieldDecl> {
    fields.map(|(name, ty)| field_decl(name, ty)).to_vec()
}

impl Builder {
    fn finish(mut self) -> Program {
        let mut unknown: Vec<(String, Loc)> =
            self.states.into_iter().filter_map(|(name, (_, loc))| Some((name, loc?))).collect();
        unknown.sort_by(|a, b| a.0.cmp(&b.0));
        let known: Vec<&str> = self.program.states.values().map(|s| s.name.as_str()).collect();
        for (name, loc) in &unknown {
            let known: Vec<&str> =
                known.iter().copied().filter(|k| !unknown.iter().any(|(u, _)| u == k)).collect();
            self.program.faults.push(Fault {
                message: format!("there is no parser state `{name}`"),
                remedy: format!("states are: {}, accept, reject", known.join(", ")),
                loc: loc.clone(),
            });
        }
        crate::ids::assign(&mut self.program);
        self.program
    }

    /// Annotations of the object declared last are not needed often; they are set on the declaration.
    pub fn program_mut(&mut self) -> &mut Program {
        &mut self.program
    }

    /// The standard metadata.
    pub fn standard(&self) -> Standard {
        Standard::new()
    }

    /// A parser error of the program's own.
    pub fn error(&mut self, name: &str) -> ErrorCode {
        self.program.errors.push(name.into())
    }

    /// A value set for selects.
    #[track_caller]
    pub fn value_set<const N: usize>(
        &mut self,
        name: &str,
        columns: [(&str, Type); N],
        size: u32,
    ) -> ValueSet {
        let (preamble, columns) = (preamble(name), field_decls(columns));
        self.program.value_sets.push(ValueSetDecl { preamble, columns, size })
    }

    /// The state of a name, which may be described later.
    fn target(&mut self, name: &str, loc: Loc) -> Target {
        match name {
            "accept" => Target::Accept,
            "reject" => Target::Reject,
            _ => Target::State(self.state_named(name, Some(loc))),
        }
    }

    fn state_named(&mut self, name: &str, loc: Option<Loc>) -> State {
        if let Some((state, _)) = self.states.get(name) {
            return *state;
        }
        let next = Transition::To(Target::Reject);
        let decl = StateDecl { name: name.into(), body: Vec::new(), next, loc: Loc::default() };
        let state = self.program.states.push(decl);
        self.states.insert(name.into(), (state, loc));
        state
    }

    /// A parser state. The first one described is where parsing starts.
    #[track_caller]
    pub fn state(&mut self, name: &str, describe: impl FnOnce(&mut StateBody<'_>)) {
        let loc = Loc::caller();
        let known = self.states.get(name).is_some_and(|(_, pending)| pending.is_none());
        if known {
            self.program.faults.push(Fault {
                message: format!("the parser state `{name}` is described twice"),
                remedy: "give one of the two another name".into(),
                loc: loc.clone(),
            });
        }
        let state = self.state_named(name, None);
        self.states.insert(name.into(), (state, None));
        self.program.start.get_or_insert(state);
        let mut body = StateBody::new(self);
        describe(&mut body);
        let (stmts, next) = body.finish();
        if next.is_none() {
            self.program.faults.push(Fault {
                message: format!("the parser state `{name}` goes nowhere"),
                remedy: "end it with accept(), goto(...) or select(...)".into(),
                loc: loc.clone(),
            });
        }
        let decl = &mut self.program.states[state];
        decl.body = stmts;
        decl.next = next.unwrap_or(Transition::To(Target::Reject));
        decl.loc = loc;
    }

    /// An action, with the data that entries give it.
    #[track_caller]
    pub fn action<const N: usize>(
        &mut self,
        name: &str,
        params: [(&str, Type); N],
        describe: impl FnOnce(&mut Body<'_>, [Param; N]),
    ) -> Action {
        let preamble = preamble(name);
        let params = field_decls(params);
        let given = std::array::from_fn(|i| Param {
            index: i as u32,
            ty: params.get(i).map_or(Type::Bool, |p| p.ty),
        });
        let mut body = Body::new(self);
        describe(&mut body, given);
        let body = body.stmts;
        self.program.actions.push(ActionDecl { preamble, params, body })
    }

    /// P4's `NoAction`.
    pub fn no_action(&mut self) -> Action {
        match self.no_action {
            Some(action) => action,
            None => {
                let action = self.action("NoAction", [], |_, []| {});
                self.no_action = Some(action);
                action
            }
        }
    }

    /// A table.
    #[track_caller]
    pub fn table(&mut self, name: &str, describe: impl FnOnce(&mut TableBody<'_>)) -> Table {
        let decl = TableDecl {
            preamble: preamble(name),
            keys: Vec::new(),
            actions: Vec::new(),
            default: ActionCall { action: NO_DEFAULT, args: Vec::new() },
            const_default: false,
            entries: Vec::new(),
            const_entries: false,
            size: 1024,
            profile: None,
            counter: None,
            meter: None,
            idle_timeout: false,
        };
        let mut body = TableBody { builder: self, decl };
        describe(&mut body);
        let decl = body.finish();
        self.program.tables.push(decl)
    }

    /// An action profile: entries name its members.
    #[track_caller]
    pub fn action_profile(&mut self, name: &str, size: u32) -> Profile {
        let preamble = preamble(name);
        self.program.profiles.push(ProfileDecl { preamble, size, selector: None })
    }

    /// An action selector: entries name its members or groups, and the hash of the items chooses in a group.
    #[track_caller]
    pub fn action_selector(
        &mut self,
        name: &str,
        algorithm: HashAlgorithm,
        items: Vec<Item>,
        size: u32,
    ) -> Profile {
        let preamble = preamble(name);
        let items = table::if_valid(items);
        let selector = Some(SelectorDecl { algorithm, items, max_group_size: 0 });
        self.program.profiles.push(ProfileDecl { preamble, size, selector })
    }

    /// The ingress half.
    pub fn ingress(&mut self, describe: impl FnOnce(&mut Body<'_>)) {
        let mut body = Body::new(self);
        describe(&mut body);
        self.program.ingress = body.stmts;
    }

    /// The egress half.
    pub fn egress(&mut self, describe: impl FnOnce(&mut Body<'_>)) {
        let mut body = Body::new(self);
        describe(&mut body);
        self.program.egress = body.stmts;
    }

    /// Sends a header, a stack or a union next.
    pub fn emit(&mut self, what: impl Emittable) {
        self.program.deparser.push(what.emit());
    }
}
