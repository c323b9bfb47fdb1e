//! The only file of this crate with `unsafe`: loading a library, calling it, and its models' memory.
//!
//! What has to be true for it, and who sees to it:
//!
//! * The file was made by this crate. The name that it is found by is a hash that contains the text of the
//!   shim and of the code that compiles it, and `Interface::version` is checked. Whoever puts another file
//!   of that name into the cache could as well replace the compiler.
//! * The layout of [`Interface`] is the one in `shim.rs`; both are `repr(C)` and change together.
//! * No C++ exception gets here: every function of the shim catches all.
//! * A model's memory is touched by nobody while Rust holds a slice of it: all calls into a model take
//!   `&mut`, a slice borrows the model, and models share nothing that is written but Verilator's own
//!   statics, which it guards by mutexes and thread local variables.
#![allow(unsafe_code)] // see above

use std::ffi::{CStr, CString, c_char, c_void};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::Port;

#[repr(C)]
struct ForeignPort {
    name: *const c_char,
    width: u32,
    output: u32,
}

/// As in `shim.rs`.
#[repr(C)]
struct Interface {
    version: u32,
    traced: u32,
    ports: u32,
    name: *const c_char,
    port: *const ForeignPort,
    create: unsafe extern "C" fn(u32) -> *mut c_void,
    destroy: unsafe extern "C" fn(*mut c_void),
    address: unsafe extern "C" fn(*mut c_void, u32) -> *mut c_void,
    settle: unsafe extern "C" fn(*mut c_void) -> i32,
    rise: unsafe extern "C" fn(*mut c_void) -> i32,
    fall: unsafe extern "C" fn(*mut c_void) -> i32,
    tick: unsafe extern "C" fn(*mut c_void) -> i32,
    fault: unsafe extern "C" fn(*mut c_void) -> *const c_char,
    trace_open: unsafe extern "C" fn(*mut c_void, *const c_char) -> i32,
}

/// A loaded library.
#[derive(Debug)]
pub(crate) struct Code {
    interface: NonNull<Interface>,
    /// Keeps the code mapped; dropped last.
    _library: libloading::Library,
}

// SAFETY: the interface is constant data of the library, which lives as long as this.
unsafe impl Send for Code {}
// SAFETY: as above.
unsafe impl Sync for Code {}

impl Code {
    pub fn open(path: &Path, version: u32) -> Result<Self, String> {
        // SAFETY: loading runs the constructors of Verilator's runtime, which only set up its own statics.
        let library = unsafe { libloading::Library::new(path) }.map_err(|e| e.to_string())?;
        let interface = {
            // SAFETY: the shim defines this function with this signature.
            let get = unsafe {
                library.get::<unsafe extern "C" fn() -> *mut Interface>(b"restage_interface\0")
            };
            let get = get.map_err(|e| e.to_string())?;
            // SAFETY: it returns the address of a constant.
            NonNull::new(unsafe { get() }).ok_or("it has no interface")?
        };
        let code = Code { interface, _library: library };
        match code.interface().version {
            found if found == version => Ok(code),
            found => Err(format!("its interface is version {found}, not {version}")),
        }
    }

    fn interface(&self) -> &Interface {
        // SAFETY: checked to be there when loaded; constant for as long as the library is.
        unsafe { self.interface.as_ref() }
    }

    pub fn name(&self) -> String {
        text(self.interface().name)
    }

    pub fn traced(&self) -> bool {
        self.interface().traced != 0
    }

    pub fn ports(&self) -> Vec<Port> {
        let interface = self.interface();
        // SAFETY: the shim's table has that many entries.
        let table = unsafe { std::slice::from_raw_parts(interface.port, interface.ports as usize) };
        table
            .iter()
            .map(|p| Port { name: text(p.name), width: p.width, output: p.output != 0 })
            .collect()
    }
}

/// A constant string of the shim.
fn text(string: *const c_char) -> String {
    // SAFETY: the shim's strings are literals, or live until the next call into the model, which nothing
    // can make while this copies.
    unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned()
}

/// Edges and evaluations.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Settle,
    Rise,
    Fall,
    Tick,
}

/// A model in the memory of its library.
#[derive(Debug)]
pub(crate) struct Instance {
    model: NonNull<c_void>,
    /// Address and bytes of every port.
    ports: Vec<(NonNull<u8>, usize)>,
    /// No other instance of this process has it.
    serial: u64,
    code: Arc<Code>,
}

// SAFETY: a model has a context of its own and is used by one thread at a time, as `&mut` says; Verilator
// allows that.
unsafe impl Send for Instance {}
// SAFETY: `&Instance` only reads ports and constants.
unsafe impl Sync for Instance {}

static SERIAL: AtomicU64 = AtomicU64::new(0);

impl Instance {
    pub fn new(code: &Arc<Code>, seed: u32, ports: &[Port]) -> Option<Self> {
        // SAFETY: as the shim declares it.
        let model = NonNull::new(unsafe { (code.interface().create)(seed) })?;
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let mut instance = Instance { model, ports: Vec::new(), serial, code: Arc::clone(code) };
        for (number, port) in (0..).zip(ports) {
            // SAFETY: the model lives; the number is one of its ports.
            let at = unsafe { (code.interface().address)(model.as_ptr(), number) };
            instance.ports.push((NonNull::new(at.cast())?, port.bytes()));
        }
        Some(instance)
    }

    /// What a port holds, least significant byte first on the machines that are supported.
    pub fn bytes(&self, port: usize) -> &[u8] {
        match self.ports.get(port) {
            // SAFETY: the address and size of a port of a model that lives; nobody writes while it is borrowed.
            Some((at, bytes)) => unsafe { std::slice::from_raw_parts(at.as_ptr(), *bytes) },
            None => &[],
        }
    }

    /// The same, to be written. The bits above the port's width must be left 0: Verilator relies on it.
    pub fn bytes_mut(&mut self, port: usize) -> &mut [u8] {
        match self.ports.get(port) {
            // SAFETY: as in `bytes`, and the borrow is exclusive.
            Some((at, bytes)) => unsafe { std::slice::from_raw_parts_mut(at.as_ptr(), *bytes) },
            None => &mut [],
        }
    }

    /// Makes a step; false if the model stopped.
    pub fn step(&mut self, step: Step) -> bool {
        let interface = self.code.interface();
        let function = match step {
            Step::Settle => interface.settle,
            Step::Rise => interface.rise,
            Step::Fall => interface.fall,
            Step::Tick => interface.tick,
        };
        // SAFETY: the model lives and nobody else uses it.
        unsafe { function(self.model.as_ptr()) == 0 }
    }

    /// Why it stopped; empty if it did not.
    pub fn fault(&self) -> String {
        // SAFETY: the model lives.
        text(unsafe { (self.code.interface().fault)(self.model.as_ptr()) })
    }

    /// Begins to write waves; false if the file cannot be written.
    pub fn trace(&mut self, path: &CString) -> bool {
        // SAFETY: the model lives; the path ends with 0.
        unsafe { (self.code.interface().trace_open)(self.model.as_ptr(), path.as_ptr()) != 0 }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // SAFETY: it was made by `create`, and nobody can use it any more.
        unsafe { (self.code.interface().destroy)(self.model.as_ptr()) }
    }
}

/// One copy from an output to an input.
#[derive(Clone, Copy, Debug)]
struct Wire {
    from: NonNull<u8>,
    to: NonNull<u8>,
    bytes: usize,
}

/// Copies between the ports of a list of models, with the addresses looked up.
#[derive(Debug, Default)]
pub(crate) struct Wires {
    /// The models that the addresses belong to, in order.
    serials: Vec<u64>,
    list: Vec<Wire>,
}

// SAFETY: the addresses are only used by `copy`, which is given the models that they belong to.
unsafe impl Send for Wires {}
// SAFETY: as above.
unsafe impl Sync for Wires {}

impl Wires {
    /// Looks up the addresses of (model, port) to (model, port). None if there is no such port, or the sizes
    /// of two differ.
    pub fn new<'m>(
        models: impl Iterator<Item = &'m Instance>,
        links: impl Iterator<Item = ((usize, usize), (usize, usize))>,
    ) -> Option<Self> {
        let models: Vec<&Instance> = models.collect();
        let find = |(model, port): (usize, usize)| models.get(model)?.ports.get(port).copied();
        let list = links.map(|(from, to)| {
            let ((from, bytes), (to, room)) = (find(from)?, find(to)?);
            (from != to && bytes == room).then_some(Wire { from, to, bytes })
        });
        Some(Wires {
            list: list.collect::<Option<_>>()?,
            serials: models.iter().map(|m| m.serial).collect(),
        })
    }

    /// Makes all copies, in order. Makes none and says false if these are not the models that the addresses
    /// belong to.
    pub fn copy<'m>(&self, models: impl ExactSizeIterator<Item = &'m mut Instance>) -> bool {
        // Holding the exclusive borrows until the end is what makes writing allowed.
        let mut count = 0;
        for (model, serial) in models.zip(&self.serials) {
            if model.serial != *serial {
                return false;
            }
            count += 1;
        }
        if count != self.serials.len() {
            return false;
        }
        for wire in &self.list {
            // SAFETY: both addresses are of ports of models that live, because an instance with that serial
            // number was just seen and addresses stay the same while it lives; both ports have that many
            // bytes; two ports do not overlap; the caller has lent the models exclusively.
            unsafe { wire.from.copy_to_nonoverlapping(wire.to, wire.bytes) };
        }
        true
    }
}
