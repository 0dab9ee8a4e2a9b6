//! Chains, runs and the fault filter, driven by hand.

mod chain;
mod fault;
mod run;

use std::{
    future::{pending, ready},
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};

use super::*;
use crate::{
    config::ListenerConfig,
    config::{ConfigError, FieldPath, FilterConfig, FilterKind, FilterOverride, FilterOverrides},
    policy::route::Scope,
};

/// A timer that notes what is asked of it; its sleeps have ended, or never do.
#[derive(Debug, Default)]
struct Clock {
    endless: bool,
    asked: Mutex<Vec<Duration>>,
}

impl Timer for Clock {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.asked.lock().unwrap().push(duration);
        match self.endless {
            true => Box::pin(pending()),
            false => Box::pin(ready(())),
        }
    }
}

fn poll<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn finished(mut future: VerdictFuture) -> Verdict {
    match poll(future.as_mut()) {
        Poll::Ready(verdict) => verdict,
        Poll::Pending => panic!("the wait has not ended"),
    }
}

fn request_head() -> request::Parts {
    Request::get("http://shop.test/")
        .body(())
        .unwrap()
        .into_parts()
        .0
}

fn response_head() -> response::Parts {
    http::Response::new(()).into_parts().0
}

/// The values of `x-seen`, in order.
fn seen(headers: &http::HeaderMap) -> Vec<&str> {
    let lines = headers.get_all("x-seen").iter();
    lines.map(|line| line.to_str().unwrap()).collect()
}

/// A filter that notes itself in `x-seen` of both heads and does what its configuration says.
#[derive(Debug)]
struct Noting(String);

const NOTING: &str = "type.test/noting";

impl HttpFilter for Noting {
    fn on_request(&self, cx: &mut FilterContext<'_>, head: &mut request::Parts) -> Verdict {
        let (name, does) = self.0.split_once(' ').unwrap_or((&self.0, ""));
        head.headers
            .append("x-seen", HeaderValue::from_str(name).unwrap());
        *cx.state::<String>() += name;
        let after = |verdict| Verdict::Wait(Box::pin(ready(verdict)));
        let edit = || {
            Verdict::Edit(Box::new(|head| {
                head.headers
                    .append("x-seen", HeaderValue::from_static("edit"));
            }))
        };
        let reply = || Verdict::Reply(LocalReply::new(StatusCode::FORBIDDEN, "no"));
        match does {
            "" => Verdict::Continue,
            "reply" => reply(),
            "reroute" => Verdict::Reroute,
            "edit" => edit(),
            "wait" => after(Verdict::Continue),
            "wait wait reply" => after(after(reply())),
            "wait edit" => after(edit()),
            other => panic!("{other}"),
        }
    }

    fn on_response(&self, cx: &mut FilterContext<'_>, head: &mut response::Parts) {
        let kept = cx.state::<String>().clone();
        head.headers
            .append("x-seen", HeaderValue::from_str(&kept).unwrap());
    }
}

fn registry() -> FilterRegistry {
    let mut registry = FilterRegistry::with_active_faults(ActiveFaults::default());
    registry.register(NOTING, |bytes| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        match text.strip_prefix("bad ") {
            None => Ok(Arc::new(Noting(text))),
            Some(field) => Err(ConfigError::new(&FieldPath::root().field(field), "is bad")),
        }
    });
    registry
}

fn noting(does: &str) -> FilterKind {
    FilterKind::Custom {
        type_url: NOTING.into(),
        value: Bytes::copy_from_slice(does.as_bytes()),
    }
}

fn filter(name: &str, kind: FilterKind) -> FilterConfig {
    FilterConfig {
        name: name.into(),
        kind,
        disabled: false,
    }
}

/// A listener of noting filters, named by the first word of what they do.
fn listener(filters: &[&str]) -> ListenerConfig {
    let named = |does: &&str| filter(does.split(' ').next().unwrap(), noting(does));
    ListenerConfig {
        filters: filters.iter().map(named).collect(),
        ..ListenerConfig::new("listener")
    }
}

fn scope(overrides: &[(&str, FilterOverride)]) -> Scope {
    let overrides = overrides
        .iter()
        .map(|(name, what)| (Arc::from(*name), what.clone()))
        .collect();
    Scope {
        layers: vec![FilterOverrides(Some(Arc::new(overrides)))],
    }
}

fn build(listener: &ListenerConfig, scopes: &[Scope]) -> FilterChains {
    FilterChains::build(listener, scopes, &registry(), None).unwrap()
}

fn run(filters: &[&str]) -> FilterRun {
    let chains = build(&listener(filters), &[Scope::default()]);
    FilterRun::new(chains.get(0).unwrap().clone(), 7, false)
}
