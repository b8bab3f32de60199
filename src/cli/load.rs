//! Configuration and programs from disk, with every problem listed.

use super::Stop;
use crate::config::{self, Config};
use crate::label::Designs;
use crate::label::gate::{self, Severity};
use crate::message::Templates;
use crate::program::{MessageFile, Programs};
use crate::strict_toml::Problem;
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the command line says that things are.
pub struct Where {
    pub config: Option<PathBuf>,
    pub programs: Option<PathBuf>,
}

/// All problems as one text, one a line.
pub fn listed(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(|p| p.to_string()).collect();
    lines.join("\n")
}

impl Where {
    pub fn config_path(&self) -> PathBuf {
        self.config.clone().unwrap_or_else(|| PathBuf::from(config::DEFAULT_PATH))
    }

    /// The configuration; warnings are left to `check`.
    pub fn config(&self) -> Result<Config, Stop> {
        let path = self.config_path();
        let text = read(&path)?;
        config::parse(&path.to_string_lossy(), &text).map(|read| read.value).map_err(|p| Stop::usage(listed(&p)))
    }

    /// The configuration with the user's label designs; and what is refused of them, which keeps no station
    /// from starting: those labels are ours.
    pub fn station(&self) -> Result<(Config, Vec<String>), Stop> {
        let mut config = self.config()?;
        let (designs, refused) = designs(&config.labels.templates, config.labels.named)?;
        config.labels.designs = Arc::new(designs);
        Ok((config, refused))
    }

    /// The programs of a station, or the embedded ones with `config` absent; with warnings.
    pub fn programs(&self, config: Option<&Config>) -> Result<(Programs, Vec<Problem>), Stop> {
        let default = config.map_or(crate::program::DEFAULT, |c| c.programs.default.as_str());
        let dir = self.programs.as_ref().or(config.and_then(|c| c.programs.dir.as_ref()));
        let Some(dir) = dir else {
            let (programs, warnings) = Programs::shipped(default).map_err(|p| Stop::usage(listed(&p)))?;
            return with_templates(programs, warnings);
        };
        let files = program_files(dir)?;
        if files.is_empty() {
            return Err(Stop::usage(format!("{}: no program files (*.toml) in this directory", dir.display())));
        }
        // Without a configuration any file of the directory may be the default.
        let files: Vec<(String, String)> = files;
        let pairs = || files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let read = match Programs::read(pairs(), default) {
            Err(_) if config.is_none() => {
                let first = files.iter().find_map(|(name, text)| {
                    crate::program::Program::parse(name, text).ok().map(|read| read.value.id().to_string())
                });
                Programs::read(pairs(), first.as_deref().unwrap_or(default))
            }
            done => done,
        }
        .map_err(|p| Stop::usage(listed(&p)));
        let (programs, warnings) = read?;
        with_templates(programs.with_message_files(message_files(dir)?), warnings)
    }
}

/// The designs of a folder, and what is refused of them, one a line; a folder that `must` exist is one of
/// the problems where it does not.
pub fn designs(dir: &Path, must: bool) -> Result<(Designs, Vec<String>), Stop> {
    if must && !dir.is_dir() {
        return Err(Stop::usage(format!("{}: no such folder of label designs", dir.display())));
    }
    let mut files = Vec::new();
    for path in entries(dir)?.into_iter().filter(|p| p.extension().is_some_and(|x| x == "zpl")) {
        files.push((path.to_string_lossy().into_owned(), read_zpl(&path)?));
    }
    let (designs, refused) = Designs::read(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
    let lines = refused.iter().flat_map(|(file, findings)| {
        findings.list.iter().filter(|f| f.severity == Severity::Refuse).map(move |f| format!("{file}: {f}"))
    });
    Ok((designs, lines.collect()))
}

/// A file of ZPL, up to a few times of what the gate takes, so that the gate can say what is too large.
pub fn read_zpl(path: &Path) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(16 * gate::SIZE_MAX as u64).read_to_end(&mut bytes))
        .map_err(|e| Stop::usage(format!("{}: cannot be read: {e}", path.display())))?;
    Ok(bytes)
}

/// Holds the templates of messages against the programs, before anything starts.
fn with_templates(programs: Programs, mut warnings: Vec<Problem>) -> Result<(Programs, Vec<Problem>), Stop> {
    let (_, found) = Templates::read(&programs).map_err(|p| Stop::usage(listed(&p)))?;
    warnings.extend(found);
    Ok((programs, warnings))
}

/// The templates below a directory of programs: `messages/PROGRAM/ABOUT.txt`. None are needed.
fn message_files(dir: &Path) -> Result<Vec<MessageFile>, Stop> {
    let mut files = Vec::new();
    for folder in entries(&dir.join("messages"))?.into_iter().filter(|p| p.is_dir()) {
        for path in entries(&folder)?.into_iter().filter(|p| p.extension().is_some_and(|x| x == "txt")) {
            let word = |name: Option<&OsStr>| name.unwrap_or_default().to_string_lossy().into_owned();
            let (program, about, text) = (word(folder.file_name()), word(path.file_stem()), read(&path)?);
            files.push(MessageFile { name: path.to_string_lossy().into_owned(), program, about, text });
        }
    }
    Ok(files)
}

/// What is in a directory, in order; nothing where there is none.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, Stop> {
    let found = match std::fs::read_dir(dir) {
        Ok(found) => found,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Stop::usage(format!("{}: cannot be read: {e}", dir.display()))),
    };
    let mut paths: Vec<PathBuf> = found.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> Result<String, Stop> {
    std::fs::read_to_string(path).map_err(|e| {
        let hint = if e.kind() == std::io::ErrorKind::NotFound { "; name one with --config FILE" } else { "" };
        Stop::usage(format!("{}: cannot be read: {e}{hint}", path.display()))
    })
}

fn program_files(dir: &Path) -> Result<Vec<(String, String)>, Stop> {
    let entries = std::fs::read_dir(dir).map_err(|e| Stop::usage(format!("{}: cannot be read: {e}", dir.display())))?;
    let mut paths: Vec<PathBuf> =
        entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.extension().is_some_and(|x| x == "toml")).collect();
    paths.sort();
    paths.iter().map(|p| Ok((p.to_string_lossy().into_owned(), read(p)?))).collect()
}
