use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use crate::asset::{Asset, VERSION, Wanted, media_type};
use crate::encoding::Encoding;

/// Everything that the page loads, connects to and runs is its own origin's, and nothing is inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// Answers a request for a file of the embedded page; `None` where the path is none of them.
///
/// `path` is the path of the address alone. The page is to be asked after each time, its parts are
/// kept for ever under their version. Bodies are static: no copy, no allocation but the headers.
pub fn respond(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
    let wanted = Wanted::at(path)?;
    let asset = Asset::named(wanted.name)?;
    let encoding = Encoding::negotiate(headers);
    let found = Found {
        media_type: media_type(asset.name)?,
        body: Bytes::from_static(asset.bytes(encoding)),
        encoding,
        tag: format!("\"{VERSION}-{}\"", encoding.token().unwrap_or("id")),
        // A page of another version may ask for its own parts: it gets these, but may not keep them.
        forever: wanted.version == Some(VERSION),
    };
    Some(found.answer(method, headers))
}

/// A file and what is to be said with it.
pub(crate) struct Found {
    pub(crate) media_type: &'static str,
    pub(crate) body: Bytes,
    pub(crate) encoding: Encoding,
    /// An entity tag, quoted, of this form of the file.
    pub(crate) tag: String,
    /// Whether the address never means anything else.
    pub(crate) forever: bool,
}

impl Found {
    /// What may be another the next time.
    pub(crate) fn now(media_type: &'static str, body: Bytes) -> Self {
        let mut digest = DefaultHasher::new();
        body.hash(&mut digest);
        let tag = format!("\"{:016x}\"", digest.finish());
        Self { media_type, body, encoding: Encoding::Identity, tag, forever: false }
    }

    pub(crate) fn answer(self, method: &Method, request: &HeaderMap) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        if method != Method::GET && method != Method::HEAD {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
            return response;
        }
        let keep = if self.forever { "public, max-age=31536000, immutable" } else { "no-cache" };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        let known = is_known(request, &self.tag);
        if let Ok(tag) = HeaderValue::try_from(self.tag) {
            headers.insert(ETAG, tag);
        }
        if known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        if let Some(token) = self.encoding.token() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(token));
        }
        if method == Method::GET {
            *response.body_mut() = self.body;
        }
        response
    }
}

/// Whether the client says that it has this form of the file already.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::{ACCEPT_ENCODING, HeaderName};

    fn get(path: &str, request: &[(HeaderName, &str)]) -> Response<Bytes> {
        let headers = request.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        respond(&Method::GET, path, &headers).unwrap()
    }

    fn header(response: &Response<Bytes>, name: HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn part(name: &str) -> String {
        format!("/assets/{VERSION}/{name}")
    }

    #[test]
    fn the_page_is_asked_after_each_time_and_its_parts_are_kept_for_ever() {
        let page = get("/", &[]);
        assert_eq!(header(&page, CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(header(&page, CACHE_CONTROL), "no-cache");
        assert!(page.body().starts_with(b"<!doctype html>"));

        let script = get(&part("app.js"), &[]);
        assert_eq!(header(&script, CONTENT_TYPE), "text/javascript; charset=utf-8");
        assert_eq!(header(&script, CACHE_CONTROL), "public, max-age=31536000, immutable");
    }

    #[test]
    fn a_page_of_another_version_gets_the_parts_but_may_not_keep_them() {
        assert_eq!(header(&get("/assets/before/app.js", &[]), CACHE_CONTROL), "no-cache");
    }

    #[test]
    fn a_body_is_sent_in_the_form_that_the_client_accepts() {
        let plain = get(&part("app.js"), &[]);
        let brotli = get(&part("app.js"), &[(ACCEPT_ENCODING, "gzip, br")]);
        let gzip = get(&part("app.js"), &[(ACCEPT_ENCODING, "gzip")]);
        assert_eq!(header(&plain, CONTENT_ENCODING), "");
        assert_eq!(header(&brotli, CONTENT_ENCODING), "br");
        assert_eq!(header(&gzip, CONTENT_ENCODING), "gzip");
        assert!(brotli.body().len() < gzip.body().len() && gzip.body().len() < plain.body().len());
        for response in [&plain, &brotli, &gzip] {
            assert_eq!(header(response, VARY), "accept-encoding");
            assert_eq!(header(response, CONTENT_LENGTH), response.body().len().to_string());
        }
        assert_ne!(header(&plain, ETAG), header(&brotli, ETAG));
    }

    #[test]
    fn what_the_client_has_is_not_sent_again() {
        let tag = header(&get("/", &[]), ETAG).to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let response = get("/", &[(IF_NONE_MATCH, &known)]);
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert!(response.body().is_empty());
            assert_eq!(header(&response, ETAG), tag);
        }
        assert_eq!(get("/", &[(IF_NONE_MATCH, "\"other\"")]).status(), StatusCode::OK);
        assert_eq!(get("/", &[(IF_NONE_MATCH, &tag), (ACCEPT_ENCODING, "br")]).status(), StatusCode::OK);
    }

    #[test]
    fn every_answer_carries_the_policy() {
        for path in ["/".to_owned(), part("app.js"), part("worker.js"), part("icon.svg")] {
            let response = get(&path, &[]);
            assert!(header(&response, CONTENT_SECURITY_POLICY).starts_with("default-src 'none'"), "{path}");
            assert_eq!(header(&response, X_CONTENT_TYPE_OPTIONS), "nosniff");
            assert_eq!(header(&response, REFERRER_POLICY), "no-referrer");
        }
    }

    #[test]
    fn head_is_get_without_its_body_and_other_methods_are_refused() {
        let head = respond(&Method::HEAD, "/", &HeaderMap::new()).unwrap();
        assert!(head.body().is_empty());
        assert_eq!(header(&head, CONTENT_LENGTH), header(&get("/", &[]), CONTENT_LENGTH));
        let post = respond(&Method::POST, "/", &HeaderMap::new()).unwrap();
        assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(header(&post, ALLOW), "GET, HEAD");
    }

    #[test]
    fn what_is_not_the_page_is_left_to_others() {
        for path in ["/healthz", "/app.js", "/assets", "/assets/v/none.js", "/index.html/", "/dist/version"] {
            assert!(respond(&Method::GET, path, &HeaderMap::new()).is_none(), "{path}");
        }
    }
}
