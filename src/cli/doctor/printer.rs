//! `backdock doctor printer`: asks each configured printer what it is and how it is set, and says what does
//! not fit the configuration and how it is mended. It prints nothing.

use super::super::{End, Stop, Verdict, answer, answer_json, table};
use super::tell;
use crate::config::{Config, Printer};
use crate::printer::exam::Exam;
use crate::zebra::{self, GetVar, HostIdentification, HostStatus, Value as Setting};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A printer that is well answers in milliseconds; one on a slow serial line in a second.
const PATIENCE: Duration = Duration::from_secs(3);
/// The label that the printer measured may differ from the stock by this share: gaps, and how it is cut.
const LENGTH_OFF: f64 = 0.1;

/// Settings that are only told, by the printer's own names for them.
const TOLD: [(&str, &str); 8] = [
    ("languages", "device.languages"),
    ("darkness", "print.tone"),
    ("speed", "media.speed"),
    ("print_method", "ezpl.print_method"),
    ("media_type", "ezpl.media_type"),
    ("print_width", "ezpl.print_width"),
    ("serial", "device.unique_id"),
    ("odometer", "odometer.total_label_count"),
];

pub(super) fn main(config: &Config, name: Option<String>, json: bool) -> Verdict {
    let printers: Vec<&Printer> =
        config.printers.iter().filter(|p| name.as_ref().is_none_or(|name| *name == p.name)).collect();
    if printers.is_empty() {
        let known: Vec<&str> = config.printers.iter().map(|p| p.name.as_str()).collect();
        let asked = name.unwrap_or_default();
        return Err(Stop::usage(format!("no printer is called {asked:?}; there are: {}", known.join(", "))));
    }
    let found: Vec<Found> = printers.into_iter().map(examine).collect();
    if json {
        let all: Vec<Value> = found.iter().map(Found::json).collect();
        answer_json(&json!({"printers": all}))?;
    } else {
        found.iter().for_each(Found::tell);
    }
    let silent = found.iter().any(|f| f.said.is_empty());
    let wrong = found.iter().any(|f| !f.wrong.is_empty());
    Ok(if silent {
        End::Failed
    } else if wrong {
        End::Person
    } else {
        End::Done
    })
}

/// What a printer said of itself, and what is wrong with that.
struct Found {
    name: String,
    link: String,
    said: Map<String, Value>,
    /// What is wrong, and what to do.
    wrong: Vec<(String, String)>,
}

impl Found {
    fn json(&self) -> Value {
        let findings: Vec<Value> =
            self.wrong.iter().map(|(what, remedy)| json!({"what": what, "remedy": remedy})).collect();
        json!({"name": self.name, "link": self.link, "said": self.said, "findings": findings})
    }

    fn tell(&self) {
        answer(format!("{}  {}", self.name, self.link));
        for (key, value) in &self.said {
            let text = value.as_str().map_or_else(|| value.to_string(), table::plain);
            answer(format!("  {key:<14} {text}"));
        }
        self.wrong.iter().for_each(|(what, remedy)| tell(what, remedy));
    }
}

fn examine(printer: &Printer) -> Found {
    let mut found =
        Found { name: printer.name.clone(), link: printer.link.to_string(), said: Map::new(), wrong: Vec::new() };
    match printer.link.link().open() {
        Err(trouble) => {
            let instruction = trouble.fault.instruction(&printer.stock.to_string());
            found.wrong.push((trouble.why, instruction));
        }
        Ok(halves) => match Exam::of(halves) {
            Ok(mut exam) => questions(printer, &mut exam, &mut found),
            Err(e) => found.wrong.push((format!("no thread: {e}"), "try again".to_owned())),
        },
    }
    found
}

fn questions(printer: &Printer, exam: &mut Exam, found: &mut Found) {
    let identity = match exam.ask(&HostIdentification, PATIENCE) {
        Ok((identity, took)) => {
            found.said.insert("answers_in_ms".to_owned(), json!(took.as_millis() as u64));
            identity
        }
        Err(why) => {
            let remedy = "is it a Zebra printer with ZPL, switched on, with nothing else connected to it?";
            return found.wrong.push((format!("asked what it is (~HI): {why}"), remedy.to_owned()));
        }
    };
    let mut say = |key: &str, value: Value| drop(found.said.insert(key.to_owned(), value));
    say("model", json!(identity.model));
    say("firmware", json!(identity.firmware));
    let dpi = match identity.dots_per_mm {
        8 => 203,
        12 => 300,
        24 => 600,
        other => u32::from(other) * 254 / 10,
    };
    say("dpi", json!(dpi));
    if dpi != printer.dpi.per_inch() {
        let what = format!("its print head has {dpi} dots per inch, the configuration says {}", printer.dpi.per_inch());
        let remedy = format!("write dpi = {dpi} for it, or check that this is the right printer");
        found.wrong.push((what, remedy));
    }
    match exam.ask(&HostStatus, PATIENCE) {
        Ok((status, _)) => {
            let (_, height) = printer.stock.dots(printer.dpi);
            found.said.insert("label_length".to_owned(), json!(status.label_length));
            let off = (f64::from(status.label_length) - f64::from(height)).abs() / f64::from(height);
            if status.label_length > 0 && off > LENGTH_OFF {
                let what =
                    format!("it measured labels of {} dots, {} has {height}", status.label_length, printer.stock);
                let remedy = "check that this stock is loaded; if it is, calibrate the printer (hold FEED, or ~JC)";
                found.wrong.push((what, remedy.to_owned()));
            }
            for fault in zebra::faults(&status) {
                found.wrong.push((fault.title().to_owned(), fault.instruction(&printer.stock.to_string())));
            }
        }
        Err(why) => {
            let remedy = "some printers do not answer while media is out or the head is open: look at it";
            found.wrong.push((format!("asked how it is (~HS): {why}"), remedy.to_owned()));
        }
    }
    for (key, name) in TOLD {
        match exam.ask(&GetVar(name), PATIENCE) {
            Ok((Setting::Text(text), _)) => drop(found.said.insert(key.to_owned(), json!(text))),
            Ok((Setting::Unknown, _)) => {}
            Err(why) => {
                let remedy = "its firmware does not know the questions by name (SGD); labels can then not be proved";
                return found.wrong.push((format!("asked for {name}: {why}"), remedy.to_owned()));
            }
        }
    }
    let languages = found.said.get("languages").and_then(Value::as_str).unwrap_or("zpl").to_lowercase();
    if !languages.contains("zpl") {
        let remedy = "set its language to ZPL: ! U1 setvar \"device.languages\" \"zpl\"";
        found.wrong.push((format!("it speaks {languages}"), remedy.to_owned()));
    }
    if !found.said.contains_key("odometer") {
        let remedy = "update its firmware: without the count no label can be proved, and all stay in doubt";
        found.wrong.push(("it has no lifetime label count".to_owned(), remedy.to_owned()));
    }
}
