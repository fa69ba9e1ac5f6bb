use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use bytes::Bytes;

use crate::problem::Problem;
use crate::{Tls, Tokens};

/// What lets somebody in. It may change while the broadcaster runs: it counts for what comes then.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// For producers; none are asked for one if there is none.
    pub publish: Tokens,
    /// For whoever looks.
    pub view: Tokens,
    /// What the broadcaster shows of itself. Whether it does must not change.
    pub tls: Option<Tls>,
}

/// The cookie that a browser shows the view token in: it cannot add a header to a WebSocket.
const PASS: &str = "vitrine_view";
/// How long a browser keeps it.
const KEPT: u32 = 30 * 24 * 60 * 60;

impl Access {
    /// Whether a request may publish.
    pub(crate) fn may_publish(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let admitted = self.publish.is_empty() || self.publish.admit(bearer(headers));
        if admitted { Ok(()) } else { Err(Problem::Unauthorized("publish")) }
    }

    /// Whether a request may look.
    pub(crate) fn may_view(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let admitted = self.view.is_empty()
            || self.view.admit(bearer(headers))
            || passes(headers).any(|pass| self.view.admit(pass));
        if admitted { Ok(()) } else { Err(Problem::Unauthorized("view")) }
    }

    /// The answer to `/?token=...`: the token goes into a cookie, and out of the address. Nothing, if it lets nobody in.
    pub(crate) fn enter(&self, token: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
        // An address has a space for a plus, and a token has no spaces.
        let token = token.replace(' ', "+");
        let is_known = !self.view.is_empty() && self.view.admit(token.as_bytes());
        if !is_known && self.may_view(headers).is_err() {
            return None;
        }
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let fixed = HeaderValue::from_static;
        // Where a proxy shows the wall under a path, that is where it leads.
        response.headers_mut().insert(header::LOCATION, fixed("./"));
        response.headers_mut().insert(header::CACHE_CONTROL, fixed("no-store"));
        if is_known {
            let by_proxy = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https");
            let secure = if self.tls.is_some() || by_proxy { "; Secure" } else { "" };
            let cookie = format!("{PASS}={token}; Path=/; Max-Age={KEPT}; HttpOnly; SameSite=Lax{secure}");
            response.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_str(&cookie).ok()?);
        }
        Some(response)
    }
}

/// What a person is told who may not look.
pub(crate) fn closed_door() -> Response<Bytes> {
    const PAGE: &str = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Vitrine</title>\n\
        <h1>This wall asks for a view token</h1>\n\
        <p>Add it to the address once, as in <code>/?token=&lt;view token&gt;</code>. This browser then remembers it for 30 days.</p>\n";
    let mut response = Response::new(Bytes::from_static(PAGE.as_bytes()));
    *response.status_mut() = StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The token of the Authorization header; nothing if there is none.
fn bearer(headers: &HeaderMap) -> &[u8] {
    let shown = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    shown.strip_prefix(b"Bearer ").unwrap_or_default()
}

/// The tokens of the cookies: walls at other ports of the same host have theirs.
fn passes(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let cookies = headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    cookies.filter_map(|cookie| cookie.trim_ascii().strip_prefix(PASS.as_bytes())?.strip_prefix(b"="))
}
