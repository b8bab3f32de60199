//! A unit by its serial, its MAC or both: put together, held against the shipments, the RMA and what
//! was received before.

use super::{Way, outcome, screen};
use crate::domain::identity::{Candidate, Kind as Is};
use crate::domain::mac::Mac;
use crate::domain::rma::{Rma, RmaState};
use crate::domain::screen::{Kind, Screen};
use crate::domain::session::Pending;
use crate::domain::shipment::Shipment;
use crate::program::{CompleteWhen, Decision, IntakeRow, Program, Situation};
use crate::rma::{Expects, Past, Unanswered};

impl Way<'_> {
    pub(super) fn unit(&mut self, found: &[Candidate], chosen: &Candidate) -> Result<Screen, Unanswered> {
        let (serial, mac) = parts(found, chosen);
        let number = match self.session.rma.clone() {
            Some(number) => number,
            None => match self.blind_rma(serial.as_deref(), mac)? {
                Some(number) => {
                    let opened = self.open_box(&number)?;
                    if self.session.rma.is_none() {
                        return Ok(opened);
                    }
                    number
                }
                None => return self.unit_without_box(serial.as_deref(), mac),
            },
        };
        let Some(rma) = self.dock.know.rma(&number)? else {
            return Err(Unanswered(format!("the open RMA {number} has vanished from the database")));
        };
        let Some(program) = self.dock.programs.issued_under(&rma.program, &rma.program_version) else {
            return Err(Unanswered(format!(
                "the program {:?} of the open RMA {number} is no longer served",
                rma.program
            )));
        };
        let before = self.session.pending.take().unwrap_or_default();
        // The other half of another unit: keep the first half and say so.
        let clash = matches!((&before.serial, &serial), (Some(a), Some(b)) if a != b)
            || matches!((before.mac, mac), (Some(a), Some(b)) if a != b);
        if clash {
            self.session.pending = Some(before);
            let mut s = self
                .unfinished()
                .unwrap_or_else(|| screen(outcome::UNIT_UNFINISHED, Kind::Ask, "FINISH UNIT", "", self.carry_on()));
            s.why.push(format!("{} belongs to another unit", chosen.value));
            return Ok(s);
        }
        let now = Pending { serial: serial.or(before.serial), mac: mac.or(before.mac) };
        let complete = match program.complete_when() {
            CompleteWhen::Either => true,
            // Some makers print the MAC as the serial: then one barcode is both.
            _ if self.is_its_own_serial(&now)? => true,
            CompleteWhen::Serial => now.serial.is_some(),
            CompleteWhen::Mac => now.mac.is_some(),
            CompleteWhen::Both => now.serial.is_some() && now.mac.is_some(),
        };
        if complete {
            return self.receive(&rma, program, now);
        }
        // The other barcode of the unit just received begins no new one: the next half is the next unit's.
        if let Some(past) = self.received_before(now.serial.as_deref(), now.mac)?
            && self.is_the_last(&past, &number)
        {
            let what = now.serial.clone().or(now.mac.map(|m| m.to_string())).unwrap_or_default();
            return Ok(self.same_unit(&past, what));
        }
        let (have, word, wants) = match (&now.serial, now.mac) {
            (Some(s), _) => (format!("Serial {s}"), "SCAN MAC", "MAC"),
            (None, m) => {
                (format!("MAC {}", m.map(|m| m.to_string()).unwrap_or_default()), "SCAN SERIAL", "serial number")
            }
        };
        self.session.pending = Some(now);
        Ok(screen(outcome::HALF_UNIT, Kind::Ask, word, have, format!("Scan the {wants} of the same unit, or CANCEL.")))
    }

    pub(super) fn is_its_own_serial(&self, unit: &Pending) -> Result<bool, Unanswered> {
        let (ship, _) = self.shipment(unit.serial.as_deref(), unit.mac)?;
        Ok(ship.is_some_and(|s| {
            let printed = Mac::parse(&s.serial);
            printed.is_some_and(|m| s.macs.contains(&m))
                && (unit.serial.as_ref() == Some(&s.serial) || unit.mac == printed)
        }))
    }

    /// Whose a box without a number is: that of the one open RMA that announced the unit.
    fn blind_rma(&self, serial: Option<&str>, mac: Option<Mac>) -> Result<Option<String>, Unanswered> {
        if self.session.arrival.is_none() {
            return Ok(None);
        }
        let (ship, _) = self.shipment(serial, mac)?;
        let serial = ship.as_ref().map(|s| s.serial.as_str()).or(serial);
        let open = serial.map_or(Ok(Vec::new()), |serial| self.dock.know.rmas_expecting(serial))?;
        Ok(if let [one] = open.as_slice() { Some(one.clone()) } else { None })
    }

    pub(super) fn unit_without_box(&self, serial: Option<&str>, mac: Option<Mac>) -> Result<Screen, Unanswered> {
        let (ship, _) = self.shipment(serial, mac)?;
        let serial = ship.as_ref().map(|s| s.serial.clone()).or(serial.map(str::to_owned));
        let what = serial.clone().or(mac.map(|m| m.to_string())).unwrap_or_default();
        let mut s = screen(
            outcome::NO_BOX,
            Kind::Ask,
            "RMA FIRST",
            format!("Unit {what}"),
            "Scan the RMA number of the box, then the unit again.",
        );
        if let Some(serial) = serial {
            let open = self.dock.know.rmas_expecting(&serial)?;
            if !open.is_empty() {
                s.why.push(format!("announced on RMA {}", open.join(", ")));
            }
        }
        Ok(s)
    }

    /// The shipment of a unit; the flag says that a MAC belongs to several.
    pub(super) fn shipment(
        &self,
        serial: Option<&str>,
        mac: Option<Mac>,
    ) -> Result<(Option<Shipment>, bool), Unanswered> {
        if let Some(s) = serial
            && let Some(ship) = self.dock.know.by_serial(s)?
        {
            return Ok((Some(ship), false));
        }
        let Some(mac) = mac else { return Ok((None, false)) };
        let mut by_mac = self.dock.know.by_mac(mac)?;
        Ok(if by_mac.len() > 1 { (None, true) } else { (by_mac.pop(), false) })
    }

    pub(super) fn receive(&mut self, rma: &Rma, program: &Program, unit: Pending) -> Result<Screen, Unanswered> {
        let (ship, ambiguous) = self.shipment(unit.serial.as_deref(), unit.mac)?;
        if ambiguous && unit.serial.is_none() {
            let title = format!(
                "MAC {} is on record for more than one unit.",
                unit.mac.map(|m| m.to_string()).unwrap_or_default()
            );
            self.session.pending = Some(unit);
            return Ok(screen(
                outcome::MAC_AMBIGUOUS,
                Kind::Ask,
                "SCAN SERIAL",
                title,
                "Scan the serial number of the same unit.",
            ));
        }
        let serial = unit.serial.clone().or(ship.as_ref().map(|s| s.serial.clone()));
        let what = serial.clone().or(unit.mac.map(|m| m.to_string())).unwrap_or_default();

        // Received before: on this RMA, or on another one that is still open.
        if let Some(past) = self.received_before(serial.as_deref(), unit.mac)? {
            // The other barcode of the unit just received, or the same one twice: nothing is wrong.
            if self.is_the_last(&past, &rma.number) && self.mismatch(&unit, ship.as_ref())?.is_none() {
                return Ok(self.same_unit(&past, what));
            }
            let open =
                past.rma == rma.number || self.dock.know.rma(&past.rma)?.is_some_and(|r| r.state == RmaState::Open);
            if open {
                let title = format!(
                    "{what} was received {} on RMA {} ({}).",
                    past.at.format("%Y-%m-%d %H:%M"),
                    past.rma,
                    past.word
                );
                return Ok(self.stopped(
                    program,
                    Situation::UnitAlreadyReceived,
                    outcome::UNIT_ALREADY_RECEIVED,
                    &what,
                    title,
                ));
            }
        }

        // Everything that is odd about it; the program says which of these stop the unit and which hold it.
        let mut odd: Vec<(Situation, &'static str, String)> = Vec::new();
        odd.extend(self.rma_situation(rma, program));
        if let Some(title) = self.mismatch(&unit, ship.as_ref())? {
            odd.push((Situation::SerialMacMismatch, outcome::SERIAL_MAC_MISMATCH, title));
        } else if let Some(title) = brand_mismatch(&unit, ship.as_ref()) {
            odd.push((Situation::BrandMismatch, outcome::BRAND_MISMATCH, title));
        }
        if ship.is_none() {
            odd.push((Situation::UnitUnknown, outcome::UNIT_UNKNOWN, format!("{what} is in no shipment record.")));
        }
        if let Some(s) = &serial
            && self.dock.know.expects(&rma.number, s)? == Expects::Others
        {
            let mut title = format!("{s} was not announced on RMA {}.", rma.number);
            let elsewhere = self.dock.know.rmas_expecting(s)?;
            if !elsewhere.is_empty() {
                title.push_str(&format!(" It was announced on {}.", elsewhere.join(", ")));
            }
            odd.push((Situation::UnitNotOnRma, outcome::UNIT_NOT_ON_RMA, title));
        }
        if let Some((situation, name, title)) =
            odd.iter().find(|(s, ..)| matches!(program.intake(*s).decision, Decision::Reject | Decision::Refuse))
        {
            return Ok(self.stopped(program, *situation, name, &what, title.clone()));
        }
        let holds: Vec<(&IntakeRow, &'static str, &str)> = odd
            .iter()
            .map(|(s, name, title)| (program.intake(*s), *name, title.as_str()))
            .filter(|(row, ..)| row.decision == Decision::Hold)
            .collect();
        let stranger = odd.iter().any(|(s, ..)| *s == Situation::UnitNotOnRma);
        self.judge(rma, program, unit, ship, serial, &holds, stranger)
    }

    /// The newest receipt of a unit. One that only bears its MAC, under the serial of another unit, is that
    /// one's.
    fn received_before(&self, serial: Option<&str>, mac: Option<Mac>) -> Result<Option<Past>, Unanswered> {
        let past = self.dock.know.last_receipt(serial, mac)?;
        let others = past.as_ref().is_some_and(|p| serial.zip(p.serial.as_deref()).is_some_and(|(a, b)| a != b));
        if others { self.dock.know.last_receipt(serial, None) } else { Ok(past) }
    }

    /// Whether it is the unit that was received last out of this box.
    fn is_the_last(&self, past: &Past, rma: &str) -> bool {
        past.rma == rma && self.session.last == Some(past.id) && past.id > self.session.since
    }

    fn same_unit(&self, past: &Past, what: String) -> Screen {
        let mut s = screen(outcome::SAME_UNIT, Kind::Info, "SAME UNIT", what, self.carry_on());
        s.why.push(format!("received {} as {}; serial and MAC are one device", past.at.format("%H:%M:%S"), past.word));
        s
    }

    /// Serial and MAC are of two devices, as far as the shipments know.
    pub(super) fn mismatch(&self, unit: &Pending, ship: Option<&Shipment>) -> Result<Option<String>, Unanswered> {
        let (Some(serial), Some(mac)) = (&unit.serial, unit.mac) else { return Ok(None) };
        let owner = self.dock.know.by_mac(mac)?.into_iter().find(|s| s.serial != *serial);
        Ok(match (ship.filter(|s| s.serial == *serial), owner) {
            (Some(ship), _) if ship.macs.contains(&mac) => None,
            (_, Some(other)) => {
                Some(format!("Serial {serial} and MAC {mac} are two devices: the MAC is that of {}.", other.serial))
            }
            (Some(ship), None) if !ship.macs.is_empty() => {
                let known: Vec<String> = ship.macs.iter().map(Mac::to_string).collect();
                Some(format!("MAC {mac} is not that of serial {serial} ({} on record).", known.join(", ")))
            }
            _ => None,
        })
    }
}

/// Serial and MAC in one scan. A composite code carries both as different values; the same value
/// under both names is one thing that may be either, and then the chosen reading counts.
fn parts(found: &[Candidate], chosen: &Candidate) -> (Option<String>, Option<Mac>) {
    let first = |kind: Is| found.iter().find(|c| c.kind == kind).map(|c| c.value.clone());
    let (serial, mac) = (first(Is::Serial), first(Is::Mac));
    match (serial, mac) {
        (Some(s), Some(m)) if Mac::parse(&s) == Mac::parse(&m) => match chosen.kind {
            Is::Mac => (None, Mac::parse(&m)),
            _ => (Some(s), None),
        },
        (s, m) => (s, m.and_then(|m| Mac::parse(&m))),
    }
}

fn brand_mismatch(unit: &Pending, ship: Option<&Shipment>) -> Option<String> {
    let (mac, brand) = (unit.mac?, ship?.brand.as_deref()?);
    let maker = crate::identify::brand_of(mac)?;
    (!maker.eq_ignore_ascii_case(brand)).then(|| format!("MAC {mac} is a {maker} address, the shipment says {brand}."))
}
