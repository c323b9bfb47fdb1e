//! Bits taken apart, joined, extended and moved: operations that need no logic.

use super::ops::At;
use super::{Def, FaultKind, MAX_NET, Module, Net};
use restage_program::Bits;
use std::panic::Location;

impl Module {
    /// Bits `hi` to `lo`, both included.
    #[track_caller]
    pub fn slice(&mut self, a: Net, hi: u32, lo: u32) -> Net {
        let at = Location::caller();
        if !self.all_known(&[a], at) {
            return self.broken(1);
        }
        let width = self.width(a);
        if hi < lo || hi >= width {
            self.fault(at, FaultKind::Slice { hi, lo, width });
            return self.broken(hi.saturating_sub(lo).saturating_add(1));
        }
        self.make(Def::Slice { of: a, lo }, hi - lo + 1)
    }

    /// One bit.
    #[track_caller]
    pub fn bit(&mut self, a: Net, index: u32) -> Net {
        self.slice(a, index, index)
    }

    /// Joined, the first part most significant.
    #[track_caller]
    pub fn concat(&mut self, parts: &[Net]) -> Net {
        let at = Location::caller();
        if !self.all_known(parts, at) {
            return self.broken(1);
        }
        let width: u64 = parts.iter().map(|p| u64::from(self.width(*p))).sum();
        if parts.is_empty() {
            self.fault(at, FaultKind::Empty { what: "concat" });
            return self.broken(1);
        }
        if width > u64::from(MAX_NET) {
            let width = u32::try_from(width).unwrap_or(u32::MAX);
            self.fault(at, FaultKind::NoWidth { what: "concat".to_string(), width });
            return self.broken(width);
        }
        self.make(Def::Concat(parts.to_vec()), width as u32)
    }

    /// One bit, `times` times.
    #[track_caller]
    pub fn repeat(&mut self, a: Net, times: u32) -> Net {
        let at = Location::caller();
        let width = self.some_width("repeat", times, at);
        if !self.all_known(&[a], at) || !self.one_bit("repeat", a, at) {
            return self.broken(width);
        }
        self.make(Def::Repeat(a), width)
    }

    /// Extended by zeros to `width` bits.
    #[track_caller]
    pub fn zext(&mut self, a: Net, width: u32) -> Net {
        let at = Location::caller();
        match self.room(a, width, at) {
            None => self.broken(width),
            Some(0) => a,
            Some(more) => {
                let zeros = self.share(Def::Const(Bits::zero(more)), more);
                self.make(Def::Concat(vec![zeros, a]), width)
            }
        }
    }

    /// Extended by copies of the highest bit to `width` bits.
    #[track_caller]
    pub fn sext(&mut self, a: Net, width: u32) -> Net {
        let at = Location::caller();
        match self.room(a, width, at) {
            None => self.broken(width),
            Some(0) => a,
            Some(more) => {
                let top = self.width(a) - 1;
                let sign = self.make(Def::Slice { of: a, lo: top }, 1);
                let signs = self.make(Def::Repeat(sign), more);
                self.make(Def::Concat(vec![signs, a]), width)
            }
        }
    }

    /// Cut or extended by zeros to `width` bits.
    #[track_caller]
    pub fn resize(&mut self, a: Net, width: u32) -> Net {
        let width = self.some_width("resize", width, Location::caller());
        if self.width(a) > width { self.slice(a, width - 1, 0) } else { self.zext(a, width) }
    }

    /// Bits that extending to `width` adds.
    fn room(&mut self, a: Net, width: u32, at: At) -> Option<u32> {
        if !self.all_known(&[a], at) {
            return None;
        }
        let from = self.width(a);
        let width = self.some_width("extend", width, at);
        if width < from {
            self.fault(at, FaultKind::Extend { width: from, to: width });
        }
        width.checked_sub(from)
    }

    /// Moved up, zeros below; the width stays.
    #[track_caller]
    pub fn shl_const(&mut self, a: Net, by: u32) -> Net {
        let width = self.width(a);
        if by == 0 {
            return a;
        }
        let zeros = self.bits(&Bits::zero(by.min(width)));
        if by >= width {
            return zeros;
        }
        let kept = self.slice(a, width - 1 - by, 0);
        self.concat(&[kept, zeros])
    }

    /// Moved down, zeros above; the width stays.
    #[track_caller]
    pub fn shr_const(&mut self, a: Net, by: u32) -> Net {
        let width = self.width(a);
        if by >= width {
            return self.bits(&Bits::zero(width));
        }
        let kept = self.slice(a, width - 1, by);
        self.zext(kept, width)
    }
}
