//! The wall clock, and the only place that reads it: the dock's local time with its offset.

use crate::store::{Store, StoreError, read};
use chrono::{DateTime, FixedOffset, Utc};
use chrono_tz::Tz;

#[derive(Clone, Copy)]
pub struct Clock {
    zone: Tz,
}

impl Clock {
    pub fn new(zone: Tz) -> Clock {
        Clock { zone }
    }

    /// Now, at the dock.
    pub fn now(&self) -> DateTime<FixedOffset> {
        Utc::now().with_timezone(&self.zone).fixed_offset()
    }

    /// How far the clock can be trusted, for the journal: a board without a battery clock comes up in
    /// the past, and then ages and due dates are wrong.
    pub fn judge(&self, store: &Store) -> Result<String, StoreError> {
        let synced = std::path::Path::new("/run/systemd/timesync/synchronized").exists();
        let mut said = if synced { "synchronised".to_owned() } else { "not known to be synchronised".to_owned() };
        let last = read::last_time(&store.conn)?.and_then(|t| DateTime::parse_from_rfc3339(&t).ok());
        if let Some(last) = last {
            let behind = last.signed_duration_since(self.now());
            if behind > chrono::Duration::seconds(2) {
                said = format!("{said}; {} s behind the journal's last event", behind.num_seconds());
                tracing::error!(
                    behind_seconds = behind.num_seconds(),
                    "the clock went back: the journal's last event is later than now; set the clock, ages and due dates depend on it"
                );
            }
        }
        Ok(said)
    }
}
