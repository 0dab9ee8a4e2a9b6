//! What sort of request it is, in terms that do not grow with what callers send.

use http::Method;

use super::GrpcMethod;

/// What sort of request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// A gRPC call, with its method if that is known from generated code.
    Grpc(Option<GrpcMethod>),
    /// Plain HTTP.
    Http(HttpMethod),
}

impl Call {
    /// Whether it is gRPC.
    #[must_use]
    pub const fn is_grpc(self) -> bool {
        matches!(self, Self::Grpc(_))
    }
}

/// Declares the methods of RFC 9110 and RFC 5789.
macro_rules! methods {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// A method of HTTP; those that no standard names are one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum HttpMethod {
            $(
                #[doc = $text]
                $name,
            )*
            /// Any other.
            Other,
        }

        impl HttpMethod {
            /// Every method, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$name,)* Self::Other];

            /// In capitals; `_OTHER` for those that no standard names, as OpenTelemetry has it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other => "_OTHER",
                }
            }
        }

        impl From<&Method> for HttpMethod {
            fn from(method: &Method) -> Self {
                match method.as_str() {
                    $($text => Self::$name,)*
                    _ => Self::Other,
                }
            }
        }
    };
}

methods! {
    Get = "GET", Head = "HEAD", Post = "POST", Put = "PUT", Delete = "DELETE",
    Connect = "CONNECT", Options = "OPTIONS", Trace = "TRACE", Patch = "PATCH",
}
