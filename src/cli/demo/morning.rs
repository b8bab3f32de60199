//! The made-up morning: some thousand shipments, a handful of RMAs, and a tape with good and bad
//! cases. All dates hang on today, so that every band of a policy is met whenever the demo runs.

use crate::program::CompleteWhen;
use crate::rma::number;
use crate::sim::scanner::Tape;
use chrono::{Datelike, Days, NaiveDate};
use std::fmt::Write;

/// What the demo plays.
#[derive(Clone)]
pub struct Story {
    pub shipments: String,
    pub rmas: String,
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
const CAST: [Unit; 10] = [FRESH, DAY_30, DAY_31, OLD, HTEK, SNOM, PARTNER, NO_TICKET, STRANGER, ODD_BRAND];

/// Shipments beside the cast.
const CROWD: u64 = 3000;

pub fn story(today: NaiveDate, program: &str, complete: CompleteWhen) -> Story {
    let ago = |days: u64| today.checked_sub_days(Days::new(days)).unwrap_or(today);
    let numbers: Vec<String> = (0..).filter_map(|n| number::compose(today.year(), "D1", n)).take(5).collect();
    let [direct, reseller, bare, late, closed] = numbers.as_slice() else { unreachable!("five were taken") };
    let mut rmas = String::from("number,program,ticket,channel,customer,issued,reported,diagnosed,qualified,serial\n");
    let mut announce =
        |number: &str, ticket: &str, channel: &str, customer: &str, days: u64, checked: &str, units: &[Unit]| {
            for u in units {
                let day = ago(days);
                let _ = writeln!(
                    rmas,
                    "{number},{program},{ticket},{channel},{customer},{day},{day},{checked},{checked},{}",
                    u.serial
                );
            }
        };
    announce(direct, "T-4711", "direct", "Acme Telecom", 0, "yes", &[FRESH, DAY_30, DAY_31, OLD]);
    announce(reseller, "T-4712", "reseller", "Northside Dental", 3, "yes", &[PARTNER, HTEK, SNOM]);
    announce(bare, "", "direct", "Bluebird Cafe", 2, "", &[NO_TICKET, ODD_BRAND]);
    announce(late, "T-4714", "direct", "Riverside School", 60, "yes", &[STRANGER]);
    let _ = closed;
    Story { shipments: shipments(today, &ago), rmas, tape: tape(direct, reseller, bare, closed, complete) }
}

fn shipments(today: NaiveDate, ago: &dyn Fn(u64) -> NaiveDate) -> String {
    let mut csv = String::from("serial,mac,brand,model,ship_date,order,customer,channel,distributor\n");
    for (i, u) in CAST.iter().enumerate() {
        let _ = writeln!(
            csv,
            "{},{},{},{},{},SO-{},{},{},Jenne",
            u.serial,
            u.mac,
            u.brand,
            u.model,
            ago(u.days),
            1000 + i,
            u.customer,
            u.channel
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
            "CR{n:08},{:012X},{brand},{model},{},SO-{},Customer {},direct,Jenne",
            base + 0x50_0000 + n,
            ago(n % 1500),
            2000 + n / 7,
            n / 7
        );
    }
    // Three rows that no import should take.
    let _ = writeln!(csv, "BAD1,NOTAMAC,Yealink,T31P,{today},SO-1,X,direct,Jenne");
    let _ = writeln!(csv, "BAD2,001565FFFF02,Yealink,T31P,2026-02-30,SO-1,X,direct,Jenne");
    let _ = writeln!(csv, ",001565FFFF03,Yealink,T31P,{today},SO-1,X,direct,Jenne");
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

fn tape(direct: &str, reseller: &str, bare: &str, closed: &str, complete: CompleteWhen) -> Tape {
    let mut s = Script { text: String::from("# what: a morning at the returns dock\n"), complete };
    s.scan("BADGEB7");
    s.scan(FRESH.serial); // a unit before its box
    s.scan(direct);
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
    s.scan(reseller);
    s.scan("]C0001FC1A1B205"); // with the AIM prefix; Htek prints its MAC as the serial
    if complete == CompleteWhen::Both {
        s.scan(HTEK.mac);
    }
    s.unit(PARTNER);
    s.scan("UNDO");
    s.unit(PARTNER);
    s.scan("YES"); // an answer to no question
    s.scan("DONE"); // one is missing: the box stays partial
    s.scan(closed); // a number that nobody issued
    s.scan(bare);
    s.unit(NO_TICKET); // no diagnosed ticket: held
    s.unit(ODD_BRAND); // a brand outside the table: held
    s.scan("ZZ-NEVER-SHIPPED-1");
    s.scan("DONE");
    s.scan(r"\x1D\x1E\x04"); // control characters only
    s.scan("CANCEL");
    // The script writes only lines that the tape format has.
    Tape::parse(&s.text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rma::draft;

    #[test]
    fn the_story_can_be_read_for_every_way_of_scanning() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
        for complete in [CompleteWhen::Serial, CompleteWhen::Mac, CompleteWhen::Either, CompleteWhen::Both] {
            let s = story(today, "some-program", complete);
            assert!(s.tape.lines.len() > 25);
            assert_eq!(draft::read(&s.rmas).problems, []);
            assert_eq!(s.shipments.lines().count() as u64, 1 + CAST.len() as u64 + CROWD + 3);
        }
    }
}
