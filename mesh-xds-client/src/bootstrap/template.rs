//! Names of resources made from names of services.

use std::fmt::Write;

/// A name with `%s` in place of what is named.
#[derive(Clone, Copy, Debug)]
pub(super) struct Template<'a>(pub(super) &'a str);

impl Template<'_> {
    /// The name with `name` filled in. It is percent-encoded, slashes kept, where the template is an
    /// `xdstp:` URI, and taken as it is elsewhere (gRFC A47).
    pub(super) fn fill(self, name: &str) -> String {
        if self.0.starts_with("xdstp:") {
            self.0.replace("%s", &encode(name))
        } else {
            self.0.replace("%s", name)
        }
    }
}

/// Encodes all that cannot stand in the path of a URI (RFC 3986, `pchar`).
fn encode(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_xdstp_names_are_encoded() {
        let name = "a b/[::1]:80%";
        assert_eq!(Template("x/%s").fill(name), "x/a b/[::1]:80%");
        assert_eq!(
            Template("xdstp://auth/Listener/%s?k=v").fill(name),
            "xdstp://auth/Listener/a%20b/%5B::1%5D:80%25?k=v"
        );
        assert_eq!(Template("fixed").fill(name), "fixed");
    }
}
