//! A file -> a stream of rows, read, checked and hashed in a thread of its own.
//!
//! The thread that writes the database must not also parse: a bounded channel stands between them, so
//! that memory stays the same whatever the file's size. In: a path and an [`ImportMap`]. Out: an
//! iterator of rows and rejects in the file's order; after its end, the file's SHA-256. A file whose
//! header is wrong is refused at once, before the first row.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvError, SyncSender, TryRecvError, sync_channel};
use std::thread;

use sha2::{Digest as _, Sha256};

use super::ImportError;
use super::map::{ImportMap, Layout};
use super::read::{self, Reason};
use super::records::{Record, Records};
use crate::domain::text::escaped;
use crate::store::shipments::packed::{self, Fields, Packer, RowHash};

/// Rows handed over at a time, bytes after which fewer are enough, and such batches under way: with
/// real files under 1 MiB together, with hostile ones not much more.
const BATCH: usize = 1_024;
const BATCH_BYTES: usize = 256 * 1024;
const BATCHES: usize = 3;
/// Bytes of a rejected line that are kept.
const TEXT_MAX: usize = 2_000;

/// A good row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The line it begins on, counted from 1; the header is on line 1.
    pub line: u64,
    pub fields: Fields<'a>,
    pub hash: RowHash,
}

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    pub line: u64,
    pub reason: Reason,
    /// The line as it stands in the file, [`escaped`], at most its first 2,000 bytes.
    pub text: String,
}

/// What is known of a file once it has been read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// In lower-case hex.
    pub sha256: String,
    pub bytes: u64,
    /// Good rows and rejects, without the header and empty lines.
    pub rows: u64,
    /// The last line has no line end. It was taken if it has all columns, but may have been cut.
    pub unterminated: bool,
}

enum Item {
    /// A row whose packed form ends at this byte of the batch's `forms`.
    Row {
        line: u64,
        end: usize,
        hash: RowHash,
    },
    Reject(Box<Reject>),
}

#[derive(Default)]
struct Batch {
    /// Where the first of `items` begins: line and byte of the file.
    from: (u64, u64),
    forms: Packer,
    items: Vec<Item>,
}

enum Message {
    Rows(Batch),
    End(io::Result<FileFacts>),
}

/// The rows of one file; see [`rows`].
pub struct Rows {
    receiver: Receiver<Message>,
    batch: Batch,
    /// The next of the batch's items, and where its form begins.
    next: usize,
    form: usize,
    /// Where each batch so far begins, so that a line can be found again: 16 bytes for 1,024 rows.
    marks: Vec<(u64, u64)>,
    file: File,
    path: PathBuf,
    delimiter: u8,
    absent: Vec<&'static str>,
    end: Option<io::Result<FileFacts>>,
}

/// Opens a shipment file and starts reading it.
///
/// # Errors
/// The file cannot be read, or its first line does not name the columns that `map` asks for.
pub fn rows(path: &Path, map: &ImportMap) -> Result<Rows, ImportError> {
    let open = || File::open(path).and_then(|f| Ok((f.try_clone()?, f)));
    let (file, again) = open().map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
    let mut records = Records::new(Hashing::new(file), b',', 1, 0);
    let (delimiter, layout) = header(&mut records, map, path)?;
    records.set_delimiter(delimiter);

    let (sender, receiver) = sync_channel(BATCHES);
    let absent = layout.absent();
    let map = map.clone();
    thread::Builder::new()
        .name("import".to_owned())
        .spawn(move || {
            let end = pump(&mut records, &layout, &map, &sender);
            // Nobody listens any more when the import was given up.
            let _ = sender.send(Message::End(end));
        })
        .map_err(|source| ImportError::Read { path: path.to_owned(), source })?;
    Ok(Rows {
        receiver,
        batch: Batch::default(),
        next: 0,
        form: 0,
        marks: Vec::new(),
        file: again,
        path: path.to_owned(),
        delimiter,
        absent,
        end: None,
    })
}

/// Reads the first line: which delimiter, which columns where.
fn header(records: &mut Records<Hashing<File>>, map: &ImportMap, path: &Path) -> Result<(u8, Layout), ImportError> {
    let wrong = |why: String| ImportError::Header { path: path.to_owned(), why };
    let failed = |source| ImportError::Read { path: path.to_owned(), source };
    match records.peek(3).map_err(failed)? {
        [0xEF, 0xBB, 0xBF] => records.skip(3),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
            return Err(wrong("the file is UTF-16; save it as CSV in UTF-8".to_owned()));
        }
        _ => {}
    }
    // The first line is cut once for each delimiter in question; they are few and it is short.
    let Some(first) = records.next().map_err(failed)? else { return Err(wrong("the file is empty".to_owned())) };
    if let (Some(fault), true) = (first.fault, first.bytes.len() > TEXT_MAX) {
        return Err(wrong(format!("the first line names no columns: {}", Reason::from(fault))));
    }
    let line = first.bytes.to_vec();
    let mut best: Option<(usize, u8, Vec<String>)> = None;
    for delimiter in map.delimiters() {
        let mut cut = Records::new(line.as_slice(), delimiter, 1, 0);
        let names = match cut.next().map_err(failed)? {
            Some(record) => names(&record),
            None => Vec::new(),
        };
        let known = map.known(&names);
        if best.as_ref().is_none_or(|(most, ..)| known > *most) {
            best = Some((known, delimiter, names));
        }
    }
    // `delimiters` is never empty.
    let (_, delimiter, names) = best.unwrap_or((0, b',', Vec::new()));
    Ok((delimiter, map.layout(&names).map_err(wrong)?))
}

fn names(record: &Record) -> Vec<String> {
    let (mut scratch, utf8) = (Vec::new(), std::str::from_utf8(record.bytes).is_ok());
    (0..record.width())
        .filter_map(|n| record.field(n, &mut scratch).map(|f| read::letters(f, utf8).trim().to_owned()))
        .collect()
}

/// Reads to the end of the file, or until nobody listens.
fn pump(
    records: &mut Records<Hashing<File>>,
    layout: &Layout,
    map: &ImportMap,
    sender: &SyncSender<Message>,
) -> io::Result<FileFacts> {
    let (mut rows, mut texts, mut unterminated) = (0, 0, false);
    let mut batch = Batch::default();
    loop {
        let record = records.next()?;
        let done = record.is_none();
        if let Some(record) = record {
            unterminated = !record.ended && record.fault.is_none();
            if batch.items.is_empty() {
                batch.from = (record.line, record.offset);
            }
            let start = batch.forms.0.len();
            batch.items.push(match read::pack(&record, layout, map, &mut batch.forms) {
                Ok(()) => {
                    let form = &batch.forms.0[start..];
                    Item::Row { line: record.line, end: batch.forms.0.len(), hash: packed::hash(form) }
                }
                Err(reason) => {
                    batch.forms.0.truncate(start);
                    if read::is_empty(&record) {
                        continue;
                    }
                    let text = shown(record.bytes);
                    texts += text.len();
                    Item::Reject(Box::new(Reject { line: record.line, reason, text }))
                }
            });
            rows += 1;
        }
        if done || batch.items.len() == BATCH || batch.forms.0.len() + texts >= BATCH_BYTES {
            texts = 0;
            // As large as the last one was: rows of one file are alike.
            let next = Batch {
                from: (0, 0),
                forms: Packer(Vec::with_capacity(batch.forms.0.len() + BATCH)),
                items: Vec::with_capacity(BATCH),
            };
            if sender.send(Message::Rows(std::mem::replace(&mut batch, next))).is_err() {
                return Err(io::Error::other("the import was given up"));
            }
        }
        if done {
            let source = records.source();
            let sha256 = source.hash.clone().finalize().iter().map(|b| format!("{b:02x}")).collect();
            return Ok(FileFacts { sha256, bytes: source.bytes, rows, unterminated });
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    escaped(&bytes[..bytes.len().min(TEXT_MAX)])
}

impl Rows {
    /// Whether [`next`](Self::next) will answer without waiting for the disk.
    pub fn ready(&mut self) -> bool {
        while self.next == self.batch.items.len() && self.end.is_none() {
            match self.receiver.try_recv() {
                Ok(message) => self.take(Ok(message)),
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => self.take(Err(RecvError)),
            }
        }
        true
    }

    /// How many rows the batch in hand has.
    #[cfg(test)]
    pub(super) fn batch_items(&mut self) -> usize {
        self.next();
        self.batch.items.len()
    }

    fn take(&mut self, message: Result<Message, RecvError>) {
        match message {
            Ok(Message::Rows(batch)) => {
                if !batch.items.is_empty() {
                    self.marks.push(batch.from);
                }
                (self.batch, self.next, self.form) = (batch, 0, 0);
            }
            Ok(Message::End(end)) => self.end = Some(end),
            Err(RecvError) => self.end = Some(Err(io::Error::other("the reading thread died"))),
        }
    }

    /// The next row of the file; `None` after the last, and see [`finish`](Self::finish) then.
    pub fn next(&mut self) -> Option<Result<Row<'_>, &Reject>> {
        while self.next == self.batch.items.len() && self.end.is_none() {
            let message = self.receiver.recv();
            self.take(message);
        }
        let item = self.batch.items.get(self.next)?;
        self.next += 1;
        match item {
            Item::Reject(reject) => Some(Err(reject)),
            Item::Row { line, end, hash } => {
                let form = self.batch.forms.0.get(self.form..*end).and_then(Fields::unpack);
                self.form = *end;
                if form.is_none() {
                    // Packed a moment ago by this program; to go on would be to lose a row.
                    self.end = Some(Err(io::Error::other(format!("line {line} was packed wrongly"))));
                }
                form.map(|fields| Ok(Row { line: *line, fields, hash: *hash }))
            }
        }
    }

    /// After the last row: the facts of the whole file. Rows may have ended because reading failed, so
    /// nothing is complete before this has said so.
    ///
    /// # Errors
    /// The file could not be read to its end. Before the last row: that it is not read yet.
    pub fn finish(&mut self) -> Result<FileFacts, ImportError> {
        let failed = |source| ImportError::Read { path: self.path.clone(), source };
        match &self.end {
            Some(Ok(facts)) => Ok(facts.clone()),
            Some(Err(e)) => Err(failed(io::Error::new(e.kind(), e.to_string()))),
            None => Err(failed(io::Error::other("not read to its end yet"))),
        }
    }

    /// Our columns that the file does not have: empty in every row.
    pub fn absent(&self) -> &[&'static str] {
        &self.absent
    }

    /// A row that was read before, as a reject, with its text read from the file once more. The text
    /// is empty where the file cannot be read again (a pipe).
    pub(super) fn reject(&self, line: u64, reason: Reason) -> Reject {
        let text = self.text(line).unwrap_or_default();
        Reject { line, reason, text }
    }

    fn text(&self, line: u64) -> Option<String> {
        let mark = self.marks.partition_point(|(first, _)| *first <= line).checked_sub(1)?;
        let (first, offset) = self.marks[mark];
        let mut records = Records::new(At { file: &self.file, offset }, self.delimiter, first, offset);
        loop {
            let record = records.next().ok()??;
            if record.line >= line {
                return (record.line == line).then(|| shown(record.bytes));
            }
        }
    }
}

/// Hashes what is read through it.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
}

impl<R> Hashing<R> {
    fn new(inner: R) -> Self {
        Hashing { inner, hash: Sha256::new(), bytes: 0 }
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(out)?;
        self.hash.update(&out[..n]);
        self.bytes += n as u64;
        Ok(n)
    }
}

/// Reads a file from a place of its own, whatever others read.
struct At<'a> {
    file: &'a File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(out, self.offset)?;
        self.offset += n as u64;
        Ok(n)
    }
}
