//! Checksums: verified before ingress, updated behind egress.

use super::store::{HalfStore, Store};
use super::{Lower, Refusal};
use crate::flow::{HashUse, Slot, Value};
use restage_program::expr::{Expr, Place};
use restage_program::op::Op;
use restage_program::program::{Checksum, HashAlgorithm};
use restage_program::{Type, standard};

impl Lower<'_> {
    /// Sets `checksum_error`.
    pub fn verify_checksums(&mut self, store: &mut HalfStore) {
        let program = self.program;
        let mut wrong = self.make.truth(false);
        for checksum in &program.verify {
            self.place = checksum.loc.clone();
            let (mut applies, sum) = self.checksum(store, checksum);
            if let Place::Field { header, .. } = whole(&checksum.field) {
                let candidates = self.resolve(store, header);
                let there = self.valid(store, &candidates);
                applies = self.make.and(applies, there);
            }
            let stands = self.expr(store, &Expr::Read(checksum.field.clone()));
            let differs = self.make.op(Op::Ne, &[sum, stands]);
            let bad = self.make.and(applies, differs);
            wrong = self.make.or(wrong, bad);
        }
        let wrong = self.make.natural(1, wrong);
        store.set(&mut self.make, Slot::Meta(standard::CHECKSUM_ERROR), wrong);
    }

    /// Writes the sums that are to be updated.
    pub fn update_checksums(&mut self, store: &mut HalfStore) {
        let program = self.program;
        for checksum in &program.update {
            self.place = checksum.loc.clone();
            let (applies, sum) = self.checksum(store, checksum);
            let old = self.expr(store, &Expr::Read(checksum.field.clone()));
            let new = self.make.mux(applies, sum, old);
            self.write(store, &checksum.field, new);
        }
    }

    /// Whether it applies, and the sum in the type of its field.
    fn checksum(&mut self, store: &mut HalfStore, checksum: &Checksum) -> (Value, Value) {
        let applies = self.expr(store, &checksum.condition);
        let items = self.items(store, &checksum.items);
        let mut behind = None;
        if checksum.with_payload {
            if checksum.algorithm != HashAlgorithm::Csum16 {
                self.refuse(
                    Refusal::new(
                        format!("checksum `{:?}`", checksum.algorithm),
                        "covers the payload",
                        "`Csum16` is accepted with the payload: the shell sums packets only so",
                    )
                    .at(&checksum.loc),
                );
            }
            let ragged = items
                .iter()
                .find(|i| i.bytes.is_none() && !self.make.ty(i.value).width().is_multiple_of(8));
            if let Some(item) = ragged
                && items.iter().map(|i| self.make.ty(i.value).width()).sum::<u32>() % 8 != 0
            {
                let found = format!(
                    "has a member of {} bits in front of the payload",
                    self.make.ty(item.value).width()
                );
                self.refuse(
                    Refusal::new("a checksum", found, "members of whole bytes are accepted")
                        .at(&checksum.loc),
                );
            }
            behind = Some(store.get(&mut self.make, Slot::PayloadSum));
        }
        let ty = self.type_of_place(&checksum.field);
        let algorithm = self.fixed(checksum.algorithm);
        let sum = self.make.hash(HashUse { algorithm, items, behind });
        let sum = self.make.natural(ty.width(), sum);
        let sum = match ty {
            Type::Bool => sum,
            ty => self.make.cast(ty, sum),
        };
        (applies, sum)
    }
}

/// The place of which another is a slice.
fn whole(mut place: &Place) -> &Place {
    while let Place::Slice { of, .. } = place {
        place = of;
    }
    place
}
