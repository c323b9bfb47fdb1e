//! Small modules, built, loaded and run.

#![allow(clippy::unwrap_used)] // a test may

use restage_program::Bits;
use restage_sim_verilator::{Build, Cache, Fabric, SimError, Trace};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// One for all tests of this crate: what Verilator's runtime needs is built once.
fn cache() -> Cache {
    Cache::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/verilated"))
}

fn temporary(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A module with a port of every size that Verilator distinguishes.
fn widths() -> Build {
    let sizes = [1, 7, 8, 9, 16, 17, 31, 32, 33, 64, 65, 96, 97, 512, 1024, 4096];
    let ports: String = sizes
        .iter()
        .map(|w| format!(", input [{0}:0] in_{w}_i, output [{0}:0] out_{w}_o", w - 1))
        .collect();
    let body: String =
        sizes.iter().map(|w| format!("    assign out_{w}_o = ~in_{w}_i;\n")).collect();
    let text = format!("module widths(input plain_i{ports});\n{body}endmodule\n");
    Build::new("widths").source("widths.v", text)
}

const COUNTER: &str = "
module counter #(parameter STEP = 1) (
    input clk_i, input rst_ni, input [7:0] add__i, output [7:0] next_o, output reg [7:0] q_o, output [63:0] old_o
);
    reg [63:0] mem [0:15];
    reg [63:0] old;
    assign next_o = q_o + add__i;
    assign old_o = old;
    always @(posedge clk_i) begin
        old <= mem[q_o[3:0]];
        if (!rst_ni) q_o <= 0; else q_o <= next_o + STEP - 1;
    end
endmodule
";

fn counter() -> Build {
    Build::new("counter").source("counter.v", COUNTER)
}

#[test]
fn ports_of_every_width_carry_their_values() {
    let library = widths().build(&cache()).unwrap();
    let mut model = library.instance(1).unwrap();
    for port in library.ports().to_vec() {
        let Some(name) = port.name.strip_prefix("in_") else { continue };
        let (input, output) = (
            model.port(&port.name).unwrap(),
            model.port(&format!("out_{}", name.replace("_i", "_o"))).unwrap(),
        );
        assert_eq!(model.width(output), port.width);
        let bytes: Vec<u8> = (0..port.width.div_ceil(8)).map(|i| (i * 37 + 11) as u8).collect();
        let value = Bits::from_be_bytes(port.width, &bytes);
        let limbs: Vec<u64> = value.limbs().iter().map(|l| !l).collect();
        let inverse = Bits::from_limbs(port.width, &limbs);
        model.set(input, &value);
        model.eval();
        assert_eq!(model.get(output), inverse, "{}", port.name);
        assert_eq!(model.get_u64(output), inverse.low_u64());
        // Too wide a value loses its high bits; Verilator would go wrong if it did not.
        model.set(input, &Bits::ones(port.width + 70));
        model.eval();
        assert!(model.get(output).is_zero(), "{}", port.name);
        assert_eq!(model.get(input), Bits::ones(port.width));
        model.set_u64(input, 0);
        model.eval();
        assert_eq!(model.get(output), Bits::ones(port.width));
    }
}

#[test]
fn registers_take_their_values_at_the_rising_edge() {
    let library = counter().build(&cache()).unwrap();
    let mut model = library.instance(3).unwrap();
    let [reset, add, next, q] =
        ["rst_ni", "add__i", "next_o", "q_o"].map(|p| model.port(p).unwrap());
    model.set_u64(reset, 0);
    model.tick();
    assert_eq!(model.get_u64(q), 0);
    model.set_u64(reset, 1);
    model.set_u64(add, 5);
    assert_eq!(model.get_u64(q), 0);
    model.eval();
    assert_eq!((model.get_u64(q), model.get_u64(next)), (0, 5));
    model.tick();
    assert_eq!((model.get_u64(q), model.get_u64(next)), (5, 10));
    model.rise();
    assert_eq!(model.get_u64(q), 10);
    model.fall();
    model.fall();
    assert_eq!(model.get_u64(q), 10);
    // An input that changes together with the clock is seen by the registers as it is now.
    model.set_u64(add, 1);
    model.rise();
    assert_eq!(model.get_u64(q), 11);
}

#[test]
fn what_is_not_reset_is_random_and_repeatable() {
    let library = counter().build(&cache()).unwrap();
    let contents = |seed| {
        let mut model = library.instance(seed).unwrap();
        let [reset, add, old] = ["rst_ni", "add__i", "old_o"].map(|p| model.port(p).unwrap());
        model.tick();
        model.set_u64(reset, 1);
        model.set_u64(add, 1);
        model.tick();
        let read = |_| {
            model.tick();
            model.get_u64(old)
        };
        (0..16).map(read).collect::<Vec<_>>()
    };
    let first = contents(1);
    assert!(first.iter().all(|w| w.count_ones() > 10), "{first:x?}");
    assert_eq!(first, contents(1));
    assert_ne!(first, contents(2));
    assert_ne!(contents(0), contents(2));
    // Also when others are made at the same time.
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| contents(1))).collect();
        all.into_iter().for_each(|t| assert_eq!(t.join().unwrap(), first));
    });
}

#[test]
fn parameters_and_other_clocks_are_taken() {
    let build = counter().flags(["-GSTEP=3"]);
    let mut model = build.build(&cache()).unwrap().instance(1).unwrap();
    let [reset, add, q] = ["rst_ni", "add__i", "q_o"].map(|p| model.port(p).unwrap());
    model.tick();
    model.set_u64(reset, 1);
    model.set_u64(add, 1);
    model.tick();
    assert_eq!(model.get_u64(q), 3);
    // With another port as the clock, or none, a tick of it moves nothing.
    let mut still = counter().clock("other_i").build(&cache()).unwrap().instance(1).unwrap();
    let before = still.get_u64(q);
    still.set_u64(add, 1);
    still.tick();
    assert_eq!(still.get_u64(q), before);
}

#[test]
fn what_was_built_is_not_built_again() {
    let folder = temporary("again");
    let text = COUNTER.replace("counter", "twice");
    let build = || Build::new("twice").source("twice.v", text.as_str());
    let libraries = |folder: &PathBuf| {
        let names = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name());
        let mut names: Vec<_> = names.map(|n| n.into_string().unwrap()).collect();
        names.retain(|n| n.ends_with(".so"));
        names
    };
    // Eight at once, as several processes would.
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| build().build(&Cache::new(&folder)).unwrap().instance(1).unwrap());
        }
    });
    assert_eq!(libraries(&folder).len(), 1);
    let left: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .filter(|n| n.starts_with("work-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // What is found again is the same file, and another one only if it is made again.
    let number = |folder: &PathBuf| {
        let name = libraries(folder).remove(0);
        std::fs::metadata(folder.join(name)).unwrap().ino()
    };
    let before = number(&folder);
    build().build(&Cache::new(&folder)).unwrap();
    assert_eq!(number(&folder), before);
    // Another text, flag or level is another library; a full cache forgets what was used first.
    build().source("more.v", "// more").build(&Cache::new(&folder)).unwrap();
    build().flags(["-DX"]).build(&Cache::new(&folder)).unwrap();
    assert_eq!(libraries(&folder).len(), 3);
    build().flags(["-DY"]).build(&Cache::new(&folder).limit(1)).unwrap();
    assert_eq!(libraries(&folder).len(), 1);
}

#[test]
fn errors_say_what_is_wrong() {
    let broken = Build::new("broken")
        .source("broken.v", "module broken(input a_i);\n  assign x = ;\nendmodule\n");
    let text = broken.build(&cache()).unwrap_err().to_string();
    assert!(text.contains("broken.v:2") && text.contains("syntax error"), "{text}");
    let text =
        Build::new("none").source("counter.v", COUNTER).build(&cache()).unwrap_err().to_string();
    assert!(text.contains("none"), "{text}");
    for name in ["../x.v", "", "a b.v", "-o.v", "/etc/x"] {
        let error = Build::new("x").source(name, "").build(&cache()).unwrap_err();
        assert!(matches!(error, SimError::SourceName(_)), "{error}");
    }
    let error = Build::new("x").source("x.v", "").source("x.v", "").build(&cache()).unwrap_err();
    assert!(matches!(error, SimError::SourceTwice(_)), "{error}");
    let mut model = counter().build(&cache()).unwrap().instance(1).unwrap();
    let text = model.port("phv_o").unwrap_err().to_string();
    assert!(text.contains("`counter` has no port `phv_o`") && text.contains("add__i"), "{text}");
    let error = model.trace(&temporary("no").join("x.vcd")).unwrap_err();
    assert!(matches!(error, SimError::NotTraced(_)), "{error}");
}

#[test]
fn a_model_that_stops_says_so() {
    let text =
        "module stops(input clk_i, input [1:0] how_i, output reg n_o, output x_o, output y_o);
    always @(posedge clk_i) begin
        n_o <= ~n_o;
        if (how_i == 1) $stop;
        if (how_i == 2) $finish;
    end
    assign x_o = how_i == 3 ? ~y_o : 1'b0;
    assign y_o = how_i == 3 ? x_o : 1'b1;
endmodule";
    let library = Build::new("stops").source("stops.v", text).build(&cache()).unwrap();
    for (how, want) in [(1, "$stop"), (2, "$finish"), (3, "converge")] {
        let mut model = library.instance(1).unwrap();
        let [input, n] = ["how_i", "n_o"].map(|p| model.port(p).unwrap());
        model.tick();
        model.check().unwrap();
        model.set_u64(input, how);
        model.tick();
        let text = model.check().unwrap_err().to_string();
        assert!(text.contains(want), "{text}");
        let before = model.get_u64(n);
        model.set_u64(input, 0);
        model.tick();
        assert_eq!(model.get_u64(n), before);
        assert!(model.check().is_err());
    }
}

#[test]
fn waves_are_written() {
    let folder = temporary("waves");
    for (kind, name) in [(Trace::Vcd, "x.vcd"), (Trace::Fst, "x.fst")] {
        let mut model = counter().trace(kind).build(&cache()).unwrap().instance(1).unwrap();
        let path = folder.join(name);
        model.trace(&path).unwrap();
        for _ in 0..20 {
            model.tick();
        }
        drop(model);
        let bytes = std::fs::read(&path).unwrap();
        assert!(bytes.len() > 200, "{name}: {} bytes", bytes.len());
        if kind == Trace::Vcd {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains("clk_i") && text.contains("#40"), "{text}");
        }
        let mut model = counter().trace(kind).build(&cache()).unwrap().instance(1).unwrap();
        assert!(model.trace(&folder.join("none/x")).is_err());
    }
}

/// Two counters in a ring: each adds what the other had a clock ago.
#[test]
fn models_are_coupled_by_their_boundaries() {
    let library = counter().build(&cache()).unwrap();
    let mut fabric = Fabric::new();
    let parts = [1, 2].map(|seed| fabric.add(library.instance(seed).unwrap()).unwrap());
    let [reset, q] = ["rst_ni", "q_o"].map(|p| library.port(p).unwrap());
    fabric.connect(parts[0], "q_o", parts[1], "add__i").unwrap();
    fabric.connect(parts[1], "q_o", parts[0], "add__i").unwrap();
    let error = |r: Result<(), SimError>| r.unwrap_err().to_string();
    let text = error(fabric.connect(parts[0], "q_o", parts[1], "add__i"));
    assert!(text.contains("something drives it already"), "{text}");
    let text = error(fabric.connect(parts[0], "old_o", parts[1], "rst_ni"));
    assert!(text.contains("64 bits, and 1 are wanted"), "{text}");
    assert!(error(fabric.connect(parts[0], "add__i", parts[1], "q_o")).contains("no output"));
    assert!(error(fabric.connect(parts[0], "q_o", parts[1], "q_o")).contains("no input"));

    fabric.tick().unwrap();
    parts.into_iter().for_each(|p| fabric.model_mut(p).set_u64(reset, 1));
    let mut want = [0u64, 0];
    let run = |fabric: &mut Fabric, want: &mut [u64; 2], add: [u64; 2]| {
        for _ in 0..10 {
            fabric.tick().unwrap();
            *want = [want[0] + want[1] + add[0], want[1] + want[0] + add[1]].map(|v| v & 255);
            assert_eq!(parts.map(|p| fabric.model(p).get_u64(q)), *want);
        }
    };
    run(&mut fabric, &mut want, [0, 0]);
    // Nothing moves while both are 0; so another part that steps by three takes the place of one.
    let three = counter().flags(["-GSTEP=3"]).build(&cache()).unwrap();
    let mut other = three.instance(7).unwrap();
    other.tick();
    other.set_u64(reset, 1);
    let old = fabric.replace(parts[1], other).unwrap();
    assert_eq!(old.get_u64(q), 0);
    run(&mut fabric, &mut want, [0, 2]);
    // A model that was exchanged behind the fabric's back is found all the same.
    let mut swapped = library.instance(9).unwrap();
    swapped.tick();
    swapped.set_u64(reset, 1);
    drop(std::mem::replace(fabric.model_mut(parts[0]), swapped));
    want[0] = 0;
    run(&mut fabric, &mut want, [0, 2]);
    // What lacks the ports is refused, and nothing has changed.
    let wrong = widths().build(&cache()).unwrap().instance(1).unwrap();
    assert!(fabric.replace(parts[0], wrong).is_err());
    run(&mut fabric, &mut want, [0, 2]);
    fabric.check().unwrap();
}

/// The shortened falling edge of `tick` must not be taken where something else happens at it.
#[test]
fn falling_edges_are_seen_by_what_waits_for_them() {
    for (edge, want) in [("posedge", [1, 2, 3]), ("negedge", [1, 2, 3])] {
        let text = format!(
            "module edges(input clk_i, input rst_ni, output reg [7:0] n_o, output reg [7:0] m_o, output c_o);
                assign c_o = {};
                always @(posedge clk_i) if (!rst_ni) n_o <= 0; else n_o <= n_o + 1;
                always @({edge} clk_i) m_o <= n_o;
            endmodule",
            if edge == "posedge" { "1'b0" } else { "clk_i" }
        );
        let build = Build::new("edges").source("edges.v", text);
        let mut model = build.build(&cache()).unwrap().instance(1).unwrap();
        let [reset, n, m, c] = ["rst_ni", "n_o", "m_o", "c_o"].map(|p| model.port(p).unwrap());
        model.tick();
        model.set_u64(reset, 1);
        for want in want {
            model.tick();
            let late = u64::from(edge == "posedge");
            assert_eq!((model.get_u64(n), model.get_u64(m)), (want, want - late), "{edge}");
            assert_eq!(model.get_u64(c), 0);
        }
    }
}
