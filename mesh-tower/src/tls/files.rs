//! Certificates and keys in PEM files.

use std::{fmt, fs::File, io::Read, path::Path};

use mesh_core::server::TlsIdentityFiles;
use rustls::RootCertStore;
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};

use super::TlsError;

/// The largest file that is read, in bytes: several times the bundle of all public roots.
const MAX_FILE: u64 = 4 << 20;

/// The roots in a PEM file. One that cannot be used is an error: to skip it would be to trust others
/// than those meant.
pub(super) fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for (i, certificate) in certificates(path)?.into_iter().enumerate() {
        roots
            .add(certificate)
            .map_err(|error| at(path, format!("certificate {}: {error}", i + 1)))?;
    }
    Ok(roots)
}

/// The system's roots. Those that cannot be used are left out, as every client of theirs does.
pub(super) fn system_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(roots);
    }
    let reason = found.errors.first();
    Err(TlsError::SystemRoots(reason.map_or_else(
        || "none was found".to_owned(),
        ToString::to_string,
    )))
}

/// Our own chain and key.
pub(super) fn identity(
    files: &TlsIdentityFiles,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = certificates(&files.certificate_file)?;
    let path = &files.private_key_file;
    let key = PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|error| match error {
        pem::Error::NoItemsFound => at(path, "holds no private key in PEM"),
        error => at(path, error),
    })?;
    Ok((chain, key))
}

/// Chain and key were read, but do not make an identity.
pub(super) fn unusable(files: &TlsIdentityFiles, error: &rustls::Error) -> TlsError {
    let certificate = files.certificate_file.display();
    let reason = format!("no identity together with the certificate in {certificate}: {error}");
    at(&files.private_key_file, reason)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(path)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match certificates {
        Ok(list) if list.is_empty() => Err(at(path, "holds no certificate in PEM")),
        Ok(list) => Ok(list),
        Err(error) => Err(at(path, error)),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut text))
        .map_err(|error| at(path, error))?;
    if text.len() as u64 > MAX_FILE {
        return Err(at(path, format!("is larger than {MAX_FILE} bytes")));
    }
    Ok(text)
}

fn at(path: &Path, reason: impl fmt::Display) -> TlsError {
    TlsError::File {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}
