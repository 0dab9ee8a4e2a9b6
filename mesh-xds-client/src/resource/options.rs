//! What decoding has to know beside the bytes.

use std::{collections::BTreeSet, fmt, sync::Arc};

use mesh_core::config::Dialect;

/// How resources are read.
#[derive(Clone)]
pub struct DecodeOptions {
    dialect: Dialect,
    known_filter: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    certificate_providers: Option<Arc<BTreeSet<String>>>,
}

impl DecodeOptions {
    /// Reads in `dialect`, without filters of the program's own.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            known_filter: Arc::new(|_| false),
            certificate_providers: None,
        }
    }

    /// Says which HTTP filters the program brings along, by the type URL of their configuration
    /// (`type.googleapis.com/...`). Others that are not built in are refused unless optional.
    #[must_use]
    pub fn with_filters(mut self, known: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.known_filter = Arc::new(known);
        self
    }

    /// Names the certificate provider instances of the bootstrap: a TLS context of dialect grpc
    /// that names another one is refused (gRFC A29). Without this call names are not checked.
    #[must_use]
    pub fn with_certificate_providers(
        mut self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        self.certificate_providers = Some(Arc::new(names));
        self
    }

    /// Whose reading applies.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(super) fn knows_filter(&self, type_url: &str) -> bool {
        (self.known_filter)(type_url)
    }

    pub(super) fn knows_certificate_provider(&self, name: &str) -> bool {
        self.certificate_providers
            .as_ref()
            .is_none_or(|names| names.contains(name))
    }
}

impl fmt::Debug for DecodeOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeOptions")
            .field("dialect", &self.dialect)
            .field("certificate_providers", &self.certificate_providers)
            .finish_non_exhaustive()
    }
}
