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

/// A watch with limits that stay.
struct Watched {
    watch: Watch,
    limits: Limits,
}

impl Watched {
    fn of(limits: Limits) -> (Arc<Activity>, Self) {
        let now = clock::now();
        let activity = Arc::new(Activity::new(now));
        let watch = Watch::new(Arc::clone(&activity), limits, now);
        (activity, Self { watch, limits })
    }

    async fn ends(&mut self) -> Late {
        poll_fn(|cx| self.watch.poll(cx, || self.limits)).await
    }

    /// After how many seconds, from now, the connection is late, and by what.
    async fn late(&mut self) -> (u64, Late) {
        let start = clock::now();
        let late = self.ends().await;
        ((clock::now() - start).as_secs(), late)
    }
}

#[tokio::test(start_paused = true)]
async fn each_phase_has_its_clocks() {
    let (_idle, mut watch) = Watched::of(limits(7, 3, 2, 1));
    assert_eq!(watch.late().await, (7, Late::Connection));

    for (limits, expected) in [
        (limits(1, 3, 4, 5), (3, Late::Stream)),
        (limits(1, 4, 3, 5), (3, Late::Head)),
        (limits(1, 5, 4, 3), (3, Late::Request)),
        (limits(1, 300, 0, 0), (300, Late::Stream)),
        (limits(1, 0, 0, 1_000), (1_000, Late::Request)),
    ] {
        let (head, mut watch) = Watched::of(limits);
        head.heard();
        head.settle(clock::now);
        // What comes of a head changes nothing.
        head.heard();
        head.settle(|| panic!("it has begun before"));
        assert_eq!(watch.late().await, expected, "{limits:?}");
    }

    for (arriving, limits, expected) in [
        (true, limits(1, 3, 1, 5), (3, Late::Stream)),
        (true, limits(1, 5, 1, 3), (3, Late::Request)),
        (false, limits(1, 5, 1, 3), (5, Late::Stream)),
    ] {
        let (exchange, mut watch) = Watched::of(limits);
        exchange.begin(clock::now(), arriving);
        assert_eq!(watch.late().await, expected, "{arriving} {limits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn signs_of_life_put_it_off_to_the_second() {
    let (activity, mut watch) = Watched::of(limits(60, 10, 0, 0));
    activity.begin(clock::now(), true);
    for _ in 0..20 {
        let waited = tokio::time::timeout(SECOND * 9, watch.ends());
        assert!(waited.await.is_err());
        activity.touch(clock::now());
    }
    assert_eq!(watch.late().await, (10, Late::Stream));
}

#[tokio::test(start_paused = true)]
async fn what_begins_late_is_not_seen_late() {
    let (activity, mut watch) = Watched::of(limits(3_600, 10, 5, 0));
    for _ in 0..50 {
        let wait = SECOND * 37;
        let waited = tokio::time::timeout(wait, watch.ends());
        assert!(waited.await.is_err());
        activity.begin(clock::now(), false);
        activity.end();
    }
    activity.heard();
    activity.settle(clock::now);
    assert_eq!(watch.late().await, (5, Late::Head));
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_request_runs_from_its_first_byte() {
    let (activity, mut watch) = Watched::of(limits(60, 50, 0, 10));
    activity.heard();
    activity.settle(clock::now);
    tokio::time::advance(SECOND * 4).await;
    activity.begin(clock::now(), true);
    assert_eq!(watch.late().await, (6, Late::Request));
}

#[tokio::test(start_paused = true)]
async fn limits_that_change_hold_for_what_is_under_way() {
    let (activity, mut watch) = Watched::of(limits(60, 60, 0, 0));
    activity.begin(clock::now(), false);
    watch.limits = limits(60, 90, 0, 0);
    assert_eq!(watch.late().await, (90, Late::Stream));
}

#[test]
fn what_the_configuration_says_counts() {
    let options = ListenOptions {
        request_timeout: Some(SECOND),
        ..ListenOptions::default()
    };
    let said = |timeouts| Limits::of(&options, timeouts);
    assert_eq!(said(ClientTimeouts::default()), limits(3_600, 300, 0, 1));
    let all = ClientTimeouts {
        idle: Some(SECOND),
        stream_idle: Some(Duration::ZERO),
        request_headers: Some(SECOND * 2),
        request: Some(Duration::ZERO),
    };
    assert_eq!(said(all), limits(1, 0, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_a_route_counts_for_its_request_alone() {
    let (activity, mut watch) = Watched::of(limits(3_600, 30, 0, 0));
    for (said, expected) in [(2, 2), (100, 100)] {
        activity.begin(clock::now(), false);
        activity.limit(SECOND * said);
        assert_eq!(watch.late().await, (expected, Late::Stream));
    }
    activity.begin(clock::now(), false);
    activity.limit(Duration::ZERO);
    let waited = tokio::time::timeout(SECOND * 10_000, watch.ends());
    assert!(waited.await.is_err());
    activity.begin(clock::now(), false);
    assert_eq!(watch.late().await, (30, Late::Stream));
}
