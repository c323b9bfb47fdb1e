//! Types of expressions and places of a program.
//!
//! Nothing here trusts the program: every index is looked up, so the checker itself can ask.

use crate::entity::{Entity, Header, HeaderType};
use crate::expr::{Expr, HeaderRef, Place};
use crate::op::OpTypeError;
use crate::program::{Elements, FieldDecl, HeaderTypeDecl, Program};
use crate::types::Type;

/// Why something has no type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypeError {
    /// An index names nothing.
    #[error("there is no {kind} {index}; there are {count}")]
    NoSuch {
        /// Kind of entity.
        kind: &'static str,
        /// The index.
        index: u32,
        /// How many there are.
        count: usize,
    },
    /// An operation does not take its operands.
    #[error(transparent)]
    Op(#[from] OpTypeError),
    /// A slice does not fit what it is taken of.
    #[error("[{hi}:{lo}] is no slice of {of}")]
    Slice {
        /// High end.
        hi: u32,
        /// Low end.
        lo: u32,
        /// Type of what it is taken of.
        of: Type,
    },
}

fn no_such<K: Entity>(key: K, count: usize) -> TypeError {
    TypeError::NoSuch { kind: K::KIND, index: key.index() as u32, count }
}

impl Program {
    /// The type of an expression; `params` are those of the action in which it stands.
    pub fn type_of(&self, expr: &Expr, params: &[FieldDecl]) -> Result<Type, TypeError> {
        match expr {
            Expr::Const { ty, .. } | Expr::Lookahead { ty, .. } => Ok(*ty),
            Expr::Read(place) => self.type_of_place(place),
            Expr::Param(index) => match params.get(*index as usize) {
                Some(param) => Ok(param.ty),
                None => Err(TypeError::NoSuch {
                    kind: "action parameter",
                    index: *index,
                    count: params.len(),
                }),
            },
            Expr::Valid(header) => self.type_of_header(header).map(|_| Type::Bool),
            Expr::LastIndex(stack) => match self.stacks.get(*stack) {
                Some(_) => Ok(Type::Bit(32)),
                None => Err(no_such(*stack, self.stacks.len())),
            },
            Expr::Op { op, args } => {
                let types: Result<Vec<Type>, TypeError> =
                    args.iter().map(|a| self.type_of(a, params)).collect();
                Ok(op.result_type(&types?)?)
            }
        }
    }

    /// The type of a place.
    pub fn type_of_place(&self, place: &Place) -> Result<Type, TypeError> {
        match place {
            Place::Meta(meta) => {
                self.metas.get(*meta).map(|m| m.ty).ok_or_else(|| no_such(*meta, self.metas.len()))
            }
            Place::Field { header, field } => {
                let decl = self.header_type(header)?;
                decl.fields.get(*field as usize).map(|f| f.ty).ok_or(TypeError::NoSuch {
                    kind: "field",
                    index: *field,
                    count: decl.fields.len(),
                })
            }
            Place::Slice { of, hi, lo } => match self.type_of_place(of)? {
                t if t.is_number() && lo <= hi && *hi < t.width() => Ok(Type::Bit(hi - lo + 1)),
                of => Err(TypeError::Slice { hi: *hi, lo: *lo, of }),
            },
        }
    }

    /// The declaration of a header's type.
    pub fn header_type(&self, header: &HeaderRef) -> Result<&HeaderTypeDecl, TypeError> {
        let ty = self.type_of_header(header)?;
        self.header_types.get(ty).ok_or_else(|| no_such(ty, self.header_types.len()))
    }

    /// The type of a header.
    pub fn type_of_header(&self, header: &HeaderRef) -> Result<HeaderType, TypeError> {
        let one = |header: Header| {
            self.headers
                .get(header)
                .map(|h| h.ty)
                .ok_or_else(|| no_such(header, self.headers.len()))
        };
        match header {
            HeaderRef::Header(header) => one(*header),
            HeaderRef::Element { stack, member, .. } => {
                let decl =
                    self.stacks.get(*stack).ok_or_else(|| no_such(*stack, self.stacks.len()))?;
                let missing =
                    |count| TypeError::NoSuch { kind: "stack member", index: *member, count };
                match &decl.elements {
                    Elements::Headers(headers) => match headers.first() {
                        Some(first) if *member == 0 => one(*first),
                        _ => Err(missing(headers.len().min(1))),
                    },
                    Elements::Unions(unions) => {
                        let first = unions.first().ok_or_else(|| missing(0))?;
                        let union = self
                            .unions
                            .get(*first)
                            .ok_or_else(|| no_such(*first, self.unions.len()))?;
                        let header = union.members.get(*member as usize);
                        one(*header.ok_or_else(|| missing(union.members.len()))?)
                    }
                }
            }
        }
    }

    /// The header instances that a reference may stand for, in order of the elements.
    pub fn candidates(&self, header: &HeaderRef) -> Vec<Header> {
        match header {
            HeaderRef::Header(header) => vec![*header],
            HeaderRef::Element { stack, member, .. } => match self.stacks.get(*stack) {
                Some(decl) => match &decl.elements {
                    Elements::Headers(headers) => headers.clone(),
                    Elements::Unions(unions) => unions
                        .iter()
                        .filter_map(|u| self.unions.get(*u)?.members.get(*member as usize).copied())
                        .collect(),
                },
                None => Vec::new(),
            },
        }
    }
}
