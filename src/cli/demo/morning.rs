//! The made-up morning: some thousand shipments, a handful of RMAs, and a tape with good and bad
//! cases. All dates hang on today, so that every band of a policy is met whenever the demo runs.

use crate::domain::date::add_months;
use crate::program::CompleteWhen;
use crate::rma::draft::Draft;
use crate::rma::number;
use crate::sim::scanner::Tape;
use chrono::{Datelike, Days, NaiveDate};
use serde_json::{Value, json};
use std::fmt::Write;

/// What the demo plays.
#[derive(Clone)]
pub struct Story {
    pub shipments: String,
    pub drafts: Vec<Draft>,
    pub tape: Tape,
}

/// A unit of the cast.
#[derive(Clone, Copy)]
struct Unit {
    serial: &'static str,
    mac: &'static str,
    brand: &'static str,
    model: &'static str,
    /// Days since it left us.
    days: u64,
    customer: &'static str,
    channel: &'static str,
}

const fn unit(
    serial: &'static str,
    mac: &'static str,
    brand: &'static str,
    model: &'static str,
    days: u64,
    customer: &'static str,
    channel: &'static str,
) -> Unit {
    Unit { serial, mac, brand, model, days, customer, channel }
}

const FRESH: Unit = unit("3100121090012345", "001565A1B201", "Yealink", "T46U", 12, "Acme Telecom", "direct");
const DAY_30: Unit = unit("3100121090012346", "805EC0A1B202", "Yealink", "T43U", 30, "Acme Telecom", "direct");
const DAY_31: Unit = unit("20EZ1YUH50A1B203", "000B82A1B203", "Grandstream", "GXP2170", 31, "Acme Telecom", "direct");
const OLD: Unit = unit("64167FA1B204", "64167FA1B204", "Polycom", "VVX 450", 900, "Acme Telecom", "direct");
const HTEK: Unit = unit("001FC1A1B205", "001FC1A1B205", "Htek", "UC926E", 1000, "Northside Dental", "reseller");
const SNOM: Unit = unit("00041312B206", "00041312B206", "Snom", "D785", 500, "Northside Dental", "reseller");
const PARTNER: Unit = unit("3100121090012347", "249AD8A1B207", "Yealink", "W76P", 5, "Northside Dental", "reseller");
const NO_TICKET: Unit =
    unit("20EZ1YUH50A1B208", "C074ADA1B208", "Grandstream", "GRP2614", 80, "Bluebird Cafe", "direct");
const STRANGER: Unit =
    unit("20EZ1YUH50A1B209", "EC74D7A1B209", "Grandstream", "GRP2602", 80, "Somebody Else", "direct");
const ODD_BRAND: Unit = unit("FCH2044D1KL", "00E0B0A1B210", "Cisco", "CP-8841", 80, "Bluebird Cafe", "direct");
const NOT_WANTED: Unit =
    unit("3100121090012351", "805EC0A1B211", "Yealink", "T57W", 9, "Harbor Storage", "distributor");
const CAST: [Unit; 11] = [FRESH, DAY_30, DAY_31, OLD, HTEK, SNOM, PARTNER, NO_TICKET, STRANGER, ODD_BRAND, NOT_WANTED];

/// Shipments beside the cast.
const CROWD: u64 = 3000;

pub fn story(today: NaiveDate, program: &str, complete: CompleteWhen) -> Story {
    let ago = |days: u64| today.checked_sub_days(Days::new(days)).unwrap_or(today);
    let numbers: Vec<String> = (0..).filter_map(|n| number::compose(today.year(), "D1", n)).take(6).collect();
    let [direct, reseller, bare, late, given_back, closed] = numbers.as_slice() else { unreachable!("six were taken") };
    let rma = |number: &str, customer: &str, days: u64, facts: Value, units: &[Unit]| {
        let mut all = json!({"channel": "direct", "reported": ago(days)});
        if let (Some(all), Value::Object(facts)) = (all.as_object_mut(), facts) {
            all.extend(facts);
        }
        Draft {
            number: Some(number.to_owned()),
            program: Some(program.to_owned()),
            customer: Some(customer.to_owned()),
            issued: Some(ago(days)),
            facts: all.as_object().cloned().unwrap_or_default(),
            serials: units.iter().map(|u| u.serial.to_owned()).collect(),
            ..Draft::default()
        }
    };
    // Everything that any process asks for before a box may come: nothing damaged on the photos, well packed.
    let papers = |ticket: &str, consent: bool| {
        json!({
            "ticket": ticket, "diagnosed": true, "qualified": true, "support_request": true, "consent": consent,
            "proof_of_purchase": true,
        })
    };
    let drafts = vec![
        // One of these is long out of warranty, and its owner has agreed to pay.
        rma(
            direct,
            "Acme Telecom",
            0,
            json!({"account": "ACME", "packaging": "original", "damage": "none", "rma": papers("T-4711", true)}),
            &[FRESH, DAY_30, DAY_31, OLD],
        ),
        // A trade account; nobody has agreed to anything yet.
        rma(
            reseller,
            "Northside Dental",
            3,
            json!({
                "channel": "reseller", "account": "NORTH", "packaging": "equivalent", "damage": "none",
                "rma": papers("T-4712", false),
            }),
            &[PARTNER, HTEK, SNOM],
        ),
        // No ticket, no papers at all.
        rma(bare, "Bluebird Cafe", 2, json!({}), &[NO_TICKET, ODD_BRAND]),
        rma(late, "Riverside School", 60, json!({"rma": papers("T-4714", false)}), &[STRANGER]),
        // Not broken: bought by mistake, for credit.
        rma(
            given_back,
            "Harbor Storage",
            1,
            json!({
                "channel": "distributor", "account": "HARBOR", "class": "credit", "packaging": "original",
                "damage": "none", "rma": papers("T-4715", false),
            }),
            &[NOT_WANTED],
        ),
    ];
    let numbers = Numbers { direct, reseller, bare, given_back, closed };
    Story { shipments: shipments(today, &ago), drafts, tape: tape(&numbers, complete) }
}

/// The boxes of the morning.
struct Numbers<'a> {
    direct: &'a str,
    reseller: &'a str,
    bare: &'a str,
    given_back: &'a str,
    /// One that nobody issued.
    closed: &'a str,
}

fn shipments(today: NaiveDate, ago: &dyn Fn(u64) -> NaiveDate) -> String {
    let mut csv = String::from(
        "serial,mac,brand,model,ship_date,order,customer,channel,distributor,purchase_date,warranty_until,plan_until\n",
    );
    for (i, u) in CAST.iter().enumerate() {
        // Two years, where the program has no table of its own; one of the old ones has a service plan.
        let shipped = ago(u.days);
        let plan = if u.serial == HTEK.serial { add_months(shipped, 60).to_string() } else { String::new() };
        let _ = writeln!(
            csv,
            "{},{},{},{},{shipped},SO-{},{},{},Jenne,{shipped},{},{plan}",
            u.serial,
            u.mac,
            u.brand,
            u.model,
            1000 + i,
            u.customer,
            u.channel,
            add_months(shipped, 24)
        );
    }
    let models = [
        ("Yealink", "T31P", 0x0015_6500_0000u64),
        ("Polycom", "VVX 250", 0x0004_F200_0000),
        ("Grandstream", "GXP1625", 0x000B_8200_0000),
        ("Snom", "D717", 0x0004_1300_0000),
        ("Htek", "UC902", 0x001F_C100_0000),
    ];
    for n in 0..CROWD {
        let (brand, model, base) = models[(n % 5) as usize];
        let _ = writeln!(
            csv,
            "CR{n:08},{:012X},{brand},{model},{},SO-{},Customer {},direct,Jenne,,,",
            base + 0x50_0000 + n,
            ago(n % 1500),
            2000 + n / 7,
            n / 7
        );
    }
    // Three rows that no import should take.
    let _ = writeln!(csv, "BAD1,NOTAMAC,Yealink,T31P,{today},SO-1,X,direct,Jenne,,,");
    let _ = writeln!(csv, "BAD2,001565FFFF02,Yealink,T31P,2026-02-30,SO-1,X,direct,Jenne,,,");
    let _ = writeln!(csv, ",001565FFFF03,Yealink,T31P,{today},SO-1,X,direct,Jenne,,,");
    csv
}

/// Builds the tape text line by line.
struct Script {
    text: String,
    complete: CompleteWhen,
}

impl Script {
    fn scan(&mut self, payload: &str) {
        let _ = writeln!(self.text, "220 {payload}\\x0D");
    }

    /// As many scans as the program wants of a unit.
    fn unit(&mut self, u: Unit) {
        match self.complete {
            CompleteWhen::Serial | CompleteWhen::Either => self.scan(u.serial),
            CompleteWhen::Mac => self.scan(u.mac),
            CompleteWhen::Both => {
                self.scan(u.serial);
                self.scan(u.mac);
            }
        }
    }
}

fn tape(numbers: &Numbers, complete: CompleteWhen) -> Tape {
    let mut s = Script { text: String::from("# what: a morning at the returns dock\n"), complete };
    s.scan("BADGEB7");
    s.scan(FRESH.serial); // a unit before its box
    s.scan(numbers.direct);
    s.unit(FRESH);
    s.scan("00:15:65:a1:b2:01"); // its MAC too, in another spelling
    s.scan(FRESH.serial); // and once more by mistake
    s.unit(DAY_30);
    s.unit(DAY_31);
    s.scan("REPRINT");
    s.scan("^XZ~JR^XA^FDgotcha^FS^XZ"); // hostile
    s.scan("<script>alert(1)</script>");
    s.unit(STRANGER); // not announced here
    s.scan(&format!("SN:{};MAC:{}", DAY_30.serial, OLD.mac)); // two devices in one code
    s.unit(OLD);
    s.scan("DONE");
    s.scan(numbers.reseller);
    s.scan("]C0001FC1A1B205"); // with the AIM prefix; Htek prints its MAC as the serial
    if complete == CompleteWhen::Both {
        s.scan(HTEK.mac);
    }
    s.unit(PARTNER);
    s.scan("UNDO");
    s.unit(PARTNER);
    s.scan("YES"); // an answer to no question
    s.scan("DONE"); // one is missing: the box stays partial
    s.scan(numbers.closed); // a number that nobody issued
    s.scan(numbers.bare);
    s.unit(NO_TICKET); // no diagnosed ticket: held
    s.unit(ODD_BRAND); // a brand outside the table: held
    s.scan("ZZ-NEVER-SHIPPED-1");
    if matches!(complete, CompleteWhen::Mac | CompleteWhen::Both) {
        s.scan("DONE"); // not with half a unit
        s.scan("CANCEL"); // it has no MAC
    }
    s.scan("DONE");
    s.scan(numbers.given_back);
    s.unit(NOT_WANTED);
    s.scan("DONE");
    s.scan(r"\x1D\x1E\x04"); // control characters only
    s.scan("CANCEL");
    // The script writes only lines that the tape format has.
    Tape::parse(&s.text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::facts::Facts;

    #[test]
    fn the_story_can_be_read_for_every_way_of_scanning() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        for complete in [CompleteWhen::Serial, CompleteWhen::Mac, CompleteWhen::Either, CompleteWhen::Both] {
            let s = story(today, "some-program", complete);
            assert!(s.tape.lines.len() > 25);
            assert!(s.drafts.iter().all(|d| Facts::from_json(&Value::Object(d.facts.clone())).is_ok()));
            assert_eq!(s.shipments.lines().count() as u64, 1 + CAST.len() as u64 + CROWD + 3);
        }
    }
}
