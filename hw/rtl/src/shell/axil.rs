//! AXI4-Lite to the configuration bus.

use super::kit::{both, but_not, held, is, later, state};
use super::shape::WORD_BITS;
use super::words::READ_CLOCKS;
use crate::net::{Circuit, Drive, Module, Net, NetFault};
use restage_manifest::address::SILENT;
use restage_manifest::socket::CFG_PATIENCE;
use restage_manifest::{ShellConfig, address};
use restage_program::Bits;

/// Bits of a byte address.
pub const AXIL_ADDRESS_BITS: u32 = 24;
/// Clocks between a request and the first slot that is kept free for it; then one in so many is.
const YIELD_EVERY: u32 = 16;

/// `restage_axil`: one request at a time, from AXI4-Lite to the shell's registers or a region.
///
/// Contract:
/// * `s_axil_*`: AXI4-Lite, 32 bits of data, whole words: strobes are not looked at. A write waits for its
///   address and its data; of a read and a write at the same clock the write goes first.
/// * Unit 0 is the shell: `csr_write_o` is high for one clock with `csr_addr_o` and `csr_wdata_o`, and
///   `csr_rdata_i` is taken as many clocks later as its units need. A write is not answered while `csr_stall_i` is 1.
/// * Other units are regions: bit N - 1 of `cfg_valid_o` is high for one clock, `cfg_ack_i` and `cfg_rdata_i`
///   likewise belong to unit N; the other outputs stay until the answer.
/// * What does not answer within `CFG_PATIENCE` clocks, or a unit that does not exist, gives SLVERR,
///   and a read the word `SILENT`. There is always an answer.
/// * `yield_o` is high for one clock in sixteen while a region has not answered: packets shall leave a slot.
pub fn axil(config: &ShellConfig) -> Result<Circuit, Vec<NetFault>> {
    let regions = address::last(config);
    let mut module = Module::new("restage_axil");
    let m = &mut module;
    m.about(
        "restage_axil - one request at a time, from AXI4-Lite to the shell's registers or a region",
    );
    m.section("ports");
    let awaddr = m.input("s_axil_awaddr", AXIL_ADDRESS_BITS);
    let awvalid = m.input("s_axil_awvalid", 1);
    let wdata = m.input("s_axil_wdata", WORD_BITS);
    let _ = m.input("s_axil_wstrb", WORD_BITS / 8);
    let wvalid = m.input("s_axil_wvalid", 1);
    let bready = m.input("s_axil_bready", 1);
    let araddr = m.input("s_axil_araddr", AXIL_ADDRESS_BITS);
    let arvalid = m.input("s_axil_arvalid", 1);
    let rready = m.input("s_axil_rready", 1);
    let csr_rdata = m.input("csr_rdata_i", WORD_BITS);
    let stall = m.input("csr_stall_i", 1);
    let acks = m.input("cfg_ack_i", regions);
    let rdatas = m.input("cfg_rdata_i", regions * WORD_BITS);

    m.section("taking a request: each channel has one place");
    let busy = m.reg("busy", 1);
    let idle = m.not(busy.q());
    let place = |m: &mut Module, name: &str, valid: Net, what: Net| {
        let full = m.reg(&format!("{name}_full"), 1);
        let free = m.not(full.q());
        m.output_logic(&format!("s_axil_{name}ready"), free);
        let comes = m.and(valid, free);
        let what = held(m, &format!("{name}_held"), comes, what);
        (full, comes, what)
    };
    let (aw, aw_comes, awaddr) = place(m, "aw", awvalid, awaddr);
    let (w, w_comes, wdata) = place(m, "w", wvalid, wdata);
    let (ar, ar_comes, araddr) = place(m, "ar", arvalid, araddr);
    let writes = both(m, &[idle, aw.q(), w.q()]);
    let writes = m.named("takes_write", writes);
    let reads = m.and(idle, ar.q());
    let reads = but_not(m, reads, writes);
    let reads = m.named("takes_read", reads);
    for (full, comes, goes) in [(aw, aw_comes, writes), (w, w_comes, writes), (ar, ar_comes, reads)]
    {
        let stays = but_not(m, full.q(), goes);
        let next = m.or(stays, comes);
        m.drive(full, next, Drive::always().reset(Bits::zero(1)));
    }
    let takes = m.or(writes, reads);
    let taken = state(m, "taken", takes);
    let write = held(m, "write", takes, writes);
    let from = m.mux(writes, awaddr, araddr);
    let from = held(m, "address", takes, from);
    let data = held(m, "wdata", writes, wdata);
    let unit = m.slice(from, 23, 16);
    let word = m.slice(from, 15, 2);

    m.section("handing it on");
    let own = is(m, unit, address::SHELL.into());
    let to_csr = both(m, &[taken, own, write]);
    let to_csr = state(m, "csr_write", to_csr);
    m.output("csr_write_o", to_csr);
    m.output("csr_addr_o", word);
    m.output("csr_wdata_o", data);
    let mut valids = Vec::new();
    let mut answers = Vec::new();
    let mut known = vec![own];
    for number in 1..=regions {
        let here = is(m, unit, number.into());
        known.push(here);
        let valid = m.and(taken, here);
        valids.push(state(m, &format!("cfg_valid_{number}"), valid));
        let ack = m.bit(acks, number - 1);
        let ack = m.and(here, ack);
        let rdata = m.slice(rdatas, number * WORD_BITS - 1, (number - 1) * WORD_BITS);
        answers.push((ack, rdata));
    }
    valids.reverse();
    let valids = m.concat(&valids);
    m.output("cfg_valid_o", valids);
    m.output("cfg_write_o", write);
    m.output("cfg_addr_o", word);
    m.output("cfg_wdata_o", data);

    m.section("the answer");
    let acks: Vec<Net> = answers.iter().map(|a| a.0).collect();
    let ack = m.or_all(&acks);
    let of_region = m.select(&answers);
    let known = m.or_all(&known);
    let unknown = but_not(m, taken, known);
    let own_taken = m.and(taken, own);
    let own_due = later(m, "csr_due", own_taken, READ_CLOCKS + 3);
    let stalled = m.reg("csr_stalled", 1);
    let own_due = m.or(own_due, stalled.q());
    let stall = m.and(stall, write);
    let own_done = but_not(m, own_due, stall);
    let bits = CFG_PATIENCE.trailing_zeros() + 1;
    let waited = m.reg("waited", bits);
    let one = m.lit(bits, 1);
    let zero = m.lit(bits, 0);
    let up = m.add(waited.q(), one);
    let next = m.mux(takes, zero, up);
    m.drive(waited, next, Drive::always().reset(Bits::zero(bits)));
    let waits = m.reg("waits", 1);
    let late = m.bit(waited.q(), bits - 1);
    let answered = m.or_all(&[ack, own_done, unknown, late]);
    let answered = m.and(answered, waits.q());
    let answered = m.named("answered", answered);
    let stall_next = but_not(m, own_due, answered);
    m.drive(stalled, stall_next, Drive::always().reset(Bits::zero(1)));
    let still = but_not(m, waits.q(), answered);
    let wait_next = m.or(takes, still);
    m.drive(waits, wait_next, Drive::always().reset(Bits::zero(1)));
    let fine = m.or(ack, own_done);
    let failed = m.not(fine);
    let silent = m.lit(WORD_BITS, SILENT.into());
    let result = m.mux(own_done, csr_rdata, of_region);
    let result = m.mux(failed, silent, result);
    let result = held(m, "rdata", answered, result);
    let failed = held(m, "failed", answered, failed);
    let write_done = m.and(answered, write);
    let read_done = but_not(m, answered, write);
    let mut ends = Vec::new();
    for (name, done, ready) in [("bvalid", write_done, bready), ("rvalid", read_done, rready)] {
        let reg = m.reg(name, 1);
        let leaves = m.and(reg.q(), ready);
        let stays = but_not(m, reg.q(), ready);
        let next = m.or(stays, done);
        m.drive(reg, next, Drive::always().reset(Bits::zero(1)));
        m.output(&format!("s_axil_{name}"), reg.q());
        ends.push(leaves);
    }
    let no = m.lit(1, 0);
    let resp = m.concat(&[failed, no]);
    m.output("s_axil_bresp", resp);
    m.output("s_axil_rresp", resp);
    m.output("s_axil_rdata", result);
    let end = m.or(ends[0], ends[1]);
    let stays = but_not(m, busy.q(), end);
    let busy_next = m.or(stays, takes);
    m.drive(busy, busy_next, Drive::always().reset(Bits::zero(1)));

    m.section("slots for the region");
    let low = m.slice(waited.q(), YIELD_EVERY.trailing_zeros() - 1, 0);
    let turn = m.all(low);
    let yields = m.and(turn, waits.q());
    let yields = state(m, "yield", yields);
    m.output("yield_o", yields);
    module.finish()
}
