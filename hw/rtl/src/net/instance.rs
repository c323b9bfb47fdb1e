//! Modules inside of modules.

use super::{Def, Direction, FaultKind, Module, ModuleInterface, Net};
use std::panic::Location;

/// An instance of another module; its outputs are asked for by [`Module::pin`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Instance(pub(crate) u32);

#[derive(Clone, Debug)]
pub(crate) struct InstanceDecl {
    pub name: String,
    pub of: ModuleInterface,
    /// By position in the interface; `None` for outputs and for inputs that are missing.
    pub inputs: Vec<Option<Net>>,
    /// By position in the interface; `None` for inputs.
    pub outputs: Vec<Option<Net>>,
    pub section: u32,
}

impl Module {
    /// Puts an instance of a module into this one, all its inputs connected. Clock and reset connect
    /// themselves.
    #[track_caller]
    pub fn instance(
        &mut self,
        of: &ModuleInterface,
        name: &str,
        inputs: &[(&str, Net)],
    ) -> Instance {
        let at = Location::caller();
        self.claim(name, at);
        let index = self.instances.len() as u32;
        let section = self.sections.len() as u32 - 1;
        let count = of.ports.len();
        self.instances.push(InstanceDecl {
            name: name.to_string(),
            of: of.clone(),
            inputs: vec![None; count],
            outputs: vec![None; count],
            section,
        });
        for (position, port) in of.ports.iter().enumerate() {
            if port.direction == Direction::Output {
                let net = self.push(Def::Pin(Instance(index), position as u32), port.width);
                let wish = self.free_name(&format!("{name}_{}", port.name));
                self.nets[net.0 as usize].name = Some(wish);
                self.instances[index as usize].outputs[position] = Some(net);
            }
        }
        for (port, net) in inputs {
            self.connect(index, port, *net, at);
        }
        let missing: Vec<String> = of
            .ports
            .iter()
            .zip(&self.instances[index as usize].inputs)
            .filter(|(port, net)| port.direction == Direction::Input && net.is_none())
            .map(|(port, _)| format!("{name}.{}", port.name))
            .collect();
        for name in missing {
            self.fault(at, FaultKind::NeverDriven { name });
        }
        Instance(index)
    }

    fn connect(&mut self, index: u32, port: &str, net: Net, at: &'static Location<'static>) {
        let decl = &self.instances[index as usize];
        let found =
            decl.of.ports.iter().position(|p| p.name == port && p.direction == Direction::Input);
        let Some(position) = found else {
            let kind = no_port(decl, "input", port);
            return self.fault(at, kind);
        };
        if decl.inputs[position].is_some() {
            let name = format!("{}.{port}", decl.name);
            return self.fault(at, FaultKind::DrivenTwice { name });
        }
        let left = decl.of.ports[position].width;
        self.instances[index as usize].inputs[position] = Some(net);
        if !self.all_known(&[net], at) {
            return;
        }
        let right = self.width(net);
        if left != right {
            self.fault(at, FaultKind::Widths { what: "port of an instance", left, right });
        }
    }

    /// An output of an instance.
    #[track_caller]
    pub fn pin(&mut self, instance: Instance, port: &str) -> Net {
        let at = Location::caller();
        let Some(decl) = self.instances.get(instance.0 as usize) else {
            self.fault(at, FaultKind::Foreign);
            return self.broken(1);
        };
        let found = decl.of.ports.iter().position(|p| p.name == port);
        match found.and_then(|position| decl.outputs[position]) {
            Some(net) => net,
            None => {
                let kind = no_port(decl, "output", port);
                self.fault(at, kind);
                self.broken(1)
            }
        }
    }
}

fn no_port(decl: &InstanceDecl, direction: &'static str, port: &str) -> FaultKind {
    FaultKind::NoPort {
        instance: decl.name.clone(),
        module: decl.of.name.clone(),
        direction,
        port: port.to_string(),
    }
}
