//! Reads BMv2's expressions.
//!
//! Registers may be read inside of an expression (P4-14's form); the reads become statements in front
//! of the one in which the expression stands.

use super::lower::Lower;
use super::{Bin, Compare, Int, Num, Truth};
use crate::error::Result;
use crate::json::{Node, short};
use crate::objects::{Field, Objects, UnionRef};
use restage_program::Type;
use restage_program::entity::Stack;
use restage_program::expr::{ElementIndex, Expr, HeaderRef, Place};
use restage_program::op::Op;
use restage_program::program::{Elements, FieldDecl};
use restage_program::stmt::{Stmt, StmtKind};

/// What an expression can be.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Num(Num),
    Truth(Truth),
    Header(HeaderRef),
    Union(UnionRef),
    Stack(Stack),
    UnionStack(Stack),
}

/// Reads expressions in one context.
pub(crate) struct Reader<'a> {
    pub objects: &'a mut Objects,
    /// Parameters of the action in which the expression stands.
    pub params: &'a [FieldDecl],
    /// What has to be done first; `None` where statements cannot stand.
    pub before: Option<Vec<Stmt>>,
}

impl Reader<'_> {
    /// For lowering what was read.
    pub fn lower(&self) -> Lower<'_> {
        Lower { errors: &self.objects.names.error_codes }
    }

    /// The fault for an expression that cannot be lowered.
    fn refuse<T>(node: &Node, result: std::result::Result<T, String>) -> Result<T> {
        result.map_err(|why| {
            node.fault(
                format!("the expression {why}"),
                "an expression that P4-16 types have the width for",
            )
        })
    }

    /// The integer in a type, modulo 2^width. Errors only go to errors.
    pub fn typed(&mut self, node: &Node, num: &Num, ty: Type) -> Result<Expr> {
        match ty {
            Type::Error => Self::refuse(node, self.lower().error(num)),
            Type::Bool => Self::refuse(node, self.lower().truth(&Truth::NonZero(num.clone()))),
            Type::Varbit(_) => {
                Err(node.fault("a number for a varbit field", "assign_VL between varbit fields"))
            }
            Type::Bit(_) | Type::Int(_) => Self::refuse(node, self.lower().modulo(num, ty)),
        }
    }

    /// The exact value, in a `bit` type: an index, a length, a number of something.
    pub fn natural(&mut self, node: &Node, num: &Num) -> Result<Expr> {
        if let Num::Const(c) = num
            && let Some(value) = c.to_u32()
        {
            return Ok(Expr::bit(32, value.into()));
        }
        let (expr, ty) = Self::refuse(node, self.lower().exact(num))?;
        match ty {
            // A negative number is far out of every range, as it is in 64 bits.
            Type::Int(_) => self.typed(node, num, Type::Bit(64)),
            _ => Ok(expr),
        }
    }

    /// The exact value at 32 bits; larger ones become the largest.
    pub fn length(&mut self, node: &Node, num: &Num) -> Result<Expr> {
        let limited = Num::USat(Box::new(num.clone()), 32);
        self.typed(node, &limited, Type::Bit(32))
    }

    /// A truth value as a `bool`.
    pub fn lowered(&mut self, node: &Node, truth: &Truth) -> Result<Expr> {
        Self::refuse(node, self.lower().truth(truth))
    }

    /// Reads a condition.
    pub fn condition(&mut self, node: &Node) -> Result<Expr> {
        let truth = self.truth(node)?;
        self.lowered(node, &truth)
    }

    /// Reads an integer.
    pub fn num(&mut self, node: &Node) -> Result<Num> {
        match self.value(node)? {
            Value::Num(num) => Ok(num),
            other => Err(node.fault(format!("found {}", other.describe()), "a number")),
        }
    }

    /// Reads a truth value.
    pub fn truth(&mut self, node: &Node) -> Result<Truth> {
        match self.value(node)? {
            Value::Truth(truth) => Ok(truth),
            // Some versions of the compiler leave out the conversion.
            Value::Num(num) => Ok(Truth::NonZero(num)),
            other => Err(node.fault(format!("found {}", other.describe()), "a truth value")),
        }
    }

    /// Reads a header.
    pub fn header(&mut self, node: &Node) -> Result<HeaderRef> {
        match self.value(node)? {
            Value::Header(header) => Ok(header),
            other => Err(node.fault(format!("found {}", other.describe()), "a header")),
        }
    }

    /// Reads a union.
    pub fn union(&mut self, node: &Node) -> Result<UnionRef> {
        match self.value(node)? {
            Value::Union(union) => Ok(union),
            other => Err(node.fault(format!("found {}", other.describe()), "a header union")),
        }
    }

    /// Reads a stack of headers or unions.
    pub fn stack(&mut self, node: &Node) -> Result<Stack> {
        match self.value(node)? {
            Value::Stack(stack) | Value::UnionStack(stack) => Ok(stack),
            other => Err(node.fault(format!("found {}", other.describe()), "a header stack")),
        }
    }

    /// Reads what can be written: a place and its type. Registers are handled by the caller.
    pub fn place(&mut self, node: &Node) -> Result<(Place, Type)> {
        let field = match node.name("type")? {
            "field" => self.objects.field(&node.get("value")?)?,
            "stack_field" => self.stack_field(&node.get("value")?)?,
            "expression" => return self.place_of(&node.get("value")?),
            other => {
                return Err(unknown(
                    node,
                    other,
                    "something to be written: field, stack_field, expression",
                ));
            }
        };
        self.objects.written(node, field)
    }

    fn place_of(&mut self, node: &Node) -> Result<(Place, Type)> {
        if node.opt("op").is_none() {
            return self.place(node);
        }
        match node.name("op")? {
            "access_field" => {
                let header = self.header(&node.get("left")?)?;
                let right = node.get("right")?;
                let field = self.objects.field_at(header, &right)?;
                self.objects.written(node, field)
            }
            other => Err(node.fault(
                format!("writes the result of `{}`", short(other)),
                "a field; or access_field of a header",
            )),
        }
    }

    /// Reads any value.
    pub fn value(&mut self, node: &Node) -> Result<Value> {
        let value = node.get("value")?;
        match node.name("type")? {
            "expression" if value.opt("op").is_some() => self.operation(&value),
            // Expressions are often wrapped once more.
            "expression" => self.value(&value),
            "field" => {
                let field = self.objects.field(&value)?;
                self.read_field(&value, field)
            }
            "stack_field" => {
                let field = self.stack_field(&value)?;
                self.read_field(&value, field)
            }
            "union_stack_field" => {
                let field = self.union_stack_field(&value)?;
                self.read_field(&value, field)
            }
            "hexstr" => Ok(Value::Num(Num::Const(constant(&value)?))),
            "bool" => Ok(Value::Truth(Truth::Const(value.truth()?))),
            "local" | "runtime_data" => {
                let index = value.number()?;
                match self.params.get(index as usize) {
                    Some(param) => Ok(Value::Num(Num::Leaf(Expr::Param(index), param.ty))),
                    None => Err(value.fault(
                        format!("parameter {index} of an action that has {}", self.params.len()),
                        "a parameter of the action",
                    )),
                }
            }
            "lookahead" => Ok(Value::Num(self.lookahead(&value)?)),
            "register" => Ok(Value::Num(self.register(&value)?)),
            "header" => Ok(Value::Header(HeaderRef::Header(self.objects.header(&value)?))),
            "header_stack" => Ok(Value::Stack(self.header_stack(&value)?)),
            "header_union" => {
                let union = Objects::find(&self.objects.names.unions, &value, "header union")?;
                Ok(Value::Union(UnionRef::Union(union)))
            }
            "header_union_stack" => Ok(Value::UnionStack(self.union_stack(&value)?.0)),
            other => Err(unknown(
                node,
                other,
                "a value: expression, field, hexstr, bool, local, runtime_data, register, lookahead, header, \
                 header_stack, stack_field, header_union, header_union_stack",
            )),
        }
    }

    /// The value of a field.
    pub fn read_field(&mut self, node: &Node, field: Field) -> Result<Value> {
        match field {
            Field::Place { place, ty: Type::Error, .. } => {
                Ok(Value::Num(Num::Error(Expr::Read(place))))
            }
            Field::Place { ty: Type::Varbit(_), .. } => {
                Err(node.fault("a varbit field as a number", "a field of fixed width"))
            }
            Field::Place { place, ty, .. } => Ok(Value::Num(Num::Leaf(Expr::Read(place), ty))),
            Field::Valid(header) => {
                Ok(Value::Num(Num::FromTruth(Box::new(Truth::Is(Expr::Valid(header))))))
            }
            Field::Always => Ok(Value::Num(Num::FromTruth(Box::new(Truth::Const(true))))),
        }
    }

    /// A lookahead: bits to skip, and width.
    pub fn lookahead(&mut self, node: &Node) -> Result<Num> {
        let [skip, width] = node.tuple()?;
        let ty = Type::Bit(crate::headers::width(&width)?);
        Ok(Num::Leaf(Expr::Lookahead { skip: skip.number()?, ty }, ty))
    }

    fn header_stack(&self, node: &Node) -> Result<Stack> {
        Objects::find(&self.objects.names.stacks, node, "header stack")
    }

    /// A stack of unions, and the names of the unions' members.
    pub fn union_stack(&self, node: &Node) -> Result<(Stack, Vec<String>)> {
        Objects::find(&self.objects.names.union_stacks, node, "stack of header unions")
    }

    /// The field of the last element of a stack.
    pub fn stack_field(&self, node: &Node) -> Result<Field> {
        let [stack, field] = node.tuple()?;
        let stack = self.header_stack(&stack)?;
        self.objects
            .field_of(HeaderRef::Element { stack, at: ElementIndex::Last, member: 0 }, &field)
    }

    /// The field of a member of the last element of a stack of unions.
    pub fn union_stack_field(&self, node: &Node) -> Result<Field> {
        let [stack, member, field] = node.tuple()?;
        let (stack, members) = self.union_stack(&stack)?;
        let member = position(&members, &member)?;
        self.objects.field_of(HeaderRef::Element { stack, at: ElementIndex::Last, member }, &field)
    }

    fn register(&mut self, node: &Node) -> Result<Num> {
        let [name, index] = node.tuple()?;
        let register = Objects::find(&self.objects.names.registers, &name, "register array")?;
        let num = self.num(&index)?;
        let index = self.natural(&index, &num)?;
        let ty = self.objects.program.registers.get(register).map_or(Type::Bit(1), |r| r.ty);
        if self.before.is_none() {
            return Err(
                node.fault("a register is read where no statement can stand", "a metadata field")
            );
        }
        let dst = Place::Meta(self.objects.fresh("register_value", ty));
        let read = StmtKind::ReadRegister { register, index, dst: dst.clone() };
        if let Some(before) = &mut self.before {
            before.push(Stmt { kind: read, loc: node.loc() });
        }
        Ok(Num::Leaf(Expr::Read(dst), ty))
    }

    fn operation(&mut self, node: &Node) -> Result<Value> {
        let op = node.name("op")?;
        let right = node.get("right")?;
        let bin = match op {
            "+" => Some(Bin::Add),
            "-" => Some(Bin::Sub),
            "*" => Some(Bin::Mul),
            "/" => Some(Bin::Div),
            "%" => Some(Bin::Mod),
            "&" => Some(Bin::And),
            "|" => Some(Bin::Or),
            "^" => Some(Bin::Xor),
            "<<" => Some(Bin::Shl),
            ">>" => Some(Bin::Shr),
            _ => None,
        };
        if let Some(bin) = bin {
            let left = match node.opt("left") {
                Some(left) => self.num(&left)?,
                None if matches!(bin, Bin::Add | Bin::Sub) => Num::Const(Int::ZERO),
                None => return Err(node.get("left")?.wrong("a number")),
            };
            return Ok(Value::Num(Num::Bin(bin, Box::new(left), Box::new(self.num(&right)?))));
        }
        let compare = match op {
            "==" => Some(Compare::Eq),
            "!=" => Some(Compare::Ne),
            "<" => Some(Compare::Lt),
            "<=" => Some(Compare::Le),
            ">" => Some(Compare::Gt),
            ">=" => Some(Compare::Ge),
            _ => None,
        };
        if let Some(compare) = compare {
            return Ok(Value::Truth(self.comparison(compare, node)?));
        }
        let num = |n| Ok(Value::Num(n));
        let truth = |t| Ok(Value::Truth(t));
        match op {
            "and" | "or" => {
                let (a, b) = (self.truth(&node.get("left")?)?, self.truth(&right)?);
                let (a, b) = (Box::new(a), Box::new(b));
                truth(if op == "and" { Truth::And(a, b) } else { Truth::Or(a, b) })
            }
            "not" => truth(Truth::Not(Box::new(self.truth(&right)?))),
            "d2b" => truth(Truth::NonZero(self.num(&right)?)),
            "b2d" => num(Num::FromTruth(Box::new(self.truth(&right)?))),
            "~" => num(Num::Inv(Box::new(self.num(&right)?))),
            "two_comp_mod" => num(Num::TwoComp(self.left(node)?, self.width(&right)?)),
            "usat_cast" => num(Num::USat(self.left(node)?, self.width(&right)?)),
            "sat_cast" => num(Num::Sat(self.left(node)?, self.width(&right)?)),
            "valid" => truth(Truth::Is(Expr::Valid(self.header(&right)?))),
            "valid_union" => {
                let union = self.union(&right)?;
                self.union_valid(node, &union).map(Value::Truth)
            }
            "?" => self.choice(node),
            "access_field" => {
                let header = self.header(&node.get("left")?)?;
                let field = self.objects.field_at(header, &right)?;
                self.read_field(node, field)
            }
            "access_union_header" => {
                let union = self.union(&node.get("left")?)?;
                Ok(Value::Header(self.objects.member(&union, right.number()? as usize, &right)?))
            }
            "dereference_header_stack" | "dereference_stack" => {
                let stack = self.stack(&node.get("left")?)?;
                Ok(Value::Header(self.element(stack, &right)?))
            }
            "dereference_union_stack" => {
                let stack = self.stack(&node.get("left")?)?;
                let at = self.index(&right)?;
                Ok(Value::Union(UnionRef::Element(stack, at)))
            }
            "last_stack_index" => {
                let stack = self.stack(&right)?;
                num(Num::Leaf(Expr::LastIndex(stack), Type::Bit(32)))
            }
            "size_stack" => {
                let last = Expr::LastIndex(self.stack(&right)?);
                num(Num::Leaf(Expr::op(Op::Add, [last, Expr::bit(32, 1)]), Type::Bit(32)))
            }
            other => Err(unknown(
                node,
                other,
                "an operation: + - * / % & | ^ ~ << >> == != < <= > >= and or not ? d2b b2d two_comp_mod sat_cast \
                 usat_cast valid valid_union access_field access_union_header dereference_header_stack \
                 dereference_union_stack last_stack_index size_stack",
            )),
        }
    }

    fn left(&mut self, node: &Node) -> Result<Box<Num>> {
        Ok(Box::new(self.num(&node.get("left")?)?))
    }

    fn width(&mut self, node: &Node) -> Result<u32> {
        match self.num(node)? {
            Num::Const(c) => match c.to_u32() {
                Some(w) if (1..=restage_program::types::MAX_WIDTH).contains(&w) => Ok(w),
                _ => Err(node.fault("a width out of range", "a width from 1 to 2048")),
            },
            _ => Err(node.fault("a width that is computed", "a constant width")),
        }
    }

    fn choice(&mut self, node: &Node) -> Result<Value> {
        let cond = Box::new(self.truth(&node.get("cond")?)?);
        let (left, right) = (node.get("left")?, node.get("right")?);
        match (self.value(&left)?, self.value(&right)?) {
            (Value::Num(a), Value::Num(b)) => {
                Ok(Value::Num(Num::Mux(cond, Box::new(a), Box::new(b))))
            }
            (Value::Truth(a), Value::Truth(b)) => {
                Ok(Value::Truth(Truth::Mux(cond, Box::new(a), Box::new(b))))
            }
            (a, b) => Err(node.fault(
                format!("chooses between {} and {}", a.describe(), b.describe()),
                "two numbers or two truth values",
            )),
        }
    }

    fn index(&mut self, node: &Node) -> Result<ElementIndex> {
        let num = self.num(node)?;
        Ok(ElementIndex::Expr(Box::new(self.natural(node, &num)?)))
    }

    fn element(&mut self, stack: Stack, node: &Node) -> Result<HeaderRef> {
        let num = self.num(node)?;
        if let (Num::Const(c), Some(decl)) = (&num, self.objects.program.stacks.get(stack))
            && let (Some(index), Elements::Headers(headers)) = (c.to_u32(), &decl.elements)
            && let Some(header) = headers.get(index as usize)
        {
            return Ok(HeaderRef::Header(*header));
        }
        let at = ElementIndex::Expr(Box::new(self.natural(node, &num)?));
        Ok(HeaderRef::Element { stack, at, member: 0 })
    }
}

impl Value {
    /// What it is, for a message.
    pub fn describe(&self) -> &'static str {
        match self {
            Value::Num(_) => "a number",
            Value::Truth(_) => "a truth value",
            Value::Header(_) => "a header",
            Value::Union(_) => "a header union",
            Value::Stack(_) => "a header stack",
            Value::UnionStack(_) => "a stack of header unions",
        }
    }
}

/// A hexadecimal constant.
pub(crate) fn constant(node: &Node) -> Result<Int> {
    let text = node.text()?;
    Int::parse(text).ok_or_else(|| node.wrong("a hexadecimal number of at most 4096 bits"))
}

/// The position of the name at a node.
pub(crate) fn position(names: &[String], node: &Node) -> Result<u32> {
    let name = node.text()?;
    names.iter().position(|n| n == name).map(|i| i as u32).ok_or_else(|| {
        let accepts = crate::objects::known("member", names.iter());
        node.fault(format!("there is no member `{}`", short(name)), accepts)
    })
}

/// The fault for a construct that is not known.
pub(crate) fn unknown(node: &Node, found: &str, accepts: &str) -> Box<crate::error::Fault> {
    node.fault(format!("`{}` is not known here", short(found)), accepts)
}
