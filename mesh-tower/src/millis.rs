//! Header values that count milliseconds.
//!
//! The same few are sent with request after request; a copy of one that was made before costs no
//! allocation.

use std::cell::RefCell;

use http::HeaderValue;

/// Of so many values each thread keeps the last that fell on it.
const KEPT: usize = 16;

/// What answers of services that are near take.
static FEW: [HeaderValue; 8] = [
    HeaderValue::from_static("0"),
    HeaderValue::from_static("1"),
    HeaderValue::from_static("2"),
    HeaderValue::from_static("3"),
    HeaderValue::from_static("4"),
    HeaderValue::from_static("5"),
    HeaderValue::from_static("6"),
    HeaderValue::from_static("7"),
];

thread_local! {
    static LAST: RefCell<[Option<(u64, HeaderValue)>; KEPT]> = const {
        RefCell::new([const { None }; KEPT])
    };
}

/// One that was measured, and is most often small.
pub(crate) fn measured(millis: u64) -> HeaderValue {
    let few = usize::try_from(millis).ok().and_then(|it| FEW.get(it));
    few.cloned().unwrap_or_else(|| HeaderValue::from(millis))
}

/// One that was configured, and is asked for again.
pub(crate) fn configured(millis: u64) -> HeaderValue {
    let of = |last: &RefCell<[Option<(u64, HeaderValue)>; KEPT]>| {
        // Timeouts are round: their remainders by a prime differ where those by a power of two do not.
        let place = millis % 61 % KEPT as u64;
        let mut last = last.borrow_mut();
        match &mut last[place as usize] {
            Some((kept, value)) if *kept == millis => value.clone(),
            other => other.insert((millis, millis.into())).1.clone(),
        }
    };
    // A thread that ends keeps none.
    LAST.try_with(of).unwrap_or_else(|_| millis.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_its_number() {
        let numbers = (0..100).chain([999, 15_000, 15_000, 30_000, 15_000, u64::MAX]);
        for number in numbers.clone().chain(numbers) {
            assert_eq!(measured(number), number.to_string());
            assert_eq!(configured(number), number.to_string());
        }
    }
}
