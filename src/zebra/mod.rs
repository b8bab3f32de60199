//! # zebra: the printer's language back to us
//!
//! Arrives: bytes a Zebra printer sent, in whatever pieces the link delivered them. Leaves: what they
//! say, as types: [`PrinterStatus`] (`~HS`), [`ErrorFlags`] (`~HQES`), [`Identity`] (`~HI`),
//! [`Value`] (SGD `getvar`), and [`Fault`]s with the operator's next step.
//!
//! A question is a type with [`Query::to_bytes`] and [`Query::parse`]; only the printer room touches
//! the wire. The caller keeps one growing buffer, calls `parse` after each read and lets the
//! [`Reply`] say what to do with it. Answers come cut anywhere, after the rest of an older answer,
//! twice, or with line noise between, so every parser looks for its own shape and steps over what is
//! not it. The answer does not depend on where the bytes were cut.
//!
//! What no parser here can know: *which* question an SGD answer belongs to, for it names none. Ask
//! one thing at a time and empty the buffer first.
//!
//! This room never takes silence for an answer: the manual itself says that some printers do not
//! answer `~HS` while media is out or the head is open. "Nothing came" is the caller's to judge.

mod error_flags;
mod fault;
mod host_status;
mod identity;
mod reply;
mod sgd;

pub use error_flags::{ErrorFlags, ErrorStatus};
pub use fault::{Fault, faults};
pub use host_status::{HostStatus, PrintMode, PrinterStatus};
pub use identity::{HostIdentification, Identity};
pub use reply::{Query, Reply};
pub use sgd::{GetVar, Value};
