//! `/explain`: why a request goes where it goes.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header::HOST},
    response::{IntoResponse, Response},
};
use mesh_core::policy::head::RequestHead;

use super::{Admin, Served, json};

/// The request that is asked about.
#[derive(Debug)]
struct Asked {
    listener: Option<String>,
    method: Method,
    path: Uri,
    /// The authority is among them, as `host`.
    headers: HeaderMap,
    draw: u64,
    as_json: bool,
}

pub(super) async fn page(State(admin): State<Arc<Admin>>, RawQuery(query): RawQuery) -> Response {
    let answer =
        Asked::parse(query.as_deref().unwrap_or_default()).and_then(|asked| asked.explain(&admin));
    answer.unwrap_or_else(|wrong| (StatusCode::BAD_REQUEST, format!("{wrong}\n")).into_response())
}

impl Asked {
    fn parse(query: &str) -> Result<Self, String> {
        let mut asked = Self {
            listener: None,
            method: Method::GET,
            path: Uri::from_static("/"),
            headers: HeaderMap::new(),
            draw: 0,
            as_json: false,
        };
        for (name, value) in pairs(query) {
            let wrong = |what: &str| format!("{name}: {value:?} is no {what}");
            match name.as_str() {
                "listener" => asked.listener = Some(value),
                "method" => asked.method = value.parse().map_err(|_| wrong("method"))?,
                "authority" => {
                    let host = value.parse().map_err(|_| wrong("authority"))?;
                    asked.headers.insert(HOST, host);
                }
                "path" => asked.path = value.parse().map_err(|_| wrong("path"))?,
                "draw" => asked.draw = value.parse().map_err(|_| wrong("number"))?,
                "header" => {
                    let (name, value) = header(&value).ok_or_else(|| wrong("name:value"))?;
                    asked.headers.append(name, value);
                }
                "format" => asked.as_json = value == "json",
                _ => return Err(format!("{name}: is not known")),
            }
        }
        Ok(asked)
    }

    fn explain(&self, admin: &Admin) -> Result<Response, String> {
        let served = self.served(admin)?;
        let inspection = served
            .client
            .inspect()
            .ok_or_else(|| format!("listener {} has no configuration", served.listener))?;
        let head = RequestHead::new(&self.method, &self.path, &self.headers);
        let explanation = inspection.explain(&head, self.draw);
        Ok(if self.as_json {
            json(&explanation)
        } else {
            format!("{explanation}\n").into_response()
        })
    }

    /// The listener that is asked about: the only one, or the one that is named.
    fn served<'a>(&self, admin: &'a Admin) -> Result<&'a Served, String> {
        match (&self.listener, &admin.served[..]) {
            (None, [only]) => Ok(only),
            (None, _) => Err("listener: is missing, and there are several".to_owned()),
            (Some(name), all) => all
                .iter()
                .find(|served| served.listener == *name)
                .ok_or_else(|| format!("listener: there is no {name:?}")),
        }
    }
}

fn header(text: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = text.split_once(':')?;
    Some((name.trim().parse().ok()?, value.trim().parse().ok()?))
}

/// The names and values of a query string, decoded.
fn pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    })
}

/// A text without its percent-encoding; what is none stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let escaped = || {
            let digits = str::from_utf8(after.get(..2)?).ok()?;
            u8::from_str_radix(digits, 16).ok()
        };
        match (first, escaped()) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_from_a_query() {
        let asked = Asked::parse(
            "method=POST&authority=shop.test:80&path=%2Forders%3Fa%3Db%26c&header=x-user:ann&header=X-User:+bob&draw=7",
        );
        let asked = asked.expect("a request");
        assert_eq!(asked.method, Method::POST);
        assert_eq!(asked.headers[HOST], "shop.test:80");
        assert_eq!(asked.path, "/orders?a=b&c");
        let users: Vec<_> = asked.headers.get_all("x-user").iter().collect();
        assert_eq!(users, ["ann", "bob"]);
        assert_eq!(asked.draw, 7);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (query, wrong) in [
            ("draw=x", "draw: \"x\" is no number"),
            ("path=a%20b", "path: \"a b\" is no path"),
            ("header=x", "header: \"x\" is no name:value"),
            ("headers=x:y", "headers: is not known"),
        ] {
            assert_eq!(Asked::parse(query).unwrap_err(), wrong);
        }
    }
}
