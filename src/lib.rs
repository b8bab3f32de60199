//! # backdock: the station daemon for a returns dock
//!
//! A scan enters at one door, becomes a fact, meets the unit's history and the company's rules, is
//! written down, and leaves as a label. Data walks that way once, and never back:
//!
//! ```text
//! device bytes -> scan -> identity -> (store: what do we know?) -> decision -> (store: write it down)
//!      -> label -> printer -> the printer's answer -> (store)       \-> kiosk screen and tone
//!      -> message -> mail server or webhook -> its answer -> (store)
//! ```
//!
//! ## The rooms, in the order data walks through them, and what each must never do
//!
//! | room | kind | what it does | what it never does |
//! |---|---|---|---|
//! | [`strict_toml`] | pure | TOML text -> values; every key asked for or reported | stop at the first mistake |
//! | [`config`] | front | one TOML file -> [`config::Config`], every mistake listed | guess a value that was mistyped |
//! | [`domain`] | pure | the nouns: unit, shipment, RMA, receipt, verdict, job, event | belong to one room |
//! | [`device`] | wire in | one thread per scanner: open, read, back off, open again | share anything between two scanners |
//! | [`scan`] | pure | bytes -> frames -> scans | read; judge what a payload means |
//! | [`identify`] | pure | a scan -> ranked candidates | drop a payload it has no name for |
//! | [`program`] | pure | program file + facts + date -> verdict | contain a company's rule as code |
//! | [`rma`] | pure | RMA numbers, check characters, what an RMA may still do | reuse a number |
//! | [`flow`] | pure | `step(session, scan, knowledge) -> outcome + events`: the dock's whole way on one page | touch the world |
//! | [`label`] | pure | facts -> laid-out label -> ZPL and picture; others' ZPL through its gate; the only address of zpl-builder | let data out unescaped |
//! | [`zebra`] | pure | the printer's answers -> [`zebra::PrinterStatus`] | take silence for an answer |
//! | [`printer`] | wire out | one thread per printer: send, ask, prove | send a label a second time by itself |
//! | [`message`] | wire out | what is owed to somebody -> an e-mail or a webhook; one thread sends | let a field into a header; send an e-mail in doubt again by itself |
//! | [`store`] | SQLite | schema, journal, lookups, projections, imports; one writer | change a table without an event |
//! | [`web`] | window | the kiosk page, live events | decide anything |
//! | [`sim`] | other side of the wire | a virtual Zebra, a virtual scanner | use any room above |
//! | [`station`] | the hall | threads, channels, the clock, shutdown, systemd | know a rule, a byte or a table |
//! | [`cli`] | doors | one thin file per verb | hold logic that the daemon needs |
//!
//! ## Invariants
//!
//! 1. Intent is committed before the act, and what the world answered is written after it. A job is
//!    `sending` in the database before its first byte leaves; it is `printed` only when the printer's
//!    own label count says so; everything else is `in-doubt` and a person's business.
//!    A message walks the same way.
//! 2. The journal is append-only and hash-chained. Tables are what it adds up to: they change only in
//!    [`store::project`], in the transaction that appends the event. `journal verify` replays it.
//! 3. Pure rooms have no clock, no I/O, no threads, no statics: time is an argument. `tests/house.rs`
//!    reads the sources and fails on the first line that breaks this or the room order.
//! 4. No company's name or rule stands in Rust. A process is a file in `programs/`.
//! 5. Scanned bytes are hostile: they reach ZPL only through [`label`]'s one escaping writer, HTML only
//!    as text nodes, SQL only as parameters, the log only escaped.
//! 6. Every queue, frame, body and retry has a named limit.

pub mod cli;
pub mod config;
pub mod device;
pub mod domain;
pub mod flow;
pub mod identify;
pub mod label;
pub mod message;
pub mod printer;
pub mod program;
pub mod rma;
pub mod scan;
pub mod sim;
pub mod station;
pub mod store;
pub mod strict_toml;
pub mod web;
pub mod zebra;
