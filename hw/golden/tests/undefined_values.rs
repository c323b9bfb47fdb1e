//! One test for each row of the undefined-behaviour table of ARCHITECTURE.md that is about values,
//! headers, stacks and the parser.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Byte, Result, Two, insert, model, number, parse, send};
use restage_program::Bits;
use restage_program::entry::KeyMatch;
use restage_program::prelude::*;

#[test]
fn metadata_is_0_until_written_for_every_packet() {
    let mut golden = model(|p| {
        let result: Result = p.header("result");
        let m = p.meta("m", bit(32));
        p.ingress(|c| {
            c.set_valid(result);
            c.set(result.v, m);
            c.set(m, 7);
        });
        p.emit(result);
    });
    for _ in 0..2 {
        assert_eq!(send(&mut golden, &[])[0].1, [0, 0, 0, 0]);
    }
}

/// A header that an earlier packet had leaves nothing behind.
#[test]
fn fields_of_invalid_headers_read_as_0() {
    let mut golden = model(|p| {
        let result: Result = p.header("result");
        let b: Byte = p.header("b");
        p.state("start", |c| {
            c.extract(b);
            c.accept();
        });
        let hit = p.action("hit", [], |c, []| c.set(result.v, result.v | 0x100));
        let none = p.action("none", [], |_, []| {});
        let t = p.table("t", |t| {
            t.exact(b.v).actions([hit, none]).default(none, []).size(4);
        });
        p.ingress(|c| {
            c.set_valid(result);
            c.set(result.v, b.v.cast(bit(32)));
            c.apply(t);
        });
        p.emit(result);
    });
    let zero = vec![KeyMatch::Exact(Bits::zero(8))];
    let write = insert(golden.program(), "t", zero, "hit", vec![], 0);
    golden.write(&write).unwrap();
    assert_eq!(send(&mut golden, &[0x55])[0].1, [0, 0, 0, 0x55]);
    assert_eq!(send(&mut golden, &[])[0].1, [0, 0, 1, 0]);
}

#[test]
fn fields_of_invalid_headers_are_not_written() {
    let got = number(
        &[],
        |p| p.header::<Byte>("b"),
        |c, b, r| {
            c.set(b.v, 9);
            c.set(b.v.slice(3, 0), 9);
            c.set_valid(b);
            c.set(r.v, b.v.cast(bit(32)) + 1);
        },
    );
    assert_eq!(got, 1);
}

#[test]
fn set_valid_clears_and_keeps() {
    let got = number(
        &[],
        |p| p.header::<Byte>("b"),
        |c, b, r| {
            c.set_valid(b);
            c.set(b.v, 3);
            c.set_valid(b);
            c.set(r.v, b.v.cast(bit(32)) << 8);
            c.set_invalid(b);
            c.set_valid(b);
            c.set(r.v, r.v | b.v.cast(bit(32)));
        },
    );
    assert_eq!(got, 0x300);
}

#[test]
fn one_member_of_a_union_is_valid() {
    let declare = |p: &mut Builder| {
        let u = p.union("u");
        (p.member::<Byte>(u, "a"), p.member::<Two>(u, "b"))
    };
    let got = number(&[], declare, |c, (a, b), r| {
        c.set_valid(a);
        c.set(a.v, 1);
        c.set_valid(b);
        c.set(r.v, mux(a.valid(), bits(32, 1), bits(32, 2)) + a.v.cast(bit(32)));
    });
    assert_eq!(got, 2);
}

#[test]
fn a_copy_of_an_invalid_header_is_invalid() {
    let declare = |p: &mut Builder| (p.header::<Byte>("a"), p.header::<Byte>("b"));
    let got = number(&[], declare, |c, (a, b), r| {
        c.set_valid(a);
        c.set(a.v, 1);
        c.copy(a, b);
        c.set(r.v, mux(a.valid(), bits(32, 1), bits(32, 2)) + a.v.cast(bit(32)));
    });
    assert_eq!(got, 2);
}

#[test]
fn elements_beyond_a_stack() {
    let declare = |p: &mut Builder| (p.stack::<Byte>("s", 2), p.meta("i", bit(32)));
    let got = number(&[], declare, |c, (s, i), r| {
        for element in 0..2 {
            c.set_valid(s.get(element));
            c.set(s.get(element).v, 5);
        }
        c.set(i, 2);
        let beyond = s.at(i);
        c.set_valid(beyond);
        c.set(beyond.v, 9);
        c.copy(beyond, s.get(0));
        c.set(r.v, mux(beyond.valid(), bits(32, 0x1000), bits(32, 0)));
        c.set(r.v, r.v + beyond.v.cast(bit(32)));
        c.copy(s.get(0), beyond);
        c.set(r.v, r.v + mux(s.get(0).valid(), bits(32, 0x2000), bits(32, 0)));
        c.set(i, 1);
        c.set(r.v, r.v + s.at(i).v.cast(bit(32)));
    });
    assert_eq!(got, 5);
}

#[test]
fn registers_out_of_range() {
    let declare = |p: &mut Builder| p.register("reg", bit(32), 2);
    let got = number(&[], declare, |c, reg, r| {
        c.write(reg, 1, 3);
        c.write(reg, 2, 4);
        c.set(r.v, 77);
        c.read(r.v, reg, 2);
        let low = c.local("low", r.v);
        c.read(r.v, reg, 1);
        c.set(r.v, r.v | (low << 8));
    });
    assert_eq!(got, 3);
}

#[test]
fn counters_and_meters_out_of_range() {
    let declare =
        |p: &mut Builder| (p.counter("c", Unit::Packets, 1), p.meter("m", Unit::Packets, 1));
    let got = number(&[], declare, |c, (counter, meter), r| {
        c.set(r.v, 2);
        c.count(counter, 1);
        c.execute_meter(r.v, meter, 1);
    });
    assert_eq!(got, 0);
}

#[test]
fn the_last_index_of_an_empty_stack() {
    let got = number(&[], |p| p.stack::<Byte>("s", 2), |c, s, r| c.set(r.v, s.last_index()));
    assert_eq!(got, u32::MAX);
}

/// Elements move with their validity, and beyond the size nothing is left.
#[test]
fn stacks_are_pushed_and_popped() {
    for (push, pop, want) in [
        (0, 0, 0x10203),
        (1, 0, 0x102),
        (0, 1, 0x20300),
        (3, 0, 0),
        (9, 0, 0),
        (0, 9, 0),
        (1, 1, 0x10200),
    ] {
        let got = number(
            &[],
            |p| p.stack::<Byte>("s", 3),
            |c, s, r| {
                for i in 0..3 {
                    c.set_valid(s.get(i));
                    c.set(s.get(i).v, i as i32 + 1);
                }
                if push > 0 {
                    c.push_front(s, push);
                }
                if pop > 0 {
                    c.pop_front(s, pop);
                }
                for i in 0..3 {
                    let byte = s.get(i);
                    c.set(r.v, (r.v << 8) + byte.v.cast(bit(32)));
                    let wrong = byte.valid().eq(byte.v.eq(0));
                    c.if_(wrong, |c| c.set(r.v, 0xffff));
                }
            },
        );
        assert_eq!(got, want, "push {push}, pop {pop}");
    }
}

#[test]
fn shifts_by_the_width_or_more() {
    let got = number(
        &[],
        |p| p.meta("m", int(8)),
        |c, m, r| {
            c.set(r.v, bits(32, 0xffff_ffff) << 32);
            c.set(m, -2);
            let all = Val::from(m) >> 200;
            c.set(r.v, r.v + all.cast(bit(8)).cast(bit(32)));
        },
    );
    assert_eq!(got, 0xff);
}

fn start(c: &mut StateBody<'_>, b: Two) {
    c.extract(b);
    c.accept();
}

#[test]
fn a_packet_that_ends_inside_a_header() {
    for len in 0..2 {
        let bytes = vec![9; len];
        let describe = |p: &mut Builder| {
            let b: Two = p.header("b");
            p.state("start", |c| start(c, b));
            p.emit(b);
        };
        assert_eq!(parse(&bytes, describe), (Some("PacketTooShort".into()), 0));
        assert_eq!(send(&mut model(describe), &bytes)[0].1, bytes, "its bytes are payload");
    }
}

#[test]
fn what_was_extracted_before_an_error_is_valid() {
    let describe = |p: &mut Builder| {
        let (a, b): (Byte, Two) = (p.header("a"), p.header("b"));
        p.state("start", |c| {
            c.extract(a);
            c.extract(b);
            c.accept();
        });
        p.ingress(|c| {
            c.if_(a.valid() & !b.valid(), |c| c.set(a.v, 0xaa));
        });
        p.emit(a);
        p.emit(b);
    };
    assert_eq!(send(&mut model(describe), &[1, 2])[0].1, [0xaa, 2]);
    assert_eq!(send(&mut model(describe), &[1, 2, 3])[0].1, [1, 2, 3]);
}

#[test]
fn extraction_and_last_beyond_a_stack() {
    let full = parse(&[1; 9], |p| {
        let s = p.stack::<Byte>("s", 2);
        p.state("start", |c| {
            c.extract(s.next());
            c.goto("start");
        });
    });
    assert_eq!(full, (Some("StackOutOfBounds".into()), 2));
    let empty = parse(&[1; 9], |p| {
        let s = p.stack::<Byte>("s", 2);
        let m = p.meta("m", bit(8));
        p.state("start", |c| {
            c.set(m, s.last().v);
            c.accept();
        });
    });
    assert_eq!(empty, (Some("StackOutOfBounds".into()), 0));
}

#[test]
fn selects_without_a_match_and_verify() {
    let select = |p: &mut Builder| {
        let b: Byte = p.header("b");
        p.state("start", |c| {
            c.extract(b);
            c.select(b.v).case(1, "accept").case(2, "reject");
        });
    };
    assert_eq!(parse(&[1, 0], select), (None, 1));
    assert_eq!(parse(&[2, 0], select), (None, 1), "reject is no error");
    assert_eq!(parse(&[3, 0], select), (Some("NoMatch".into()), 1));
    let verify = |p: &mut Builder| {
        let b: Byte = p.header("b");
        let own = p.error("Own");
        p.state("start", |c| {
            c.extract(b);
            c.verify(b.v.eq(1), own);
            c.accept();
        });
    };
    assert_eq!(parse(&[1], verify), (None, 1));
    assert_eq!(parse(&[2], verify), (Some("Own".into()), 1));
}

header! { struct Long { n: bit<8>, data: varbit<32>, end: bit<8> } }

header! { struct Longest { data: varbit<8032> } }

/// A varbit may be longer than any value: it is carried, not reckoned with.
#[test]
fn a_varbit_longer_than_a_value_is_carried() {
    let mut golden = model(|p| {
        let (two, first): (Two, Longest) = (p.header("two"), p.header("first"));
        let copy: Longest = p.header("copy");
        p.state("start", |c| {
            c.extract(two);
            c.extract_var(first, two.v.cast(bit(32)));
            c.accept();
        });
        p.ingress(|c| c.copy(copy, first));
        p.emit(first);
        p.emit(copy);
    });
    for bytes in [0u16, 1, 7, 1003, 1004] {
        let data: Vec<u8> = (0..bytes).map(|i| i as u8 ^ 0x5a).collect();
        let packet = [&(bytes * 8).to_be_bytes()[..], &data, b"rest"].concat();
        let twice = [&data[..], &data, b"rest"].concat();
        assert_eq!(send(&mut golden, &packet), [(0, twice)], "{bytes} bytes");
    }
}

#[test]
fn lengths_of_varbits() {
    let describe = |p: &mut Builder| {
        let (n, long): (Byte, Long) = (p.header("n"), p.header("long"));
        p.state("start", |c| {
            c.extract(n);
            c.extract_var(long, n.v.cast(bit(32)));
            c.accept();
        });
        p.emit(n);
        p.emit(long);
    };
    let packet = |bits: u8, len: usize| {
        let mut packet: Vec<u8> = (0..len as u8).collect();
        packet[0] = bits;
        packet
    };
    let error = |bits, len| parse(&packet(bits, len), describe).0;
    assert_eq!(error(32, 7), None);
    assert_eq!(error(0, 3), None);
    assert_eq!(error(40, 20), Some("HeaderTooShort".into()));
    assert_eq!(error(12, 20), Some("ParserInvalidArgument".into()));
    assert_eq!(error(32, 6), Some("PacketTooShort".into()));
    assert_eq!(error(40, 6), Some("PacketTooShort".into()), "this is looked at first");
    for (bits, len) in [(0, 9), (8, 9), (32, 9), (40, 9), (12, 9), (32, 5)] {
        let packet = packet(bits, len);
        assert_eq!(send(&mut model(describe), &packet)[0].1, packet);
    }
}

#[test]
fn advancing() {
    let error = |bits: u8, len: usize| {
        let mut packet = vec![0; len];
        packet[0] = bits;
        parse(&packet, |p| {
            let n: Byte = p.header("n");
            p.state("start", |c| {
                c.extract(n);
                c.advance(n.v.cast(bit(32)));
                c.accept();
            });
        })
    };
    assert_eq!(error(16, 3), (None, 3));
    assert_eq!(error(24, 3), (Some("PacketTooShort".into()), 1));
    assert_eq!(error(7, 3), (Some("ParserInvalidArgument".into()), 1));
}

#[test]
fn looking_beyond_the_packet() {
    let look = |len: usize| {
        parse(&vec![1; len], |p| {
            let m = p.meta("m", bit(12));
            p.state("start", |c| {
                c.set(m, lookahead(12));
                c.accept();
            });
        })
    };
    assert_eq!(look(2), (None, 0));
    assert_eq!(look(1), (Some("PacketTooShort".into()), 0));
}

/// 256 states may be visited, the 257th is the error; a loop of `advance` shows the number.
#[test]
fn a_parser_that_does_not_end() {
    let looped = |len: usize| {
        parse(&vec![0; len], |p| {
            p.state("start", |c| {
                c.advance(8);
                c.select(lookahead(8)).case(0, "start").default("accept");
            });
        })
    };
    assert_eq!(looped(2000), (Some("ParserTimeout".into()), 256));
    assert_eq!(looped(256), (Some("PacketTooShort".into()), 256));
}

/// The checksum is over what is valid; a list of 24 bits gets 8 zeros behind it.
#[test]
fn lists_of_checksums() {
    let sum = |with_b: bool| {
        let mut golden = model(|p| {
            let (r, a, b): (Result, Two, Byte) = (p.header("r"), p.header("a"), p.header("b"));
            p.state("start", |c| {
                c.extract(a);
                c.accept();
            });
            p.ingress(|c| {
                c.set_valid(r);
                if with_b {
                    c.set_valid(b);
                    c.set(b.v, 0x12);
                }
            });
            p.update_checksum(r.valid(), list![b.v, a.v], r.v, Csum16);
            p.emit(r);
        });
        let out = send(&mut golden, &[0x34, 0x56]);
        u32::from_be_bytes(out[0].1[..4].try_into().unwrap())
    };
    assert_eq!(sum(false), u32::from(!0x3456u16));
    assert_eq!(sum(true), u32::from(!(0x1234u16 + 0x5600)));
}

#[test]
fn lists_and_limits_of_hashes() {
    let declare =
        |p: &mut Builder| (p.header::<Two>("a"), p.meta("m", bit(8)), p.meta("n", bit(4)));
    // The field of an invalid header is 0 of its full width.
    let got = number(&[], declare, |c, (a, m, _), r| {
        c.set(m, 0x7f);
        c.hash(r.v, Identity, list![a.v, m], 0, bits(64, 1 << 32));
    });
    assert_eq!(got, 0x7f);
    // 12 bits become two bytes with zeros behind.
    let got = number(&[], declare, |c, (_, m, n), r| {
        c.set(m, 0x12);
        c.set(n, 3);
        c.hash(r.v, Identity, list![m, n], 0, bits(64, 1 << 32));
    });
    assert_eq!(got, 0x1230);
    // Without possible results there is the base.
    let got = number(&[], declare, |c, (_, m, _), r| c.hash(r.v, Crc32, list![m], 5, 0));
    assert_eq!(got, 5);
    let got = number(&[], declare, |c, (_, m, _), r| {
        c.set(m, 9);
        c.hash(r.v, Identity, list![m], 5, 4);
    });
    assert_eq!(got, 6);
}

#[test]
fn random_with_its_ends_turned() {
    let got = number(&[], |_| (), |c, (), r| c.random(r.v, 9, 3));
    assert_eq!(got, 9);
    let got = number(&[], |_| (), |c, (), r| c.random(r.v, 3, 4));
    assert!(got == 3 || got == 4);
}
