//! Whether chance had a part in a drop.

use super::Error;

impl Error {
    /// Marks that chance had no part in it: every request is dropped.
    #[must_use]
    pub fn unconditional(mut self) -> Self {
        self.0.unconditional = true;
        self
    }

    /// Whether chance had no part in it.
    #[must_use]
    pub fn is_unconditional(&self) -> bool {
        self.0.unconditional
    }
}
