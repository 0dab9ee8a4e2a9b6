//! Short programs, each of which teaches one thing about the mesh.

pub mod generated;
