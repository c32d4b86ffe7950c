//! A client under test that is a service: it is posted its cases.

use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncWriteExt, split};

use super::answer::{AnswerError, Part, Reader};
use super::dial::{DialError, to_service};
use super::upstream::Upstream;

/// The longest answer, in bytes.
const ANSWER_MAX_BYTES: usize = 1024 * 1024;

/// Why a service gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    /// Nobody listens there: nothing was asked.
    #[error("{0}")]
    Unreached(#[source] std::io::Error),
    /// It was asked, and gave no answer that can be read.
    #[error("{0}")]
    Answer(String),
}

impl From<DialError> for ServiceError {
    fn from(error: DialError) -> Self {
        match error {
            DialError::Connect(source) => Self::Unreached(source),
            other => Self::Answer(other.to_string()),
        }
    }
}

impl From<AnswerError> for ServiceError {
    fn from(error: AnswerError) -> Self {
        // Whoever is asked here is no console.
        Self::Answer(error.to_string().replace("the console", "the service"))
    }
}

/// Whether somebody takes connections there.
pub(crate) async fn is_there(host: &Upstream) -> bool {
    to_service(host).await.is_ok()
}

/// Posts a JSON text; gives status and body of the answer. The caller has the wait.
pub(crate) async fn post(host: &Upstream, target: &str, json: &str) -> Result<(u16, String), ServiceError> {
    let asked = format!(
        "POST {target} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{json}",
        host.authority(),
        json.len()
    );
    let (reading, mut writing) = split(to_service(host).await?);
    writing.write_all(asked.as_bytes()).await.map_err(AnswerError::from)?;
    let mut reader = Reader::new(reading, BytesMut::new(), Duration::MAX);
    let response = reader.head(false).await?;
    let mut body = Vec::new();
    while let Part::Body(bytes) = reader.part().await? {
        if body.len() + bytes.len() > ANSWER_MAX_BYTES {
            return Err(ServiceError::Answer("the service's answer is longer than 1 MiB".to_owned()));
        }
        body.extend_from_slice(&bytes);
    }
    Ok((response.status, String::from_utf8_lossy(&body).into_owned()))
}
