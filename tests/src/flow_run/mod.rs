//! Runs lowered programs: flows evaluated value by value, accesses looked up in plain lists, and a traffic point
//! as ARCHITECTURE.md has it. It shows that lowering keeps what a program means, without any circuit.
//!
//! Whatever a flow must not rely on is filled with garbage: slots that nobody has written, parameters of
//! actions that do not run, the window at positions that were not announced.

mod access;
mod eval;
mod pass;
mod phv;

use crate::random::compare::{self as random, Case, Difference, Kind, Packet};
use crate::slow::{self, Slow};
use restage_compile::flow::{AccessKind, Flow};
use restage_compile::layout::{self, Layout, Parts};
use restage_compile::lower::{DeparserPlan, Lowered, Refusal, lower, shell_for};
use restage_compile::place::{Cost, Estimate, Placement, Stage, place};
use restage_compile::share::{Sharing, share};
use restage_golden::{Golden, Input, Output};
use restage_manifest::ShellConfig;
use restage_program::Program;
use restage_program::check::Checked;
use std::rc::Rc;

/// A program as flows that are run one after the other, with its state.
#[derive(Clone, Debug)]
pub struct FlowRun {
    flows: Rc<Flows>,
    config: ShellConfig,
    /// Holds the program and its state.
    slow: Slow,
    garbage: u64,
}

/// What is run.
#[derive(Clone, Debug)]
pub struct Flows {
    /// The parser.
    pub parser: Flow,
    /// The stages of ingress.
    pub ingress: Vec<Flow>,
    /// The stages of egress.
    pub egress: Vec<Flow>,
    /// Checksums updated in front of the deparser.
    pub update: Option<Flow>,
    /// What is sent.
    pub deparser: DeparserPlan,
    /// Where everything lies.
    pub layout: Layout,
    /// Which slots lie in shared ones.
    pub sharing: Sharing,
}

impl Flows {
    /// One stage for each half.
    pub fn of(
        program: &Program,
        (lowered, sharing): (Lowered, Sharing),
        config: &ShellConfig,
    ) -> Result<Self, Refusal> {
        let Lowered { parser, ingress, egress, update, deparser } = lowered;
        let (ingress, egress) = (vec![ingress], vec![egress]);
        let layout = Layout::default();
        let mut flows = Flows { parser, ingress, egress, update, deparser, layout, sharing };
        flows.layout = layout::layout(program, config, &flows.parts(), None)?;
        Ok(flows)
    }

    /// The flows without their layout.
    pub fn parts(&self) -> Parts<'_> {
        Parts {
            parser: &self.parser,
            ingress: &self.ingress,
            egress: &self.egress,
            update: self.update.as_ref(),
            deparser: &self.deparser,
            sharing: &self.sharing,
        }
    }

    /// All flows, in the order in which a packet meets them.
    pub fn all(&self) -> impl Iterator<Item = &Flow> {
        [&self.parser].into_iter().chain(&self.ingress).chain(&self.egress).chain(&self.update)
    }
}

impl FlowRun {
    /// Lowers a program for the smallest shell with these sizes.
    pub fn new(program: &Checked, like: &ShellConfig) -> Result<Self, Vec<Refusal>> {
        let config = shell_for(program, like);
        let lowered = lower(program, &config)?;
        let lowered = (lowered, Sharing::default());
        let flows = Flows::of(program, lowered, &config).map_err(|refusal| vec![refusal])?;
        Ok(Self::with(program, flows, config))
    }

    /// As [`new`](Self::new), with headers that exclude each other in the same bits.
    pub fn shared(program: &Checked, like: &ShellConfig) -> Result<Self, Vec<Refusal>> {
        let config = shell_for(program, like);
        let lowered = share(program, &lower(program, &config)?);
        let flows = Flows::of(program, lowered, &config).map_err(|refusal| vec![refusal])?;
        Ok(Self::with(program, flows, config))
    }

    /// Flows that are there already.
    pub fn with(program: &Checked, flows: Flows, config: ShellConfig) -> Self {
        FlowRun { flows: Rc::new(flows), config, slow: Slow::new(program), garbage: 1 }
    }

    /// The flows.
    pub fn flows(&self) -> &Flows {
        &self.flows
    }

    /// One step of a control plane.
    pub fn write(&mut self, write: &restage_program::entry::Write) -> Result<(), slow::Refused> {
        self.slow.write(write)
    }

    /// The state that packets have left.
    pub fn slow(&self) -> &Slow {
        &self.slow
    }
}

/// Runs a case on the golden model and on the lowered program.
pub fn compare(case: &Case, mut run: FlowRun) -> Result<u64, Difference> {
    let fail = |kind, text: String| Err(Difference { kind, text });
    let mut golden = match Golden::new(&case.program) {
        Ok(golden) => golden,
        Err(error) => return fail(Kind::Load, error.to_string()),
    };
    for write in &case.writes {
        let _ = (golden.write(write), run.write(write));
    }
    let mut out = Output::new();
    let mut sent = 0;
    for (i, packet) in case.packets.iter().enumerate() {
        let Packet { port, bytes, time_us, .. } = packet;
        let queue = packet.queue();
        golden.process(&Input { port: *port, bytes, time_us: *time_us, queue }, &mut out);
        let got = run.process(*port, bytes, *time_us, random::slow_queue(queue));
        let want = slow::Outcome {
            sent: out.packets().map(|(port, bytes)| (port, bytes.to_vec())).collect(),
            digests: out.digests().collect(),
            looped_too_often: out.drops.max_passes,
        };
        if got != want {
            let what = random::explain(&want, &got).replace("slow  ", "flows ");
            let hex = random::hex(bytes);
            let text = format!("packet {i}, {} bytes on port {port}: {hex}\n{what}", bytes.len());
            return fail(Kind::Packet, text);
        }
        sent += want.sent.len() as u64;
    }
    match random::state(case, &golden, run.slow()) {
        Some(text) => fail(Kind::State, text),
        None => Ok(sent),
    }
}

/// Places a program for the smallest shell with these sizes, so that no region has more than one table, and
/// registers only where they must.
pub fn spread(program: &Checked, like: &ShellConfig) -> Result<FlowRun, Vec<Refusal>> {
    let config = shell_for(program, like);
    let lowered = lower(program, &config)?;
    let capacity = Cost { bram18: 1, ..Cost::default() };
    let placement = place(program, &config, &lowered, capacity, &mut Tables, None)?;
    let of = |stages: Vec<Stage>| stages.into_iter().map(|s| s.flow).collect();
    let Placement { parser, ingress, egress, update, deparser, layout, .. } = placement;
    let (ingress, egress) = (of(ingress), of(egress));
    let sharing = Sharing::default();
    let flows = Flows { parser, ingress, egress, update, deparser, layout, sharing };
    Ok(FlowRun::with(program, flows, config))
}

/// Finds that tables cost, and nothing else does.
struct Tables;

impl Estimate for Tables {
    fn stage(&mut self, flow: &Flow) -> Result<Cost, Refusal> {
        let tables = flow.accesses.values().filter(|a| matches!(a.kind, AccessKind::Table(_)));
        Ok(Cost { bram18: tables.count() as u64, ..Cost::default() })
    }
}
