//! A mesh for a target given on the command line.

use mesh::{Error, Mesh, telemetry::MetricsObserver};

/// Starts a mesh that can call `target`. Targets of xDS need a control plane, which the bootstrap in
/// the environment names; all others need nothing.
///
/// # Errors
/// When the bootstrap is needed and there is none, or it cannot be used.
pub fn mesh_for(target: &str) -> Result<Mesh, Error> {
    let builder = if target.starts_with("xds:") {
        Mesh::from_env()?
    } else {
        Mesh::builder()
    };
    // For the recorder that the program has installed; without one nothing is kept.
    builder.observer(MetricsObserver::new()).spawn()
}
