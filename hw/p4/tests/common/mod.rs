//! What the tests share: the oracle's files, and a walk over a program that types everything in it.

#![allow(dead_code, clippy::unwrap_used)]

use restage_program::expr::{Expr, Place};
use restage_program::program::{Checksum, FieldDecl, Transition};
use restage_program::stmt::{AfterApply, Block, StmtKind};
use restage_program::{Program, Type};
use std::path::{Path, PathBuf};

pub fn oracle() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle")
}

/// Names of the oracle's programs.
pub fn programs() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(oracle())
        .unwrap()
        .map(|e| e.unwrap())
        .filter(|e| e.path().is_dir() && e.file_name() != "tools")
        .map(|e| e.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// JSON and P4Info of a program.
pub fn files(name: &str) -> (String, String) {
    let read = |ext: &str| {
        std::fs::read_to_string(oracle().join(name).join(format!("{name}.{ext}"))).unwrap()
    };
    (read("json"), read("p4info.txtpb"))
}

pub fn import(name: &str) -> Program {
    let (json, info) = files(name);
    restage_p4::import(&json, Some(&info), name).unwrap_or_else(|e| panic!("{e}"))
}

/// Everything that has a type is asked for it; everything that must agree does.
pub fn check_types(program: &Program) {
    for state in program.states.values() {
        block(program, &state.body, &[]);
        if let Transition::Select { keys, .. } = &state.next {
            for key in keys {
                ty(program, key, &[]);
            }
        }
    }
    for action in program.actions.values() {
        block(program, &action.body, &action.params);
    }
    for table in program.tables.values() {
        for key in &table.keys {
            ty(program, &key.value, &[]);
        }
    }
    for Checksum { condition, field, .. } in program.verify.iter().chain(&program.update) {
        assert_eq!(ty(program, condition, &[]), Type::Bool);
        program.type_of_place(field).unwrap();
    }
    block(program, &program.ingress, &[]);
    block(program, &program.egress, &[]);
}

fn ty(program: &Program, expr: &Expr, params: &[FieldDecl]) -> Type {
    program.type_of(expr, params).unwrap_or_else(|e| panic!("{}: {e}: {expr:?}", program.name))
}

fn block(program: &Program, block_: &Block, params: &[FieldDecl]) {
    let of = |e: &Expr| ty(program, e, params);
    let place = |p: &Place| program.type_of_place(p).unwrap_or_else(|e| panic!("{e}: {p:?}"));
    for stmt in block_ {
        match &stmt.kind {
            StmtKind::Assign { dst, src } => assert_eq!(place(dst), of(src), "{stmt:?}"),
            StmtKind::ExtractVar { bits, .. } => assert_eq!(of(bits), Type::Bit(32)),
            StmtKind::Advance(bits) => assert_eq!(of(bits), Type::Bit(32)),
            StmtKind::Truncate { bytes } => assert_eq!(of(bytes), Type::Bit(32)),
            StmtKind::Verify { condition, .. } => assert_eq!(of(condition), Type::Bool),
            StmtKind::If { condition, then, otherwise } => {
                assert_eq!(of(condition), Type::Bool);
                block(program, then, params);
                block(program, otherwise, params);
            }
            StmtKind::Apply { then: AfterApply::Hit { hit, miss }, .. } => {
                block(program, hit, params);
                block(program, miss, params);
            }
            StmtKind::Apply { then: AfterApply::Switch { cases, default }, .. } => {
                cases.iter().for_each(|c| block(program, &c.body, params));
                block(program, default, params);
            }
            StmtKind::Call { action, args } => {
                let wanted: Vec<Type> =
                    program.actions[*action].params.iter().map(|p| p.ty).collect();
                assert_eq!(args.iter().map(of).collect::<Vec<_>>(), wanted);
            }
            StmtKind::Count { index, .. } => assert!(matches!(of(index), Type::Bit(_))),
            StmtKind::ExecuteMeter { index, dst, .. } => {
                assert!(matches!(of(index), Type::Bit(_)));
                assert!(place(dst).is_number());
            }
            StmtKind::ReadRegister { register, index, dst } => {
                assert!(matches!(of(index), Type::Bit(_)));
                assert_eq!(place(dst), program.registers[*register].ty);
            }
            StmtKind::WriteRegister { register, index, value } => {
                assert!(matches!(of(index), Type::Bit(_)));
                assert_eq!(of(value), program.registers[*register].ty);
            }
            StmtKind::Hash { dst, base, max, .. } => {
                assert!(place(dst).is_number() && of(base).is_number() && of(max).is_number());
            }
            StmtKind::Random { dst, low, high } => {
                assert_eq!((of(low), of(high)), (place(dst), place(dst)));
            }
            StmtKind::CloneIngress { session, .. } | StmtKind::CloneEgress { session, .. } => {
                assert!(of(session).is_number());
            }
            StmtKind::CopyHeader { dst, src } => {
                assert_eq!(
                    program.type_of_header(dst).unwrap(),
                    program.type_of_header(src).unwrap()
                );
            }
            StmtKind::Extract(h) | StmtKind::SetValid(h) | StmtKind::SetInvalid(h) => {
                program.type_of_header(h).unwrap();
            }
            _ => {}
        }
    }
}
