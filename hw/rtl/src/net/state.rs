//! Registers, and wires for what is known later.

use super::{Def, FaultKind, Module, Net};
use restage_program::Bits;
use std::panic::Location;

/// A register that is driven explicitly; for plain delays there is [`Module::delay`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Reg {
    pub(crate) index: u32,
    pub(crate) q: Net,
}

impl Reg {
    /// Its value.
    pub fn q(self) -> Net {
        self.q
    }
}

/// A net whose driver is given later.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Wire {
    pub(crate) index: u32,
    pub(crate) net: Net,
}

impl Wire {
    /// Its value.
    pub fn net(self) -> Net {
        self.net
    }
}

/// When a register takes its next value.
#[derive(Clone, Debug, Default)]
pub struct Drive {
    /// Only when this bit is 1; always, if there is none.
    pub enable: Option<Net>,
    /// Value while `rst_ni` is 0; undefined until first driven, if there is none.
    pub reset: Option<Bits>,
}

impl Drive {
    /// At every clock, without reset.
    pub fn always() -> Self {
        Drive::default()
    }

    /// Only when the bit is 1.
    pub fn when(enable: Net) -> Self {
        Drive { enable: Some(enable), reset: None }
    }

    /// With a reset value as well.
    pub fn reset(self, value: Bits) -> Self {
        Drive { reset: Some(value), ..self }
    }

    /// With reset to 0 as well. The register must not be wider than 128 bits.
    pub fn reset_zero(self, width: u32) -> Self {
        self.reset(Bits::zero(width))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct RegDecl {
    pub q: Net,
    pub driver: Option<(Net, Drive)>,
    /// Section in which it is driven.
    pub section: u32,
    pub at: &'static Location<'static>,
}

#[derive(Clone, Debug)]
pub(crate) struct WireDecl {
    pub net: Net,
    pub driver: Option<Net>,
    pub at: &'static Location<'static>,
}

impl Module {
    /// A register. It must be [driven](Self::drive), which may come later than its use.
    #[track_caller]
    pub fn reg(&mut self, name: &str, width: u32) -> Reg {
        let at = Location::caller();
        let width = self.some_width(name, width, at);
        let index = self.regs.len() as u32;
        let q = Net(self.nets.len() as u32);
        let reg = Reg { index, q };
        self.push(Def::Reg(reg), width);
        let name = self.free_name(name);
        self.nets[q.0 as usize].name = Some(name);
        self.regs.push(RegDecl { q, driver: None, section: 0, at });
        reg
    }

    /// Says what a register's next value is.
    #[track_caller]
    pub fn drive(&mut self, reg: Reg, next: Net, drive: Drive) {
        let at = Location::caller();
        let Some(decl) = self.regs.get(reg.index as usize).filter(|r| r.q == reg.q) else {
            return self.fault(at, FaultKind::Foreign);
        };
        if decl.driver.is_some() {
            let name = self.nets[reg.q.0 as usize].name.clone().unwrap_or_default();
            return self.fault(at, FaultKind::DrivenTwice { name });
        }
        let width = self.width(reg.q);
        let section = self.sections.len() as u32 - 1;
        let slot = &mut self.regs[reg.index as usize];
        slot.driver = Some((next, drive.clone()));
        slot.section = section;
        let mut used = vec![next];
        used.extend(drive.enable);
        if !self.all_known(&used, at) {
            return;
        }
        if let Some(enable) = drive.enable {
            self.one_bit("enable of a register", enable, at);
        }
        let widths = [Some(self.width(next)), drive.reset.map(|r| r.width())];
        for right in widths.into_iter().flatten().filter(|w| *w != width) {
            self.fault(at, FaultKind::Widths { what: "drive", left: width, right });
        }
    }

    /// A net whose driver comes later. It must not feed itself without a register.
    #[track_caller]
    pub fn wire(&mut self, name: &str, width: u32) -> Wire {
        let at = Location::caller();
        let width = self.some_width(name, width, at);
        let index = self.wires.len() as u32;
        let net = Net(self.nets.len() as u32);
        let wire = Wire { index, net };
        self.push(Def::Wire(wire), width);
        let name = self.free_name(name);
        self.nets[net.0 as usize].name = Some(name);
        self.wires.push(WireDecl { net, driver: None, at });
        wire
    }

    /// Says what drives a wire.
    #[track_caller]
    pub fn assign(&mut self, wire: Wire, net: Net) {
        let at = Location::caller();
        let Some(decl) = self.wires.get(wire.index as usize).filter(|w| w.net == wire.net) else {
            return self.fault(at, FaultKind::Foreign);
        };
        if decl.driver.is_some() {
            let name = self.nets[wire.net.0 as usize].name.clone().unwrap_or_default();
            return self.fault(at, FaultKind::DrivenTwice { name });
        }
        self.wires[wire.index as usize].driver = Some(net);
        if !self.all_known(&[net], at) {
            return;
        }
        let (left, right) = (self.width(wire.net), self.width(net));
        if left != right {
            self.fault(at, FaultKind::Widths { what: "assign", left, right });
        }
    }
}
