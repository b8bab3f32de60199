//! A carrier's label as the first scan of a box: the box has arrived, whatever is known of it. Its call tag
//! opens the box of its RMA; else the box stands there blind until an RMA number, or a unit that exactly one
//! open RMA announced, says whose it is. The number goes into the receipts of what was in it.

use super::{Way, kind_name, outcome, screen, tag};
use crate::domain::event::Event;
use crate::domain::identity::Candidate;
use crate::domain::screen::{Kind, Screen};
use crate::domain::tag::{TagNow, TagState};
use crate::rma::Unanswered;

impl Way<'_> {
    pub(super) fn parcel(&mut self, chosen: &Candidate) -> Result<Screen, Unanswered> {
        if let Some(unfinished) = self.unfinished() {
            return Ok(unfinished);
        }
        let number = &chosen.value;
        if let Some(now) = self.dock.know.tag_by_number(number)? {
            return self.parcel_of(&now, number);
        }
        let of = [chosen.carrier.as_deref(), chosen.service.as_deref()].into_iter().flatten();
        let name = of.collect::<Vec<_>>().join(", ");
        let name = if name.is_empty() { kind_name(chosen.kind).to_owned() } else { name };
        self.session.arrival = Some(number.clone());
        let word = if self.session.rma.is_some() { "NOTED" } else { "ARRIVED" };
        let mut s = screen(outcome::PARCEL_ARRIVED, Kind::Info, word, number, self.carry_on());
        s.why.push(match &self.session.rma {
            Some(rma) => format!("{name}: noted as a parcel of RMA {rma}"),
            None => format!("{name}: no call tag of ours has this number"),
        });
        s.why.push(chosen.why.clone());
        Ok(s)
    }

    /// A parcel that a tag called for.
    fn parcel_of(&mut self, now: &TagNow, number: &str) -> Result<Screen, Unanswered> {
        let mut s = self.open_box(&now.tag.rma)?;
        // Refused at the door: it did not arrive as what was called for.
        if self.session.rma.as_deref() == Some(&*now.tag.rma) {
            self.session.arrival = Some(number.to_owned());
            self.tag_received(now, Some(number));
        }
        let of = format!("{} {}, package {} of {}", now.tag.kind, now.tag.id, now.tag.package, now.tag.packages);
        s.why.insert(
            0,
            match now.state {
                TagState::Received => format!("{of}: it arrived before, on {}", now.since),
                TagState::Failed | TagState::Cancelled => format!("{of}: it was {}, and came all the same", now.state),
                _ => of,
            },
        );
        Ok(s)
    }

    fn tag_received(&mut self, now: &TagNow, number: Option<&str>) {
        if now.state != TagState::Received {
            let by = self.session.badge.as_deref().unwrap_or("dock");
            let moved = tag::received(now.tag.id, now.state, number, self.dock.today, by);
            self.events.push(Event::TagMoved { moved });
        }
    }

    /// A box by the number of its RMA. Where one package was called for, and no carrier's label said which
    /// this is, it is that one.
    pub(super) fn box_by_number(&mut self, rma: &str) -> Result<Screen, Unanswered> {
        let s = self.open_box(rma)?;
        if s.outcome == outcome::BOX_OPEN
            && self.session.arrival.is_none()
            && let [now] = self.dock.know.tags_of(rma)?.as_slice()
            && !now.state.is_final()
        {
            self.tag_received(now, None);
        }
        Ok(s)
    }
}
