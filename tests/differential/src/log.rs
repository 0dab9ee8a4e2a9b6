//! What each says of a request in its log: flags and details.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use mesh_proto::{
    Any,
    envoy::{
        config::{
            accesslog::v3::{AccessLog, access_log::ConfigType},
            core::v3::{
                DataSource, SubstitutionFormatString, data_source::Specifier,
                substitution_format_string::Format,
            },
        },
        extensions::access_loggers::stream::v3::{
            StdoutAccessLog, stdout_access_log::AccessLogFormat,
        },
    },
};
use tokio::time::{Instant, sleep};

/// Between the fields of a line.
const SEPARATOR: char = '|';

/// What a line says of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// The response flags, `-` if there are none.
    pub flags: String,
    /// The details of the response code.
    pub details: String,
}

/// The lines so far, by request id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Arc<Mutex<HashMap<String, Line>>>);

impl Lines {
    pub(crate) fn add(&self, id: &str, line: Line) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.insert(id.to_owned(), line);
    }

    /// Takes the line of a request, which may be some time in coming; `None` if it does not come.
    pub(crate) async fn of(&self, id: &str) -> Option<Line> {
        let last = Instant::now() + Duration::from_secs(10);
        loop {
            let found = {
                let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                lines.remove(id)
            };
            if found.is_some() || Instant::now() >= last {
                return found;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// Envoy's log to its standard output, in lines that [`read`] reads.
pub(crate) fn access_log() -> AccessLog {
    let format = "%REQ(X-REQUEST-ID)%|%RESPONSE_FLAGS%|%RESPONSE_CODE_DETAILS%\n";
    let source = DataSource {
        specifier: Some(Specifier::InlineString(format.to_owned())),
        ..DataSource::default()
    };
    let format = SubstitutionFormatString {
        format: Some(Format::TextFormatSource(source)),
        ..SubstitutionFormatString::default()
    };
    let config = StdoutAccessLog {
        access_log_format: Some(AccessLogFormat::LogFormat(format)),
    };
    AccessLog {
        name: "lines".to_owned(),
        config_type: Some(ConfigType::TypedConfig(Any::pack(&config))),
        ..AccessLog::default()
    }
}

/// Reads a line of [`access_log`].
pub(crate) fn read(line: &str) -> Option<(String, Line)> {
    let mut fields = line.splitn(3, SEPARATOR);
    let (id, flags, details) = (fields.next()?, fields.next()?, fields.next()?);
    let line = Line {
        flags: flags.to_owned(),
        details: details.to_owned(),
    };
    Some((id.to_owned(), line))
}
