//! Places, headers and stacks as text.

use super::expr::{Exprs, Site, Style};
use super::gaps::Gap;
use crate::entity::{Entity, Header, HeaderType, Meta, Stack};
use crate::expr::{ElementIndex, Expr, HeaderRef, Place};
use crate::program::Elements;
use crate::types::Type;

impl Exprs<'_> {
    /// Notes a header that cannot be read: `next`, and `last` of a stack of unions.
    pub fn check_read(&self, header: &HeaderRef) {
        let (HeaderRef::Element { stack, at, .. }, Style::File(file, _)) = (header, self.style)
        else {
            return;
        };
        let unions = self.program.stacks.get(*stack).map(|s| &s.elements);
        match at {
            ElementIndex::Next => file.gap(Gap::NEXT),
            ElementIndex::Last if matches!(unions, Some(Elements::Unions(_))) => {
                file.gap(Gap::UNION_INDEX);
            }
            _ => {}
        }
    }

    /// A place that is written to.
    pub fn place(&self, place: &Place) -> String {
        let (root, hi, lo) = flatten(place);
        let text = self.root(root, true);
        // Some bits are written with the others as they are.
        if let (Place::Slice { .. }, Place::Field { header, .. }) = (place, root) {
            self.check_read(header);
        }
        let whole = Some(Type::Bit(hi.saturating_add(1)));
        match place {
            Place::Slice { .. } if lo == 0 && self.program.type_of_place(root).ok() == whole => {
                text
            }
            Place::Slice { .. } => format!("{text}[{hi}:{lo}]"),
            _ => text,
        }
    }

    /// A place that is no slice.
    pub(super) fn root(&self, place: &Place, written: bool) -> String {
        match place {
            Place::Meta(meta) => self.meta(*meta),
            Place::Field { header, field } => {
                let ty = self.program.type_of_header(header).ok();
                if !written {
                    self.check_read(header);
                }
                let header =
                    if written { self.header_written(header) } else { self.header(header) };
                format!("{header}.{}", self.field(ty, *field))
            }
            // Slices of slices are flat by now.
            Place::Slice { .. } => "?slice".into(),
        }
    }

    fn field(&self, ty: Option<HeaderType>, field: u32) -> String {
        let decl = ty.and_then(|ty| self.program.header_types.get(ty));
        let name = match self.style {
            Style::Plain => decl.and_then(|d| d.fields.get(field as usize)).map(|f| &f.name),
            Style::File(file, _) => {
                ty.and_then(|t| file.names.fields.get(t.index())?.get(field as usize))
            }
        };
        name.cloned().unwrap_or_else(|| format!("?field{field}"))
    }

    fn meta(&self, meta: Meta) -> String {
        let structure = if crate::standard::is_standard(meta) { "s" } else { "m" };
        let name = match self.style {
            Style::Plain => self.program.metas.get(meta).map(|m| &m.name),
            Style::File(file, site) => {
                if site == Site::Checksum && structure == "s" {
                    file.gap(Gap::STANDARD_IN_CHECKSUM);
                }
                file.names.metas.get(meta.index())
            }
        };
        match name {
            Some(name) => format!("{structure}.{name}"),
            None => format!("?metadata{}", meta.0),
        }
    }

    /// A header that is written to. P4 wants an index instead of `last` there.
    pub fn header_written(&self, header: &HeaderRef) -> String {
        match header {
            HeaderRef::Element { stack, at: ElementIndex::Last, member } => {
                let index = Box::new(Expr::LastIndex(*stack));
                self.header(&HeaderRef::Element {
                    stack: *stack,
                    at: ElementIndex::Expr(index),
                    member: *member,
                })
            }
            other => self.header(other),
        }
    }

    /// A header.
    pub fn header(&self, header: &HeaderRef) -> String {
        match header {
            HeaderRef::Header(header) => self.instance(*header),
            HeaderRef::Element { stack, at, member } => {
                let name = self.stack(*stack);
                let element = match at {
                    ElementIndex::Next => format!("h.{name}.next"),
                    ElementIndex::Last => {
                        if let Style::File(file, Site::Control(_) | Site::Checksum) = self.style {
                            file.gap(Gap::LAST);
                        }
                        format!("h.{name}.last")
                    }
                    ElementIndex::Expr(index) => {
                        self.check_index(*stack, index);
                        format!("h.{name}[{}]", self.known(index))
                    }
                };
                match self.member(*stack, *member) {
                    Some(member) => format!("{element}.{member}"),
                    None => element,
                }
            }
        }
    }

    /// P4 refuses a constant index that is out of range; p4c crashes on one into a stack of unions that is
    /// no constant.
    fn check_index(&self, stack: Stack, index: &Expr) {
        let (Style::File(file, _), Some(decl)) = (self.style, self.program.stacks.get(stack))
        else {
            return;
        };
        match (super::arithmetic::folded(index, 0), &decl.elements) {
            (Some(value), elements) => {
                if value.to_u64().is_none_or(|i| i >= elements.len() as u64) {
                    file.gap(Gap::INDEX);
                }
            }
            (None, Elements::Unions(_)) => file.gap(Gap::UNION_INDEX),
            (None, Elements::Headers(_)) => {}
        }
    }

    fn instance(&self, header: Header) -> String {
        let name = match self.style {
            Style::Plain => self.program.headers.get(header).map(|h| &h.name),
            Style::File(file, _) => file.names.headers.get(header.index()),
        };
        match name {
            Some(name) => format!("h.{name}"),
            None => format!("?header{}", header.0),
        }
    }

    /// A stack, without `h.`.
    pub fn stack(&self, stack: Stack) -> String {
        let name = match self.style {
            Style::Plain => self.program.stacks.get(stack).map(|s| &s.name),
            Style::File(file, _) => file.names.stack(stack),
        };
        name.cloned().unwrap_or_else(|| format!("?stack{}", stack.0))
    }

    /// The name of a union's member, for a stack of unions.
    fn member(&self, stack: Stack, member: u32) -> Option<String> {
        let Elements::Unions(unions) = &self.program.stacks.get(stack)?.elements else {
            return None;
        };
        let missing = || format!("?member{member}");
        let Some(union) = unions.first() else { return Some(missing()) };
        let name = match self.style {
            Style::File(file, _) => {
                file.names.members.get(union.index()).and_then(|m| m.get(member as usize)).cloned()
            }
            Style::Plain => {
                let header = self
                    .program
                    .unions
                    .get(*union)
                    .and_then(|u| u.members.get(member as usize))
                    .and_then(|h| self.program.headers.get(*h));
                header.and_then(|h| h.name.rsplit('.').next()).map(str::to_string)
            }
        };
        Some(name.unwrap_or_else(missing))
    }
}

/// What a place is a slice of, and which bits of it.
pub(super) fn flatten(place: &Place) -> (&Place, u32, u32) {
    let (mut root, mut range) = (place, None);
    while let Place::Slice { of, hi, lo } = root {
        range = Some(match range {
            None => (*hi, *lo),
            Some((h, l)) => (lo.saturating_add(h), lo.saturating_add(l)),
        });
        root = of;
    }
    let (hi, lo) = range.unwrap_or_default();
    (root, hi, lo)
}
