//! What is done to a register, in words, for who is told that it takes too long.

use restage_compile::flow::{Access, AccessKind, Def, Flow, Value};
use restage_program::op::Op;
use restage_program::program::Program;

/// Characters of a statement in words.
const TEXT: usize = 160;

/// What an access does to a register, in words.
pub(super) fn statement(program: &Program, flow: &Flow, access: Access) -> String {
    let AccessKind::Register { register, write, .. } = &flow.accesses[access].kind else {
        return flow.accesses[access].origin.text().to_string();
    };
    let name = &program.registers[*register].preamble.name;
    let Some(write) = write else { return format!("register `{name}` of {}", flow.name) };
    let text = Text { program, flow };
    let mut what = text.of(write.data, 4, true);
    if let Some((end, _)) = what.char_indices().nth(TEXT) {
        what.truncate(end);
        what.push_str("..");
    }
    let origin = match flow.values[write.data].origin.text() {
        "" => &flow.name,
        origin => origin,
    };
    format!("register `{name}` in {origin}, which becomes {what}")
}

struct Text<'a> {
    program: &'a Program,
    flow: &'a Flow,
}

impl Text<'_> {
    /// A value by its name, or by its operands some levels deep.
    fn of(&self, value: Value, depth: u32, first: bool) -> String {
        let decl = &self.flow.values[value];
        let list = |args: &[Value]| {
            let texts: Vec<String> =
                args.iter().map(|v| self.of(*v, depth.saturating_sub(1), false)).collect();
            texts.join(", ")
        };
        match &decl.def {
            Def::Const(bits) => bits.to_string(),
            Def::Out(access, _) => match &self.flow.accesses[*access].kind {
                AccessKind::Register { register, .. } => {
                    self.program.registers[*register].preamble.name.clone()
                }
                _ => self.flow.accesses[*access].origin.text().to_string(),
            },
            Def::Slot(slot) => slot.name(self.program),
            _ if let Some(name) = &decl.name
                && !first =>
            {
                name.clone()
            }
            _ if depth == 0 => "..".to_string(),
            Def::Op(Op::Cast(_), args) => list(args),
            Def::Op(Op::Slice { hi, lo }, args) => format!("{}[{hi}:{lo}]", list(args)),
            Def::Op(op, args) => format!("{}({})", op.name(), list(args)),
            Def::Select { arms, default } => {
                let values: Vec<Value> = arms.iter().map(|(_, v)| *v).chain([*default]).collect();
                format!("one of ({})", list(&values))
            }
            Def::Hash(hash) => format!("{:?}(..)", hash.algorithm),
            Def::Window(_) | Def::WindowSum { .. } => "..".to_string(),
        }
    }
}
