//! Lookups by serial and by MAC, back to back, among one and ten million shipments, in turns.

use super::super::Stop;
use super::report::{Found, Target};
use super::samples::{Samples, us};
use super::site::Site;
use super::{Effort, SHIPMENTS, sample};
use crate::domain::mac::Mac;
use crate::rma::Knowledge;
use crate::sim::dice::Dice;
use crate::store::Store;
use std::time::Instant;

/// Lookups of one kind in one table before it is the next one's turn.
const TURN: usize = 1000;

struct Side {
    rows: u64,
    store: Store,
    serial: Samples,
    mac: Samples,
}

pub fn run(site: &mut Site, effort: Effort) -> Result<Found, Stop> {
    let (turns, sizes) = effort.pick((50, vec![SHIPMENTS, 10 * SHIPMENTS]), (10, vec![SHIPMENTS]));
    let mut sides = Vec::new();
    for rows in sizes {
        let station = site.loaded(rows)?;
        let store = Store::open(&station.dir, &station.config.station.id).map_err(Stop::failed)?;
        sides.push(Side { rows, store, serial: Samples::default(), mac: Samples::default() });
    }
    let mut dice = Dice(2);
    for turn in 0..=turns {
        for side in &mut sides {
            let (serial, mac) = side.turn(&mut dice)?;
            // The first turn warms the caches up, the processor's included.
            if turn > 0 {
                side.serial.extend(serial);
                side.mac.extend(mac);
            }
        }
    }

    let mut found = Found::new(
        "lookup",
        format!("The daemon's own lookups, back to back, units by chance; {} of each kind a size.", turns * TURN),
    );
    found.table.columns = vec!["rows", "serial p50 us", "p99 us", "max us", "MAC p50 us", "p99 us ", "max us "];
    for s in &sides {
        let cells = [&s.serial, &s.mac].map(|kind| [us(kind.p50()), us(kind.p99()), us(kind.max())]);
        found.table.rows.push([vec![s.rows as f64], cells.concat()].concat());
    }
    for s in &sides {
        let size = s.rows / 1_000_000;
        for (kind, samples) in [("serial", &s.serial), ("MAC", &s.mac)] {
            found.figure(format!("{kind}, {size} M rows, p50"), us(samples.p50()), "us", Target::Below(10.0));
            found.figure(format!("{kind}, {size} M rows, p99"), us(samples.p99()), "us", Target::Below(100.0));
        }
    }
    if let [one, ten] = sides.as_slice() {
        for (kind, one, ten) in [("serial", &one.serial, &ten.serial), ("MAC", &one.mac, &ten.mac)] {
            for (name, part) in [("p50", 0.50), ("p99", 0.99)] {
                let ratio = us(ten.percentile(part)) / us(one.percentile(part)).max(1e-9);
                found.figure(format!("{kind}, 10 M against 1 M rows, {name}"), ratio, "x", Target::AtMost(1.5));
            }
        }
    }
    Ok(found)
}

impl Side {
    fn turn(&self, dice: &mut Dice) -> Result<(Samples, Samples), Stop> {
        let units: Vec<(String, String)> = (0..TURN).map(|_| sample::unit(dice.below(self.rows))).collect();
        let (mut by_serial, mut by_mac) = (Samples::default(), Samples::default());
        let lost = |what: &str| Stop::failed(format!("{what} is not found among the sample; that is a bug"));
        for (serial, _) in &units {
            let began = Instant::now();
            let unit = self.store.by_serial(serial).map_err(|e| Stop::failed(e.0))?;
            by_serial.push(began.elapsed());
            unit.filter(|u| u.serial == *serial).ok_or_else(|| lost(serial))?;
        }
        for (serial, mac) in &units {
            let key = Mac::parse(mac).ok_or_else(|| lost(mac))?;
            let began = Instant::now();
            let found = self.store.by_mac(key).map_err(|e| Stop::failed(e.0))?;
            by_mac.push(began.elapsed());
            found.iter().find(|u| u.serial == *serial).ok_or_else(|| lost(mac))?;
        }
        Ok((by_serial, by_mac))
    }
}
