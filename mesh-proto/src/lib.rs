//! The part of the xDS API that the mesh speaks, generated and pruned.
