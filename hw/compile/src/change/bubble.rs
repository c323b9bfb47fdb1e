//! How many clocks must be free between the last packet of one epoch and the first of another.
//!
//! ```text
//! old: window -> A (8 clocks) -> B (16) -> point      new: window -> A (8) -> C (8) -> point
//! at the point: old packets come after 2 + 8 + 2 + 16 + ... clocks, new ones 8 clocks sooner: bubble 8
//! ```
//!
//! A packet that sets out n + 1 clocks behind another one (n free clocks between them) is behind it wherever
//! both come, if it is nowhere there more than n clocks sooner. So the bubble is the largest difference over all
//! places that both ways share, and no less will do.
//!
//! State that moves is such a place too: what an old packet changed must have come where the new one reads it.
//!
//! ```text
//! old: d(O) + sent + transit + seen - 1      new: d(N) + read
//! ```

use super::adopt::Carried;
use restage_manifest::Sublane;
use restage_manifest::address::shell;
use restage_manifest::route::Way;

/// A place that both ways share, or state that moves from one to the other, and what it asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Term {
    /// The unit; the traffic point, or what is behind the deparsers. Of state the unit that gets it.
    pub place: u32,
    /// The name of the state.
    pub state: Option<String>,
    /// Clocks that packets of the first way take until there.
    pub first: u32,
    /// Clocks that those of the second way take.
    pub then: u32,
}

/// The bubbles of a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bubbles {
    /// At the gate.
    pub ingress: u32,
    /// At the exit of the traffic point.
    pub egress: u32,
    /// What it comes from: ingress.
    pub ingress_terms: Vec<Term>,
    /// Egress.
    pub egress_terms: Vec<Term>,
}

impl Term {
    /// Clocks that it asks for.
    pub fn clocks(&self) -> u32 {
        self.first.saturating_sub(self.then)
    }
}

impl std::fmt::Display for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.state, self.place) {
            (Some(state), place) => write!(f, "{state} to unit {place}: ")?,
            (None, shell::POINT) => write!(f, "traffic point: ")?,
            (None, shell::JOIN) => write!(f, "behind the deparsers: ")?,
            (None, place) => write!(f, "unit {place}: ")?,
        }
        write!(f, "{} - {}", self.first, self.then)
    }
}

impl Bubbles {
    /// The terms that ask for as much as there is, of both halves; none where there need be no bubble.
    pub fn why(&self) -> impl Iterator<Item = &Term> {
        let ingress =
            self.ingress_terms.iter().filter(|t| self.ingress > 0 && t.clocks() == self.ingress);
        let egress =
            self.egress_terms.iter().filter(|t| self.egress > 0 && t.clocks() == self.egress);
        ingress.chain(egress)
    }
}

/// What goes from one half to the other: how long packets wait between them nobody knows.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Crossed {
    /// A region serves egress first and ingress then: new packets could come there while old ones still wait in the
    /// traffic point's queue.
    #[error(
        "unit {unit} serves egress now and ingress then; it can only do so when no packet of now is left inside, \
         or another region must serve ingress"
    )]
    Region {
        /// The region.
        unit: u32,
    },
    /// State likewise.
    #[error(
        "{name} is kept in one half now and in the other then; it must stay in its half, or begin with 0"
    )]
    State {
        /// Its name.
        name: String,
    },
}

/// What must be free between packets of one way and packets, behind them, of another. `carried`: state that moves between
/// them, whichever of the two is the older.
pub fn bubbles(first: &Way, then: &Way, carried: &[Carried]) -> Result<Bubbles, Crossed> {
    for stop in &then.ingress {
        if first.egress.iter().any(|s| s.unit == stop.unit) {
            return Err(Crossed::Region { unit: stop.unit });
        }
    }
    let mut ingress_terms = shared(&first.to_point(), &then.to_point());
    let mut egress_terms = shared(&first.to_join(), &then.to_join());
    for state in carried {
        let there = |way: &Way, unit| way.stops().any(|s| s.unit == unit);
        let forward = there(first, state.from.0) && there(then, state.to.0);
        let (from, to) = if forward { (state.from, state.to) } else { (state.to, state.from) };
        let ends = |first: &[(u32, u32)], then: &[(u32, u32)]| {
            let at = |all: &[(u32, u32)], unit| Some(all.iter().find(|(u, _)| *u == unit)?.1);
            Some((at(first, from.0)?, at(then, to.0)?))
        };
        let in_ingress = ends(&first.to_point(), &then.to_point());
        let in_egress = ends(&first.to_join(), &then.to_join());
        let (terms, (d_first, d_then)) = match (in_ingress, in_egress) {
            (Some(ends), _) => (&mut ingress_terms, ends),
            (None, Some(ends)) => (&mut egress_terms, ends),
            (None, None) => return Err(Crossed::State { name: state.name.clone() }),
        };
        terms.push(Term {
            place: to.0,
            state: Some(state.name.clone()),
            first: d_first + from.1.sent + Sublane::TRANSIT + Sublane::SEEN - 1,
            then: d_then + to.1.read,
        });
    }
    let most = |terms: &[Term]| terms.iter().map(Term::clocks).max().unwrap_or(0);
    let (ingress, egress) = (most(&ingress_terms), most(&egress_terms));
    Ok(Bubbles { ingress, egress, ingress_terms, egress_terms })
}

fn shared(first: &[(u32, u32)], then: &[(u32, u32)]) -> Vec<Term> {
    let mut terms = Vec::new();
    for (place, clocks) in first {
        if let Some((_, other)) = then.iter().find(|(p, _)| p == place) {
            terms.push(Term { place: *place, state: None, first: *clocks, then: *other });
        }
    }
    terms
}

#[cfg(test)]
mod tests {
    use super::*;
    use restage_manifest::address::shell::POINT;
    use restage_manifest::route::Stop;

    fn way(ingress: &[(u32, u32)], egress: &[(u32, u32)]) -> Way {
        let stops = |all: &[(u32, u32)]| {
            all.iter().map(|(unit, latency)| Stop { unit: *unit, latency: *latency }).collect()
        };
        Way {
            parser: Stop { unit: 1, latency: 8 },
            ingress: stops(ingress),
            egress: stops(egress),
            deparser: Stop { unit: 20, latency: 8 },
        }
    }

    #[test]
    fn what_takes_as_long_needs_none() {
        let (old, new) = (way(&[(3, 16)], &[(4, 8)]), way(&[(5, 16)], &[(6, 8)]));
        let none = bubbles(&old, &new, &[]).unwrap();
        assert_eq!((none.ingress, none.egress), (0, 0));
        assert_eq!(
            none.ingress_terms,
            [
                Term { place: 1, state: None, first: 0, then: 0 },
                Term { place: POINT, state: None, first: 28, then: 28 }
            ]
        );
    }

    #[test]
    fn a_shorter_way_waits_for_the_longer_one_wherever_they_meet() {
        let old = way(&[(3, 16), (4, 8)], &[(7, 24)]);
        let new = way(&[(4, 8), (3, 16)], &[]);
        let found = bubbles(&old, &new, &[]).unwrap();
        // At 4 old packets come 18 clocks later; 3 is behind 4 then.
        assert_eq!((found.ingress, found.egress), (18, 26));
        let back = bubbles(&new, &old, &[]).unwrap();
        assert_eq!((back.ingress, back.egress), (10, 0));
    }

    #[test]
    fn a_region_does_not_go_from_egress_to_ingress() {
        let (old, new) = (way(&[(3, 8)], &[(4, 8)]), way(&[(4, 8)], &[(3, 8)]));
        assert_eq!(bubbles(&old, &new, &[]), Err(Crossed::Region { unit: 4 }));
        let back = bubbles(&way(&[(4, 8)], &[]), &way(&[], &[(4, 8)]), &[]);
        assert_eq!(back.map(|b| b.ingress), Ok(10));
    }

    #[test]
    fn what_moves_must_have_come_before_it_is_read() {
        let lane = |sent, read| Sublane { first: 0, words: 2, sent, read };
        let state = |from, to| Carried { name: "seen".into(), from, to, rows: 8 };
        let (old, new) = (way(&[(3, 16)], &[(4, 8)]), way(&[(5, 16)], &[(6, 8)]));
        // 10 clocks from the parser in both; read at 7, sent 5 clocks later, there 3 later: visible to the eighth packet.
        let seen = [state((3, lane(12, 7)), (5, lane(12, 7)))];
        assert_eq!(bubbles(&old, &new, &seen).map(|b| (b.ingress, b.egress)), Ok((7, 0)));
        assert_eq!(bubbles(&new, &old, &seen).map(|b| (b.ingress, b.egress)), Ok((7, 0)));
        let seen = [state((4, lane(6, 1)), (6, lane(9, 4)))];
        assert_eq!(bubbles(&old, &new, &seen).map(|b| (b.ingress, b.egress)), Ok((0, 4)));
        assert_eq!(bubbles(&new, &old, &seen).map(|b| (b.ingress, b.egress)), Ok((0, 10)));
        let crossed = [state((3, lane(12, 7)), (6, lane(12, 7)))];
        let name = "seen".to_string();
        assert_eq!(bubbles(&old, &new, &crossed), Err(Crossed::State { name }));
    }
}
