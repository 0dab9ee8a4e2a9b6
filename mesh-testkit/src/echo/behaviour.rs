//! How a server answers, apart from saying what it saw.

use std::time::Duration;

use h2::Reason;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

/// How a request is answered. The default is an ordinary 200.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Behaviour {
    /// The status; 200 unless set.
    pub status: Option<StatusCode>,
    /// The wait before the response's head.
    pub delay: Duration,
    /// A reset with this code instead of a response. Over HTTP/1 the connection closes.
    pub reset: Option<Reason>,
    /// With `reset`: the head and this many bytes of a body come first.
    pub reset_after: Option<usize>,
    /// A body of this many bytes instead of the report.
    pub body_size: Option<usize>,
    /// More response headers.
    pub headers: HeaderMap,
    /// Trailers.
    pub trailers: HeaderMap,
}

impl Behaviour {
    /// Answers with this status.
    ///
    /// # Panics
    /// If it is no HTTP status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("an HTTP status");
        Self {
            status: Some(status),
            ..Self::default()
        }
    }

    /// Resets the stream with this code before any response.
    #[must_use]
    pub fn reset(reason: Reason) -> Self {
        Self {
            reset: Some(reason),
            ..Self::default()
        }
    }

    /// Waits this long before it answers.
    #[must_use]
    pub fn delay(delay: Duration) -> Self {
        Self {
            delay,
            ..Self::default()
        }
    }

    /// The same with a response header.
    ///
    /// # Panics
    /// If name or value are not valid.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        let (name, value) = pair(name, value).expect("a valid header");
        self.headers.append(name, value);
        self
    }

    /// The same with a trailer.
    ///
    /// # Panics
    /// If name or value are not valid.
    #[must_use]
    pub fn with_trailer(mut self, name: &str, value: &str) -> Self {
        let (name, value) = pair(name, value).expect("a valid trailer");
        self.trailers.append(name, value);
        self
    }

    /// This, overridden by what the request's headers ask for. An error names the header that
    /// makes no sense.
    pub(super) fn overridden_by(mut self, request: &HeaderMap) -> Result<Self, &'static str> {
        if let Some(status) = number(request, "x-echo-status")? {
            let status = u16::try_from(status).ok();
            let status = status.and_then(|status| StatusCode::from_u16(status).ok());
            self.status = Some(status.ok_or("x-echo-status")?);
        }
        if let Some(delay) = number(request, "x-echo-delay-ms")? {
            self.delay = Duration::from_millis(delay);
        }
        if let Some(reason) = text(request, "x-echo-reset")? {
            self.reset = Some(reset_reason(reason).ok_or("x-echo-reset")?);
        }
        if let Some(after) = number(request, "x-echo-reset-after")? {
            self.reset_after = Some(usize::try_from(after).map_err(|_| "x-echo-reset-after")?);
        }
        if let Some(size) = number(request, "x-echo-body-size")? {
            self.body_size = Some(usize::try_from(size).map_err(|_| "x-echo-body-size")?);
        }
        append(request, "x-echo-headers", &mut self.headers)?;
        append(request, "x-echo-trailers", &mut self.trailers)?;
        Ok(self)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, &'static str> {
    let value = headers.get(name).map(HeaderValue::to_str);
    value.transpose().map_err(|_| name)
}

fn number(headers: &HeaderMap, name: &'static str) -> Result<Option<u64>, &'static str> {
    let value = text(headers, name)?.map(str::parse);
    value.transpose().map_err(|_| name)
}

fn pair(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((name.trim().parse().ok()?, value.trim().parse().ok()?))
}

fn append(request: &HeaderMap, name: &'static str, to: &mut HeaderMap) -> Result<(), &'static str> {
    let Some(list) = text(request, name)? else {
        return Ok(());
    };
    for item in list.split(',') {
        let (key, value) = item.split_once('=').ok_or(name)?;
        let (key, value) = pair(key, value).ok_or(name)?;
        to.append(key, value);
    }
    Ok(())
}

fn reset_reason(text: &str) -> Option<Reason> {
    if let Ok(code) = text.parse::<u32>() {
        return Some(code.into());
    }
    (0..=13_u32).map(Reason::from).find(|reason| {
        let name = format!("{reason:?}");
        name.eq_ignore_ascii_case(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_codes_by_name_and_number() {
        assert_eq!(reset_reason("refused_stream"), Some(Reason::REFUSED_STREAM));
        assert_eq!(reset_reason("8"), Some(Reason::CANCEL));
        assert_eq!(reset_reason("what"), None);
    }

    #[test]
    fn names_the_header_that_makes_no_sense() {
        let mut request = HeaderMap::new();
        request.insert("x-echo-status", HeaderValue::from_static("never"));
        let answer = Behaviour::default().overridden_by(&request);
        assert_eq!(answer, Err("x-echo-status"));
    }
}
