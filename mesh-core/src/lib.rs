//! The mesh's policy engine: configuration, routing, balancing and live state, without I/O.
