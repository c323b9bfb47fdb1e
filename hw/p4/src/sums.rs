//! Calculations, checksums, and the other lists of values: for copies of packets and for digests.

use crate::error::Result;
use crate::expr::Num;
use crate::expr::lower::{cast, constant};
use crate::expr::read::{self, Reader};
use crate::json::{Node, short};
use crate::objects::{Calculation, Field, Instance, Objects};
use crate::p4info::Info;
use restage_program::Type;
use restage_program::entity::Meta;
use restage_program::expr::{Expr, HeaderRef, Place};
use restage_program::op::Op;
use restage_program::program::{
    Checksum, CrcDecl, DigestDecl, FieldDecl, FieldListDecl, HashAlgorithm, Item,
};
use restage_program::stmt::{Stmt, StmtKind};
use std::collections::HashMap;

/// A hash function by BMv2's name.
pub(crate) fn algorithm(node: &Node) -> Result<HashAlgorithm> {
    Ok(match node.text()? {
        // Only those of named calculations can be set, see `calculations`.
        "crc32" | "crc32_custom" => HashAlgorithm::Crc32,
        "crc16" | "crc16_custom" => HashAlgorithm::Crc16,
        "crcCCITT" => HashAlgorithm::CrcCcitt,
        "csum16" | "cksum16" => HashAlgorithm::Csum16,
        "xor16" => HashAlgorithm::Xor16,
        "identity" => HashAlgorithm::Identity,
        other => {
            return Err(node.fault(
                format!("the hash function `{}`", short(other)),
                "crc32, crc32_custom, crc16, crc16_custom, crcCCITT, csum16, xor16, identity",
            ));
        }
    })
}

/// A list to be hashed or summed, and whether the payload follows.
pub(crate) fn items(objects: &mut Objects, list: &Node) -> Result<(Vec<Item>, bool)> {
    let mut items = Vec::new();
    let mut payload = false;
    for node in list.items()? {
        match node.name("type")? {
            "field" => items.push(field_item(objects, &node)?),
            "hexstr" => {
                let width = crate::headers::width(&node.get("bitwidth")?)?;
                let value = read::constant(&node.get("value")?)?.bits(width);
                items.push(Item::Value(Expr::Const { ty: Type::Bit(width), value }));
            }
            "header" => {
                let header = objects.header(&node.get("value")?)?;
                items.push(Item::Header(HeaderRef::Header(header)));
            }
            "payload" => payload = true,
            other => {
                return Err(read::unknown(
                    &node,
                    other,
                    "what is summed: field, hexstr, header, payload",
                ));
            }
        }
    }
    Ok((items, payload))
}

/// A field of a list: left out when its header is invalid.
fn field_item(objects: &mut Objects, node: &Node) -> Result<Item> {
    let value = node.get("value")?;
    match objects.field(&value)? {
        Field::Place { place: Place::Field { header, field }, .. } => {
            Ok(Item::IfValid { header, field })
        }
        other => Ok(Item::Value(number(objects, node, other)?)),
    }
}

/// A field as a number of its own width.
fn number(objects: &mut Objects, node: &Node, field: Field) -> Result<Expr> {
    match field {
        Field::Place { place, ty: Type::Error, .. } => {
            let mut reader = Reader { objects, params: &[], before: None };
            reader.typed(node, &Num::Error(Expr::Read(place)), Type::Bit(32))
        }
        Field::Place { place, .. } => Ok(Expr::Read(place)),
        Field::Valid(header) => Ok(cast(Expr::Valid(header), Type::Bool, Type::Bit(1))),
        Field::Always => Ok(constant(Type::Bit(1), 1)),
    }
}

/// Named calculations. One with a custom CRC is what BMv2's control plane sets by the calculation's name.
pub(crate) fn calculations(root: &Node, objects: &mut Objects) -> Result<()> {
    for node in root.list("calculations")? {
        let (items, with_payload) = items(objects, &node.get("input")?)?;
        let (name, algo) = (node.name("name")?.to_string(), node.get("algo")?);
        let width = match algo.text()? {
            "crc16_custom" => Some(16),
            "crc32_custom" => Some(32),
            _ => None,
        };
        let algorithm = match width {
            Some(width) => {
                let decl = CrcDecl { name: name.clone(), width, loc: node.loc() };
                HashAlgorithm::Custom(objects.program.crcs.push(decl))
            }
            None => algorithm(&algo)?,
        };
        let calculation = Calculation { algorithm, items, with_payload };
        objects.names.calculations.insert(name, calculation);
    }
    Ok(())
}

/// Checksums: verified and updated unless the input says otherwise.
pub(crate) fn checksums(root: &Node, objects: &mut Objects) -> Result<()> {
    for node in root.list("checksums")? {
        let target = node.get("target")?;
        let field = objects.field(&target)?;
        let (field, _) = objects.written(&target, field)?;
        let Calculation { algorithm, items, with_payload } = match node.name("type")? {
            "generic" => Objects::find(
                &objects.names.calculations,
                &node.get("calculation")?,
                "calculation",
            )?,
            "ipv4" => whole_header(objects, &target, &field)?,
            other => return Err(read::unknown(&node, other, "a checksum type: generic, ipv4")),
        };
        let condition = match node.opt("if_cond") {
            Some(cond) => Reader { objects, params: &[], before: None }.condition(&cond)?,
            None => Expr::bool(true),
        };
        let on = |key| node.opt(key).map_or(Ok(true), |n| n.truth());
        let sum = Checksum { condition, items, field, algorithm, with_payload, loc: node.loc() };
        if on("update")? {
            objects.program.update.push(sum.clone());
        }
        if on("verify")? {
            objects.program.verify.push(if_field_valid(sum));
        }
    }
    Ok(())
}

/// BMv2 verifies nothing when the field's own header is invalid.
fn if_field_valid(mut sum: Checksum) -> Checksum {
    let Place::Field { header, .. } = &sum.field else { return sum };
    let valid = Expr::Valid(header.clone());
    if sum.condition == Expr::bool(true) {
        sum.condition = valid;
    } else if !has_conjunct(&sum.condition, &valid) {
        sum.condition = Expr::op(Op::And, [valid, sum.condition]);
    }
    sum
}

fn has_conjunct(condition: &Expr, wanted: &Expr) -> bool {
    condition == wanted
        || matches!(condition, Expr::Op { op: Op::And, args } if args.iter().any(|a| has_conjunct(a, wanted)))
}

/// The old `ipv4` type: the sum of the whole header without the field.
fn whole_header(objects: &Objects, node: &Node, field: &Place) -> Result<Calculation> {
    let wrong = || node.fault("an ipv4 checksum of something else", "a field of a header");
    let Place::Field { header, field } = field else { return Err(wrong()) };
    let decl = objects.program.header_type(header).map_err(|_| wrong())?;
    let others = (0..decl.fields.len() as u32).filter(|f| f != field);
    let items = others.map(|field| Item::IfValid { header: header.clone(), field }).collect();
    Ok(Calculation { algorithm: HashAlgorithm::Csum16, items, with_payload: false })
}

/// Lists of metadata that copies and further passes keep.
pub(crate) fn field_lists(root: &Node, objects: &mut Objects) -> Result<()> {
    for node in root.list("field_lists")? {
        let id = node.get("id")?.number()?;
        let mut metas: Vec<Meta> = Vec::new();
        for element in node.list("elements")? {
            match element.name("type")? {
                "field" => {}
                // Constants are of no use to a copy, and BMv2 skips them.
                "hexstr" => continue,
                other => return Err(read::unknown(&element, other, "an element: field, hexstr")),
            }
            let value = element.get("value")?;
            match objects.field(&value)? {
                Field::Place { place, .. } => match base(&place) {
                    Some(meta) if metas.contains(&meta) => {}
                    Some(meta) => metas.push(meta),
                    None => {
                        return Err(value.fault(
                            "a field of a header in a list for copies",
                            "metadata; headers of copies come from the packet",
                        ));
                    }
                },
                Field::Always => {}
                Field::Valid(_) => {
                    return Err(
                        value.fault("the validity of a header in a list for copies", "metadata")
                    );
                }
            }
        }
        let name = node.opt("name").map_or(Ok("field_list"), |n| n.text())?.to_string();
        let list = objects.program.field_lists.push(FieldListDecl { name, metas, loc: node.loc() });
        objects.names.field_lists.insert(id, list);
    }
    Ok(())
}

fn base(place: &Place) -> Option<Meta> {
    match place {
        Place::Meta(meta) => Some(*meta),
        Place::Slice { of, .. } => base(of),
        Place::Field { .. } => None,
    }
}

/// Digests. The compiler makes one list per call, all with the digest's name and each with temporaries
/// of its own; they become one digest, and the other calls copy their temporaries into the first one's.
pub(crate) fn learn_lists(root: &Node, objects: &mut Objects, info: &Info) -> Result<()> {
    let mut first: HashMap<String, (restage_program::entity::Digest, Vec<Place>)> = HashMap::new();
    for node in root.list("learn_lists")? {
        let id = node.get("id")?.number()?;
        let name = node.opt("name").map_or(Ok("digest"), |n| n.text())?.to_string();
        let named = info.digest_fields(&name);
        let mut fields = Vec::new();
        let mut temps = Vec::new();
        for (i, element) in node.list("elements")?.into_iter().enumerate() {
            let value = element.get("value")?;
            let own = match element.name("type")? {
                "field" => {
                    let [_, field] = value.tuple()?;
                    field.text()?.to_string()
                }
                other => return Err(read::unknown(&element, other, "an element: field")),
            };
            let field = objects.field(&value)?;
            if let Some(place) = temporary(objects, &value, &field) {
                temps.push(place);
            }
            let expr = number(objects, &value, field)?;
            let ty = objects
                .program
                .type_of(&expr, &[])
                .map_err(|e| value.fault(e.to_string(), "a field"))?;
            fields.push((FieldDecl { name: named.get(i).cloned().unwrap_or(own), ty }, expr));
        }
        if let Some((digest, into)) = first.get(&name) {
            let known = &objects.program.digests[*digest];
            let same_types = known.fields.iter().map(|f| f.0.ty).eq(fields.iter().map(|f| f.0.ty));
            if known.fields.iter().map(|f| &f.1).eq(fields.iter().map(|f| &f.1)) {
                objects.names.digests.insert(id, (*digest, Vec::new()));
                continue;
            }
            if same_types && temps.len() == fields.len() && into.len() == fields.len() {
                let copies = into.iter().zip(temps).map(|(dst, src)| {
                    Stmt::from(StmtKind::Assign { dst: dst.clone(), src: Expr::Read(src) })
                });
                objects.names.digests.insert(id, (*digest, copies.collect()));
                continue;
            }
        }
        let mut preamble = info.preamble("digests", &name, node.loc());
        if first.contains_key(&name) {
            preamble.name = format!("{name}_{id}");
            preamble.id = 0;
        }
        let digest = objects.program.digests.push(DigestDecl { preamble, fields });
        first.entry(name).or_insert((digest, temps));
        objects.names.digests.insert(id, (digest, Vec::new()));
    }
    Ok(())
}

/// The place of a field that the compiler made.
fn temporary(objects: &Objects, node: &Node, field: &Field) -> Option<Place> {
    let [instance, name] = node.tuple().ok()?;
    let made = instance.text().ok()? == "scalars" && !name.text().ok()?.contains('.');
    match (field, objects.names.instances.get("scalars")) {
        (Field::Place { place, ty, .. }, Some(Instance::Metadata(_))) if made && ty.is_number() => {
            Some(place.clone())
        }
        _ => None,
    }
}
