//! Papers beside the unit label: asked for by name, or printed by themselves with a step or a hold. What
//! stands on them is [`crate::flow::papers`]'s.

use super::jobs::Made;
use super::{Core, Failed};
use crate::domain::job::{CARRIER, Job, JobId};
use crate::domain::rma::{Receipt, Rma};
use crate::domain::unit::{Moved, UnitState};
use crate::domain::verdict::Name;
use crate::flow::life::{self, Unit};
use crate::flow::papers::{self, About};
use crate::label;
use crate::program::Program;
use crate::rma::Knowledge;
use crate::store::life as read;
use crate::store::{Head, StoreError, know, read as jobs};
use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A paper that somebody wants.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Its name, as `backdock label --list` has it.
    pub label: String,
    pub rma: Option<String>,
    pub unit: Option<String>,
    /// Fields that are said by hand.
    pub said: Map<String, Value>,
    /// A printer by its name; else by what each printer takes.
    pub printer: Option<String>,
    pub by: String,
}

pub(super) fn not_served(rma: &Rma) -> String {
    format!("the program {:?} {} of RMA {} is not served", rma.program, rma.program_version, rma.number)
}

/// What a paper comes of.
#[derive(Clone, Copy)]
struct Cause<'a> {
    receipt: Option<i64>,
    hold: Option<&'a str>,
    said: &'a Map<String, Value>,
    /// Who made the step that it comes with.
    by: &'a str,
}

impl<'a> Cause<'a> {
    /// Somebody asked for it.
    fn asked(said: &'a Map<String, Value>) -> Cause<'a> {
        Cause { receipt: None, hold: None, said, by: "" }
    }
}

impl Core {
    /// Makes a paper that somebody asks for. The inner error is a refusal in words.
    pub(in crate::station) fn print(
        &mut self,
        wanted: &Wanted,
        now: DateTime<FixedOffset>,
    ) -> Result<Result<Made, String>, StoreError> {
        if wanted.label == CARRIER {
            return Ok(Err("a carrier's label comes from the carrier: say where it lies with --zpl FILE".to_owned()));
        }
        if wanted.label == "unit" {
            let why = "the unit label is made when the unit is received; for a copy: backdock reprint UNIT --by WHO";
            return Ok(Err(why.to_owned()));
        }
        let mut said = wanted.said.clone();
        let Some(number) = &wanted.rma else {
            // Nothing that speaks of an RMA can be made of nothing.
            if ["test", "wall-sheet", "scanner-test"].contains(&wanted.label.as_str()) {
                said.entry("station").or_insert_with(|| json!(self.config.station.id));
                said.retain(|key, _| wanted.label == "test" || key != "station");
                return Ok(self.paper(&wanted.label, None, said, wanted.printer.as_deref()));
            }
            return Ok(Err(format!("name the RMA that the {} paper is for", wanted.label)));
        };
        let Some(mut rma) = know::rma(&self.store.conn, number)? else {
            return Ok(Err(format!("RMA {number} is not on record; `backdock rma list` shows what is")));
        };
        rma.expected = know::expected(&self.store.conn, number)?;
        let programs = self.programs.clone();
        let Some(program) = programs.issued_under(&rma.program, &rma.program_version) else {
            return Ok(Err(not_served(&rma)));
        };
        let unit = match &wanted.unit {
            None => None,
            Some(name) => match self.unit_of(&rma, program, name, now)? {
                Ok(unit) => Some(unit),
                Err(why) => return Ok(Err(why)),
            },
        };
        Ok(self.composed(&rma, program, unit.as_ref(), &wanted.label, &Cause::asked(&wanted.said), now)?.and_then(
            |fields| {
                let about = (rma.number.clone(), unit.map(|u| u.name), None);
                self.paper(&wanted.label, Some(about), fields, wanted.printer.as_deref())
            },
        ))
    }

    /// The fields of a paper that somebody asks for.
    pub(super) fn composed_of(
        &self,
        rma: &Rma,
        program: &Program,
        unit: Option<&Unit>,
        label: &str,
        said: &Map<String, Value>,
        now: DateTime<FixedOffset>,
    ) -> Result<Result<Map<String, Value>, String>, StoreError> {
        self.composed(rma, program, unit, label, &Cause::asked(said), now)
    }

    fn composed(
        &self,
        rma: &Rma,
        program: &Program,
        unit: Option<&Unit>,
        label: &str,
        cause: &Cause,
        now: DateTime<FixedOffset>,
    ) -> Result<Result<Map<String, Value>, String>, StoreError> {
        let today = now.date_naive();
        let judged = match unit.map(|unit| life::unit_on(rma, program, unit, today)).transpose() {
            Ok(judged) => judged,
            Err(refused) => return Ok(Err(refused.0)),
        };
        let ledger = match unit {
            Some(unit) => read::ledger_of(&self.store.conn, &rma.number, &unit.name)?,
            None => Vec::new(),
        };
        let about = About {
            rma,
            program,
            unit: unit.zip(judged.as_ref()).map(|(unit, (facts, case))| (unit, facts, &case.verdict)),
            ledger: &ledger,
            hold: cause.hold,
            said: cause.said,
            today,
            by: cause.by,
        };
        Ok(papers::compose(label, &about).map_err(|e| e.0))
    }

    /// One print of a paper, ready to be made.
    pub(super) fn paper(
        &mut self,
        name: &str,
        about: Option<(String, Option<String>, Option<i64>)>,
        fields: Map<String, Value>,
        printer: Option<&str>,
    ) -> Result<Made, String> {
        let line = match printer {
            Some(printer) => self.line_of(printer).ok_or_else(|| format!("no printer is called {printer:?}"))?,
            None => self.line_for(name).ok_or_else(|| format!("no printer takes the {name} paper"))?,
        };
        let line = &self.lines[line];
        let id = self.last_job + 1;
        let (rma, serial, receipt) = about.map_or((None, None, None), |(rma, serial, r)| (Some(rma), serial, r));
        let mut fields = Value::Object(fields);
        self.coded(name, &mut fields, rma.as_deref(), id);
        let made = self.drawn(name, &fields, line).map_err(|e| e.to_string())?;
        let printer = line.name.clone();
        self.last_job = id;
        self.today.labels += 1;
        let job = Job { id, printer, label: name.to_owned(), copy: 1, receipt, rma, serial, zpl: made.zpl, fields };
        Ok(Made { job, note: made.note, scans: made.scans })
    }

    /// A marked copy of a paper that was made before, for whom and why, behind the same interlock (A-55, C-31).
    pub(in crate::station) fn copy_of(
        &mut self,
        id: JobId,
        by: &str,
        why: &str,
        now: DateTime<FixedOffset>,
    ) -> Result<Result<Made, String>, StoreError> {
        let station = self.config.station.id.clone();
        let Some(first) = jobs::job(&self.store.conn, &station, id)? else {
            return Ok(Err(format!("there is no job {id}; `backdock jobs` lists them")));
        };
        if let Some(refused) = self.forbidden(&first, now)? {
            return Ok(Err(refused));
        }
        let mut fields = first.fields.clone();
        let copy = jobs::last_copy(&self.store.conn, &station, &first)? + 1;
        if let Value::Object(fields) = &mut fields {
            let marks = [("copy", json!(copy)), ("copy_by", json!(by)), ("copy_why", json!(why))];
            for (key, value) in marks.into_iter().filter(|(_, value)| value != "") {
                fields.insert(key.to_owned(), value);
            }
        }
        let i = self.line_of(&first.printer).or_else(|| self.line_for(&first.label));
        let Some(i) = i else { return Ok(Err(format!("no printer takes the {} paper", first.label))) };
        let line = &self.lines[i];
        let id = self.last_job + 1;
        if first.label == CARRIER {
            // Nothing may be written onto it: that it is a copy stands in the journal.
            self.last_job = id;
            self.today.labels += 1;
            let job = Job { id, printer: line.name.clone(), copy, fields, ..first };
            return Ok(Ok(Made { job, note: None, scans: false }));
        }
        self.coded(&first.label, &mut fields, first.rma.as_deref(), id);
        Ok(self.drawn(&first.label, &fields, line).map_err(|e| e.to_string()).map(|made| {
            let printer = line.name.clone();
            self.last_job = id;
            self.today.labels += 1;
            let job = Job { id, printer, copy, zpl: made.zpl, fields, ..first };
            Made { job, note: made.note, scans: made.scans }
        }))
    }

    /// Gives a label that takes it the code of its job.
    fn coded(&self, name: &str, fields: &mut Value, rma: Option<&str>, id: JobId) {
        let takes = label::find(name).is_ok_and(|def| def.fields.iter().any(|f| f.name == "job"));
        if let (true, Some(rma), Value::Object(fields)) = (takes, rma, fields) {
            fields.insert("job".to_owned(), json!(self.code_of(rma, id)));
        }
    }

    /// Why a paper may not come out again, if something has come between.
    fn forbidden(&self, job: &Job, now: DateTime<FixedOffset>) -> Result<Option<String>, StoreError> {
        if let Some(receipt) = job.receipt
            && self.store.receipt(receipt).map_err(|e| StoreError::Unreadable(e.0))?.is_none()
        {
            return Ok(Some(format!("receipt {receipt} was taken back, and its labels with it")));
        }
        // The unit label lets nothing leave, and a test page is about nothing.
        let Some(number) = job.rma.as_deref().filter(|_| job.label != "unit") else { return Ok(None) };
        let Some(rma) = know::rma(&self.store.conn, number)? else { return Ok(None) };
        let programs = self.programs.clone();
        let Some(program) = programs.issued_under(&rma.program, &rma.program_version) else {
            return Ok(Some(not_served(&rma)));
        };
        let today = now.date_naive();
        let row = match &job.serial {
            Some(serial) => read::unit(&self.store.conn, number, serial)?,
            None => None,
        };
        let unit = row.map(|row| Unit::recorded(row.unit, row.state, row.facts, &row.verdict, program));
        let judged = match unit.as_ref().map(|unit| life::unit_on(&rma, program, unit, today)).transpose() {
            Ok(judged) => judged,
            Err(refused) => return Ok(Some(refused.0)),
        };
        let unit = unit.as_ref().zip(judged.as_ref()).map(|(unit, (facts, case))| (unit, facts, &case.verdict));
        let about = About { rma: &rma, program, unit, ledger: &[], hold: None, said: &Map::new(), today, by: "" };
        Ok(papers::may(&job.label, &about).err().map(|e| e.0))
    }

    /// Papers that a step prints by itself; [`Core::papers_told`] tells of them. One that cannot be made does not undo the step: it is named.
    pub(super) fn papers_of_step(&mut self, rma: &Rma, moved: &Moved, head: &Head) -> Result<(), Failed> {
        let programs = self.programs.clone();
        let Some(program) = programs.issued_under(&rma.program, &rma.program_version) else { return Ok(()) };
        let names = program.papers_with_step(moved.step);
        if names.is_empty() {
            return Ok(());
        }
        let mut said = Map::new();
        for (of_step, of_paper) in [("why", "reason"), ("number", "number"), ("finding", "reason")] {
            if let Some(value) = moved.said.get(of_step) {
                said.insert(of_paper.to_owned(), value.clone());
            }
        }
        let unit = Unit::bare(&moved.unit, moved.to, moved.facts.clone());
        let cause = Cause { receipt: None, hold: None, said: &said, by: &moved.by };
        self.papers = self.papers_of(rma, program, &unit, names, &cause, head)?;
        Ok(())
    }

    /// Tags that the holds of a receipt print by themselves.
    pub(super) fn papers_of_receipt(&mut self, receipt: &Receipt, head: &Head) -> Result<(), Failed> {
        let programs = self.programs.clone();
        let Some(program) = programs.issued_under(&receipt.verdict.program, &receipt.verdict.version) else {
            return Ok(());
        };
        for hold in &receipt.verdict.holds {
            let names = program.papers_with_hold(&hold.code);
            if names.is_empty() {
                continue;
            }
            let Some(rma) = know::rma(&self.store.conn, &receipt.rma)? else { return Ok(()) };
            let name = receipt.serial.clone().or(receipt.mac.map(|m| m.to_string())).unwrap_or_default();
            let unit = Unit::recorded(name, UnitState::Held, receipt.facts.clone(), &receipt.verdict, program);
            let cause = Cause { receipt: Some(receipt.id), hold: Some(&hold.code), said: &Map::new(), by: "" };
            self.papers_of(&rma, program, &unit, names, &cause, head)?;
        }
        Ok(())
    }

    fn papers_of(
        &mut self,
        rma: &Rma,
        program: &Program,
        unit: &Unit,
        names: &[Name],
        cause: &Cause,
        head: &Head,
    ) -> Result<Vec<Value>, Failed> {
        let mut told = Vec::new();
        for name in names {
            let takes = |key: &str| label::find(name).is_ok_and(|def| def.fields.iter().any(|f| f.name == key));
            let said = cause.said.iter().filter(|(key, _)| takes(key)).map(|(k, v)| (k.clone(), v.clone())).collect();
            let cause = Cause { said: &said, ..*cause };
            let made = self.composed(rma, program, Some(unit), name, &cause, head.at)?.and_then(|fields| {
                let about = (rma.number.clone(), Some(unit.name.clone()), cause.receipt);
                self.paper(name, Some(about), fields, None)
            });
            match made {
                Ok(Made { job, note, .. }) => {
                    note.iter().for_each(|why| tracing::warn!(label = %name, why, "a design was not used"));
                    told.push(json!({"label": name, "job": job.id, "printer": job.printer, "note": note}));
                    self.make(job, head)?;
                }
                Err(why) => {
                    tracing::warn!(rma = rma.number, unit = unit.name, label = %name, why, "a paper was not made");
                    told.push(json!({"label": name, "job": null, "why": why}));
                }
            }
        }
        Ok(told)
    }

    /// What became of the papers of a step, for whoever made it.
    pub(in crate::station) fn papers_told(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.papers)
    }

    /// The printer for a paper: of those that take it by name, or else of those that take all, the first
    /// that has no trouble.
    pub(super) fn line_for(&self, label: &str) -> Option<usize> {
        let group = self.group_of(label);
        group.iter().copied().find(|i| self.lines[*i].is_calm()).or(group.first().copied())
    }

    /// The printers that take a paper.
    pub(super) fn group_of(&self, label: &str) -> Vec<usize> {
        let takes = |i: &usize| self.config.printers[*i].labels.iter().any(|l| l == label);
        let named: Vec<usize> = (0..self.lines.len()).filter(takes).collect();
        if named.is_empty() {
            (0..self.lines.len()).filter(|i| self.config.printers[*i].labels.is_empty()).collect()
        } else {
            named
        }
    }
}
