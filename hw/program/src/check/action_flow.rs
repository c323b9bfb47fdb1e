//! The two halves and the actions they run.

use super::Rule;
use super::cx::{Cx, Half};
use super::headers::Holds;
use super::stmt::{Applied, Context};

impl<'p> Cx<'p> {
    /// Checks actions and halves, and that no action does what the half that runs it cannot.
    pub fn halves(&mut self) {
        let p = self.p;
        self.each(".actions", p.actions.iter(), |cx, _, (action, decl)| {
            cx.object("action", &decl.preamble, |cx| {
                cx.field_types(".params", &decl.params, Holds::Values);
                cx.at(".body", |cx| cx.block(&decl.body, Context::Action(action, decl)));
            });
        });
        for (half, block) in [(Half::Ingress, &p.ingress), (Half::Egress, &p.egress)] {
            self.applied = Some(Applied::new());
            self.about(half.name(), |cx| {
                cx.at(format_args!(".{}", half.name()), |cx| cx.block(block, Context::Half(half)));
            });
        }
        for (action, half, word, spot) in std::mem::take(&mut self.half_only) {
            let other = match half {
                Half::Ingress => Half::Egress,
                Half::Egress => Half::Ingress,
            };
            if let Some(from) = self.action_halves.get(&(action, other)) {
                let related = vec![from.related(format!("run from {} here", other.name()))];
                self.fault_at(
                    spot,
                    Rule::S11,
                    format!("`{word}` in an action that {} runs", other.name()),
                    format!("{} only: an action of its own for {}", half.name(), other.name()),
                    related,
                );
            }
        }
    }
}
