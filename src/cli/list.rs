//! `backdock list KIND`: what a person has to do something about, oldest first.

use super::load::Where;
use super::table::{Form, csv, plain};
use super::{End, Stop, Verdict, answer, answer_json};
use crate::domain::money::Amount;
use crate::domain::rma::{Rma, RmaState};
use crate::domain::unit::{LedgerLine, Step};
use crate::domain::verdict::{Name, Party};
use crate::flow::life::{self, Unit};
use crate::flow::lists::{self, Beside, COMMON, Case, Door, Line, List, Missing, Told};
use crate::program::{Program, Programs};
use crate::store::{self, Reader, desk, know, read};
use chrono::{Days, NaiveDate};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

#[derive(clap::Args)]
pub struct Args {
    /// Which list. Each line is one case, with the next step as it is typed.
    ///
    /// holds: what keeps a unit from moving on, who releases it, and open questions that do.
    /// late: due dates that have passed; RMAs of which only a part came.
    /// advances: advance units that are out while the original is not back.
    /// quotes: quotations without an answer, and how long they are valid.
    /// refused: refused goods at the dock, and what was turned away at the door in the last 90 days.
    /// unauthorised: received units that their RMA did not announce.
    /// vendor: units waiting for a vendor's number, not shipped, without an answer after 30 days, not tested.
    /// stale-tags: call tags that failed, or without news for 15 days; and RMAs whose way to us we pay or
    /// promised to fetch, that have no tag on record and of which nothing came 15 days after their issue.
    /// charges: the ledger, and what the program announces and no step has posted yet.
    ///
    /// Exit code 0: nobody has to do anything; 3: somebody has to.
    #[arg(value_name = "KIND", value_parser = kind, verbatim_doc_comment)]
    kind: List,
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// With a header; no cell is a formula.
    #[arg(long)]
    csv: bool,
    /// Only RMAs of this program.
    #[arg(long, value_name = "ID")]
    program: Option<String>,
}

fn kind(text: &str) -> Result<List, String> {
    let known: Vec<&str> = List::ALL.iter().map(|(word, _)| *word).collect();
    // The contract spells one of them with a hyphen, people write either.
    let found =
        List::ALL.iter().find(|(word, _)| word.replace('-', "_") == text.to_ascii_lowercase().replace('-', "_"));
    found.map(|(_, list)| *list).ok_or_else(|| format!("the lists are {}", known.join(", ")))
}

pub fn main(at: &Where, args: Args) -> Verdict {
    let config = at.config()?;
    let reader = store::open_reader(&config.station.data).map_err(Stop::failed)?;
    let (programs, _) = at.programs(Some(&config))?;
    let programs = with_earlier(programs, &reader)?;
    if let Some(id) = &args.program
        && !read::programs(&reader).map_err(Stop::failed)?.iter().any(|(known, ..)| known == id)
        && programs.get(id).is_none()
    {
        let known = programs.ids().collect::<Vec<_>>().join(", ");
        return Err(Stop::usage(format!("program {id:?} is not served here; known are {known}")));
    }
    let today = chrono::Utc::now().with_timezone(&config.station.timezone).date_naive();
    // All that follows is read as of one moment, beside a daemon that writes.
    let moment = reader.unchecked_transaction().map_err(Stop::failed)?;
    let desk = Desk { reader: &moment, programs: &programs, today, only: args.program.as_deref() };
    let mut lines = desk.lines(args.kind)?;
    lists::sort(args.kind, &mut lines);
    print(args.kind, &lines, Form::of(args.json, args.csv))?;
    Ok(if lines.iter().any(|line| line.wants_person) { End::Person } else { End::Done })
}

/// The versions that RMAs were issued under, beside the current ones.
fn with_earlier(mut programs: Programs, reader: &Reader) -> Result<Programs, Stop> {
    for (id, version, text) in read::programs(reader).map_err(Stop::failed)? {
        if programs.issued_under(&id, &version).is_none() {
            let name = format!("program {id} {version} as it was served");
            let read = Program::parse(&name, &text).map_err(|p| Stop::failed(super::load::listed(&p)))?;
            programs.keep(read.value);
        }
    }
    Ok(programs)
}

struct Desk<'a> {
    reader: &'a Reader,
    programs: &'a Programs,
    today: NaiveDate,
    only: Option<&'a str>,
}

impl Desk<'_> {
    fn lines(&self, list: List) -> Result<Vec<Line>, Stop> {
        let mut lines = Vec::new();
        if list == List::Charges {
            lines.extend(self.ledger()?);
        }
        if list == List::Refused {
            lines.extend(self.door()?);
        }
        if matches!(list, List::Late | List::StaleTags) {
            lines.extend(self.announced(list)?);
        }
        if list == List::StaleTags {
            lines.extend(self.tags()?);
        }
        if list != List::StaleTags {
            lines.extend(self.units(list)?);
        }
        Ok(lines)
    }

    fn wanted(&self, rma: Option<&Rma>) -> bool {
        self.only.is_none_or(|id| rma.is_some_and(|rma| rma.program == id))
    }

    /// The program of an RMA; where it is not served, the account says so and the RMA is left out.
    fn program(&self, rma: &Rma) -> Option<&Program> {
        let found = self.programs.issued_under(&rma.program, &rma.program_version);
        if found.is_none() {
            let (number, id, version) = (&rma.number, &rma.program, &rma.program_version);
            eprintln!("backdock: RMA {number}: its program {id:?} {version} is not served; it stands on no list");
        }
        found
    }

    fn units(&self, list: List) -> Result<Vec<Line>, Stop> {
        let told = self.told()?;
        let mut lines = Vec::new();
        let mut rmas: HashMap<String, Option<(Rma, Vec<String>)>> = HashMap::new();
        for (number, name) in store::life::open_units(self.reader).map_err(Stop::failed)? {
            if !rmas.contains_key(&number) {
                let rma = know::rma(self.reader, &number).map_err(Stop::failed)?;
                let rma = rma.filter(|rma| self.wanted(Some(rma)) && self.program(rma).is_some());
                let expected = know::expected(self.reader, &number).map_err(Stop::failed)?;
                rmas.insert(number.clone(), rma.map(|rma| (rma, expected)));
            }
            let Some(Some((rma, expected))) = rmas.get(&number) else { continue };
            let Some(program) = self.programs.issued_under(&rma.program, &rma.program_version) else { continue };
            let Some(row) = store::life::unit(self.reader, &number, &name).map_err(Stop::failed)? else { continue };
            let key = (number.clone(), name.clone());
            let only_received = told.get(&key).is_none_or(|told| !told.touched);
            let case = Case {
                unit: Unit::recorded(row.unit, row.state, row.facts, &row.verdict, program),
                since: row.since,
                recorded: row.verdict,
                only_received,
            };
            let ledger = desk::posted_for(self.reader, &number, &name).map_err(Stop::failed)?;
            let elsewhere = match list {
                List::Unauthorised => desk::announced_on(self.reader, &name, &number).map_err(Stop::failed)?,
                _ => Vec::new(),
            };
            let nothing = Told::default();
            let told = told.get(&key).unwrap_or(&nothing);
            let beside = Beside { expected, elsewhere: &elsewhere, told, ledger: &ledger };
            match lists::of_unit(list, rma, program, &case, &beside, self.today) {
                Ok(found) => lines.extend(found),
                Err(why) => eprintln!("backdock: RMA {number}, unit {name}: {why}"),
            }
        }
        Ok(lines)
    }

    /// What was said with the steps made so far, of every unit that a person did something with.
    fn told(&self) -> Result<HashMap<(String, String), Told>, Stop> {
        let mut told: HashMap<(String, String), Told> = HashMap::new();
        desk::each_step(self.reader, |at, moved| {
            let told = told.entry((moved.rma, moved.unit)).or_default();
            // The dock's own step adds nothing to the receipt.
            told.touched = moved.step != Step::Receive;
            let text = |key: &str| moved.said.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            match moved.step {
                Step::Quote => told.quote = Some(text("amount")),
                Step::Refuse => told.refused = Some((text("why"), at.to_owned())),
                Step::AdvanceReturn => told.advance_back = true,
                _ => {}
            }
        })
        .map_err(Stop::failed)?;
        Ok(told)
    }

    fn announced(&self, list: List) -> Result<Vec<Line>, Stop> {
        let mut lines = Vec::new();
        for waiting in desk::waiting(self.reader).map_err(Stop::failed)? {
            let rma = &waiting.rma;
            if !self.wanted(Some(rma)) {
                continue;
            }
            // Where a tag is on record it speaks for itself.
            if list == List::StaleTags
                && !store::tags::of_rma(self.reader, &rma.number).map_err(Stop::failed)?.is_empty()
            {
                continue;
            }
            let Some(program) = self.program(rma) else { continue };
            let first = waiting.missing.first().map(String::as_str);
            let (ship, lineage) = match first {
                Some(serial) => desk::line_of(self.reader, serial).map_err(Stop::failed)?,
                None => (None, None),
            };
            let facts = life::announced(rma, first, ship.as_ref(), lineage, self.today);
            let missing = Missing { serials: waiting.missing, came: waiting.came, last_came: waiting.last_came };
            match lists::announced(list, rma, program, &missing, &facts, self.today) {
                Ok(line) => lines.extend(line),
                Err(why) => eprintln!("backdock: RMA {}: {why}", rma.number),
            }
        }
        Ok(lines)
    }

    /// Tags of open RMAs that want somebody, but for those that a newer one for the same package replaced.
    fn tags(&self) -> Result<Vec<Line>, Stop> {
        let all = store::tags::tags(self.reader).map_err(Stop::failed)?;
        let mut lines = Vec::new();
        for (n, now) in all.iter().enumerate() {
            let replaced =
                all[n + 1..].iter().any(|later| (&later.tag.rma, later.tag.package) == (&now.tag.rma, now.tag.package));
            if replaced {
                continue;
            }
            let rma = know::rma(self.reader, &now.tag.rma).map_err(Stop::failed)?;
            if let Some(rma) = rma.filter(|rma| rma.state == RmaState::Open && self.wanted(Some(rma))) {
                lines.extend(lists::tag(now, &rma, self.today));
            }
        }
        Ok(lines)
    }

    fn door(&self) -> Result<Vec<Line>, Stop> {
        let since = self.today.checked_sub_days(Days::new(lists::LOOK_BACK)).unwrap_or(self.today);
        let mut door = Door::default();
        desk::each_scan_since(self.reader, since, |at, event| door.event(at, event)).map_err(Stop::failed)?;
        let mut lines = Vec::new();
        for turned in door.standing() {
            let rma = turned.rma.as_deref().map(|number| know::rma(self.reader, number)).transpose();
            let rma = rma.map_err(Stop::failed)?.flatten();
            if self.wanted(rma.as_ref()) {
                lines.push(lists::refused_box(&turned, rma.as_ref(), self.today));
            }
        }
        Ok(lines)
    }

    fn ledger(&self) -> Result<Vec<Line>, Stop> {
        let mut lines = Vec::new();
        for line in store::life::ledger(self.reader).map_err(Stop::failed)? {
            let rma = know::rma(self.reader, &line.rma).map_err(Stop::failed)?;
            if !self.wanted(rma.as_ref()) {
                continue;
            }
            let odd = |what: &str| Stop::failed(format!("the ledger has an odd {what} for RMA {}", line.rma));
            let line = LedgerLine {
                kind: Name::from(line.kind.as_str()),
                amount: line.amount,
                currency: Name::from(line.currency.as_str()),
                party: Party::find(&line.party).ok_or_else(|| odd("party"))?,
                rule: Name::from(line.rule.as_str()),
                on: line.on.parse().map_err(|_| odd("date"))?,
                rma: line.rma,
                unit: line.unit,
                evidence: line.evidence,
                by: line.by,
            };
            lines.push(lists::posted(&line, rma.as_ref(), self.today));
        }
        Ok(lines)
    }
}

fn row(list: List, line: &Line) -> Map<String, Value> {
    let common = [
        json!(line.rma),
        json!(line.unit),
        json!(line.customer),
        json!(line.program),
        json!(line.what),
        json!(line.since),
        json!(line.age_days),
        json!(line.rule),
        json!(line.next),
    ];
    let names = COMMON.iter().chain(list.columns()).map(|name| (*name).to_owned());
    names.zip(common.into_iter().chain(line.more.iter().cloned())).collect()
}

fn print(list: List, lines: &[Line], form: Form) -> Result<(), Stop> {
    let rows = || lines.iter().map(|line| row(list, line)).collect::<Vec<_>>();
    match form {
        Form::Json => answer_json(&rows())?,
        Form::Csv => {
            let columns: Vec<&str> = COMMON.iter().chain(list.columns()).copied().collect();
            answer(csv(&columns, &rows())?.trim_end_matches('\n'));
        }
        Form::Text => text(list, lines),
    }
    Ok(())
}

fn text(list: List, lines: &[Line]) {
    let or = |text: &str| if text.is_empty() { "-".to_owned() } else { plain(text) };
    for line in lines {
        let customer = or(line.customer.as_deref().unwrap_or_default());
        let who = match list {
            List::Holds => format!("  [{}]", line.more.get(1).and_then(Value::as_str).unwrap_or_default()),
            _ => String::new(),
        };
        answer(format!(
            "{:<12} {:<18} {}  {}  {:>3} d  {:<6} {}{}\n             {customer}, {}\n             -> {}",
            or(&line.rma),
            or(&line.unit),
            line.since,
            if line.wants_person { "!" } else { " " },
            line.age_days,
            line.rule,
            plain(&line.what),
            plain(&who),
            or(&line.program),
            plain(&line.next),
        ));
    }
    answer(format!("{} on the list {list}", lines.len()));
    if list == List::Charges {
        for (currency, posted, announced) in lists::sums(lines) {
            let whole = Amount::from_cents(posted.cents().saturating_add(announced.cents()));
            answer(format!("sum {currency}: {posted} posted, {announced} announced, {whole} together"));
        }
    }
}
