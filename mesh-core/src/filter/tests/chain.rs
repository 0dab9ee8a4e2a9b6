use super::*;
use crate::config::{FaultAbort, FaultConfig, Fraction};

fn names(chains: &FilterChains, scope: usize) -> Vec<&str> {
    chains.get(scope).unwrap().names().collect()
}

#[test]
fn overrides_are_merged_when_chains_are_built() {
    let mut listener = listener(&["a", "b", "c"]);
    listener.filters[1].disabled = true;
    let replaced = FilterOverride::Replace(noting("x"));
    let scopes = [
        Scope::default(),
        scope(&[
            ("a", FilterOverride::Disable),
            ("nobody", FilterOverride::Enable),
        ]),
        scope(&[("b", FilterOverride::Enable), ("c", replaced)]),
    ];
    let chains = build(&listener, &scopes);
    assert_eq!(names(&chains, 0), ["a", "c"]);
    assert_eq!(names(&chains, 1), ["c"]);
    assert_eq!(names(&chains, 2), ["a", "b", "c"]);
    assert!(chains.get(3).is_none());
    let mut modes = chains.get(2).unwrap().body_modes();
    assert!(modes.all(|mode| mode == BodyMode::None));
}

#[test]
fn faults_without_faults_are_left_out_until_a_route_has_some() {
    let fault = |config| FilterKind::Fault(Arc::new(config));
    let listener = ListenerConfig {
        filters: vec![filter("fault", fault(FaultConfig::default()))],
        ..ListenerConfig::new("listener")
    };
    let abort = FaultConfig {
        abort: Some((FaultAbort::Http(500), Fraction::ONE)),
        ..FaultConfig::default()
    };
    let on = scope(&[("fault", FilterOverride::Replace(fault(abort)))]);
    let chains = build(&listener, &[Scope::default(), on]);
    assert!(chains.get(0).unwrap().is_empty());
    assert_eq!(names(&chains, 1), ["fault"]);
}

#[test]
fn every_filter_that_cannot_be_made_is_told() {
    let mut listener = listener(&["a", "bad field", "c"]);
    listener.filters.push(filter(
        "d",
        FilterKind::Custom {
            type_url: "type.test/unheard.of".into(),
            value: Bytes::new(),
        },
    ));
    let scopes = [Scope::default()];
    let errors = FilterChains::build(&listener, &scopes, &registry(), None).unwrap_err();
    let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            r#"http_filters[1]: filter "bad": field: is bad"#,
            r#"http_filters[3]: filter "d": no filter is registered under the type URL "type.test/unheard.of""#,
        ]
    );
    assert!(registry().knows(NOTING) && !registry().knows("type.test/unheard.of"));
}

#[test]
fn unchanged_filters_are_taken_over() {
    let same = |one: &FilterChains, other: &FilterChains, scope: usize, filter: usize| {
        let filter = |chains: &FilterChains| {
            Arc::clone(&chains.get(scope).unwrap().entries()[filter].filter)
        };
        Arc::ptr_eq(&filter(one), &filter(other))
    };
    let replaced = scope(&[("b", FilterOverride::Replace(noting("x")))]);
    let scopes = [Scope::default(), replaced];
    let old = build(&listener(&["a", "b"]), &scopes);
    // Scopes share what they do not override.
    assert!(Arc::ptr_eq(
        &old.get(0).unwrap().entries()[0].filter,
        &old.get(1).unwrap().entries()[0].filter
    ));

    let changed = listener(&["a", "b reply"]);
    let new = FilterChains::build(&changed, &scopes, &registry(), Some(&old)).unwrap();
    assert!(same(&old, &new, 0, 0) && !same(&old, &new, 0, 1));
    assert!(same(&old, &new, 1, 0) && same(&old, &new, 1, 1));
    let anew = build(&changed, &scopes);
    assert!(!same(&new, &anew, 0, 0));
}

#[test]
fn a_filter_that_moves_is_taken_over_at_its_new_place() {
    let old = build(&listener(&["a", "b"]), &[Scope::default()]);
    let moved = listener(&["b", "a"]);
    let new = FilterChains::build(&moved, &[Scope::default()], &registry(), Some(&old)).unwrap();
    assert_eq!(names(&new, 0), ["b", "a"]);
    let clock = Clock::default();
    let mut run = FilterRun::new(new.get(0).unwrap().clone(), 7, false);
    let mut head = request_head();
    assert!(matches!(run.on_request(&clock, &mut head), Step::Done));
    assert_eq!(seen(&head.headers), ["b", "a"]);
}

#[test]
fn a_chain_is_idle_if_all_of_it_is() {
    let never = FilterKind::Fault(Arc::new(FaultConfig {
        abort: Some((FaultAbort::Http(500), Fraction::new(0, 100))),
        ..FaultConfig::default()
    }));
    let with = |others: &[&str]| {
        let mut listener = listener(others);
        listener.filters.push(filter("fault", never.clone()));
        let chains = build(&listener, &[Scope::default()]);
        chains
            .get(0)
            .unwrap()
            .is_idle(7, &RequestHead::of_parts(&request_head()))
    };
    assert!(with(&[]));
    // Of others it is not known.
    assert!(!with(&["a"]));
}
