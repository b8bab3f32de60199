//! What is installed beside the binary agrees with the binary: udev rules, unit file, README.
//!
//! These files repeat facts that the program holds (which devices are scanners, where data lies, which
//! options there are). Each test here reads such a file and compares. systemd and udev have their own say in
//! the stage `systemd` of `tests/run`; here the rules are read as udev's manual page describes them.

use backdock::config;
use backdock::domain::screen::Kind;
use backdock::scan::models::{MODELS, PRINTER_MAKERS};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

// ---- udev

/// One `KEY{attribute}OP"value"` of a rule.
#[derive(Debug)]
struct Token {
    key: String,
    attribute: Option<String>,
    op: String,
    value: String,
}

/// The rules of a file, comments gone, continued lines joined. `Err`: the line and what is wrong with it.
fn rules(text: &str) -> Result<Vec<Vec<Token>>, String> {
    let joined = text.replace("\\\n", " ");
    joined
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .map(|line| {
            let tokens: Option<Vec<Token>> = line.split(", ").map(token).collect();
            tokens.ok_or_else(|| format!("not a rule: {line}"))
        })
        .collect()
}

fn token(text: &str) -> Option<Token> {
    const MATCH: [&str; 7] = ["ACTION", "SUBSYSTEM", "KERNEL", "ATTRS", "ATTR", "ENV", "TAG"];
    const ASSIGN: [&str; 8] = ["ENV", "SYMLINK", "GROUP", "MODE", "TAG", "IMPORT", "GOTO", "LABEL"];
    let (left, value) = text.split_once('"')?;
    let value = value.strip_suffix('"').filter(|v| !v.contains('"'))?;
    let op = ["==", "!=", "+=", "="].into_iter().find(|op| left.ends_with(op))?;
    let key = left.strip_suffix(op)?;
    let (key, attribute) = match key.split_once('{') {
        Some((key, attribute)) => (key, Some(attribute.strip_suffix('}').filter(|a| !a.is_empty())?)),
        None => (key, None),
    };
    let known = if matches!(op, "==" | "!=") { &MATCH[..] } else { &ASSIGN[..] };
    let wants_attribute = matches!(key, "ATTRS" | "ATTR" | "ENV" | "IMPORT");
    (known.contains(&key) && wants_attribute == attribute.is_some()).then(|| Token {
        key: key.to_owned(),
        attribute: attribute.map(str::to_owned),
        op: op.to_owned(),
        value: value.to_owned(),
    })
}

fn backdock_rules() -> Vec<Vec<Token>> {
    rules(&file("udev/70-backdock.rules")).unwrap()
}

#[test]
fn the_udev_rules_are_rules() {
    let ours = backdock_rules();
    assert!(ours.len() > 20);
    let said = |key: &str| -> Vec<String> {
        ours.iter().flatten().filter(|t| t.key == key).map(|t| t.value.clone()).collect()
    };
    let labels = said("LABEL");
    assert!(said("GOTO").iter().all(|to| labels.contains(to)), "a GOTO leads nowhere");
    assert_eq!(labels.len(), 1);
    // What is not a rule is seen.
    for bad in [
        "SUBSYSTEM=\"usb\"",
        "ENV==\"1\"",
        "SYMLINK==\"x\"",
        "KERNEL==\"a",
        "FOO==\"1\"",
        "KERNEL==\"a\" KERNEL==\"b\"",
    ] {
        assert!(rules(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_udev_rules_come_at_the_right_moment() {
    // udev reads the files of all its folders in the order of their names.
    let name = "70-backdock.rules";
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("udev").join(name).exists());
    for before in ["60-input-id.rules", "60-serial.rules", "60-persistent-input.rules"] {
        assert!(before < name, "{before} must have spoken");
    }
    for after in ["70-power-switch.rules", "71-seat.rules", "73-seat-late.rules", "80-mm-candidate.rules"] {
        assert!(name < after, "{after} must find what we said");
    }
}

/// The rows of the rules as the table of models has them: a dozen products of one maker to a line.
fn rows() -> String {
    let mut rows = String::new();
    for maker in MODELS.chunk_by(|a, b| a.vendor_id == b.vendor_id) {
        for dozen in maker.chunks(12) {
            let products: Vec<String> = dozen.iter().map(|m| format!("{:04x}", m.product_id)).collect();
            rows += &format!(
                "ATTRS{{idVendor}}==\"{:04x}\", ATTRS{{idProduct}}==\"{}\", ENV{{ID_BACKDOCK}}=\"scanner\"\n",
                maker[0].vendor_id,
                products.join("|")
            );
        }
    }
    for (vendor, _) in PRINTER_MAKERS {
        rows += &format!("ATTRS{{idVendor}}==\"{vendor:04x}\", ENV{{ID_BACKDOCK}}=\"printer\"\n");
    }
    rows
}

/// With UPDATE=1 in the environment the rows are written anew.
#[test]
fn the_udev_rules_know_the_devices_of_the_model_table_and_no_others() {
    let text = file("udev/70-backdock.rules");
    let (before, rest) = text.split_once("# rows: written by tests/packaging.rs\n").unwrap();
    let (found, after) = rest.split_once("# end of rows\n").unwrap();
    if found != rows() && std::env::var_os("UPDATE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("udev/70-backdock.rules");
        let text = format!("{before}# rows: written by tests/packaging.rs\n{}# end of rows\n{after}", rows());
        std::fs::write(path, text).unwrap();
        return;
    }
    assert_eq!(found, rows(), "UPDATE=1 cargo test --test packaging");
    assert!(!before.contains("ATTRS") && !after.contains("ATTRS"), "only the rows say what is what");
}

#[test]
fn scanners_open_to_the_station_and_to_nobody_else() {
    let rules = backdock_rules();
    let opens = |subsystem: &str| {
        let says = |rule: &&Vec<Token>, key: &str, op: &str, value: &str| {
            rule.iter().any(|t| t.key == key && t.op == op && t.value == value)
        };
        let rule = rules.iter().find(|r| {
            says(r, "SUBSYSTEM", "==", subsystem)
                && says(r, "ENV", "==", "scanner")
                && says(r, "GROUP", "=", "backdock")
        });
        rule.is_some_and(|r| says(&r, "MODE", "=", "0660"))
    };
    assert!(opens("usb") && opens("input"));
    // A group for all that types would open every keyboard to the station.
    assert!(!unit()["SupplementaryGroups"].join(" ").contains("input"));
}

#[test]
fn scanners_are_kept_from_modem_manager_and_from_the_desktop() {
    let rules = backdock_rules();
    // A rule that holds for all these and does that.
    let does = |when: &[(&str, &str)], key: &str, attribute: &str, value: &str| {
        rules.iter().any(|rule| {
            let matches = |t: &Token| when.iter().any(|(k, v)| t.key == *k && t.value.split('|').any(|a| a == *v));
            rule.iter().filter(|t| t.op == "==").all(matches)
                && rule.iter().any(|t| {
                    t.op == "=" && t.key == key && t.attribute.as_deref() == Some(attribute) && t.value == value
                })
        })
    };
    for subsystem in ["usb", "tty"] {
        assert!(does(&[("SUBSYSTEM", subsystem)], "ENV", "ID_MM_DEVICE_IGNORE", "1"), "{subsystem}");
    }
    let wedge = [("SUBSYSTEM", "input"), ("ENV", "scanner")];
    for (property, value) in
        [("ID_INPUT", ""), ("ID_INPUT_KEY", ""), ("ID_INPUT_KEYBOARD", ""), ("LIBINPUT_IGNORE_DEVICE", "1")]
    {
        assert!(does(&wedge, "ENV", property, value), "{property}");
    }
    // A keyboard that is no scanner must stay one: everything of the kind stands behind the guard.
    let guard = rules.iter().position(|r| r.iter().any(|t| t.key == "ENV" && t.value.is_empty() && t.op == "=="));
    let first = rules.iter().position(|r| r.iter().any(|t| t.attribute.as_deref() == Some("LIBINPUT_IGNORE_DEVICE")));
    assert!(guard.is_some() && guard < first);
}

// ---- systemd

/// Every value of a key, in order; an empty one takes back those before it, as systemd has it.
fn unit() -> BTreeMap<String, Vec<String>> {
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in file("systemd/backdock.service").lines().filter(|l| !l.starts_with(['#', '['])) {
        if let Some((key, value)) = line.split_once('=') {
            keys.entry(key.to_owned()).or_default().push(value.to_owned());
        }
    }
    keys
}

#[test]
fn the_unit_gives_the_daemon_what_its_defaults_want() {
    let unit = unit();
    let one = |key: &str| unit[key].join(" ");
    let minimal = "[station]\nid = \"A\"\ncode = \"A1\"\ntimezone = \"UTC\"\n";
    let station = config::parse("minimal", minimal).unwrap().value.station;
    assert_eq!(Path::new("/var/lib").join(one("StateDirectory")), station.data);
    assert_eq!(Some(Path::new("/run").join(one("RuntimeDirectory")).as_path()), station.socket.parent());
    assert_eq!(station.socket, Path::new(config::DEFAULT_SOCKET));
    assert_eq!(one("ExecStart"), "/usr/bin/backdock run");
    assert_eq!(one("Type"), "notify");
    // The daemon feeds the watchdog from a loop that turns once a second, and stops within five.
    assert!(one("WatchdogSec").parse::<u32>().unwrap() >= 10);
    assert!((6..=15).contains(&one("TimeoutStopSec").parse::<u32>().unwrap()));
    assert_eq!(one("RestartPreventExitStatus"), "2");
}

#[test]
fn the_unit_and_its_user_reach_the_same_groups() {
    let sysusers = file("systemd/backdock.sysusers");
    let members: BTreeSet<&str> = sysusers.lines().filter_map(|l| l.strip_prefix("m backdock ")).collect();
    let unit = unit();
    let groups: BTreeSet<&str> = unit["SupplementaryGroups"].iter().flat_map(|g| g.split_whitespace()).collect();
    assert_eq!(members, groups);
    assert!(sysusers.lines().any(|l| l.starts_with("u backdock ")));
    assert_eq!((unit["User"].join(""), unit["Group"].join("")), ("backdock".to_owned(), "backdock".to_owned()));
}

#[test]
fn the_unit_lets_the_daemon_at_every_kind_of_device() {
    // By number: by name systemd finds only drivers that are loaded when the station starts. 4 ttyS, 166 ttyACM,
    // 188 ttyUSB, 189 the USB bus (libusb), and 180 usbcore, under which the kernel's printer ports are,
    // and 13 key events.
    let allowed: BTreeSet<String> = unit()["DeviceAllow"].iter().cloned().collect();
    let wanted = [4, 166, 188, 189, 180, 13].map(|major| format!("char-{major} rw"));
    assert_eq!(allowed, BTreeSet::from(wanted));
    assert_eq!(unit()["DevicePolicy"], ["closed"]);
}

#[test]
fn printers_are_permitted_and_have_a_name_that_stays() {
    // udev's own rules, where they are installed, give all three kinds of node to groups of the station's user.
    let groups = unit()["SupplementaryGroups"].join(" ");
    let member = |group: &str| groups.split_whitespace().any(|g| g == group);
    assert!(member("lp") && member("dialout"));
    if let Ok(own) = std::fs::read_to_string("/usr/lib/udev/rules.d/50-udev-default.rules") {
        let gives = |what: &str, group: &str| {
            own.lines().any(|l| l.contains(what) && l.contains(&format!("GROUP=\"{group}\"")))
        };
        assert!(gives("KERNEL==\"lp[0-9]*\"", "lp"), "/dev/usb/lp*");
        assert!(gives("ENV{ID_USB_INTERFACES}==\"*:0701??:*\"", "lp"), "/dev/bus/usb");
        assert!(gives("KERNEL==\"tty[A-Z]*[0-9]", "dialout"), "serial ports");
    }
    // The link that the manual names for a printer port.
    let names = backdock_rules().iter().any(|rule| {
        let says = |key: &str, value: &str| rule.iter().any(|t| t.key == key && t.value == value);
        says("SUBSYSTEM", "usbmisc") && says("SYMLINK", "backdock/printer-$env{ID_SERIAL_SHORT}")
    });
    assert!(names);
}

// ---- README

/// The fenced blocks of one language, as the newcomer copies them.
fn blocks(language: &str) -> Vec<String> {
    let readme = file("README.md");
    let fence = format!("```{language}");
    let mut blocks = Vec::new();
    let mut inside = false;
    for line in readme.lines().map(|l| l.strip_prefix("   ").unwrap_or(l)) {
        if line == fence {
            blocks.push(String::new());
            inside = true;
        } else if line.starts_with("```") {
            inside = false;
        } else if inside && let Some(block) = blocks.last_mut() {
            block.push_str(line);
            block.push('\n');
        }
    }
    blocks
}

#[test]
fn the_configuration_in_the_readme_is_one() {
    let blocks = blocks("toml");
    assert!(blocks.len() >= 2);
    let whole = blocks.iter().find(|b| b.contains("[station]")).unwrap();
    assert_eq!(config::parse("README.md", whole).unwrap().warnings.len(), 0, "the first one is a whole station");
    for block in &blocks {
        let text = if block.contains("[station]") { block.clone() } else { format!("{whole}\n{block}") };
        let problems: Vec<String> =
            config::parse("README.md", &text).err().into_iter().flatten().map(|p| p.to_string()).collect();
        assert!(problems.is_empty(), "{problems:#?}");
    }
}

#[test]
fn the_commands_in_the_readme_exist() {
    let help = |verbs: &[&str]| {
        let out = Command::new(env!("CARGO_BIN_EXE_backdock")).args(verbs).arg("--help").output().unwrap();
        (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let mut seen = 0;
    for line in blocks("sh").iter().flat_map(|b| b.replace("\\\n", " ").lines().map(str::to_owned).collect::<Vec<_>>())
    {
        for part in line.split('|') {
            let words: Vec<&str> = part.split_whitespace().skip_while(|w| *w == "sudo").collect();
            let words = match words.as_slice() {
                ["backdock", rest @ ..] => rest,
                ["cargo", "run", "--release", "--", rest @ ..] => rest,
                _ => continue,
            };
            // Global options stand in front of the verb, here always with a value.
            let words = if words[0].starts_with("--") { &words[2..] } else { words };
            let (good, verb) = help(&words[..1]);
            let verbs_below = verb.contains("<COMMAND>");
            let (below, text) = if verbs_below { help(&words[..2]) } else { (true, verb) };
            assert!(good && below, "no such verb: {line}");
            for option in words.iter().filter(|w| w.starts_with("--")) {
                assert!(text.contains(option), "{option} is no option here: {line}");
            }
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen} commands seen");
}

#[test]
fn the_readme_names_every_kind_of_answer() {
    let readme = file("README.md");
    for (kind, symbol) in [
        (Kind::Accept, "check"),
        (Kind::Hold, "pause"),
        (Kind::Reject, "cross"),
        (Kind::Ask, "question"),
        (Kind::Info, "i "),
        (Kind::Error, "exclamation"),
    ] {
        let name = serde_json::to_value(kind).unwrap();
        let row = readme.lines().find(|l| l.starts_with(&format!("| {} ", name.as_str().unwrap())));
        assert!(row.is_some_and(|r| r.contains(&format!("| {symbol}"))), "{name}");
    }
}

#[test]
fn the_files_that_the_readme_names_are_there() {
    let readme = file("README.md");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = readme.split(['`', '(', ')', ' ', '\n']).filter(|w| {
        ["systemd/", "udev/", "tests/", "programs/", "src/", ".ci/", "LICENSE", "THIRD-PARTY"]
            .iter()
            .any(|p| w.starts_with(p))
    });
    let mut seen = 0;
    for word in named.filter(|w| !w.contains('*')) {
        assert!(root.join(word).exists(), "{word}");
        seen += 1;
    }
    assert!(seen >= 8, "{seen} files named");
}
