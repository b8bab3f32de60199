//! `backdock rma new|import|show|list|act`: RMAs from the desk and from other systems.

use super::load::Where;
use super::{End, Stop, Verdict, answer, answer_json, caller, run};
use crate::rma::draft::{self, Draft};
use crate::station;
use crate::station::control::Call;
use crate::station::request::{Request, Response};
use crate::store::{self, know, read};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Issue an RMA; the station gives it the next number.
    New {
        /// The program that judges it; the station's default if not said.
        #[arg(long, value_name = "ID")]
        program: Option<String>,
        #[arg(long)]
        customer: Option<String>,
        /// Where the customer's copies of messages go.
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        #[arg(long)]
        ticket: Option<String>,
        /// agent, direct, reseller, service_provider or distributor.
        #[arg(long)]
        channel: Option<String>,
        /// Serial numbers that will come back; may be given more than once.
        #[arg(long, value_name = "SERIAL")]
        serial: Vec<String>,
        /// Any other fact a program asks for, e.g. --fact rma.diagnosed=2026-03-01; may be given more than once.
        #[arg(long, value_name = "NAME=VALUE")]
        fact: Vec<String>,
        /// Only ask for it: the request gets a number that begins with Q, and becomes an RMA by `rma act ... authorise`.
        #[arg(long)]
        request: bool,
        #[arg(long)]
        json: bool,
    },
    /// Import RMAs from a ticket system: CSV with a header, or JSON lines; one line per expected unit.
    Import {
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
    /// One RMA with its units.
    Show {
        rma: String,
        #[arg(long)]
        json: bool,
    },
    /// All RMAs, newest first.
    List {
        #[arg(long)]
        json: bool,
    },
    /// Make a step: with a whole RMA (authorise, note, close, reopen, cancel, refuse) or with one of its units
    /// (diagnose, find, quote, approve, repair, burn_in, qc, replace, vendor_request, vendor_number, vendor_ship,
    /// vendor_credit, vendor_replace, test, advance_charge, advance_ship, advance_return, credit, ready, ship,
    /// close, refuse, cancel, suspend, release, answer, note).
    Act {
        rma: String,
        #[arg(value_name = "STEP")]
        step: String,
        /// Serial number or MAC; without it the step is one of the whole RMA.
        unit: Option<String>,
        /// Who makes it.
        #[arg(long, value_name = "WHO")]
        by: String,
        /// What is said with it, as a JSON object in a file (- for standard input).
        #[arg(long, value_name = "FILE")]
        data: Option<PathBuf>,
        /// One thing that is said with it, e.g. --say tracking=1Z999AA10123456784; may be given more than once.
        #[arg(long, value_name = "NAME=VALUE")]
        say: Vec<String>,
        #[arg(long)]
        json: bool,
    },
}

/// RMAs in one request: a transaction that no scan waits long for.
const SLICE: usize = 100;

pub fn main(at: &Where, args: Args) -> Verdict {
    match args.what {
        What::New { program, customer, email, ticket, channel, serial, fact, request, json } => {
            let mut facts = Map::new();
            let mut about = Map::new();
            if let Some(ticket) = ticket {
                about.insert("ticket".into(), json!(ticket));
            }
            if let Some(channel) = channel {
                facts.insert("channel".into(), json!(channel));
            }
            for pair in fact {
                let Some((name, value)) = pair.split_once('=') else {
                    return Err(Stop::usage(format!("--fact {pair:?}: write it as name=value")));
                };
                let value: Value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
                match (name.strip_prefix("rma."), name.strip_prefix("answers.")) {
                    (Some(inner), _) => drop(about.insert(inner.into(), value)),
                    (_, Some(question)) => {
                        let answers = facts.entry("answers").or_insert_with(|| json!({}));
                        answers[question] = json!({"answer": value, "by": caller()});
                    }
                    _ => drop(facts.insert(name.into(), value)),
                }
            }
            if !about.is_empty() {
                facts.insert("rma".into(), Value::Object(about));
            }
            let draft = Draft { number: None, program, customer, email, issued: None, facts, serials: serial, request };
            let response = ask(at, [Request::Rmas { drafts: vec![draft], by: caller() }])?;
            let [response] = response.as_slice() else { return Err(Stop::failed("no answer")) };
            refused(response)?;
            if json {
                answer_json(&response.data)?;
            } else {
                for number in response.data["issued"].as_array().into_iter().flatten() {
                    answer(number.as_str().unwrap_or_default());
                }
            }
            Ok(End::Done)
        }
        What::Import { file, json } => import(at, &file, json),
        What::Show { rma, json } => show(at, &rma.trim().to_ascii_uppercase(), json),
        What::List { json } => list(at, json),
        What::Act { rma, step, unit, by, data, say, json } => {
            let mut said = data.as_deref().map(object).transpose()?.unwrap_or_default();
            for pair in say {
                let Some((name, value)) = pair.split_once('=') else {
                    return Err(Stop::usage(format!("--say {pair:?}: write it as name=value")));
                };
                said.insert(name.to_owned(), json!(value));
            }
            let rma = rma.trim().to_ascii_uppercase();
            let response = ask(at, [Request::Act { rma, unit, step: step.replace('-', "_"), by, said }])?;
            let [response] = response.as_slice() else { return Err(Stop::failed("no answer")) };
            if !response.ok {
                return Err(Stop::failed(&response.text));
            }
            if json {
                answer_json(&response.data)?
            } else {
                answer(&response.text)
            }
            Ok(End::Done)
        }
    }
}

/// A JSON object out of a file.
fn object(path: &std::path::Path) -> Result<Map<String, Value>, Stop> {
    let named = |e: &dyn std::fmt::Display| Stop::usage(format!("--data {}: {e}", path.display()));
    let text = if path.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin()).map_err(|e| named(&e))?
    } else {
        std::fs::read_to_string(path).map_err(|e| named(&e))?
    };
    serde_json::from_str(&text).map_err(|e| named(&format!("must be a JSON object: {e}")))
}

/// Asks the running daemon, or does it under the station lock when none runs.
pub(super) fn ask(at: &Where, requests: impl IntoIterator<Item = Request>) -> Result<Vec<Response>, Stop> {
    let (config, _) = at.station()?;
    let (programs, _) = at.programs(Some(&config))?;
    let socket = &config.station.socket;
    let mut answers = Vec::new();
    match Call::open(socket).map_err(|e| Stop::failed(format!("{}: {e}", socket.display())))? {
        Some(mut call) => {
            for request in requests {
                answers.push(call.ask(&request).map_err(|e| Stop::failed(format!("{}: {e}", socket.display())))?);
            }
        }
        None => station::alone(config, programs, requests.into_iter(), |r| answers.push(r)).map_err(run::failed)?,
    }
    Ok(answers)
}

fn refused(response: &Response) -> Result<(), Stop> {
    let why: Vec<&str> =
        response.data["refused"].as_array().into_iter().flatten().filter_map(|r| r["why"].as_str()).collect();
    if response.ok && why.is_empty() {
        Ok(())
    } else {
        Err(Stop::failed(if why.is_empty() { response.text.clone() } else { why.join("; ") }))
    }
}

fn import(at: &Where, file: &std::path::Path, as_json: bool) -> Verdict {
    let bytes = std::fs::read(file).map_err(|e| Stop::failed(format!("{}: {e}", file.display())))?;
    let text = String::from_utf8(bytes).map_err(|e| {
        Stop::failed(format!(
            "{}: not UTF-8 at byte {}; save it as UTF-8",
            file.display(),
            e.utf8_error().valid_up_to()
        ))
    })?;
    let read = draft::read(&text);
    let mut problems: Vec<Value> = read.problems.iter().map(|(line, why)| json!({"line": line, "why": why})).collect();
    let by = caller();
    let slices = read.drafts.chunks(SLICE).map(|d| Request::Rmas { drafts: d.to_vec(), by: by.clone() });
    let (mut issued, mut changed, mut unchanged) = (0, 0, 0);
    let mut twice: Vec<Value> = Vec::new();
    for response in ask(at, slices)? {
        // Not written, the disk full or the station stopping: not a slice without rows.
        if response.data.is_null() || response.data["again"] == true {
            let done = format!("{issued} issued and {changed} changed before; import the file again");
            return Err(Stop::failed(format!("{}; {done}", response.text)));
        }
        let count = |key: &str| response.data[key].as_array().map_or(0, Vec::len);
        issued += count("issued");
        changed += count("changed");
        unchanged += response.data["unchanged"].as_u64().unwrap_or(0);
        problems.extend(response.data["refused"].as_array().into_iter().flatten().cloned());
        twice.extend(response.data["twice"].as_array().into_iter().flatten().cloned());
    }
    if as_json {
        let counts = json!({
            "issued": issued, "changed": changed, "unchanged": unchanged, "rejected": problems, "twice": twice,
        });
        answer_json(&counts)?;
    } else {
        answer(format!("{issued} issued, {changed} changed, {unchanged} unchanged, {} rejected", problems.len()));
        for p in &problems {
            let place = p["line"]
                .as_u64()
                .map_or_else(|| format!("RMA {}", p["number"].as_str().unwrap_or("?")), |l| format!("line {l}"));
            eprintln!("backdock: {}: {place}: {}", file.display(), p["why"].as_str().unwrap_or_default());
        }
        for t in &twice {
            let text = |key: &str| t[key].as_str().unwrap_or("?");
            let (rma, serial, other) = (text("number"), text("serial"), text("rma"));
            eprintln!("backdock: {}: RMA {rma}: unit {serial} is in open RMA {other} too", file.display());
        }
    }
    Ok(match problems.len() {
        0 => End::Done,
        _ if issued + changed == 0 && unchanged == 0 => End::Failed,
        _ => End::Person,
    })
}

fn show(at: &Where, number: &str, as_json: bool) -> Verdict {
    let config = at.config()?;
    let reader = store::open_reader(&config.station.data).map_err(Stop::failed)?;
    let Some(rma) = know::rma(&reader, number).map_err(Stop::failed)? else {
        return Err(Stop::failed(format!("RMA {number} is not on record")));
    };
    let units = read::units(&reader, number, 10_000).map_err(Stop::failed)?;
    if as_json {
        answer_json(&json!({
            "number": rma.number, "program": rma.program, "program_version": rma.program_version, "customer": rma.customer, "email": rma.email,
            "issued": rma.issued, "state": rma.state.word(), "facts": rma.facts, "units": units,
        }))?;
        return Ok(End::Done);
    }
    answer(format!(
        "RMA {}  {}  issued {}  program {} {}",
        rma.number,
        rma.state.word(),
        rma.issued,
        rma.program,
        rma.program_version
    ));
    if let Some(customer) = &rma.customer {
        answer(format!("customer {customer}"));
    }
    if let Some(email) = &rma.email {
        answer(format!("email {email}"));
    }
    if !rma.facts.is_empty() {
        answer(format!("facts {}", Value::Object(rma.facts)));
    }
    for u in &units {
        let text = |t: &Option<String>| t.clone().unwrap_or_else(|| "-".into());
        answer(format!(
            "  {:<9} {:<20} {:<12} {} {}  {}",
            u.state,
            text(&u.serial),
            text(&u.mac),
            text(&u.brand),
            text(&u.model),
            u.verdict.as_deref().unwrap_or("")
        ));
    }
    Ok(End::Done)
}

fn list(at: &Where, as_json: bool) -> Verdict {
    let config = at.config()?;
    let reader = store::open_reader(&config.station.data).map_err(Stop::failed)?;
    let rmas = read::rmas(&reader).map_err(Stop::failed)?;
    if as_json {
        answer_json(&rmas)?;
        return Ok(End::Done);
    }
    for r in &rmas {
        let units = if r.expected == 0 { format!("{}", r.received) } else { format!("{}/{}", r.received, r.expected) };
        answer(format!(
            "{:<14} {:<9} {}  {units:>7}  {:<18} {}",
            r.number,
            r.state,
            r.issued,
            r.program,
            r.customer.as_deref().unwrap_or("")
        ));
    }
    answer(format!("{} RMAs", rmas.len()));
    Ok(End::Done)
}
