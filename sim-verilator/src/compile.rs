//! From Verilog to a shared object: Verilator, then one run of the compiler.
//!
//! The generated C++ and the shim are one unity file over a precompiled `verilated.h`, linked with
//! Verilator's runtime, which is built once per cache: a third of the time of one compiler run per file.

use crate::cache::{Cache, RUNTIME, hash, hex};
use crate::error::SimError;
use crate::instead::instead;
use crate::model::Library;
use crate::shim::{self, PREFIX, Shim};
use crate::tools::{Tools, tools};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Waves of which kind a model can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Text that every viewer reads, and large.
    Vcd,
    /// GTKWave's compressed format.
    Fst,
}

impl Trace {
    /// The argument for Verilator.
    fn flag(self) -> &'static str {
        match self {
            Trace::Vcd => "--trace",
            Trace::Fst => "--trace-fst",
        }
    }

    /// The class that writes it.
    fn class(self) -> &'static str {
        match self {
            Trace::Vcd => "VerilatedVcdC",
            Trace::Fst => "VerilatedFstC",
        }
    }

    /// The file with that class, without its extension.
    fn part(self) -> &'static str {
        match self {
            Trace::Vcd => "verilated_vcd_c",
            Trace::Fst => "verilated_fst_c",
        }
    }
}

/// What is to be built.
#[derive(Clone, Debug)]
pub struct Build {
    top: String,
    sources: Vec<(String, String)>,
    flags: Vec<String>,
    clock: String,
    trace: Option<Trace>,
}

impl Build {
    /// A build of the module `top`.
    pub fn new(top: impl Into<String>) -> Self {
        Build {
            top: top.into(),
            sources: Vec::new(),
            flags: Vec::new(),
            clock: "clk_i".to_string(),
            trace: None,
        }
    }

    /// Adds a file of Verilog. Verilator is given the files in this order.
    pub fn source(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.sources.push((name.into(), text.into()));
        self
    }

    /// Adds arguments for Verilator, such as `-GWIDTH=8` or `-DSIMULATION`.
    pub fn flags(mut self, flags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.flags.extend(flags.into_iter().map(Into::into));
        self
    }

    /// Names the clock, `clk_i` unless said otherwise. A module that has no such port is only evaluated.
    pub fn clock(mut self, port: impl Into<String>) -> Self {
        self.clock = port.into();
        self
    }

    /// Builds a model that can write waves, which costs speed even when it does not.
    pub fn trace(mut self, kind: Trace) -> Self {
        self.trace = Some(kind);
        self
    }

    /// The library, built if the cache does not have it.
    pub fn build(&self, cache: &Cache) -> Result<Library, SimError> {
        let tools = tools()?;
        self.check_names()?;
        let name = self.file_name(tools, &self.compiler_flags(tools));
        let folder = name.trim_end_matches(".so");
        let Some(other) = instead(folder, &self.sources)? else { return self.built(cache, tools) };
        let build = Build { sources: Vec::new(), ..self.clone() }.source("instead.v", other.text);
        let library = build.built(cache, tools)?;
        match other.input {
            Some((name, value)) => library.with_input(&name, value),
            None => Ok(library),
        }
    }

    fn built(&self, cache: &Cache, tools: &Tools) -> Result<Library, SimError> {
        let flags = self.compiler_flags(tools);
        let name = self.file_name(tools, &flags);
        // Another process may remove the library between finding and loading it, if the cache is full.
        let mut tries = 0;
        let mut seconds = 0.0;
        loop {
            let path = cache.file(&name, |work| {
                let (path, took) = self.make(cache, tools, &flags, work)?;
                seconds += took;
                Ok::<_, SimError>(path)
            })?;
            match Library::open(&path) {
                Err(SimError::Load { .. }) if tries < 3 && !path.exists() => tries += 1,
                other => return other.map(|library| library.built_in(seconds)),
            }
        }
    }

    fn check_names(&self) -> Result<(), SimError> {
        for (i, (name, _)) in self.sources.iter().enumerate() {
            let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            if name.is_empty() || !name.chars().all(good) || name.starts_with(['.', '-']) {
                return Err(SimError::SourceName(name.clone()));
            }
            if self.sources[..i].iter().any(|s| s.0 == *name) {
                return Err(SimError::SourceTwice(name.clone()));
            }
        }
        Ok(())
    }

    /// What the compiler is told, for the model and the precompiled header alike.
    fn compiler_flags(&self, tools: &Tools) -> Vec<String> {
        let mut flags = common_flags(tools);
        let (vcd, fst) = (self.trace == Some(Trace::Vcd), self.trace == Some(Trace::Fst));
        flags.push(format!("-DVM_TRACE={}", u8::from(vcd || fst)));
        flags.push(format!("-DVM_TRACE_VCD={}", u8::from(vcd)));
        flags.push(format!("-DVM_TRACE_FST={}", u8::from(fst)));
        flags
    }

    /// The hash of all that the result depends on.
    fn file_name(&self, tools: &Tools, flags: &[String]) -> String {
        let mut pieces: Vec<&[u8]> = vec![self.top.as_bytes(), self.clock.as_bytes()];
        for (name, text) in &self.sources {
            pieces.extend([name.as_bytes(), text.as_bytes()]);
        }
        pieces.push(b"flags");
        pieces.extend(self.flags.iter().map(|f| f.as_bytes()));
        let runtime = tools_key(tools, flags);
        pieces.push(runtime.as_bytes());
        // The shim is made by this crate; a change of it must be a change of the name.
        pieces.extend([include_bytes!("shim.rs").as_slice(), include_bytes!("compile.rs")]);
        let top: String =
            self.top.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect();
        format!("{top}-{}.so", hex(&hash(pieces)))
    }

    /// The library in this folder, and the seconds of processor time that it took, without what is built once for all.
    fn make(
        &self,
        cache: &Cache,
        tools: &Tools,
        flags: &[String],
        work: &Path,
    ) -> Result<(PathBuf, f64), SimError> {
        for (name, text) in &self.sources {
            let path = work.join(name);
            fs::write(&path, text).map_err(SimError::io(&path))?;
        }
        let mut verilator = Command::new(&tools.verilator);
        verilator
            .args(["--cc", "--prefix", PREFIX, "--Mdir", "made", "--top-module", &self.top])
            .args([
                "-O3",
                "--x-initial",
                "unique",
                "--no-timing",
                "-Wno-fatal",
                "-Wno-lint",
                "-Wno-style",
            ])
            .args(self.trace.map(Trace::flag))
            .args(&self.flags)
            .args(self.sources.iter().map(|s| &s.0))
            .current_dir(work);
        let verilated = run("verilator", &self.top, verilator)?;

        let made = work.join("made");
        let header = read(&made.join(format!("{PREFIX}.h")))?;
        let ports = shim::ports(&self.top, &header)?;
        let parts = files(&made, "cpp")?;
        let mut code = String::new();
        for part in parts.iter().filter(|p| p.contains("___") && !p.contains("__Slow")) {
            code += &read(&made.join(part))?;
        }
        let text = Shim {
            top: &self.top,
            ports: &ports,
            clock: ports.iter().find(|p| p.port.is_input(&self.clock)),
            trace: self.trace.map(|t| (t.class(), t.part())),
            code: &code,
            parts: &parts,
        }
        .text();
        let unity = made.join("restage_unity.cc");
        fs::write(&unity, text).map_err(SimError::io(&unity))?;

        let header = self.header(cache, tools, flags)?;
        let out = work.join("model.so");
        let mut compiler = tools.compile();
        compiler
            .args(flags)
            .arg("-include")
            .arg(header.join(HEADER))
            .args(["-shared", "-Wl,-Bsymbolic", "-I"])
            .arg(&made)
            .args(includes(tools))
            .arg(&unity);
        for part in RUNTIME_PARTS.into_iter().chain(self.trace.map(|t| t.part())) {
            compiler.arg(object(cache, tools, part)?);
        }
        if self.trace == Some(Trace::Fst) {
            compiler.arg("-lz");
        }
        compiler.arg("-o").arg(&out);
        let compiled = run("the C++ compiler", &self.top, compiler)?;
        Ok((out, verilated + compiled))
    }

    /// The folder with the precompiled header, which holds for one set of flags.
    fn header(&self, cache: &Cache, tools: &Tools, flags: &[String]) -> Result<PathBuf, SimError> {
        let name = format!("{RUNTIME}-header-{}", tools_key(tools, flags));
        cache.file(&name, |work| {
            let folder = work.join("header");
            fs::create_dir_all(&folder).map_err(SimError::io(&folder))?;
            let header = folder.join(HEADER);
            fs::write(&header, "#include \"verilated.h\"\n").map_err(SimError::io(&header))?;
            let to = folder.join(HEADER.to_string() + if tools.clang { ".pch" } else { ".gch" });
            let mut compiler = tools.compile();
            compiler.args(flags).args(includes(tools)).args(["-x", "c++-header"]).arg(&header);
            compiler.arg("-o").arg(to);
            run("the C++ compiler", &self.top, compiler)?;
            Ok(folder)
        })
    }
}

/// Verilator's own code that every model needs.
const RUNTIME_PARTS: [&str; 2] = ["verilated", "verilated_threads"];

/// A part of Verilator's own code, compiled once for all models.
fn object(cache: &Cache, tools: &Tools, part: &str) -> Result<PathBuf, SimError> {
    let flags = common_flags(tools);
    let name = format!("{RUNTIME}-{part}-{}.o", tools_key(tools, &flags));
    cache.file(&name, |work| {
        let to = work.join("runtime.o");
        let mut compiler = tools.compile();
        compiler.args(&flags).args(includes(tools)).arg("-c");
        compiler.arg(tools.include.join(format!("{part}.cpp"))).arg("-o").arg(&to);
        run("the C++ compiler", part, compiler)?;
        Ok(to)
    })
}

fn common_flags(tools: &Tools) -> Vec<String> {
    let mut flags: Vec<String> = [
        "-march=native",
        "-fPIC",
        "-fvisibility=hidden",
        "-fvisibility-inlines-hidden",
        "-w",
        "-DVM_COVERAGE=0",
        "-DVM_SC=0",
        "-DVL_USER_FINISH",
        "-DVL_USER_STOP",
        "-DVL_USER_FATAL",
        // More takes up to twice as long and makes no model run faster that was measured.
        "-O1",
    ]
    .map(String::from)
    .to_vec();
    if !tools.clang {
        // Otherwise libraries would share what is static in inline functions, and never be unloaded.
        flags.push("-fno-gnu-unique".into());
        // One function of a model stores to thousands of members. Asking for each load which of the stores
        // before it might be meant took half the time of building a shell, and made it no faster.
        flags.push("--param=sccvn-max-alias-queries-per-access=10".into());
        flags.push("--param=dse-max-alias-queries-per-store=8".into());
    }
    flags
}

const HEADER: &str = "restage_runtime.h";

fn tools_key(tools: &Tools, flags: &[String]) -> String {
    let args: Vec<&[u8]> = tools.compiler_args.iter().map(|a| a.as_encoded_bytes()).collect();
    let texts = [&tools.verilator_version, &tools.compiler_version, &tools.cpu];
    let pieces = [tools.compiler.as_os_str().as_encoded_bytes()]
        .into_iter()
        .chain(args)
        .chain(texts.map(|t| t.as_bytes()))
        .chain(flags.iter().map(|f| f.as_bytes()));
    hex(&hash(pieces))
}

fn includes(tools: &Tools) -> Vec<std::ffi::OsString> {
    let include = &tools.include;
    vec!["-I".into(), include.clone().into(), "-I".into(), include.join("vltstd").into()]
}

/// Runs a tool; its messages are the error if it fails. Gives the seconds of processor time that it took, and all other tools
/// that ended meanwhile if several threads build.
fn run(tool: &str, top: &str, mut command: Command) -> Result<f64, SimError> {
    let program = Path::new(command.get_program()).to_path_buf();
    let before = children_seconds();
    let output = command.output().map_err(SimError::io(program))?;
    if output.status.success() {
        return Ok(children_seconds() - before);
    }
    let said = [output.stderr, output.stdout].concat();
    let text: String = String::from_utf8_lossy(&said).chars().take(20_000).collect();
    Err(SimError::Tool { tool: tool.into(), top: top.into(), text })
}

/// Seconds of processor time of all child processes that have ended, as the kernel counts them: in hundredths.
fn children_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name in parentheses come the state and numbers, of which the 13th and 14th are these.
    let numbers = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u32 = numbers.skip(13).take(2).filter_map(|n| n.parse::<u32>().ok()).sum();
    f64::from(ticks) / 100.0
}

fn read(path: &Path) -> Result<String, SimError> {
    fs::read_to_string(path).map_err(SimError::io(path))
}

/// The names of the files with an extension, in order.
fn files(folder: &Path, extension: &str) -> Result<Vec<String>, SimError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(SimError::io(folder))? {
        let path = entry.map_err(SimError::io(folder))?.path();
        if path.extension() == Some(OsStr::new(extension))
            && let Some(name) = path.file_name()
        {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}
