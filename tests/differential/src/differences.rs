//! Where we mean to differ from Envoy.

/// A case in which we do.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// Its name.
    pub case: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// All of them.
pub const INTENDED: &[Difference] = &[Difference {
    case: "reply/head_without_body",
    reason: "Envoy announces chunks in its own bodiless answers to HEAD over HTTP/1.1, which say nothing",
}];
