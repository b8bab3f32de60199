//! The front door: arguments in, exit code out. 0 done, 1 failed or refused, 2 wrong use or wrong
//! configuration, 3 done but something needs a person.

use std::process::ExitCode;

fn main() -> ExitCode {
    backdock::cli::main()
}
