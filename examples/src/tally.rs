//! Counting what came of many calls.

use std::{collections::BTreeMap, fmt::Display, process::ExitCode};

/// Answers and failures by their text.
#[derive(Debug, Default)]
pub struct Tally {
    answers: BTreeMap<String, u32>,
    failures: BTreeMap<String, u32>,
}

impl Tally {
    /// Counts one call.
    pub fn add<E: Display>(&mut self, outcome: Result<String, E>) {
        let count = match outcome {
            Ok(answer) => self.answers.entry(answer),
            // An error of anyhow with all its causes.
            Err(failure) => self.failures.entry(format!("{failure:#}")),
        };
        *count.or_default() += 1;
    }

    /// Prints the answers, and the failures where errors go. A failure fails the program.
    #[must_use]
    pub fn finish(self) -> ExitCode {
        for (answer, count) in &self.answers {
            println!("{count:>6}  {answer}");
        }
        for (failure, count) in &self.failures {
            eprintln!("{count:>6}  {failure}");
        }
        if self.failures.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}
