//! Shipment files into the table of shipments.
//!
//! ```text
//! file -> records (bounded) -> rows (checked, hashed, own thread) -> slice by slice, between scans
//!                                    \-> rejects.csv                \-> or all at once into an empty table
//! ```
//!
//! The daemon opens an [`Import`] and calls [`Import::step`] in a transaction of its own whenever the
//! dock is idle; without a daemon, the first import goes through [`bulk_load`]. Both give the same
//! table, digest and rejects. Importing a file twice changes nothing the second time.
//!
//! One file speaks of a serial once: a repeat with the same content is counted as unchanged, one with
//! other content is a reject, as is a MAC that an earlier line gave to another serial. Against what
//! earlier files said, a row wins: it is the unit's latest shipment.

mod apply;
mod bulk;
mod map;
mod read;
mod records;
mod rejects;
mod rows;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use apply::Outcome;
use rusqlite::Connection;

pub use apply::Counts;
pub use bulk::bulk_load;
pub use map::{COLUMNS, ImportMap};
pub use read::Reason;
pub use rows::FileFacts;

use super::StoreError;
use super::shipments::{self, Digest};
use crate::domain::shipment::Shipment;

/// Why a file was not imported, or not to its end. Bad rows are no such reason; they are rejects.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("{path}: cannot be read ({source}); nothing more of it was imported")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path}: {why}")]
    Header { path: PathBuf, why: String },
    #[error("{path}: the rejected rows cannot be written there ({source}); the import stopped")]
    Rejects { path: PathBuf, source: io::Error },
    #[error("there are shipments already; only an empty table can be loaded in one go")]
    NotEmpty,
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for ImportError {
    fn from(e: rusqlite::Error) -> Self {
        ImportError::Store(e.into())
    }
}

/// What a whole import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub counts: Counts,
    /// The whole table's, after it.
    pub digest: Digest,
    pub facts: FileFacts,
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Of this step alone.
    pub counts: Counts,
    /// The whole table's, after it.
    pub digest: Digest,
    /// The last step says what the file was.
    pub end: Option<FileFacts>,
}

/// A file on its way into the table.
pub struct Import {
    rows: rows::Rows,
    rejects: rejects::Rejects,
    seen: apply::Seen,
    pace: apply::Pace,
    /// Rows and rejects of the last step.
    stepped: usize,
}

impl Import {
    /// Opens the shipment file `file`. Rows that are not taken go to `rejects`, a CSV file that exists
    /// afterwards only if there are some.
    ///
    /// # Errors
    /// The file cannot be read or its first line does not name our columns; `rejects` cannot be replaced,
    /// or is the same file.
    pub fn open(file: &Path, map: &ImportMap, rejects: &Path) -> Result<Import, ImportError> {
        if let (Ok(a), Ok(b)) = (file.canonicalize(), rejects.canonicalize())
            && a == b
        {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "it is the file to be imported");
            return Err(ImportError::Rejects { path: rejects.to_owned(), source });
        }
        Ok(Import {
            rows: rows::rows(file, map)?,
            rejects: rejects::Rejects::new(rejects)?,
            seen: apply::Seen::default(),
            pace: apply::Pace::new(),
            stepped: 0,
        })
    }

    /// Our columns that the file does not have: empty in every row.
    pub fn absent(&self) -> &[&'static str] {
        self.rows.absent()
    }

    /// Whether a [`step`](Self::step) would find rows without waiting for the disk the file is on.
    pub fn ready(&mut self) -> bool {
        self.rows.ready()
    }

    /// Brings the next slice of rows into the table, inside the caller's transaction. `changed` gets
    /// each row that was there with other content, and what it is now. The import is over when
    /// [`Step::end`] is set.
    ///
    /// # Errors
    /// The import is over, and the caller rolls back. Slices committed before stay; importing the file
    /// again finds them unchanged.
    pub fn step(
        &mut self,
        conn: &Connection,
        changed: &mut dyn FnMut(Shipment, Shipment),
    ) -> Result<Step, ImportError> {
        let before = shipments::digest(conn)?;
        let (mut counts, mut digest, mut over) = (Counts::default(), before, false);
        self.stepped = 0;
        // Waits at most for the first row: what is not read yet is the next step's.
        while self.stepped < self.pace.rows && (self.stepped == 0 || self.rows.ready()) {
            match self.rows.next() {
                Some(Ok(row)) => match apply::apply(conn, &row, &mut self.seen, &mut digest)? {
                    Outcome::Inserted => counts.inserted += 1,
                    Outcome::Unchanged => counts.unchanged += 1,
                    Outcome::Updated(old) => {
                        counts.updated += 1;
                        changed(*old, row.fields.to_shipment()?);
                    }
                    Outcome::Rejected(reason) => {
                        counts.rejected += 1;
                        let line = row.line;
                        self.rejects.write(&self.rows.reject(line, reason))?;
                    }
                },
                Some(Err(reject)) => {
                    counts.rejected += 1;
                    self.rejects.write(reject)?;
                }
                None => {
                    over = true;
                    break;
                }
            }
            self.stepped += 1;
        }
        if digest != before {
            digest.save(conn)?;
        }
        let end = over.then(|| self.rows.finish()).transpose()?;
        if end.is_some() {
            self.rejects.flush()?;
        }
        Ok(Step { counts, digest, end })
    }

    /// Tells how long the last step took, its transaction included: the next one is sized by it.
    pub fn took(&mut self, took: Duration) {
        self.pace.took(self.stepped, took);
    }
}
