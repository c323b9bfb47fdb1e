//! Primitives: what BMv2's actions and parser states do, one statement each (or a few, or none).
//!
//! `log_msg`, `assert` and `assume` do nothing here: they say something about a packet, or stop the
//! switch, and change neither packets nor state.

use crate::error::Result;
use crate::expr::read::{Reader, Value};
use crate::expr::{Bin, Num, lower};
use crate::json::Node;
use crate::objects::{Instance, Objects, UnionRef};
use restage_program::Type;
use restage_program::entity::{FieldList, Register};
use restage_program::expr::{Expr, HeaderRef, Place};
use restage_program::stmt::{Block, Stmt, StmtKind};

/// What is meant by a primitive's first parameter: P4-14 writes registers as if they were fields.
enum Target {
    Place(Place, Type),
    Register(Register, Expr, Type),
}

/// A call of a primitive.
struct Call<'a, 'n, 'r> {
    reader: &'r mut Reader<'a>,
    node: Node<'n>,
    params: Vec<Node<'n>>,
    out: Block,
}

/// The statements of a primitive. Jumps are not handled here.
pub(crate) fn statements(reader: &mut Reader, node: &Node) -> Result<Block> {
    let op = node.name("op")?;
    let params = node.list("parameters")?;
    reader.before = Some(Vec::new());
    let mut call = Call { reader, node: node.clone(), params, out: Block::new() };
    call.run(op)?;
    let mut block = call.reader.before.take().unwrap_or_default();
    block.append(&mut call.out);
    Ok(block)
}

impl<'n> Call<'_, 'n, '_> {
    fn args<const N: usize>(&self) -> Result<[Node<'n>; N]> {
        let count = self.params.len();
        self.params.clone().try_into().map_err(|_| {
            self.node
                .fault(format!("{count} parameters"), format!("{N} parameters of `{}`", self.op()))
        })
    }

    fn op(&self) -> &'n str {
        self.node.name("op").unwrap_or("")
    }

    fn push(&mut self, kind: StmtKind) {
        self.out.push(Stmt { kind, loc: self.node.loc() });
    }

    fn run(&mut self, op: &str) -> Result<()> {
        match op {
            "assign" | "modify_field" | "set" => {
                let [dst, src] = self.args()?;
                let num = self.reader.number_or_truth(&src)?;
                self.store(&dst, &src, &num)
            }
            "add_to_field" => self.update(Bin::Add),
            "subtract_from_field" => self.update(Bin::Sub),
            "add" => self.compute(Bin::Add),
            "subtract" => self.compute(Bin::Sub),
            "bit_and" => self.compute(Bin::And),
            "bit_or" => self.compute(Bin::Or),
            "bit_xor" => self.compute(Bin::Xor),
            "shift_left" => self.compute(Bin::Shl),
            "shift_right" => self.compute(Bin::Shr),
            "assign_VL" => self.assign_varbit(),
            "assign_header" | "copy_header" => {
                let [dst, src] = self.args()?;
                if self.copy_metadata(&dst, &src)? {
                    return Ok(());
                }
                let (dst, src) = (self.reader.header(&dst)?, self.reader.header(&src)?);
                self.push(StmtKind::CopyHeader { dst, src });
                Ok(())
            }
            "assign_union" => self.assign_union(),
            "assign_header_stack" | "assign_union_stack" => {
                let [dst, src] = self.args()?;
                let (dst, src) = (self.reader.stack(&dst)?, self.reader.stack(&src)?);
                self.push(StmtKind::CopyStack { dst, src });
                Ok(())
            }
            "add_header" | "add_header_fast" => {
                let header = self.own_header()?;
                self.push(StmtKind::SetValid(header));
                Ok(())
            }
            "remove_header" => {
                let header = self.own_header()?;
                self.push(StmtKind::SetInvalid(header));
                Ok(())
            }
            "push" | "pop" => self.shift_stack(op == "push"),
            "mark_to_drop" | "drop" => {
                self.push(StmtKind::MarkToDrop);
                Ok(())
            }
            "exit" => {
                self.args::<0>()?;
                self.push(StmtKind::Exit);
                Ok(())
            }
            "no_op" | "log_msg" | "assert" | "assume" => Ok(()),
            "count" => {
                let [counter, index] = self.args()?;
                let counter = Objects::find(
                    &self.reader.objects.names.counters,
                    &counter.get("value")?,
                    "counter array",
                )?;
                let index = self.index(&index)?;
                self.push(StmtKind::Count { counter, index });
                Ok(())
            }
            "execute_meter" => self.execute_meter(),
            "register_read" => {
                let [dst, register, index] = self.args()?;
                let (register, ty) = self.register(&register)?;
                let index = self.index(&index)?;
                let (place, _) = self.reader.place(&dst)?;
                self.through(&dst, place, ty, |dst| StmtKind::ReadRegister { register, index, dst })
            }
            "register_write" => {
                let [register, index, value] = self.args()?;
                let (register, ty) = self.register(&register)?;
                let index = self.index(&index)?;
                let num = self.reader.number_or_truth(&value)?;
                let value = self.reader.typed(&value, &num, ty)?;
                self.push(StmtKind::WriteRegister { register, index, value });
                Ok(())
            }
            "modify_field_with_hash_based_offset" => self.hash(),
            "modify_field_rng_uniform" => self.random(),
            "generate_digest" => self.digest(),
            "clone_ingress_pkt_to_egress" => {
                let [session, list] = self.args()?;
                let (session, keep) = (self.index(&session)?, self.field_list(&list)?);
                self.push(StmtKind::CloneIngress { session, keep });
                Ok(())
            }
            "clone_egress_pkt_to_egress" => {
                let [session, list] = self.args()?;
                let (session, keep) = (self.index(&session)?, self.field_list(&list)?);
                self.push(StmtKind::CloneEgress { session, keep });
                Ok(())
            }
            "resubmit" => {
                let [list] = self.args()?;
                let keep = self.field_list(&list)?;
                self.push(StmtKind::Resubmit { keep });
                Ok(())
            }
            "recirculate" => {
                let [list] = self.args()?;
                let keep = self.field_list(&list)?;
                self.push(StmtKind::Recirculate { keep });
                Ok(())
            }
            "truncate" => {
                let [bytes] = self.args()?;
                let num = self.reader.num(&bytes)?;
                let bytes = self.reader.length(&bytes, &num)?;
                self.push(StmtKind::Truncate { bytes });
                Ok(())
            }
            other => Err(crate::expr::read::unknown(&self.node, other, PRIMITIVES)),
        }
    }

    fn target(&mut self, node: &Node) -> Result<Target> {
        if node.name("type")? != "register" {
            let (place, ty) = self.reader.place(node)?;
            return Ok(Target::Place(place, ty));
        }
        let [name, index] = node.get("value")?.tuple()?;
        let register =
            Objects::find(&self.reader.objects.names.registers, &name, "register array")?;
        let index = self.index(&index)?;
        let ty = self.register_type(register);
        Ok(Target::Register(register, index, ty))
    }

    fn store(&mut self, dst: &Node, src: &Node, num: &Num) -> Result<()> {
        match self.target(dst)? {
            Target::Place(dst, ty) => {
                let value = self.reader.typed(src, num, ty)?;
                self.push(StmtKind::Assign { dst, src: value });
            }
            Target::Register(register, index, ty) => {
                let value = self.reader.typed(src, num, ty)?;
                self.push(StmtKind::WriteRegister { register, index, value });
            }
        }
        Ok(())
    }

    /// `dst = dst op src`.
    fn update(&mut self, op: Bin) -> Result<()> {
        let [dst, src] = self.args()?;
        let old = self.reader.num(&dst)?;
        let num = Num::Bin(op, Box::new(old), Box::new(self.reader.num(&src)?));
        self.store(&dst, &src, &num)
    }

    /// `dst = a op b`.
    fn compute(&mut self, op: Bin) -> Result<()> {
        let [dst, a, b] = self.args()?;
        let num = Num::Bin(op, Box::new(self.reader.num(&a)?), Box::new(self.reader.num(&b)?));
        self.store(&dst, &b, &num)
    }

    fn assign_varbit(&mut self) -> Result<()> {
        let [dst, src] = self.args()?;
        let (dst, to) = self.reader.place(&dst)?;
        let (place, from) = self.reader.place(&src)?;
        if to != from || !matches!(to, Type::Varbit(_)) {
            return Err(src.fault(format!("{from} to {to}"), "two varbit fields of one length"));
        }
        self.push(StmtKind::Assign { dst, src: Expr::Read(place) });
        Ok(())
    }

    /// Copies structures of metadata, which the input treats as headers; says whether they are that.
    fn copy_metadata(&mut self, dst: &Node, src: &Node) -> Result<bool> {
        let fields = |node: &Node| -> Option<Vec<String>> {
            let names = &self.reader.objects.names.instances;
            match names.get(node.opt("value")?.text().ok()?)? {
                Instance::Metadata(fields) => Some(fields.keys().cloned().collect()),
                Instance::Header(_) => None,
            }
        };
        let (Some(mut to), Some(from)) = (fields(dst), fields(src)) else { return Ok(false) };
        to.retain(|f| from.contains(f));
        to.sort();
        let (into, out_of) = (dst.get("value")?, src.get("value")?);
        for field in to {
            let target = self.reader.objects.metadata(&into, &field)?;
            let (dst, ty) = self.reader.objects.written(&into, target)?;
            let source = self.reader.objects.metadata(&out_of, &field)?;
            if let Value::Num(num) = self.reader.read_field(&out_of, source)? {
                let src = self.reader.typed(src, &num, ty)?;
                self.push(StmtKind::Assign { dst, src });
            }
        }
        Ok(true)
    }

    fn assign_union(&mut self) -> Result<()> {
        let [dst, src] = self.args()?;
        let (to, from) = (self.reader.union(&dst)?, self.reader.union(&src)?);
        let count =
            |u: &UnionRef| -> Result<usize> { Ok(self.reader.objects.members(u, &src)?.len()) };
        let members = count(&to)?;
        if count(&from)? != members {
            return Err(src.fault("unions of different types", "two unions of one type"));
        }
        // One member at most is valid, and copying it makes the others of the destination invalid.
        for i in 0..members {
            let dst = self.reader.objects.member(&to, i, &dst)?;
            let src = self.reader.objects.member(&from, i, &src)?;
            self.push(StmtKind::CopyHeader { dst, src });
        }
        Ok(())
    }

    fn own_header(&mut self) -> Result<HeaderRef> {
        let [header] = self.args()?;
        self.reader.header(&header)
    }

    fn shift_stack(&mut self, push: bool) -> Result<()> {
        let [stack, count] = self.args()?;
        let stack = self.reader.stack(&stack)?;
        let count = match self.reader.num(&count)? {
            Num::Const(c) => c.to_u32(),
            _ => None,
        };
        let count = count.ok_or_else(|| {
            self.node.fault("moves a stack by a number that is computed", "a constant")
        })?;
        self.push(if push {
            StmtKind::PushFront { stack, count }
        } else {
            StmtKind::PopFront { stack, count }
        });
        Ok(())
    }

    fn index(&mut self, node: &Node) -> Result<Expr> {
        let num = self.reader.num(node)?;
        self.reader.natural(node, &num)
    }

    fn register(&mut self, node: &Node) -> Result<(Register, Type)> {
        let register = Objects::find(
            &self.reader.objects.names.registers,
            &node.get("value")?,
            "register array",
        )?;
        Ok((register, self.register_type(register)))
    }

    fn register_type(&self, register: Register) -> Type {
        self.reader.objects.program.registers.get(register).map_or(Type::Bit(1), |r| r.ty)
    }

    /// A statement that gives a value of some type to a place of perhaps another.
    fn through(
        &mut self,
        node: &Node,
        dst: Place,
        ty: Type,
        stmt: impl FnOnce(Place) -> StmtKind,
    ) -> Result<()> {
        let to = self
            .reader
            .objects
            .program
            .type_of_place(&dst)
            .map_err(|e| node.fault(e.to_string(), "a place"))?;
        if to == ty {
            self.push(stmt(dst));
            return Ok(());
        }
        let temp = Place::Meta(self.reader.objects.fresh("tmp", ty));
        self.push(stmt(temp.clone()));
        let num = Num::Leaf(Expr::Read(temp), ty);
        let src = self.reader.typed(node, &num, to)?;
        self.push(StmtKind::Assign { dst, src });
        Ok(())
    }

    fn execute_meter(&mut self) -> Result<()> {
        let [meter, index, dst] = self.args()?;
        let meter =
            Objects::find(&self.reader.objects.names.meters, &meter.get("value")?, "meter array")?;
        let index = self.index(&index)?;
        let (place, ty) = self.reader.place(&dst)?;
        // A place of one bit gets the colour's low bit, as any number.
        let wide = if matches!(ty, Type::Bit(2..)) { ty } else { Type::Bit(2) };
        self.through(&dst, place, wide, |dst| StmtKind::ExecuteMeter { meter, index, dst })
    }

    fn hash(&mut self) -> Result<()> {
        let [dst, base, calculation, max] = self.args()?;
        let calculation = Objects::find(
            &self.reader.objects.names.calculations,
            &calculation.get("value")?,
            "calculation",
        )?;
        if calculation.with_payload {
            return Err(self.node.fault("a hash over the payload", "a hash of fields"));
        }
        let (place, ty) = self.reader.place(&dst)?;
        let ty = Type::Bit(ty.width());
        let base = self.reader.num_in(&base, ty)?;
        let max = self.index(&max)?;
        let (algorithm, items) = (calculation.algorithm, calculation.items);
        self.through(&dst, place, ty, |dst| StmtKind::Hash { dst, algorithm, base, items, max })
    }

    fn random(&mut self) -> Result<()> {
        let [dst, low, high] = self.args()?;
        let (place, ty) = self.reader.place(&dst)?;
        let ty = Type::Bit(ty.width());
        let mut ends = Vec::new();
        for node in [&low, &high] {
            let num = self.reader.num(node)?;
            if !lower::has_room(&num, ty) {
                return Err(node.fault(
                    "a limit that the result has no room for",
                    format!("a limit that fits {ty}"),
                ));
            }
            ends.push(self.reader.typed(node, &num, ty)?);
        }
        if let (Some(high), Some(low)) = (ends.pop(), ends.pop()) {
            self.through(&dst, place, ty, |dst| StmtKind::Random { dst, low, high })?;
        }
        Ok(())
    }

    fn digest(&mut self) -> Result<()> {
        let [_, list] = self.args()?;
        let id = self.id(&list)?;
        let Some((digest, before)) = self.reader.objects.names.digests.get(&id).cloned() else {
            return Err(
                list.fault(format!("there is no learn list {id}"), "the id of a learn list")
            );
        };
        self.out.extend(before);
        self.push(StmtKind::Digest(digest));
        Ok(())
    }

    fn id(&mut self, node: &Node) -> Result<u32> {
        match self.reader.num(node)? {
            Num::Const(c) => c.to_u32().ok_or_else(|| node.wrong("the id of a list")),
            _ => Err(node.fault("the id of a list is computed", "a constant")),
        }
    }

    /// The metadata that a list keeps; 0 stands for none.
    fn field_list(&mut self, node: &Node) -> Result<Option<FieldList>> {
        let id = self.id(node)?;
        if id == 0 {
            return Ok(None);
        }
        match self.reader.objects.names.field_lists.get(&id) {
            Some(list) => Ok(Some(*list)),
            None => {
                Err(node
                    .fault(format!("there is no field list {id}"), "the id of a field list, or 0"))
            }
        }
    }
}

const PRIMITIVES: &str = "a primitive of simple_switch: assign, assign_VL, assign_header, assign_union, \
    assign_header_stack, assign_union_stack, add_header, remove_header, push, pop, register_read, register_write, \
    count, execute_meter, modify_field, modify_field_with_hash_based_offset, modify_field_rng_uniform, add_to_field, \
    subtract_from_field, add, subtract, bit_and, bit_or, bit_xor, shift_left, shift_right, copy_header, \
    mark_to_drop, drop, clone_ingress_pkt_to_egress, clone_egress_pkt_to_egress, resubmit, recirculate, \
    generate_digest, truncate, exit, no_op, log_msg, assert, assume";

impl Reader<'_> {
    /// An integer; a truth value counts as 1 or 0.
    pub fn number_or_truth(&mut self, node: &Node) -> Result<Num> {
        match self.value(node)? {
            Value::Num(num) => Ok(num),
            Value::Truth(truth) => Ok(Num::FromTruth(Box::new(truth))),
            other => Err(node.fault(format!("found {}", other.describe()), "a number")),
        }
    }

    /// An integer in a type if it has room, else exactly.
    pub fn num_in(&mut self, node: &Node, ty: Type) -> Result<Expr> {
        let num = self.num(node)?;
        if lower::has_room(&num, ty) {
            self.typed(node, &num, ty)
        } else {
            self.natural(node, &num)
        }
    }
}
