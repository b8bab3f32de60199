//! Configuration and programs from disk, with every problem listed.

use super::Stop;
use crate::config::{self, Config};
use crate::program::Programs;
use crate::strict_toml::Problem;
use std::path::{Path, PathBuf};

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

    /// The programs of a station, or the embedded ones with `config` absent; with warnings.
    pub fn programs(&self, config: Option<&Config>) -> Result<(Programs, Vec<Problem>), Stop> {
        let default = config.map_or(crate::program::DEFAULT, |c| c.programs.default.as_str());
        let dir = self.programs.as_ref().or(config.and_then(|c| c.programs.dir.as_ref()));
        let Some(dir) = dir else {
            return Programs::shipped(default).map_err(|p| Stop::usage(listed(&p)));
        };
        let files = program_files(dir)?;
        if files.is_empty() {
            return Err(Stop::usage(format!("{}: no program files (*.toml) in this directory", dir.display())));
        }
        // Without a configuration any file of the directory may be the default.
        let files: Vec<(String, String)> = files;
        let pairs = || files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        match Programs::read(pairs(), default) {
            Err(_) if config.is_none() => {
                let first = files.iter().find_map(|(name, text)| {
                    crate::program::Program::parse(name, text).ok().map(|read| read.value.id().to_string())
                });
                Programs::read(pairs(), first.as_deref().unwrap_or(default))
            }
            done => done,
        }
        .map_err(|p| Stop::usage(listed(&p)))
    }
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
