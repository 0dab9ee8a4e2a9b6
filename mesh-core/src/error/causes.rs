//! An error with what caused it, on one line.

use std::{error::Error, fmt};

use super::OneLine;

/// Displays an error and, each behind a colon, the errors that caused it. A cause that the text has
/// said already is left out: many libraries repeat their causes.
#[derive(Clone, Copy, Debug)]
pub struct Causes<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = OneLine(self.0).to_string();
        let mut next = self.0.source();
        while let Some(cause) = next {
            let text = OneLine(cause).to_string();
            if !told.contains(&text) {
                told.push_str(": ");
                told.push_str(&text);
            }
            next = cause.source();
        }
        f.write_str(&told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Told(&'static str, Option<Box<Told>>);

    impl fmt::Display for Told {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Told {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    fn chain(texts: &[&'static str]) -> Option<Box<Told>> {
        let (first, rest) = texts.split_first()?;
        Some(Box::new(Told(first, chain(rest))))
    }

    #[test]
    fn each_cause_is_told_once() {
        let rows: [(&[&str], &str); 4] = [
            (&["a"], "a"),
            (&["a", "b\nc", "d"], "a: b c: d"),
            (
                &["connect: refused", "refused", "111"],
                "connect: refused: 111",
            ),
            (
                &["connect error", "connect error", "refused"],
                "connect error: refused",
            ),
        ];
        for (texts, line) in rows {
            let error = chain(texts).unwrap();
            assert_eq!(Causes(&*error).to_string(), line);
        }
    }
}
