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
use std::path::PathBuf;
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
    folder: PathBuf,
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
            let normal = |d: &Value| list(&d["dep_kinds"]).iter().any(|k| k["kind"].is_null());
            (text(&node["id"]), list(&node["deps"]).iter().map(|d| (text(&d["pkg"]), normal(d))).collect())
        })
        .collect();
    let mut shipped = BTreeSet::new();
    let mut next = vec![text(&meta["resolve"]["root"])];
    while let Some(id) = next.pop() {
        if shipped.insert(id.clone()) {
            next.extend(below[&id].iter().filter(|(_, normal)| *normal).map(|(id, _)| id.clone()));
        }
    }
    let mut crates: Vec<Crate> = list(&meta["packages"])
        .iter()
        .filter(|p| below.contains_key(&text(&p["id"])))
        .map(|p| Crate {
            name: text(&p["name"]),
            version: text(&p["version"]),
            licence: text(&p["license"]),
            repository: text(&p["repository"]),
            source: p["source"].as_str().map(str::to_owned),
            folder: PathBuf::from(text(&p["manifest_path"])).parent().unwrap().to_owned(),
            shipped: shipped.contains(&text(&p["id"])),
        })
        .collect();
    crates.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    crates
}

/// The policy of `deny.toml`.
struct Policy {
    /// Licences in order of preference.
    allow: Vec<String>,
    exceptions: BTreeMap<String, Vec<String>>,
    registries: Vec<String>,
}

fn policy() -> Policy {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deny.toml")).unwrap();
    let toml: toml::Table = text.parse().unwrap();
    let words = |v: &toml::Value| v.as_array().unwrap().iter().map(|w| w.as_str().unwrap().to_owned()).collect();
    let exceptions = toml["licenses"]["exceptions"].as_array().unwrap().iter();
    Policy {
        allow: words(&toml["licenses"]["allow"]),
        exceptions: exceptions.map(|e| (e["crate"].as_str().unwrap().to_owned(), words(&e["allow"]))).collect(),
        registries: words(&toml["sources"]["allow-registry"]),
    }
}

impl Policy {
    /// The licences under which we take a crate, or `None` if there is no way that we accept.
    fn choose(&self, name: &str, expression: &str) -> Option<Vec<String>> {
        let allow: Vec<&String> = self.allow.iter().chain(self.exceptions.get(name).into_iter().flatten()).collect();
        let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
        let (_, taken) = either(&mut words, &allow)?;
        words.is_empty().then_some(taken)
    }
}

/// How far down our list, and which licences. `None`: not allowed.
type Choice = Option<(usize, Vec<String>)>;

/// `a OR b`: the one that we like better.
fn either(words: &mut Vec<&str>, allow: &[&String]) -> Choice {
    let mut best = both(words, allow);
    while words.pop_if(|w| *w == "OR").is_some() {
        best = best.into_iter().chain(both(words, allow)).min();
    }
    best
}

/// `a AND b`: the terms of both.
fn both(words: &mut Vec<&str>, allow: &[&String]) -> Choice {
    let mut all = one(words, allow);
    while words.pop_if(|w| *w == "AND").is_some() {
        let other = one(words, allow);
        all = all.zip(other).map(|((a, mut list), (b, more))| {
            list.extend(more);
            (a.max(b), list)
        });
    }
    all
}

fn one(words: &mut Vec<&str>, allow: &[&String]) -> Choice {
    let mut word = words.pop()?.to_owned();
    if word == "(" {
        let inside = either(words, allow);
        words.pop_if(|w| *w == ")")?;
        return inside;
    }
    if words.pop_if(|w| *w == "WITH").is_some() {
        word = format!("{word} WITH {}", words.pop()?);
    }
    allow.iter().position(|a| **a == word).map(|rank| (rank, vec![word]))
}

/// A crate's licence files, without those of alternatives that we did not take.
fn texts(c: &Crate, taken: &[String]) -> Vec<String> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(&c.folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| {
            let name = p.file_name().unwrap().to_string_lossy().to_uppercase();
            let about = ["LICENSE", "LICENCE", "UNLICENSE", "COPYING", "COPYRIGHT", "NOTICE"];
            let other = NAMES.iter().any(|(word, id)| name.contains(word) && !taken.iter().any(|t| t == id));
            about.iter().any(|a| name.starts_with(a)) && !other && p.is_file()
        })
        .collect();
    files.sort();
    files.extend(INSIDE.iter().filter(|(name, _)| *name == c.name).map(|(_, file)| c.folder.join(file)));
    // Some authors' names in libusb's list are not UTF-8 in every release.
    let mut texts: Vec<String> =
        files.iter().map(|f| String::from_utf8_lossy(&std::fs::read(f).unwrap()).replace('\r', "")).collect();
    // Two packages say under which licence they stand and leave its text to the reader.
    if taken == ["MPL-2.0"] {
        texts.push(include_str!("third_party/MPL-2.0.txt").to_owned());
    }
    if taken == ["MIT"] && texts.is_empty() {
        let own = include_str!("../LICENSE-MIT");
        let terms = own.split_at(own.find("Permission is hereby granted").unwrap_or(0)).1;
        texts.push(format!("Copyright: the authors of {}\n\n{terms}", c.name));
    }
    texts
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The MIT licence stands below everybody's own copyright line: that line, and the rest that repeats.
fn parted(text: &str) -> (String, &str) {
    let (head, body) = text.split_at(text.find("Permission is hereby granted").unwrap_or(0));
    let head = squeezed(head);
    // A long head is another licence, or more than a name and a year: then nothing is taken apart.
    if head.len() > 400 { (String::new(), text) } else { (head, body) }
}

/// The part of THIRD-PARTY.md below the marker.
fn written(crates: &[Crate], policy: &Policy) -> String {
    let mut out = String::from(
        "\n## The crates\n\n| crate | version | licence | taken under | source |\n|---|---|---|---|---|\n",
    );
    // Licence text -> copyright lines above it -> crates. Spaces and line breaks do not count.
    let mut bodies: BTreeMap<String, (String, BTreeMap<String, BTreeSet<&str>>)> = BTreeMap::new();
    for c in crates.iter().filter(|c| c.shipped && c.source.is_some()) {
        let taken = policy.choose(&c.name, &c.licence).unwrap_or_default();
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} |",
            c.name,
            c.version,
            c.licence,
            taken.join(" and "),
            c.repository
        );
        let texts = texts(c, &taken);
        assert!(!texts.is_empty(), "{} {} has no licence file: add its text", c.name, c.version);
        for text in texts {
            let (head, body) = parted(&text);
            let heads = &mut bodies.entry(squeezed(body)).or_insert_with(|| (body.to_owned(), BTreeMap::new())).1;
            heads.entry(head).or_default().insert(&c.name);
        }
    }
    out += "\n## The licences\n";
    for (body, heads) in bodies.values() {
        out += "\n";
        for (head, names) in heads {
            let names: Vec<&str> = names.iter().copied().collect();
            let colon = if head.is_empty() { "" } else { ": " };
            let _ = writeln!(out, "- {}{colon}{head}", names.join(", "));
        }
        out += "\n```text\n";
        for line in body.trim_matches('\n').lines() {
            let _ = writeln!(out, "{}", line.trim_end());
        }
        out += "```\n";
    }
    out
}

#[test]
fn the_notices_are_those_of_the_binary() {
    let old = std::fs::read_to_string(FILE).unwrap();
    let (ours, generated) = old.split_once(MARKER).expect("the marker stands in THIRD-PARTY.md");
    let new = written(&crates(), &policy());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(FILE, format!("{ours}{MARKER}{new}")).unwrap();
        return;
    }
    let differs = generated.lines().zip(new.lines()).find(|(a, b)| a != b);
    assert!(
        generated == new,
        "THIRD-PARTY.md is not what the crates say; first difference {differs:?}. Run: UPDATE=1 cargo test --test third_party"
    );
    for must in ["GNU LESSER GENERAL PUBLIC LICENSE", "Mozilla Public License Version 2.0", "Apache License"] {
        assert!(new.contains(must), "the text of the {must} is not passed on");
    }
}

#[test]
fn every_licence_and_every_source_is_allowed() {
    let policy = policy();
    let crates = crates();
    assert!(crates.len() > 50, "cargo named only {} crates", crates.len());
    for c in crates.iter().filter(|c| c.source.is_some()) {
        assert!(policy.choose(&c.name, &c.licence).is_some(), "{} {}: licence {:?}", c.name, c.version, c.licence);
        let source = c.source.as_deref().unwrap_or_default().trim_start_matches("registry+");
        assert!(policy.registries.iter().any(|r| r == source), "{} {}: source {source}", c.name, c.version);
    }
}

#[test]
fn licence_expressions_are_understood() {
    let policy = Policy {
        allow: ["MIT", "Apache-2.0", "BSD-3-Clause"].map(str::to_owned).into(),
        exceptions: [("serial".to_owned(), vec!["MPL-2.0".to_owned()])].into(),
        registries: Vec::new(),
    };
    for (name, expression, want) in [
        ("x", "MIT", Some("MIT")),
        ("x", "Apache-2.0/MIT", Some("MIT")),
        ("x", "GPL-3.0-only OR Apache-2.0", Some("Apache-2.0")),
        ("x", "(MIT OR Apache-2.0) AND BSD-3-Clause", Some("MIT BSD-3-Clause")),
        ("x", "Apache-2.0 WITH LLVM-exception OR MIT", Some("MIT")),
        ("x", "Apache-2.0 WITH LLVM-exception", None),
        ("x", "MIT AND GPL-3.0-only", None),
        ("x", "MPL-2.0", None),
        ("serial", "MPL-2.0", Some("MPL-2.0")),
        ("x", "", None),
        ("x", "MIT MIT", None),
        ("x", "(MIT", None),
    ] {
        assert_eq!(policy.choose(name, expression).map(|t| t.join(" ")).as_deref(), want, "{name} {expression}");
    }
}
