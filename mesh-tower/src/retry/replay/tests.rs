use futures_util::{StreamExt, stream};
use http_body_util::{BodyExt, StreamBody};

use super::*;

fn stream_of(frames: usize, size: usize) -> RequestBody {
    let frame = move |i: usize| Ok(Frame::data(Bytes::from(vec![(i % 251) as u8; size])));
    RequestBody::boxed(StreamBody::new(
        stream::iter(0..frames)
            .map(frame)
            .map(|frame: Result<_, BoxError>| frame),
    ))
}

async fn read(body: RequestBody) -> Result<Bytes, BoxError> {
    Ok(body.collect().await?.to_bytes())
}

#[tokio::test]
async fn a_body_within_the_limit_reads_the_same_again() {
    let replay = Replay::new(stream_of(10, 100), 10 * (100 + FRAME_COST));
    let first = read(replay.body()).await.unwrap();
    assert_eq!(first.len(), 1_000);
    assert!(replay.rewind());
    assert_eq!(read(replay.body()).await.unwrap(), first);
}

#[tokio::test]
async fn an_attempt_given_up_half_way_loses_nothing() {
    let replay = Replay::new(stream_of(10, 10), 10_000);
    let mut first = replay.body();
    for _ in 0..4 {
        first.frame().await.unwrap().unwrap();
    }
    let second = replay.body();
    assert!(
        first.frame().await.unwrap().is_err(),
        "the older attempt reads no further"
    );
    assert_eq!(read(second).await.unwrap().len(), 100);
}

#[tokio::test]
async fn past_the_limit_the_attempt_reads_on_and_nothing_is_kept() {
    let counted = Bound::ReplayBuffer.times();
    let replay = Replay::new(stream_of(10, 100), 500);
    assert_eq!(read(replay.body()).await.unwrap().len(), 1_000);
    assert!(!replay.rewind());
    assert!(Bound::ReplayBuffer.times() > counted);
    assert!(lock(&replay.0).kept.is_empty());
}

#[tokio::test]
async fn a_million_frames_cost_neither_stack_nor_memory() {
    let replay = Replay::new(stream_of(1_000_000, 8), 1 << 20);
    let mut body = replay.body();
    let (mut bytes, mut most) = (0, 0);
    while let Some(frame) = body.frame().await {
        bytes += frame.unwrap().into_data().unwrap().len();
        most = most.max(lock(&replay.0).kept.len());
    }
    assert_eq!(bytes, 8_000_000);
    assert!(most <= (1 << 20) / FRAME_COST, "kept {most} frames");
}

#[tokio::test]
async fn trailers_are_replayed() {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "7".parse().unwrap());
    let frames = vec![
        Ok(Frame::data(Bytes::from("a"))),
        Ok(Frame::trailers(trailers.clone())),
    ];
    let source = RequestBody::boxed(StreamBody::new(
        stream::iter(frames).map(|f: Result<_, BoxError>| f),
    ));
    let replay = Replay::new(source, 1_000);
    for _ in 0..2 {
        let body = replay.body().collect().await.unwrap();
        assert_eq!(body.trailers(), Some(&trailers));
    }
}

#[tokio::test]
async fn a_committed_body_is_read_to_its_end_and_freed() {
    let replay = Replay::new(stream_of(10, 10), 10_000);
    let mut body = replay.body();
    body.frame().await.unwrap().unwrap();
    let state = Arc::clone(&replay.0);
    replay.commit();
    assert_eq!(read(body).await.unwrap().len(), 90);
    assert_eq!(lock(&state).kept.capacity(), 0, "all of it was read");
}

#[tokio::test]
async fn a_commit_keeps_only_what_the_attempt_has_still_to_read() {
    let replay = Replay::new(stream_of(10, 10), 10_000);
    read(replay.body()).await.unwrap();
    let mut second = replay.body();
    for _ in 0..7 {
        second.frame().await.unwrap().unwrap();
    }
    let state = Arc::clone(&replay.0);
    replay.commit();
    assert_eq!(lock(&state).kept.len(), 3);
    assert_eq!(read(second).await.unwrap().len(), 30);
    assert_eq!(lock(&state).kept.capacity(), 0);
}

#[tokio::test]
async fn once_rewound_the_attempt_before_reads_nothing_that_could_outgrow_the_limit() {
    let replay = Replay::new(stream_of(10, 100), 500);
    let mut first = replay.body();
    first.frame().await.unwrap().unwrap();
    assert!(replay.rewind());
    assert!(first.frame().await.unwrap().is_err());
    assert!(!first.is_end_stream());
    assert_eq!(read(replay.body()).await.unwrap().len(), 1_000);
}

#[tokio::test]
async fn a_source_is_not_polled_after_its_end() {
    // Panics if it is.
    let frames = stream::unfold(0, |i| async move {
        let frame = Frame::data(Bytes::from_static(b"x"));
        (i < 3).then_some((Ok::<_, BoxError>(frame), i + 1))
    });
    let replay = Replay::new(RequestBody::boxed(StreamBody::new(frames)), 1_000);
    for _ in 0..3 {
        assert_eq!(read(replay.body()).await.unwrap(), "xxx");
    }
}

#[tokio::test]
async fn a_replayed_body_has_the_length_that_it_had_the_first_time() {
    struct Sized(RequestBody, u64);
    impl Body for Sized {
        type Data = Bytes;
        type Error = BoxError;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            let frame = std::task::ready!(Pin::new(&mut self.0).poll_frame(cx));
            if let Some(Ok(frame)) = &frame {
                self.1 -= frame.data_ref().unwrap().len() as u64;
            }
            Poll::Ready(frame)
        }
        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(self.1)
        }
    }
    let replay = Replay::new(RequestBody::boxed(Sized(stream_of(4, 25), 100)), 1_000);
    let mut first = replay.body();
    assert_eq!(first.size_hint().exact(), Some(100));
    first.frame().await.unwrap().unwrap();
    assert_eq!(first.size_hint().exact(), Some(75));
    let second = replay.body();
    assert_eq!(second.size_hint().exact(), Some(100));
    assert_eq!(read(second).await.unwrap().len(), 100);
    assert_eq!(replay.body().size_hint().exact(), Some(100));
}
