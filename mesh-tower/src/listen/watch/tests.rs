use std::future::poll_fn;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn limits(idle: u64, stream_idle: u64, head: u64, request: u64) -> Limits {
    let seconds = |seconds| Some(SECOND * seconds as u32).filter(|it| !it.is_zero());
    Limits {
        idle: seconds(idle),
        stream_idle: seconds(stream_idle),
        request_headers: seconds(head),
        request: seconds(request),
    }
}

/// After how many seconds, from now, a connection is late, and by what.
async fn late(watch: &mut Watch) -> (u64, Late) {
    let start = clock::now();
    let late = poll_fn(|cx| watch.poll(cx)).await;
    ((clock::now() - start).as_secs(), late)
}

fn watched(limits: Limits) -> (Arc<Activity>, Watch) {
    let now = clock::now();
    let activity = Arc::new(Activity::new(now));
    (Arc::clone(&activity), Watch::new(activity, limits, now))
}

#[tokio::test(start_paused = true)]
async fn each_phase_has_its_clocks() {
    let (_idle, mut watch) = watched(limits(7, 3, 2, 1));
    assert_eq!(late(&mut watch).await, (7, Late::Connection));

    for (limits, expected) in [
        (limits(1, 3, 4, 5), (3, Late::Stream)),
        (limits(1, 4, 3, 5), (3, Late::Head)),
        (limits(1, 5, 4, 3), (3, Late::Request)),
        (limits(1, 300, 0, 0), (300, Late::Stream)),
        (limits(1, 0, 0, 1_000), (1_000, Late::Request)),
    ] {
        let (head, mut watch) = watched(limits);
        head.heard();
        head.settle(clock::now);
        // What comes of a head changes nothing.
        head.heard();
        head.settle(|| panic!("it has begun before"));
        assert_eq!(late(&mut watch).await, expected, "{limits:?}");
    }

    for (arriving, limits, expected) in [
        (true, limits(1, 3, 1, 5), (3, Late::Stream)),
        (true, limits(1, 5, 1, 3), (3, Late::Request)),
        (false, limits(1, 5, 1, 3), (5, Late::Stream)),
    ] {
        let (exchange, mut watch) = watched(limits);
        exchange.begin(clock::now(), arriving);
        assert_eq!(late(&mut watch).await, expected, "{arriving} {limits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn signs_of_life_put_it_off_to_the_second() {
    let (activity, mut watch) = watched(limits(60, 10, 0, 0));
    activity.begin(clock::now(), true);
    for _ in 0..20 {
        let waited = tokio::time::timeout(SECOND * 9, poll_fn(|cx| watch.poll(cx)));
        assert!(waited.await.is_err());
        activity.touch(clock::now());
    }
    assert_eq!(late(&mut watch).await, (10, Late::Stream));
}

#[tokio::test(start_paused = true)]
async fn what_begins_late_is_not_seen_late() {
    let (activity, mut watch) = watched(limits(3_600, 10, 5, 0));
    for _ in 0..50 {
        let wait = SECOND * 37;
        let waited = tokio::time::timeout(wait, poll_fn(|cx| watch.poll(cx)));
        assert!(waited.await.is_err());
        activity.begin(clock::now(), false);
        activity.end();
    }
    activity.heard();
    activity.settle(clock::now);
    assert_eq!(late(&mut watch).await, (5, Late::Head));
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_request_runs_from_its_first_byte() {
    let (activity, mut watch) = watched(limits(60, 50, 0, 10));
    activity.heard();
    activity.settle(clock::now);
    tokio::time::advance(SECOND * 4).await;
    activity.begin(clock::now(), true);
    assert_eq!(late(&mut watch).await, (6, Late::Request));
}
