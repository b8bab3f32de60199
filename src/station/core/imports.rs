//! A shipment file on its way in: a slice between scans at a time, or all at once where no daemon runs.

use super::Core;
use crate::station::request::Response;
use crate::store::import::{Counts, Import};
use chrono::{DateTime, FixedOffset};
use serde_json::json;
use std::path::Path;
use std::time::Instant;

/// A shipment file on its way in, a slice between scans at a time.
pub(super) struct Importing {
    import: Import,
    name: String,
    counts: Counts,
}

impl Core {
    /// Opens a shipment file for [`Core::import_step`].
    pub(in crate::station) fn import_begin(&mut self, path: &Path, name: &str, rejects: &Path) -> Response {
        if self.importing.is_some() {
            return Response::refused("another import is running; wait until it is over");
        }
        match Import::open(path, &self.config.shipments, rejects) {
            Err(e) => Response::refused(e.to_string()),
            Ok(import) => {
                let absent = import.absent().to_vec();
                self.importing = Some(Importing { import, name: name.to_owned(), counts: Counts::default() });
                self.imported = None;
                Response::done("started", json!({"absent": absent}))
            }
        }
    }

    /// How far the import is; `over` when it is done.
    pub(in crate::station) fn import_told(&self) -> Response {
        match (&self.imported, &self.importing) {
            (Some(told), _) => told.clone(),
            (None, Some(i)) => Response::done("running", json!({"over": false, "counts": i.counts})),
            (None, None) => Response::refused("no import was started since the station runs"),
        }
    }

    /// Whether a file is being imported.
    pub fn importing(&self) -> bool {
        self.importing.is_some()
    }

    /// One slice of the file, in a transaction of its own. Called when nothing else waits.
    pub fn import_step(&mut self, now: DateTime<FixedOffset>) {
        let Some(mut i) = self.importing.take() else { return };
        let began = Instant::now();
        let head = self.head(now, None, None);
        let done =
            self.store.begin().map_err(Into::into).and_then(|()| self.store.import_step(&head, &i.name, &mut i.import));
        let done = done.and_then(|step| Ok(self.store.commit().map(|()| step)?));
        match done {
            Ok(step) => {
                i.import.took(began.elapsed());
                i.counts += step.counts;
                if step.end.is_some() {
                    self.imported = Some(Response::done("imported", json!({"over": true, "counts": i.counts})));
                } else {
                    self.importing = Some(i);
                }
            }
            Err(e) => {
                self.store.rollback();
                tracing::error!(error = %e, file = i.name, "the import stopped");
                let text = format!(
                    "{e}; {} rows are in, import the file again for the rest",
                    i.counts.inserted + i.counts.updated
                );
                self.imported = Some(Response::refused(text));
            }
        }
    }

    /// Loads a file while no daemon runs: in one go into an empty table, else slice by slice.
    pub fn import_alone(
        &mut self,
        path: &Path,
        name: &str,
        rejects: &Path,
        now: DateTime<FixedOffset>,
        mut progress: impl FnMut(u64),
    ) -> Result<Counts, String> {
        let mut import = Import::open(path, &self.config.shipments, rejects).map_err(|e| e.to_string())?;
        let head = self.head(now, None, None);
        if self.store.no_shipments().map_err(|e| e.to_string())? {
            return self.store.bulk_import(&head, name, import).map(|s| s.counts).map_err(|e| e.to_string());
        }
        let mut counts = Counts::default();
        loop {
            let began = Instant::now();
            self.store.begin().map_err(|e| e.to_string())?;
            let step = self.store.import_step(&head, name, &mut import);
            let step = step.and_then(|step| Ok(self.store.commit().map(|()| step)?));
            match step {
                Ok(step) => {
                    import.took(began.elapsed());
                    counts += step.counts;
                    progress(counts.inserted + counts.updated + counts.unchanged + counts.rejected);
                    if step.end.is_some() {
                        return Ok(counts);
                    }
                    if self.store.wal_bytes() > 64 << 20 {
                        self.store.checkpoint().map_err(|e| e.to_string())?;
                    }
                }
                Err(e) => {
                    self.store.rollback();
                    return Err(e.to_string());
                }
            }
        }
    }
}
