use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};

use super::{BoxError, RequestBody, ResponseBody};

enum Step {
    Data(&'static str),
    Trailers,
    Pending,
    Error,
}

/// Plays its steps, then ends; says so in advance only if `announces`.
struct Script {
    steps: VecDeque<Step>,
    announces: bool,
}

fn script(announces: bool, steps: impl IntoIterator<Item = Step>) -> Script {
    Script {
        steps: steps.into_iter().collect(),
        announces,
    }
}

fn trailers() -> HeaderMap {
    let mut map = HeaderMap::new();
    map.insert("x-end", HeaderValue::from_static("1"));
    map
}

impl Body for Script {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        Poll::Ready(match self.steps.pop_front() {
            None => None,
            Some(Step::Data(text)) => Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))),
            Some(Step::Trailers) => Some(Ok(Frame::trailers(trailers()))),
            Some(Step::Error) => Some(Err("broken")),
            Some(Step::Pending) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.announces && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.steps.iter().map(|step| match step {
            Step::Data(text) => text.len() as u64,
            _ => 0,
        });
        SizeHint::with_exact(left.sum())
    }
}

fn eager(body: Script) -> Result<RequestBody, BoxError> {
    RequestBody::poll_eager(body, &mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_request_body_stays_small() {
    assert!(size_of::<RequestBody>() <= 32);
}

#[test]
fn bodies_that_end_at_once_become_empty() {
    for announces in [false, true] {
        let body = eager(script(announces, [])).unwrap();
        assert!(body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(0));
    }
}

#[test]
fn a_first_frame_that_is_the_last_becomes_full() {
    for announces in [false, true] {
        let body = eager(script(announces, [Step::Data("abc")])).unwrap();
        assert_eq!(body.as_full().unwrap(), "abc");
        assert!(!body.is_end_stream());
        assert_eq!(body.size_hint().exact(), Some(3));
    }
}

#[tokio::test]
async fn no_frame_is_lost_whatever_was_read_early() {
    use Step::{Data, Pending, Trailers};
    for announces in [false, true] {
        let cases: [(Vec<Step>, &str, bool); 7] = [
            (vec![Pending, Data("a")], "a", false),
            (vec![Data("a"), Pending, Data("b")], "ab", false),
            (vec![Data("a"), Data("b"), Data("c")], "abc", false),
            (vec![Data("a"), Data("b"), Pending, Trailers], "ab", true),
            (vec![Data("a"), Trailers], "a", true),
            (vec![Data("a"), Pending, Trailers], "a", true),
            (vec![Trailers], "", true),
        ];
        for (number, (steps, text, ends_with_trailers)) in cases.into_iter().enumerate() {
            let body = eager(script(announces, steps)).unwrap();
            assert!(body.as_full().is_none(), "case {number}");
            assert!(!body.is_end_stream(), "case {number}");
            assert_eq!(body.size_hint().exact(), Some(text.len() as u64));
            let all = body.collect().await.unwrap();
            let got = all.trailers().cloned();
            assert_eq!(got, ends_with_trailers.then(trailers), "case {number}");
            assert_eq!(all.to_bytes(), text, "case {number}");
        }
    }
}

#[tokio::test]
async fn errors_show_when_they_are_reached() {
    assert_eq!(
        eager(script(false, [Step::Error])).unwrap_err().to_string(),
        "broken"
    );
    let early = eager(script(false, [Step::Data("a"), Step::Error]));
    assert_eq!(early.unwrap_err().to_string(), "broken");
    let late = script(false, [Step::Data("a"), Step::Pending, Step::Error]);
    let error = eager(late).unwrap().collect().await.unwrap_err();
    assert_eq!(error.to_string(), "broken");
}

#[tokio::test]
async fn collecting_twice_does_not_box() {
    let body = RequestBody::eager(Full::from("abc")).await.unwrap();
    let again = RequestBody::eager(body).await.unwrap();
    assert_eq!(again.as_full().unwrap(), "abc");
    assert_eq!(RequestBody::boxed(again).as_full().unwrap(), "abc");
}

#[tokio::test]
async fn a_boxed_body_shows_its_end_and_size() {
    let mut body = RequestBody::boxed(script(true, [Step::Data("abc")]));
    assert!(!body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(3));
    assert!(body.frame().await.unwrap().is_ok());
    assert!(body.is_end_stream());
}

#[tokio::test]
async fn a_full_body_yields_once() {
    let mut body = RequestBody::from(Bytes::from_static(b"x"));
    let frame = body.frame().await.unwrap().unwrap();
    assert_eq!(frame.into_data().unwrap(), "x");
    assert!(body.is_end_stream());
    assert!(body.frame().await.is_none());
    assert!(RequestBody::default().frame().await.is_none());
}

#[tokio::test]
async fn local_responses() {
    let body = ResponseBody::default();
    assert!(body.is_end_stream());
    let body = ResponseBody::full(Bytes::from_static(b"no route"));
    assert_eq!(body.size_hint().exact(), Some(8));
    assert_eq!(body.collect().await.unwrap().to_bytes(), "no route");
    for text in ["", "x"] {
        let body = ResponseBody::with_trailers(Bytes::from_static(text.as_bytes()), trailers());
        assert!(!body.is_end_stream());
        let all = body.collect().await.unwrap();
        assert_eq!(all.trailers(), Some(&trailers()));
        assert_eq!(all.to_bytes(), text);
    }
}
