//! A program as P4-16 source text for v1model.
//!
//! `Display` of a [`Program`] is one file that p4c compiles (with `--emit-externs` when the program has
//! maps, which P4 lacks) and that means the same, except at the places that [`Program::p4_gaps`] lists.
//! The text depends on nothing but the program. Where P4 leaves open what happens (a field of an
//! invalid header is read), the program is printed as it is: what our semantics say of such cases is not
//! in the text.
//!
//! A program that the checker has not seen prints too; what cannot be named reads `?...` then.

mod arithmetic;
mod branch;
mod control;
mod expr;
mod file;
mod gaps;
mod hash;
mod headers;
mod late;
mod layout;
mod names;
mod number;
mod parser;
mod path;
mod stmt;
mod table;
mod uses;
mod words;

pub use gaps::Gap;

use crate::check::Checked;
use crate::expr::{Expr, HeaderRef, Place};
use crate::program::{FieldDecl, Program};
use std::fmt;

impl Program {
    /// What its P4 text does not say as the program means it.
    pub fn p4_gaps(&self) -> Vec<Gap> {
        file::print(self).1
    }

    /// An expression as P4 writes it, with the program's own names: `h.ipv4.ttl - 1`. For people and as
    /// the name of a key; `params` are those of the action in which it stands.
    pub fn text_of(&self, expr: &Expr, params: &[FieldDecl]) -> String {
        self.plain(params).exact(expr)
    }

    /// A place as P4 writes it: `m.port`, `h.ipv4.dst[31:24]`.
    pub fn text_of_place(&self, place: &Place) -> String {
        self.plain(&[]).piece(&Expr::Read(place.clone())).text
    }

    /// A header as P4 writes it: `h.ipv4`, `h.mpls[0]`, `h.l4.tcp`.
    pub fn text_of_header(&self, header: &HeaderRef) -> String {
        self.plain(&[]).header(header)
    }

    fn plain<'a>(&'a self, params: &'a [FieldDecl]) -> expr::Exprs<'a> {
        expr::Exprs {
            program: self,
            style: expr::Style::Plain,
            params,
            param_names: &[],
            unsigned_params: false,
            depth: 0,
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&file::print(self).0)
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests;
