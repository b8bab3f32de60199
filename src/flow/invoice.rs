//! A carrier's invoice as CSV: rows out, and what was wrong with each that cannot be used. PURE.
//!
//! Carriers, brokers and accounting systems name the columns as they like and add dozens of their own: the
//! five that count are found by their names in any case and spelling, the others are not looked at. A bad
//! row is reported with its line and never stops the rest. Amounts are exact; a figure that could be read in
//! two ways is refused.

use crate::domain::date;
use crate::domain::money::Amount;
use crate::domain::verdict::{Party, Service};
use chrono::NaiveDate;

/// Longest invoice taken, in rows.
pub const ROWS_MAX: usize = 200_000;
/// Longest tracking number, in characters. Carriers use up to 34.
const TRACKING_MAX: usize = 50;

/// One billed parcel.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    pub line: u64,
    /// In the form of [`tracking_key`].
    pub tracking: String,
    pub amount: Amount,
    /// The carrier's own word for the service, and what it is in ours; `None`: not said, or not known.
    pub service_text: String,
    pub service: Option<Service>,
    /// Whom the carrier billed; not said: us, since it is our invoice.
    pub payer: Party,
    pub date: Option<NaiveDate>,
}

/// What a file gave.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Invoice {
    pub rows: Vec<Row>,
    /// Line and reason.
    pub problems: Vec<(u64, String)>,
}

/// Names of the columns, best first, as [`plain`] leaves them.
const TRACKING: &[&str] = &[
    "tracking",
    "trackingnumber",
    "trackingno",
    "trackingid",
    "trackingnr",
    "trackingcode",
    "expressorgroundtrackingid",
    "airbill",
    "airwaybill",
    "awb",
    "waybill",
    "pro",
    "pronumber",
    "packagenumber",
];
const AMOUNT: &[&str] = &[
    "amount",
    "netamount",
    "netcharge",
    "netchargeamount",
    "billedcharge",
    "charge",
    "total",
    "totalcharge",
    "cost",
    "price",
];
const SERVICE: &[&str] = &["service", "servicetype", "servicelevel", "servicename", "product"];
const PAYER: &[&str] = &["payer", "billto", "billedto", "payor", "billtype", "paymentterms", "terms"];
const DATE: &[&str] = &["date", "shipdate", "shipmentdate", "pickupdate", "transactiondate"];
/// A currency of its own would make the sums wrong.
const CURRENCY: &[&str] = &["currency", "currencycode"];

/// Letters and digits in lower case.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect()
}

/// A tracking number in the form it is compared in: upper case, without blanks and hyphens. `None` where
/// something else than letters and digits is in it.
pub fn tracking_key(text: &str) -> Option<String> {
    let key: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_ascii_uppercase()).collect();
    (!key.is_empty() && key.len() <= TRACKING_MAX && key.chars().all(|c| c.is_ascii_alphanumeric())).then_some(key)
}

/// What a carrier's word for a service is here.
pub fn service_of(text: &str) -> Option<Service> {
    let word = plain(text);
    let has = |words: &[&str]| words.iter().any(|w| word.contains(w));
    if has(&["ground", "homedelivery", "standard", "economy", "surepost", "smartpost", "parcelselect"]) {
        return Some(Service::Ground);
    }
    let rush =
        ["air", "express", "overnight", "priority", "rush", "expedited", "2day", "2ndday", "twoday", "3day", "saver"];
    has(&rush).then_some(Service::Rush)
}

/// Whom a carrier's word bills. The sender of our shipments is us.
fn payer_of(text: &str) -> Option<Party> {
    match plain(text).as_str() {
        "" | "us" | "we" | "sender" | "shipper" | "prepaid" | "billsender" | "billshipper" | "account" => {
            Some(Party::Us)
        }
        "customer" | "client" | "receiver" | "recipient" | "consignee" | "collect" | "billreceiver"
        | "billrecipient" => Some(Party::Customer),
        "partner" | "reseller" | "distributor" | "thirdparty" | "billthirdparty" => Some(Party::Partner),
        "vendor" | "supplier" => Some(Party::Vendor),
        _ => None,
    }
}

/// `$1,234.50` and `12.5`; a comma that may be a decimal point is refused.
fn amount_of(text: &str) -> Result<Amount, String> {
    let text = text.trim();
    let (minus, body) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest.trim_start()));
    let body = body.trim_start_matches(['$', '\u{20ac}', '\u{a3}']).trim();
    let (minus, body) = match body.strip_prefix('-') {
        Some(rest) if !minus => (true, rest),
        _ => (minus, body),
    };
    let mut groups = body.split('.').next().unwrap_or_default().split(',');
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    let grouped = rest.iter().all(|g| g.len() == 3) && (rest.is_empty() || (1..=3).contains(&first.len()));
    // "1,234" alone may be one unit and 234 thousandths elsewhere in the world.
    if body.starts_with('-') || !grouped || (!rest.is_empty() && !body.contains('.')) {
        return Err(format!("amount {text:?} can be read in two ways; write it as 1234.50"));
    }
    let amount = Amount::parse(&body.replace(',', ""))
        .map_err(|_| format!("{text:?} is not an amount of money; write it as 12.50"))?;
    Ok(if minus { Amount::from_cents(-amount.cents()) } else { amount })
}

/// Reads an invoice. Problems with line 1 only mean that nothing could be read.
pub fn read(text: &str) -> Invoice {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let head = text.lines().next().unwrap_or_default();
    let delimiter = [b',', b';', b'\t'].into_iter().max_by_key(|d| head.bytes().filter(|b| b == d).count());
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .delimiter(delimiter.unwrap_or(b','))
        .from_reader(text.as_bytes());
    let mut invoice = Invoice::default();
    let header: Vec<String> = match reader.headers() {
        Ok(header) => header.iter().map(plain).collect(),
        Err(e) => {
            invoice.problems.push((1, format!("the header line cannot be read: {e}")));
            return invoice;
        }
    };
    let column = |names: &[&str]| names.iter().find_map(|name| header.iter().position(|h| h == name));
    let (Some(tracking), Some(amount)) = (column(TRACKING), column(AMOUNT)) else {
        let known = header.join(", ");
        invoice
            .problems
            .push((1, format!("the first line must name the columns, at least tracking and amount; it has {known}")));
        return invoice;
    };
    let columns = Columns {
        tracking,
        amount,
        service: column(SERVICE),
        payer: column(PAYER),
        date: column(DATE),
        currency: column(CURRENCY),
        width: header.len(),
    };
    let mut currency: Option<String> = None;
    for record in reader.records() {
        let row = match &record {
            Err(e) => Err((e.position().map_or(0, csv::Position::line), e.to_string())),
            Ok(record) => {
                let line = record.position().map_or(0, csv::Position::line);
                columns.row(line, record, &mut currency).map_err(|why| (line, why))
            }
        };
        match row {
            Ok(_) if invoice.rows.len() == ROWS_MAX => {
                let line = record.ok().and_then(|r| r.position().map(csv::Position::line)).unwrap_or(0);
                invoice.problems.push((line, format!("an invoice has at most {ROWS_MAX} rows; the rest was not read")));
                break;
            }
            Ok(row) => invoice.rows.push(row),
            Err(problem) => invoice.problems.push(problem),
        }
    }
    invoice
}

struct Columns {
    tracking: usize,
    amount: usize,
    service: Option<usize>,
    payer: Option<usize>,
    date: Option<usize>,
    currency: Option<usize>,
    width: usize,
}

impl Columns {
    fn row(&self, line: u64, record: &csv::StringRecord, currency: &mut Option<String>) -> Result<Row, String> {
        if record.len() != self.width {
            return Err(format!("{} fields, the header has {}", record.len(), self.width));
        }
        let field = |at: usize| record.get(at).unwrap_or_default();
        let optional = |at: Option<usize>| at.map_or("", field);
        let tracking = tracking_key(field(self.tracking));
        let tracking = tracking.ok_or_else(|| format!("{:?} is not a tracking number", field(self.tracking)))?;
        let amount = amount_of(field(self.amount))?;
        let payer = optional(self.payer);
        let payer =
            payer_of(payer).ok_or_else(|| format!("payer {payer:?} is not one of us, customer, partner, vendor"))?;
        let day = optional(self.date);
        let formats = ["%Y-%m-%d", "%m/%d/%Y", "%Y%m%d"];
        let date = if day.is_empty() { None } else { Some(date::parse(day, &formats).map_err(|e| e.to_string())?) };
        let code = optional(self.currency).to_ascii_uppercase();
        match currency {
            _ if code.is_empty() => {}
            None => *currency = Some(code),
            Some(first) if *first == code => {}
            Some(first) => {
                return Err(format!("in {code}, the rows before it are in {first}; one invoice has one currency"));
            }
        }
        let service_text = optional(self.service).to_owned();
        Ok(Row { line, tracking, amount, service: service_of(&service_text), service_text, payer, date })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_are_found_by_their_names_in_any_spelling() {
        let read = read(
            "\u{feff}Account;Tracking Number;NET AMOUNT;Service-Type;Bill To;Ship Date\nA1;1z 999-aa;$1,234.50;UPS Ground;Sender;03/02/2026\n",
        );
        assert_eq!(read.problems, []);
        let row = &read.rows[0];
        assert_eq!((row.tracking.as_str(), row.amount.cents(), row.line), ("1Z999AA", 123_450, 2));
        assert_eq!((row.service, row.payer), (Some(Service::Ground), Party::Us));
        assert_eq!(row.date.map(|d| d.to_string()).as_deref(), Some("2026-03-02"));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line_and_the_rest_is_kept() {
        let read = read(
            "tracking,amount,payer,date,currency\nT1,12.50,,,USD\n,1.00,,,USD\nT3,\"12,50\",,,USD\nT4,1.005,,,USD\nT5,1.00,the moon,,USD\nT6,1.00,,2026-02-30,USD\nT7,1.00,,,EUR\nT8,1.00\nT9,-3.00,Third Party,,USD\n",
        );
        assert_eq!(read.rows.iter().map(|r| r.tracking.as_str()).collect::<Vec<_>>(), ["T1", "T9"]);
        assert_eq!(read.problems.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3, 4, 5, 6, 7, 8, 9]);
        assert_eq!((read.rows[1].amount.cents(), read.rows[1].payer), (-300, Party::Partner));
        for bad in ["", "number,charge\nT,1\n", "tracking\nT\n"] {
            assert_eq!(super::read(bad).problems.len(), 1, "{bad}");
        }
    }

    #[test]
    fn amounts_are_exact_or_refused() {
        for (text, cents) in
            [("12.5", 1250), ("$ 0.07", 7), ("-$3.10", -310), ("$-3.10", -310), ("1,000,000.00", 100_000_000)]
        {
            assert_eq!(amount_of(text).map(Amount::cents), Ok(cents), "{text}");
        }
        for bad in ["", "12,50", "1,234", "1.234,50", "1,23.00", "abc", "--1", "1e3", "12.345"] {
            assert!(amount_of(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "(tracking,amount\n)?.{0,200}") {
            let _ = read(&text);
        }
    }
}
