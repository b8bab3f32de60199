//! Templates of messages: plain text files, one for each thing a program writes `about`. PURE.
//!
//! ```text
//! Subject: Your advance replacement, RMA {rma}
//!
//! {text}
//! - {reasons}
//! ```
//!
//! A line whose fields are all empty is left out; a line with a field of several values stands once
//! for each. `{{` is a brace. A field that nobody knows is refused with file and line before anything
//! starts, and so is `details` (our own comments) in whatever reaches somebody outside (A-19).

use crate::domain::facts::words;
use crate::domain::verdict::Role;
use crate::program::{Program, Programs};
use crate::strict_toml::Problem;
use std::collections::BTreeMap;

words! {
    /// What a template can speak of.
    Field {
        Rma = "rma",
        Ticket = "ticket",
        About = "about",
        Unit = "unit",
        Serial = "serial",
        Brand = "brand",
        Model = "model",
        Customer = "customer",
        Program = "program",
        Version = "version",
        Today = "today",
        Issued = "issued",
        ValidUntil = "valid_until",
        ReturnAddress = "return_address",
        Footer = "footer",
        Contact = "contact",
        /// The sentence of the program's own row.
        Text = "text",
        Reasons = "reasons",
        Charges = "charges",
        /// What was done with the unit, in the words of whoever did it.
        Resolution = "resolution",
        /// Where the unit is now, in a sentence for whoever sent it.
        Stage = "stage",
        /// A line for each unit that it speaks of: what became of it, or only its name before it came.
        Units = "units",
        Tracking = "tracking",
        /// Last day of the quotation.
        QuoteUntil = "quote_until",
        Eta = "eta",
        Link = "link",
        /// Internal comments: everything we know, for our own people only.
        Details = "details",
    }
}

/// Longest template, in characters.
const TEMPLATE_MAX: usize = 16 * 1024;

/// A piece of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    Text(String),
    Field(Field),
}

pub(super) type Line = Vec<Piece>;

/// A file that was understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    pub(super) subject: Line,
    pub(super) body: Vec<Line>,
}

/// Whether a role is ours: only then may it read our comments.
pub fn is_internal(role: Role) -> bool {
    !matches!(role, Role::Customer | Role::Vendor)
}

impl Template {
    /// Reads a template. `file` only names it in messages; `internal`: all who get it are our own.
    ///
    /// # Errors
    /// Every problem, with its line.
    pub fn parse(file: &str, text: &str, internal: bool) -> Result<Template, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut wrong = |line: usize, key: &str, message: String| {
            problems.push(Problem { file: file.to_owned(), line, key: key.to_owned(), message });
        };
        if text.chars().count() > TEMPLATE_MAX {
            wrong(0, "", format!("is longer than {TEMPLATE_MAX} characters"));
            return Err(problems);
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = Vec::new();
        for (i, line) in text.lines().enumerate() {
            // The word for the subject is no part of it.
            let said = if i == 0 { line.strip_prefix("Subject:").map(str::trim_start) } else { Some(line) };
            if said.is_none() {
                wrong(1, "", "the first line must be: Subject: ...".to_owned());
            }
            match pieces(said.unwrap_or_default()) {
                Ok(line) => {
                    if !internal && line.contains(&Piece::Field(Field::Details)) {
                        let message = "are internal comments; this message also goes to a customer or vendor";
                        wrong(i + 1, "details", message.to_owned());
                    }
                    lines.push(line);
                }
                Err((key, message)) => {
                    wrong(i + 1, &key, message);
                    lines.push(Vec::new());
                }
            }
        }
        let mut lines = lines.into_iter();
        let subject = lines.next().unwrap_or_default();
        if lines.next().is_some_and(|second| !second.is_empty()) {
            wrong(2, "", "the line after the subject must be blank".to_owned());
        }
        let body: Vec<Line> = lines.collect();
        if text.lines().skip(2).all(|line| line.trim().is_empty()) {
            wrong(0, "", "says nothing: there is no text below the subject".to_owned());
        }
        if problems.is_empty() { Ok(Template { subject, body }) } else { Err(problems) }
    }
}

/// A line cut at its fields; an error names the field and what is wrong.
fn pieces(line: &str) -> Result<Line, (String, String)> {
    let (mut pieces, mut text) = (Vec::new(), String::new());
    let mut rest = line.trim_end();
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
            text.push_str(&rest[..1]);
            rest = after;
            continue;
        }
        let inside = rest.strip_prefix('{').and_then(|r| r.split_once('}'));
        let Some((name, after)) = inside else {
            return Err((String::new(), "a brace stands alone; write a field as {rma} and a brace as {{".to_owned()));
        };
        // Exactly as written: a template is no place for guesses.
        let Some((_, field)) = Field::ALL.iter().find(|(word, _)| *word == name) else {
            let near = Field::ALL.iter().max_by(|a, b| strsim::jaro(a.0, name).total_cmp(&strsim::jaro(b.0, name)));
            let near = near.map_or("rma", |(word, _)| word);
            let shown: String = name.chars().take(40).collect();
            return Err((shown, format!("no such field; the nearest known is {{{near}}}")));
        };
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        pieces.push(Piece::Field(*field));
        rest = after;
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    Ok(pieces)
}

/// What is sent where no file says more.
const PLAIN: &str = "Subject: RMA {rma}: {about}\n\n{text}\n\nRMA: {rma}\nTicket: {ticket}\nUnit: {unit}\n\
                     Tracking number: {tracking}\nExpected: {eta}\n{link}\n{charges}\n";
/// The same for our own people.
const PLAIN_INTERNAL: &str = "Subject: RMA {rma}: {about}\n\n{text}\n\nRMA: {rma}\nTicket: {ticket}\n\
                              Customer: {customer}\nUnit: {unit}\nProgram: {program} {version}\n{link}\n\n- {details}\n";

/// The templates of all programs that a station serves.
#[derive(Clone, Debug)]
pub struct Templates {
    files: BTreeMap<(String, String), Template>,
    plain: Template,
    plain_internal: Template,
}

impl Templates {
    /// Reads the message files that came with the programs. The second value are warnings: a file
    /// whose program is not served, or has no row that speaks of it.
    ///
    /// # Errors
    /// Every problem of every file.
    pub fn read(programs: &Programs) -> Result<(Templates, Vec<Problem>), Vec<Problem>> {
        let (mut files, mut problems, mut warnings) = (BTreeMap::new(), Vec::new(), Vec::new());
        for file in programs.message_files() {
            let whole = |message: String| Problem { file: file.name.clone(), line: 0, key: String::new(), message };
            let Some(program) = programs.get(&file.program) else {
                let known = programs.ids().collect::<Vec<_>>().join(", ");
                warnings.push(whole(format!("no program {:?} is served; known are: {known}", file.program)));
                continue;
            };
            let roles = roles(program, &file.about);
            if roles.is_empty() {
                let near = program
                    .messages()
                    .map(|(_, about)| about)
                    .max_by(|a, b| strsim::jaro(a, &file.about).total_cmp(&strsim::jaro(b, &file.about)));
                let near = near.map(|n| format!("; the nearest it does write about is {n}")).unwrap_or_default();
                warnings.push(whole(format!("program {} writes about no {:?}{near}", file.program, file.about)));
            }
            let internal = !roles.is_empty() && roles.iter().all(|role| is_internal(*role));
            match Template::parse(&file.name, &file.text, internal) {
                Ok(template) => drop(files.insert((file.program.clone(), file.about.clone()), template)),
                Err(found) => problems.extend(found),
            }
        }
        let plain = Template::parse("built in", PLAIN, false);
        let plain_internal = Template::parse("built in", PLAIN_INTERNAL, true);
        match (plain, plain_internal) {
            (Ok(plain), Ok(plain_internal)) if problems.is_empty() => {
                Ok((Templates { files, plain, plain_internal }, warnings))
            }
            (plain, internal) => {
                problems.extend(plain.err().into_iter().chain(internal.err()).flatten());
                Err(problems)
            }
        }
    }

    /// The template of a message.
    pub(super) fn of(&self, program: &str, about: &str, to: Role) -> &Template {
        let plain = if is_internal(to) { &self.plain_internal } else { &self.plain };
        self.files.get(&(program.to_owned(), about.to_owned())).unwrap_or(plain)
    }
}

/// Everybody to whom a program writes about something.
fn roles(program: &Program, about: &str) -> Vec<Role> {
    program.messages().filter(|(_, a)| *a == about).map(|(role, _)| role).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::MessageFile;

    fn said(text: &str, internal: bool) -> Vec<String> {
        let problems = Template::parse("m/x.txt", text, internal).err().unwrap_or_default();
        problems.iter().map(|p| p.to_string()).collect()
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        assert_eq!(said("Subject: RMA {rma}\n\nGo to {{ {text}\n", false), [""; 0]);
        assert_eq!(
            said("Subject: RMA {rmaa}\n\n{retrun_address}\n\n{rma\n", false),
            [
                "m/x.txt:1: rmaa: no such field; the nearest known is {rma}",
                "m/x.txt:3: retrun_address: no such field; the nearest known is {return_address}",
                "m/x.txt:5: a brace stands alone; write a field as {rma} and a brace as {{",
            ]
        );
        assert_eq!(said("Hello\n\nyou\n", false), ["m/x.txt:1: the first line must be: Subject: ..."]);
        assert_eq!(said("Subject: a\nb\nc\n", false), ["m/x.txt:2: the line after the subject must be blank"]);
        assert_eq!(said("Subject: a\n\n\n", false), ["m/x.txt: says nothing: there is no text below the subject"]);
        assert_eq!(said(&"x".repeat(TEMPLATE_MAX + 1), false).len(), 1);
    }

    #[test]
    fn our_comments_stand_in_no_template_for_customers() {
        let text = "Subject: a\n\n{details}\n";
        assert_eq!(said(text, true), [""; 0]);
        assert!(said(text, false)[0].starts_with("m/x.txt:3: details:"));
    }

    #[test]
    fn the_files_that_come_along_are_whole_and_all_are_used() {
        let (programs, _) = Programs::shipped(crate::program::DEFAULT).unwrap();
        let (templates, warnings) = Templates::read(&programs).unwrap();
        assert_eq!(warnings, []);
        for program in programs.iter() {
            for (_, about) in program.messages() {
                let key = (program.id().to_string(), about.to_owned());
                assert!(
                    templates.files.contains_key(&key),
                    "programs/messages/{}/{about}.txt is missing",
                    program.id()
                );
            }
        }
    }

    #[test]
    fn files_are_held_against_their_programs() {
        let (programs, _) = Programs::shipped(crate::program::DEFAULT).unwrap();
        let file = |program: &str, about: &str, text: &str| MessageFile {
            name: format!("{program}/{about}.txt"),
            program: program.to_owned(),
            about: about.to_owned(),
            text: text.to_owned(),
        };
        let fine = "Subject: a\n\n{text}\n";
        let read = |files: Vec<MessageFile>| Templates::read(&programs.clone().with_message_files(files));
        let (_, warnings) = read(vec![file("voip-reseller", "advance_refusd", fine)]).unwrap();
        assert!(warnings[0].message.ends_with("about is advance_refused"), "{}", warnings[0]);
        assert_eq!(read(vec![file("voip", "a", fine)]).unwrap().1.len(), 1);
        let problems = read(vec![file("voip-reseller", "advance_refused", "Subject: a\n\n{details}\n")]);
        assert_eq!(problems.unwrap_err().len(), 1);
        assert!(read(vec![file("voip-reseller", "within_30_days", "Subject: a\n\n{details}\n")]).is_ok());
    }
}
