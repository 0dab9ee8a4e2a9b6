//! Names in the one spelling under which they are compared.

use std::borrow::Cow;

/// The spelling of a name under which equal names are equal.
///
/// Only `xdstp:` names have more than one: their context parameters may come in any order and are
/// sorted by key (gRFC A47). Everything else is compared as it is.
#[must_use]
pub fn canonical(name: &str) -> Cow<'_, str> {
    if !name.starts_with("xdstp:") {
        return Cow::Borrowed(name);
    }
    // A directive, if any, comes behind the parameters.
    let (front, directive) = match name.find('#') {
        Some(at) => name.split_at(at),
        None => (name, ""),
    };
    let Some((path, query)) = front.split_once('?') else {
        return Cow::Borrowed(name);
    };
    let mut parameters: Vec<&str> = query.split('&').collect();
    let key = |parameter: &&str| {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        (key.to_owned(), value.to_owned())
    };
    if parameters.is_sorted_by_key(key) {
        return Cow::Borrowed(name);
    }
    parameters.sort_by_cached_key(key);
    Cow::Owned(format!("{path}?{}{directive}", parameters.join("&")))
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn federation_context_parameter_order_does_not_matter() {
        let sorted = "xdstp://a.example/envoy.config.listener.v3.Listener/x/y?a=1&ab=2&b=3";
        for name in [
            sorted,
            "xdstp://a.example/envoy.config.listener.v3.Listener/x/y?b=3&a=1&ab=2",
            "xdstp://a.example/envoy.config.listener.v3.Listener/x/y?ab=2&b=3&a=1",
        ] {
            assert_eq!(canonical(name), sorted);
        }
        assert_eq!(
            canonical("xdstp://a/t/i?b=1&a=2#z=1"),
            "xdstp://a/t/i?a=2&b=1#z=1"
        );
    }

    #[test]
    fn other_names_stay_as_they_are() {
        for name in [
            "",
            "a?z=1&b=2",
            "xdstp://a/t/i",
            "xdstp://a/t/i#?b=1&a=2",
            "outbound|80||b.c",
        ] {
            assert_eq!(canonical(name), name);
        }
    }
}
