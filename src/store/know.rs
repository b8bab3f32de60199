//! The store's answers to what a decision asks of the past ([`Knowledge`]).

use super::read::{AWAITED, job_row_of, parse};
use super::{Store, StoreError, life, shipments, tags};
use crate::domain::job::JobId;
use crate::domain::mac::Mac;
use crate::domain::rma::{Rma, RmaState};
use crate::domain::shipment::Shipment;
use crate::domain::tag::TagNow;
use crate::rma::{Expects, Knowledge, Made, Past, Unanswered};
use chrono::{DateTime, NaiveDate};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

impl From<StoreError> for Unanswered {
    fn from(e: StoreError) -> Unanswered {
        Unanswered(e.to_string())
    }
}

fn unanswered(e: rusqlite::Error) -> Unanswered {
    Unanswered(e.to_string())
}

/// The RMA of that number as issued, without its expected units.
pub fn rma(conn: &Connection, number: &str) -> Result<Option<Rma>, StoreError> {
    type Row = (String, String, Option<String>, Option<String>, String, String, String);
    let row: Option<Row> = conn
        .prepare_cached("SELECT program, version, customer, email, issued, state, facts FROM rma WHERE number=?1")?
        .query_row([number], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?, r.get(5)?, r.get(6)?)))
        .optional()?;
    let Some((program, program_version, customer, email, issued, state, facts)) = row else { return Ok(None) };
    let odd = |what: &str| StoreError::Unreadable(format!("RMA {number} has an odd {what}"));
    Ok(Some(Rma {
        number: number.to_owned(),
        program,
        program_version,
        customer,
        email,
        issued: issued.parse().map_err(|_| odd("issue date"))?,
        state: RmaState::from_word(&state).ok_or_else(|| odd("state"))?,
        facts: parse(&facts)?,
        expected: Vec::new(),
    }))
}

/// The serials an RMA announced, in their order.
pub fn expected(conn: &Connection, rma: &str) -> Result<Vec<String>, StoreError> {
    let mut s = conn.prepare_cached("SELECT serial FROM rma_unit WHERE rma=?1 ORDER BY place")?;
    let rows = s.query_map([rma], |r| r.get(0))?.collect::<Result<_, _>>()?;
    Ok(rows)
}

/// Another open RMA that announced this serial and is not done with it.
pub fn announced_by_other(conn: &Connection, serial: &str, rma: &str) -> Result<Option<String>, StoreError> {
    let mut s = conn.prepare_cached(
        "SELECT number FROM rma_unit JOIN rma ON number = rma_unit.rma
         WHERE serial=?1 AND number<>?2 AND state='open' AND NOT EXISTS(
             SELECT 1 FROM unit WHERE unit.rma=number AND unit=?1 AND unit.state IN ('closed', 'returned', 'cancelled'))
         LIMIT 1",
    )?;
    Ok(s.query_row([serial, rma], |r| r.get(0)).optional()?)
}

fn as_shipment(serial: &str, shipped: NaiveDate, facts: &Map<String, Value>) -> Shipment {
    let text = |key: &str| facts.get(key).and_then(Value::as_str).map(str::to_owned);
    let date = |key: &str| facts.get(key).and_then(Value::as_str).and_then(|d| d.parse().ok());
    Shipment {
        serial: serial.to_owned(),
        macs: Vec::new(),
        brand: text("brand"),
        model: text("model"),
        ship_date: shipped,
        order: None,
        customer: None,
        channel: text("channel"),
        distributor: text("distributor"),
        purchase_date: date("purchase_date"),
        warranty_until: None,
        plan_until: date("plan_until"),
    }
}

const PAST: &str = "SELECT id, rma, serial, mac, at, word FROM receipt WHERE withdrawn IS NULL";

fn past(r: &rusqlite::Row) -> rusqlite::Result<Past> {
    let at: String = r.get(4)?;
    let mac: Option<i64> = r.get(3)?;
    Ok(Past {
        id: r.get(0)?,
        rma: r.get(1)?,
        serial: r.get(2)?,
        mac: mac.and_then(|m| Mac::from_u64(m as u64)),
        at: DateTime::parse_from_rfc3339(&at)
            .map_err(|e| rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Text, Box::new(e)))?,
        word: r.get(5)?,
    })
}

impl Knowledge for Store {
    fn tag_by_number(&self, number: &str) -> Result<Option<TagNow>, Unanswered> {
        Ok(tags::by_number(&self.conn, number)?)
    }

    fn tags_of(&self, rma: &str) -> Result<Vec<TagNow>, Unanswered> {
        Ok(tags::of_rma(&self.conn, rma)?)
    }

    fn label(&self, job: JobId) -> Result<Option<Made>, Unanswered> {
        Ok(job_row_of(&self.conn, &self.station, job)?.map(|row| Made {
            job,
            label: row.label,
            copy: row.copy,
            rma: row.rma,
            serial: row.serial,
            receipt: row.receipt,
            state: row.state,
        }))
    }

    fn rma(&self, number: &str) -> Result<Option<Rma>, Unanswered> {
        Ok(rma(&self.conn, number)?)
    }

    fn counts(&self, rma: &str) -> Result<(u32, u32), Unanswered> {
        self.conn
            .prepare_cached("SELECT expected, received FROM rma WHERE number=?1")
            .and_then(|mut s| s.query_row([rma], |r| Ok((r.get(0)?, r.get(1)?))).optional())
            .map(Option::unwrap_or_default)
            .map_err(unanswered)
    }

    fn expects(&self, rma: &str, serial: &str) -> Result<Expects, Unanswered> {
        let (this, any): (bool, bool) = self
            .conn
            .prepare_cached(
                "SELECT EXISTS(SELECT 1 FROM rma_unit WHERE rma=?1 AND serial=?2), EXISTS(SELECT 1 FROM rma_unit WHERE rma=?1)",
            )
            .and_then(|mut s| s.query_row([rma, serial], |r| Ok((r.get(0)?, r.get(1)?))))
            .map_err(unanswered)?;
        Ok(match (this, any) {
            (true, _) => Expects::This,
            (false, true) => Expects::Others,
            (false, false) => Expects::Anything,
        })
    }

    fn missing(&self, rma: &str, limit: u32) -> Result<Vec<String>, Unanswered> {
        let mut s = self.conn.prepare_cached(AWAITED).map_err(unanswered)?;
        s.query_map([rma], |r| r.get(0)).and_then(|rows| rows.take(limit as usize).collect()).map_err(unanswered)
    }

    fn announced(&self, rma: &str, limit: u32) -> Result<Vec<String>, Unanswered> {
        let mut s =
            self.conn.prepare_cached("SELECT serial FROM rma_unit WHERE rma=?1 ORDER BY place").map_err(unanswered)?;
        s.query_map([rma], |r| r.get(0)).and_then(|rows| rows.take(limit as usize).collect()).map_err(unanswered)
    }

    fn rmas_expecting(&self, serial: &str) -> Result<Vec<String>, Unanswered> {
        let mut s = self
            .conn
            .prepare_cached("SELECT u.rma FROM rma_unit u JOIN rma ON rma.number=u.rma WHERE u.serial=?1 AND rma.state='open' ORDER BY rma.issued DESC LIMIT 5")
            .map_err(unanswered)?;
        s.query_map([serial], |r| r.get(0)).and_then(|rows| rows.collect()).map_err(unanswered)
    }

    fn by_serial(&self, serial: &str) -> Result<Option<Shipment>, Unanswered> {
        match shipments::lookup_serial(&self.conn, serial)? {
            // A unit that left as a replacement is known by that, until a shipment file knows it too.
            None => {
                Ok(life::successor(&self.conn, serial)?.map(|(shipped, facts)| as_shipment(serial, shipped, &facts)))
            }
            known => Ok(known),
        }
    }

    fn before_receipt(&self, rma: &str, unit: &str) -> Result<Option<Map<String, Value>>, Unanswered> {
        let facts: Option<String> = self
            .conn
            .prepare_cached("SELECT facts FROM unit WHERE rma=?1 AND unit=?2")
            .and_then(|mut s| s.query_row([rma, unit], |r| r.get(0)).optional())
            .map_err(unanswered)?;
        Ok(facts.map(|f| parse(&f)).transpose()?)
    }

    fn lineage(&self, serial: &str) -> Result<Option<Value>, Unanswered> {
        Ok(life::successor(&self.conn, serial)?.and_then(|(_, mut facts)| facts.remove("lineage")))
    }

    fn by_mac(&self, mac: Mac) -> Result<Vec<Shipment>, Unanswered> {
        Ok(shipments::lookup_mac(&self.conn, mac)?)
    }

    fn last_receipt(&self, serial: Option<&str>, mac: Option<Mac>) -> Result<Option<Past>, Unanswered> {
        let newest = |clause: &str, key: &dyn rusqlite::ToSql| {
            self.conn
                .prepare_cached(&format!("{PAST} AND {clause} ORDER BY id DESC LIMIT 1"))
                .and_then(|mut s| s.query_row([key], past).optional())
                .map_err(unanswered)
        };
        let by_serial = serial.map(|s| newest("serial=?1", &s)).transpose()?.flatten();
        let by_mac = mac.map(|m| newest("mac=?1", &(m.as_u64() as i64))).transpose()?.flatten();
        Ok(by_serial.into_iter().chain(by_mac).max_by_key(|p| p.id))
    }

    fn receipt(&self, id: i64) -> Result<Option<Past>, Unanswered> {
        self.conn
            .prepare_cached(&format!("{PAST} AND id=?1"))
            .and_then(|mut s| s.query_row([id], past).optional())
            .map_err(unanswered)
    }

    fn newest_on(&self, rma: &str, since: i64) -> Result<Option<Past>, Unanswered> {
        self.conn
            .prepare_cached(&format!("{PAST} AND rma=?1 AND id>?2 ORDER BY seq DESC LIMIT 1"))
            .and_then(|mut s| s.query_row(params![rma, since], past).optional())
            .map_err(unanswered)
    }
}
