//! Which bootstrap the environment names (gRFC A27).

use std::ffi::OsString;

use super::{Bootstrap, BootstrapError};

/// Holds the path of a bootstrap file.
const FILE: &str = "GRPC_XDS_BOOTSTRAP";
/// Holds the text of a bootstrap.
const TEXT: &str = "GRPC_XDS_BOOTSTRAP_CONFIG";

/// Reads the bootstrap that the variables name. An empty variable counts as not set, as in gRPC.
pub(super) fn read(
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Bootstrap, BootstrapError> {
    let set = |name| variable(name).filter(|value| !value.is_empty());
    if let Some(path) = set(FILE) {
        return Bootstrap::from_file(path);
    }
    match set(TEXT) {
        Some(text) => Bootstrap::from_json(&text.to_string_lossy()),
        None => Err(BootstrapError::NotSet),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"xds_servers": [{"server_uri": "a:1",
        "channel_creds": [{"type": "insecure"}]}], "node": {"id": "n"}}"#;

    fn with(file: Option<&std::path::Path>, text: Option<&str>) -> Result<Bootstrap, String> {
        read(|name| match name {
            FILE => file.map(|path| path.as_os_str().to_owned()),
            TEXT => text.map(OsString::from),
            _ => None,
        })
        .map_err(|error| error.to_string())
    }

    #[test]
    fn the_file_wins_and_a_bad_one_is_not_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bootstrap.json");
        std::fs::write(&path, GOOD.replace("\"n\"", "\"of-file\"")).unwrap();
        assert_eq!(with(Some(&path), Some(GOOD)).unwrap().node.id, "of-file");
        std::fs::write(&path, "{").unwrap();
        assert!(
            with(Some(&path), Some(GOOD))
                .unwrap_err()
                .contains("not JSON")
        );
        let missing = dir.path().join("nowhere.json");
        let error = with(Some(&missing), Some(GOOD)).unwrap_err();
        assert!(error.contains("nowhere.json"), "{error}");
    }

    #[test]
    fn the_text_serves_without_a_file() {
        assert_eq!(with(None, Some(GOOD)).unwrap().node.id, "n");
        assert_eq!(with(Some("".as_ref()), Some(GOOD)).unwrap().node.id, "n");
    }

    #[test]
    fn neither_is_an_error_that_names_both() {
        let error = with(None, Some("")).unwrap_err();
        assert!(error.contains(FILE) && error.contains(TEXT), "{error}");
    }
}
