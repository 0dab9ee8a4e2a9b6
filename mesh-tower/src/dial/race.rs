//! Connecting to the first of several addresses that answers (RFC 8305, without its parts on DNS).

use std::{collections::VecDeque, fmt, future::Future, io, net::SocketAddr, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::time::sleep;

/// How long an address may try alone before the next joins (RFC 8305 section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// How many reasons are told in full.
const TOLD: usize = 4;

/// Why no address answered.
#[derive(Debug, Default)]
pub(super) struct Failures {
    told: Vec<(SocketAddr, io::Error)>,
    more: usize,
}

/// Connects to each address in turn, the next when one fails or has had its head start, and keeps
/// the first that succeeds. The others are dropped.
pub(super) async fn first<T, F>(
    addresses: Vec<SocketAddr>,
    connect: impl Fn(SocketAddr) -> F,
) -> Result<T, Failures>
where
    F: Future<Output = io::Result<T>>,
{
    let mut waiting = interleave(addresses).into_iter();
    let mut running = FuturesUnordered::new();
    let mut failures = Failures::default();
    loop {
        if let Some(address) = waiting.next() {
            let connecting = connect(address);
            running.push(async move { (address, connecting.await) });
        } else if running.is_empty() {
            return Err(failures);
        }
        tokio::select! {
            Some((address, result)) = running.next() => match result {
                Ok(stream) => return Ok(stream),
                Err(error) => failures.add(address, error),
            },
            () = sleep(HEAD_START), if waiting.len() > 0 => {}
        }
    }
}

/// The families in turn, beginning with that of the first address (RFC 8305 section 4); within each
/// the order stays: the system has sorted them (RFC 6724).
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let begins = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut turn, mut other): (VecDeque<_>, VecDeque<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == begins);
    let mut order = Vec::with_capacity(turn.len() + other.len());
    while let Some(address) = turn.pop_front() {
        order.push(address);
        if !other.is_empty() {
            std::mem::swap(&mut turn, &mut other);
        }
    }
    order
}

impl Failures {
    fn add(&mut self, address: SocketAddr, error: io::Error) {
        if self.told.len() < TOLD {
            self.told.push((address, error));
        } else {
            self.more += 1;
        }
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.told.is_empty() {
            return f.write_str("the host has no address");
        }
        for (i, (address, error)) in self.told.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{address}: {error}")?;
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::time::Instant;

    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    fn all(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| at(text)).collect()
    }

    #[test]
    fn families_take_turns_in_the_order_that_the_system_gave() {
        let six_first = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "1.1.1.2:1"];
        let turns = ["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "[::3]:1"];
        assert_eq!(interleave(all(&six_first)), all(&turns));
        let four_first = ["1.1.1.1:1", "1.1.1.2:1", "1.1.1.3:1", "[::1]:1"];
        let turns = ["1.1.1.1:1", "[::1]:1", "1.1.1.2:1", "1.1.1.3:1"];
        assert_eq!(interleave(all(&four_first)), all(&turns));
        let one_family = ["[::2]:1", "[::1]:1"];
        assert_eq!(interleave(all(&one_family)), all(&one_family));
        assert!(interleave(Vec::new()).is_empty());
    }

    /// What a scripted address does, and when each was tried.
    async fn run(
        addresses: &[&str],
        script: impl Fn(SocketAddr) -> (Duration, io::Result<SocketAddr>),
    ) -> (Result<SocketAddr, Failures>, Vec<(SocketAddr, u128)>) {
        let (begin, tried) = (Instant::now(), Mutex::new(Vec::new()));
        let result = first(all(addresses), |address| {
            let when = begin.elapsed().as_millis();
            tried.lock().unwrap().push((address, when));
            let (after, result) = script(address);
            async move {
                sleep(after).await;
                result
            }
        });
        (result.await, tried.into_inner().unwrap())
    }

    fn refused() -> io::Result<SocketAddr> {
        Err(io::ErrorKind::ConnectionRefused.into())
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_family_costs_one_head_start() {
        let (result, tried) = run(&["[::1]:1", "[::2]:1", "1.1.1.1:1"], |address| {
            let silent = Duration::from_secs(3600);
            let answer = Duration::from_millis(10);
            let after = if address.is_ipv6() { silent } else { answer };
            (after, Ok(address))
        })
        .await;
        assert_eq!(result.unwrap(), at("1.1.1.1:1"));
        assert_eq!(tried, [(at("[::1]:1"), 0), (at("1.1.1.1:1"), 250)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_costs_no_wait() {
        let (result, tried) = run(&["1.1.1.1:1", "1.1.1.2:1", "1.1.1.3:1"], |address| {
            let last = address == at("1.1.1.3:1");
            (Duration::ZERO, if last { Ok(address) } else { refused() })
        })
        .await;
        assert_eq!(result.unwrap(), at("1.1.1.3:1"));
        assert_eq!(tried.len(), 3);
        assert_eq!(tried[2].1, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_to_answer_wins_even_if_it_began_earlier() {
        let (result, tried) = run(&["1.1.1.1:1", "1.1.1.2:1", "1.1.1.3:1"], |address| {
            let slow = address == at("1.1.1.1:1");
            let after = Duration::from_millis(if slow { 600 } else { 5_000 });
            (after, Ok(address))
        })
        .await;
        assert_eq!(result.unwrap(), at("1.1.1.1:1"));
        assert_eq!(tried.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn every_failure_is_told_up_to_a_bound() {
        let (result, _) = run(&["1.1.1.1:1", "[::1]:2"], |_| (Duration::ZERO, refused())).await;
        let text = result.unwrap_err().to_string();
        assert!(
            text.contains("1.1.1.1:1: ") && text.contains("[::1]:2: "),
            "{text}"
        );
        let (result, _) = run(&["1.1.1.1:1"; 9], |_| (Duration::ZERO, refused())).await;
        assert!(result.unwrap_err().to_string().ends_with("; and 5 more"));
        let (result, _) = run(&[], |_| (Duration::ZERO, refused())).await;
        assert_eq!(result.unwrap_err().to_string(), "the host has no address");
    }
}
