//! The rules of the shipped programs, one test per rule id, through the public way in: facts as JSON,
//! one date, one verdict. Expectations were written by hand from the processes, before the first run.
//! `ledger.rs` keeps the account: every id of the catalogue is proven or waits with a reason.

#[path = "rules/a.rs"]
mod a;
#[path = "rules/b.rs"]
mod b;
#[path = "rules/beyond.rs"]
mod beyond;
#[path = "rules/c.rs"]
mod c;
#[path = "rules/calendar.rs"]
mod calendar;
#[path = "rules/d.rs"]
mod d;
#[path = "rules/dock.rs"]
mod dock;
#[path = "rules/e.rs"]
mod e;
#[path = "rules/house.rs"]
mod house;
#[path = "rules/ledger.rs"]
mod ledger;
#[path = "rules/mechanisms.rs"]
mod mechanisms;
#[path = "rules/properties.rs"]
mod properties;
#[path = "rules/support.rs"]
mod support;
#[path = "rules/table.rs"]
mod table;
#[path = "rules/vectors.rs"]
mod vectors;
