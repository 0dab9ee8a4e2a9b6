//! Why a request was not sent again.

/// Why a request was not sent again where its policy wanted a retry. Also found in the extensions of
/// an answer that was passed on for that reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GaveUp {
    /// As many retries as the policy allows were made.
    Exhausted,
    /// The cluster's limit on retries is reached.
    Overflow,
    /// More of its body had been sent than is kept of it.
    Outgrown,
}

impl GaveUp {
    /// The reason in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "its policy allows no more retries",
            Self::Overflow => "the cluster's limit on retries is reached",
            Self::Outgrown => "its body outgrew what is kept of it",
        }
    }
}
