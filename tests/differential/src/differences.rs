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
pub const INTENDED: &[Difference] = &[];
