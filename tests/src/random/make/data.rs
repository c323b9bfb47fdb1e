//! Header types, headers, metadata and cells.

use super::{Maker, field, preamble};
use restage_program::entity::{Header, HeaderType};
use restage_program::expr::Expr;
use restage_program::program::{
    CounterDecl, CrcDecl, DigestDecl, Elements, FieldDecl, FieldListDecl, HeaderDecl,
    HeaderTypeDecl, MapDecl, MetaDecl, MeterDecl, RegisterDecl, StackDecl, UnionDecl, Unit,
    ValueSetDecl,
};
use restage_program::types::{MAX_WIDTH, bit, int};
use restage_program::{Loc, Type, standard};

impl Maker {
    pub(super) fn data(&mut self) {
        let types = self.rng.between(2, 4);
        for i in 0..types {
            let ty = self.header_type(i, false);
            self.fixed_types.push(ty);
        }
        let varbit = self.rng.chance(50).then(|| self.header_type(types, true));
        for i in 0..self.fixed_types.len() {
            let ty = self.fixed_types[i];
            for copy in 0..self.rng.between(1, 2) {
                let header = self.instance(format!("h{i}_{copy}"), ty);
                self.plain.push(header);
            }
        }
        if let Some(ty) = varbit {
            let header = self.instance("opts".into(), ty);
            self.plain.push(header);
            let header = self.instance("opts_copy".into(), ty);
            self.plain.push(header);
        }
        if self.rng.chance(70) {
            self.header_stacks();
        }
        if self.rng.chance(60) {
            let union = self.union("un", "union_t");
            self.free_unions.push(union);
        }
        self.metadata();
    }

    fn instance(&mut self, name: String, ty: HeaderType) -> Header {
        self.program.headers.push(HeaderDecl { name, ty, loc: Loc::default() })
    }

    /// A header type of whole bytes. Field `next` says what follows.
    fn header_type(&mut self, number: u32, varbit: bool) -> HeaderType {
        let mut fields = vec![field("next", bit([8, 8, 16][self.rng.below(3)]))];
        if varbit {
            fields.push(field("len", bit(8)));
        }
        for i in 0..self.rng.between(1, 4) {
            let ty = self.number_type();
            fields.push(field(format!("f{i}"), ty));
        }
        if self.rng.chance(70) {
            fields.push(field("sum", bit(16)));
        }
        if self.wide && self.rng.chance(30) {
            fields.push(field("huge", bit(MAX_WIDTH - 8 * self.rng.between(0, 9))));
        }
        self.rng.shuffle(&mut fields);
        if varbit {
            // Wherever it stands, `len` in front of it is found by looking ahead.
            let longest = 8 * self.rng.between(1, 12);
            let at = self.rng.below(fields.len() + 1);
            fields.insert(at, field("opts", Type::Varbit(longest)));
        }
        let total: u32 = fields.iter().map(|f| f.ty.width()).sum();
        if !total.is_multiple_of(8) {
            let at = self.rng.below(fields.len() + 1);
            fields.insert(at, field("pad", bit(8 - total % 8)));
        }
        self.number_types.extend(fields.iter().map(|f| f.ty).filter(|t| t.is_number()));
        self.program.header_types.push(HeaderTypeDecl {
            name: format!("type{number}_t"),
            fields,
            annotations: Vec::new(),
            loc: Loc::default(),
        })
    }

    /// A number type that a program could have.
    pub(super) fn number_type(&mut self) -> Type {
        let width = match self.rng.below(10) {
            0 => 1,
            1 | 2 => self.rng.between(2, 15),
            3 | 4 => [8, 16, 32, 48][self.rng.below(4)],
            5 => [63, 64, 65][self.rng.below(3)],
            6 if self.wide => self.rng.between(65, MAX_WIDTH / 4),
            7 => [96, 128][self.rng.below(2)],
            _ => self.rng.between(1, 40),
        };
        if width > 1 && self.rng.chance(25) { int(width) } else { bit(width) }
    }

    fn header_stacks(&mut self) {
        let ty = self.fixed_types[self.rng.below(self.fixed_types.len())];
        let size = self.rng.between(2, 4);
        for name in ["st", "st_copy"] {
            let headers = (0..size).map(|i| self.instance(format!("{name}[{i}]"), ty)).collect();
            let stack = self.program.stacks.push(StackDecl {
                name: name.into(),
                elements: Elements::Headers(headers),
                loc: Loc::default(),
            });
            self.stacks.push(stack);
            if self.rng.chance(20) {
                break;
            }
        }
        if self.rng.chance(35) {
            let size = self.rng.between(2, 3);
            let first = self.program.unions.len();
            let unions: Vec<_> = (0..size)
                .map(|i| match i {
                    0 => self.union("us[0]", "us_t"),
                    _ => self.same_union(&format!("us[{i}]"), first),
                })
                .collect();
            let stack = self.program.stacks.push(StackDecl {
                name: "us".into(),
                elements: Elements::Unions(unions),
                loc: Loc::default(),
            });
            self.stacks.push(stack);
        }
    }

    /// A union of two or three header types.
    fn union(&mut self, name: &str, type_name: &str) -> restage_program::entity::Union {
        let mut types = self.fixed_types.clone();
        self.rng.shuffle(&mut types);
        types.truncate(3);
        let members = types
            .iter()
            .enumerate()
            .map(|(i, ty)| self.instance(format!("{name}.m{i}"), *ty))
            .collect();
        let union = self.program.unions.push(UnionDecl {
            name: name.into(),
            type_name: type_name.into(),
            members,
            loc: Loc::default(),
        });
        self.unions.push(union);
        union
    }

    /// Another union with the members' types of one that there is.
    fn same_union(&mut self, name: &str, first: usize) -> restage_program::entity::Union {
        let model = restage_program::entity::Union(first as u32);
        let (type_name, types): (String, Vec<HeaderType>) = {
            let decl = &self.program.unions[model];
            let types = decl.members.iter().map(|m| self.program.headers[*m].ty).collect();
            (decl.type_name.clone(), types)
        };
        let members = types
            .iter()
            .enumerate()
            .map(|(i, ty)| self.instance(format!("{name}.m{i}"), *ty))
            .collect();
        let union = self.program.unions.push(UnionDecl {
            name: name.into(),
            type_name,
            members,
            loc: Loc::default(),
        });
        self.unions.push(union);
        union
    }

    fn meta(&mut self, name: String, ty: Type) -> restage_program::entity::Meta {
        self.program.metas.push(MetaDecl { name, ty, loc: Loc::default() })
    }

    fn metadata(&mut self) {
        self.passes = self.meta("passes".into(), bit(8));
        for i in 0..self.rng.between(4, 10) {
            // Types of fields often, so that one can be assigned to the other.
            let ty = match self.rng.below(10) {
                0 | 1 => Type::Bool,
                2..6 => self.number_types[self.rng.below(self.number_types.len())],
                6 => bit([2, 8, 16, 32][self.rng.below(4)]),
                _ => self.number_type(),
            };
            let meta = self.meta(format!("m{i}"), ty);
            self.metas.push(meta);
            if ty.is_number() {
                self.number_types.push(ty);
            }
        }
        for (name, ty) in
            [("flag", Type::Bool), ("colour", bit(2)), ("tiny", bit(3)), ("signed", int(12))]
        {
            let meta = self.meta(name.into(), ty);
            self.metas.push(meta);
        }
        self.number_types.extend([bit(2), bit(3), bit(16), bit(32), int(12)]);
        if self.rng.chance(60) {
            for name in ["Bad", "Worse"] {
                let error = self.program.errors.push(name.into());
                self.own_errors.push(error);
            }
        }
    }

    /// Registers, counters, meters, maps, value sets, field lists and digests.
    pub(super) fn cells(&mut self) {
        for width in [16, 32] {
            let decl = CrcDecl { name: format!("Cells.crc{width}"), width, loc: Loc::default() };
            self.program.crcs.push(decl);
        }
        for i in 0..self.rng.between(1, 3) {
            let ty = match self.rng.below(6) {
                0 => int(24),
                _ => self.number_types[self.rng.below(self.number_types.len())],
            };
            let size = self.rng.between(1, 9);
            let preamble = preamble(format!("Cells.reg{i}"));
            let register = self.program.registers.push(RegisterDecl { preamble, ty, size });
            self.registers.push(register);
        }
        for i in 0..self.rng.between(1, 2) {
            let unit = [Unit::Packets, Unit::Bytes, Unit::Both][self.rng.below(3)];
            let size = self.rng.between(1, 6);
            let preamble = preamble(format!("Cells.count{i}"));
            let counter = self.program.counters.push(CounterDecl { preamble, unit, size });
            self.counters.push(counter);
        }
        let unit = [Unit::Packets, Unit::Bytes][self.rng.below(2)];
        let size = self.rng.between(1, 4);
        let meter = self.program.meters.push(MeterDecl {
            preamble: preamble("Cells.meter".into()),
            unit,
            size,
        });
        self.meters.push(meter);
        if self.rng.chance(75) {
            let map = MapDecl {
                preamble: preamble("Cells.map".into()),
                key: self.columns("k", 2),
                values: self.columns("v", 2),
                buckets: 1 << self.rng.between(0, 3),
                ways: self.rng.between(1, 3),
                idle_timeout_us: [0, 0, 40, 1000][self.rng.below(4)],
            };
            let map = self.program.maps.push(map);
            self.maps.push(map);
            let site = super::Site::new(super::SiteKind::Outside);
            let types: Vec<Type> = self.program.maps[map].key.iter().map(|k| k.ty).collect();
            let key = types.into_iter().map(|ty| self.expr(&site, ty, 0)).collect();
            self.map_keys.push(key);
        }
        if self.rng.chance(50) {
            let columns = vec![field("c0", bit([8, 16][self.rng.below(2)]))];
            let set = ValueSetDecl { preamble: preamble("Prs.set".into()), columns, size: 4 };
            let set = self.program.value_sets.push(set);
            self.value_sets.push(set);
        }
        for i in 0..self.rng.between(1, 3) {
            let mut metas: Vec<_> =
                self.metas.clone().into_iter().filter(|_| self.rng.chance(40)).collect();
            metas.push(self.passes);
            if self.rng.chance(30) {
                metas.push(standard::INGRESS_PORT);
            }
            self.rng.shuffle(&mut metas);
            let list = FieldListDecl { name: format!("list{i}"), metas, loc: Loc::default() };
            let list = self.program.field_lists.push(list);
            self.lists.push(list);
        }
        if self.rng.chance(60) {
            let site = super::Site::new(super::SiteKind::Outside);
            let fields = (0..self.rng.between(1, 3))
                .map(|i| {
                    let ty = self.number_types[self.rng.below(self.number_types.len())];
                    let value: Expr = self.expr(&site, ty, 1);
                    (field(format!("d{i}"), ty), value)
                })
                .collect();
            let preamble = preamble("Ing.digest".into());
            let digest = self.program.digests.push(DigestDecl { preamble, fields });
            self.digests.push(digest);
        }
    }

    /// Fields for keys and values of maps, not wider together than they may be.
    fn columns(&mut self, name: &str, most: u32) -> Vec<FieldDecl> {
        (0..self.rng.between(1, most))
            .map(|i| {
                let ty = self.number_types[self.rng.below(self.number_types.len())];
                let ty = if ty.width() > MAX_WIDTH / most { bit(64) } else { ty };
                field(format!("{name}{i}"), ty)
            })
            .collect()
    }
}
