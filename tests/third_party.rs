//! Other people's work inside backdock: is it allowed, and do we pass on the texts that its licences ask for?
//!
//! Arrives: what cargo says of the crates in `Cargo.lock`, the policy in `deny.toml`, the licence files in
//! the crates' own packages. Leaves: the part of `THIRD-PARTY.md` below its marker. After a change of
//! dependencies write it anew with
//!
//! ```text
//! UPDATE=1 cargo test --test third_party
//! ```
//!
//! and read the difference. The list is that of the shipped binary on x86_64 Linux.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/THIRD-PARTY.md");
const MARKER: &str = "<!-- From here on written by tests/third_party.rs -->\n";
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Licence files of what a crate carries inside, beside its own.
const INSIDE: [(&str, &str); 2] = [("libusb1-sys", "libusb/COPYING"), ("libusb1-sys", "libusb/AUTHORS")];
/// Which licence a file's name speaks of. A file for an alternative that we do not take is left out.
const NAMES: [(&str, &str); 7] = [
    ("APACHE", "Apache-2.0"),
    ("MIT", "MIT"),
    ("ZLIB", "Zlib"),
    ("0BSD", "0BSD"),
    ("UNLICENSE", "Unlicense"),
    ("BOOST", "BSL-1.0"),
    ("GPL", "GPL-3.0-only"),
];

/// A crate of the dependency graph.
struct Crate {
    name: String,
    version: String,
    licence: String,
    repository: String,
    source: Option<String>,
    manifest: String,
    /// Reached from ours without build scripts' and tests' dependencies.
    shipped: bool,
}

/// What cargo would build for [`TARGET`]: ours, everything below it, tests and build scripts included.
fn crates() -> Vec<Crate> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform", TARGET])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&out.stderr));
    let meta: Value = serde_json::from_slice(&out.stdout).unwrap();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
    let below: BTreeMap<String, Vec<(String, bool)>> = list(&meta["resolve"]["nodes"])
        .iter()
        .map(|node| {
            let deps = list(&node["deps"]).iter().map(|d| {
                (text(&d["pkg"]), list(&d["dep_kinds"]).iter().any(|k| k["kind"].is_null()))
            }).collect();
            (text(&node["id"]), deps)
        })
        .collect();
    let mut shipped = BTreeSet::new();
    let mut next = vec![text(&meta["resolve"]["root"])];
    while let Some(id) = next.pop() {
        next.extend(below[&id].iter().filter(|(_, normal)| *normal).map(|(id, _)| id.clone()));
        if !shipped.insert(id) {
            continue;
        }
    }
    let packages = list(&meta["packages"]);
    let crates = packages.iter().filter(|p| below.contains_key(p["id"].as_str().unwrap()));
    let mut crates: Vec<Crate> = crates
        .map(|p| Crate {
            name: text(&p["name"]),
            version: text(&p["version"]),
            licence: text(&p["license"]),
            repository: text(&p["repository"]),
            source: p["source"].as_str().map(str::to_owned),
            manifest: text(&p["manifest_path"]),
            shipped: shipped.contains(p["id"].as_str().unwrap()),
        })
        .collect();
    crates.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    crates
}
