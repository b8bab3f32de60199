//! # The other side of the wire
//!
//! A dock needs a printer and a scanner to be tried at all, and a bench has neither. This room plays
//! both: a virtual Zebra that takes ZPL over TCP, answers the host's questions, prints at a Zebra's pace
//! and fails in every way a Zebra fails; and a virtual scanner that plays a recorded tape into a pty.
//!
//! It shares no code with the rooms that talk to the real devices, on purpose: a misreading of the
//! printer's manual must not be made twice, once on each side, and then agree with itself.
//!
//! | file | what it is |
//! |---|---|
//! | [`fault`] | the names of what can go wrong, and `NAME@LABEL:SECONDS` |
//! | [`engine`] | the printer without wires or threads: bytes and time in, answers and labels out |
//! | `lexer`, `zpl`, `status` | bytes to commands; one command's parameters; the printer's answers |
//! | [`settings`] | what one format leaves behind for the next |
//! | [`printer`] | the engine behind a TCP port, and the labels as files |
//! | [`render`] | a label's ZPL as a picture (`canvas`, `text`, `code128`, `graphic` are its parts) |
//! | [`scanner`] | tapes, and a pty that plays them |
//! | [`dice`] | chance that a seed repeats, for schedules of scans and faults |

mod canvas;
mod code128;
pub mod dice;
pub mod engine;
pub mod fault;
mod graphic;
mod lexer;
pub mod printer;
pub mod render;
pub mod scanner;
pub mod settings;
mod status;
mod text;
mod zpl;
