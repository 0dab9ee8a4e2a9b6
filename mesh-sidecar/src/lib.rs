//! The mesh behind a socket, for programs in any language.
