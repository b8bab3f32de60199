//! `backdock tag`: call tags and return labels, from the order to the scan at the dock. A call tag is brought
//! by the driver; a return label is printed by somebody. The kind says which.

use super::load::Where;
use super::table::csv;
use super::{End, Stop, Verdict, answer, answer_json, jobs};
use crate::domain::tag::{TagKind, TagNow, TagStep};
use crate::flow::tag;
use crate::station::request::{Request, TagWanted};
use crate::store::{self, tags};
use serde_json::{Map, Value, json};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Order the packages of an RMA: one tag each.
    #[command(after_help = order_help())]
    Request {
        rma: String,
        /// The unit that comes back; its policy row says who pays.
        unit: Option<String>,
        /// Who brings the label.
        #[arg(long, value_parser = kind, value_name = "KIND")]
        kind: TagKind,
        /// Packages; each gets a tag of its own.
        #[arg(long, default_value_t = 1, value_name = "N")]
        packages: u32,
        /// A field of the order, e.g. --say city=Springfield.
        #[arg(long, value_name = "FIELD=VALUE")]
        say: Vec<String>,
        /// Print the request sheets, and the customer's notice for a call tag.
        #[arg(long)]
        print: bool,
        /// Who orders.
        #[arg(long, value_name = "WHO")]
        by: String,
        #[arg(long)]
        json: bool,
    },
    /// Say what became of a tag.
    #[command(after_help = reply_help())]
    Act {
        /// Its number, as `backdock tag list` shows it.
        tag: i64,
        /// dispatch, attempt, pick_up, travel, receive, fail, cancel or note.
        #[arg(value_parser = step, value_name = "STEP")]
        step: TagStep,
        /// What the carrier answered, e.g. --say tracking=1Z999AA10123456784.
        #[arg(long, value_name = "FIELD=VALUE")]
        say: Vec<String>,
        /// Who says so.
        #[arg(long, value_name = "WHO")]
        by: String,
        #[arg(long)]
        json: bool,
    },
    /// The tags, oldest first. Exit code 3: one of them failed, or nothing was heard of it for 15 days.
    List {
        /// Only those of which something is still expected, or that failed.
        #[arg(long)]
        open: bool,
        /// Only those of this RMA.
        #[arg(long, value_name = "RMA")]
        rma: Option<String>,
        #[arg(long, conflicts_with = "csv")]
        json: bool,
        /// Every field of every order, a line each, for a shipping system.
        #[arg(long)]
        csv: bool,
    },
}

fn kind(text: &str) -> Result<TagKind, String> {
    TagKind::find(text).ok_or_else(|| {
        let kinds: Vec<String> = TagKind::ALL.iter().map(|(word, kind)| format!("{word} ({})", kind.title())).collect();
        format!("must be one of: {}", kinds.join("; "))
    })
}

fn step(text: &str) -> Result<TagStep, String> {
    let words: Vec<&str> = TagStep::ALL.iter().map(|(word, _)| *word).collect();
    TagStep::find(text).ok_or_else(|| format!("must be one of: {}", words.join(", ")))
}

fn table<'t>(head: &str, rows: impl Iterator<Item = (&'t str, &'t str)>) -> String {
    rows.fold(head.to_owned(), |text, (name, what)| text + &format!("\n  {name:<20} {what}"))
}

fn order_help() -> String {
    let kinds = TagKind::ALL.iter().map(|(word, kind)| (*word, kind.title()));
    format!("{}\n\n{}", table("Kinds:", kinds), table("Fields for --say:", tag::fields()))
}

fn reply_help() -> String {
    table("Fields for --say:", tag::reply_fields())
}

pub fn main(at: &Where, args: Args) -> Verdict {
    match args.what {
        What::Request { rma, unit, kind, packages, say, print, by, json } => {
            let wanted = TagWanted { rma, unit, kind, packages, said: jobs::said(&say)?, by, print };
            jobs::one(at, Request::Tag(wanted), json)
        }
        What::Act { tag, step, say, by, json } => {
            jobs::one(at, Request::TagAct { tag, step, said: jobs::said(&say)?, by }, json)
        }
        What::List { open, rma, json, csv } => list(at, open, rma.as_deref(), json, csv),
    }
}

fn list(at: &Where, open: bool, rma: Option<&str>, as_json: bool, as_csv: bool) -> Verdict {
    let config = at.config()?;
    let today = chrono::Utc::now().with_timezone(&config.station.timezone).date_naive();
    let reader = store::open_reader(&config.station.data).map_err(Stop::failed)?;
    let mut found = tags::tags(&reader).map_err(Stop::failed)?;
    found.retain(|now| rma.is_none_or(|rma| now.tag.rma.eq_ignore_ascii_case(rma)));
    found.retain(|now| !open || !now.state.is_final() || tag::overdue(now, today).is_some());
    let late = found.iter().filter(|now| tag::overdue(now, today).is_some()).count();
    if as_json {
        answer_json(&found)?;
    } else if as_csv {
        let columns: Vec<&str> = COLUMNS.iter().copied().chain(tag::fields().map(|(name, _)| name)).collect();
        let rows: Vec<Map<String, Value>> = found.iter().map(flat).collect();
        answer(csv(&columns, &rows)?.trim_end_matches('\n'));
    } else {
        for now in &found {
            let t = &now.tag;
            let numbers = if now.numbers.is_empty() { "-".to_owned() } else { now.numbers.join(" ") };
            answer(format!(
                "{:>5} {:<11} {} {} {} {} of {}  {numbers}  since {}",
                t.id, now.state, t.rma, t.kind, t.carrier, t.package, t.packages, now.since
            ));
            if let Some((what, next)) = tag::overdue(now, today) {
                answer(format!("      ! {what}\n      -> {next}"));
            }
        }
    }
    Ok(if late > 0 { End::Person } else { End::Done })
}

const COLUMNS: [&str; 14] = [
    "id",
    "state",
    "rma",
    "unit",
    "kind",
    "package",
    "packages",
    "payer",
    "rule",
    "requested",
    "valid_until",
    "since",
    "attempts",
    "tracking",
];

/// An order and how it stands, in one row.
fn flat(now: &TagNow) -> Map<String, Value> {
    let t = &now.tag;
    let head = [
        json!(t.id),
        json!(now.state),
        json!(t.rma),
        json!(t.unit),
        json!(t.kind),
        json!(t.package),
        json!(t.packages),
        json!(t.payer),
        json!(t.rule),
        json!(t.requested),
        json!(t.valid_until),
        json!(now.since),
        json!(now.attempts),
        json!(now.numbers.join(" ")),
    ];
    let mut row: Map<String, Value> = COLUMNS.iter().map(|name| (*name).to_owned()).zip(head).collect();
    row.extend(t.order.clone());
    row
}
