//! What the whole shipment table holds, in one number that does not depend on the order of its rows
//! and is kept up to date row by row: the number of rows, and the sum modulo 2^256 of their hashes.
//!
//! Strength: every accident and every edit by hand shows. It is not a commitment against somebody who
//! may choose millions of rows and has a cluster: for sums of hashes, sets of forged rows with the same
//! sum can be searched for far below the 2^128 of a plain collision (Wagner's generalised birthday; the
//! work falls as the number of free rows grows). Whoever can do that can also write the database; what
//! binds them is a copy of the journal's head kept elsewhere.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, params};

use super::packed::RowHash;
use crate::store::StoreError;

/// The digest of a set of rows. The default is that of no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest {
    /// Number of rows.
    pub count: u64,
    /// 256 bits, least significant word first.
    sum: [u64; 4],
}

impl Digest {
    /// A row came.
    pub(in crate::store) fn add(&mut self, row: &RowHash) {
        self.count = self.count.wrapping_add(1);
        let mut carry = false;
        for (limb, word) in self.sum.iter_mut().zip(words(row)) {
            let (sum, over) = limb.overflowing_add(word);
            let (sum, again) = sum.overflowing_add(carry.into());
            (*limb, carry) = (sum, over | again);
        }
    }

    /// A row went.
    pub(in crate::store) fn remove(&mut self, row: &RowHash) {
        self.count = self.count.wrapping_sub(1);
        let mut borrow = false;
        for (limb, word) in self.sum.iter_mut().zip(words(row)) {
            let (rest, under) = limb.overflowing_sub(word);
            let (rest, again) = rest.overflowing_sub(borrow.into());
            (*limb, borrow) = (rest, under | again);
        }
    }

    /// As the last import left it.
    pub(super) fn load(conn: &Connection) -> Result<Digest, StoreError> {
        let odd = || StoreError::Unreadable("the shipment table's digest is missing or odd".to_owned());
        let row: Option<(i64, Vec<u8>)> = conn
            .prepare_cached("SELECT count, sum FROM shipment_digest")?
            .query_row([], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()?;
        let (count, sum) = row.ok_or_else(odd)?;
        let sum: RowHash = sum.try_into().map_err(|_| odd())?;
        Ok(Digest { count: u64::try_from(count).map_err(|_| odd())?, sum: words(&sum) })
    }

    pub(in crate::store) fn save(&self, conn: &Connection) -> Result<(), StoreError> {
        let mut sum: RowHash = [0; 32];
        for (eight, limb) in sum.chunks_exact_mut(8).zip(self.sum) {
            eight.copy_from_slice(&limb.to_le_bytes());
        }
        conn.prepare_cached("UPDATE shipment_digest SET count = ?1, sum = ?2")?
            .execute(params![self.count as i64, sum])?;
        Ok(())
    }
}

/// `rows:hex`, as the journal writes it.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.count)?;
        self.sum.iter().rev().try_for_each(|limb| write!(f, "{limb:016x}"))
    }
}

fn words(row: &RowHash) -> [u64; 4] {
    std::array::from_fn(|n| row[n * 8..][..8].iter().rev().fold(0, |w, b| w << 8 | u64::from(*b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_does_not_matter_and_what_goes_leaves_no_trace(rows in proptest::collection::vec(any::<RowHash>(), 0..8), more in proptest::collection::vec(any::<RowHash>(), 0..8)) {
            let (mut a, mut b) = (Digest::default(), Digest::default());
            rows.iter().for_each(|r| a.add(r));
            more.iter().chain(rows.iter().rev()).for_each(|r| b.add(r));
            prop_assert_eq!(a == b, more.is_empty());
            more.iter().for_each(|r| b.remove(r));
            prop_assert_eq!(a, b);
        }
    }

    #[test]
    fn carries_run_through() {
        let mut digest = Digest::default();
        digest.add(&[0xFF; 32]);
        let mut one = [0; 32];
        one[0] = 1;
        digest.add(&one);
        assert_eq!(digest.to_string(), format!("2:{}", "0".repeat(64)));
        digest.remove(&one);
        assert_eq!(digest.to_string(), format!("1:{}", "f".repeat(64)));
    }
}
