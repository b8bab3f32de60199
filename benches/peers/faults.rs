//! 200 labels and one accident, on each side: what came out, and what is said of it.

use crate::count::{Count, Said};
use crate::dock::Dock;
use crate::spooler::Spooler;
use crate::{Done, zebra};
use backdock::cli::bench::site::Site;
use backdock::domain::job::JobState;
use backdock::sim::engine::Control;
use backdock::sim::fault::Trouble;
use backdock::sim::printer::Handle;
use std::fmt::Write;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

const LABELS: usize = 200;
/// How long a queue that does not empty is waited for.
const STUCK: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Accident {
    /// The printer resets the connection after ten labels, and takes new ones a second later.
    Reset,
    /// The printer stops reading at the eleventh label; the spooler is killed, started again, and the
    /// printer goes on.
    Kill,
    /// The same to a spooler that was given its jobs long before. CUPS answers `lp` first and writes its list
    /// of jobs down later, within half a minute; backdock has written a label down before anybody hears of it.
    KillLater,
}

impl Accident {
    const ALL: [Accident; 3] = [Accident::Reset, Accident::Kill, Accident::KillLater];

    fn zebra(self) -> Done<Handle> {
        let fault = match self {
            Accident::Reset => "refuse@11:1",
            Accident::Kill | Accident::KillLater => "never-read@11",
        };
        Ok(zebra(fault.parse()?)?)
    }

    fn words(self) -> &'static str {
        match self {
            Accident::Reset => "the printer resets the connection after 10",
            Accident::Kill => "`kill -9` while the printer holds the line",
            Accident::KillLater => "the same, of jobs that wait since half a minute",
        }
    }
}

pub struct Faults(Vec<(Accident, &'static str, Count)>);

pub fn run(site: &mut Site) -> Done<Faults> {
    let mut found = Vec::new();
    for accident in Accident::ALL {
        eprintln!("{}", accident.words());
        let (ours, labels) = ours(site, accident)?;
        found.push((accident, "`lp`, one job of 200 labels", theirs(site, accident, &labels, LABELS)?));
        found.push((accident, "`lp`, 200 jobs", theirs(site, accident, &labels, 1)?));
        found.push((accident, OURS, ours));
    }
    Ok(Faults(found))
}

const OURS: &str = "backdock";

/// Returns the labels too.
fn ours(site: &mut Site, accident: Accident) -> Done<(Count, Vec<String>)> {
    let zebra = accident.zebra()?;
    let mut dock = Dock::open(site, zebra.local_addr(), LABELS)?;
    dock.scan(dock.serials())?;
    dock.wait_received(LABELS)?;
    if accident != Accident::Reset {
        held(&zebra)?;
        dock.kill();
        dock.start_again()?;
        zebra.control(Control::End(Trouble::NeverRead));
    }
    dock.wait_settled()?;
    let jobs = dock.jobs()?;
    let said = |state| match state {
        JobState::Printed => Said::Printed,
        _ => Said::Ask,
    };
    let count = Count::of(jobs.iter().map(|(job, state)| (job.zpl.as_str(), said(*state))), &zebra.labels());
    Ok((count, jobs.into_iter().map(|(job, _)| job.zpl).collect()))
}

/// The same labels, so many to a job.
fn theirs(site: &mut Site, accident: Accident, labels: &[String], each: usize) -> Done<Count> {
    let zebra = accident.zebra()?;
    let dir = site.room("labels")?;
    let mut spooler = Spooler::start(site.room("cups")?, zebra.local_addr())?;
    // All are taken before the first goes out, as with the scans.
    spooler.hold()?;
    for (n, labels) in labels.chunks(each).enumerate() {
        let file = dir.join(format!("{n}.zpl"));
        fs::write(&file, labels.concat())?;
        spooler.submit(&file)?;
    }
    if accident == Accident::KillLater {
        spooler.write_down()?;
    }
    spooler.release()?;
    if accident != Accident::Reset {
        held(&zebra)?;
        spooler.kill()?;
        spooler.start_again()?;
        // It may have noted last that the queue was held.
        spooler.release()?;
        zebra.control(Control::End(Trouble::NeverRead));
    }
    if !spooler.wait_empty(STUCK)? {
        eprintln!("  the queue stands still");
    }
    // What a killed backend had handed to the kernel comes by itself.
    sleep(Duration::from_secs(2));
    let (completed, listed) = (spooler.completed()?, spooler.listed()?);
    let said = |n: usize| match n / each + 1 {
        job if completed.contains(&job) => Said::Printed,
        job if listed.contains(&job) => Said::Ask,
        _ => Said::Unknown,
    };
    Ok(Count::of(labels.iter().enumerate().map(|(n, zpl)| (zpl.as_str(), said(n))), &zebra.labels()))
}

fn held(zebra: &Handle) -> Done<()> {
    match zebra.wait(STUCK, |engine| engine.has(Trouble::NeverRead)) {
        true => Ok(()),
        false => Err("the printer never came to the label that it should hold".into()),
    }
}

impl Faults {
    pub fn ours_held(&self) -> bool {
        let held = |c: &Count| (c.asked, c.lost, c.doubled, c.waste) == (LABELS, 0, 0, 0);
        self.0.iter().filter(|(_, who, _)| *who == OURS).all(|(.., count)| held(count))
    }

    pub fn table(&self) -> String {
        let mut text = format!("| {LABELS} labels and one accident | | came out | lost | doubled | in doubt |\n");
        text.push_str("|---|---|---:|---:|---:|---:|\n");
        for (accident, who, c) in &self.0 {
            let ask = if c.ask > 0 { format!("{} ({} came out)", c.ask, c.ask_came) } else { "0".to_owned() };
            let _ = write!(text, "| {} | {who} | {} | {} | {} | {ask} |", accident.words(), c.came, c.lost, c.doubled);
            if c.waste > 0 {
                let _ = write!(text, " {} more pieces of paper", c.waste);
            }
            text.push('\n');
        }
        text
    }
}
