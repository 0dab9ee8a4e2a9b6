//! TLS contexts: checked, and not yet carried out (gRFC A29, A82, A101).

use mesh_proto::envoy::extensions::transport_sockets::tls::v3::{
    CertificateProviderPluginInstance, CertificateValidationContext, CommonTlsContext,
    UpstreamTlsContext,
    common_tls_context::{CertificateProviderInstance, ValidationContextType},
};

use crate::resource::{
    at::At,
    reader::{Reader, quoted},
};

/// Longest name in a TLS handshake.
const MAX_SNI: usize = 255;

impl Reader<'_> {
    pub(super) fn check_upstream_tls(&mut self, at: &At<'_>, context: &UpstreamTlsContext) {
        if context.sni.len() > MAX_SNI {
            self.error(&at.field("sni"), format!("is longer than {MAX_SNI} bytes"));
        }
        let at = at.field("common_tls_context");
        match &context.common_tls_context {
            _ if !self.is_grpc() => {}
            Some(context) => self.check_common_tls(&at, context),
            None => self.error(&at, "is missing"),
        }
    }

    /// The parts that gRPC refuses since it would otherwise trust more than it was told to.
    fn check_common_tls(&mut self, at: &At<'_>, context: &CommonTlsContext) {
        let has_identity = context.tls_certificate_provider_instance.is_some()
            || context
                .tls_certificate_certificate_provider_instance
                .is_some();
        let refused = [
            ("tls_params", context.tls_params.is_some()),
            ("custom_handshaker", context.custom_handshaker.is_some()),
            (
                "tls_certificate_sds_secret_configs",
                !context.tls_certificate_sds_secret_configs.is_empty(),
            ),
            (
                "tls_certificates",
                !context.tls_certificates.is_empty() && !has_identity,
            ),
        ];
        self.refuse(at, &refused);
        if let Some(provider) = &context.tls_certificate_provider_instance {
            self.check_provider(&at.field("tls_certificate_provider_instance"), provider);
        }
        if let Some(provider) = &context.tls_certificate_certificate_provider_instance {
            let place = at.field("tls_certificate_certificate_provider_instance");
            self.check_old_provider(&place, provider);
        }
        self.check_validation_type(at, context.validation_context_type.as_ref());
    }

    fn check_validation_type(&mut self, at: &At<'_>, context: Option<&ValidationContextType>) {
        use ValidationContextType as Type;
        match context {
            Some(Type::ValidationContext(context)) => {
                let place = at.field("validation_context");
                self.check_validation(&place, context, false);
            }
            Some(Type::CombinedValidationContext(combined)) => {
                let at = at.field("combined_validation_context");
                let old = &combined.validation_context_certificate_provider_instance;
                if let Some(provider) = old {
                    let place = at.field("validation_context_certificate_provider_instance");
                    self.check_old_provider(&place, provider);
                }
                if combined.validation_context_sds_secret_config.is_some() {
                    let place = at.field("validation_context_sds_secret_config");
                    self.error(&place, "is not supported");
                }
                let place = at.field("default_validation_context");
                match &combined.default_validation_context {
                    Some(context) => self.check_validation(&place, context, old.is_some()),
                    None if old.is_some() => {}
                    None => self.error(&place, "is missing"),
                }
            }
            Some(Type::ValidationContextCertificateProviderInstance(provider)) => {
                let place = at.field("validation_context_certificate_provider_instance");
                self.check_old_provider(&place, provider);
            }
            Some(Type::ValidationContextSdsSecretConfig(_)) => {
                let place = at.field("validation_context_sds_secret_config");
                self.error(&place, "is not supported");
            }
            Some(Type::ValidationContextCertificateProvider(_)) => {
                let place = at.field("validation_context_certificate_provider");
                self.error(&place, "is not supported");
            }
            None => self.error(at, "has no source of CA certificates"),
        }
    }

    fn check_validation(
        &mut self,
        at: &At<'_>,
        context: &CertificateValidationContext,
        has_ca: bool,
    ) {
        let refused = [
            (
                "verify_certificate_spki",
                !context.verify_certificate_spki.is_empty(),
            ),
            (
                "verify_certificate_hash",
                !context.verify_certificate_hash.is_empty(),
            ),
            (
                "require_signed_certificate_timestamp",
                context.require_signed_certificate_timestamp == Some(true),
            ),
            ("crl", context.crl.is_some()),
            (
                "custom_validator_config",
                context.custom_validator_config.is_some(),
            ),
        ];
        self.refuse(at, &refused);
        match &context.ca_certificate_provider_instance {
            Some(provider) => {
                self.check_provider(&at.field("ca_certificate_provider_instance"), provider);
            }
            None if has_ca || context.system_root_certs.is_some() => {}
            None => self.error(at, "has no source of CA certificates"),
        }
        let list = at.field("match_subject_alt_names");
        for (i, matcher) in context.match_subject_alt_names.iter().enumerate() {
            self.string_match(&list.index(i), matcher);
        }
    }

    fn refuse(&mut self, at: &At<'_>, fields: &[(&str, bool)]) {
        for (field, _) in fields.iter().filter(|&&(_, set)| set) {
            self.error(&at.field(field), "is not supported");
        }
    }

    fn check_provider(&mut self, at: &At<'_>, provider: &CertificateProviderPluginInstance) {
        self.check_provider_name(at, &provider.instance_name);
    }

    fn check_old_provider(&mut self, at: &At<'_>, provider: &CertificateProviderInstance) {
        self.check_provider_name(at, &provider.instance_name);
    }

    fn check_provider_name(&mut self, at: &At<'_>, name: &str) {
        if !self.options.knows_certificate_provider(name) {
            let reason = format!("{} is not in the bootstrap", quoted(name));
            self.error(&at.field("instance_name"), reason);
        }
    }
}
