//! Commands on custom CRCs.

use super::commands::Args;
use super::error::Stop;
use super::session::Session;
use crate::entry::{CrcParams, Write};

pub(super) fn set_16(s: &mut Session, args: &Args) -> Result<(), Stop> {
    set(s, args, 16)
}

pub(super) fn set_32(s: &mut Session, args: &Args) -> Result<(), Stop> {
    set(s, args, 32)
}

fn set(s: &mut Session, args: &Args, width: u32) -> Result<(), Stop> {
    let (name, rest) = args.first(s)?;
    let crc = s.named(args.line, name, s.program.find_crc(name.text))?;
    if let Some(decl) = s.program.crcs.get(crc).filter(|c| c.width != width) {
        let message = format_args!("{} has {} bits", decl.name, decl.width);
        let help = Some(format!("use set_crc{}_parameters", decl.width));
        return Err(s.fault(args.line, name, message, help));
    }
    let most = u64::from(u32::MAX >> (32 - width));
    let (polynomial, rest) = rest.one(s, "polynomial", most)?;
    let (start, rest) = rest.one(s, "start value", most)?;
    let (xor, rest) = rest.one(s, "final value", most)?;
    let (reflect_data, rest) = flag(s, rest)?;
    let (reflect_result, rest) = flag(s, rest)?;
    rest.end(s)?;
    let [polynomial, start, xor] = [polynomial, start, xor].map(|n| n as u32);
    let params = CrcParams { polynomial, start, xor, reflect_data, reflect_result };
    s.writes.push(Write::SetCrc(crc, params));
    Ok(())
}

fn flag<'a, 't>(s: &mut Session, args: Args<'a, 't>) -> Result<(bool, Args<'a, 't>), Stop> {
    let (word, rest) = args.first(s)?;
    match word.text {
        "true" | "True" | "1" => Ok((true, rest)),
        "false" | "False" | "0" => Ok((false, rest)),
        _ => Err(s.fault(args.line, word, "this is neither `true` nor `false`", None)),
    }
}
