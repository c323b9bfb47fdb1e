//! The tools that judge Verilog, on small modules whose verdicts are known.

#![allow(clippy::unwrap_used)] // a test may

use restage_program::Bits;
use restage_sim_verilator::{Cache, Model};
use restage_tests::tools::icarus::icarus;
use restage_tests::tools::lint::lint;
use restage_tests::tools::mutate::{SELECT, mutate};
use restage_tests::tools::recording::Recording;
use restage_tests::tools::synth::{Cost, Luts, synth};
use restage_tests::tools::yosys::check;
use restage_tests::tools::{Design, ToolError};
use std::process::Command;

fn cache() -> Cache {
    Cache::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/verilated"))
}

/// A module of the usual ports; `body` is behind registers `a`, `b` and in front of `q_o`.
fn between(body: &str) -> Design {
    let text = format!(
        "module between (
    input clk_i, input rst_ni, input [127:0] a_i, input [127:0] b_i, output reg [127:0] q_o, output [31:0] r_o
);
    reg [127:0] a, b;
    wire unused = rst_ni;
    always @(posedge clk_i) begin a <= a_i; b <= b_i; end
    {body}
endmodule
"
    );
    Design::new("between", text)
}

/// Counts, stores and adds: something of everything.
fn sample() -> Design {
    Design::new(
        "sample",
        "module sample (
    input clk_i, input rst_ni, input valid_i, input [7:0] key_i, input [99:0] data_i,
    output reg valid_o, output reg [99:0] data_o, output reg [7:0] count_o
);
    reg [99:0] slots [0:255];
    reg [99:0] row;
    reg late;
    always @(posedge clk_i) begin
        row <= slots[key_i];
        late <= valid_i;
        if (valid_i) slots[key_i] <= data_i;
        valid_o <= late;
        data_o <= row + 100'd3;
        if (late) count_o <= count_o + 8'd1;
        if (!rst_ni) begin
            late <= 1'b0;
            valid_o <= 1'b0;
            count_o <= 8'd0;
        end
    end
endmodule
",
    )
}

/// Something pseudo-random of a number.
fn noise(n: u64) -> u64 {
    let x = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) ^ x >> 32
}

/// Drives the sample for some clocks; gives its outputs where they mean something.
fn drive(model: &mut Model, clocks: u64) -> Vec<(Bits, u64)> {
    let [reset, valid, key, data] =
        ["rst_ni", "valid_i", "key_i", "data_i"].map(|p| model.port(p).unwrap());
    let [valid_o, data_o, count_o] =
        ["valid_o", "data_o", "count_o"].map(|p| model.port(p).unwrap());
    let mut out = Vec::new();
    for clock in 0..clocks {
        model.set_u64(reset, u64::from(clock > 2));
        model.set_u64(valid, noise(clock) & 1);
        model.set_u64(key, noise(clock) >> 1 & 7);
        model.set_limbs(data, &[noise(clock + 1000), noise(clock + 2000)]);
        model.tick();
        if clock > 100 && model.get_u64(valid_o) == 1 {
            out.push((model.get(data_o), model.get_u64(count_o)));
        }
    }
    out
}

fn recorded() -> Recording {
    let mut model = sample().build().build(&cache()).unwrap().instance(1).unwrap();
    model.record();
    drive(&mut model, 400);
    Recording::of(&mut model).only_while("data_o", "valid_o").skip(4)
}

fn refusal(result: Result<impl std::fmt::Debug, ToolError>) -> String {
    match result {
        Ok(fine) => format!("not refused: {fine:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn lint_takes_no_warning() {
    lint(&sample()).unwrap();
    let clean = sample().files[0].1.clone();
    // A file may be named as it likes.
    let mut renamed = sample();
    renamed.files[0].0 = "other.v".into();
    lint(&renamed).unwrap();
    for (from, to, want) in [
        ("valid_o <= late;", "valid_o <= row;", "WIDTH"),
        ("reg late;", "reg late; reg idle;", "UNUSED"),
        ("late <= valid_i;", "late = valid_i;", "BLKSEQ"),
        ("valid_o <= late;", "valid_o <= lat;", "lat"),
    ] {
        let text = refusal(lint(&Design::new("sample", clean.replace(from, to))));
        assert!(text.contains(want), "{to}: {text}");
    }
}

#[test]
fn icarus_agrees_or_says_where_not() {
    let recording = recorded();
    let agreement = icarus(&sample(), &recording).unwrap();
    assert_eq!(agreement.clocks, 396);
    assert!(agreement.equal > 20_000, "{agreement:?}");
    // The first reads of a row give what nobody wrote.
    assert!(agreement.unknown > 0 && agreement.unknown < 5_000, "{agreement:?}");

    let mut wrong = recording.clone();
    let count = wrong.outputs.iter().position(|p| p.name == "count_o").unwrap();
    let value = &mut wrong.got[250][count];
    *value = Bits::new(8, u128::from(value.low_u64() ^ 4));
    let text = refusal(icarus(&sample(), &wrong));
    assert!(text.contains("1 outputs differ") && text.contains("clock 250, count_o"), "{text}");
    // An output that means nothing then is not compared.
    let (data, valid) = ["data_o", "valid_o"]
        .map(|n| recording.outputs.iter().position(|p| p.name == n).unwrap())
        .into();
    let idle = (300..).find(|c| recording.got[*c][valid].is_zero()).unwrap();
    let mut wrong = recording.clone();
    wrong.got[idle][data] = Bits::zero(100);
    icarus(&sample(), &wrong).unwrap();
    wrong.only_while.clear();
    assert!(refusal(icarus(&sample(), &wrong)).contains(&format!("clock {idle}, data_o")));
    // A circuit that does something else.
    let other = sample().files[0].1.replace("100'd3", "100'd4");
    assert!(refusal(icarus(&Design::new("sample", other), &recording)).contains("data_o"));
    assert!(
        refusal(icarus(&Design::new("sample", "module sample"), &recording)).contains("syntax")
    );
}

#[test]
fn yosys_refuses_what_is_no_clean_circuit() {
    check(&sample()).unwrap();
    let ram = "reg [31:0] m [0:127]; reg [31:0] r; assign r_o = r;";
    for (body, want) in [
        ("assign r_o = 0; always @* if (a[0]) q_o = b;", "Assertion failed"),
        (
            "assign r_o = a[31:0] + b[31:0]; assign r_o = ~a[31:0]; always @* q_o = b;",
            "multiple conflicting drivers",
        ),
        ("wire x = y ^ a[0]; wire y = x; assign r_o = {32{x}}; always @* q_o = b;", "logic loop"),
        ("wire [31:0] x; assign r_o = x; always @* q_o = b;", "no driver"),
        ("assign r_o = 0; always @* q_o = b; missing u (.a(a));", "missing"),
        (
            // Two writes and a read without a clock: that is no RAM.
            "reg [31:0] m [0:127]; assign r_o = m[b[6:0]]; always @* q_o = a;
            always @(posedge clk_i) begin
                if (a[0]) m[a[7:1]] <= b[31:0]; if (a[8]) m[b[70:64]] <= a[95:64];
            end",
            "128 words of 32 bits",
        ),
    ] {
        let text = refusal(check(&between(body)));
        assert!(text.contains(want), "{body}: {text}");
    }
    let body = "always @* q_o = a; always @(posedge clk_i) begin
        if (a[0]) m[a[7:1]] <= b[31:0]; r <= m[b[70:64]]; end";
    check(&between(&format!("{ram} {body}"))).unwrap();
}

/// One module with everything that is counted.
#[test]
fn synthesis_counts_what_is_there() {
    let design = between(
        "reg [31:0] m [0:2047]; reg [31:0] n [0:31]; reg [31:0] r, s, d0, d1, d2, d3, d4, d5;
        assign r_o = s;
        always @(posedge clk_i) begin
            // A block RAM with an output register; a small one that is read without a clock.
            if (a[127]) begin m[a[10:0]] <= b[127:96]; n[a[4:0]] <= b[127:96]; end
            r <= m[b[10:0]]; s <= r;
            // A chain of 64 bits, what was read and a gate, and a delay of six clocks.
            q_o[63:0] <= a[63:0] + b[63:0];
            q_o[95:64] <= n[b[4:0]] ^ a[63:32];
            d0 <= a[127:96]; d1 <= d0; d2 <= d1; d3 <= d2; d4 <= d3; d5 <= d4; q_o[127:96] <= d5;
        end",
    );
    let cost = synth(&design, Luts::Wide).unwrap();
    assert_eq!((cost.half_rams, cost.ram_luts, cost.shift_luts), (4, 24, 32), "{cost:?}");
    // Of 256 registers in front those that are used, 64 + 32 behind, 32 behind the delay.
    assert_eq!((cost.longest_carry, cost.carry, cost.dsps), (64, 64, 0), "{cost:?}");
    assert_eq!((cost.worst.luts, cost.worst.carry, cost.worst.muxf), (2, 0, 0), "{cost:?}");
    assert!((96..110).contains(&(cost.luts - cost.ram_luts - cost.shift_luts)), "{cost:?}");
    assert!((256..330).contains(&cost.registers), "{cost:?}");
    let through = cost.worst.through.join(" ");
    assert!(through.contains("b["), "{through}");
}

#[test]
fn mutants_are_the_original_until_they_are_switched_on() {
    let mutants = mutate(&sample(), 60, 7).unwrap();
    assert_eq!(mutants.mutations.len(), 60);
    assert!(mutants.mutations.iter().all(|m| !m.mode.is_empty() && m.source.contains("sample.v")));
    let other = mutate(&sample(), 60, 8).unwrap();
    assert_eq!(mutate(&sample(), 60, 7).unwrap().mutations, mutants.mutations);
    assert_ne!(other.mutations, mutants.mutations);

    let library = mutants.design.build().build(&cache()).unwrap();
    let run = |number: u64| {
        let mut model = library.instance(1).unwrap();
        let select = model.port(SELECT).unwrap();
        model.set_u64(select, number);
        drive(&mut model, 1000)
    };
    let mut original = sample().build().build(&cache()).unwrap().instance(1).unwrap();
    let want = drive(&mut original, 1000);
    assert_eq!(run(0), want);
    let caught = mutants.mutations.iter().filter(|m| run(m.number) != want).count();
    assert!(caught >= 50, "{caught} of 60");
}

fn synth_tool(args: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_synth")).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_synth_command_reads_a_folder() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("synth");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    let leaf = "module leaf(input clk_i, input [35:0] a_i, output reg q_o); // of upper
        reg [35:0] a; always @(posedge clk_i) begin a <= a_i; q_o <= ^a; end endmodule";
    write("leaf.v", leaf);
    write(
        "upper.v",
        "module upper(input clk_i, input [35:0] a_i, output q_o);
            leaf u_leaf (.clk_i(clk_i), .a_i(a_i), .q_o(q_o)); endmodule",
    );
    write("notes.txt", "module notes");
    let dir = folder.to_str().unwrap();
    let (code, out, err) = synth_tool(&["--dir", dir, "--json"]);
    assert_eq!(code, Some(0), "{err}");
    let costs: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(costs.as_array().unwrap().len(), 1, "{out}");
    assert_eq!((&costs[0]["module"], &costs[0]["registers"]), (&"upper".into(), &37.into()));
    let (code, out, err) = synth_tool(&["--dir", dir, "--module", "leaf", "--levels", "1"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("leaf") && err.contains("LUTs between registers, 1 are allowed"), "{err}");
    let (code, _, err) = synth_tool(&["--dir", dir, "--module", "none"]);
    assert_eq!(code, Some(2));
    assert!(err.contains("no module `none`; there are leaf, upper"), "{err}");
    assert_eq!(synth_tool(&["--dir", "/nowhere"]).0, Some(2));
    write("leaf.v", "module leaf(");
    let (code, _, err) = synth_tool(&["--dir", dir]);
    assert_eq!(code, Some(1));
    assert!(err.contains("syntax error"), "{err}");
}

#[test]
fn costs_are_written_as_json() {
    let text = serde_json::to_string(&Cost::default()).unwrap();
    assert!(text.contains("\"half_rams\":0") && text.contains("\"worst\""), "{text}");
}
