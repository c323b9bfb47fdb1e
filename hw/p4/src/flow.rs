//! From a graph of steps to statements inside statements.
//!
//! Before: steps that name the steps that follow them, as tables and conditions do in a BMv2 pipeline
//! and jumps in an action; no step follows itself. After: one block. What follows a branch whatever was
//! taken is its post-dominator, and stands behind it; what comes before that stands in its arms.
//!
//! A step that two arms share without being behind the branch is not copied: then the steps of the
//! whole branch stand one after the other, each under a flag that the steps leading to it set. So the
//! size of the result is linear in the size of the graph, and its depth is limited.

use restage_program::entity::Meta;
use restage_program::expr::{Expr, Place};
use restage_program::stmt::{Block, Stmt, StmtKind};

/// Branches inside branches before flags are used.
const MAX_DEPTH: usize = 48;

/// Most steps. The work is quadratic in the worst case.
pub(crate) const MAX_STEPS: usize = 10_000;

/// The graph; steps are numbered from 0, and the number of steps stands for the end.
pub(crate) struct Graph {
    /// Of each step, what can follow it; without repetitions, at least one.
    pub next: Vec<Vec<usize>>,
    pub start: usize,
}

/// What the graph's owner does.
pub(crate) trait Emit {
    /// Why something cannot be done.
    type Error;
    /// The statements of a step. `arms` has what follows for some of the steps that can follow; for the
    /// others nothing comes before what follows the branch.
    fn step(&mut self, step: usize, arms: Vec<(usize, Block)>) -> Result<Block, Self::Error>;
    /// A new `bool` for a step.
    fn flag(&mut self, step: usize) -> Meta;
}

/// Why a graph has no structure: the steps follow each other in a circle.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Circle(pub usize);

/// A graph that has been looked at.
pub(crate) struct Flow {
    graph: Graph,
    /// Position of each step in an order in which it comes before all that follow it.
    rank: Vec<usize>,
    /// What follows whatever is taken.
    join: Vec<usize>,
}

impl Flow {
    /// Orders the steps and finds where branches join.
    pub fn new(graph: Graph) -> Result<Self, Circle> {
        let end = graph.next.len();
        let order = order(&graph)?;
        let mut rank = vec![usize::MAX; end + 1];
        for (i, step) in order.iter().enumerate() {
            rank[*step] = i;
        }
        rank[end] = order.len();
        // Of two steps the one of lower rank comes first, so climbing from it ends at what both lead to.
        let mut join = vec![end; end + 1];
        for step in order.iter().rev() {
            let mut common = None;
            for next in &graph.next[*step] {
                common = Some(match common {
                    None => *next,
                    Some(other) => nearest(&rank, &join, other, *next),
                });
            }
            join[*step] = common.unwrap_or(end);
        }
        Ok(Flow { graph, rank, join })
    }

    /// The whole graph as one block.
    pub fn block<E: Emit>(&self, emit: &mut E) -> Result<Block, E::Error> {
        self.between(self.graph.start, self.graph.next.len(), 0, emit)
    }

    /// The steps from one on, up to but not including another that always follows.
    fn between<E: Emit>(
        &self,
        from: usize,
        to: usize,
        depth: usize,
        emit: &mut E,
    ) -> Result<Block, E::Error> {
        let mut block = Block::new();
        let mut at = from;
        while at != to {
            let join = self.join[at];
            if depth >= MAX_DEPTH && self.graph.next[at].len() > 1 || self.shares(at, join) {
                block.extend(self.flat(at, join, emit)?);
            } else {
                let mut arms = Vec::new();
                for next in self.graph.next[at].iter().filter(|n| **n != join) {
                    arms.push((*next, self.between(*next, join, depth + 1, emit)?));
                }
                block.extend(emit.step(at, arms)?);
            }
            at = join;
        }
        Ok(block)
    }

    /// The steps between a branch and its join, in order, and whether two arms share one.
    fn region(&self, branch: usize, join: usize) -> (Vec<usize>, bool) {
        let mut seen = vec![usize::MAX; self.graph.next.len()];
        let mut region = Vec::new();
        let mut shared = false;
        for arm in &self.graph.next[branch] {
            let mut todo = vec![*arm];
            while let Some(step) = todo.pop() {
                if step == join || seen.get(step).is_none_or(|s| s == arm) {
                    continue;
                }
                if seen[step] != usize::MAX {
                    shared = true;
                    continue;
                }
                seen[step] = *arm;
                region.push(step);
                todo.extend(&self.graph.next[step]);
            }
        }
        region.sort_by_key(|s| self.rank[*s]);
        (region, shared)
    }

    fn shares(&self, branch: usize, join: usize) -> bool {
        self.graph.next[branch].len() > 1 && self.region(branch, join).1
    }

    fn flat<E: Emit>(&self, branch: usize, join: usize, emit: &mut E) -> Result<Block, E::Error> {
        let (region, _) = self.region(branch, join);
        let mut flags = vec![None; self.graph.next.len()];
        for step in &region {
            flags[*step] = Some(emit.flag(*step));
        }
        let set = |step: usize| -> Option<Stmt> {
            let dst = Place::Meta((*flags.get(step)?)?);
            Some(StmtKind::Assign { dst, src: Expr::bool(true) }.into())
        };
        let mut block = Block::new();
        for step in std::iter::once(branch).chain(region.iter().copied()) {
            let next = &self.graph.next[step];
            let mut body = if next.len() > 1 {
                let arms = next.iter().filter_map(|n| Some((*n, vec![set(*n)?]))).collect();
                emit.step(step, arms)?
            } else {
                emit.step(step, Vec::new())?
            };
            if let [only] = next.as_slice() {
                body.extend(set(*only));
            }
            match flags[step] {
                Some(flag) => block.push(
                    StmtKind::If {
                        condition: Expr::meta(flag),
                        then: body,
                        otherwise: Block::new(),
                    }
                    .into(),
                ),
                None => block.extend(body),
            }
        }
        Ok(block)
    }
}

fn nearest(rank: &[usize], join: &[usize], mut a: usize, mut b: usize) -> usize {
    while a != b {
        if rank[a] < rank[b] {
            a = join[a];
        } else {
            b = join[b];
        }
    }
    a
}

/// The steps that can be reached from the start, each before all that follow it.
fn order(graph: &Graph) -> Result<Vec<usize>, Circle> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let end = graph.next.len();
    let mut marks = vec![Mark::New; end];
    let mut order = Vec::new();
    let mut path = Vec::new();
    if graph.start < end {
        marks[graph.start] = Mark::Open;
        path.push((graph.start, 0));
    }
    while let Some((step, arm)) = path.last_mut() {
        let Some(next) = graph.next[*step].get(*arm).copied() else {
            marks[*step] = Mark::Done;
            order.push(*step);
            path.pop();
            continue;
        };
        *arm += 1;
        if next == end {
            continue;
        }
        match marks[next] {
            Mark::New => {
                marks[next] = Mark::Open;
                path.push((next, 0));
            }
            Mark::Open => return Err(Circle(next)),
            Mark::Done => {}
        }
    }
    order.reverse();
    Ok(order)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use rand::rngs::SmallRng;
    use rand::{Rng, SeedableRng};
    use std::collections::HashSet;

    /// Steps leave a mark; a branch asks a parameter of its own number. Flags are metadata too.
    struct Marks {
        steps: usize,
        next: Vec<Vec<usize>>,
        emitted: usize,
    }

    impl Emit for Marks {
        type Error = ();
        fn step(&mut self, step: usize, arms: Vec<(usize, Block)>) -> Result<Block, ()> {
            self.emitted += 1;
            let dst = Place::Meta(Meta(step as u32));
            let mut block = vec![StmtKind::Assign { dst, src: Expr::bool(true) }.into()];
            let (mut then, mut otherwise) = (Block::new(), Block::new());
            for (to, arm) in arms {
                if to == self.next[step][0] { then = arm } else { otherwise = arm }
            }
            let condition = Expr::Param(step as u32);
            block.push(StmtKind::If { condition, then, otherwise }.into());
            Ok(block)
        }
        fn flag(&mut self, step: usize) -> Meta {
            Meta((self.steps + step) as u32)
        }
    }

    fn run(block: &Block, answers: &[bool], set: &mut HashSet<u32>, trace: &mut Vec<u32>) {
        for stmt in block {
            match &stmt.kind {
                StmtKind::Assign { dst: Place::Meta(meta), .. } => {
                    set.insert(meta.0);
                    trace.push(meta.0);
                }
                StmtKind::If { condition, then, otherwise } => {
                    let holds = match condition {
                        Expr::Param(n) => answers[*n as usize],
                        Expr::Read(Place::Meta(meta)) => set.contains(&meta.0),
                        other => panic!("{other:?}"),
                    };
                    run(if holds { then } else { otherwise }, answers, set, trace);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn depth(block: &Block) -> usize {
        let inner = block.iter().map(|s| match &s.kind {
            StmtKind::If { then, otherwise, .. } => 1 + depth(then).max(depth(otherwise)),
            _ => 0,
        });
        inner.max().unwrap_or(0)
    }

    fn structured(next: Vec<Vec<usize>>) -> (Block, usize) {
        let mut marks = Marks { steps: next.len(), next: next.clone(), emitted: 0 };
        let block = Flow::new(Graph { next, start: 0 }).unwrap().block(&mut marks).unwrap();
        (block, marks.emitted)
    }

    #[test]
    fn random_graphs_run_as_their_blocks_do() {
        let mut flat = 0;
        for seed in 0..400 {
            let mut rng = SmallRng::seed_from_u64(seed);
            let n = rng.random_range(1..14);
            let next: Vec<Vec<usize>> = (0..n)
                .map(|i| {
                    let a = rng.random_range(i + 1..=n);
                    let b = rng.random_range(i + 1..=n);
                    if a == b || rng.random_bool(0.3) { vec![a] } else { vec![a, b] }
                })
                .collect();
            let (block, emitted) = structured(next.clone());
            assert!(emitted <= n, "seed {seed}: {emitted} steps out of {n}");
            let mut used_flags = false;
            for _ in 0..40 {
                let answers: Vec<bool> = (0..n).map(|_| rng.random()).collect();
                let mut want = Vec::new();
                let mut at = 0;
                while at < n {
                    want.push(at as u32);
                    at = if next[at].len() == 1 || answers[at] { next[at][0] } else { next[at][1] };
                }
                let mut trace = Vec::new();
                run(&block, &answers, &mut HashSet::new(), &mut trace);
                used_flags |= trace.iter().any(|m| *m >= n as u32);
                trace.retain(|m| *m < n as u32);
                assert_eq!(trace, want, "seed {seed}: {next:?}");
            }
            flat += usize::from(used_flags);
        }
        assert!(flat > 20, "only {flat} graphs needed flags");
    }

    #[test]
    fn long_chains_stay_shallow_and_small() {
        // else if, four thousand times: every condition has a step of its own, all end together.
        let n = 4000;
        let chain: Vec<Vec<usize>> =
            (0..2 * n).map(|i| if i % 2 == 0 { vec![i + 1, i + 2] } else { vec![2 * n] }).collect();
        let (block, emitted) = structured(chain);
        assert_eq!(emitted, 2 * n);
        assert!(depth(&block) <= MAX_DEPTH + 3, "{}", depth(&block));
    }

    #[test]
    fn a_circle_is_found() {
        let graph = Graph { next: vec![vec![1], vec![2, 3], vec![1]], start: 0 };
        assert_eq!(Flow::new(graph).err(), Some(Circle(1)));
    }
}
