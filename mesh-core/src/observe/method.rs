//! The gRPC methods that the program knows from generated code, each a small number.

use std::{
    fmt,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use arc_swap::ArcSwap;

/// How many methods a process can know; past that they count as unknown.
pub const MAX_METHODS: usize = 1_024;

/// A gRPC method that is known from generated code, as numbers per method need it: names that
/// callers make up would make any number of them (gRFC A66).
///
/// The same for the whole process, and a small number, so that it is cheap to carry and to look up
/// by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GrpcMethod(u16);

/// Where a method's service and name stand in the program: generated code names them from the same
/// place each time, and to find a place is quicker than to find a text.
type Place = [(usize, usize); 2];

#[derive(Clone, Debug, Default)]
struct Known {
    /// In order. A hint: the texts are compared as well. Those of methods past the limit are kept too.
    places: Vec<(Place, Option<GrpcMethod>)>,
    names: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    service: Arc<str>,
    method: Arc<str>,
}

/// How many places are remembered: a text may stand in a program more than once.
const PLACES: usize = 4 * MAX_METHODS;

static KNOWN: LazyLock<ArcSwap<Known>> = LazyLock::new(ArcSwap::default);
/// Held while one is added.
static ADDING: Mutex<()> = Mutex::new(());

impl GrpcMethod {
    /// The method `method` of `service`, as `greeter.Greeter` and `SayHello`; `None` if the process
    /// knows [`MAX_METHODS`] others. To be called with names from generated code alone. Quick, but
    /// for the first time.
    #[must_use]
    pub fn of(service: &str, method: &str) -> Option<Self> {
        let place = [service, method].map(|text| (text.as_ptr() as usize, text.len()));
        let known = KNOWN.load();
        match known.at(place) {
            Ok(Some(found)) if known.is(found, service, method) => Some(found),
            Err(_) if known.places.len() < PLACES => add(place, service, method),
            _ => known.find(service, method),
        }
    }

    /// The service, with its package.
    #[must_use]
    pub fn service(self) -> Arc<str> {
        Arc::clone(&KNOWN.load().names[self.index()].service)
    }

    /// The method within the service.
    #[must_use]
    pub fn method(self) -> Arc<str> {
        Arc::clone(&KNOWN.load().names[self.index()].method)
    }

    /// Its number, less than [`MAX_METHODS`].
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl Known {
    /// What was at this place, or else where it belongs.
    fn at(&self, place: Place) -> Result<Option<GrpcMethod>, usize> {
        let found = self
            .places
            .binary_search_by_key(&place, |&(place, _)| place);
        found.map(|found| self.places[found].1)
    }

    fn is(&self, known: GrpcMethod, service: &str, method: &str) -> bool {
        self.names[known.index()].is(service, method)
    }

    fn find(&self, service: &str, method: &str) -> Option<GrpcMethod> {
        let found = self.names.iter().position(|it| it.is(service, method))?;
        u16::try_from(found).ok().map(GrpcMethod)
    }
}

impl Name {
    fn is(&self, service: &str, method: &str) -> bool {
        *self.method == *method && *self.service == *service
    }
}

#[cold]
fn add(place: Place, service: &str, method: &str) -> Option<GrpcMethod> {
    // A panic while the lock was held cannot have left anything half changed.
    let _adding = ADDING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut known = Known::clone(&KNOWN.load());
    let mut found = known.find(service, method);
    if found.is_none() && known.names.len() < MAX_METHODS {
        found = u16::try_from(known.names.len()).ok().map(GrpcMethod);
        let (service, method) = (service.into(), method.into());
        known.names.push(Name { service, method });
    }
    if let Err(at) = known.at(place) {
        known.places.insert(at, (place, found));
    }
    KNOWN.store(Arc::new(known));
    found
}

impl fmt::Display for GrpcMethod {
    /// As `greeter.Greeter/SayHello`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service(), self.method())
    }
}

impl fmt::Debug for GrpcMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
