//! The handles of gRPC calls, by method and code.

use std::sync::OnceLock;

use mesh_core::{
    observe::{GrpcMethod, MAX_METHODS},
    policy::grpc_status::GrpcCode,
};
use metrics::Counter;

use super::{http::Times, request::Names};
use crate::{handle, table};

/// How many methods stand in one page of the table.
const PAGE: usize = 32;
const PAGES: usize = MAX_METHODS / PAGE;
const CODES: usize = 17;

/// The handles of every method that was called, and of those that are not known: in pages, since a
/// program calls few of all the methods that it knows in one place.
#[derive(Debug)]
pub(super) struct Calls {
    other: OnceLock<Box<Method>>,
    pages: [OnceLock<Box<Page>>; PAGES],
}

type Page = [OnceLock<Box<Method>>; PAGE];

/// The handles of one method.
#[derive(Debug)]
pub(super) struct Method {
    name: Box<str>,
    pub(super) started: Counter,
    attempts: [OnceLock<Times>; CODES],
    calls: [OnceLock<Times>; CODES],
}

impl Calls {
    pub(super) fn of(&self, method: Option<GrpcMethod>, names: &Names) -> &Method {
        let Some(method) = method else {
            // The name that gRFC A66 has for methods that are not known.
            return self
                .other
                .get_or_init(|| Method::new("other".into(), names));
        };
        let page = &self.pages[method.index() / PAGE];
        let page = page.get_or_init(|| Box::new([const { OnceLock::new() }; PAGE]));
        let place = &page[method.index() % PAGE];
        place.get_or_init(|| Method::new(method.to_string().into(), names))
    }
}

impl Method {
    fn new(name: Box<str>, names: &Names) -> Box<Self> {
        Box::new(Self {
            started: handle::counter(&table::ATTEMPT_STARTED, &[&name, names.target.as_str()]),
            name,
            attempts: [const { OnceLock::new() }; CODES],
            calls: [const { OnceLock::new() }; CODES],
        })
    }

    pub(super) fn attempt(&self, code: GrpcCode, names: &Names) -> &Times {
        self.attempts[usize::from(code.number())].get_or_init(|| {
            let values: [&str; 4] = [
                &self.name,
                names.target.as_str(),
                code.name(),
                names.cluster(),
            ];
            Times(handle::histogram(&table::ATTEMPT_DURATION, &values))
        })
    }

    pub(super) fn call(&self, code: GrpcCode, names: &Names) -> &Times {
        self.calls[usize::from(code.number())].get_or_init(|| {
            let values: [&str; 3] = [&self.name, names.target.as_str(), code.name()];
            Times(handle::histogram(&table::CALL_DURATION, &values))
        })
    }
}

impl Default for Calls {
    fn default() -> Self {
        Self {
            other: OnceLock::new(),
            pages: [const { OnceLock::new() }; PAGES],
        }
    }
}
