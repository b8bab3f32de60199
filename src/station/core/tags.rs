//! Call tags: ordered, moved on, and the labels that carriers have drawn for them.

use super::Core;
use super::jobs::Made;
use super::papers::not_served;
use crate::domain::event::Event;
use crate::domain::job::{CARRIER, Job, JobId};
use crate::domain::tag::{TagId, TagKind, TagMoved, TagNow, TagStep};
use crate::domain::unit::UnitState;
use crate::flow::life::{self, Unit};
use crate::flow::tag::{self, Wish};
use crate::label::gate;
use crate::store::{Head, StoreError, hex, know, tags};
use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// A call tag that somebody wants.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagWanted {
    pub rma: String,
    pub unit: Option<String>,
    pub kind: TagKind,
    pub packages: u32,
    pub said: Map<String, Value>,
    pub by: String,
    /// Print the request sheets and the customer's notice.
    pub print: bool,
}

/// A label that a carrier has drawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CarrierLabel {
    /// What it is called: the file it came in.
    pub name: String,
    pub zpl: String,
    pub rma: Option<String>,
    /// What may be an RMA number, and is one if it is on record.
    pub perhaps: Option<String>,
    /// The tag that it is for.
    pub tag: Option<TagId>,
    pub printer: Option<String>,
    pub by: String,
}

impl CarrierLabel {
    fn sha256(&self) -> String {
        hex(&Sha256::digest(self.zpl.as_bytes()))
    }
}

/// What was ordered, and what came of its papers.
pub(in crate::station) struct Ordered {
    pub tags: Vec<TagNow>,
    /// What the carrier will cut.
    pub told: Vec<String>,
    pub papers: Vec<Value>,
}

impl Core {
    /// Orders packages. The inner error is a refusal in words.
    pub(in crate::station) fn tag_request(
        &mut self,
        wanted: &TagWanted,
        now: DateTime<FixedOffset>,
    ) -> Result<Result<Ordered, String>, StoreError> {
        if wanted.by.trim().is_empty() {
            return Ok(Err("every order has the name of who wants it: say --by WHO".to_owned()));
        }
        let Some(mut rma) = know::rma(&self.store.conn, &wanted.rma)? else {
            return Ok(Err(format!("RMA {} is not on record; `backdock rma list` shows what is", wanted.rma)));
        };
        rma.expected = know::expected(&self.store.conn, &rma.number)?;
        let programs = self.programs.clone();
        let Some(program) = programs.issued_under(&rma.program, &rma.program_version) else {
            return Ok(Err(not_served(&rma)));
        };
        // Without a unit the first one that was announced speaks for all.
        let named = wanted.unit.as_ref().or(rma.expected.first());
        let unit = match named {
            Some(name) => match self.unit_of(&rma, program, name, now)? {
                Ok(unit) => unit,
                Err(why) => return Ok(Err(why)),
            },
            None => Unit::bare("", UnitState::Awaited, life::announced(&rma, None, None, None, now.date_naive())),
        };
        let (_, case) = match life::unit_on(&rma, program, &unit, now.date_naive()) {
            Ok(judged) => judged,
            Err(refused) => return Ok(Err(refused.0)),
        };
        let wish = Wish {
            rma: &rma,
            program,
            unit: wanted.unit.as_deref().map(|_| unit.name.as_str()),
            verdict: &case.verdict,
            kind: wanted.kind,
            packages: wanted.packages,
            said: &wanted.said,
            today: now.date_naive(),
            by: &wanted.by,
        };
        let (orders, told) = match tag::request(&wish) {
            Ok(made) => made,
            Err(refused) => return Ok(Err(refused.0)),
        };
        let head = Head { at: now, badge: Some(wanted.by.clone()), ..Head::default() };
        let station = self.config.station.id.clone();
        let mut id = tags::last(&self.store.conn, &station)?;
        let mut ordered = Ordered { tags: Vec::new(), told, papers: Vec::new() };
        for mut order in orders {
            id += 1;
            order.id = id;
            self.store.append(&head, &Event::TagRequested { tag: Box::new(order) })?;
            ordered.tags.extend(tags::tag(&self.store.conn, &station, id)?);
        }
        if wanted.print {
            let notice =
                ordered.tags.first().filter(|now| now.tag.kind.is_call_tag()).map(|now| ("calltag-notice", now));
            let sheets = ordered.tags.iter().map(|now| ("calltag-request", now));
            for (label, now_tag) in sheets.chain(notice) {
                let said = tag::paper(label, &now_tag.tag);
                let unit = now_tag.tag.unit.as_ref().map(|_| &unit);
                let made = self.composed_of(&rma, program, unit, label, &said, now)?.and_then(|fields| {
                    self.paper(label, Some((rma.number.clone(), unit.map(|u| u.name.clone()), None)), fields, None)
                });
                ordered.papers.push(match made {
                    Ok(Made { job, note, .. }) => {
                        let told = json!({"label": label, "job": job.id, "printer": job.printer, "note": note});
                        self.make(job, &head).map_err(|e| StoreError::Unreadable(e.to_string()))?;
                        told
                    }
                    Err(why) => json!({"label": label, "job": null, "why": why}),
                });
            }
        }
        Ok(Ok(ordered))
    }

    /// Something became known of a tag.
    pub(in crate::station) fn tag_act(
        &mut self,
        id: TagId,
        step: TagStep,
        said: &Map<String, Value>,
        by: &str,
        now: DateTime<FixedOffset>,
    ) -> Result<Result<(TagNow, TagMoved), String>, StoreError> {
        if by.trim().is_empty() {
            return Ok(Err("every step has the name of who says it: say --by WHO".to_owned()));
        }
        let station = self.config.station.id.clone();
        let Some(before) = tags::tag(&self.store.conn, &station, id)? else {
            return Ok(Err(format!("there is no tag {id}; `backdock tag list` shows them")));
        };
        let moved = match tag::act(&before, step, said, now.date_naive(), by) {
            Ok(moved) => moved,
            Err(refused) => return Ok(Err(refused.0)),
        };
        for number in &moved.numbers {
            if let Some(other) = tags::by_number(&self.store.conn, number)?.filter(|other| other.tag.id != id) {
                return Ok(Err(format!("{number} is the number of tag {} already", other.tag.id)));
            }
        }
        let head = Head { at: now, badge: Some(by.to_owned()), ..Head::default() };
        self.store.append(&head, &Event::TagMoved { moved: moved.clone() })?;
        let after = tags::tag(&self.store.conn, &station, id)?;
        Ok(after.map(|after| (after, moved)).ok_or_else(|| format!("tag {id} has vanished")))
    }

    /// The job that printed this very label, if one did.
    pub(in crate::station) fn printed_before(&self, wanted: &CarrierLabel) -> Result<Option<JobId>, StoreError> {
        tags::job_of_label(&self.store.conn, &wanted.sha256())
    }

    /// A carrier's label, printed as it is if the gate lets it through.
    pub(in crate::station) fn carrier_label(
        &mut self,
        wanted: &CarrierLabel,
    ) -> Result<Result<Made, String>, StoreError> {
        let mut rma = wanted.rma.clone();
        if let (None, Some(perhaps)) = (&rma, &wanted.perhaps) {
            rma = know::rma(&self.store.conn, perhaps)?.map(|rma| rma.number);
        }
        if let Some(id) = wanted.tag {
            let Some(now) = tags::tag(&self.store.conn, &self.config.station.id, id)? else {
                return Ok(Err(format!("there is no tag {id}; `backdock tag list` shows them")));
            };
            if rma.as_ref().is_some_and(|rma| *rma != now.tag.rma) {
                return Ok(Err(format!("tag {id} is of RMA {}, not of {}", now.tag.rma, rma.unwrap_or_default())));
            }
            rma = Some(now.tag.rma);
        }
        if let Some(number) = &rma
            && know::rma(&self.store.conn, number)?.is_none()
        {
            return Ok(Err(format!("RMA {number} is not on record; `backdock rma list` shows what is")));
        }
        let line = match &wanted.printer {
            Some(printer) => match self.line_of(printer) {
                Some(line) => line,
                None => return Ok(Err(format!("no printer is called {printer:?}"))),
            },
            None => match self.line_for(CARRIER) {
                Some(line) => line,
                None => return Ok(Err("no printer takes carriers' labels (`labels = [\"carrier\"]`)".to_owned())),
            },
        };
        let line = &self.lines[line];
        let warnings = match gate::inspect(wanted.zpl.as_bytes(), line.stock, line.dpi) {
            Ok(foreign) => foreign.warnings,
            Err(findings) => {
                let refused = findings.list.iter().filter(|f| f.severity == gate::Severity::Refuse);
                return Ok(Err(refused.map(ToString::to_string).collect::<Vec<_>>().join("; ")));
            }
        };
        let note = warnings.list.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let fields = json!({"name": wanted.name, "sha256": wanted.sha256(), "tag": wanted.tag});
        let printer = line.name.clone();
        self.last_job += 1;
        self.today.labels += 1;
        let job = Job {
            id: self.last_job,
            printer,
            label: CARRIER.to_owned(),
            copy: 1,
            receipt: None,
            rma,
            serial: None,
            zpl: wanted.zpl.clone(),
            fields,
        };
        Ok(Ok(Made { job, note: Some(note).filter(|note| !note.is_empty()), scans: false }))
    }
}
