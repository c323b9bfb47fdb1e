//! How much a packet can grow in the loop.

use super::metas::walk;
use restage_manifest::ShellConfig;
use restage_program::expr::HeaderRef;
use restage_program::program::{Elements, Emit, Program};
use restage_program::stmt::{Stmt, StmtKind};

/// Beats by which a packet can grow on its way through the loop port, all passes together: what a host writes to the
/// shell's `LOOP_GROWTH`. An upper bound: every statement that makes a header valid runs in every pass.
pub fn loop_growth(program: &Program, config: &ShellConfig) -> u32 {
    let bytes = |header: &HeaderRef| {
        program.header_type(header).map_or(0, |ty| u64::from(ty.max_width() / 8))
    };
    let instance = HeaderRef::Header;
    let mut pass: u64 = 0;
    let mut stmt = |kind: &StmtKind| match kind {
        StmtKind::SetValid(header) | StmtKind::CopyHeader { dst: header, .. } => {
            pass += bytes(header);
        }
        StmtKind::CopyStack { dst, .. } => {
            pass += match program.stacks.get(*dst).map(|stack| &stack.elements) {
                Some(Elements::Headers(all)) => all.iter().map(|h| bytes(&instance(*h))).sum(),
                Some(Elements::Unions(all)) => {
                    let unions = all.iter().filter_map(|u| program.unions.get(*u));
                    unions.flat_map(|u| &u.members).map(|h| bytes(&instance(*h))).sum()
                }
                None => 0,
            };
        }
        _ => {}
    };
    let blocks: [&[Stmt]; 2] = [&program.ingress, &program.egress];
    let bodies = program.states.values().map(|s| s.body.as_slice());
    let actions = program.actions.values().map(|a| a.body.as_slice());
    for block in blocks.into_iter().chain(bodies).chain(actions) {
        walk(block, &mut stmt);
    }
    // What the deparser writes twice.
    for (at, emit) in program.deparser.iter().enumerate() {
        if program.deparser[..at].contains(emit)
            && let Emit::Header(header) = emit
        {
            pass += bytes(&instance(*header));
        }
    }
    if pass == 0 {
        return 0;
    }
    let all = pass * u64::from(config.max_passes.saturating_sub(1));
    let beats = all.div_ceil(config.data_bytes.into()) + 1;
    beats.min(u64::from(config.payload_beats / 16)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_adds_no_header_does_not_grow() {
        let config = ShellConfig::default();
        let growth = |name| {
            let program = restage_library::get(name).unwrap().program();
            loop_growth(&program, &config)
        };
        assert_eq!(growth("recirculate_demo"), 0);
        assert!(growth("int_md") > 0);
        assert!(growth("int_md") <= config.payload_beats / 16);
    }
}
