//! The text of a refusal: every error of a response under the name of its resource, within bounds.

use mesh_proto::google::rpc::Status;

/// `google.rpc.Code.INVALID_ARGUMENT`.
const INVALID_ARGUMENT: i32 = 3;
/// Kept free for saying how many errors were left out.
const TAIL: usize = 32;

/// All that is wrong with one response.
#[derive(Debug)]
pub(crate) struct Rejections {
    text: String,
    count: usize,
    omitted: usize,
    limit: usize,
}

impl Rejections {
    /// Nothing is wrong yet; the text will begin with our `node` id, by which a control plane's log
    /// tells clients apart, and have at most `limit` bytes.
    pub(crate) fn new(node: &str, limit: usize) -> Self {
        Self {
            text: format!("node {:?}: ", shorten(node, limit / 4)),
            count: 0,
            omitted: 0,
            limit,
        }
    }

    /// Notes an error, of the resource `name` if it could be read.
    pub(crate) fn push(&mut self, name: Option<&str>, reason: &str) {
        let separator = if self.count == 0 { "" } else { "; " };
        self.count += 1;
        let room = self
            .limit
            .saturating_sub(TAIL)
            .saturating_sub(self.text.len());
        let line = match name {
            Some(name) => format!("{separator}{name:?}: {reason}"),
            None => format!("{separator}{reason}"),
        };
        if line.len() > room {
            self.omitted += 1;
        }
        self.text.push_str(shorten(&line, room));
    }

    /// How many errors there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// The error for the server, if anything is wrong (gRFC A27: its presence makes a NACK).
    pub(crate) fn into_status(mut self) -> Option<Status> {
        if self.count == 0 {
            return None;
        }
        if self.omitted > 0 {
            self.text.push_str(&format!(" ... ({} cut)", self.omitted));
        }
        Some(Status {
            code: INVALID_ARGUMENT,
            message: self.text,
            details: Vec::new(),
        })
    }
}

/// The front of `text` that fits into `limit` bytes.
pub(crate) fn shorten(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_stands_under_its_name() {
        let mut rejections = Rejections::new("n1", 4096);
        rejections.push(Some("a"), "route_config: missing");
        rejections.push(None, "does not decode");
        let status = rejections.into_status().expect("errors");
        assert_eq!(status.code, INVALID_ARGUMENT);
        assert_eq!(
            status.message,
            r#"node "n1": "a": route_config: missing; does not decode"#
        );
    }

    #[test]
    fn the_text_is_bounded_and_says_what_was_cut() {
        let mut rejections = Rejections::new("n1", 256);
        for _ in 0..10_000 {
            rejections.push(Some("größe"), "ä".repeat(100).as_str());
        }
        let message = rejections.into_status().expect("errors").message;
        assert!(message.len() <= 256, "{}", message.len());
        assert!(message.ends_with(" ... (9999 cut)"), "{message}");
    }

    #[test]
    fn nothing_wrong_is_no_error() {
        assert_eq!(Rejections::new("n1", 64).into_status(), None);
    }
}
