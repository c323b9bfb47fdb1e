//! Messages to the control plane.

use super::Fifos;
use super::kit::{but_not, is, later, state};
use super::shape::{ADDRESS_BITS, WORD_BITS};
use super::words::read;
use crate::net::{Circuit, Module, NetFault};
use restage_manifest::address::shell as word;
use restage_manifest::{ShellConfig, ShellField};

/// Messages that may wait.
const DEPTH: u32 = 256;

/// `restage_digest`: a queue of messages, read over the configuration bus.
///
/// Contract: `digest_valid_i` with `digest_i`, the number and one in the lowest bits. A message that finds the
/// queue full is lost and counted by `lost_o`. `csr_*` as for all units of the shell.
pub fn digest(config: &ShellConfig, fifos: &mut Fifos) -> Result<Circuit, Vec<NetFault>> {
    let number_bits = ShellField::Digest.width();
    let width = number_bits + config.digest_bits;
    let mut module = Module::new("restage_digest");
    let m = &mut module;
    m.about(
        "restage_digest - messages to the control plane: a queue, read over the configuration bus",
    );
    m.section("ports");
    let valid = m.input("digest_valid_i", 1);
    let message = m.input("digest_i", width);
    let write = m.input("csr_write_i", 1);
    let address = m.input("csr_addr_i", ADDRESS_BITS);
    let write = later(m, "csr_write", write, 1);
    let address = m.delay(address, 1);

    m.section("messages");
    let full = m.wire("full", 1);
    let push = but_not(m, valid, full.net());
    let lost = m.and(valid, full.net());
    let lost = state(m, "lost", lost);
    m.output("lost_o", lost);
    let fifo = fifos.get(width, DEPTH)?;
    let pop = m.wire("pop", 1);
    let queue = m.instance(
        &fifo,
        "u_messages",
        &[("push_i", push), ("data_i", message), ("pop_i", pop.net())],
    );
    let there = m.pin(queue, "valid_o");
    let first = m.pin(queue, "data_o");
    let count = m.pin(queue, "count_o");
    let top = m.bit(count, DEPTH.trailing_zeros());
    m.assign(full, top);
    let here = is(m, address, word::DIGEST_POP.into());
    let wanted = m.and(write, here);
    let popped = m.and(wanted, there);
    m.assign(pop, popped);

    m.section("reading");
    let nothing = m.lit(number_bits, 0);
    let number = m.slice(first, number_bits - 1, 0);
    let number = m.mux(there, number, nothing);
    let number = m.zext(number, WORD_BITS);
    let count = m.zext(count, WORD_BITS);
    let mut values = vec![(word::DIGEST_COUNT, count), (word::DIGEST_NUMBER, number)];
    for at in 0..config.digest_bits.div_ceil(WORD_BITS) {
        let low = number_bits + at * WORD_BITS;
        let part = m.slice(first, (low + WORD_BITS - 1).min(width - 1), low);
        let part = m.zext(part, WORD_BITS);
        values.push((word::DIGEST_DATA + at, part));
    }
    let read = read(m, address, &values);
    m.output("csr_rdata_o", read);
    module.finish()
}
