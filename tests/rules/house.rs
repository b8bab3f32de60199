//! House rule: no company and no rule id in the sources. What a company wants stands in its file.

use std::path::{Path, PathBuf};

/// Words that would give a company or one of its brands away.
const NAMES: [&str; 12] = [
    "unex",
    "smartwitness",
    "server technology",
    "server-technology",
    "server_technology",
    "security-dvr",
    "voip-reseller",
    "htek",
    "yealink",
    "grandstream",
    "snom",
    "polycom",
];

/// Places that know devices by their makers' names: tables about hardware, and sample data.
const MAKERS: [&str; 5] = ["identify", "sim", "device", "cli/demo", "cli/bench"];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The code of a file: without comments, and without its tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().take_while(|line| *line != "#[cfg(test)]").enumerate();
    lines.filter_map(|(at, line)| {
        let cut = line.match_indices("//").find(|(at, _)| line[..*at].matches('"').count() % 2 == 0);
        let code = cut.map_or(line, |(at, _)| &line[..at]);
        (!code.trim().is_empty()).then_some((at + 1, code))
    })
}

fn names_a_company(line: &str) -> bool {
    let low = line.to_lowercase();
    let alone = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    NAMES.iter().any(|name| {
        low.match_indices(name)
            .any(|(at, _)| alone(low[..at].chars().next_back()) && alone(low[at + name.len()..].chars().next()))
    })
}

/// `X-12` with one of the five letters, standing alone.
fn rule_id(line: &str) -> bool {
    let bytes = line.as_bytes();
    bytes.windows(4).enumerate().any(|(at, w)| {
        let alone = |b: Option<&u8>| b.is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'-');
        (b'A'..=b'E').contains(&w[0])
            && w[1] == b'-'
            && w[2].is_ascii_digit()
            && w[3].is_ascii_digit()
            && alone(at.checked_sub(1).and_then(|before| bytes.get(before)))
            && alone(bytes.get(at + 4))
    })
}

#[test]
fn no_company_and_no_rule_in_the_sources() {
    // tests/rules/house.rs -> the package.
    let package = Path::new(file!()).ancestors().nth(3).unwrap();
    let src = package.join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 10, "no sources below {}", src.display());
    let mut found = Vec::new();
    for path in &files {
        let inside = path.strip_prefix(&src).unwrap();
        let makers = MAKERS.iter().any(|place| inside.starts_with(place));
        // The list of the files that are shipped names them; nothing else may. Tests may say anything.
        if inside.ends_with("program/shipped.rs") || inside.ends_with("tests.rs") {
            continue;
        }
        let text = std::fs::read_to_string(path).unwrap();
        for (at, line) in code(&text) {
            if !makers && (names_a_company(line) || rule_id(line)) {
                found.push(format!("{}:{at}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "a company or a rule stands in Rust:\n{}", found.join("\n"));
}

#[test]
fn the_test_itself_sees_names_and_ids() {
    assert!(names_a_company("brand: \"Snom\"") && names_a_company("unex") && !names_a_company("UnexpectedEof"));
    assert!(rule_id("rule: \"A-24\"") && rule_id("E-01"));
    assert!(!rule_id("AA-24") && !rule_id("A-245") && !rule_id("2026-A-1") && !rule_id("F-24"));
    let text = "let a = 1; // A-24\nlet b = \"A-24\";\n// Yealink\n#[cfg(test)]\nlet c = \"A-24\";";
    let lines: Vec<_> = code(text).map(|(at, _)| at).collect();
    assert_eq!(lines, [1, 2]);
    assert!(!code(text).any(|(at, line)| at == 1 && rule_id(line)));
}
