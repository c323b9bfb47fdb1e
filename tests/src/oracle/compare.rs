//! Packets that came out against packets that should have.

use super::case::Frame;
use super::stf::Pattern;
use std::collections::BTreeMap;

/// How alike they are.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same on every port, in the same order.
    Same,
    /// The same on every port, in another order on some.
    Reordered,
    /// This is not the same.
    Different(String),
}

fn by_port<T>(items: impl Iterator<Item = (u16, T)>) -> BTreeMap<u16, Vec<T>> {
    let mut ports: BTreeMap<u16, Vec<T>> = BTreeMap::new();
    for (port, item) in items {
        ports.entry(port).or_default().push(item);
    }
    ports
}

/// Compares what one packet caused.
pub fn frames(want: &[Frame], have: &[Frame]) -> Verdict {
    let want = by_port(want.iter().map(|f| (f.port, f.bytes.as_slice())));
    let have = by_port(have.iter().map(|f| (f.port, f.bytes.as_slice())));
    let mut verdict = Verdict::Same;
    for port in want.keys().chain(have.keys()) {
        let none = Vec::new();
        let (want, have) = (want.get(port).unwrap_or(&none), have.get(port).unwrap_or(&none));
        if want == have {
            continue;
        }
        let (mut want, mut have) = (want.clone(), have.clone());
        want.sort_unstable();
        have.sort_unstable();
        if want != have {
            return Verdict::Different(difference(*port, &want, &have));
        }
        verdict = Verdict::Reordered;
    }
    verdict
}

fn difference(port: u16, want: &[&[u8]], have: &[&[u8]]) -> String {
    let mut text = format!("port {port}: BMv2 sent {}, the model {}", want.len(), have.len());
    let missing: Vec<&&[u8]> = want.iter().filter(|w| !have.contains(w)).collect();
    let extra: Vec<&&[u8]> = have.iter().filter(|h| !want.contains(h)).collect();
    for frame in missing.iter().take(4) {
        text += &format!("\n    BMv2   {}", hex(frame));
    }
    for frame in extra.iter().take(4) {
        text += &format!("\n    model  {}", hex(frame));
    }
    if let ([want], [have]) = (missing.as_slice(), extra.as_slice()) {
        let at = want.iter().zip(have.iter()).position(|(w, h)| w != h);
        let at = at.unwrap_or(want.len().min(have.len()));
        text += &format!(
            "\n    lengths {} and {}; the first difference is at byte {at}",
            want.len(),
            have.len()
        );
    }
    text
}

/// Compares what a test caused with what it expects.
pub fn patterns(want: &[(u16, Pattern)], have: &[Frame]) -> Result<(), String> {
    let want = by_port(want.iter().map(|(port, p)| (*port, p)));
    let have = by_port(have.iter().map(|f| (f.port, f.bytes.as_slice())));
    for port in want.keys().chain(have.keys()) {
        let (none, nothing) = (Vec::new(), Vec::new());
        let (want, have) = (want.get(port).unwrap_or(&none), have.get(port).unwrap_or(&nothing));
        let alike = want.iter().zip(have).all(|(p, f)| p.matches(f));
        if want.len() != have.len() || !alike {
            let mut text = format!(
                "port {port}: {} packets are expected, the model sent {}",
                want.len(),
                have.len()
            );
            for pattern in want.iter().take(4) {
                text += &format!("\n    expected {pattern}");
            }
            for frame in have.iter().take(4) {
                text += &format!("\n    model    {}", hex(frame));
            }
            return Err(text);
        }
    }
    Ok(())
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(port: u16, byte: u8) -> Frame {
        Frame { port, bytes: vec![byte] }
    }

    #[test]
    fn order_counts_on_one_port_only_as_a_set() {
        let want = [frame(1, 1), frame(1, 2), frame(2, 3)];
        assert_eq!(frames(&want, &want), Verdict::Same);
        assert_eq!(frames(&want, &[frame(2, 3), frame(1, 1), frame(1, 2)]), Verdict::Same);
        assert_eq!(frames(&want, &[frame(1, 2), frame(1, 1), frame(2, 3)]), Verdict::Reordered);
        for wrong in [
            vec![frame(1, 1), frame(1, 2)],
            vec![frame(1, 1), frame(1, 1), frame(2, 3)],
            vec![frame(1, 1), frame(1, 2), frame(3, 3)],
            vec![frame(1, 1), frame(1, 2), frame(2, 3), frame(4, 0)],
        ] {
            assert!(matches!(frames(&want, &wrong), Verdict::Different(_)), "{wrong:?}");
        }
    }
}
