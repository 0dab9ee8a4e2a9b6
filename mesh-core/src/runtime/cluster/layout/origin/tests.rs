//! What is found, and what it costs.

use std::{cell::Cell, collections::HashSet, hash::Hasher, path::PathBuf};

use proptest::prelude::*;

use super::*;

thread_local! {
    static COST: Cell<Cost> = const { Cell::new(Cost { hashed: 0, compared: 0 }) };
}

/// What was done with keys.
#[derive(Clone, Copy, Default)]
struct Cost {
    hashed: usize,
    compared: usize,
}

#[derive(Clone, Copy, Eq)]
struct Counted(u32);

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        let cost = COST.get();
        COST.set(Cost {
            compared: cost.compared + 1,
            ..cost
        });
        self.0 == other.0
    }
}

impl Hash for Counted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let cost = COST.get();
        COST.set(Cost {
            hashed: cost.hashed + 1,
            ..cost
        });
        self.0.hash(state);
    }
}

impl Key for Counted {
    fn bit(self) -> u64 {
        1 << (self.0 % 64)
    }
}

/// The origins, and what they cost.
fn found(before: &[u32], now: &[u32]) -> (Vec<Origin>, Cost) {
    let counted = |keys: &[u32]| keys.iter().map(|key| Counted(*key)).collect::<Vec<_>>();
    let (before, now) = (counted(before), counted(now));
    COST.set(Cost::default());
    let origins = origins(&before, now.into_iter());
    (origins, COST.get())
}

/// By the rule: the first entry of a key counts, and is the one of the key before.
fn expected(before: &[u32], now: &[u32]) -> Vec<Origin> {
    let before: HashMap<u32, u32> = before.iter().copied().zip(0..).collect();
    let mut seen = HashSet::new();
    let origin = |key: &u32| match before.get(key) {
        _ if !seen.insert(*key) => Origin::Twice,
        Some(index) => Origin::Before(*index),
        None => Origin::New,
    };
    now.iter().map(origin).collect()
}

#[test]
fn what_stays_among_ten_thousand_is_not_looked_up() {
    let before: Vec<u32> = (0..10_000).collect();
    let changed = |change: &dyn Fn(&mut Vec<u32>)| {
        let mut now = before.clone();
        change(&mut now);
        now
    };
    // Of those before one in 64 has the bit of one that is new.
    for (name, now, most) in [
        ("nothing", changed(&|_| {}), 0),
        ("one goes", changed(&|it| _ = it.remove(5_000)), 0),
        ("the first ones go", changed(&|it| _ = it.drain(..6)), 0),
        ("one comes", changed(&|it| it.insert(77, 20_000)), 160),
        ("one is replaced", changed(&|it| it[9_000] = 20_000), 160),
        ("all move up", (1..10_001).collect(), 160),
        (
            "one moves to the end",
            changed(&|it| it.rotate_left(1)),
            160,
        ),
        ("one is there twice", changed(&|it| it.push(3)), 160),
    ] {
        let (origins, Cost { hashed, .. }) = found(&before, &now);
        assert!(origins == expected(&before, &now), "{name}");
        assert!(hashed <= most, "{name}: {hashed} hashed");
    }
}

#[test]
fn many_that_go_leave_the_others_in_step() {
    let before: Vec<u32> = (0..10_000).collect();
    let now: Vec<u32> = (0..100).chain(4_000..10_000).collect();
    let (origins, Cost { hashed, .. }) = found(&before, &now);
    assert!(origins == expected(&before, &now));
    assert!(hashed < 2_000, "{hashed} hashed");
}

#[test]
fn changes_here_and_there_leave_the_others_in_step() {
    let before: Vec<Counted> = (0..10_000).map(Counted).collect();
    let mut walk = Walk::new(&before);
    for key in 0..10_000 {
        match key % 100 {
            0 => assert_eq!(walk.find(Counted(key + 10_000)), None),
            50 => {}
            _ => assert_eq!(walk.find(Counted(key)), Some(key as usize)),
        }
    }
}

#[test]
fn the_first_of_two_counts_wherever_it_was() {
    for (before, now) in [
        (&[1, 2][..], &[1, 2, 1][..]),
        (&[1, 2], &[2, 2, 1, 1]),
        (&[], &[7, 7]),
        (&[1, 2, 3], &[3, 9, 9, 1, 2, 3]),
    ] {
        assert_eq!(found(before, now).0, expected(before, now));
    }
    // Found on the way, and yet the second: another one stands far in front of it.
    let before: Vec<u32> = (0..100).collect();
    let now: Vec<u32> = [99].into_iter().chain(0..100).collect();
    assert_eq!(found(&before, &now).0, expected(&before, &now));
}

#[test]
fn no_order_costs_more_than_a_few_steps_for_each() {
    let count = 10_000;
    let seed = 0x00da_ba5e;
    let mut random = fastrand::Rng::with_seed(seed);
    let before: Vec<u32> = (0..count).collect();
    let mut shuffled = before.clone();
    random.shuffle(&mut shuffled);
    // Ones that are new stand between the others: each one is sought ahead in vain.
    let mixed = |every: u32| {
        (0..count).flat_map(move |it| {
            let new = (it % every == 0).then_some(count + it);
            new.into_iter().chain([it])
        })
    };
    // Blocks of many sizes change places, or go.
    let blocks = |size: usize| before.chunks(size).rev().flatten().copied();
    let orders: Vec<(String, Vec<u32>)> = [2, 7, 8, 9, 64, 1000, 5000]
        .into_iter()
        .flat_map(|size: u32| {
            let width = size as usize;
            [
                (format!("new ones, each {size}"), mixed(size).collect()),
                (format!("blocks of {size}"), blocks(width).collect()),
                (
                    format!("one of {size}"),
                    before.iter().copied().step_by(width).collect(),
                ),
                (
                    format!("{size} to the end"),
                    [&before[width..], &before[..width]].concat(),
                ),
                (
                    format!("{size} times the last"),
                    [&vec![count - 1; width][..], &before].concat(),
                ),
            ]
        })
        .chain([
            (
                "reversed".to_owned(),
                before.iter().rev().copied().collect(),
            ),
            (format!("shuffled, seed {seed}"), shuffled),
            ("twice".to_owned(), before.repeat(2)),
            ("others".to_owned(), (count..2 * count).collect()),
            (
                "others in front".to_owned(),
                (count..2 * count).chain(0..count).collect(),
            ),
            (
                "both ends in turn".to_owned(),
                (0..count / 2).flat_map(|it| [it, count - 1 - it]).collect(),
            ),
        ])
        .collect();
    for (name, now) in orders {
        let (origins, cost) = found(&before, &now);
        assert!(origins == expected(&before, &now), "{name}");
        let each = before.len() + now.len();
        assert!(cost.hashed <= 2 * each, "{name}: {} hashed", cost.hashed);
        assert!(
            cost.compared <= (PATIENCE + 2) * each,
            "{name}: {} compared",
            cost.compared
        );
    }
}

#[test]
fn equal_addresses_have_the_same_bit() {
    let unix = |path: &str| Address::Unix(PathBuf::from(path));
    for (one, other) in [
        (unix("/run/a.sock"), unix("/run//a.sock")),
        (unix("/run/a"), unix("/run/a/")),
        (unix("/run/a"), unix("/run/./a/.")),
        (unix("/"), unix("//")),
    ] {
        assert_eq!(one, other);
        assert_eq!((&one).bit(), (&other).bit(), "{one} {other}");
    }
    let bits = |text: &dyn Fn(u32) -> String| {
        let address = |it| Address::Socket(text(it).parse().unwrap());
        (0..64).fold(0, |bits, it| bits | (&address(it)).bit())
    };
    // Neighbours have different bits.
    assert_eq!(bits(&|it| format!("10.0.0.{it}:80")), u64::MAX);
    assert_eq!(bits(&|it| format!("127.0.0.1:{}", 4000 + it)), u64::MAX);
    assert_eq!(bits(&|it| format!("[fd00::{it:x}]:80")), u64::MAX);
}

proptest! {
    #[test]
    fn any_two_lists_are_matched_by_the_rule(
        before in prop::collection::hash_set(0u32..80, 0..60),
        now in prop::collection::vec(0u32..80, 0..80),
        sorted: bool,
    ) {
        let (mut before, mut now): (Vec<u32>, _) = (before.into_iter().collect(), now);
        if sorted {
            before.sort_unstable();
            now.sort_unstable();
        }
        prop_assert_eq!(found(&before, &now).0, expected(&before, &now));
    }
}
