use super::*;
use crate::config::{
    FaultAbort, FaultConfig, FaultDelay, Fraction, HeaderMatch, HeaderMatchKind, HeaderSource,
};

const SECOND: Duration = Duration::from_secs(1);

fn both() -> FaultConfig {
    FaultConfig {
        delay: Some((FaultDelay::Fixed(SECOND), Fraction::ONE)),
        abort: Some((FaultAbort::Http(503), Fraction::ONE)),
        ..FaultConfig::default()
    }
}

fn faulty(config: FaultConfig, gauge: &ActiveFaults) -> FilterRun {
    FilterRun::new(chain(config, gauge), 7, false)
}

fn chain(config: FaultConfig, gauge: &ActiveFaults) -> FilterChain {
    let kind = FilterKind::Fault(Arc::new(config));
    let listener = ListenerConfig {
        filters: vec![filter("fault", kind)],
        ..ListenerConfig::new("listener")
    };
    let registry = FilterRegistry::with_active_faults(gauge.clone());
    let chains = FilterChains::build(&listener, &[Scope::default()], &registry, None).unwrap();
    chains.get(0).unwrap().clone()
}

#[test]
fn a_delay_comes_before_the_abort() {
    let (clock, gauge) = (Clock::default(), ActiveFaults::default());
    let mut run = faulty(both(), &gauge);
    let mut head = request_head();
    let Step::Wait(future) = run.on_request(&clock, &mut head) else {
        panic!("{run:?}");
    };
    assert_eq!(*clock.asked.lock().unwrap(), [SECOND]);
    assert_eq!(gauge.count(), 1);
    let step = run.resume(finished(future), &clock, &mut head);
    let Step::Reply(reply) = step else {
        panic!("{step:?}");
    };
    assert_eq!((reply.status.as_u16(), reply.flag), (503, "DI,FI"));
    assert_eq!(gauge.count(), 0);
}

#[test]
fn a_delay_alone_lets_the_request_pass() {
    let (clock, gauge) = (Clock::default(), ActiveFaults::default());
    let config = FaultConfig {
        abort: None,
        ..both()
    };
    let mut run = faulty(config, &gauge);
    let (mut head, note) = (request_head(), DelayNote::default());
    head.extensions.insert(note.clone());
    assert!(!note.is_written());
    let Step::Wait(future) = run.on_request(&clock, &mut head) else {
        panic!("{run:?}");
    };
    let step = run.resume(finished(future), &clock, &mut head);
    assert!(matches!(step, Step::Done), "{step:?}");
    assert!(note.is_written());
}

#[test]
fn a_request_that_is_given_up_frees_its_place() {
    let clock = Clock {
        endless: true,
        ..Clock::default()
    };
    let gauge = ActiveFaults::default();
    let limited = FaultConfig {
        max_active: Some(1),
        ..both()
    };
    let start = || {
        let mut run = faulty(limited.clone(), &gauge);
        let step = run.on_request(&clock, &mut request_head());
        (run, step)
    };
    let (_run, held) = start();
    let Step::Wait(mut held) = held else {
        panic!("{held:?}");
    };
    assert!(poll(held.as_mut()).is_pending());
    // No place is left: no fault happens.
    assert!(matches!(start().1, Step::Done));
    drop(held);
    assert_eq!(gauge.count(), 0);
    assert!(matches!(start().1, Step::Wait(_)));
}

#[test]
fn an_abort_needs_a_place_too_and_gives_it_back_at_once() {
    let (clock, gauge) = (Clock::default(), ActiveFaults::default());
    let config = FaultConfig {
        delay: None,
        max_active: Some(1),
        ..both()
    };
    let mut head = request_head();
    let step = faulty(config.clone(), &gauge).on_request(&clock, &mut head);
    assert!(
        matches!(&step, Step::Reply(reply) if reply.flag == "FI"),
        "{step:?}"
    );
    assert_eq!(gauge.count(), 0);
    let place = gauge.enter(None);
    let step = faulty(config, &gauge).on_request(&clock, &mut head);
    assert!(matches!(step, Step::Done), "{step:?}");
    drop(place);
}

#[test]
fn only_requests_that_satisfy_every_condition_are_concerned() {
    let (clock, gauge) = (Clock::default(), ActiveFaults::default());
    let present = |name| HeaderMatch {
        source: HeaderSource::Header(http::HeaderName::from_static(name)),
        kind: HeaderMatchKind::Present(true),
        invert: false,
        missing_as_empty: false,
    };
    let config = FaultConfig {
        delay: None,
        headers: vec![present("x-one"), present("x-two")],
        ..both()
    };
    let cases: [(&[&'static str], bool); 3] = [
        (&[], false),
        (&["x-one"], false),
        (&["x-one", "x-two"], true),
    ];
    for (names, aborted) in cases {
        let mut head = request_head();
        for name in names {
            head.headers.insert(*name, HeaderValue::from_static("1"));
        }
        let step = faulty(config.clone(), &gauge).on_request(&clock, &mut head);
        assert_eq!(matches!(step, Step::Reply(_)), aborted, "{names:?}");
    }
}

#[test]
fn the_filter_is_idle_for_exactly_those_that_it_lets_pass() {
    let half = Fraction::new(1, 2);
    let asked_for = FaultConfig {
        abort: Some((FaultAbort::Header { denominator: 100 }, Fraction::ONE)),
        ..FaultConfig::default()
    };
    let drawn = FaultConfig {
        delay: Some((FaultDelay::Fixed(SECOND), half)),
        abort: Some((FaultAbort::Http(503), half)),
        headers: vec![HeaderMatch {
            source: HeaderSource::Header("x-user".parse().unwrap()),
            kind: HeaderMatchKind::Present(true),
            invert: false,
            missing_as_empty: false,
        }],
        ..FaultConfig::default()
    };
    let mut idle = 0;
    for (config, name) in [
        (&asked_for, "x-envoy-fault-abort-request"),
        (&drawn, "x-user"),
    ] {
        for draw in 0..400 {
            for value in [None, Some("503")] {
                let mut head = request_head();
                if let Some(value) = value {
                    head.headers.insert(name, HeaderValue::from_static(value));
                }
                let clock = Clock::default();
                let chain = chain(config.clone(), &ActiveFaults::default());
                let passes = chain.is_idle(draw, &RequestHead::of_parts(&head));
                let mut run = FilterRun::new(chain, draw, false);
                let step = run.on_request(&clock, &mut head);
                assert_eq!(
                    passes,
                    matches!(step, Step::Done),
                    "draw {draw}, {value:?}: {step:?}"
                );
                idle += usize::from(passes);
            }
        }
    }
    // All without the header, and a quarter of those with a share.
    assert!((850..950).contains(&idle), "{idle} of 1600");
}
