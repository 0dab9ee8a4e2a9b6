//! Measurements of the mesh, as ratios to its peers in the same run.
