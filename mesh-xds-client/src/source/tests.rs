//! The whole client against a scripted control plane in the same process, on paused time.

mod delta;
mod fallback;
mod log;
mod plane;
mod pressure;
mod sotw;
