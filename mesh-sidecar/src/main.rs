//! The mesh behind a socket: requests that programs in any language send here go where the control
//! plane says, by the same policy as in a program with the library inside.
//!
//! This program composes: what it does, the libraries do.

mod admin;
mod flags;
mod run;
mod worker;

use std::process::ExitCode;

use clap::{Parser, error::ErrorKind};
use tracing_subscriber::{
    Layer as _, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

use self::flags::Flags;

/// What wrong flags and a wrong bootstrap end with.
const MISUSED: u8 = 2;

fn main() -> ExitCode {
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) => return misused(&error),
    };
    let setup = match flags.setup() {
        Ok(setup) => setup,
        Err(error) => {
            eprintln!("mesh-sidecar: {}", told(&error));
            return MISUSED.into();
        }
    };
    let lines = fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(lines.with_filter(flags.log_level))
        .init();
    match run::run(setup) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mesh-sidecar: {}", told(&error));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes, in one line; what is said already is not said again.
fn told(error: &anyhow::Error) -> String {
    let causes = error.chain().map(ToString::to_string);
    let told = causes.reduce(|told, cause| match told.contains(&cause) {
        true => told,
        false => format!("{told}: {cause}"),
    });
    told.unwrap_or_default().replace('\n', " ")
}

/// What was asked for, as `--help`; or one line that says what is wrong.
fn misused(error: &clap::Error) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            print!("{error}");
            ExitCode::SUCCESS
        }
        _ => {
            let text = error.to_string();
            let wrong: Vec<_> = text
                .lines()
                .take_while(|line| !line.is_empty())
                .map(str::trim)
                .collect();
            let wrong = wrong.join(" ");
            eprintln!(
                "mesh-sidecar: {} (see --help)",
                wrong.trim_start_matches("error: ")
            );
            MISUSED.into()
        }
    }
}
