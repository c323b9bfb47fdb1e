//! The C++ that stands between a verilated model and Rust: a table of ports and a few plain functions.
//!
//! Contract, which `foreign.rs` relies on: `restage_interface` returns a constant structure of the layout
//! given there; no exception leaves any function; a port's address stays the same while its model lives and
//! points at as many bytes as `Port::bytes` says.
//!
//! A tick is a rising edge and a falling one. Where the model does nothing with the clock but to compare it
//! with its last value, to find rising edges, the falling one is made by setting that last value, which
//! saves an evaluation; models with waves are evaluated, so that the clock can be seen.

use crate::error::SimError;
use crate::model::Port;
use std::fmt::Write as _;

/// The class that Verilator is told to make.
pub(crate) const PREFIX: &str = "Vm";

/// A port, and what Verilator calls it in C++.
pub(crate) struct Declared {
    pub port: Port,
    pub symbol: String,
}

/// Reads the ports out of the header of the generated class: lines such as `VL_INW(&phv_i,1023,0,32);`.
pub(crate) fn ports(top: &str, header: &str) -> Result<Vec<Declared>, SimError> {
    let wrong = |what: &str| SimError::Generated { top: top.to_string(), what: what.to_string() };
    let mut ports = Vec::new();
    for line in header.lines().map(str::trim) {
        let (output, rest) = match (line.strip_prefix("VL_IN"), line.strip_prefix("VL_OUT")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            _ => continue,
        };
        // `VL_INOUT` would come here as an input named `OUT`.
        let inside = rest.split_once("(&").and_then(|(kind, rest)| {
            ["", "8", "16", "64", "W"].contains(&kind).then(|| rest.strip_suffix(");"))?
        });
        let parts: Vec<&str> = inside.ok_or_else(|| wrong(line))?.split(',').collect();
        let [symbol, high, low, ..] = parts[..] else { return Err(wrong(line)) };
        let (Ok(high), Ok(low)) = (high.parse::<u32>(), low.parse::<u32>()) else {
            return Err(wrong(line));
        };
        let width = high.checked_sub(low).ok_or_else(|| wrong(line))? + 1;
        let port = Port { name: plain_name(symbol), width, output };
        ports.push(Declared { port, symbol: symbol.to_string() });
    }
    if ports.is_empty() { Err(wrong("a module without ports")) } else { Ok(ports) }
}

/// Verilator writes what C++ has no name for as `__0` and two hexadecimal digits.
fn plain_name(symbol: &str) -> String {
    let mut out = String::new();
    let mut rest = symbol;
    while let Some(c) = rest.chars().next() {
        let code = rest.strip_prefix("__0").and_then(|r| r.get(..2));
        match code.and_then(|c| u8::from_str_radix(c, 16).ok()) {
            Some(code) => {
                out.push(char::from(code));
                rest = &rest[5..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out
}

/// What of the generated code the shim has to know.
pub(crate) struct Shim<'a> {
    pub top: &'a str,
    pub ports: &'a [Declared],
    /// The clock's port, if the model has it.
    pub clock: Option<&'a Declared>,
    /// The generated code that runs at every evaluation.
    pub code: &'a str,
    /// The class that writes waves, and the name of its header.
    pub trace: Option<(&'static str, &'static str)>,
    /// All generated C++ files, which this one includes.
    pub parts: &'a [String],
}

impl Shim<'_> {
    /// The unity file.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for part in self.parts {
            // What runs once per model is as long as what runs in every clock, and not worth making fast.
            let once = part.contains("__Slow");
            if once {
                out += "#pragma GCC push_options\n#pragma GCC optimize (\"O0\")\n";
            }
            let _ = writeln!(out, "#include \"{part}\"");
            if once {
                out += "#pragma GCC pop_options\n";
            }
        }
        if let Some((_, header)) = self.trace {
            let _ = writeln!(out, "#include \"{header}.h\"");
        }
        let table: String = self
            .ports
            .iter()
            .map(|p| &p.port)
            .map(|p| format!("    {{\"{}\", {}, {}}},\n", p.name, p.width, u32::from(p.output)))
            .collect();
        let addresses: String = self
            .ports
            .iter()
            .enumerate()
            .map(|(i, p)| format!("        case {i}: return &m.top.{};\n", p.symbol))
            .collect();
        let clock = self.clock.map(|c| c.symbol.as_str());
        let set = |value: u32| match clock {
            Some(clock) => format!("m.top.{clock} = {value};"),
            None => String::new(),
        };
        let (trace_member, trace_write, trace_open) = match self.trace {
            Some((class, _)) => (
                format!("std::unique_ptr<{class}> waves;"),
                "if (m.waves) { m.context.timeInc(1); m.waves->dump(m.context.time()); }".to_string(),
                format!(
                    "m.waves.reset(new {class}); m.top.trace(m.waves.get(), 99); m.waves->open(path);
        return m.waves->isOpen();"
                ),
            ),
            None => (String::new(), String::new(), "return 0;".to_string()),
        };
        // Inputs begin as 0, not as random bits: what is not set must not depend on the seed.
        let inputs: String = self
            .ports
            .iter()
            .filter(|p| !p.port.output)
            .map(|p| format!("        std::memset(&m.top.{0}, 0, sizeof m.top.{0});\n", p.symbol))
            .collect();
        let last = clock.filter(|_| self.trace.is_none()).and_then(|c| last_value(c, self.code));
        let fall = match last {
            Some(last) => format!("{} m.top.rootp->{last} = 0;", set(0)),
            None => "run(m, 0);".to_string(),
        };
        let (rise, low) = (set(1), set(0));
        let traced = u32::from(self.trace.is_some());
        let top = self.top;
        let count = self.ports.len();
        let _ = write!(
            out,
            r#"
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

// What the runtime calls when a model stops; leaving by an exception, because the caller's loop would go on.
void vl_finish(const char*, int, const char*) {{ throw std::runtime_error("$finish"); }}
void vl_stop(const char* file, int line, const char*) {{
    throw std::runtime_error("$stop at " + std::string(file) + ":" + std::to_string(line));
}}
void vl_fatal(const char* file, int line, const char*, const char* what) {{
    throw std::runtime_error(std::string(what) + " at " + file + ":" + std::to_string(line));
}}

namespace {{
struct Seeded : VerilatedContext {{
    explicit Seeded(uint32_t seed) {{
        randReset(2);
        randSeed(static_cast<int>(seed));
        {everon}
    }}
}};
struct Instance {{
    Seeded context;
    {PREFIX} top;
    std::string fault;
    {trace_member}
    explicit Instance(uint32_t seed) : context(seed), top(&context, "{top}") {{}}
}};
template <typename F> int32_t guarded(Instance& m, F body) {{
    try {{
        body();
        return 0;
    }} catch (const std::exception& e) {{
        m.fault = e.what();
    }} catch (...) {{
        m.fault = "an unknown exception";
    }}
    return 1;
}}
inline void eval(Instance& m) {{
    m.top.eval();
    {trace_write}
}}
inline void run(Instance& m, int level) {{
    if (level) {{ {rise} }} else {{ {low} }}
    eval(m);
}}
Instance& of(void* p) {{ return *static_cast<Instance*>(p); }}

struct Port {{ const char* name; uint32_t width; uint32_t output; }};
const Port PORTS[] = {{
{table}}};
void* create(uint32_t seed) {{
    // The random numbers of a new model come from one place per library.
    static std::mutex one_at_a_time;
    try {{
        std::lock_guard<std::mutex> guard(one_at_a_time);
        std::unique_ptr<Instance> owner(new Instance(seed));
        Instance& m = *owner;
{inputs}        guarded(m, [&] {{ m.top.eval(); }});
        return owner.release();
    }} catch (...) {{
        return nullptr;
    }}
}}
void destroy(void* p) {{
    try {{ delete static_cast<Instance*>(p); }} catch (...) {{}}
}}
void* address(void* p, uint32_t port) {{
    Instance& m = of(p);
    switch (port) {{
{addresses}        default: return nullptr;
    }}
}}
int32_t settle(void* p) {{ Instance& m = of(p); return guarded(m, [&] {{ eval(m); }}); }}
int32_t rise(void* p) {{ Instance& m = of(p); return guarded(m, [&] {{ run(m, 1); }}); }}
int32_t fall(void* p) {{ Instance& m = of(p); return guarded(m, [&] {{ run(m, 0); }}); }}
int32_t tick(void* p) {{
    Instance& m = of(p);
    return guarded(m, [&] {{ run(m, 1); {fall} }});
}}
const char* fault(void* p) {{ return of(p).fault.c_str(); }}
int32_t trace_open(void* p, const char* path) {{
    Instance& m = of(p);
    (void)path;
    try {{
        {trace_open}
    }} catch (...) {{
        return 0;
    }}
}}

struct Interface {{
    uint32_t version, traced, ports;
    const char* name;
    const Port* port;
    void* (*create)(uint32_t);
    void (*destroy)(void*);
    void* (*address)(void*, uint32_t);
    int32_t (*settle)(void*);
    int32_t (*rise)(void*);
    int32_t (*fall)(void*);
    int32_t (*tick)(void*);
    const char* (*fault)(void*);
    int32_t (*trace_open)(void*, const char*);
}};
const Interface INTERFACE = {{
    {VERSION}, {traced}, {count}, "{top}", PORTS, create, destroy, address, settle, rise, fall, tick, fault, trace_open,
}};
}}  // namespace

extern "C" __attribute__((visibility("default"))) const void* restage_interface() {{ return &INTERFACE; }}
"#,
            everon = if self.trace.is_some() { "traceEverOn(true);" } else { "" },
        );
        out
    }
}

/// The variable with the clock's last value, if nothing else is done with the clock. Every line of the
/// code that names the clock must be one that is known.
fn last_value(clock: &str, code: &str) -> Option<String> {
    // Statements, without the white space that depends on where a line was broken.
    let packed: String = code.split_whitespace().collect();
    let uses = |text: &str| {
        packed
            .match_indices(text)
            .filter(|(at, _)| {
                let next = packed[at + text.len()..].chars().next();
                !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
            })
            .count()
    };
    [format!("__Vtrigrprev__TOP__{clock}"), format!("__Vtrigprevexpr___TOP__{clock}__0")]
        .into_iter()
        .find(|last| {
            let known = [
                format!("((IData)(vlSelf->{clock})&(~(IData)(vlSelf->{last})))"),
                format!("vlSelf->{last}=vlSelf->{clock}"),
                format!("if(VL_UNLIKELY((vlSelf->{clock}&0xfeU)))"),
            ];
            let [edges, copies, checks] =
                known.each_ref().map(|text| packed.matches(text.as_str()).count());
            edges == 1
                && copies == 1
                && uses(&format!("->{clock}")) + uses(&format!(".{clock}"))
                    == edges + copies + checks
        })
}

/// The layout of `Interface`; part of what a built library is found by.
pub(crate) const VERSION: u32 = 1;

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may
mod tests {
    use super::*;

    #[test]
    fn names_and_ports_are_read() {
        let header = "  VL_IN8(&clk_i,0,0);\n VL_OUTW(&a___05Fb,1023,0,32);\n VL_IN64(&x__024y,47,0);\n VL_OUT(&up,8,1);";
        let ports = ports("t", header).unwrap();
        let found: Vec<_> =
            ports.iter().map(|p| (p.port.name.as_str(), p.port.width, p.port.output)).collect();
        assert_eq!(
            found,
            [("clk_i", 1, false), ("a__b", 1024, true), ("x$y", 48, false), ("up", 8, true)]
        );
        for wrong in
            ["", "VL_INOUT8(&x,7,0);", "VL_IN8(&x,7);", "VL_IN8(&x,a,0);", "VL_IN8(&x,0,1);"]
        {
            assert!(super::ports("t", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_a_clock_that_is_nothing_else_is_shortened() {
        let code = "vlSelf->trig.at(0U) = ((IData)(vlSelf->clk_i)\n & (~ (IData)(vlSelf->__Vtrigrprev__TOP__clk_i)));
            vlSelf->__Vtrigrprev__TOP__clk_i = vlSelf->clk_i; if (VL_UNLIKELY((vlSelf->clk_i & 0xfeU))) {}
            vlSelf->clk_iq = 1;";
        assert_eq!(last_value("clk_i", code).as_deref(), Some("__Vtrigrprev__TOP__clk_i"));
        assert_eq!(last_value("clk", code), None);
        for more in [
            "vlSelf->x = vlSelf->clk_i;",
            "vlSelf->t = ((~ (IData)(vlSelf->clk_i)) & (IData)(vlSelf->__Vtrigrprev__TOP__clk_i));",
            "vlSymsp->TOP.clk_i",
        ] {
            assert_eq!(last_value("clk_i", &format!("{code}\n{more}")), None, "{more}");
        }
    }
}
