//! Small things that the shell's circuits are made of.

use crate::net::{Drive, Module, Net};
use restage_manifest::{PhvBits, ShellConfig, ShellField};
use restage_program::Bits;

/// Bits that hold the numbers 0 to `most`.
pub(super) fn bits_for(most: u32) -> u32 {
    (u32::BITS - most.leading_zeros()).max(1)
}

/// A register that always takes `next` and is 0 after a reset.
#[track_caller]
pub(super) fn state(m: &mut Module, name: &str, next: Net) -> Net {
    let width = m.width(next);
    let reg = m.reg(name, width);
    m.drive(reg, next, Drive::always().reset(Bits::zero(width)));
    reg.q()
}

/// A register that takes `next` when `enable` is 1 and is 0 after a reset.
#[track_caller]
pub(super) fn state_when(m: &mut Module, name: &str, enable: Net, next: Net) -> Net {
    let width = m.width(next);
    let reg = m.reg(name, width);
    m.drive(reg, next, Drive::when(enable).reset(Bits::zero(width)));
    reg.q()
}

/// A register without reset that takes `next` when `enable` is 1.
#[track_caller]
pub(super) fn held(m: &mut Module, name: &str, enable: Net, next: Net) -> Net {
    let width = m.width(next);
    let reg = m.reg(name, width);
    m.drive(reg, next, Drive::when(enable));
    reg.q()
}

/// A bit some clocks later, 0 after a reset.
#[track_caller]
pub(super) fn later(m: &mut Module, name: &str, bit: Net, clocks: u32) -> Net {
    (0..clocks).fold(bit, |bit, _| state(m, name, bit))
}

/// A register that counts up by 1 bit `up` and down by 1 bit `down`; 0 after a reset.
#[track_caller]
pub(super) fn up_down(m: &mut Module, name: &str, width: u32, up: Net, down: &[Net]) -> Net {
    let reg = m.reg(name, width);
    let up = m.zext(up, width);
    let mut next = m.add(reg.q(), up);
    for down in down {
        let down = m.zext(*down, width);
        next = m.sub(next, down);
    }
    m.drive(reg, next, Drive::always().reset(Bits::zero(width)));
    reg.q()
}

/// A register that counts up when `up` is 1; 0 after a reset.
#[track_caller]
pub(super) fn counter(m: &mut Module, name: &str, width: u32, up: Net) -> Net {
    let reg = m.reg(name, width);
    let one = m.lit(width, 1);
    let next = m.add(reg.q(), one);
    m.drive(reg, next, Drive::when(up).reset(Bits::zero(width)));
    reg.q()
}

/// An event: a packet's tag does not follow that of the packet before.
#[track_caller]
pub(super) fn out_of_turn(m: &mut Module, valid: Net, tag: Net) -> Net {
    let width = m.width(tag);
    let expected = m.reg("expected", width);
    let one = m.lit(width, 1);
    let next = m.add(tag, one);
    m.drive(expected, next, Drive::when(valid).reset(Bits::zero(width)));
    let other = m.ne(tag, expected.q());
    let wrong = m.and(valid, other);
    state(m, "disordered", wrong)
}

/// Whether a net has a given value.
#[track_caller]
pub(super) fn is(m: &mut Module, net: Net, value: u64) -> Net {
    let width = m.width(net);
    let value = m.lit(width, value);
    m.eq(net, value)
}

/// All of some bits.
#[track_caller]
pub(super) fn both(m: &mut Module, bits: &[Net]) -> Net {
    m.and_all(bits)
}

/// The first without the second.
#[track_caller]
pub(super) fn but_not(m: &mut Module, bit: Net, not: Net) -> Net {
    let not = m.not(not);
    m.and(bit, not)
}

/// A number of bytes, at least 1, as a number of beats; the result is as wide as the number.
#[track_caller]
pub(super) fn beats_of(m: &mut Module, bytes: Net, data_bytes: u32) -> Net {
    let width = m.width(bytes) + 1;
    let wide = m.zext(bytes, width);
    let up = m.lit(width, u64::from(data_bytes) - 1);
    let sum = m.add(wide, up);
    let beats = m.slice(sum, width - 1, data_bytes.trailing_zeros());
    m.resize(beats, width - 1)
}

/// A shell field of a PHV, or of its lower end.
#[track_caller]
pub(super) fn field(m: &mut Module, config: &ShellConfig, phv: Net, field: ShellField) -> Net {
    match field.at(config) {
        Some(PhvBits { low, width }) => m.slice(phv, low + width - 1, low),
        None => m.lit(field.width(), 0),
    }
}

/// A PHV with some bits replaced. Fields that the shell does not have are left out.
#[track_caller]
pub(super) fn replace(
    m: &mut Module,
    config: &ShellConfig,
    phv: Net,
    fields: &[(ShellField, Net)],
) -> Net {
    let mut values: Vec<(PhvBits, Net)> =
        fields.iter().filter_map(|(f, net)| Some((f.at(config)?, *net))).collect();
    values.sort_by_key(|(at, _)| at.low);
    let (mut parts, mut next) = (Vec::new(), 0);
    for (at, net) in values {
        if at.low > next {
            parts.push(m.slice(phv, at.low - 1, next));
        }
        parts.push(net);
        next = at.low + at.width;
    }
    let width = m.width(phv);
    if next < width {
        parts.push(m.slice(phv, width - 1, next));
    }
    parts.reverse();
    m.concat(&parts)
}

/// Named values side by side in one net.
#[derive(Clone, Debug, Default)]
pub(super) struct Bundle {
    fields: Vec<(&'static str, u32)>,
}

impl Bundle {
    /// With one more field; the first is the least significant.
    pub fn with(mut self, name: &'static str, width: u32) -> Self {
        self.fields.push((name, width));
        self
    }

    /// With one more field if a condition holds.
    pub fn with_if(self, condition: bool, name: &'static str, width: u32) -> Self {
        if condition { self.with(name, width) } else { self }
    }

    /// Bits of all fields.
    pub fn width(&self) -> u32 {
        self.fields.iter().map(|f| f.1).sum()
    }

    /// Whether there is a field.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|f| f.0 == name)
    }

    /// All fields into one net. Values for fields that it does not have are left out.
    #[track_caller]
    pub fn pack(&self, m: &mut Module, values: &[(&str, Net)]) -> Net {
        let mut parts = Vec::new();
        for (name, width) in self.fields.iter().rev() {
            match values.iter().find(|v| v.0 == *name) {
                Some((_, net)) if m.width(*net) == *width => parts.push(*net),
                Some((_, net)) => {
                    let found = m.width(*net);
                    m.refuse(format!("`{name}` has {found} bits; {width} are wanted"));
                }
                None => m.refuse(format!("there is no value for `{name}`")),
            }
        }
        if parts.is_empty() { m.lit(self.width().max(1), 0) } else { m.concat(&parts) }
    }

    /// One field; 0 if there is none of that name.
    #[track_caller]
    pub fn get(&self, m: &mut Module, packed: Net, name: &str) -> Net {
        let mut low = 0;
        for (field, width) in &self.fields {
            if *field == name {
                return m.slice(packed, low + width - 1, low);
            }
            low += width;
        }
        m.lit(1, 0)
    }

    /// The same bundle with some fields replaced. Values for fields that it does not have are left out.
    #[track_caller]
    pub fn set(&self, m: &mut Module, packed: Net, values: &[(&str, Net)]) -> Net {
        let mut all = Vec::new();
        for (name, _) in &self.fields {
            match values.iter().find(|v| v.0 == *name) {
                Some((_, net)) => all.push((*name, *net)),
                None => all.push((*name, self.get(m, packed, name))),
            }
        }
        self.pack(m, &all)
    }
}
