//! Controls: the two halves, the checksums, the deparser, and the instances they use.

use super::expr::{Site, param_type};
use super::file::File;
use super::gaps::Gap;
use super::hash::algorithm;
use super::layout::Layout;
use super::names::{annotations, is_no_action};
use super::stmt::Body;
use super::table;
use super::uses::{Object, Part};
use super::words::quoted;
use crate::entity::{Action, Counter, Entity, Map, Meter, Profile, Register, Table};
use crate::expr::{Expr, HeaderRef, Place};
use crate::op::Op;
use crate::program::{Checksum, Emit, Item, Unit};
use crate::types::Type;

/// Counters, meters, registers, maps and profiles that are declared in a part.
pub(super) fn instances(file: &File<'_>, part: Part, out: &mut Layout) {
    for object in Object::all(file.program) {
        let Some(local) = file.names.declared(part, object) else { continue };
        if let Some(text) = constructor(file, object) {
            out.line(format!("{}{text} {};", annotations(file.program, object, local), local.name));
        }
        if let Object::Map(i) = object
            && part != Part::Top
        {
            map_variables(file, part, Map(i), out);
        }
    }
    // A map on top still needs its variables where it is used.
    for (map, _) in file.program.maps.iter().filter(|_| part != Part::Top) {
        if file.names.declared(part, map).is_none() && file.names.declared(Part::Top, map).is_some()
        {
            map_variables(file, part, map, out);
        }
    }
}

fn map_variables(file: &File<'_>, part: Part, map: Map, out: &mut Layout) {
    let types = file.names.map_types.get(map.index());
    if let (Some((_, value)), Some((found, stored))) = (types, file.names.map_variables(part, map))
    {
        out.line(format!("{value} {found};"));
        out.line(format!("bool {stored};"));
    }
}

fn constructor(file: &File<'_>, object: Object) -> Option<String> {
    let p = file.program;
    let counter = |unit: Unit| match unit {
        Unit::Packets => "CounterType.packets",
        Unit::Bytes => "CounterType.bytes",
        Unit::Both => "CounterType.packets_and_bytes",
    };
    let meter = |unit: Unit| match unit {
        Unit::Bytes => "MeterType.bytes",
        _ => "MeterType.packets",
    };
    Some(match object {
        Object::Counter(i) => {
            let d = p.counters.get(Counter(i))?;
            format!("counter({}, {})", d.size, counter(d.unit))
        }
        Object::Meter(i) => {
            let d = p.meters.get(Meter(i))?;
            format!("meter({}, {})", d.size, meter(d.unit))
        }
        Object::DirectCounter(i) => {
            let d = p.tables.get(Table(i))?.counter.as_ref()?;
            format!("direct_counter({})", counter(d.unit))
        }
        Object::DirectMeter(i) => {
            let d = p.tables.get(Table(i))?.meter.as_ref()?;
            let ty = p.type_of_place(&d.dst).unwrap_or(Type::Bit(2));
            format!("direct_meter<{ty}>({})", meter(d.unit))
        }
        Object::Register(i) => {
            let d = p.registers.get(Register(i))?;
            format!("register<{}>({})", d.ty, d.size)
        }
        Object::Map(i) => {
            let d = p.maps.get(Map(i))?;
            let (key, value) = file.names.map_types.get(i as usize)?;
            let (buckets, ways, idle) = (d.buckets, d.ways, d.idle_timeout_us);
            format!("restage_map<{key}, {value}>({buckets}, {ways}, {idle})")
        }
        Object::Profile(i) => {
            let d = p.profiles.get(Profile(i))?;
            match &d.selector {
                None => format!("action_profile({})", d.size),
                Some(s) => {
                    let name = algorithm(file, s.algorithm);
                    let width = match name {
                        "crc32" | "crc32_custom" => 32,
                        "identity" => 64,
                        _ => 16,
                    };
                    let most = match s.max_group_size {
                        0 => String::new(),
                        n => format!("@max_group_size({n}) "),
                    };
                    format!("{most}action_selector(HashAlgorithm.{name}, {}, {width})", d.size)
                }
            }
        }
        Object::Action(_) | Object::Table(_) | Object::ValueSet(_) => return None,
    })
}

/// Ingress or egress.
pub(super) fn half(file: &File<'_>, part: Part, out: &mut Layout) {
    let p = file.program;
    out.open(format!("control {}({})", file.names.block(part), file.pipeline_params()));
    instances(file, part, out);
    let mut written: Vec<Action> = Vec::new();
    for (table, decl) in p.tables.iter().filter(|(t, _)| file.names.declared(part, *t).is_some()) {
        for action in decl.actions.iter().map(|r| r.action).chain([decl.default.action]) {
            if !written.contains(&action) && file.names.declared(part, action).is_some() {
                written.push(action);
                self::action(file, part, action, out);
            }
        }
        table::write(file, part, table, decl, out);
    }
    for action in p.actions.keys() {
        if !written.contains(&action) && file.names.declared(part, action).is_some() {
            self::action(file, part, action, out);
        }
    }
    out.gap();
    let mut body = out.inner();
    let (block, place) = match part {
        Part::Egress => (&p.egress, "egress"),
        _ => (&p.ingress, "ingress"),
    };
    file.at(place);
    Body::new(file, part, file.exprs(Site::Control(part))).block(block, &mut body);
    file.remarks(out);
    out.open("apply");
    out.paste(body);
    out.close();
    out.close();
}

fn action(file: &File<'_>, part: Part, action: Action, out: &mut Layout) {
    let p = file.program;
    let (Some(decl), Some(local)) = (p.actions.get(action), file.names.declared(part, action))
    else {
        return;
    };
    if is_no_action(p, action) {
        return;
    }
    let object = Object::from(action);
    file.at(format!("action {}", decl.preamble.name));
    let mut local = local.clone();
    if part == Part::Egress && file.names.declared(Part::Ingress, action).is_some() {
        file.gap(Gap::BOTH_HALVES);
        local.rename = None;
    }
    let names = file.names.params(p, part, action);
    let unsigned = file.unsigned_params(action);
    let params: Vec<String> = decl
        .params
        .iter()
        .zip(&names)
        .map(|(f, name)| {
            let rename = match *name == f.name {
                true => String::new(),
                false => format!("@name({}) ", quoted(&f.name)),
            };
            let ty = param_type(f.ty, unsigned);
            format!("{rename}{ty} {name}")
        })
        .collect();
    let mut body = out.inner();
    if let Some(table) = file.uses.only_table(action)
        && let Some(counter) = file.names.declared(part, Object::DirectCounter(table.0))
    {
        body.line(format!("{}.count();", counter.name));
    }
    for meter in table::metered_by(file, action) {
        let (Some(name), Some(decl)) =
            (file.names.declared(part, Object::DirectMeter(meter.0)), p.tables.get(meter))
        else {
            continue;
        };
        if let Some(m) = &decl.meter {
            let plain = match &m.dst {
                Place::Meta(_) => true,
                Place::Field { header: HeaderRef::Header(h), .. } => file.names.is_single(*h),
                _ => false,
            };
            if !plain {
                file.gap(Gap::METER_PLACE);
            }
            let exprs = file.exprs(Site::Control(part));
            body.line(format!("{}.read({});", name.name, exprs.place(&m.dst)));
        }
    }
    let exprs = file.exprs_in(Site::Control(part), &decl.params, &names, unsigned);
    Body::new(file, part, exprs).block(&decl.body, &mut body);
    out.gap();
    file.remarks(out);
    let words = annotations(p, object, &local);
    out.open(format!("{words}action {}({})", local.name, params.join(", ")));
    out.paste(body);
    out.close();
}

/// The control that verifies checksums, or the one that updates them.
pub(super) fn checksums(file: &File<'_>, verify: bool, out: &mut Layout) {
    let (p, names) = (file.program, &file.names);
    let (block, list) = match verify {
        true => (&names.blocks.verify, &p.verify),
        false => (&names.blocks.update, &p.update),
    };
    let (h, m) = (&names.headers_type, &names.metadata_type);
    out.open(format!("control {block}(inout {h} h, inout {m} m)"));
    out.open("apply");
    let verb = if verify { "verify_checksum" } else { "update_checksum" };
    for (i, sum) in list.iter().enumerate() {
        let number = if list.len() > 1 { format!(" {i}") } else { String::new() };
        file.at(format!("{verb}{number}"));
        checksum(file, verb, sum, out);
    }
    out.close();
    out.close();
}

fn checksum(file: &File<'_>, verb: &str, sum: &Checksum, out: &mut Layout) {
    let exprs = file.exprs(Site::Checksum);
    let body = Body::new(file, Part::Top, exprs);
    let with = if sum.with_payload { "_with_payload" } else { "" };
    let mut present = Vec::new();
    valid_headers(&sum.condition, &mut present);
    for item in &sum.items {
        let fine = match item {
            Item::IfValid { .. } | Item::Header(_) => true,
            Item::Value(Expr::Const { ty, .. }) => matches!(ty, Type::Bit(_)),
            Item::Value(Expr::Read(Place::Meta(m))) => {
                file.program.metas.get(*m).is_none_or(|m| m.ty != Type::Bool)
            }
            Item::Value(Expr::Read(Place::Field { header, .. })) => present.contains(&header),
            Item::Value(_) => false,
        };
        if !fine {
            file.gap(Gap::CHECKSUM_ITEM);
        }
    }
    let mut plain = true;
    sum.condition.walk(&mut |e| {
        let hard = [Op::Mux, Op::Div, Op::Mod];
        plain &=
            !matches!(e, Expr::Op { op, .. } if hard.contains(op) || matches!(op, Op::SatCast(_)));
    });
    if !plain {
        file.gap(Gap::CHECKSUM_CONDITION);
    }
    let condition = exprs.exact(&sum.condition);
    let items: Vec<String> = sum.items.iter().map(|i| body.item(i)).collect();
    let field = exprs.place(&sum.field);
    let name = algorithm(file, sum.algorithm);
    file.remarks(out);
    out.line(format!("{verb}{with}({condition},"));
    out.list("    { ", &items, " },");
    out.line(format!("    {field}, HashAlgorithm.{name});"));
}

/// Headers that are valid when a condition holds.
fn valid_headers<'e>(condition: &'e Expr, out: &mut Vec<&'e HeaderRef>) {
    match condition {
        Expr::Valid(header) => out.push(header),
        Expr::Op { op: Op::And, args } => args.iter().for_each(|a| valid_headers(a, out)),
        _ => {}
    }
}

/// What is sent.
pub(super) fn deparser(file: &File<'_>, out: &mut Layout) {
    let names = &file.names;
    let (block, h) = (&names.blocks.deparser, &names.headers_type);
    out.open(format!("control {block}(packet_out pkt, in {h} h)"));
    out.open("apply");
    for emit in &file.program.deparser {
        let path = match emit {
            Emit::Header(header) => names.headers.get(header.index()),
            Emit::Stack(stack) => names.stack(*stack),
            Emit::Union(union) => names.unions.get(union.index()),
        };
        out.line(format!("pkt.emit(h.{});", path.map_or("?", String::as_str)));
    }
    out.close();
    out.close();
}
