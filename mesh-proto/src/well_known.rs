//! The package `google.protobuf`: prost's types, except for [`Any`].
//!
//! Wrapper messages are not here: a field of type `UInt32Value` is an `Option<u32>`.

pub use prost_types::value;
pub use prost_types::{Duration, ListValue, NullValue, Struct, Timestamp, Value};

pub use crate::any::Any;

use crate::type_url::TypeUrl;

impl TypeUrl for Duration {
    const TYPE_URL: &'static str = "type.googleapis.com/google.protobuf.Duration";
}

impl TypeUrl for Struct {
    const TYPE_URL: &'static str = "type.googleapis.com/google.protobuf.Struct";
}

impl TypeUrl for Timestamp {
    const TYPE_URL: &'static str = "type.googleapis.com/google.protobuf.Timestamp";
}

impl TypeUrl for Value {
    const TYPE_URL: &'static str = "type.googleapis.com/google.protobuf.Value";
}
