//! One shipment as bytes: the form that is hashed, and in which rows wait between the thread that
//! reads a file and the one that writes the table. Millions of them pass without an allocation each.
//!
//! The form: a version byte, then every field in the order of [`Fields`]; a text as its length (2
//! bytes, big endian) and its UTF-8, addresses alike, a date as 00 04 and four bytes of day count, an
//! absent field as FF FF. No two different shipments have the same form.

use rusqlite::Row;
use rusqlite::types::ValueRef;
use sha2::{Digest as _, Sha256};

use crate::domain::date::from_epoch_days;
use crate::domain::mac::Mac;
use crate::domain::shipment::Shipment;
use crate::store::StoreError;

/// SHA-256 of a shipment's packed form.
pub type RowHash = [u8; 32];

const VERSION: u8 = 1;
const ABSENT: u16 = 0xFFFF;
/// Row ids that can come about; an import keeps a bit for each.
const IDS: std::ops::RangeInclusive<i64> = 1..=i32::MAX as i64;

/// A shipment whose texts stand somewhere else. Dates are days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fields<'a> {
    pub serial: &'a str,
    /// Six bytes per address; `None` for a unit without.
    pub macs: Option<&'a [u8]>,
    pub brand: Option<&'a str>,
    pub model: Option<&'a str>,
    pub ship_date: i32,
    pub order: Option<&'a str>,
    pub customer: Option<&'a str>,
    pub channel: Option<&'a str>,
    pub distributor: Option<&'a str>,
    pub purchase_date: Option<i32>,
    pub warranty_until: Option<i32>,
    pub plan_until: Option<i32>,
}

/// Writes packed forms one behind the other.
#[derive(Debug, Default)]
pub struct Packer(pub Vec<u8>);

impl Packer {
    /// Begins a form; the fields follow in order.
    pub fn begin(&mut self) {
        self.0.push(VERSION);
    }

    /// The next field. The importer limits every text to far below 65,535 bytes; what is longer all
    /// the same is cut.
    pub fn bytes(&mut self, field: Option<&[u8]>) {
        let field = field.map(|bytes| &bytes[..bytes.len().min(usize::from(ABSENT) - 1)]);
        self.0.extend_from_slice(&field.map_or(ABSENT, |bytes| bytes.len() as u16).to_be_bytes());
        self.0.extend_from_slice(field.unwrap_or_default());
    }

    pub fn text(&mut self, field: Option<&str>) {
        self.bytes(field.map(str::as_bytes));
    }

    pub fn day(&mut self, field: Option<i32>) {
        self.bytes(field.map(i32::to_be_bytes).as_ref().map(|day| day.as_slice()));
    }
}

struct Unpacker<'a>(&'a [u8]);

impl<'a> Unpacker<'a> {
    /// `None`: not a packed form. `Some(None)`: the field is absent.
    fn bytes(&mut self) -> Option<Option<&'a [u8]>> {
        let (length, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        match u16::from_be_bytes(*length) {
            ABSENT => Some(None),
            n => {
                let (field, rest) = rest.split_at_checked(n.into())?;
                self.0 = rest;
                Some(Some(field))
            }
        }
    }

    fn text(&mut self) -> Option<Option<&'a str>> {
        self.bytes()?.map(std::str::from_utf8).transpose().ok()
    }

    fn day(&mut self) -> Option<Option<i32>> {
        let field = self.bytes()?.map(<[u8; 4]>::try_from).transpose().ok()?;
        Some(field.map(i32::from_be_bytes))
    }
}

/// The hash of a packed form.
pub fn hash(form: &[u8]) -> RowHash {
    Sha256::digest(form).into()
}

impl<'a> Fields<'a> {
    /// Reads a packed form; `None` when it is none.
    pub fn unpack(form: &'a [u8]) -> Option<Self> {
        let (&VERSION, rest) = form.split_first()? else { return None };
        let mut next = Unpacker(rest);
        let fields = Fields {
            serial: next.text()??,
            macs: next.bytes()?,
            brand: next.text()?,
            model: next.text()?,
            ship_date: next.day()??,
            order: next.text()?,
            customer: next.text()?,
            channel: next.text()?,
            distributor: next.text()?,
            purchase_date: next.day()?,
            warranty_until: next.day()?,
            plan_until: next.day()?,
        };
        next.0.is_empty().then_some(fields)
    }

    pub fn pack(&self, out: &mut Packer) {
        out.begin();
        out.text(Some(self.serial));
        out.bytes(self.macs);
        out.text(self.brand);
        out.text(self.model);
        out.day(Some(self.ship_date));
        out.text(self.order);
        out.text(self.customer);
        out.text(self.channel);
        out.text(self.distributor);
        out.day(self.purchase_date);
        out.day(self.warranty_until);
        out.day(self.plan_until);
    }

    pub fn hash(&self) -> RowHash {
        let mut out = Packer::default();
        self.pack(&mut out);
        hash(&out.0)
    }

    /// Reads a whole row (`SELECT *`) of the table, and its id.
    pub fn from_row(row: &'a Row) -> Result<(i64, Self), StoreError> {
        let id = row.get(0)?;
        let odd = |n: usize| StoreError::Unreadable(format!("shipment row {id} has an odd value in column {n}"));
        if !IDS.contains(&id) {
            return Err(odd(0));
        }
        let text = |n| match row.get_ref(n)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(text) => std::str::from_utf8(text).map(Some).map_err(|_| odd(n)),
            _ => Err(odd(n)),
        };
        let day = |n| match row.get_ref(n)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(day) => i32::try_from(day).map(Some).map_err(|_| odd(n)),
            _ => Err(odd(n)),
        };
        let macs = match row.get_ref(2)? {
            ValueRef::Null => None,
            ValueRef::Blob(macs) if !macs.is_empty() && macs.len().is_multiple_of(6) => Some(macs),
            _ => return Err(odd(2)),
        };
        let fields = Fields {
            serial: text(1)?.ok_or_else(|| odd(1))?,
            macs,
            brand: text(3)?,
            model: text(4)?,
            ship_date: day(5)?.ok_or_else(|| odd(5))?,
            order: text(6)?,
            customer: text(7)?,
            channel: text(8)?,
            distributor: text(9)?,
            purchase_date: day(10)?,
            warranty_until: day(11)?,
            plan_until: day(12)?,
        };
        Ok((id, fields))
    }

    /// Each address as its six bytes.
    pub fn each_mac(&self) -> impl Iterator<Item = &'a [u8]> {
        self.macs.unwrap_or_default().chunks_exact(6)
    }

    /// The same shipment with texts of its own.
    pub fn to_shipment(self) -> Result<Shipment, StoreError> {
        let day = |days: i32| {
            from_epoch_days(days.into()).ok_or_else(|| {
                StoreError::Unreadable(format!("shipment {} has the impossible day {days}", self.serial))
            })
        };
        let text = |text: Option<&str>| text.map(str::to_owned);
        Ok(Shipment {
            serial: self.serial.to_owned(),
            macs: self.each_mac().filter_map(mac_from).collect(),
            brand: text(self.brand),
            model: text(self.model),
            ship_date: day(self.ship_date)?,
            order: text(self.order),
            customer: text(self.customer),
            channel: text(self.channel),
            distributor: text(self.distributor),
            purchase_date: self.purchase_date.map(day).transpose()?,
            warranty_until: self.warranty_until.map(day).transpose()?,
            plan_until: self.plan_until.map(day).transpose()?,
        })
    }
}

/// The six bytes of an address, first the maker's.
pub fn mac_bytes(mac: Mac) -> [u8; 6] {
    let [_, _, bytes @ ..] = mac.as_u64().to_be_bytes();
    bytes
}

/// The address of six bytes; `None` for another number of them.
pub fn mac_from(bytes: &[u8]) -> Option<Mac> {
    let bytes: &[u8; 6] = bytes.try_into().ok()?;
    Mac::from_u64(bytes.iter().fold(0, |n, b| n << 8 | u64::from(*b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fields<'a>(texts: &'a [Option<String>; 6], macs: Option<&'a [u8]>, days: [Option<i32>; 3]) -> Fields<'a> {
        let [brand, model, order, customer, channel, distributor] = texts.each_ref().map(Option::as_deref);
        let [purchase_date, warranty_until, plan_until] = days;
        Fields {
            serial: "A1",
            macs,
            brand,
            model,
            ship_date: 19_000,
            order,
            customer,
            channel,
            distributor,
            purchase_date,
            warranty_until,
            plan_until,
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(texts: [Option<String>; 6], macs in proptest::option::of(proptest::collection::vec(any::<u8>(), 6..=6)), days: [Option<i32>; 3]) {
            let fields = fields(&texts, macs.as_deref(), days);
            let mut out = Packer::default();
            fields.pack(&mut out);
            prop_assert_eq!(Fields::unpack(&out.0), Some(fields));
            prop_assert_eq!(hash(&out.0), fields.hash());
            // Nothing shorter or longer is a form.
            prop_assert_eq!(Fields::unpack(&out.0[..out.0.len() - 1]), None);
            out.0.push(0);
            prop_assert_eq!(Fields::unpack(&out.0), None);
        }
        #[test]
        fn unpacking_never_panics(form in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Fields::unpack(&form);
            let _ = Fields::unpack(&[&[VERSION][..], &form].concat());
        }
    }

    #[test]
    fn an_address_is_six_bytes() {
        let mac = Mac::parse("001565ABCDEF").unwrap();
        assert_eq!(mac_bytes(mac), [0x00, 0x15, 0x65, 0xAB, 0xCD, 0xEF]);
        assert_eq!(mac_from(&mac_bytes(mac)), Some(mac));
        assert_eq!(mac_from(&[0; 5]), None);
    }
}
