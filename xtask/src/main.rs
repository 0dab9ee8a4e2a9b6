//! Chores of the repository, run as `cargo run -p xtask -- <chore>`.

use std::process::ExitCode;

mod proto;

const USAGE: &str = "usage: cargo run -p xtask -- <chore>

chores:
  proto           regenerate the protobuf code of mesh-proto, mesh-testkit and examples
  proto --check   fail, naming the files, if the committed code is not what would be generated
  proto --list    print the .proto files that mesh-proto is generated from";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["proto"] => proto::write(),
        ["proto", "--check"] => proto::check(),
        ["proto", "--list"] => proto::list(),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
