//! Control over a Unix socket: a request as JSON in a line, an answer as JSON in a line.
//!
//! | request | answer, beside `"ok": true` |
//! | --- | --- |
//! | `{"op": "status"}` | `program`, `clocks`, `received`, `sent`, `lost`, `collided`, `disordered` |
//! | `{"op": "read", "address": A}` | `value` of the register at a byte address |
//! | `{"op": "write", "address": A, "value": V}` | |
//! | `{"op": "load", "unit": U, "file": F}` | `clocks`: an image was loaded into a region that is not coupled |
//! | `{"op": "swap", "program": P, "entries": F}` | `at` (the first packet of the new program), `bubble`, `loaded` (units), `clocks` |
//! | `{"op": "quit"}` | |
//!
//! `swap` compiles a program (a name or a file, as `gen` takes it) for the shell that runs, loads what is new into free regions
//! through the image port, installs the entries (the program's examples, if no file is named), and flips. What needs time but no card is done
//! beside the traffic. What goes wrong is answered with `{"ok": false, "error": TEXT}` and changes nothing for packets.

use restage_gen::hardware::{Hardware, Target, build_with};
use restage_gen::{images, source};
use restage_image::SIMULATED;
use restage_manifest::Manifest;
use restage_program::entry::Write;
use restage_program::{Checked, entries_text};
use restage_sim_verilator::Cache;
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Bytes of a request, at most.
const LINE: u64 = 1 << 16;

#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum Request {
    Status {},
    Read { address: u32 },
    Write { address: u32, value: u32 },
    Load { unit: u32, file: PathBuf },
    Swap { program: String, entries: Option<PathBuf> },
    Quit {},
}

/// What is done with the card.
#[derive(Debug)]
pub enum Job {
    Status,
    Read(u32),
    Write(u32, u32),
    Load(u32, Vec<u8>),
    Swap(Box<Wanted>),
    Quit,
}

/// A program that shall run.
#[derive(Debug)]
pub struct Wanted {
    pub program: Checked,
    pub hardware: Arc<Hardware>,
    pub writes: Vec<Write>,
    /// Told in which regions it is.
    pub placed: Sender<Manifest>,
}

/// What came of a job; text if it failed.
pub type Answer = Result<Value, String>;

/// A job and who waits for its end.
#[derive(Debug)]
pub struct Order {
    pub job: Job,
    pub answer: Sender<Answer>,
}

/// What runs. Who changes it holds it.
type Running = Arc<Mutex<Arc<Hardware>>>;

/// Listens; what is asked for comes out of the receiver.
pub fn listen(path: &Path, hardware: Arc<Hardware>) -> io::Result<Receiver<Order>> {
    // What an earlier run left behind is in the way; where somebody listens nothing is taken away.
    if path.exists() && UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    let (orders, jobs) = channel();
    let running = Arc::new(Mutex::new(hardware));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (orders, running) = (orders.clone(), Arc::clone(&running));
            thread::spawn(move || {
                // Who hangs up needs no answer.
                let _ = serve(&stream, &orders, &running);
            });
        }
    });
    Ok(jobs)
}

fn serve(stream: &UnixStream, orders: &Sender<Order>, running: &Running) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.by_ref().take(LINE).read_line(&mut line)? == 0 {
            return Ok(());
        }
        let answer = match serde_json::from_str(&line) {
            Ok(request) => answer(request, orders, running),
            Err(e) => Err(format!("the request is not understood: {e}")),
        };
        let answer = match answer {
            Ok(Value::Object(mut fields)) => {
                fields.insert("ok".into(), true.into());
                Value::Object(fields)
            }
            Ok(_) => json!({ "ok": true }),
            Err(error) => json!({ "ok": false, "error": error }),
        };
        writeln!(writer, "{answer}")?;
    }
}

fn answer(request: Request, orders: &Sender<Order>, running: &Running) -> Answer {
    let order = |job: Job| {
        let (sender, receiver) = channel();
        let gone = |_| "the card is gone".to_string();
        orders.send(Order { job, answer: sender }).map_err(|_| gone(()))?;
        receiver.recv().map_err(|_| gone(()))?
    };
    match request {
        Request::Status {} => order(Job::Status),
        Request::Read { address } => order(Job::Read(address)),
        Request::Write { address, value } => order(Job::Write(address, value)),
        Request::Load { unit, file } => {
            let bytes = std::fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?;
            order(Job::Load(unit, bytes))
        }
        Request::Swap { program, entries } => {
            let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
            let (placed, places) = channel();
            let wanted = prepare(&program, entries.as_deref(), &running, placed)
                .map_err(|e| format!("{e:#}"))?;
            let mut hardware = Hardware::clone(&wanted.hardware);
            let done = order(Job::Swap(Box::new(wanted)))?;
            if let Ok(manifest) = places.try_recv() {
                hardware.manifest = manifest;
            }
            *running = Arc::new(hardware);
            Ok(done)
        }
        Request::Quit {} => order(Job::Quit),
    }
}

/// Compiles a program to take the place of what runs, and builds the models of what is new.
fn prepare(
    name: &str,
    entries: Option<&Path>,
    old: &Hardware,
    placed: Sender<Manifest>,
) -> anyhow::Result<Wanted> {
    let loaded = source::load(name, None)?;
    let target = Target { old: Some((&old.placement, &old.manifest)), ..Target::default() };
    let hardware = build_with(&loaded.program, &target)?;
    for index in 0..hardware.variants.len() {
        let image = images::image(&hardware, index, SIMULATED, 0)?;
        restage_sim_verilator::library(&image, &Cache::standard())?;
    }
    let text = match entries {
        Some(path) => source::read(path)?,
        None => loaded.entries.unwrap_or_default().to_string(),
    };
    let writes = entries_text::parse(&loaded.program, &text)?;
    Ok(Wanted { program: loaded.program, hardware: Arc::new(hardware), writes, placed })
}
