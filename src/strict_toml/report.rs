//! What is wrong with a file, in words a clerk can act on, and the place where it is collected.

use std::cell::RefCell;
use std::fmt;

/// Problems listed before the reader stops adding more.
const PROBLEMS_MAX: usize = 200;

/// One mistake (or one warning) in a file, in words a clerk can act on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub file: String,
    /// Line in the file, counted from 1; 0 when the problem is the file as a whole.
    pub line: usize,
    /// Dotted path of the key, lists counted from 1: `printer[2].port`. Empty for syntax errors.
    pub key: String,
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Collects what is found while a document is read.
pub(super) struct Report<'r> {
    pub(super) file: &'r str,
    pub(super) found: RefCell<Vec<Problem>>,
    pub(super) warnings: RefCell<Vec<Problem>>,
}

impl Report<'_> {
    pub(super) fn problem(&self, line: usize, key: &str, message: String) {
        let mut found = self.found.borrow_mut();
        if found.len() < PROBLEMS_MAX {
            found.push(Problem { file: self.file.to_owned(), line, key: key.to_owned(), message });
        }
    }

    pub(super) fn sorted(self) -> Vec<Problem> {
        let mut found = self.found.into_inner();
        found.sort_by_key(|p| p.line);
        found
    }
}
