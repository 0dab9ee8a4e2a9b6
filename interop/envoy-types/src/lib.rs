//! Wire compatibility of `mesh-proto` with `envoy-types`; see `tests/`.
