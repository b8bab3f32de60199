//! The programs that a station serves: the embedded ones or those of a directory, by id, and the one
//! for RMAs that do not name theirs.

use super::shipped::MESSAGES;
use super::{Program, SHIPPED};
use crate::strict_toml::Problem;

/// At least one program; one of them is the default. Earlier versions are kept beside the current
/// ones, for the RMAs that were issued under them (D-27, D-28).
#[derive(Clone, Debug)]
pub struct Programs {
    list: Vec<Program>,
    default: usize,
    /// The text of each of `list`, as it was read.
    texts: Vec<String>,
    earlier: Vec<Program>,
    messages: Vec<MessageFile>,
}

/// A template of a message, as it lies beside the program files: `messages/PROGRAM/ABOUT.txt`. What it
/// says is the message room's business.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MessageFile {
    /// For messages about it.
    pub name: String,
    pub program: String,
    pub about: String,
    pub text: String,
}

/// Whether two program files say the same, comments, blank lines and the order of keys aside.
pub fn same_but_for_comments(a: &str, b: &str) -> bool {
    match (a.parse::<toml::Table>(), b.parse::<toml::Table>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

impl Programs {
    /// Reads program files, given as (name for messages, text). The second value are warnings.
    ///
    /// # Errors
    /// Every problem of every file; two files with the same id; a default that is not among them.
    pub fn read<'t>(
        files: impl IntoIterator<Item = (&'t str, &'t str)>,
        default: &str,
    ) -> Result<(Programs, Vec<Problem>), Vec<Problem>> {
        let (mut list, mut warnings, mut problems): (Vec<Program>, Vec<Problem>, Vec<Problem>) = Default::default();
        let mut texts = Vec::new();
        let whole =
            |file: &str, message: String| Problem { file: file.to_owned(), line: 0, key: String::new(), message };
        for (file, text) in files {
            match Program::parse(file, text) {
                Err(found) => problems.extend(found),
                Ok(read) => {
                    warnings.extend(read.warnings);
                    if list.iter().any(|p| p.id() == read.value.id()) {
                        problems.push(whole(
                            file,
                            format!("another file is also program {:?}; ids are unique", read.value.id()),
                        ));
                    }
                    list.push(read.value);
                    texts.push(text.to_owned());
                }
            }
        }
        let place = list.iter().position(|p| *p.id() == *default);
        match place {
            Some(place) if problems.is_empty() => {
                Ok((Programs { list, default: place, texts, earlier: Vec::new(), messages: Vec::new() }, warnings))
            }
            None if problems.is_empty() => {
                let known: Vec<&str> = list.iter().map(|p| &**p.id()).collect();
                let message = format!("the default program {default:?} is not served; known are: {}", known.join(", "));
                Err(vec![whole("[programs] default", message)])
            }
            _ => Err(problems),
        }
    }

    /// The programs that come with the binary.
    ///
    /// # Errors
    /// As [`Programs::read`]; the shipped files themselves are whole, which a test holds.
    pub fn shipped(default: &str) -> Result<(Programs, Vec<Problem>), Vec<Problem>> {
        let (programs, warnings) = Programs::read(SHIPPED.iter().copied(), default)?;
        let messages = MESSAGES.iter().filter_map(|(path, text)| {
            let (program, about) = path.strip_suffix(".txt")?.split_once('/')?;
            let (program, about) = (program.to_owned(), about.to_owned());
            Some(MessageFile { name: format!("messages/{path}"), program, about, text: (*text).to_owned() })
        });
        Ok((programs.with_message_files(messages.collect()), warnings))
    }

    /// The templates of the programs' messages.
    pub fn with_message_files(mut self, messages: Vec<MessageFile>) -> Programs {
        self.messages = messages;
        self
    }

    pub fn message_files(&self) -> &[MessageFile] {
        &self.messages
    }

    pub fn get(&self, id: &str) -> Option<&Program> {
        self.list.iter().find(|p| *p.id() == *id)
    }

    /// The program that judges an RMA issued under `version`, however old.
    pub fn issued_under(&self, id: &str, version: &str) -> Option<&Program> {
        self.list.iter().chain(&self.earlier).find(|p| *p.id() == *id && *p.version() == *version)
    }

    /// Keeps an earlier version beside the current one.
    pub fn keep(&mut self, earlier: Program) {
        self.earlier.push(earlier);
    }

    /// The current programs with the text they were read from.
    pub fn texts(&self) -> impl Iterator<Item = (&Program, &str)> {
        self.list.iter().zip(self.texts.iter().map(String::as_str))
    }

    pub fn default(&self) -> &Program {
        &self.list[self.default]
    }

    pub fn iter(&self) -> impl Iterator<Item = &Program> {
        self.list.iter()
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|p| &**p.id())
    }

    /// Whether a text is an RMA number by the pattern of any program served.
    pub fn accepts_number(&self, text: &str) -> bool {
        self.list.iter().any(|p| p.accepts_number(text))
    }
}
