//! Ways as packets find them, after what earlier packets in flight did to them.

use crate::net::Reg;
use crate::pipe::{Pipe, Sig};

/// What an earlier packet is to this one, at the cycle at which its doing is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub bucket: Sig,
    pub key: Sig,
    pub near: Sig,
}

/// What packets have done to the ways; registers behind the operation.
#[derive(Clone, Debug)]
pub(super) struct Doing {
    pub put: Vec<Reg>,
    pub changed: Vec<Reg>,
    pub removed: Vec<Reg>,
    pub values: Option<Reg>,
}

/// A way as a packet finds it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way {
    /// Its key is the packet's.
    pub same: Sig,
    /// Its entry lives.
    pub alive: Sig,
    pub values: Option<Sig>,
}

/// What the packet `count` before is to this one, at a cycle.
pub(super) fn pair(
    p: &mut Pipe,
    count: u32,
    bucket: Sig,
    key: Sig,
    now: Sig,
    since: Sig,
    at: u32,
) -> Pair {
    let earlier = |p: &mut Pipe, a: Sig| {
        let net = p.module().delay(a.net(), count);
        p.sig(net, a.cycle())
    };
    let (their_bucket, their_key, their_time) =
        (earlier(p, bucket), earlier(p, key), earlier(p, now));
    let bucket = p.eq(bucket, their_bucket);
    let key = p.eq(key, their_key);
    let near = p.le(since, their_time);
    let mut held = |a: Sig| {
        let a = p.registered(a);
        p.at(a, at)
    };
    Pair { bucket: held(bucket), key: held(key), near: held(near) }
}

/// A way after what an earlier packet, whose doing is `ago` cycles behind the registers, did to it.
pub(super) fn after(
    p: &mut Pipe,
    doing: &Doing,
    way: usize,
    ago: u32,
    at: u32,
    pair: &Pair,
    old: Way,
) -> Way {
    let done = |p: &mut Pipe, register: Reg| {
        let net = p.module().delay(register.q(), ago);
        p.sig(net, at)
    };
    let (put, changed) = (done(p, doing.put[way]), done(p, doing.changed[way]));
    let removed = done(p, doing.removed[way]);
    let (put, changed) = (p.and(put, pair.bucket), p.and(changed, pair.bucket));
    let stays = p.not(removed);
    let lives = p.and(stays, pair.near);
    let same = p.mux(put, pair.key, old.same);
    let alive = p.mux(changed, lives, old.alive);
    let values = old.values.zip(doing.values).map(|(old, new)| {
        let new = done(p, new);
        p.mux(put, new, old)
    });
    Way { same, alive, values }
}
