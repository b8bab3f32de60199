//! `cargo bench`: the stages of `backdock bench`, by the program itself, because two of them start it
//! as a daemon. What stands behind `--` goes on to it: `cargo bench -- --quick scan`.

use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    // Cargo's own word to every bench.
    let ours = std::env::args().skip(1).filter(|arg| arg != "--bench");
    match Command::new(env!("CARGO_BIN_EXE_backdock")).arg("bench").args(ours).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("backdock could not be started: {e}");
            ExitCode::FAILURE
        }
    }
}
