//! A card on the bench: a shell with AXI4-Stream in and out and AXI4-Lite registers, and the models of its
//! regions if they are apart.
//!
//! Ports, as `restage_shell` has them: `clk_i`, `rst_ni`, `time_i` (microseconds); `s_axis_*` and `m_axis_*`
//! with `tdata`, `tkeep`, `tvalid`, `tready`, `tlast` and `tuser` (on the first beat: length in bits 15 to 0,
//! source port in 31 to 16, destination port in 47 to 32); `s_axil_*`. The first byte of a packet is in the
//! low bits of `tdata`.
//!
//! All outputs of the shell have to come from registers: they are read as the last edge left them.
//!
//! Not here: what packets mean, and files of them.

mod line;
mod pace;
mod registers;
mod stream;
mod watch;

use crate::error::SimError;
use crate::fabric::{Fabric, PartId};
use crate::fpga::Fpga;
use crate::model::{Model, PortId};
use pace::Pace;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use registers::{Access, Master};
use stream::{Sink, Source};
use watch::Watch;

pub use line::Line;
pub use registers::Device;
pub use watch::{Seen, WatchId};

/// How the bench behaves.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// Percent of the clocks in which nothing is offered though there is something: 0 is full rate.
    pub gaps: u8,
    /// Percent of the clocks in which nothing is taken.
    pub back_pressure: u8,
    /// Of the gaps, the back-pressure and the random bits on wires that mean nothing.
    pub seed: u64,
    /// Clocks for one step of `time_i`.
    pub clocks_per_microsecond: u64,
    /// What `time_i` begins with.
    pub time: u64,
}

impl Default for BenchOptions {
    fn default() -> Self {
        BenchOptions { gaps: 0, back_pressure: 0, seed: 1, clocks_per_microsecond: 250, time: 0 }
    }
}

/// When the first and the last beat of a packet were taken by the card, in clocks. The n-th of these is of
/// the n-th packet that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The clock of the first beat.
    pub first: u64,
    /// The clock of the last beat.
    pub last: u64,
}

/// A packet that left the card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The packet.
    pub bytes: Vec<u8>,
    /// `tuser` of its first beat.
    pub user: u64,
    /// The clock of the first beat.
    pub first: u64,
    /// The clock of the last beat.
    pub last: u64,
}

impl Received {
    /// The length that `tuser` says.
    pub fn length(&self) -> u16 {
        self.user as u16
    }

    /// The port that it entered by.
    pub fn source(&self) -> u16 {
        (self.user >> 16) as u16
    }

    /// The port that it leaves by.
    pub fn destination(&self) -> u16 {
        (self.user >> 32) as u16
    }
}

/// A card, driven clock by clock.
#[derive(Debug)]
pub struct Nic {
    fpga: Fpga,
    shell: PartId,
    reset: PortId,
    time: PortId,
    options: BenchOptions,
    cycle: u64,
    now: Option<u64>,
    rng: SmallRng,
    gaps: Pace,
    back_pressure: Pace,
    source: Source,
    sink: Sink,
    master: Master,
    watches: Vec<Watch>,
    line: Option<Box<dyn Line>>,
    /// When something last came from the line, or went to it.
    moved: u64,
}

impl Nic {
    /// A card whose shell is one of several models, which stay. It is reset before this returns.
    pub fn new(fabric: Fabric, shell: PartId, options: BenchOptions) -> Result<Self, SimError> {
        Self::on(Fpga::fixed(fabric, shell), options)
    }

    /// A card with a part. It is reset before this returns.
    pub fn on(fpga: Fpga, options: BenchOptions) -> Result<Self, SimError> {
        let shell = fpga.shell();
        let library = fpga.fabric().model(shell).library().clone();
        let mut nic = Nic {
            shell,
            reset: library.port("rst_ni")?,
            time: library.port("time_i")?,
            cycle: 0,
            now: None,
            rng: SmallRng::seed_from_u64(options.seed),
            gaps: Pace::new(options.gaps),
            back_pressure: Pace::new(options.back_pressure),
            source: Source::new(&library)?,
            sink: Sink::new(&library)?,
            master: Master::new(&library)?,
            watches: Vec::new(),
            line: None,
            moved: 0,
            options,
            fpga,
        };
        nic.reset()?;
        Ok(nic)
    }

    /// A card that is one model.
    pub fn single(model: Model, options: BenchOptions) -> Result<Self, SimError> {
        let mut fabric = Fabric::new();
        let shell = fabric.add(model)?;
        Self::new(fabric, shell, options)
    }

    /// Holds the reset for a few clocks. What was on its way is lost; what waits to be sent is still sent.
    pub fn reset(&mut self) -> Result<(), SimError> {
        let library = self.shell().library().clone();
        let waiting = std::mem::replace(&mut self.source, Source::new(&library)?);
        self.source.restart(waiting);
        self.sink = Sink::new(&library)?;
        self.master.clear(self.fpga.fabric_mut().model_mut(self.shell));
        self.set_resets(0)?;
        for _ in 0..RESET {
            self.source.drive(self.fpga.fabric_mut().model_mut(self.shell), true, &mut self.rng);
            self.edge()?;
        }
        self.set_resets(1)
    }

    /// All parts are reset together.
    fn set_resets(&mut self, level: u64) -> Result<(), SimError> {
        for part in self.fpga.fabric().parts() {
            let model = self.fpga.fabric_mut().model_mut(part);
            if part == self.shell {
                model.set_u64(self.reset, level);
            } else if let Ok(port) = model.port("rst_ni") {
                model.set_u64(port, level);
            }
        }
        Ok(())
    }

    /// Has a packet sent behind all others that wait.
    pub fn send(&mut self, port: u16, bytes: Vec<u8>) {
        let user = bytes.len() as u64 & 0xffff | u64::from(port) << 16;
        self.send_with_user(bytes, user);
    }

    /// Has a packet sent with any `tuser`.
    pub fn send_with_user(&mut self, bytes: Vec<u8>, user: u64) {
        self.source.push(bytes, user);
    }

    /// Connects the streams to something that packets come from and go to from now on, whatever else the card does meanwhile.
    pub fn attach(&mut self, line: Box<dyn Line>) {
        self.line = Some(line);
    }

    /// Lets the other end of the streams give and take. Every few clocks that happens by itself.
    pub fn exchange(&mut self) -> Result<(), SimError> {
        let Some(line) = &mut self.line else { return Ok(()) };
        line.clock(self.cycle);
        let left = std::mem::take(&mut self.sink.received);
        let moved = !left.is_empty() || self.source.waiting() > 0;
        let new = line.exchange(left, self.source.waiting()).map_err(SimError::Line)?;
        if moved || !new.is_empty() {
            self.moved = self.cycle;
        }
        for (port, bytes) in new {
            self.send(port, bytes);
        }
        Ok(())
    }

    /// Clocks since a packet last came from what is attached, or went there.
    pub fn quiet(&self) -> u64 {
        self.cycle - self.moved
    }

    /// Makes one clock.
    pub fn step(&mut self) -> Result<(), SimError> {
        if self.line.is_some() && self.cycle.is_multiple_of(line::EVERY) {
            self.exchange()?;
        }
        let (idle, wait) = (self.gaps.idle(&mut self.rng), self.back_pressure.idle(&mut self.rng));
        let model = self.fpga.fabric_mut().model_mut(self.shell);
        for watch in &mut self.watches {
            watch.look(model, self.cycle);
        }
        self.source.drive(model, idle, &mut self.rng);
        self.master.drive(model);
        self.sink.take(model, wait, self.cycle)?;
        self.source.taken(model, self.cycle);
        let moved = self.master.taken(model, self.cycle);
        self.edge()?;
        moved.withdraw(self.fpga.fabric_mut().model_mut(self.shell));
        Ok(())
    }

    fn edge(&mut self) -> Result<(), SimError> {
        let time = self.time();
        if self.now != Some(time) {
            self.fpga.fabric_mut().model_mut(self.shell).set_u64(self.time, time);
            self.now = Some(time);
        }
        self.fpga.tick()?;
        self.cycle += 1;
        if self.cycle.is_multiple_of(1024) { self.fpga.fabric().check() } else { Ok(()) }
    }

    /// Makes so many clocks.
    pub fn run(&mut self, clocks: u64) -> Result<(), SimError> {
        (0..clocks).try_for_each(|_| self.step())?;
        self.fpga.fabric().check()
    }

    /// As [`run`](Self::run), without the clocks in which nothing is inside and nothing comes: `time_i` goes on, but no model
    /// is evaluated. What counts clocks by itself inside the card is behind then; packets cannot see it.
    pub fn pass(&mut self, clocks: u64) -> Result<(), SimError> {
        let end = self.cycle + clocks;
        while self.cycle < end {
            let next = self.line.as_ref().and_then(|line| line.next()).unwrap_or(self.cycle);
            if self.quiet() > EMPTY && self.source.waiting() == 0 && next > self.cycle + line::EVERY
            {
                // The line is asked at clocks that it knows.
                let skipped = (next.min(end) - self.cycle) / line::EVERY * line::EVERY;
                self.cycle += skipped;
                self.moved += skipped;
                if skipped > 0 {
                    continue;
                }
            }
            self.step()?;
        }
        self.fpga.fabric().check()
    }

    /// Runs until everything has been sent and nothing has come out for `quiet` clocks. It is an error if
    /// that takes more than `limit` clocks.
    pub fn drain(&mut self, quiet: u64, limit: u64) -> Result<(), SimError> {
        let (start, mut busy) = (self.cycle, self.cycle);
        while self.cycle - busy < quiet {
            self.step()?;
            if self.source.waiting() > 0
                || self.sink.partial()
                || self.sink.active + 1 == self.cycle
            {
                busy = self.cycle;
            }
            if self.cycle - start > limit {
                return Err(SimError::Busy {
                    clocks: limit,
                    waiting: self.source.waiting(),
                    partial: self.sink.partial(),
                });
            }
        }
        self.fpga.fabric().check()
    }

    /// The packets that have come out since this was last asked.
    pub fn received(&mut self) -> Vec<Received> {
        std::mem::take(&mut self.sink.received)
    }

    /// When the packets were taken that have been taken since this was last asked.
    pub fn sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.source.sent)
    }

    /// Packets that have not been taken as a whole.
    pub fn waiting(&self) -> usize {
        self.source.waiting()
    }

    /// Clocks so far.
    pub fn cycle(&self) -> u64 {
        self.cycle
    }

    /// What `time_i` is.
    pub fn time(&self) -> u64 {
        self.options.time.wrapping_add(self.cycle / self.options.clocks_per_microsecond.max(1))
    }

    /// Changes the percentages of gaps and of back-pressure from now on.
    pub fn set_pace(&mut self, gaps: u8, back_pressure: u8) {
        (self.gaps, self.back_pressure) = (Pace::new(gaps), Pace::new(back_pressure));
    }

    /// Lets `time_i` jump to a later time, or an earlier one.
    pub fn set_time(&mut self, time: u64) {
        self.options.time =
            time.wrapping_sub(self.cycle / self.options.clocks_per_microsecond.max(1));
    }

    /// Writes outputs of the shell down in every clock in which `when` is not 0.
    pub fn watch(&mut self, when: &str, ports: &[&str]) -> Result<WatchId, SimError> {
        let watch = Watch::new(self.shell().library(), when, ports)?;
        self.watches.push(watch);
        Ok(WatchId(self.watches.len() - 1))
    }

    /// What has been seen since this was last asked.
    pub fn seen(&mut self, watch: WatchId) -> Vec<Seen> {
        self.watches.get_mut(watch.0).map(|w| std::mem::take(&mut w.log)).unwrap_or_default()
    }

    /// The shell's model.
    pub fn shell(&self) -> &Model {
        self.fpga.fabric().model(self.shell)
    }

    /// All models.
    pub fn fabric(&mut self) -> &mut Fabric {
        self.fpga.fabric_mut()
    }

    /// The part.
    pub fn fpga(&mut self) -> &mut Fpga {
        &mut self.fpga
    }

    /// Steps until all register accesses are answered.
    fn settle(&mut self) -> Result<Option<u32>, SimError> {
        while !self.master.done() {
            self.step()?;
        }
        self.master.answer()
    }
}

/// Clocks after which nothing is inside a card that nothing came to, and nothing left.
const EMPTY: u64 = 4096;
/// Clocks of a reset.
const RESET: usize = 8;

/// Registers are read and written while packets flow: every access takes clocks.
impl Device for Nic {
    type Error = SimError;

    fn read(&mut self, address: u32) -> Result<u32, SimError> {
        self.master.push(Access::Read { address }, self.cycle);
        self.settle()?.ok_or(SimError::Bus { address, response: "no answer" })
    }

    fn write_all(&mut self, writes: &[(u32, u32)]) -> Result<(), SimError> {
        for (address, value) in writes {
            self.master.push(Access::Write { address: *address, value: *value }, self.cycle);
        }
        self.settle().map(|_| ())
    }
}
