//! `backdock shipments import FILE`: shipment records from a CSV file.

use super::journal::progress;
use super::load::Where;
use super::{End, Stop, Verdict, answer, answer_json, run};
use crate::config::Config;
use crate::station;
use crate::station::control::Call;
use crate::station::request::Request;
use crate::store::import::Counts;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Between two looks at a running import.
const ASK_AGAIN: Duration = Duration::from_millis(150);

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Import a file. Rows that cannot be used go to a rejects file; importing twice changes nothing.
    Import {
        file: PathBuf,
        /// Where rejected rows go (default: FILE.rejects.csv).
        #[arg(long, value_name = "FILE")]
        rejects: Option<PathBuf>,
        #[arg(long)]
        json: bool,
    },
}

pub fn main(at: &Where, args: Args) -> Verdict {
    let What::Import { file, rejects, json } = args.what;
    let config = at.config()?;
    let (programs, _) = at.programs(Some(&config))?;
    let rejects = rejects.unwrap_or_else(|| {
        let mut name = file.clone().into_os_string();
        name.push(".rejects.csv");
        name.into()
    });
    let total = match Call::open(&config.station.socket)
        .map_err(|e| Stop::failed(format!("{}: {e}", config.station.socket.display())))?
    {
        Some(call) => through(&config, call, &file, &rejects)?,
        None => {
            let bar = progress("rows");
            bar.set_length(lines(&file)?);
            let done = station::import_alone(config, programs, &file, &rejects, |rows| bar.set_position(rows));
            bar.finish_and_clear();
            done.map_err(run::failed)?
        }
    };
    if json {
        answer_json(&total)?;
    } else {
        answer(format!(
            "{} new, {} changed, {} unchanged, {} rejected",
            total.inserted, total.updated, total.unchanged, total.rejected
        ));
        if total.rejected > 0 {
            answer(format!("rejected rows with line and reason: {}", rejects.display()));
        }
    }
    Ok(if total.rejected > 0 { End::Person } else { End::Done })
}

/// Lines of the file, for the progress bar.
fn lines(file: &Path) -> Result<u64, Stop> {
    let failed = |e: std::io::Error| Stop::failed(format!("{}: {e}", file.display()));
    let mut reader = std::fs::File::open(file).map_err(failed)?;
    let (mut buffer, mut lines) = (vec![0u8; 1 << 16], 0);
    loop {
        match reader.read(&mut buffer).map_err(failed)? {
            0 => return Ok(lines),
            n => lines += buffer[..n].iter().filter(|b| **b == b'\n').count() as u64,
        }
    }
}

/// Through the running daemon. The file is laid into its data directory first: the daemon may see
/// nothing else of the disk.
fn through(config: &Config, mut call: Call, file: &Path, rejects: &Path) -> Result<Counts, Stop> {
    let spool = config.station.data.join(format!("import-{}.csv", std::process::id()));
    let refused = config.station.data.join(format!("import-{}.rejects.csv", std::process::id()));
    std::fs::copy(file, &spool).map_err(|e| Stop::failed(format!("{} to {}: {e}", file.display(), spool.display())))?;
    // The copy has the file's mode; the daemon's user must be able to read it. The directory keeps others out.
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(&spool, readable).map_err(|e| Stop::failed(format!("{}: {e}", spool.display())))?;
    let done = watched(&mut call, file, &spool, &refused);
    let _ = std::fs::remove_file(&spool);
    if refused.exists() {
        std::fs::copy(&refused, rejects).map_err(|e| Stop::failed(format!("{}: {e}", rejects.display())))?;
        let _ = std::fs::remove_file(&refused);
    }
    done
}

fn watched(call: &mut Call, file: &Path, spool: &Path, refused: &Path) -> Result<Counts, Stop> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut ask = |request: &Request| {
        let answer = call.ask(request).map_err(Stop::failed)?;
        if answer.ok { Ok(answer) } else { Err(Stop::failed(answer.text)) }
    };
    ask(&Request::Import { path: spool.to_owned(), name, rejects: refused.to_owned() })?;
    let bar = progress("rows");
    bar.set_length(lines(spool)?);
    loop {
        let told = ask(&Request::Imported {})?;
        let counts: Counts = serde_json::from_value(told.data["counts"].clone()).map_err(Stop::failed)?;
        bar.set_position(counts.inserted + counts.updated + counts.unchanged + counts.rejected);
        if told.data["over"] == true {
            bar.finish_and_clear();
            return Ok(counts);
        }
        std::thread::park_timeout(ASK_AGAIN);
    }
}
