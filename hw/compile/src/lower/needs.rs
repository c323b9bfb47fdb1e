//! What a program asks of a shell.

use super::Refusal;
use super::metas::{self, Metas};
use crate::flow::{Slot, flow_type};
use restage_manifest::ShellConfig;
use restage_program::entity::{Digest, Meta};
use restage_program::expr::{Expr, Place};
use restage_program::program::{Item, Program};
use restage_program::standard;
use restage_program::stmt::StmtKind;

/// The smallest shell for a program, with the sizes of another.
pub fn shell_for(program: &Program, like: &ShellConfig) -> ShellConfig {
    let metas = Metas::new(program);
    let bits = |meta: Meta| flow_type(program, program.metas[meta].ty).width();
    let kept = program.metas.keys().filter(|m| metas.is_kept(program, *m));
    let digests = metas.digests.iter().map(|d| {
        program.digests[*d]
            .fields
            .iter()
            .map(|(f, _)| flow_type(program, f.ty).width())
            .sum::<u32>()
    });
    let queue = [
        standard::ENQ_TIMESTAMP,
        standard::ENQ_QDEPTH,
        standard::DEQ_TIMEDELTA,
        standard::DEQ_QDEPTH,
        standard::EGRESS_GLOBAL_TIMESTAMP,
    ];
    let asked = asked(program);
    let time = standard::INGRESS_GLOBAL_TIMESTAMP;
    ShellConfig {
        ingress_time: asked.contains(&time) || metas.is_kept(program, time),
        queue_times: queue.iter().any(|m| asked.contains(m) || metas.is_kept(program, *m)),
        payload_sum: metas.payload_sums,
        multicast: metas.multicast,
        ingress_clones: metas.ingress_clones,
        egress_clones: metas.egress_clones,
        resubmit: metas.resubmits,
        recirculate: metas.recirculates,
        keep_bits: kept.map(bits).sum(),
        digest_bits: digests.sum(),
        ..like.clone()
    }
}

/// The slots of the keep area, in their order there.
pub fn kept_slots(program: &Program) -> Vec<Slot> {
    let metas = Metas::new(program);
    let kept = program.metas.keys().filter(|m| metas.is_kept(program, *m));
    kept.map(metas::keep_place).collect()
}

/// The slots of messages, in their order.
pub fn message_slots(program: &Program) -> Vec<Slot> {
    let fields = |d: Digest| (0..program.digests[d].fields.len() as u32).map(move |f| (d, f));
    let digests = Metas::new(program).digests;
    digests.into_iter().flat_map(fields).map(|(d, f)| Slot::Message(d, f)).collect()
}

/// What a program asks and a shell has not.
pub fn missing(program: &Program, config: &ShellConfig) -> Vec<Refusal> {
    let wanted = shell_for(program, config);
    let mut found = Vec::new();
    let mut want = |wanted: u32, has: u32, what: &str, parameter: &str| {
        if wanted > has {
            let subject = format!("program `{}`", program.name);
            let accepts = format!("a shell with `{parameter}` of {wanted} is accepted");
            found.push(Refusal::new(
                subject,
                format!("asks for {what}, this shell has {has}"),
                accepts,
            ));
        }
    };
    for (wanted, has, what, parameter) in [
        (wanted.ingress_time, config.ingress_time, "time stamps", "ingress_time"),
        (wanted.queue_times, config.queue_times, "queue metadata", "queue_times"),
        (wanted.payload_sum, config.payload_sum, "sums of the payload", "payload_sum"),
        (wanted.multicast, config.multicast, "multicast groups", "multicast"),
        (wanted.ingress_clones, config.ingress_clones, "ingress clones", "ingress_clones"),
        (wanted.egress_clones, config.egress_clones, "egress clones", "egress_clones"),
        (wanted.resubmit, config.resubmit, "resubmission", "resubmit"),
        (wanted.recirculate, config.recirculate, "recirculation", "recirculate"),
    ] {
        want(wanted.into(), has.into(), what, parameter);
    }
    let bits = format!("{} bits of kept metadata", wanted.keep_bits);
    want(wanted.keep_bits, config.keep_bits, &bits, "keep_bits");
    let bits = format!("{} bits of messages", wanted.digest_bits);
    want(wanted.digest_bits, config.digest_bits, &bits, "digest_bits");
    let lists = program.field_lists.len();
    if lists > 31 {
        let found_lists = format!("has {lists} field lists");
        let subject = format!("program `{}`", program.name);
        found.push(Refusal::new(subject, found_lists, "31 at most are accepted"));
    }
    if program.digests.len() > 15 {
        let found_digests = format!("has {} digests", program.digests.len());
        let subject = format!("program `{}`", program.name);
        found.push(Refusal::new(subject, found_digests, "15 at most are accepted"));
    }
    found
}

/// Metadata that is read or written anywhere: all that may be asked of it.
fn asked(program: &Program) -> Vec<Meta> {
    let mut found = Vec::new();
    let mut note = |expr: &Expr| {
        if let Expr::Read(place) = expr {
            let mut place = place;
            while let Place::Slice { of, .. } = place {
                place = of;
            }
            if let Place::Meta(meta) = place {
                found.push(*meta);
            }
        }
    };
    let mut expr = |e: &Expr| e.walk(&mut |e| note(e));
    for table in program.tables.values() {
        table.keys.iter().for_each(|k| expr(&k.value));
    }
    for profile in program.profiles.values() {
        if let Some(selector) = &profile.selector {
            items(&selector.items, &mut expr);
        }
    }
    for checksum in program.verify.iter().chain(&program.update) {
        expr(&checksum.condition);
        items(&checksum.items, &mut expr);
        expr(&Expr::Read(checksum.field.clone()));
    }
    for digest in program.digests.values() {
        digest.fields.iter().for_each(|(_, e)| expr(e));
    }
    for state in program.states.values() {
        if let restage_program::program::Transition::Select { keys, .. } = &state.next {
            keys.iter().for_each(&mut expr);
        }
    }
    let bodies = program
        .states
        .values()
        .map(|s| &s.body)
        .chain(program.actions.values().map(|a| &a.body))
        .chain([&program.ingress, &program.egress]);
    metas::walk(bodies.flatten(), &mut |stmt| statement(stmt, &mut expr));
    found
}

/// The expressions of a list.
fn items(items: &[Item], expr: &mut dyn FnMut(&Expr)) {
    for item in items {
        match item {
            Item::Value(value) => expr(value),
            Item::IfValid { header, .. } | Item::Header(header) => header.walk(&mut |e| expr(e)),
        }
    }
}

/// The expressions of a statement, those of its blocks left out.
fn statement(stmt: &StmtKind, expr: &mut dyn FnMut(&Expr)) {
    for place in metas::destinations(stmt) {
        expr(&Expr::Read(place.clone()));
    }
    match stmt {
        StmtKind::Assign { src, .. } => expr(src),
        StmtKind::ExtractVar { bits: e, .. }
        | StmtKind::Advance(e)
        | StmtKind::Verify { condition: e, .. }
        | StmtKind::If { condition: e, .. }
        | StmtKind::Count { index: e, .. }
        | StmtKind::ExecuteMeter { index: e, .. }
        | StmtKind::ReadRegister { index: e, .. }
        | StmtKind::CloneIngress { session: e, .. }
        | StmtKind::CloneEgress { session: e, .. }
        | StmtKind::Truncate { bytes: e } => expr(e),
        StmtKind::Call { args, .. } => args.iter().for_each(expr),
        StmtKind::WriteRegister { index, value, .. } => {
            expr(index);
            expr(value);
        }
        StmtKind::MapLookup { key, .. } | StmtKind::MapRemove { key, .. } => {
            key.iter().for_each(expr);
        }
        StmtKind::MapPut { key, values, .. } => key.iter().chain(values).for_each(expr),
        StmtKind::Hash { base, max, items: list, .. } => {
            expr(base);
            expr(max);
            items(list, expr);
        }
        StmtKind::Random { low, high, .. } => {
            expr(low);
            expr(high);
        }
        StmtKind::CopyHeader { .. }
        | StmtKind::CopyStack { .. }
        | StmtKind::SetValid(_)
        | StmtKind::SetInvalid(_)
        | StmtKind::PushFront { .. }
        | StmtKind::PopFront { .. }
        | StmtKind::Extract(_)
        | StmtKind::Apply { .. }
        | StmtKind::Exit
        | StmtKind::MarkToDrop
        | StmtKind::Digest(_)
        | StmtKind::Resubmit { .. }
        | StmtKind::Recirculate { .. } => {}
    }
}
