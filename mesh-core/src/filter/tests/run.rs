use super::*;

#[test]
fn requests_pass_in_order_and_answers_in_reverse() {
    let clock = Clock::default();
    let mut run = run(&["a", "b", "c"]);
    let mut head = request_head();
    assert!(matches!(run.on_request(&clock, &mut head), Step::Done));
    assert_eq!(seen(&head.headers), ["a", "b", "c"]);
    let mut head = response_head();
    run.on_response(&clock, &mut head);
    assert_eq!(seen(&head.headers), ["c", "b", "a"]);
}

#[test]
fn a_reply_passes_only_the_filters_in_front_of_it() {
    let clock = Clock::default();
    let mut run = run(&["a", "b", "c reply", "d"]);
    let mut head = request_head();
    let Step::Reply(reply) = run.on_request(&clock, &mut head) else {
        panic!("{run:?}");
    };
    assert_eq!(reply.status, 403);
    assert_eq!(seen(&head.headers), ["a", "b", "c"]);
    let (mut head, _) = reply.into_response(false).into_parts();
    run.on_response(&clock, &mut head);
    assert_eq!(seen(&head.headers), ["b", "a"]);
}

#[test]
fn a_wait_ends_with_a_verdict_of_the_filter_that_waited() {
    let clock = Clock::default();
    let mut run = run(&["a wait", "b wait edit", "c edit", "d wait wait reply", "e"]);
    let mut head = request_head();
    let mut step = run.on_request(&clock, &mut head);
    let mut waits = 0;
    let reply = loop {
        step = match step {
            Step::Wait(future) => {
                waits += 1;
                run.resume(finished(future), &clock, &mut head)
            }
            Step::Reply(reply) => break reply,
            step => panic!("{step:?}"),
        }
    };
    assert_eq!((waits, reply.status.as_u16()), (4, 403));
    assert_eq!(seen(&head.headers), ["a", "b", "edit", "c", "edit", "d"]);
    let mut head = response_head();
    run.on_response(&clock, &mut head);
    assert_eq!(seen(&head.headers), ["c", "b", "a"]);
}

#[test]
fn a_verdict_that_nobody_waits_for_passes_no_filter() {
    let clock = Clock::default();
    let mut run = run(&["a reply"]);
    let mut head = request_head();
    for _ in 0..2 {
        let step = run.resume(Verdict::Continue, &clock, &mut head);
        assert!(matches!(step, Step::Reply(_)), "{step:?}");
    }
}

#[test]
fn a_rerouted_request_goes_on_behind_the_filters_it_has_passed() {
    let listener = listener(&["a", "b reroute", "c", "d", "e"]);
    let replaced = |does| FilterOverride::Replace(noting(does));
    let other = scope(&[
        ("a", replaced("A")),
        ("b", FilterOverride::Disable),
        ("c", FilterOverride::Disable),
        ("d", replaced("D")),
        ("e", replaced("E reroute")),
    ]);
    let chains = build(&listener, &[Scope::default(), other]);
    let chain = |scope| chains.get(scope).unwrap().clone();

    let clock = Clock::default();
    let mut run = FilterRun::new(chain(0), 7, false);
    let mut head = request_head();
    assert!(matches!(run.on_request(&clock, &mut head), Step::Reroute));
    run.reroute(chain(1));
    assert!(matches!(run.on_request(&clock, &mut head), Step::Reroute));
    // Back to the first chain, which has nothing left behind the fifth place.
    run.reroute(chain(0));
    assert!(matches!(run.on_request(&clock, &mut head), Step::Done));
    assert_eq!(seen(&head.headers), ["a", "b", "D", "E"]);
    let mut head = response_head();
    run.on_response(&clock, &mut head);
    assert_eq!(seen(&head.headers), ["E", "D", "b", "a"]);
}

#[test]
fn a_route_chosen_anew_in_the_same_scope_changes_nothing() {
    let clock = Clock::default();
    let chains = build(&listener(&["a reroute", "b"]), &[Scope::default()]);
    let chain = chains.get(0).unwrap();
    let mut run = FilterRun::new(chain.clone(), 7, false);
    let mut head = request_head();
    assert!(matches!(run.on_request(&clock, &mut head), Step::Reroute));
    run.reroute(chain.clone());
    assert!(matches!(run.on_request(&clock, &mut head), Step::Done));
    assert_eq!(seen(&head.headers), ["a", "b"]);
}

/// A filter that asks for random numbers and keeps nothing.
#[derive(Debug)]
struct Drawing;

impl HttpFilter for Drawing {
    fn on_request(&self, cx: &mut FilterContext<'_>, head: &mut request::Parts) -> Verdict {
        for purpose in [0, 1, 0] {
            let draw = cx.draw(purpose).to_string();
            head.headers.append("x-seen", draw.parse().unwrap());
        }
        Verdict::Continue
    }
}

#[test]
fn draws_are_apart_by_request_filter_and_purpose() {
    let mut registry = registry();
    registry.register("type.test/drawing", |_| Ok(Arc::new(Drawing)));
    let kind = FilterKind::Custom {
        type_url: "type.test/drawing".into(),
        value: Bytes::new(),
    };
    let listener = ListenerConfig {
        filters: vec![filter("a", kind.clone()), filter("b", kind)],
        ..ListenerConfig::new("listener")
    };
    let chains = FilterChains::build(&listener, &[Scope::default()], &registry, None).unwrap();
    let draws = |request| {
        let mut head = request_head();
        let mut run = FilterRun::new(chains.get(0).unwrap().clone(), request, false);
        assert!(matches!(
            run.on_request(&Clock::default(), &mut head),
            Step::Done
        ));
        let draws = seen(&head.headers).into_iter().map(str::to_owned);
        draws.collect::<Vec<_>>()
    };
    let first = draws(1);
    assert_eq!(first, draws(1));
    assert_eq!((&first[0], &first[3]), (&first[2], &first[5]));
    let mut different = [&first[..], &draws(2)].concat();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 8);
}
