//! `kill -9` anywhere, and it comes back right. The real binary runs as a process of its own, between a
//! virtual scanner and a virtual Zebra that outlive it.
//!
//! What must hold after every accident stands in `support/account.rs`: the journal is whole, every label
//! that came out is one job's, every job that says `printed` came out once, what cannot be proved is in
//! doubt and shown, nothing is sent twice, no receipt that was shown is missing, and none stands twice.
//! Kills at every single commit and every single write to the printer need a tracer and have a stage of
//! their own, `tests/stages/kill-enumerated`.

mod support;

#[path = "kill/bytes.rs"]
mod bytes;
#[path = "kill/full.rs"]
mod full;
#[path = "kill/import.rs"]
mod import;
#[path = "kill/moments.rs"]
mod moments;
#[path = "kill/refused.rs"]
mod refused;
#[path = "kill/stop.rs"]
mod stop;
