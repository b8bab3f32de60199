//! `backdock lookup SERIAL_OR_MAC`: what is known of a unit.

use super::load::Where;
use super::{End, Stop, Verdict, answer, answer_json};
use crate::domain::mac::Mac;
use crate::domain::shipment::Shipment;
use crate::domain::text::serial_key;
use crate::store::{self, read, shipments};
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// A serial number, or a MAC in any spelling.
    #[arg(value_name = "SERIAL_OR_MAC")]
    unit: String,
    #[arg(long)]
    json: bool,
}

pub fn main(at: &Where, args: Args) -> Verdict {
    let config = at.config()?;
    let reader = store::open_reader(&config.station.data).map_err(Stop::failed)?;
    let (serial, mac) = (serial_key(&args.unit), Mac::parse(&args.unit));
    if serial.is_none() && mac.is_none() {
        return Err(Stop::usage(format!("{:?} is neither a serial number nor a MAC", args.unit)));
    }
    let mut found: Vec<Shipment> = Vec::new();
    if let Some(s) = &serial {
        found.extend(shipments::lookup_serial(&reader, s).map_err(Stop::failed)?);
    }
    if let Some(m) = mac {
        let by_mac = shipments::lookup_mac(&reader, m).map_err(Stop::failed)?;
        found.extend(by_mac.into_iter().filter(|s| serial.as_ref() != Some(&s.serial)).collect::<Vec<_>>());
    }
    let serials: Vec<&str> = found.iter().map(|s| s.serial.as_str()).chain(serial.as_deref()).collect();
    let receipts = read::receipts_of(&reader, &serials, mac).map_err(Stop::failed)?;
    if args.json {
        answer_json(&json!({"shipments": found, "receipts": receipts}))?;
    } else {
        for s in &found {
            let macs: Vec<String> = s.macs.iter().map(|m| m.to_string()).collect();
            let text = |t: &Option<String>| t.clone().unwrap_or_else(|| "-".into());
            answer(format!("serial      {}", s.serial));
            answer(format!("MAC         {}", if macs.is_empty() { "-".into() } else { macs.join(", ") }));
            answer(format!("unit        {} {}", text(&s.brand), text(&s.model)));
            answer(format!("shipped     {}  order {}", s.ship_date, text(&s.order)));
            answer(format!("to          {}  channel {}", text(&s.customer), text(&s.channel)));
            answer(format!("distributor {}", text(&s.distributor)));
        }
        for r in &receipts {
            let taken = r.withdrawn.as_ref().map(|w| format!("  withdrawn: {w}")).unwrap_or_default();
            answer(format!("received    {}  RMA {}  {}{taken}", r.at, r.rma, r.word));
        }
        if found.is_empty() && receipts.is_empty() {
            answer(format!("{} is neither in the shipments nor was it received here", args.unit));
        }
    }
    Ok(if found.is_empty() && receipts.is_empty() { End::Failed } else { End::Done })
}
