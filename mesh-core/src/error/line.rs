//! Texts of others on one line.

use std::fmt::{self, Write};

/// Displays what it holds on one line: each run of control characters, with the white space around
/// it, becomes one space. What peers and libraries say may have many lines, or sequences that make
/// a terminal do things.
#[derive(Clone, Copy, Debug)]
pub struct OneLine<T>(pub T);

impl<T: fmt::Display> fmt::Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Line {
            to: f,
            began: false,
            gap: false,
            spaces: 0,
        };
        write!(line, "{}", self.0)
    }
}

/// Passes on what is written to it, gaps closed.
struct Line<'a, 'f> {
    to: &'a mut fmt::Formatter<'f>,
    began: bool,
    /// Whether control characters came since the last character that was passed on.
    gap: bool,
    /// How many spaces came since.
    spaces: usize,
}

impl Write for Line<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !self.gap && self.spaces == 0 && is_plain(text) {
            self.began |= !text.is_empty();
            return self.to.write_str(text);
        }
        text.chars()
            .try_for_each(|character| self.write_char(character))
    }

    fn write_char(&mut self, character: char) -> fmt::Result {
        if character.is_control() {
            self.gap = true;
            return Ok(());
        }
        if character == ' ' {
            self.spaces += 1;
            return Ok(());
        }
        let spaces = match std::mem::take(&mut self.gap) {
            true => usize::from(self.began),
            false => self.spaces,
        };
        self.spaces = 0;
        self.began = true;
        for _ in 0..spaces {
            self.to.write_char(' ')?;
        }
        self.to.write_char(character)
    }
}

/// Whether nothing of a text needs a second look; a space at its end may belong to a gap.
fn is_plain(text: &str) -> bool {
    !text.ends_with(' ') && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::OneLine;

    #[test]
    fn lines_are_joined_by_one_space() {
        let rows = [
            ("", ""),
            ("a b", "a b"),
            ("a  b: c", "a  b: c"),
            ("a\n", "a"),
            ("\n a", "a"),
            ("a\r\n  b \n\n c", "a b c"),
            ("\u{1b}[31mred\u{1b}[0m\u{0}", "[31mred [0m"),
            ("é\u{85}ü", "é ü"),
        ];
        for (text, line) in rows {
            assert_eq!(OneLine(text).to_string(), line, "{text:?}");
        }
    }

    #[test]
    fn parts_are_joined_as_the_whole() {
        let line = OneLine(format_args!("{}{} {}{}", "a ", "\n", "b", " c")).to_string();
        assert_eq!(line, "a b c");
    }
}
