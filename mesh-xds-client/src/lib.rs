//! An xDS client: bootstrap, ADS state machine, decoding into the mesh's configuration.
