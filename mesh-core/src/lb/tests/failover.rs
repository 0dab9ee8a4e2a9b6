//! gRFC A56's state machine, as tables: what is reported when, and what is chosen.

use std::time::{Duration, Instant};

use crate::{
    lb::failover::{Choice, FailoverState},
    runtime::Connectivity::{self, Connecting, Failed, Idle, Ready},
};

/// Seconds, connectivity of the priorities, then the chosen one, how many are active, and the
/// seconds of the next timer.
type Step<'a> = (u64, &'a [Connectivity], usize, usize, Option<u64>);

fn run(name: &str, steps: &[Step<'_>]) {
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let mut state = FailoverState::new(Duration::from_secs(10));
    for (number, (seconds, priorities, chosen, active, wake)) in steps.iter().enumerate() {
        let expected = Choice {
            chosen: *chosen,
            active: *active,
            wake: wake.map(at),
        };
        let choice = state.choose(at(*seconds), priorities);
        assert_eq!(choice, Some(expected), "{name}, step {number}");
    }
}

#[test]
fn the_first_priority_has_its_time_to_connect() {
    run(
        "a lower one starts after the timer, not before",
        &[
            (0, &[Connecting, Connecting], 0, 1, Some(10)),
            (9, &[Connecting, Connecting], 0, 1, Some(10)),
            (10, &[Connecting, Connecting], 1, 2, Some(20)),
            (11, &[Connecting, Ready], 1, 2, None),
            (12, &[Ready, Ready], 0, 1, None),
        ],
    );
    run(
        "or at once, when the first fails",
        &[
            (0, &[Connecting, Connecting], 0, 1, Some(10)),
            (1, &[Failed, Connecting], 1, 2, Some(11)),
            (2, &[Failed, Ready], 1, 2, None),
        ],
    );
    run(
        "ready and idle need no timer",
        &[
            (0, &[Idle, Connecting], 0, 1, None),
            (1, &[Ready, Connecting], 0, 1, None),
        ],
    );
}

#[test]
fn the_timer_cannot_be_starved() {
    run(
        "connecting again does not start it again",
        &[
            (0, &[Connecting, Connecting], 0, 1, Some(10)),
            (5, &[Connecting, Connecting], 0, 1, Some(10)),
            (10, &[Connecting, Ready], 1, 2, None),
            (11, &[Connecting, Ready], 1, 2, None),
        ],
    );
    run(
        "nor does connecting after a failure",
        &[
            (0, &[Connecting, Ready], 0, 1, Some(10)),
            (1, &[Failed, Ready], 1, 2, None),
            (2, &[Connecting, Ready], 1, 2, None),
            (3, &[Failed, Ready], 1, 2, None),
        ],
    );
}

#[test]
fn a_priority_that_was_well_gets_its_time_again() {
    for well in [Ready, Idle] {
        run(
            "connecting after well",
            &[
                (0, &[well, Connecting], 0, 1, None),
                (5, &[Connecting, Connecting], 0, 1, Some(15)),
                (14, &[Connecting, Connecting], 0, 1, Some(15)),
                (15, &[Connecting, Connecting], 1, 2, Some(25)),
                // Once only: it was not well in between.
                (16, &[Connecting, Ready], 1, 2, None),
                (17, &[well, Ready], 0, 1, None),
                (18, &[Connecting, Ready], 0, 1, Some(28)),
                (19, &[Failed, Ready], 1, 2, None),
                (20, &[Connecting, Ready], 1, 2, None),
            ],
        );
    }
}

#[test]
fn lower_priorities_rest_once_a_higher_one_recovers() {
    run(
        "and start anew when they are needed again",
        &[
            (0, &[Failed, Connecting, Connecting], 1, 2, Some(10)),
            (3, &[Ready, Connecting, Connecting], 0, 1, None),
            (5, &[Failed, Connecting, Connecting], 1, 2, Some(15)),
            (15, &[Failed, Connecting, Connecting], 2, 3, Some(25)),
            (16, &[Failed, Ready, Connecting], 1, 2, None),
        ],
    );
}

#[test]
fn without_a_good_priority_the_first_connecting_one_is_chosen_or_the_last() {
    run(
        "all timers over",
        &[
            (0, &[Connecting, Connecting], 0, 1, Some(10)),
            (10, &[Connecting, Connecting], 1, 2, Some(20)),
            (20, &[Connecting, Connecting], 0, 2, None),
            (21, &[Failed, Connecting], 1, 2, None),
            (22, &[Failed, Failed], 1, 2, None),
        ],
    );
    run("all failed", &[(0, &[Failed, Failed, Failed], 2, 3, None)]);
}

#[test]
fn priorities_come_and_go() {
    run(
        "a lower one is added while the first is idle, then while it fails",
        &[
            (0, &[Idle], 0, 1, None),
            (1, &[Idle, Connecting], 0, 1, None),
            (2, &[Failed, Connecting], 1, 2, Some(12)),
            (3, &[Failed, Failed, Ready], 2, 3, None),
            (4, &[Failed], 0, 1, None),
            // What was taken away and comes back is new.
            (5, &[Failed, Connecting], 1, 2, Some(15)),
        ],
    );
    let mut state = FailoverState::new(Duration::from_secs(10));
    assert_eq!(state.choose(Instant::now(), &[]), None);
}

#[test]
fn a_renewed_priority_is_a_new_one() {
    let now = Instant::now();
    let mut state = FailoverState::new(Duration::from_secs(10));
    assert_eq!(
        state.choose(now, &[Failed, Ready]).map(|it| it.chosen),
        Some(1)
    );
    assert_eq!(
        state.choose(now, &[Connecting, Ready]).map(|it| it.chosen),
        Some(1)
    );
    state.renew(0);
    let choice = state.choose(now, &[Connecting, Ready]);
    assert_eq!(choice.map(|it| it.chosen), Some(0));
    assert_eq!(
        choice.and_then(|it| it.wake),
        Some(now + Duration::from_secs(10))
    );
}
