//! What every label looks like: the picture of each, on its usual stock at 203 dpi, held dot by dot against
//! the one that a person has looked at (`tests/golden/labels/`). A design that moves is seen here before it is
//! seen on a box.
//!
//! After a wanted change: `UPDATE=1 cargo test --test labels`, then look at the pictures that git shows as
//! changed before they count. The stage `labels` makes one sheet of all of them.

use backdock::label::{self, Dpi, Stock};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// All pictures together, bytes: they are to be looked at in a review.
const MOST: u64 = 400_000;

struct Case {
    /// Of the picture.
    name: String,
    label: &'static str,
    fields: Value,
    stock: Stock,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn sample(file: &str) -> Value {
    let text = fs::read_to_string(root().join("src/label/golden").join(file)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Every label once, and what only shows on some: a hold on small stock, letters from elsewhere, a copy.
fn cases() -> Vec<Case> {
    let papers = sample("papers.json");
    let mut cases = Vec::new();
    for def in label::names() {
        let fields = match def.name {
            "unit" => sample("hold.json"),
            "test" => sample("test.json"),
            paper => papers[paper].clone(),
        };
        cases.push(Case { name: def.name.to_owned(), label: def.name, fields, stock: def.stock });
    }
    let small: Stock = "2x1".parse().unwrap();
    let large: Stock = "4x6".parse().unwrap();
    let mut copy = papers["hold"].clone();
    for (field, value) in [("copy", json!(2)), ("copy_by", json!("B7")), ("copy_why", json!("torn off in the rack"))] {
        copy[field] = value;
    }
    for (name, label, fields, stock) in [
        ("unit-small", "unit", sample("small.json"), small),
        ("unit-hold-small", "unit", sample("hold.json"), small),
        ("unit-foreign", "unit", sample("foreign.json"), large),
        ("hold-copy", "hold", copy, label::find("hold").unwrap().stock),
        ("box-small", "box", papers["box"].clone(), small),
    ] {
        cases.push(Case { name: name.to_owned(), label, fields, stock });
    }
    cases
}

/// Size, and a byte or less for each dot.
fn dots(png: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(info.bit_depth, png::BitDepth::One, "a label is black or white");
    (info.width, info.height, bytes)
}

#[test]
fn every_label_looks_as_it_was_approved() {
    let folder = root().join("tests/golden/labels");
    let update = std::env::var_os("UPDATE").is_some();
    let drawn = Path::new(env!("CARGO_TARGET_TMPDIR")).join("labels");
    fs::create_dir_all(&drawn).unwrap();
    let mut other = Vec::new();
    let mut names = BTreeSet::new();
    for case in cases() {
        let label = label::render(case.label, &case.fields, case.stock, Dpi::D203).unwrap();
        let (picture, golden) = (label.png(), folder.join(format!("{}.png", case.name)));
        names.insert(format!("{}.png", case.name));
        let approved = fs::read(&golden).ok();
        if approved.is_some_and(|old| dots(&old) == dots(&picture)) {
            continue;
        }
        if update {
            fs::write(&golden, &picture).unwrap();
        } else {
            let is = drawn.join(format!("{}.png", case.name));
            fs::write(&is, &picture).unwrap();
            other.push(format!("{} is now {}", golden.display(), is.display()));
        }
    }
    assert!(
        other.is_empty(),
        "labels that do not look as approved; compare them, then accept with UPDATE=1 cargo test --test labels:\n{}",
        other.join("\n")
    );
    let there = fs::read_dir(&folder).unwrap().map(|e| e.unwrap());
    let (mut left, mut bytes) = (Vec::new(), 0);
    for picture in there {
        bytes += picture.metadata().unwrap().len();
        let name = picture.file_name().into_string().unwrap();
        if !names.contains(&name) {
            left.push(name);
        }
    }
    assert!(left.is_empty(), "pictures of labels that there are no more: {left:?}");
    assert!(bytes <= MOST, "{bytes} bytes of pictures; at most {MOST}");
}
