//! From checked modules to Verilog: the only place that knows `rust_hdl`.

use crate::net::{Module, ModuleInterface};

pub(crate) fn verilog(_module: &Module, interface: &ModuleInterface) -> String {
    format!("// {}\n", interface.name)
}

pub(crate) fn stub(interface: &ModuleInterface) -> String {
    format!("// {}\n", interface.name)
}
