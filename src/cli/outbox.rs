//! `backdock outbox`: what was written to whom, what still waits, and a person's word where the other
//! side's answer is missing or no.

use super::load::Where;
use super::{End, Stop, Verdict, answer, answer_json, rma};
use crate::domain::message::MessageState;
use crate::station::request::{Request, Settled};
use crate::store::messages::{self, MessageRow};
use crate::store::{self, Reader};
use serde_json::json;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Only messages that are not done: owed, on their way, in doubt, failed, without an address.
    #[arg(long)]
    open: bool,
    /// How many, newest first.
    #[arg(long, default_value_t = 50, value_name = "N")]
    last: u32,
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum What {
    /// One message with its whole text.
    Show {
        /// Its number, as `backdock outbox` shows it.
        message: i64,
        #[arg(long)]
        json: bool,
    },
    /// Say what becomes of a message that is in doubt, failed or has no address; or cancel one that waits.
    Settle {
        /// Its number, as `backdock outbox` shows it.
        message: i64,
        /// It arrived or was told in another way; it is to be sent again; it is not wanted.
        #[arg(value_parser = ["sent", "retry", "cancel"], value_name = "sent|retry|cancel")]
        how: String,
        /// Who says so.
        #[arg(long, value_name = "WHO")]
        by: String,
        #[arg(long)]
        json: bool,
    },
}

pub fn main(at: &Where, args: Args) -> Verdict {
    match args.what {
        None => list(at, &args),
        Some(What::Show { message, json }) => show(at, message, json),
        Some(What::Settle { message, how, by, json }) => settle(at, message, &how, by, json),
    }
}

fn list(at: &Where, args: &Args) -> Verdict {
    let config = at.config()?;
    let reader = store::open_reader(&config.station.data).map_err(Stop::failed)?;
    let station = &config.station.id;
    // What needs a person counts even where the list is too short to show it.
    let open = messages::open(&reader, station).map_err(Stop::failed)?;
    let people = open.iter().filter(|m| m.state.needs_a_person()).count();
    let owed_for_nobody = config.mail.is_none() && open.iter().any(|m| m.state == MessageState::Owed);
    let rows = if args.open {
        open.into_iter().rev().take(args.last as usize).collect()
    } else {
        messages::newest(&reader, station, args.last).map_err(Stop::failed)?
    };
    if args.json {
        answer_json(&rows)?;
    } else {
        rows.iter().for_each(|row| answer(line(row)));
        if owed_for_nobody {
            eprintln!("backdock: no [mail] is configured: e-mails stay owed");
        }
    }
    Ok(if people > 0 { End::Person } else { End::Done })
}

fn line(m: &MessageRow) -> String {
    let to = if m.recipients.is_empty() { m.to.to_string() } else { format!("{} {}", m.to, m.recipients.join(", ")) };
    let next = m.next_try.as_ref().map(|t| format!("  next try {t}")).unwrap_or_default();
    let tries = if m.attempt > 1 { format!("  {} tries", m.attempt) } else { String::new() };
    format!("{:>6} {:<11} {to}  {}{tries}{next}  {}", m.id, m.state.word(), m.subject, m.note).trim_end().to_owned()
}

fn found(reader: &Reader, station: &str, id: i64) -> Result<MessageRow, Stop> {
    let row = messages::one(reader, station, id).map_err(Stop::failed)?;
    row.ok_or_else(|| Stop::failed(format!("there is no message {id}; `backdock outbox` lists them")))
}

fn show(at: &Where, id: i64, as_json: bool) -> Verdict {
    let config = at.config()?;
    let reader = store::open_reader(&config.station.data).map_err(Stop::failed)?;
    let row = found(&reader, &config.station.id, id)?;
    let message = messages::message(&reader, &row).map_err(Stop::failed)?;
    if as_json {
        let mut value = serde_json::to_value(&row).map_err(Stop::failed)?;
        value["body"] = json!(message.body);
        answer_json(&value)?;
    } else {
        answer(line(&row));
        answer(format!("about {} ({}), RMA {}, cause {}", row.about, row.rule, row.rma, row.cause));
        answer(format!("\nSubject: {}\n\n{}", message.subject, message.body.trim_end()));
    }
    Ok(if row.state.needs_a_person() { End::Person } else { End::Done })
}

fn settle(at: &Where, id: i64, how: &str, by: String, as_json: bool) -> Verdict {
    let how = match how {
        "sent" => Settled::Sent,
        "retry" => Settled::Retry,
        _ => Settled::Cancel,
    };
    let answers = rma::ask(at, [Request::SettleMessage { id, how, by }])?;
    let [response] = answers.as_slice() else { return Err(Stop::failed("no answer")) };
    if !response.ok {
        return Err(Stop::failed(&response.text));
    }
    if as_json {
        answer_json(&response.data)?
    } else {
        answer(&response.text)
    }
    Ok(End::Done)
}
