//! What the command line asks of the station. The same function serves a running daemon (over its
//! Unix socket) and a command that holds the station lock itself.

pub use super::core::papers::Wanted;
pub use super::core::{CarrierLabel, TagWanted};
mod paper;

use super::core::Core;
use super::tapes;
pub use super::tapes::TapeWish;
use crate::domain::event::Event;
use crate::domain::facts::{Facts, TEXT_MAX};
use crate::domain::job::JobId;
use crate::domain::message::MessageId;
use crate::domain::rma::{Rma, RmaState};
use crate::domain::tag::{TagId, TagStep};
use crate::domain::unit::Step;
use crate::flow::life::{self, Wish};
use crate::rma::draft::Draft;
use crate::rma::number;
use crate::store::{Head, StoreError, know, life as units, read};
use chrono::{DateTime, Datelike, FixedOffset};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::path::PathBuf;

/// Longest RMA number taken from elsewhere, in characters (what fits a label's Code 128).
const NUMBER_MAX: usize = 20;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Issues or imports RMAs; numbers are given to those that have none.
    Rmas { drafts: Vec<Draft>, by: String },
    /// Makes a step with a unit, or notes what is known of the whole RMA (`unit` is not there then).
    Act { rma: String, unit: Option<String>, step: String, by: String, said: Map<String, Value> },
    /// Starts importing a shipment file that lies where the daemon can read it; one at a time.
    Import { path: PathBuf, name: String, rejects: PathBuf },
    /// How far the import is, and what came of it.
    Imported {},
    /// Makes a paper by its name.
    Print(Wanted),
    /// Owes a marked copy: of a unit's newest label, or of whatever job `job` printed.
    Reprint { unit: Option<String>, job: Option<JobId>, by: String, why: String },
    /// Orders packages from a carrier, or notes that they are to be ordered.
    Tag(TagWanted),
    /// Something became known of a call tag.
    TagAct { tag: TagId, step: TagStep, said: Map<String, Value>, by: String },
    /// Prints a label that a carrier has drawn.
    Carrier(CarrierLabel),
    /// Begins or ends tapes of the scanners.
    Tape(TapeWish),
    /// A person looked for a label in doubt: it came out, or it did not.
    Settle { job: JobId, came_out: bool, by: String },
    /// A person says what becomes of a message.
    SettleMessage { id: MessageId, how: Settled, by: String },
    /// Whether anybody is there.
    Ping {},
}

/// What a person says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Settled {
    /// It arrived, or was told in another way.
    Sent,
    /// It is to be tried again.
    Retry,
    /// It is not wanted any more.
    Cancel,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    pub ok: bool,
    /// What was done, or why not.
    pub text: String,
    pub data: Value,
}

impl Response {
    pub fn done(text: impl Into<String>, data: Value) -> Response {
        Response { ok: true, text: text.into(), data }
    }

    pub fn refused(text: impl Into<String>) -> Response {
        Response { ok: false, text: text.into(), data: Value::Null }
    }

    /// Nothing was decided: the same may be asked again.
    pub fn again(text: impl Into<String>) -> Response {
        Response { ok: false, text: text.into(), data: json!({"again": true}) }
    }
}

/// Does what is asked, inside the open batch. An error gives the whole batch up.
pub fn apply(core: &mut Core, request: &Request, now: DateTime<FixedOffset>) -> Result<Response, StoreError> {
    match request {
        Request::Ping {} => Ok(Response::done("here", json!({"version": env!("CARGO_PKG_VERSION")}))),
        Request::Rmas { drafts, by } => rmas(core, drafts, by, now),
        Request::Act { rma, unit, step, by, said } => act(core, rma, unit.as_deref(), step, by, said, now),
        Request::Import { path, name, rejects } => Ok(core.import_begin(path, name, rejects)),
        Request::Imported {} => Ok(core.import_told()),
        Request::Settle { job, came_out, by } => paper::settle(core, *job, *came_out, by, now),
        Request::SettleMessage { id, how, by } => core.settle_message(*id, *how, by, now),
        Request::Print(wanted) => paper::print(core, wanted, now),
        Request::Tag(wanted) => paper::tag(core, wanted, now),
        Request::TagAct { tag, step, said, by } => Ok(match core.tag_act(*tag, *step, said, by, now)? {
            Err(why) => Response::refused(why),
            Ok((after, _)) => {
                tracing::info!(tag, step = %step, state = %after.state, by, "call tag");
                Response::done(format!("tag {tag} of RMA {}: {}", after.tag.rma, after.state), json!(after))
            }
        }),
        Request::Tape(wish) => Ok(tapes::apply(core, wish, now)),
        Request::Carrier(wanted) => paper::carrier(core, wanted, now),
        Request::Reprint { unit, job, by, why } => paper::reprint(core, unit.as_deref(), *job, by, why, now),
    }
}

pub(super) fn head(now: DateTime<FixedOffset>) -> Head {
    Head { at: now, ..Head::default() }
}

fn rmas(core: &mut Core, drafts: &[Draft], by: &str, now: DateTime<FixedOffset>) -> Result<Response, StoreError> {
    let (mut issued, mut changed, mut unchanged) = (Vec::new(), Vec::new(), 0);
    let mut refused: Vec<Value> = Vec::new();
    let mut twice: Vec<Value> = Vec::new();
    for draft in drafts {
        let rma = match checked(core, draft, now)? {
            Ok(rma) => rma,
            Err(why) => {
                refused.push(json!({"number": draft.number, "why": why}));
                continue;
            }
        };
        match know::rma(&core.store.conn, &rma.number)? {
            None => {
                issued.push(rma.number.clone());
                for serial in &rma.expected {
                    if let Some(other) = know::announced_by_other(&core.store.conn, serial, &rma.number)? {
                        twice.push(json!({"number": rma.number, "serial": serial, "rma": other}));
                    }
                }
                if draft.number.is_some() {
                    // Its system told the customer when it gave the number out.
                    core.store.append(&head(now), &Event::RmaIssued { rma })?;
                } else {
                    issue(core, rma, now)?;
                }
            }
            Some(mut old) => {
                old.expected = know::expected(&core.store.conn, &old.number)?;
                // An RMA keeps its state, the day it was issued and the program version it was issued under, unless
                // the file says another day or another program.
                let mut new = Rma { state: old.state, issued: draft.issued.unwrap_or(old.issued), ..rma };
                if draft.program.as_ref().is_none_or(|program| *program == old.program) {
                    (new.program, new.program_version) = (old.program.clone(), old.program_version.clone());
                }
                if new == old {
                    unchanged += 1;
                } else if old.state != RmaState::Open {
                    refused.push(json!({"number": old.number, "why": format!("it is {}; nothing of it can change", old.state.word())}));
                } else {
                    changed.push(new.number.clone());
                    core.store.append(&head(now), &Event::RmaChanged { old: old.clone(), new: new.clone() })?;
                    core.look_again(&old, &new, by, now)?;
                }
            }
        }
    }
    tracing::info!(issued = issued.len(), changed = changed.len(), refused = refused.len(), by, "RMAs");
    let text =
        format!("{} issued, {} changed, {unchanged} unchanged, {} refused", issued.len(), changed.len(), refused.len());
    let data =
        json!({"issued": issued, "changed": changed, "unchanged": unchanged, "refused": refused, "twice": twice});
    Ok(Response { ok: refused.len() < drafts.len() || drafts.is_empty(), text, data })
}

/// A draft held against its program and the station; the inner error says what is wrong with it.
fn checked(core: &mut Core, draft: &Draft, now: DateTime<FixedOffset>) -> Result<Result<Rma, String>, StoreError> {
    let programs = core.programs.clone();
    let program = match &draft.program {
        None => programs.default(),
        Some(id) => match programs.get(id) {
            Some(p) => p,
            None => {
                return Ok(Err(format!(
                    "program {id:?} is not served here; known are {}",
                    programs.ids().collect::<Vec<_>>().join(", ")
                )));
            }
        },
    };
    if let Err(e) = Facts::from_json(&Value::Object(draft.facts.clone())) {
        return Ok(Err(e.to_string()));
    }
    if draft.customer.as_ref().is_some_and(|c| c.len() > TEXT_MAX || c.chars().any(char::is_control)) {
        return Ok(Err(format!("the customer must be one line of at most {TEXT_MAX} bytes")));
    }
    let number = match &draft.number {
        None if draft.request => request_number(core, now)?,
        None => next_number(core, now)?,
        Some(n) if n.len() > NUMBER_MAX => return Ok(Err(format!("{n:?} is longer than {NUMBER_MAX} characters"))),
        Some(n) if number::is_ours(n) || program.accepts_number(n) => n.clone(),
        Some(n) => {
            return Ok(Err(format!(
                "{n:?} has not the form of an RMA number of program {} ([rma] number in its file)",
                program.id()
            )));
        }
    };
    let today = now.date_naive();
    // A number that comes from elsewhere was given out there.
    if draft.number.is_none()
        && !draft.request
        && let Err(refused) = life::issue(program, &draft.facts, &draft.serials, today)
    {
        return Ok(Err(format!(
            "no number is given out: {refused}. Ask for it with --request, and authorise it later"
        )));
    }
    let mut expected = Vec::with_capacity(draft.serials.len());
    let mut seen = HashSet::new();
    for serial in &draft.serials {
        match crate::domain::text::serial_key(serial) {
            Some(s) if seen.insert(s.clone()) => expected.push(s),
            Some(_) => {}
            None => return Ok(Err(format!("{serial:?} is not a serial number"))),
        }
    }
    // One unit, one number. What was given out elsewhere, or only asked for, is taken and told.
    if draft.number.is_none() && !draft.request {
        for serial in &expected {
            if let Some(other) = know::announced_by_other(&core.store.conn, serial, &number)? {
                return Ok(Err(format!(
                    "no number is given out: unit {serial} is in RMA {other} already. Work on that one, or cancel the \
                     unit there first (`backdock rma act {other} cancel {serial} --by NAME --say why=REASON`)"
                )));
            }
        }
    }
    let state = if draft.request { RmaState::Requested } else { RmaState::Open };
    Ok(Ok(Rma {
        number,
        program: program.id().to_string(),
        program_version: program.version().to_string(),
        customer: draft.customer.clone(),
        email: match draft.email.as_deref().map(crate::domain::message::email).transpose() {
            Ok(email) => email,
            Err(why) => return Ok(Err(format!("email: {:?} is {why}", draft.email.as_deref().unwrap_or_default()))),
        },
        issued: draft.issued.unwrap_or(today),
        state,
        facts: draft.facts.clone(),
        expected,
    }))
}

/// Writes an RMA down, with the messages that it owes.
fn issue(core: &mut Core, rma: Rma, now: DateTime<FixedOffset>) -> Result<(), StoreError> {
    core.store.append(&head(now), &Event::RmaIssued { rma: rma.clone() })?;
    if rma.state == RmaState::Open { core.issued(&rma, now) } else { Ok(()) }
}

/// A request becomes an RMA with a number of its own, if the program lets it.
fn authorise(core: &mut Core, request: &str, by: &str, now: DateTime<FixedOffset>) -> Result<Response, StoreError> {
    let Some(asked) = know::rma(&core.store.conn, request)?.filter(|r| r.state == RmaState::Requested) else {
        return Ok(Response::refused(format!("{request} is no open request; `backdock rma list` shows them")));
    };
    let draft = Draft {
        program: Some(asked.program.clone()),
        customer: asked.customer.clone(),
        email: asked.email.clone(),
        facts: asked.facts.clone(),
        serials: know::expected(&core.store.conn, request)?,
        ..Draft::default()
    };
    let rma = match checked(core, &draft, now)? {
        Ok(rma) => rma,
        Err(why) => return Ok(Response::refused(why)),
    };
    let number = rma.number.clone();
    issue(core, rma, now)?;
    let why = format!("authorised as {number} by {by}");
    core.store.append(&head(now), &Event::RmaMoved { rma: request.to_owned(), to: RmaState::Closed, why })?;
    Ok(Response::done(number.clone(), json!({"rma": number, "request": request, "state": "open"})))
}

/// The station's next own RMA number this year. Read once from the table, then counted.
fn next_number(core: &mut Core, now: DateTime<FixedOffset>) -> Result<String, StoreError> {
    let year = now.year();
    let code = core.config.station.code.clone();
    let mut count = match core.next_rma {
        Some((y, n)) if y == year => n,
        _ => {
            // Our numbers of a year sort in the order they were given out.
            let stem = format!("R{:02}{code}", year.rem_euclid(100));
            let last = read::last_rma_with(&core.store.conn, &stem)?;
            last.and_then(|n| number::count_of(&n, year, &code)).map_or(0, |n| n + 1)
        }
    };
    loop {
        let made = number::compose(year, &code, count);
        count += 1;
        if count > number::PER_YEAR {
            return Err(StoreError::Unreadable(format!("station code {code} has used up its RMA numbers of {year}")));
        }
        if let Some(number) = made
            && know::rma(&core.store.conn, &number)?.is_none()
        {
            core.next_rma = Some((year, count));
            return Ok(number);
        }
    }
}

/// A number for a request: one of ours with a Q in front, so that no scan takes it for an RMA.
fn request_number(core: &mut Core, now: DateTime<FixedOffset>) -> Result<String, StoreError> {
    loop {
        let number = format!("Q{}", next_number(core, now)?.get(1..).unwrap_or_default());
        if know::rma(&core.store.conn, &number)?.is_none() {
            return Ok(number);
        }
    }
}

fn rma_move(
    core: &mut Core,
    rma: &str,
    to: RmaState,
    why: &str,
    now: DateTime<FixedOffset>,
) -> Result<Response, StoreError> {
    let Some(old) = know::rma(&core.store.conn, rma)? else {
        return Ok(Response::refused(format!("RMA {rma} is not on record; `backdock rma list` shows what is")));
    };
    if old.state == to {
        return Ok(Response::refused(format!("RMA {rma} is {} already", to.word())));
    }
    // A request is only closed by being authorised.
    if !old.state.may_become(to) || (old.state == RmaState::Requested && to == RmaState::Closed) {
        return Ok(Response::refused(format!("RMA {rma} is {}; it cannot become {}", old.state.word(), to.word())));
    }
    if to == RmaState::Closed {
        let units = units::units_of(&core.store.conn, rma)?;
        if let Some(open) = units.iter().find(|u| !u.state.is_final()) {
            return Ok(Response::refused(format!(
                "unit {} of RMA {rma} is {}: close its units first, then the RMA",
                open.unit, open.state
            )));
        }
        // Of an RMA that came in part, every announced unit is there or was given up by name (D-29, E-05).
        let come = |serial: &String| units.is_empty() || units.iter().any(|u| u.unit == *serial);
        if let Some(short) = know::expected(&core.store.conn, rma)?.iter().find(|serial| !come(serial)) {
            return Ok(Response::refused(format!(
                "unit {short} of RMA {rma} did not come: cancel it first if nobody waits for it any more, then close the RMA"
            )));
        }
    }
    if to != RmaState::Open && core.session.rma.as_deref() == Some(rma) {
        return Ok(Response::refused(format!("the box of RMA {rma} is open at the dock; scan DONE first")));
    }
    core.store.append(&head(now), &Event::RmaMoved { rma: rma.to_owned(), to, why: why.to_owned() })?;
    if to == RmaState::Closed {
        core.closed(&old, now)?;
    }
    Ok(Response::done(format!("RMA {rma} is {}", to.word()), json!({"rma": rma, "state": to.word()})))
}

fn act(
    core: &mut Core,
    rma: &str,
    unit: Option<&str>,
    step: &str,
    by: &str,
    said: &Map<String, Value>,
    now: DateTime<FixedOffset>,
) -> Result<Response, StoreError> {
    let Some(unit) = unit else {
        let to = match step {
            "authorise" => return authorise(core, rma, by, now),
            "reopen" => RmaState::Open,
            "close" => RmaState::Closed,
            "cancel" => RmaState::Cancelled,
            "refuse" => RmaState::Refused,
            "note" => {
                let Some(facts) = said.get("facts").and_then(Value::as_object) else {
                    return Ok(Response::refused("note needs \"facts\": an object of facts"));
                };
                return Ok(match core.note_rma(rma, facts, by, now)? {
                    Ok(()) => Response::done(format!("noted on RMA {rma}"), json!({"rma": rma, "facts": facts})),
                    Err(why) => Response::refused(why),
                });
            }
            other => {
                let hint = if Step::find(other).is_some() { "; it is a step of a unit: name the unit" } else { "" };
                return Ok(Response::refused(format!(
                    "{other:?} is no step of a whole RMA{hint}. Those are authorise, note, close, reopen, cancel, refuse"
                )));
            }
        };
        return rma_move(core, rma, to, &format!("{step} by {by}"), now);
    };
    let Some(step) = Step::find(step) else {
        let near = crate::domain::facts::nearest(step, Step::ALL.iter().map(|(word, _)| *word));
        let near = near.map(|n| format!("; did you mean {n:?}?")).unwrap_or_default();
        return Ok(Response::refused(format!("{step:?} is no step of a unit{near}")));
    };
    let wish = Wish { step, by, said };
    Ok(match core.act(rma, unit, &wish, now)? {
        Err(why) => Response::refused(why),
        Ok(moved) => {
            tracing::info!(rma, unit, step = %step, to = %moved.to, by, "step");
            let papers = core.papers_told();
            let mut text = format!("{} of RMA {rma}: {step}, now {}", moved.unit, moved.to);
            paper::paper_lines(&mut text, &papers);
            let data = json!({
                "rma": rma, "unit": moved.unit, "step": step, "from": moved.from, "state": moved.to, "legs": moved.legs,
                "verdict": moved.verdict, "papers": papers,
            });
            Response::done(text, data)
        }
    })
}
