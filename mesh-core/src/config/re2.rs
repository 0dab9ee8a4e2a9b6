//! What RE2 writes otherwise than our library of expressions (RE2, "Syntax").

use std::borrow::Cow;

/// The classes of POSIX, which both know.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
    "space", "upper", "word", "xdigit",
];

/// What our library has to be told for it to mean what RE2 means by `source`.
///
/// - `\d`, `\s`, `\w` and their opposites are of ASCII alone. Those of Unicode match more, and are so
///   large that a thousand routes with `\w+` would take 100 MiB.
/// - In a class, `[`, `&`, `~` and a `-` that makes no range stand for themselves: there are no classes
///   in classes, and no intersections or differences of them.
/// - A brace that does not repeat anything stands for itself, and so do `\<` and `\>`.
/// - What is between `\Q` and `\E` stands for itself.
///
/// What only our library knows, as some flags, or repetitions of repetitions, is left as it is.
pub(super) fn translated(source: &str) -> Cow<'_, str> {
    if !source.contains(['\\', '[', '{']) {
        return Cow::Borrowed(source);
    }
    let mut text = String::with_capacity(source.len() + 32);
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        rest = match c {
            '\\' => quoted_or_escaped(rest, &mut text),
            '[' => class(rest, &mut text),
            '{' if !repeats(rest) => literal(rest, &mut text),
            _ => {
                text.push(c);
                &rest[c.len_utf8()..]
            }
        };
    }
    Cow::Owned(text)
}

/// Takes a backslash and what belongs to it; gives what follows, as all of these do.
fn quoted_or_escaped<'s>(rest: &'s str, text: &mut String) -> &'s str {
    let Some(quoted) = rest.strip_prefix(r"\Q") else {
        return escaped(rest, text);
    };
    let (quoted, rest) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
    text.push_str(&regex::escape(quoted));
    rest
}

fn escaped<'s>(rest: &'s str, text: &mut String) -> &'s str {
    let mut chars = rest.chars();
    chars.next();
    // Inside of a class these are classes in a class.
    match chars.next() {
        Some('d') => text.push_str("[0-9]"),
        Some('D') => text.push_str("[^0-9]"),
        Some('s') => text.push_str(r"[\t\n\x0C\r\x20]"),
        Some('S') => text.push_str(r"[^\t\n\x0C\r\x20]"),
        Some('w') => text.push_str("[0-9A-Za-z_]"),
        Some('W') => text.push_str("[^0-9A-Za-z_]"),
        Some(c @ ('<' | '>')) => text.push(c),
        Some(c @ ('x' | 'p' | 'P')) if chars.as_str().starts_with('{') => {
            let end = chars.as_str().find('}').map_or(0, |end| end + 1);
            let (name, rest) = chars.as_str().split_at(end);
            text.extend(['\\', c]);
            text.push_str(name);
            return rest;
        }
        escaped => {
            text.push('\\');
            text.extend(escaped);
        }
    }
    chars.as_str()
}

fn class<'s>(rest: &'s str, text: &mut String) -> &'s str {
    let mut rest = &rest[1..];
    text.push('[');
    if let Some(more) = rest.strip_prefix('^') {
        text.push('^');
        rest = more;
    }
    let mut first = true;
    // One that is not closed the library refuses.
    while !rest.is_empty() {
        if rest.starts_with(']') && !first {
            text.push(']');
            return &rest[1..];
        }
        first = false;
        if let Some(name) = posix(rest) {
            text.push_str(name);
            rest = &rest[name.len()..];
            continue;
        }
        let many = rest.starts_with('\\')
            && rest[1..].starts_with(['d', 'D', 's', 'S', 'w', 'W', 'p', 'P']);
        rest = member(rest, text);
        let last = rest.strip_prefix('-').filter(|_| !many);
        if let Some(last) = last.filter(|last| !last.is_empty() && !last.starts_with(']')) {
            text.push('-');
            rest = member(last, text);
        }
    }
    rest
}

/// A class of POSIX that `rest` begins with.
fn posix(rest: &str) -> Option<&str> {
    let inner = rest.strip_prefix("[:")?;
    let end = inner.find(":]")?;
    let name = inner[..end].trim_start_matches('^');
    POSIX.contains(&name).then(|| &rest[..end + 4])
}

fn member<'s>(rest: &'s str, text: &mut String) -> &'s str {
    match rest.chars().next() {
        Some('\\') => escaped(rest, text),
        Some('[' | ']' | '&' | '~' | '-' | '^') => literal(rest, text),
        Some(c) => {
            text.push(c);
            &rest[c.len_utf8()..]
        }
        None => rest,
    }
}

/// Takes a character of ASCII that stands for itself.
fn literal<'s>(rest: &'s str, text: &mut String) -> &'s str {
    text.push('\\');
    text.push_str(&rest[..1]);
    &rest[1..]
}

/// Whether the brace that `rest` begins with repeats something: `{1}`, `{1,}` or `{1,2}`.
fn repeats(rest: &str) -> bool {
    let inner = rest[1..].split_once('}').map(|(inner, _)| inner);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    inner.is_some_and(|inner| match inner.split_once(',') {
        Some((least, most)) => is_number(least) && (most.is_empty() || is_number(most)),
        None => is_number(inner),
    })
}

#[cfg(test)]
mod tests {
    use crate::config::Pattern;

    #[test]
    fn expressions_mean_what_they_mean_to_re2() {
        for (source, yes, no) in [
            ("[a&&b]", "&", "c"),
            ("[a&&b]+", "a&b", ""),
            ("[a[b]", "[", "c"),
            ("[a~~b]", "~", "c"),
            ("[+--]", ",", "a"),
            ("[--/]", ".", "a"),
            ("[a-]", "-", "b"),
            ("[]a]", "]", "b"),
            ("[^]a]", "b", "]"),
            ("[a^]", "^", "b"),
            ("[[:alpha:]_]", "_", ":"),
            ("[[:^alpha:]]", ":", "a"),
            (r"[\d-z]", "-", "a"),
            (r"[\]a]", "]", r"\"),
            (r"[\x{61}-c]", "b", "x"),
            (r"\<a\>", "<a>", "a"),
            (r"\Qa.b\E+", "a.bb", "axb"),
            (r"\Q[a", "[a", "a"),
            ("/users/{id}", "/users/{id}", "/users/1"),
            ("a{,2}", "a{,2}", "aa"),
            ("a{b", "a{b", "a"),
            ("a{2}b{1,}c{0,1}", "aabb", "a{2}b"),
            (r"\x{4a}", "J", "x"),
        ] {
            let pattern = Pattern::new(source).unwrap();
            assert!(pattern.is_match(yes.as_bytes()), "{source} on {yes:?}");
            assert!(!pattern.is_match(no.as_bytes()), "{source} on {no:?}");
        }
        for source in ["[", "[a", "[^", r"[\", r"\", "a{2", r"\x{", "[[:alpha:]"] {
            // Refused or not, without a panic.
            let _ = Pattern::new(source);
        }
    }
}
