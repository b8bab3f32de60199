//! Program versions: each one served here is written down whole, and an RMA is judged by the one it was
//! issued under, however often the file changed since (D-27, D-28).

use crate::domain::event::Event;
use crate::program::{Program, Programs, same_but_for_comments};
use crate::store::{Head, Store, StoreError, read};
use chrono::{DateTime, FixedOffset};

/// Writes down versions that are new, refuses a version whose content changed under the same name, and
/// adds the earlier versions that the database knows.
pub(super) fn adopt(
    store: &mut Store,
    mut programs: Programs,
    now: DateTime<FixedOffset>,
) -> Result<Programs, StoreError> {
    let known = read::programs(&store.conn)?;
    let mut fresh = Vec::new();
    for (program, text) in programs.texts() {
        let (id, version) = (program.id().to_string(), program.version().to_string());
        match known.iter().find(|(i, v, _)| *i == id && *v == version) {
            None => fresh.push(Event::ProgramServed { program: id, version, text: text.to_owned() }),
            Some((.., before)) if before == text => {}
            // Comments may change; what decides about units may not.
            Some((.., before)) if same_but_for_comments(before, text) => {}
            Some(_) => return Err(StoreError::ProgramChanged { program: id, version }),
        }
    }
    for (id, version, text) in &known {
        if programs.issued_under(id, version).is_none() {
            programs.keep(parse(id, version, text)?);
        }
    }
    if fresh.is_empty() {
        return Ok(programs);
    }
    store.begin()?;
    let head = Head { at: now, ..Head::default() };
    match fresh.iter().try_for_each(|event| store.append(&head, event).map(drop)) {
        Ok(()) => store.commit().map(|()| programs),
        Err(e) => {
            store.rollback();
            Err(e)
        }
    }
}

fn parse(id: &str, version: &str, text: &str) -> Result<Program, StoreError> {
    let name = format!("program {id} {version} as it was served");
    match Program::parse(&name, text) {
        Ok(read) => Ok(read.value),
        Err(problems) => {
            let first = problems.first().map(|p| p.to_string()).unwrap_or_default();
            Err(StoreError::Unreadable(format!("this version no longer understands {name}: {first}")))
        }
    }
}
