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

use restage_manifest::route::Way;

/// A place that both ways share, and what it asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Term {
    /// The unit; the traffic point, or what is behind the deparsers.
    pub place: u32,
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

/// A region serves egress first and ingress then: new packets could come there while old ones still wait in the
/// traffic point's queue, for a time that nobody knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "unit {unit} serves egress now and ingress then; it can only do so when no packet of now is left inside, \
     or another region must serve ingress"
)]
pub struct Crossed {
    /// The region.
    pub unit: u32,
}

/// What must be free between packets of one way and packets, behind them, of another.
pub fn bubbles(first: &Way, then: &Way) -> Result<Bubbles, Crossed> {
    for stop in &then.ingress {
        if first.egress.iter().any(|s| s.unit == stop.unit) {
            return Err(Crossed { unit: stop.unit });
        }
    }
    let ingress_terms = shared(&first.to_point(), &then.to_point());
    let egress_terms = shared(&first.to_join(), &then.to_join());
    let most =
        |terms: &[Term]| terms.iter().map(|t| t.first.saturating_sub(t.then)).max().unwrap_or(0);
    let (ingress, egress) = (most(&ingress_terms), most(&egress_terms));
    Ok(Bubbles { ingress, egress, ingress_terms, egress_terms })
}

fn shared(first: &[(u32, u32)], then: &[(u32, u32)]) -> Vec<Term> {
    let mut terms = Vec::new();
    for (place, clocks) in first {
        if let Some((_, other)) = then.iter().find(|(p, _)| p == place) {
            terms.push(Term { place: *place, first: *clocks, then: *other });
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
        let none = bubbles(&old, &new).unwrap();
        assert_eq!((none.ingress, none.egress), (0, 0));
        assert_eq!(
            none.ingress_terms,
            [Term { place: 1, first: 0, then: 0 }, Term { place: POINT, first: 28, then: 28 }]
        );
    }

    #[test]
    fn a_shorter_way_waits_for_the_longer_one_wherever_they_meet() {
        let old = way(&[(3, 16), (4, 8)], &[(7, 24)]);
        let new = way(&[(4, 8), (3, 16)], &[]);
        let found = bubbles(&old, &new).unwrap();
        // At 4 old packets come 18 clocks later; 3 is behind 4 then.
        assert_eq!((found.ingress, found.egress), (18, 26));
        let back = bubbles(&new, &old).unwrap();
        assert_eq!((back.ingress, back.egress), (10, 0));
    }

    #[test]
    fn a_region_does_not_go_from_egress_to_ingress() {
        let (old, new) = (way(&[(3, 8)], &[(4, 8)]), way(&[(4, 8)], &[(3, 8)]));
        assert_eq!(bubbles(&old, &new), Err(Crossed { unit: 4 }));
        assert_eq!(bubbles(&way(&[(4, 8)], &[]), &way(&[], &[(4, 8)])).map(|b| b.ingress), Ok(10));
    }
}
