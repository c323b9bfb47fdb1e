//! Differences in words: packets by the names of their headers' fields.

use restage_golden::Event;
use restage_program::program::{FieldDecl, Program};
use restage_program::standard::instance;
use restage_program::{Checked, Type};

/// A packet that leaves.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// By this port.
    pub port: u16,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// The steps of a pass, if they are to be told.
#[derive(Debug)]
pub struct Told<'a> {
    program: &'a Checked,
    wanted: bool,
    steps: Vec<String>,
    entered: usize,
    parsed: usize,
    deparsed: Option<(Vec<String>, usize)>,
    /// What was in each packet that was sent: its headers and their bytes.
    sent: Vec<(Vec<String>, usize)>,
}

impl<'a> Told<'a> {
    /// No steps yet.
    pub fn new(program: &'a Checked, wanted: bool) -> Self {
        let (steps, sent) = (Vec::new(), Vec::new());
        Told { program, wanted, steps, entered: 0, parsed: 0, deparsed: None, sent }
    }

    /// Notes a step.
    pub fn step(&mut self, event: &Event<'_>) {
        if !self.wanted {
            return;
        }
        self.steps.push(event.to_string());
        match event {
            Event::Enter { bytes, .. } => self.entered = *bytes,
            Event::Parsed(bytes) => self.parsed = *bytes,
            Event::Deparse { headers, bytes } => {
                let payload = self.entered.saturating_sub(self.parsed);
                let names = headers.iter().map(ToString::to_string).collect();
                self.deparsed = Some((names, bytes.saturating_sub(payload)));
            }
            Event::Fate(text) if text.starts_with("sent to port") => {
                self.sent.extend(self.deparsed.take());
            }
            _ => {}
        }
    }
}

/// How what left differs from what should.
pub fn difference(
    copy: usize,
    model: Sent<'_>,
    hardware: Option<Sent<'_>>,
    told: &Told<'_>,
) -> String {
    let mut lines = Vec::new();
    match hardware {
        None => lines.push(format!(
            "  copy {copy}: the model sends {} bytes to port {}, the hardware nothing more: {}",
            model.bytes.len(),
            model.port,
            hex(model.bytes)
        )),
        Some(hardware) => {
            let mut say = |what: &str, model: String, hardware: String| {
                if model != hardware {
                    lines.push(format!("  {what}: model {model}, hardware {hardware}"));
                }
            };
            say("port", model.port.to_string(), hardware.port.to_string());
            say("bytes", model.bytes.len().to_string(), hardware.bytes.len().to_string());
            let mut at = 0;
            if let Some((headers, length)) = told.sent.get(copy) {
                for (name, bits) in fields(told.program, headers, 8 * length) {
                    let of = |bytes| value(bytes, at, bits);
                    say(&name, of(model.bytes), of(hardware.bytes));
                    at += bits;
                }
            }
            let byte = |bytes: &[u8], at: usize| {
                bytes.get(at).map_or("none".into(), |b| format!("{b:#04x}"))
            };
            let end = model.bytes.len().max(hardware.bytes.len());
            let first = (at / 8..end).find(|i| model.bytes.get(*i) != hardware.bytes.get(*i));
            if let Some(at) = first {
                say(&format!("byte {at}"), byte(model.bytes, at), byte(hardware.bytes, at));
            }
            lines.insert(0, format!("  copy {copy} differs"));
            lines.push(format!("  model:    {}", hex(model.bytes)));
            lines.push(format!("  hardware: {}", hex(hardware.bytes)));
        }
    }
    if told.wanted {
        lines.push("  what the model did:".into());
        lines.extend(told.steps.iter().map(|step| format!("    {step}")));
    }
    lines.join("\n")
}

/// Names and widths of the fields of headers of so many bits together. A varbit has what the others leave.
fn fields(program: &Program, headers: &[String], bits: usize) -> Vec<(String, usize)> {
    let mut found: Vec<(String, Option<usize>)> = Vec::new();
    for name in headers {
        let Some(decl) = program.headers.values().find(|h| h.name == *name) else { continue };
        let Some(ty) = program.header_types.get(decl.ty) else { continue };
        let width =
            |f: &FieldDecl| (!matches!(f.ty, Type::Varbit(_))).then(|| f.ty.width() as usize);
        found.extend(ty.fields.iter().map(|f| (format!("{name}.{}", f.name), width(f))));
    }
    let fixed: usize = found.iter().filter_map(|(_, width)| *width).sum();
    let left = bits.saturating_sub(fixed);
    found.into_iter().map(|(name, width)| (name, width.unwrap_or(left))).collect()
}

/// Bits of a packet in hexadecimal.
fn value(bytes: &[u8], at: usize, bits: usize) -> String {
    if at + bits > 8 * bytes.len() {
        return "not there".into();
    }
    let bit = |i: usize| bytes[i / 8] >> (7 - i % 8) & 1;
    let digits = bits.div_ceil(4);
    let first = (at + bits).wrapping_sub(4 * digits);
    let digit = |d: usize| {
        let start = first.wrapping_add(4 * d);
        let all = (0..4).map(|k| start.wrapping_add(k));
        let nibble =
            all.fold(0, |n, i| n << 1 | if (at..at + bits).contains(&i) { bit(i) } else { 0 });
        char::from_digit(nibble.into(), 16).unwrap_or('?')
    };
    format!("0x{}", (0..digits).map(digit).collect::<String>())
}

/// What a value of `instance_type` means.
pub fn kind(kind: u64) -> String {
    match u32::try_from(kind).unwrap_or(u32::MAX) {
        instance::NORMAL => "a packet".into(),
        instance::INGRESS_CLONE => "a clone made in ingress".into(),
        instance::EGRESS_CLONE => "a clone made in egress".into(),
        instance::RECIRCULATED => "a recirculated packet".into(),
        instance::RESUBMITTED => "a resubmitted packet".into(),
        other => format!("a packet of instance type {other}"),
    }
}

/// Bytes for people.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_where_they_are() {
        let bytes = [0x12, 0x34, 0x5f];
        assert_eq!(value(&bytes, 0, 8), "0x12");
        assert_eq!(value(&bytes, 4, 12), "0x234");
        assert_eq!(value(&bytes, 1, 3), "0x1");
        assert_eq!(value(&bytes, 3, 5), "0x12");
        assert_eq!(value(&bytes, 20, 8), "not there");
    }

    #[test]
    fn a_difference_names_the_field() {
        let item = restage_library::get("l3_acl").unwrap();
        let program = item.program().check().unwrap();
        let mut told = Told::new(&program, true);
        told.step(&Event::Enter { pass: 1, port: 1, bytes: 40, instance: 0 });
        told.step(&Event::Parsed(34));
        let headers: Vec<&str> =
            program.headers.values().map(|h| h.name.as_str()).take(2).collect();
        assert_eq!(headers, ["eth", "ipv4"]);
        told.step(&Event::Deparse { headers, bytes: 40 });
        told.step(&Event::Fate("sent to port 2, 40 bytes".into()));
        let (model, mut wrong) = ([7u8; 40], [7u8; 40]);
        wrong[22] = 9;
        let text = difference(
            0,
            Sent { port: 2, bytes: &model },
            Some(Sent { port: 2, bytes: &wrong }),
            &told,
        );
        assert!(text.contains("ipv4.ttl: model 0x07, hardware 0x09"), "{text}");
        assert!(!text.contains("eth.") && !text.contains("ipv4.protocol:"), "{text}");
    }
}
