//! One name has one state, however it is found, held and let go.

use std::{sync::Arc, time::Instant};

use loom::thread;

use super::{endpoint, model, snapshot};
use crate::runtime::{ClusterRuntime, Registry};

#[test]
fn two_updates_at_once_make_one_state() {
    model("registry, made twice", || {
        let now = Instant::now();
        let registry = Registry::default();
        let update = |ports: &'static [u16]| {
            let registry = registry.clone();
            move || ClusterRuntime::<()>::new(&snapshot(ports, |_| {}), &registry, now)
        };
        let other = thread::spawn(update(&[1, 2]));
        let mine = update(&[2])();
        let theirs = other.join().unwrap();
        assert!(Arc::ptr_eq(mine.state(), theirs.state()));
        let mut states = [&mine, &theirs].map(|runtime| {
            let named = runtime.rebuild(now).connect;
            let key = |state: &Arc<_>| Arc::clone(state);
            named.iter().map(|it| key(it.state())).collect::<Vec<_>>()
        });
        let last = states.each_mut().map(|states| states.pop().unwrap());
        assert!(Arc::ptr_eq(&last[0], &last[1]));
    });
}

#[test]
fn what_is_let_go_while_it_is_found_is_found_or_made_anew() {
    model("registry, let go", || {
        let registry = Registry::default();
        let cluster = registry.cluster(&"shop".into());
        let first = registry.endpoint(&cluster, &endpoint(1));
        let dropping = {
            let cluster = Arc::clone(&cluster);
            thread::spawn(move || {
                // Something for loom to see: it does not know that a count falls.
                let _ = cluster.endpoints.len();
                drop(first);
            })
        };
        let finding = {
            let (registry, cluster) = (registry.clone(), Arc::clone(&cluster));
            thread::spawn(move || registry.endpoint(&cluster, &endpoint(1)))
        };
        let mine = registry.endpoint(&cluster, &endpoint(1));
        dropping.join().unwrap();
        let theirs = finding.join().unwrap();
        assert!(Arc::ptr_eq(&mine, &theirs), "one state at a time");
        assert!(Arc::ptr_eq(
            &mine,
            &registry.endpoint(&cluster, &endpoint(1))
        ));
        drop((mine, theirs));
        assert_eq!(cluster.endpoints.len(), 0, "nothing is kept");
    });
}

#[test]
fn a_cluster_is_found_or_made_anew_too() {
    model("registry, cluster let go", || {
        let registry = Registry::default();
        let first = registry.cluster(&"shop".into());
        let dropping = {
            let registry = registry.clone();
            thread::spawn(move || {
                // Something for loom to see, as above.
                let _ = format!("{registry:?}");
                drop(first);
            })
        };
        let finding = {
            let registry = registry.clone();
            thread::spawn(move || registry.cluster(&"shop".into()))
        };
        let mine = registry.cluster(&"shop".into());
        dropping.join().unwrap();
        assert!(Arc::ptr_eq(&mine, &finding.join().unwrap()));
        assert!(Arc::ptr_eq(&mine, &registry.cluster(&"shop".into())));
    });
}
