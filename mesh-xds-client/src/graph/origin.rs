//! Who asked whom: what every text about a missing resource says.

use std::fmt::Write;

use crate::resource::ResourceType;

/// Our node, and the control plane it asks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    pub(crate) node: &'a str,
    pub(crate) server: &'a str,
    /// The standing error of the connection, or else why the last stream ended.
    pub(crate) error: Option<&'a str>,
}

impl Origin<'_> {
    /// Says that resources are awaited: the first few of `total`, and the last error.
    pub(crate) fn missing(
        &self,
        kind: ResourceType,
        names: &[&str],
        total: usize,
        error: Option<&str>,
    ) -> String {
        let mut text = format!("xDS node {:?}: waiting for {kind}", self.node);
        // Writing to a string cannot fail.
        for (i, name) in names.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            let _ = write!(text, "{comma} {name:?}");
        }
        if total > names.len() {
            let _ = write!(text, " and {} more", total - names.len());
        }
        let _ = write!(text, " (requested from {}", self.server);
        if let Some(error) = error.or(self.error) {
            // Our node is named already.
            let ours = format!("xDS node {:?}: ", self.node);
            let error = error.strip_prefix(&ours).unwrap_or(error);
            let _ = write!(text, ", last error: {error}");
        }
        text.push(')');
        text
    }
}
