//! A limit of each attempt counts where nothing is retried.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    case.one(|route| route.retry(retry("", 1).per_try_timeout(ms(120))));
    case.ask(get("/").script("a", [Behaviour::delay(ms(500))]));
}
