//! One target of cargo-fuzz; which one, its name in `Cargo.toml` says.
#![no_main]

mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::run(env!("CARGO_BIN_NAME"), data));
