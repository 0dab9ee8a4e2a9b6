//! A sidecar between clients, a control plane and services.

mod client;
mod process;
mod scene;

pub(crate) use self::{
    client::{connect, get, request, text},
    process::{PATIENCE, Sidecar, command},
    scene::plane,
};
