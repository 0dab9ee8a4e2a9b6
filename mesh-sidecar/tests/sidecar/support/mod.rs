//! A sidecar between clients, a control plane and services.

mod client;
mod frames;
mod load;
mod process;
mod raw;
mod scene;
mod upstream;

pub(crate) use self::{
    client::{connect, get, request, text},
    frames::{
        CONTINUATION, DATA, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, Frames, HEADERS, PING,
        RST_STREAM, SETTINGS, block, frame, head,
    },
    load::{Connection, Load, Tally},
    process::{PATIENCE, Sidecar, command},
    raw::{Raw, said},
    scene::{plane, to},
    upstream::Upstream,
};
