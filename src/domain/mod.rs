//! The nouns of the returns dock. No room owns them, every room may use them, and they know nothing
//! of threads, files, databases or devices. One word for one thing, here and in tables, JSON,
//! screens and the manual.

pub mod check37;
pub mod date;
pub mod event;
pub mod facts;
pub mod identity;
pub mod job;
pub mod label_code;
pub mod mac;
pub mod message;
pub mod money;
pub mod presence;
pub mod probe;
pub mod rma;
pub mod screen;
pub mod session;
pub mod shipment;
pub mod tag;
pub mod text;
pub mod unit;
pub mod verdict;
