//! The mesh behind a socket, for programs in any language. A frame so far: it holds nothing yet.
//!
//! It will compose what the libraries have and add no policy of its own: listening sockets whose
//! requests go through the stack of [`mesh`], the bootstrap and flags that say what to listen on, an
//! admin page, and an end that drains. For that the libraries still lack the way in: listeners with
//! filter chains, TLS to and from others, and routing by the listener's own resources.
//!
//! What is missing here is missing there: matching, balancing and retries belong to `mesh-core` and
//! `mesh-tower`, so that a program with the library inside and one behind the sidecar are treated
//! alike.
