//! What the tests share that run the real, unmodified binary: a dock of virtual devices that outlive
//! the daemon ([`dock`]), the page as a browser sees it ([`page`]), a wire to the printer that can be
//! cut at any byte ([`wire`]), and the accounting that must hold after every accident ([`account`]).
//!
//! Nothing here sleeps: everything waits for an event, and gives up loudly after [`PATIENCE`].

// Each test target uses its own part of this.
#![allow(dead_code)]

pub mod account;
pub mod dock;
pub mod page;
pub mod wire;

use std::time::Duration;

/// How long anything may take on a loaded machine. Far above what a healthy run needs; nothing waits
/// this long unless something is broken.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Repeatable chance (SplitMix64): the same seed gives the same moments.
pub struct Chance(u64);

impl Chance {
    /// The seed of this run: from `BACKDOCK_SEED` to repeat one, else from the clock. Tests name it when
    /// they fail.
    pub fn seed() -> u64 {
        match std::env::var("BACKDOCK_SEED") {
            Ok(text) => text.parse().expect("BACKDOCK_SEED is a whole number"),
            Err(_) => std::time::UNIX_EPOCH.elapsed().map_or(1, |d| d.as_nanos() as u64 % 1_000_000_007),
        }
    }

    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}
