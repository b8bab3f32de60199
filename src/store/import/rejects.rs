//! Rows that were not taken -> a CSV file that a person can read and repair from.
//!
//! The file comes to be with the first reject; without one there is none, and one left from an earlier
//! import is removed, so that a file beside the data always speaks of the last import.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::ImportError;
use super::rows::Reject;

pub(super) struct Rejects {
    path: PathBuf,
    out: Option<BufWriter<File>>,
}

impl Rejects {
    pub(super) fn new(path: &Path) -> Result<Rejects, ImportError> {
        match fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(ImportError::Rejects { path: path.to_owned(), source })
            }
            _ => Ok(Rejects { path: path.to_owned(), out: None }),
        }
    }

    pub(super) fn write(&mut self, reject: &Reject) -> Result<(), ImportError> {
        put(&mut self.out, &self.path, reject)
            .map_err(|source| ImportError::Rejects { path: self.path.clone(), source })
    }

    /// Makes sure that the rejects are in the file.
    pub(super) fn flush(&mut self) -> Result<(), ImportError> {
        match &mut self.out {
            Some(out) => out.flush().map_err(|source| ImportError::Rejects { path: self.path.clone(), source }),
            None => Ok(()),
        }
    }
}

fn put(out: &mut Option<BufWriter<File>>, path: &Path, reject: &Reject) -> io::Result<()> {
    let out = match out {
        Some(out) => out,
        None => {
            let out = out.insert(BufWriter::new(File::create(path)?));
            out.write_all(b"line,reason,text\n")?;
            out
        }
    };
    // A spreadsheet takes a cell that begins so for a formula; \xHH is what `text` is escaped with anyway.
    let text = match reject.text.as_bytes() {
        [first @ (b'=' | b'+' | b'-' | b'@'), ..] => format!("\\x{first:02X}{}", &reject.text[1..]),
        _ => reject.text.clone(),
    };
    writeln!(out, "{},{},{}", reject.line, quoted(&reject.reason.to_string()), quoted(&text))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
