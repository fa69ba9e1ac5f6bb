use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use events::Refusal;
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use serde::Serialize;

use crate::columns::ColumnsError;
use crate::hub::Unwritable;

/// A failed request: the one place that says with which status and which words (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    NotJson(Refusal),
    #[error("{0}")]
    NotAnEvent(Refusal),
    #[error("{0}")]
    Columns(ColumnsError),
    #[error("this broadcaster asks for `Authorization: Bearer <{0} token>`")]
    Unauthorized(&'static str),
    #[error("{0}")]
    Forbidden(String),
    #[error("{0}")]
    NotFound(String),
    #[error("{got} is not allowed here; {allowed} is")]
    MethodNotAllowed { got: String, allowed: &'static str },
    #[error("{0} within {1:?}")]
    Timeout(&'static str, Duration),
    #[error("the body is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("{0}")]
    UnsupportedMediaType(String),
    #[error("this endpoint speaks WebSocket, version 13")]
    UpgradeRequired,
    #[error("others have not taken their answers yet: come back in a moment")]
    Busy,
    #[error("the broadcaster is stopping")]
    Stopping,
    #[error("{0}")]
    Unwritable(Arc<str>),
    #[error("{0}")]
    Runs(String),
}

/// The body of a problem.
#[derive(Serialize)]
struct Details<'a> {
    title: &'a str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    got: Option<&'a str>,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Syntax { .. } => Self::NotJson(refusal),
            Refusal::Invalid { .. } | Refusal::TooMany { .. } => Self::NotAnEvent(refusal),
        }
    }
}

impl From<Unwritable> for Problem {
    fn from(Unwritable(reason): Unwritable) -> Self {
        Self::Unwritable(reason)
    }
}

impl From<runs::StoreError> for Problem {
    fn from(error: runs::StoreError) -> Self {
        match error {
            runs::StoreError::TooMany { .. } => Self::BadRequest(error.to_string()),
            _ => Self::Runs(error.to_string()),
        }
    }
}

impl From<ColumnsError> for Problem {
    fn from(error: ColumnsError) -> Self {
        match error {
            ColumnsError::Arrow(_) => Self::BadRequest(error.to_string()),
            _ => Self::Columns(error),
        }
    }
}

impl Problem {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) | Self::NotJson(_) => StatusCode::BAD_REQUEST,
            Self::NotAnEvent(_) | Self::Columns(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout(..) => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
            Self::Busy | Self::Stopping | Self::Unwritable(_) | Self::Runs(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    pub(crate) fn response(&self) -> Response<Bytes> {
        let status = self.status();
        let mut details = Details {
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: self.to_string(),
            line: None,
            column: None,
            index: None,
            pointer: None,
            expected: None,
            got: None,
        };
        match self {
            Self::NotJson(Refusal::Syntax { line, column, .. }) => {
                details.line = Some(*line);
                details.column = Some(*column);
            }
            Self::NotAnEvent(Refusal::Invalid { index, pointer, expected, got }) => {
                details.index = Some(*index);
                details.pointer = Some(pointer);
                details.expected = Some(expected);
                details.got = Some(got);
            }
            _ => {}
        }
        // Numbers and strings: it serializes.
        let mut body = serde_json::to_vec(&details).unwrap_or_default();
        body.push(b'\n');
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        let fixed = http::HeaderValue::from_static;
        headers.insert(CONTENT_TYPE, fixed("application/problem+json"));
        match self {
            Self::Unauthorized(_) => drop(headers.insert(WWW_AUTHENTICATE, fixed("Bearer"))),
            Self::Busy | Self::Stopping | Self::Unwritable(_) | Self::Runs(_) => {
                headers.insert(RETRY_AFTER, fixed("1"));
            }
            Self::UpgradeRequired => drop(headers.insert(http::header::UPGRADE, fixed("websocket"))),
            Self::MethodNotAllowed { allowed, .. } => {
                drop(headers.insert(http::header::ALLOW, fixed(allowed)));
            }
            _ => {}
        }
        response
    }
}
