//! A condition on headers.

use crate::prelude::*;

pub(crate) fn build(case: &mut Case) {
    let when = header("x-fail").exact("yes").for_header();
    let fault = fault().abort_http(418, 100.0);
    let fault = fault.edit(|fault| fault.headers.push(when));
    case.edit_listener(|listener| listener.fault(fault));
    case.one(|route| route);
    case.with("x-fail", &["yes", "no"]);
}
