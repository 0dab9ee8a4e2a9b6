//! One timer for clocks that are set again and again, and seldom run out.
//!
//! A timer that is made for each request is entered with the runtime and taken out again, for nothing:
//! hardly any request is late. So one that was set for an earlier request is left to ring for a later
//! one too, and is set anew only then, or where a clock runs out before it would ring.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker, ready},
    time::Instant,
};

use pin_project_lite::pin_project;
use tokio::{task::coop::unconstrained, time::Sleep};

/// See the [module](self). Empty until it is first asked; one word, as it is moved with requests.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<Pin<Box<Set>>>);

pin_project! {
    #[derive(Debug)]
    struct Set {
        #[pin]
        sleep: Sleep,
        // Whom it wakes.
        waker: Option<Waker>,
    }
}

impl Alarm {
    /// Takes it from its place, which is empty then.
    pub(crate) const fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    /// Ready once `at` has passed. Until then the task is woken then, and perhaps once or twice before.
    pub(crate) fn poll(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let at = at.into();
        let set = self.0.get_or_insert_with(|| {
            Box::pin(Set {
                sleep: tokio::time::sleep_until(at),
                waker: None,
            })
        });
        let mut set = set.as_mut().project();
        if set.sleep.deadline() > at {
            set.sleep.as_mut().reset(at);
        } else if !set.sleep.is_elapsed()
            && set
                .waker
                .as_ref()
                .is_some_and(|it| it.will_wake(cx.waker()))
        {
            return Poll::Pending;
        }
        loop {
            // Without the task's budget: one that is spent would leave nobody to be woken.
            let rung = Pin::new(&mut unconstrained(set.sleep.as_mut())).poll(cx);
            if rung.is_pending() {
                *set.waker = Some(cx.waker().clone());
            }
            ready!(rung);
            if set.sleep.deadline() >= at {
                return Poll::Ready(());
            }
            set.sleep.as_mut().reset(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use super::*;
    use crate::clock;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_rings_at_the_moment_that_is_asked_for_and_not_before() {
        let mut alarm = Alarm::default();
        let start = clock::now();
        // Later, earlier, the same and passed ones; each after what is left of those before.
        for (at, rings) in [(5, 5), (6, 6), (9, 9), (7, 9), (9, 9), (20, 20)] {
            poll_fn(|cx| alarm.poll(start + SECOND * at, cx)).await;
            assert_eq!(clock::now() - start, SECOND * rings, "{at}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_moment_is_not_missed_for_a_later_one() {
        let mut alarm = Alarm::default();
        let start = clock::now();
        let mut asked = [30, 2, 10].into_iter().map(|at| start + SECOND * at);
        let mut at = asked.next().unwrap();
        poll_fn(|cx| {
            let mut polled = alarm.poll(at, cx);
            for next in asked.by_ref() {
                at = next;
                polled = alarm.poll(at, cx);
            }
            polled
        })
        .await;
        assert_eq!(clock::now() - start, SECOND * 10);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_asks_last_is_woken() {
        let mut alarm = Alarm::default();
        let start = clock::now();
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(alarm.poll(start + SECOND, cx).is_pending());
        let ring = async move { poll_fn(|cx| alarm.poll(start + SECOND, cx)).await };
        tokio::spawn(ring).await.unwrap();
        assert_eq!(clock::now() - start, SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_has_spent_its_budget_is_woken_too() {
        let mut alarm = Alarm::default();
        let start = clock::now();
        let ring = async move {
            while tokio::task::coop::has_budget_remaining() {
                tokio::task::coop::consume_budget().await;
                if !tokio::task::coop::has_budget_remaining() {
                    break;
                }
            }
            poll_fn(|cx| alarm.poll(start + SECOND, cx)).await;
        };
        tokio::spawn(ring).await.unwrap();
        assert_eq!(clock::now() - start, SECOND);
    }
}
