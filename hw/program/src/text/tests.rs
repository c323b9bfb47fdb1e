//! The text of small programs that together use every construct. The texts were given to p4c once; here
//! they are compared with what it accepted.

use crate::entry::{Entry, EntryTarget, KeyMatch};
use crate::expr::{ElementIndex, Expr, HeaderRef, Place};
use crate::op::Op;
use crate::prelude::*;
use crate::program::*;
use crate::stmt::StmtKind;
use crate::types::{MAX_WIDTH, Type, bit, int};
use crate::{Bits, Program};
use insta::assert_snapshot;

header! {
    struct Ethernet { dst: bit<48>, src: bit<48>, r#type: bit<16> }
    struct Label { label: bit<20>, bos: bit<1>, odd: int<3>, ttl: bit<8> }
    struct Options { length: bit<8>, data: varbit<320> }
    struct Narrow { a: bit<8> }
    struct Wide { a: bit<16>, select: bit<16> }
}

/// Every identifier of a text that looks declared is, once in its scope; and all brackets close.
fn well_formed(text: &str) {
    let mut depth = Vec::new();
    for c in text.chars() {
        match c {
            '{' | '(' | '[' => depth.push(c),
            '}' => assert_eq!(depth.pop(), Some('{'), "{text}"),
            ')' => assert_eq!(depth.pop(), Some('('), "{text}"),
            ']' => assert_eq!(depth.pop(), Some('['), "{text}"),
            _ => {}
        }
    }
    assert!(depth.is_empty(), "{text}");
    assert!(!text.contains("?") || text.contains(" ? "), "something has no name:\n{text}");
    for (member, owner) in [("h.", "headers_t"), ("m.", "metadata_t")] {
        let head = format!("struct {owner} {{\n");
        let start = text.find(&head).expect("the structure is there") + head.len();
        let body = &text[start..start + text[start..].find('}').expect("it ends")];
        for (at, _) in text.match_indices(member) {
            let before = text[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || "._\".".contains(before) {
                continue;
            }
            let rest = &text[at + member.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let name = &rest[..end];
            assert!(
                body.contains(&format!(" {name};")),
                "`{member}{name}` is not declared:\n{text}"
            );
        }
    }
}

fn printed(p: &Program) -> String {
    let text = p.to_string();
    well_formed(&text);
    assert_eq!(text, p.clone().to_string());
    text
}

#[test]
fn a_parser() {
    let p = build("a parser", |p| {
        let eth: Ethernet = p.header("eth");
        let copy: Ethernet = p.header("copy.of.eth");
        let labels = p.stack::<Label>("labels", 4);
        let (options, more): (Options, Options) = (p.header("options"), p.header("more"));
        let l4 = p.union("l4");
        let (narrow, wide): (Narrow, Wide) = (p.member(l4, "narrow"), p.member(l4, "wide"));
        let s = p.standard();
        let (x, odd) = (p.meta("x", bit(16)), p.meta("odd", int(8)));
        let (flag, failure) = (p.meta("flag", Type::Bool), p.meta("failure", Type::Error));
        let bad = p.error("BadLength");
        let ports = p.value_set("MyPrs.ports", [("port", bit(16))], 8);
        let pairs = p.value_set("MyPrs.pairs", [("a", bit(16)), ("b", int(8))], 4);
        p.state("begin", |c| {
            c.extract(eth);
            c.copy(copy, eth);
            c.set(x, lookahead(16) + lookahead_at(8, 4).cast(bit(16)));
            c.set(flag, x.lt(9) & !eth.valid());
            c.set(failure, s.parser_error);
            c.verify(eth.r#type.ne(0x0800), bad);
            c.advance(lookahead(8).cast(bit(32)) << 3);
            c.set_valid(copy);
            c.set_invalid(copy);
            c.select((eth.r#type, odd, flag))
                .case((mask(0x8847, 0xff00), ANY, 1), "labels")
                .case((range(5, 9), range(3, 4), ANY), "start")
                .case((7, ANY, 0), "reject")
                .default("other");
        });
        p.state("labels", |c| {
            c.extract(labels.next());
            c.set(x, labels.last_index().cast(bit(16)));
            c.set(labels.last().ttl, labels.get(0).ttl - narrow.a);
            c.set(labels.last().odd, 3);
            c.select(labels.last().bos).case(0, "labels").case(1, "options");
        });
        p.state("start", |c| {
            c.extract(wide);
            c.select((wide.a, odd)).value_set(pairs, "other").default("accept");
        });
        p.state("other", |c| {
            c.extract(narrow);
            c.select(x).value_set(ports, "options");
        });
        p.state("options", |c| {
            c.extract_var(options, (lookahead(8).cast(bit(32)) - 1) * 8);
            c.copy(more, options);
            c.set(more.data, options.data);
            c.set(more.length, 0);
            c.accept();
        });
        p.state("empty", |c| c.goto("constant"));
        p.state("constant", |c| {
            c.select((bits(8, 3), x)).case((2, 4), "start").case((3, 5), "never").default("accept");
        });
        p.state("never", |c| c.accept());
        p.emit(eth);
        p.emit(labels);
        p.emit(options);
        p.emit(l4);
        let program = p.program_mut();
        let state = program.states.keys().next_back().unwrap();
        program.states[state].next = Transition::Select { keys: vec![], cases: vec![] };
    });
    assert_eq!(p.p4_gaps(), []);
    assert_snapshot!(printed(&p));
}

#[test]
fn tables_and_names() {
    let p = build("tables", |p| {
        let eth: Ethernet = p.header("eth");
        let labels = p.stack::<Label>("labels", 3);
        let s = p.standard();
        let (x, odd, colour) =
            (p.meta("table", bit(16)), p.meta("odd", int(8)), p.meta("a.colour", bit(2)));
        let flag = p.meta("flag", Type::Bool);
        let both = p.action("Ig.both.of", [("port", bit(9)), ("in", int(8))], |c, [port, n]| {
            c.set(s.egress_spec, port);
            c.set(odd, n);
        });
        let named = p.action("elsewhere", [], |c, []| c.mark_to_drop());
        let idle = p.action("Ig.idle", [], |_, []| {});
        let none = p.no_action();
        let keys = p.table("Ig.keys", |t| {
            t.exact(eth.dst).lpm(eth.src).ternary(x).range(odd).optional(eth.valid());
            t.exact(labels.at(x).label).named("label").exact(x + 1).named("sum \"1\"");
            t.exact(eth.dst.slice(7, 0)).named("h.eth.dst[7:0]").exact(flag).exact(s.parser_error);
            t.actions([both]).table_only([idle]).default(both, (9, -128)).size(100).idle_timeout();
            t.counter("Ig.hits", Unit::Both).meter("Ig.colours", Unit::Bytes, colour);
        });
        let entries = p.table("Ig.entries", |t| {
            t.ternary(x).exact(odd).optional(flag).range(s.ingress_port);
            t.actions([both, idle, none]).const_default(none, []);
            t.entry((mask(0x0800, 0xff00), 200, ANY, range(3, 5)), both, (1, -3));
            t.entry((ANY, 3, 1, 4), idle, []);
        });
        let low = p.action("Eg.low.er", [], |_, []| {});
        let fixed = p.table("Eg.fixed", |t| {
            t.lpm(eth.src).actions([low]).default(none, []);
            t.entry([mask(0x0a00_0000_0000, 0xff00_0000_0000)], low, []).const_entries();
        });
        let profile = p.action_profile("Ig.profile", 16);
        let items = list![eth.src, x, s.ingress_port];
        let selector = p.action_selector("Ig.selector", HashAlgorithm::Crc16, items, 64);
        let members = p.table("Ig.members", |t| {
            t.exact(x).actions([both, idle]).implementation(profile);
        });
        let groups = p.table("Ig.groups", |t| {
            t.exact(x).actions([both, idle]).implementation(selector);
        });
        let flagged = p.action("Ig.flagged", [("f", Type::Bool)], |c, [f]| c.set(flag, f));
        let profiled = p.table("Ig.profiled", |t| {
            t.exact(x).actions([flagged]).const_default(flagged, true).implementation(profile);
        });
        let alone = p.table("Eg.alone", |t| {
            t.actions([named]).default(named, []);
        });
        p.ingress(|c| {
            c.apply(keys).on(both, |c| c.call(both, (1, odd))).on(idle, |c| c.exit());
            c.apply(entries).hit(|_| {}).miss(|c| c.run(idle));
            c.if_(eth.valid(), |_| {}).else_(|c| {
                c.apply(members).hit(|c| c.set(x, 1)).miss(|c| c.set(x, 2));
            });
            c.if_(flag, |c| c.set(x, 3))
                .else_if(x.lt(4), |c| {
                    c.apply(groups);
                })
                .else_(|c| {
                    c.apply(profiled).hit(|c| c.call(flagged, false));
                });
        });
        p.egress(|c| {
            c.apply(fixed).on(low, |c| c.set(x, 1)).otherwise(|c| c.set(x, 2));
            c.apply(alone);
        });
        p.emit(eth);
        let program = p.program_mut();
        program.actions[named].preamble.annotations = vec!["@brief(\"drops\")".into()];
        program.tables[keys].preamble.id = 0x0200_0007;
        if let Some(s) = &mut program.profiles[selector].selector {
            s.max_group_size = 8;
        }
    });
    assert_snapshot!(printed(&p));
    assert_eq!(p.p4_gaps(), []);
}

#[test]
fn statements() {
    let p = build("statements", |p| {
        let (eth, other): (Ethernet, Ethernet) = (p.header("eth"), p.header("other"));
        let (a, b) = (p.stack::<Label>("a", 3), p.stack::<Label>("b", 3));
        let wide: Wide = p.header("wide");
        let s = p.standard();
        let (x, odd, flag) =
            (p.meta("x", bit(16)), p.meta("odd", int(16)), p.meta("flag", Type::Bool));
        let (long, index) = (p.meta("long", bit(48)), p.meta("index", bit(8)));
        let counter = p.counter("Ing.counter", Unit::Packets, 16);
        let meter = p.meter("Ing.meter", Unit::Bytes, 16);
        let register = p.register("shared", bit(16), 1024);
        let keep = p.field_list("keep", [x, flag]);
        let also = p.field_list("also", [x]);
        let digest = p.digest("learn_t", [("mac", eth.src), ("port", s.ingress_port)]);
        p.ingress(|c| {
            c.copy(eth, other);
            c.set(odd.slice(7, 4), x.slice(3, 0));
            c.set(x.slice(7, 4), odd.slice(11, 8));
            c.set(a.at(index).label, b.at(x).label);
            c.set_valid(a.at(index));
            c.set_invalid(a.get(1));
            c.push_front(a, 1);
            c.pop_front(a, 2);
            c.count(counter, index);
            c.count(counter, long);
            c.count(counter, 3);
            c.execute_meter(odd.slice(9, 8), meter, x);
            c.execute_meter(index, meter, long.slice(40, 1));
            c.read(x, register, 5);
            c.write(register, x, x + 1);
            c.hash(x, HashAlgorithm::Crc32, list![eth, x, odd, wide.a, bits(8, 3)], 0, 1u64 << 32);
            c.hash(index, HashAlgorithm::Identity, list![x], 5, x);
            c.random(odd.slice(3, 0), 1, 7);
            c.random(x, 5, x);
            c.digest(digest);
            c.clone_ingress(5, Some(keep));
            c.clone_ingress(x, None);
            c.resubmit(Some(also));
            c.resubmit(None);
            c.truncate(x);
            c.if_(flag, |c| c.exit());
        });
        p.egress(|c| {
            c.write(register, 1, 2);
            c.clone_egress(7, Some(also));
            c.recirculate(Some(keep));
            c.recirculate(None);
            c.mark_to_drop();
        });
        p.verify_checksum(
            eth.valid(),
            list![eth.dst, x, bits(16, 5)],
            wide.a,
            HashAlgorithm::Csum16,
        );
        p.update_checksum_with_payload(
            eth.valid() & x.ne(3),
            list![eth, wide.select],
            wide.a,
            HashAlgorithm::Xor16,
        );
        p.emit(eth);
        let program = p.program_mut();
        let (stack, at) = (b.stack(), ElementIndex::Expr(Box::new(Expr::bit(2, 2))));
        let header = HeaderRef::Element { stack, at, member: 0 };
        let items = vec![
            Item::IfValid { header: header.clone(), field: 0 },
            Item::Value(Expr::meta(x.as_meta().unwrap())),
            Item::IfValid { header: wide.href().into(), field: 1 },
        ];
        let dst = Place::from(x);
        let (base, max) = (Expr::bit(16, 0), Expr::bit(16, 1000));
        let hash = StmtKind::Hash { dst, algorithm: HashAlgorithm::Crc16, base, items, max };
        program.ingress.push(hash.into());
        let copy = StmtKind::CopyStack { dst: a.stack(), src: b.stack() };
        program.ingress.push(copy.into());
    });
    assert_eq!(p.p4_gaps(), []);
    assert_snapshot!(printed(&p));
}

#[test]
fn operations() {
    let p = build("operations", |p| {
        let (a, b) = (p.meta("a", bit(16)), p.meta("b", bit(16)));
        let (i, j) = (p.meta("i", int(16)), p.meta("j", int(16)));
        let (f, g, n) = (p.meta("f", Type::Bool), p.meta("g", Type::Bool), p.meta("n", bit(32)));
        let huge = p.meta("huge", bit(512));
        p.ingress(|c| {
            c.set(a, (a + b) * 3 - (b - (a - 1)));
            c.set(a, a & b | a ^ b & 0x0f0f | !(a | 7));
            c.set(i, -i * (i + -3) - -32768);
            c.set(i, i.sat_add(j).sat_sub(5) >> 3);
            c.set(a, a << n | b >> 20 | (a << b));
            c.set(huge, huge << n);
            c.set(huge, huge << 300 ^ huge >> 300);
            c.set(huge.slice(511, 300), huge.slice(300, 89));
            c.set(huge.slice(300, 0), huge.slice(511, 211));
            c.set(f, (f | g) & f | !f & g ^ f);
            c.set(f, a.lt(b) & i.ge(-1) | (a + 1).eq(b) & f.ne(g) | i.le(j) | a.gt(65535));
            c.set(a, mux(f, mux(g, a, b), 5));
            c.set(a, a.bits(15, 8).concat(i.bits(7, 0)));
            c.set(n, i.concat(a).cast(bit(32)));
            c.set(
                n,
                (a.cast(int(8)).cast(bit(32)) + i.cast(bit(32))) ^ f.cast(bit(1)).cast(bit(32)),
            );
            c.set(f, a.bits(3, 3).cast(Type::Bool));
            c.set(a, n.sat_cast(bit(16)));
            c.set(a, (n + 1).sat_cast(bit(16)).sat_cast(int(9)).sat_cast(bit(16)));
            c.set(i, n.sat_cast(int(16)));
            c.set(i, (i - j).sat_cast(int(4)).sat_cast(int(16)));
            c.set(a, i.sat_cast(bit(8)).cast(bit(16)));
            let one = 1;
            c.set(a, a / 3 + a % 10 + a / 8 + a % 16 + (a + b) / one + a % one);
        });
    });
    assert_eq!(p.p4_gaps(), []);
    assert_snapshot!(printed(&p));
}

/// Every operation on every kind of operand prints, and nothing else than the listed gap is one.
#[test]
fn every_operation_has_a_text() {
    for op in Op::ALL {
        let mut seen = 0;
        for ty in [bit(8), int(8), Type::Bool, Type::Error, bit(MAX_WIDTH)] {
            let types = match (op, op.arity()) {
                (Op::Shl | Op::Shr, _) => vec![ty, bit(8)],
                (Op::Mux, _) => vec![Type::Bool, ty, ty],
                (_, n) => vec![ty; n],
            };
            let Ok(result) = op.result_type(&types) else { continue };
            let mut p = Program::new("one");
            let mut meta = |ty| {
                let name = format!("x{}", p.metas.len());
                p.metas.push(MetaDecl { name, ty, loc: Default::default() })
            };
            let mut args: Vec<Expr> = types.iter().map(|t| Expr::meta(meta(*t))).collect();
            let dst = Place::Meta(meta(result));
            if matches!(op, Op::Div | Op::Mod) {
                args[1] = Expr::Const { ty, value: Bits::new(ty.width(), 7) };
            }
            p.ingress.push(StmtKind::Assign { dst, src: Expr::op(op, args) }.into());
            printed(&p);
            let wide = matches!(op, Op::Div | Op::Mod) && ty.width() == MAX_WIDTH;
            assert_eq!(p.p4_gaps().len(), usize::from(wide), "{op:?} of {ty}");
            seen += 1;
        }
        assert!(seen > 0, "{op:?}");
    }
}

#[test]
fn maps_are_an_extern() {
    let p = build("maps", |p| {
        let eth: Ethernet = p.header("eth");
        let (found, state, odd) =
            (p.meta("found", Type::Bool), p.meta("state", bit(8)), p.meta("odd", int(8)));
        let key = [("mac", bit(48)), ("type", bit(16))];
        let map = p.map("Ing.hosts", key, [("state", bit(8)), ("low", bit(4))], (64, 4), 1_000_000);
        let forget = p.action("Ing.forget", [], |c, []| c.map_remove(map, (eth.src, eth.r#type)));
        p.ingress(|c| {
            c.map_lookup(map, (eth.src, 0x0800), found, [state, state], true);
            c.map_put(map, (eth.src, eth.r#type), (state + 1, 3), Some(found));
            c.map_put(map, (eth.src, eth.r#type), (1, 3), None);
            c.run(forget);
        });
        p.emit(eth);
        let program = p.program_mut();
        if let StmtKind::MapLookup { values, touch, .. } = &mut program.ingress[0].kind {
            values[1] = Place::Slice { of: Box::new(odd.into()), hi: 5, lo: 2 };
            *touch = false;
        }
    });
    assert_snapshot!(printed(&p));
}

#[test]
fn what_p4_cannot_say_is_listed() {
    let p = build("gaps", |p| {
        let eth: Ethernet = p.header("eth");
        let a = p.stack::<Label>("a", 3);
        let s = p.standard();
        let (x, odd) = (p.meta("x", bit(16)), p.meta("odd", int(8)));
        let register = p.register("r", bit(16), 4);
        let list = p.field_list("list", [s.ingress_port]);
        p.state("start", |c| {
            c.push_front(a, 1);
            c.read(x, register, 1);
            c.accept();
        });
        let both = p.action("both", [], |c, []| c.set(x, a.last().label.slice(15, 0)));
        let ranges = p.table("ranges", |t| {
            t.range(odd).actions([both]);
            t.entry([range(0xf0, 3)], both, []);
        });
        p.verify_checksum(s.ingress_port.eq(1), list![x + 1], x, HashAlgorithm::CrcCcitt);
        p.ingress(|c| {
            c.apply(ranges);
            c.resubmit(Some(list));
        });
        p.egress(|c| c.run(both));
        p.emit(eth);
    });
    let gaps: Vec<String> = p.p4_gaps().iter().map(ToString::to_string).collect();
    assert_snapshot!(gaps.join("\n"));
    assert!(printed(&p).contains("// Not the same in P4: "));
}

#[test]
fn expressions_for_people() {
    let p = build("plain", |p| {
        let eth: Ethernet = p.header("eth");
        let a = p.stack::<Label>("a", 3);
        let x = p.meta("some.x", bit(16));
        p.ingress(|c| {
            c.set(x, (eth.r#type + 1) / 3);
            c.set(x, a.at(x).label.slice(19, 4));
            c.set(x, a.last().label.sat_cast(bit(16)));
        });
    });
    let text = |i: usize| match &p.ingress[i].kind {
        StmtKind::Assign { dst, src } => {
            format!("{} = {}", p.text_of_place(dst), p.text_of(src, &[]))
        }
        _ => String::new(),
    };
    assert_eq!(text(0), "m.some.x = (h.eth.type + 1) / 3");
    assert_eq!(text(1), "m.some.x = h.a[m.some.x].label[19:4]");
    assert_eq!(text(2), "m.some.x = saturate<bit<16>>(h.a.last.label)");
    assert_eq!(p.text_of(&Expr::Param(0), &[crate::build::field_decl("port", bit(9))]), "port");
}

/// A program that nobody checked: indices of nothing, nesting without end.
#[test]
fn a_wrong_program_prints_too() {
    use crate::entity::{Action, Header, Meta, Table};
    let mut p = Program::new("wrong\nsecond line");
    let mut deep = Expr::meta(Meta(900));
    for _ in 0..2000 {
        deep = Expr::op(Op::Not, [deep]);
    }
    let mut nested = StmtKind::Assign { dst: Place::field(Header(7), 9), src: deep };
    for _ in 0..2000 {
        let otherwise = vec![nested.into()];
        nested = StmtKind::If { condition: Expr::bool(true), then: vec![], otherwise };
    }
    p.ingress.push(nested.into());
    p.ingress.push(StmtKind::Apply { table: Table(3), then: Default::default() }.into());
    p.ingress.push(StmtKind::Call { action: Action(3), args: vec![Expr::Param(4)] }.into());
    p.tables.push(TableDecl {
        preamble: Preamble::default(),
        keys: vec![],
        actions: vec![ActionRef { action: Action(9), scope: ActionScope::TableOnly }],
        default: ActionCall { action: Action(8), args: vec![Bits::zero(3)] },
        const_default: true,
        entries: vec![Entry {
            keys: vec![KeyMatch::Any],
            priority: 3,
            target: EntryTarget::Action(ActionCall { action: Action(7), args: vec![] }),
            idle_timeout_us: 0,
        }],
        const_entries: false,
        size: 1,
        profile: None,
        counter: None,
        meter: None,
        idle_timeout: false,
    });
    let text = p.to_string();
    assert!(text.contains("?object.apply()"), "{text}");
    assert!(text.len() < 100_000);
}
