//! Accesses to arrays: which was the last one, and whether another may follow.

use super::change::replaced;
use super::{Array, At, Walk};
use crate::check::Rule;
use crate::check::cx::Spot;
use crate::entity::Meta;
use crate::expr::Expr;
use std::collections::BTreeMap;
use std::rc::Rc;

/// The last access to an array.
#[derive(Clone)]
pub(super) struct Access {
    spot: Rc<Spot>,
    /// The index that was read, as written and with metadata replaced, as long as neither may have another
    /// value by now; a write at the same may follow. Nothing after a write.
    pub read: [Option<Rc<[Expr]>>; 2],
    write: bool,
}

/// What is known at a point of a path.
#[derive(Clone, Default)]
pub(super) struct Seen<'p> {
    /// Accesses that may have been the last; arrays that were not accessed are not there.
    pub last: BTreeMap<Array, Vec<Access>>,
    /// What metadata was set to, as long as that still has the same value.
    pub set: BTreeMap<Meta, &'p Expr>,
}

/// How faults with an array are told.
struct Words {
    twice: Rule,
    elsewhere: Rule,
    done: &'static str,
    accepts: &'static str,
}

impl Array {
    fn words(self) -> Words {
        match self {
            Array::Register(_) | Array::Map(_) => Words {
                twice: Rule::W01,
                elsewhere: Rule::W02,
                done: "accessed",
                accepts: "one access, or a read and then a write at the same index",
            },
            Array::Random(_) => Words {
                twice: Rule::W03,
                elsewhere: Rule::W03,
                done: "run",
                accepts: "one run, or actions that have a `random` each",
            },
        }
    }
}

impl<'p> Walk<'p> {
    /// An access to a register or map at an index. A `random` reads and writes its generator, and what a
    /// program's author can change is where its action is run.
    pub(super) fn access(&mut self, at: At, array: Array, index: &'p [Expr], write: bool) {
        let (name, at) = match array {
            Array::Register(r) => {
                let decl = self.p.registers.get(r);
                (format!("register `{}`", decl.map_or("?", |d| d.preamble.name.as_str())), at)
            }
            Array::Map(m) => {
                let decl = self.p.maps.get(m);
                (format!("map `{}`", decl.map_or("?", |d| d.preamble.name.as_str())), at)
            }
            Array::Random(_) => {
                let name = format!("the `random` of {} at {}", at.subject, at.path);
                (name, self.from.clone().unwrap_or(at))
            }
        };
        let words = array.words();
        let spot = Rc::new(Spot { path: at.path, subject: at.subject, loc: at.loc });
        let (part, owner) =
            self.owners.entry(array).or_insert_with(|| (self.part, spot.clone())).clone();
        if part != self.part
            && self.told.insert((array, owner.path.clone(), format!("{part}{}", spot.path)))
        {
            self.cx.fault_at(
                (*spot).clone(),
                words.elsewhere,
                format!("{name} is {} in {} and in {part}", words.done, self.part),
                "one of them only",
                vec![owner.related(format!("{} in {part} here", words.done))],
            );
        }
        let Some(seen) = &mut self.seen else { return };
        let read: [Rc<[Expr]>; 2] =
            [index.into(), index.iter().map(|e| replaced(e, &seen.set, 0)).collect()];
        let last = seen.last.entry(array).or_default();
        for before in last.iter() {
            let same = before.read.iter().flatten().any(|b| read.contains(b));
            let found = match (before.write, write) {
                _ if matches!(array, Array::Random(_)) => "is run again",
                (false, true) if same => continue,
                (false, true) => "is written at another index than it was read",
                (false, false) => "is read again",
                (true, true) => "is written again",
                (true, false) => "is read after it was written",
            };
            if self.told.insert((array, before.spot.path.clone(), spot.path.clone())) {
                self.cx.fault_at(
                    (*spot).clone(),
                    words.twice,
                    format!("{name} {found} by one packet"),
                    words.accepts,
                    vec![before.spot.related(format!("{} here before", words.done))],
                );
            }
        }
        *last = vec![Access { spot, read: read.map(Some), write }];
    }

    /// Here another path comes in.
    pub(super) fn join(&mut self, other: Option<Seen<'p>>) {
        self.seen = joined(self.seen.take(), other);
    }
}

/// What is known where two paths meet.
pub(super) fn joined<'p>(a: Option<Seen<'p>>, b: Option<Seen<'p>>) -> Option<Seen<'p>> {
    match (a, b) {
        (Some(mut a), Some(b)) => {
            unite(&mut a, b);
            Some(a)
        }
        (a, b) => a.or(b),
    }
}

/// Adds what another path knows; whether that changed anything.
pub(super) fn unite<'p>(all: &mut Seen<'p>, more: Seen<'p>) -> bool {
    let mut new = false;
    for (array, accesses) in more.last {
        let known = all.last.entry(array).or_default();
        for access in accesses {
            match known.iter_mut().find(|k| k.spot.path == access.spot.path) {
                Some(known) => {
                    for (known, other) in known.read.iter_mut().zip(&access.read) {
                        if known.is_some() && known != other {
                            *known = None;
                            new = true;
                        }
                    }
                }
                None => {
                    known.push(access);
                    new = true;
                }
            }
        }
    }
    let before = all.set.len();
    all.set.retain(|meta, src| more.set.get(meta) == Some(src));
    new || all.set.len() != before
}
