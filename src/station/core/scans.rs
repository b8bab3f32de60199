//! Scans and scanners: through the flow, into the journal, onto the screen.

use super::jobs::Made;
use super::{Core, Ear, FEED, Failed};
use crate::device::DeviceEvent;
use crate::domain::event::Event;
use crate::domain::job::JobState;
use crate::domain::screen::{Kind, Screen};
use crate::domain::text::escaped;
use crate::flow::{self, Dock, Doubt, Owed};
use crate::scan::{Frame, Scan};
use crate::station::view::{FeedLine, Shown};
use crate::store::{Head, know, read};
use chrono::{DateTime, FixedOffset};

impl Core {
    pub(super) fn device(&mut self, event: &DeviceEvent, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        match event {
            DeviceEvent::State { scanner, presence, reason } => {
                let ear = Ear { name: scanner.to_string(), presence: *presence, reason: reason.clone(), since: now };
                match self.ears.iter_mut().find(|e| e.name == ear.name) {
                    Some(known) => *known = ear,
                    // Found while the station runs.
                    None => self.ears.push(ear),
                }
                tracing::info!(scanner = %scanner, presence = presence.as_str(), reason, "scanner");
                let event =
                    Event::Scanner { scanner: scanner.to_string(), presence: *presence, reason: reason.clone() };
                self.store.append(&self.head(now, Some(scanner), None), &event)?;
                Ok(())
            }
            DeviceEvent::Frame { scanner, frame, .. } => match frame {
                Frame::Payload(bytes) if !bytes.is_empty() => self.scan(scanner, bytes, now),
                _ => self.refused(scanner, frame, now),
            },
        }
    }

    pub(super) fn refused(&mut self, scanner: &str, frame: &Frame, now: DateTime<FixedOffset>) -> Result<(), Failed> {
        let Some((length, screen)) = flow::refuse(frame) else { return Ok(()) };
        let raw = match frame {
            Frame::Unfinished(bytes) => bytes.clone(),
            Frame::Payload(_) | Frame::TooLong { .. } => Vec::new(),
        };
        let text = escaped(&raw);
        let event = Event::Refused { length, screen: screen.clone() };
        self.store.append(&self.head(now, Some(scanner), (!raw.is_empty()).then_some(raw)), &event)?;
        self.show(screen, scanner, text, now);
        Ok(())
    }

    pub(super) fn scan(&mut self, scanner: &str, bytes: &[u8], now: DateTime<FixedOffset>) -> Result<(), Failed> {
        let scan = Scan::decode(bytes.to_vec());
        let dock = Dock {
            know: &self.store,
            programs: &self.programs,
            badge_required: self.config.station.badge_required,
            prefix: &self.config.station.prefix,
            code: &self.config.station.code,
            now,
            today: now.date_naive(),
            last_receipt: self.last_receipt,
            doubt: self.oldest_doubt()?,
        };
        let mut step = flow::step(&dock, &self.session, &scan).map_err(|e| Failed::Unanswered(e.0))?;
        let made = match &step.label {
            None => None,
            Some(Owed::Unit { receipt, rma, serial, fields }) => {
                self.job(Some(*receipt), Some(rma.clone()), serial.clone(), (**fields).clone(), &mut step.screen)
            }
            Some(Owed::Paper { label, rma, fields }) => {
                let about = rma.clone().map(|rma| (rma, None, None));
                match self.paper(label, about, fields.clone(), None) {
                    Ok(made) => Some(made),
                    Err(why) => {
                        step.screen.why.push(format!("label: {why}"));
                        None
                    }
                }
            }
            Some(Owed::Again { job }) => self.again(*job, &mut step.screen, now)?,
            Some(Owed::Copy { receipt }) => self.copy(*receipt, &mut step.screen, now)?,
        };
        let job = match made {
            None => None,
            Some(made) => {
                self.await_scan(&mut step, &made)?;
                Some(made.job)
            }
        };
        step.screen.job = job.as_ref().map(|j| j.id);
        // The badge of this very scan counts for it.
        self.session = step.session;
        let head = self.head(now, Some(scanner), Some(scan.raw));
        let bare = self.head(now, Some(scanner), None);
        let event = Event::Scanned {
            identity: step.identity.as_str().to_owned(),
            value: step.value,
            screen: step.screen.clone(),
            session: self.session.clone(),
        };
        self.store.append(&head, &event)?;
        for event in &step.events {
            self.store.append(&bare, event)?;
            match event {
                Event::Received { receipt } => {
                    self.last_receipt = receipt.id;
                    self.today.receipts += 1;
                    self.today.holds += i64::from(receipt.held);
                    self.life_of_receipt(receipt, &bare)?;
                }
                Event::Withdrawn { receipt, .. } => {
                    self.today.receipts -= 1;
                    self.take_back(*receipt, &bare)?;
                    self.life_of_withdrawn(*receipt, &bare)?;
                }
                Event::JobsMoved { jobs, from: JobState::InDoubt, .. } => {
                    for job in jobs {
                        let row = read::job_row_of(&self.store.conn, &self.config.station.id, *job)?;
                        row.iter().for_each(|row| self.doubt_settled(&row.printer));
                    }
                }
                _ => {}
            }
        }
        if let Some(job) = job {
            self.make(job, &bare)?;
        }
        for event in &step.events {
            if let Event::Received { receipt } = event {
                self.papers_of_receipt(receipt, &bare)?;
            }
        }
        self.today.scans += 1;
        self.show(step.screen, scanner, escaped(bytes), now);
        Ok(())
    }

    /// Remembers a label that the program wants scanned before the dock goes on.
    fn await_scan(&self, step: &mut flow::Step, made: &Made) -> Result<(), Failed> {
        let job = &made.job;
        let Some(rma) = &job.rma else { return Ok(()) };
        let Some(rma) = know::rma(&self.store.conn, rma)? else { return Ok(()) };
        let program = self.programs.issued_under(&rma.program, &rma.program_version);
        if !program.is_some_and(|program| program.scans_back(&job.label)) {
            return Ok(());
        }
        if !made.scans {
            step.screen.why.push("this label has no code of its own: it is not asked for".to_owned());
            return Ok(());
        }
        // A copy takes the place of what it is a copy of.
        if let Some(receipt) = job.receipt.filter(|_| job.copy > 1) {
            let before = read::jobs_of_receipt(&self.store.conn, &self.config.station.id, receipt)?;
            step.session.awaits.retain(|id| !before.iter().any(|job| job.id == *id));
        }
        step.session.awaits.push(job.id);
        step.screen.next = format!("Stick it on and scan its square code. {}", step.screen.next);
        Ok(())
    }

    /// Shows that a scan counts for nothing.
    pub(super) fn not_written(&mut self, scanner: &str, frame: &Frame, why: &Failed, now: DateTime<FixedOffset>) {
        let screen = Screen {
            outcome: "not_written".to_owned(),
            kind: Kind::Error,
            word: "NOT WRITTEN".to_owned(),
            title: "This scan was not written down.".to_owned(),
            why: vec![why.to_string()],
            next: "Scan it again when this is mended.".to_owned(),
            rules: Vec::new(),
            job: None,
        };
        let bytes = match frame {
            Frame::Payload(b) | Frame::Unfinished(b) => b.as_slice(),
            Frame::TooLong { .. } => &[],
        };
        self.show(screen, scanner, escaped(bytes), now);
    }

    fn oldest_doubt(&self) -> Result<Option<Doubt>, Failed> {
        if self.lines.iter().all(|line| line.in_doubt == 0) {
            return Ok(None);
        }
        let jobs = read::open_jobs(&self.store.conn, &self.config.station.id)?;
        let oldest = jobs.into_iter().find(|job| job.state == JobState::InDoubt);
        Ok(oldest.map(|job| {
            let about = [job.rma, job.serial].into_iter().flatten();
            let what = std::iter::once(job.label).chain(about).collect::<Vec<_>>().join("  ");
            Doubt { job: job.id, what }
        }))
    }

    /// A withdrawn receipt's label is not printed if it still waits.
    pub(super) fn take_back(&mut self, receipt: i64, head: &Head) -> Result<(), Failed> {
        for job in read::jobs_of_receipt(&self.store.conn, &self.config.station.id, receipt)? {
            if job.state != JobState::Queued {
                continue;
            }
            for line in &mut self.lines {
                line.queue.retain(|id| *id != job.id);
            }
            let event = Event::JobsMoved {
                jobs: vec![job.id],
                from: JobState::Queued,
                to: JobState::Cancelled,
                why: format!("receipt {receipt} was taken back"),
                expects: None,
            };
            self.store.append(head, &event)?;
        }
        Ok(())
    }

    /// Shows what came of a scan, once it is written down.
    pub(super) fn show(&mut self, screen: Screen, scanner: &str, scanned: String, now: DateTime<FixedOffset>) {
        self.showing.push(Shown { screen, at: now, scanner: scanner.to_owned(), scanned });
    }

    /// What was to be shown is true now.
    pub(super) fn reveal(&mut self) {
        for shown in self.showing.drain(..) {
            let screen = &shown.screen;
            self.frames += 1;
            // The journal has every scan; the log need not have it too.
            tracing::debug!(
                scanner = shown.scanner,
                outcome = screen.outcome,
                word = screen.word,
                title = screen.title,
                "scan"
            );
            self.answered.push((shown.scanner.clone(), screen.kind));
            self.feed.push_front(FeedLine::of(screen, shown.at));
            self.feed.truncate(FEED);
            self.shown = Some(shown);
        }
    }
}
