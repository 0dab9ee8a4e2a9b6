//! Channel credentials (gRFC A27, A65): the first supported entry wins.

use mesh_core::{
    config::ConfigErrors,
    server::{ChannelCredentials, TlsFiles, TlsIdentityFiles},
};

use super::json::Json;

/// Reads `channel_creds` of a server.
pub(super) fn read(server: Json<'_>, errors: &mut ConfigErrors) -> Option<ChannelCredentials> {
    let path = server.at("channel_creds");
    let Some(list) = server.list("channel_creds", errors) else {
        errors.push(&path, "is missing");
        return None;
    };
    let mut unsupported = Vec::new();
    for (value, path) in &list {
        let entry = Json::new(value, path);
        if !entry.is_object(errors) {
            return None;
        }
        match entry.needed_text("type", errors)?.as_str() {
            "insecure" => return Some(ChannelCredentials::Insecure),
            "tls" => return read_tls(entry, errors).map(ChannelCredentials::Tls),
            other => unsupported.push(other.to_owned()),
        }
    }
    let reason = match &*unsupported {
        [] => "names no credentials".to_owned(),
        names => format!("none of these is supported: {}", names.join(", ")),
    };
    errors.push(&path, reason);
    None
}

fn read_tls(entry: Json<'_>, errors: &mut ConfigErrors) -> Option<TlsFiles> {
    let path = entry.at("config");
    let Some(value) = entry.get("config") else {
        return Some(TlsFiles::default());
    };
    let config = Json::new(value, &path);
    if !config.is_object(errors) {
        return None;
    }
    // It would replace the roots: to leave it out is to trust others than those meant.
    let bundles = "spiffe_trust_bundle_map_file";
    if config.get(bundles).is_some() {
        errors.push(&config.at(bundles), "is not supported");
    }
    let certificate = config.text("certificate_file", errors);
    let key = config.text("private_key_file", errors);
    let identity = match (certificate, key) {
        (Some(certificate), Some(key)) => Some(TlsIdentityFiles {
            certificate_file: certificate.into(),
            private_key_file: key.into(),
        }),
        (None, None) => None,
        (Some(_), None) => {
            let reason = "is missing, and certificate_file is given";
            errors.push(&config.at("private_key_file"), reason);
            None
        }
        (None, Some(_)) => {
            let reason = "is missing, and private_key_file is given";
            errors.push(&config.at("certificate_file"), reason);
            None
        }
    };
    Some(TlsFiles {
        ca_certificate_file: config.text("ca_certificate_file", errors).map(Into::into),
        identity,
        refresh_interval: config.duration("refresh_interval", errors),
    })
}
