//! A loaded library and its models: ports by name, values in and out, one clock.
//!
//! A model begins with registers and memories that hold random bits of a seed, so that what a circuit does
//! not reset cannot look as if it were 0; its inputs begin as 0. Values are set and read as Verilog assigns them: what is too wide
//! loses its high bits, what is too narrow gets zeros.

use crate::error::SimError;
use crate::foreign::{Code, Instance, Step};
use crate::shim;
use restage_program::Bits;
use std::collections::HashMap;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// A port of a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name in Verilog.
    pub name: String,
    /// Bits.
    pub width: u32,
    /// Whether the module drives it.
    pub output: bool,
}

impl Port {
    /// Bytes of the memory that Verilator gives it.
    pub(crate) fn bytes(&self) -> usize {
        match self.width {
            0..=8 => 1,
            9..=16 => 2,
            17..=32 => 4,
            33..=64 => 8,
            wide => wide.div_ceil(32) as usize * 4,
        }
    }

    /// Whether it is the input of one bit of that name.
    pub(crate) fn is_input(&self, name: &str) -> bool {
        self.name == name && !self.output && self.width == 1
    }
}

/// A port of one library, looked up by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortId(pub(crate) usize);

#[derive(Debug)]
struct Inner {
    name: String,
    ports: Vec<Port>,
    by_name: HashMap<String, usize>,
    code: Arc<Code>,
    /// The ports that are shown, if not all of them, and what the hidden one has.
    hidden: Option<(Vec<Port>, PortId, u64)>,
}

/// A module that can be instantiated.
#[derive(Clone, Debug)]
pub struct Library(Arc<Inner>, f64);

impl Library {
    pub(crate) fn open(path: &Path) -> Result<Self, SimError> {
        let code = Code::open(path, shim::VERSION)
            .map_err(|what| SimError::Load { path: path.to_path_buf(), what })?;
        let ports = code.ports();
        let by_name = ports.iter().enumerate().map(|(i, p)| (p.name.clone(), i)).collect();
        let name = code.name();
        let code = Arc::new(code);
        Ok(Library(Arc::new(Inner { name, ports, by_name, code, hidden: None }), 0.0))
    }

    /// The same, built in so many seconds.
    pub(crate) fn built_in(self, seconds: f64) -> Self {
        Library(self.0, seconds)
    }

    /// Seconds of processor time that building it took; 0 if it had been built before.
    pub fn seconds(&self) -> f64 {
        self.1
    }

    /// The same without an input, which has that value in all models.
    pub(crate) fn with_input(self, name: &str, value: u64) -> Result<Self, SimError> {
        let port = self.port(name)?;
        let Inner { name, ports, by_name, code, .. } = &*self.0;
        let shown = ports.iter().enumerate().filter(|(i, _)| *i != port.0);
        let shown = shown.map(|(_, port)| port.clone()).collect();
        let inner = Inner {
            name: name.clone(),
            ports: ports.clone(),
            by_name: by_name.clone(),
            code: Arc::clone(code),
            hidden: Some((shown, port, value)),
        };
        Ok(Library(Arc::new(inner), self.1))
    }

    /// The module's name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its ports, in the order of its declaration by kind of port.
    pub fn ports(&self) -> &[Port] {
        match &self.0.hidden {
            Some((shown, ..)) => shown,
            None => &self.0.ports,
        }
    }

    /// All of them, by [`PortId`].
    pub(crate) fn all_ports(&self) -> &[Port] {
        &self.0.ports
    }

    /// A port by name.
    pub fn port(&self, name: &str) -> Result<PortId, SimError> {
        self.0.by_name.get(name).map(|i| PortId(*i)).ok_or_else(|| SimError::NoPort {
            model: self.0.name.clone(),
            name: name.to_string(),
            known: self.0.ports.iter().map(|p| p.name.clone()).collect(),
        })
    }

    /// A new model. The same seed gives the same contents of what is not reset.
    pub fn instance(&self, seed: u64) -> Result<Model, SimError> {
        // Verilator takes 31 bits, and 0 as a wish for the time of day.
        let mixed = (seed ^ seed >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        let instance = Instance::new(&self.0.code, mixed.max(1) as u32, &self.0.ports);
        let instance = instance.ok_or_else(|| SimError::Stopped {
            model: self.0.name.clone(),
            what: "there is no memory for it".into(),
        })?;
        let mut model = Model { library: self.clone(), instance, stopped: false, tape: None };
        if let Some((_, port, value)) = &self.0.hidden {
            model.set_u64(*port, *value);
        }
        model.check()?;
        Ok(model)
    }
}

/// A module with its registers and memories.
#[derive(Debug)]
pub struct Model {
    library: Library,
    instance: Instance,
    stopped: bool,
    tape: Option<Tape>,
}

/// Values of all ports in every clock, in the order of the library's ports, `clk_i` left out.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    /// What the inputs were before each edge.
    pub given: Vec<Vec<Bits>>,
    /// What the outputs were behind it, with the same inputs.
    pub got: Vec<Vec<Bits>>,
}

impl Model {
    /// What it is an instance of.
    pub fn library(&self) -> &Library {
        &self.library
    }

    pub(crate) fn instance(&self) -> &Instance {
        &self.instance
    }

    pub(crate) fn instance_mut(&mut self) -> &mut Instance {
        &mut self.instance
    }

    /// A port by name.
    pub fn port(&self, name: &str) -> Result<PortId, SimError> {
        self.library.port(name)
    }

    /// The width of a port.
    pub fn width(&self, port: PortId) -> u32 {
        self.library.0.ports.get(port.0).map_or(0, |p| p.width)
    }

    /// Sets an input. What depends on it follows at the next step.
    pub fn set(&mut self, port: PortId, value: &Bits) {
        self.write(port, value.limbs());
    }

    /// Sets an input to a number.
    pub fn set_u64(&mut self, port: PortId, value: u64) {
        self.write(port, &[value]);
    }

    /// Sets an input to 64-bit words, the least significant first.
    pub fn set_limbs(&mut self, port: PortId, limbs: &[u64]) {
        self.write(port, limbs);
    }

    fn write(&mut self, port: PortId, limbs: &[u64]) {
        let width = self.width(port);
        let bytes = self.instance.bytes_mut(port.0);
        let limb = |i: usize| limbs.get(i).copied().unwrap_or(0);
        let cut = |limb: u64, room: u32| if room >= 64 { limb } else { limb & ((1 << room) - 1) };
        match bytes.len() {
            1 | 2 | 4 | 8 => {
                let value = cut(limb(0), width).to_le_bytes();
                bytes.iter_mut().zip(value).for_each(|(to, from)| *to = from);
            }
            _ => {
                let mut pieces = bytes.chunks_exact_mut(8);
                for (i, piece) in pieces.by_ref().enumerate() {
                    let value = cut(limb(i), width - 64 * i as u32);
                    piece.copy_from_slice(&value.to_le_bytes());
                }
                let last = pieces.into_remainder();
                let value = cut(limb(width as usize / 64), width % 64).to_le_bytes();
                last.iter_mut().zip(value).for_each(|(to, from)| *to = from);
            }
        }
    }

    /// What a port holds.
    pub fn get(&self, port: PortId) -> Bits {
        let limbs: Vec<u64> = self.instance.bytes(port.0).chunks(8).map(limb).collect();
        Bits::from_limbs(self.width(port), &limbs)
    }

    /// The low 64 bits of what a port holds.
    pub fn get_u64(&self, port: PortId) -> u64 {
        self.instance.bytes(port.0).chunks(8).next().map_or(0, limb)
    }

    /// What a port holds as 64-bit words, the least significant first, as many as there is room for.
    pub fn get_limbs(&self, port: PortId, limbs: &mut [u64]) {
        let mut pieces = self.instance.bytes(port.0).chunks(8);
        limbs.fill_with(|| pieces.next().map_or(0, limb));
    }

    /// Lets the outputs follow the inputs without an edge of the clock.
    pub fn eval(&mut self) {
        self.step(Step::Settle);
    }

    /// The rising edge of the clock: registers take what the inputs and their old contents say.
    pub fn rise(&mut self) {
        self.step(Step::Rise);
    }

    /// The falling edge of the clock.
    pub fn fall(&mut self) {
        self.step(Step::Fall);
    }

    /// A whole clock: the rising edge, then the falling one.
    pub fn tick(&mut self) {
        if self.tape.is_some() {
            let given = self.values(false);
            self.step(Step::Tick);
            let got = self.values(true);
            if let Some(tape) = &mut self.tape {
                tape.given.push(given);
                tape.got.push(got);
            }
            return;
        }
        self.step(Step::Tick);
    }

    /// Writes down every [`tick`](Self::tick) from now on, in memory.
    pub fn record(&mut self) {
        self.tape = Some(Tape::default());
    }

    /// What has been written down; nothing more is.
    pub fn recorded(&mut self) -> Option<Tape> {
        self.tape.take()
    }

    fn values(&self, outputs: bool) -> Vec<Bits> {
        let inner = &self.library.0;
        let ports = (0..).map(PortId).zip(&inner.ports);
        let shown = ports.filter(|(id, _)| inner.hidden.as_ref().is_none_or(|h| h.1 != *id));
        let wanted = shown.filter(|(_, p)| p.output == outputs && p.name != "clk_i");
        wanted.map(|(id, _)| self.get(id)).collect()
    }

    fn step(&mut self, step: Step) {
        // A model that stopped stays as it is: it was left in the middle of an evaluation.
        if !self.stopped {
            self.stopped = !self.instance.step(step);
        }
    }

    /// Whether it still runs: `$stop`, `$finish` and logic that does not settle end it, and steps do
    /// nothing from then on.
    pub fn check(&self) -> Result<(), SimError> {
        match self.instance.fault() {
            what if what.is_empty() => Ok(()),
            what => Err(SimError::Stopped { model: self.library.0.name.clone(), what }),
        }
    }

    /// Writes waves to a file from now on. The model must have been built for it.
    pub fn trace(&mut self, path: &Path) -> Result<(), SimError> {
        if !self.library.0.code.traced() {
            return Err(SimError::NotTraced(self.library.0.name.clone()));
        }
        let wrong = || SimError::io(path)(std::io::ErrorKind::InvalidInput.into());
        let name = CString::new(path.as_os_str().as_bytes()).map_err(|_| wrong())?;
        if self.instance.trace(&name) { Ok(()) } else { Err(wrong()) }
    }
}

/// Up to eight bytes as Verilator keeps them: least significant first, as on all machines that are supported.
fn limb(piece: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(piece) {
        *to = *from;
    }
    u64::from_le_bytes(bytes)
}
