//! Registers, counters, meters, maps and profiles: rules R, and how statements use them.

use super::cx::{Cx, Scope};
use super::expr::a;
use super::headers::{Holds, sound};
use super::{MAX_ENTRIES, MAX_STATE_BYTES, MAX_WAYS, Rule};
use crate::expr::{Expr, Place};
use crate::program::{FieldDecl, MapDecl, Unit};
use crate::stmt::StmtKind;
use crate::types::{MAX_WIDTH, Type};

impl<'p> Cx<'p> {
    /// Checks the declarations of everything that keeps state.
    pub fn state(&mut self) {
        let p = self.p;
        let mut bytes = 0u64;
        let mut add =
            |cells: u64, each: u64| bytes = bytes.saturating_add(cells.saturating_mul(each));
        self.each(".registers", p.registers.values(), |cx, _, decl| {
            cx.object("register", &decl.preamble, |cx| {
                cx.cell_type(decl.ty);
                cx.size(decl.size, u32::MAX);
            });
            add(decl.size.into(), words(&[decl.ty]));
        });
        self.each(".counters", p.counters.values(), |cx, _, decl| {
            cx.object("counter", &decl.preamble, |cx| cx.size(decl.size, u32::MAX));
            add(decl.size.into(), 16);
        });
        self.each(".meters", p.meters.values(), |cx, _, decl| {
            cx.object("meter", &decl.preamble, |cx| {
                cx.meter_unit(decl.unit);
                cx.size(decl.size, u32::MAX);
            });
            add(decl.size.into(), 64);
        });
        self.each(".maps", p.maps.values(), |cx, _, decl| {
            cx.object("map", &decl.preamble, |cx| cx.map(decl));
            let types = |fields: &[FieldDecl]| fields.iter().map(|f| f.ty).collect::<Vec<_>>();
            let entry = words(&types(&decl.key)).saturating_add(words(&types(&decl.values)));
            add(u64::from(decl.buckets) * u64::from(decl.ways), entry.saturating_add(16));
        });
        self.each(".profiles", p.profiles.values(), |cx, _, decl| {
            cx.object("action profile", &decl.preamble, |cx| {
                cx.size(decl.size, MAX_ENTRIES);
                if let Some(selector) = &decl.selector {
                    cx.at(".selector", |cx| {
                        cx.algorithm(selector.algorithm);
                        cx.items(&selector.items, Scope::CONTROL, false);
                    });
                }
            });
        });
        if bytes > MAX_STATE_BYTES {
            self.fault(
                Rule::L03,
                format!("registers, counters, meters and maps take {bytes} bytes"),
                format!("{MAX_STATE_BYTES} bytes at most: smaller arrays"),
            );
        }
    }

    /// Goes to a named object.
    pub fn object(
        &mut self,
        word: &str,
        preamble: &crate::program::Preamble,
        f: impl FnOnce(&mut Self),
    ) {
        self.said(&preamble.loc, |cx| cx.about(format!("{word} `{}`", preamble.name), f));
    }

    fn cell_type(&mut self, ty: Type) {
        match ty {
            Type::Varbit(_) | Type::Error => self.at(".ty", |cx| {
                cx.fault(Rule::R01, format!("it holds {}", a(ty)), "bit, int or bool");
            }),
            _ => self.declared_type(ty, Holds::Values),
        }
    }

    /// Checks the size of an array.
    pub fn size(&mut self, size: u32, most: u32) {
        if size == 0 || size > most {
            let accepts = match most {
                u32::MAX => "1 or more".to_owned(),
                most => format!("1 to {most}"),
            };
            self.at(".size", |cx| cx.fault(Rule::R02, format!("its size is {size}"), accepts));
        }
    }

    /// Checks what a meter measures.
    pub fn meter_unit(&mut self, unit: Unit) {
        if unit == Unit::Both {
            self.at(".unit", |cx| cx.fault(Rule::R03, "it measures both", "`packets` or `bytes`"));
        }
    }

    /// Checks where a meter's colour goes.
    pub fn colour(&mut self, dst: &'p Place, scope: Scope<'p>) {
        self.at(".dst", |cx| {
            if let Some(ty) = cx.place(dst, scope)
                && !matches!(ty, Type::Bit(2..))
            {
                let found = format!("the colour goes to `{}`, {}", cx.place_name(dst), a(ty));
                cx.fault(Rule::R04, found, "a bit of 2 bits or more");
            }
        });
    }

    fn map(&mut self, decl: &'p MapDecl) {
        for (step, fields) in [(".key", &decl.key), (".values", &decl.values)] {
            self.each(step, fields, |cx, _, field| cx.cell_type(field.ty));
            let width = fields.iter().fold(0u32, |sum, f| sum.saturating_add(f.ty.width()));
            if fields.iter().all(|f| sound(f.ty).is_some()) && width > MAX_WIDTH {
                let found = format!("its {} has {width} bits", &step[1..]);
                self.at(step, |cx| cx.fault(Rule::R05, found, format!("{MAX_WIDTH} bits at most")));
            }
        }
        if decl.key.is_empty() {
            self.at(".key", |cx| {
                cx.fault(Rule::R05, "its key has no fields", "one field at least")
            });
        }
        if !decl.buckets.is_power_of_two() {
            self.at(".buckets", |cx| {
                let near = decl.buckets.checked_next_power_of_two().unwrap_or(1 << 31);
                let found = format!("it has {} buckets", decl.buckets);
                cx.fault(Rule::R05, found, format!("a power of two, such as {near}"));
            });
        }
        if decl.ways == 0 || decl.ways > MAX_WAYS {
            self.at(".ways", |cx| {
                let found = format!("a bucket has {} ways", decl.ways);
                cx.fault(Rule::R05, found, format!("1 to {MAX_WAYS}"));
            });
        }
    }

    /// Checks a statement that reads or writes state.
    pub fn uses_state(&mut self, kind: &'p StmtKind, scope: Scope<'p>) {
        let p = self.p;
        match kind {
            StmtKind::Count { counter, index } => {
                self.at(".counter", |cx| cx.exists(*counter, p.counters.len()));
                self.at(".index", |cx| cx.unsigned(index, scope, "the index"));
            }
            StmtKind::ExecuteMeter { meter, index, dst } => {
                self.at(".meter", |cx| cx.exists(*meter, p.meters.len()));
                self.at(".index", |cx| cx.unsigned(index, scope, "the index"));
                self.colour(dst, scope);
            }
            StmtKind::ReadRegister { register, index, dst } => {
                self.at(".register", |cx| cx.exists(*register, p.registers.len()));
                self.at(".index", |cx| cx.unsigned(index, scope, "the index"));
                let ty = p.registers.get(*register).map(|r| r.ty);
                self.receives(".dst", dst, ty, "the content", scope);
            }
            StmtKind::WriteRegister { register, index, value } => {
                self.at(".register", |cx| cx.exists(*register, p.registers.len()));
                self.at(".index", |cx| cx.unsigned(index, scope, "the index"));
                let ty = p.registers.get(*register).map(|r| r.ty);
                self.at(".value", |cx| cx.exactly(value, scope, "the new content", ty));
            }
            StmtKind::MapLookup { map, key, found, values, .. } => {
                self.at(".map", |cx| cx.exists(*map, p.maps.len()));
                let decl = p.maps.get(*map);
                self.fits(".key", key, decl.map(|d| &*d.key), scope);
                self.receives(".found", found, Some(Type::Bool), "whether it was found", scope);
                if let Some(decl) = decl {
                    self.count(".values", values.len(), &decl.values);
                }
                self.each(".values", values, |cx, i, place| {
                    let field = decl.and_then(|d| d.values.get(i));
                    cx.receives("", place, field.map(|f| f.ty), "the value", scope);
                });
            }
            StmtKind::MapPut { map, key, values, stored } => {
                self.at(".map", |cx| cx.exists(*map, p.maps.len()));
                let decl = p.maps.get(*map);
                self.fits(".key", key, decl.map(|d| &*d.key), scope);
                self.fits(".values", values, decl.map(|d| &*d.values), scope);
                if let Some(stored) = stored {
                    self.receives(
                        ".stored",
                        stored,
                        Some(Type::Bool),
                        "whether it was stored",
                        scope,
                    );
                }
            }
            StmtKind::MapRemove { map, key } => {
                self.at(".map", |cx| cx.exists(*map, p.maps.len()));
                self.fits(".key", key, p.maps.get(*map).map(|d| &*d.key), scope);
            }
            _ => {}
        }
    }

    fn receives(
        &mut self,
        step: &str,
        place: &'p Place,
        ty: Option<Type>,
        what: &str,
        scope: Scope<'p>,
    ) {
        self.at(step, |cx| {
            if let (Some(to), Some(ty)) = (cx.place(place, scope), ty)
                && to != ty
            {
                let found = format!("{what} goes to `{}`, {}", cx.place_name(place), a(to));
                cx.fault(Rule::E04, found, a(ty));
            }
        });
    }

    fn fits(
        &mut self,
        step: &str,
        values: &'p [Expr],
        fields: Option<&[FieldDecl]>,
        scope: Scope<'p>,
    ) {
        if let Some(fields) = fields {
            self.count(step, values.len(), fields);
        }
        self.each(step, values, |cx, i, value| {
            let field = fields.and_then(|f| f.get(i));
            let what = field.map_or("the value".to_owned(), |f| format!("`{}`", f.name));
            cx.exactly(value, scope, &what, field.map(|f| f.ty));
        });
    }

    fn count(&mut self, step: &str, found: usize, fields: &[FieldDecl]) {
        if found != fields.len() {
            let names: Vec<String> = fields.iter().map(|f| format!("`{}`", f.name)).collect();
            let accepts = match names.is_empty() {
                true => "none".to_owned(),
                false => format!("one for each of {}", names.join(", ")),
            };
            self.at(step, |cx| {
                cx.fault(Rule::R06, format!("{found} for the map's {}", &step[1..]), accepts);
            });
        }
    }
}

/// Bytes in whole 64-bit words.
fn words(types: &[Type]) -> u64 {
    types.iter().map(|t| u64::from(t.width().div_ceil(64)) * 8).fold(0, u64::saturating_add)
}
