//! Checksums, and what can stand in their lists.

use super::{Builder, Field, FieldSlice, Operand, Param, Val, table};
use crate::loc::Loc;
use crate::program::{Checksum, HashAlgorithm, Item};
use crate::types::Type;

impl Builder {
    /// `verify_checksum(condition, items, field, algorithm)`
    #[track_caller]
    pub fn verify_checksum(
        &mut self,
        condition: impl Into<Operand>,
        items: Vec<Item>,
        field: Field,
        algorithm: HashAlgorithm,
    ) {
        let checksum = checksum(condition.into(), items, field, algorithm, false);
        self.program.verify.push(checksum);
    }

    /// `update_checksum(condition, items, field, algorithm)`
    #[track_caller]
    pub fn update_checksum(
        &mut self,
        condition: impl Into<Operand>,
        items: Vec<Item>,
        field: Field,
        algorithm: HashAlgorithm,
    ) {
        let checksum = checksum(condition.into(), items, field, algorithm, false);
        self.program.update.push(checksum);
    }

    /// `verify_checksum_with_payload(condition, items, field, algorithm)`
    #[track_caller]
    pub fn verify_checksum_with_payload(
        &mut self,
        condition: impl Into<Operand>,
        items: Vec<Item>,
        field: Field,
        algorithm: HashAlgorithm,
    ) {
        let checksum = checksum(condition.into(), items, field, algorithm, true);
        self.program.verify.push(checksum);
    }

    /// `update_checksum_with_payload(condition, items, field, algorithm)`
    #[track_caller]
    pub fn update_checksum_with_payload(
        &mut self,
        condition: impl Into<Operand>,
        items: Vec<Item>,
        field: Field,
        algorithm: HashAlgorithm,
    ) {
        let checksum = checksum(condition.into(), items, field, algorithm, true);
        self.program.update.push(checksum);
    }
}

#[track_caller]
fn checksum(
    condition: Operand,
    items: Vec<Item>,
    field: Field,
    algorithm: HashAlgorithm,
    with_payload: bool,
) -> Checksum {
    Checksum {
        condition: condition.fit(Type::Bool),
        items: table::if_valid(items),
        field: field.into(),
        algorithm,
        with_payload,
        loc: Loc::caller(),
    }
}

impl From<Val> for Item {
    fn from(val: Val) -> Item {
        Item::Value(val.into_expr())
    }
}

impl From<Field> for Item {
    fn from(field: Field) -> Item {
        Item::Value(Val::from(field).into_expr())
    }
}

impl From<FieldSlice> for Item {
    fn from(slice: FieldSlice) -> Item {
        Item::Value(Val::from(slice).into_expr())
    }
}

impl From<Param> for Item {
    fn from(param: Param) -> Item {
        Item::Value(Val::from(param).into_expr())
    }
}
