//! One source file in the making: names, helper functions, gaps; and the order of its sections.

use super::expr::{Exprs, Site, Style};
use super::gaps::Gap;
use super::late::late_digests;
use super::layout::Layout;
use super::names::Names;
use super::uses::{Part, Uses};
use super::words::Words;
use super::{control, headers, parser};
use crate::entity::{Action, Digest};
use crate::program::{FieldDecl, Program};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// What all sections share.
#[derive(Debug)]
pub(super) struct File<'a> {
    pub program: &'a Program,
    pub names: Names,
    pub uses: Uses,
    /// Digests that P4 may send with other values.
    pub late: BTreeSet<Digest>,
    functions: RefCell<Vec<Function>>,
    words: RefCell<Words>,
    gaps: RefCell<Vec<Gap>>,
    place: RefCell<String>,
}

#[derive(Debug)]
struct Function {
    wish: String,
    name: String,
    text: String,
}

impl<'a> File<'a> {
    fn new(program: &'a Program) -> Self {
        let uses = Uses::of(program);
        let names = Names::of(program, &uses);
        let mut words = names.top.clone();
        names.locals().for_each(|name| {
            words.take(name);
        });
        File {
            program,
            names,
            uses,
            late: late_digests(program),
            functions: RefCell::default(),
            words: RefCell::new(words),
            gaps: RefCell::default(),
            place: RefCell::default(),
        }
    }

    /// Says which declaration is being written.
    pub fn at(&self, place: impl Into<String>) {
        *self.place.borrow_mut() = place.into();
    }

    /// Notes that something cannot be said here.
    pub fn gap(&self, what: &'static str) {
        let gap = Gap { place: self.place.borrow().clone(), what };
        let mut gaps = self.gaps.borrow_mut();
        if !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }

    /// Writes what cannot be said of the declaration being written, as comments.
    pub fn remarks(&self, out: &mut Layout) {
        let place = self.place.borrow();
        for gap in self.gaps.borrow().iter().filter(|g| g.place == *place) {
            out.line(format!("// Not the same in P4: {}.", gap.what));
        }
    }

    /// The name of a function at the top of the file, made by `text` when it is asked for first.
    pub fn function(&self, wish: &str, text: impl FnOnce(&str) -> String) -> String {
        let mut functions = self.functions.borrow_mut();
        if let Some(known) = functions.iter().find(|f| f.wish == wish) {
            return known.name.clone();
        }
        let name = self.words.borrow_mut().take(wish);
        let text = text(&name);
        functions.push(Function { wish: wish.to_string(), name: name.clone(), text });
        name
    }

    /// A writer of expressions that stand outside of actions.
    pub fn exprs(&'a self, site: Site) -> Exprs<'a> {
        self.exprs_in(site, &[], &[], false)
    }

    /// A writer of expressions of an action.
    pub fn exprs_in(
        &'a self,
        site: Site,
        params: &'a [FieldDecl],
        param_names: &'a [String],
        unsigned_params: bool,
    ) -> Exprs<'a> {
        Exprs {
            program: self.program,
            style: Style::File(self, site),
            params,
            param_names,
            unsigned_params,
            depth: 0,
        }
    }

    /// Whether the parameters of an action are declared without signs: p4c has no negative numbers in
    /// what tables give to actions, so those of such an action are given as bits.
    pub fn unsigned_params(&self, action: Action) -> bool {
        self.uses.has_negative(action)
    }

    /// The parameters of a control of the pipeline.
    pub fn pipeline_params(&self) -> String {
        format!(
            "inout {} h, inout {} m, inout standard_metadata_t s",
            self.names.headers_type, self.names.metadata_type
        )
    }
}

/// A program as one source file, and what could not be said in it.
pub(super) fn print(program: &Program) -> (String, Vec<Gap>) {
    let file = File::new(program);
    let section = |write: &dyn Fn(&File<'_>, &mut Layout)| {
        let mut out = Layout::default();
        write(&file, &mut out);
        out.finish()
    };
    let head = section(&headers::write);
    let shared = section(&|file, out| control::instances(file, Part::Top, out));
    let parser = section(&parser::write);
    let verify = section(&|file, out| control::checksums(file, true, out));
    let ingress = section(&|file, out| control::half(file, Part::Ingress, out));
    let egress = section(&|file, out| control::half(file, Part::Egress, out));
    let update = section(&|file, out| control::checksums(file, false, out));
    let deparser = section(&control::deparser);
    let functions: Vec<String> = file.functions.borrow().iter().map(|f| f.text.clone()).collect();
    let b = &file.names.blocks;
    let main = format!(
        "V1Switch({}(), {}(), {}(), {}(), {}(), {}()) main;\n",
        b.parser, b.verify, b.ingress, b.egress, b.update, b.deparser
    );
    let sections = [
        head,
        functions.join("\n"),
        shared,
        parser,
        verify,
        ingress,
        egress,
        update,
        deparser,
        main,
    ];
    let text: Vec<String> = sections.into_iter().filter(|s| !s.is_empty()).collect();
    (text.join("\n"), file.gaps.into_inner())
}
