use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Uri};

use crate::problem::Problem;

/// Who may talk to this broadcaster from a browser.
///
/// `Host` must be a name that this broadcaster is known by: otherwise a page of somebody else's
/// could reach it by a name of its own that resolves here (DNS rebinding). `Origin`, which browsers
/// add, must be the page's own or allowed: otherwise any page could read what a person on this
/// machine sees. Programs send no Origin.
#[derive(Debug)]
pub(crate) struct Doors {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Doors {
    pub(crate) fn new(listen: SocketAddr, allow_hosts: &[String], allow_origins: &[String]) -> Self {
        let mut hosts: Vec<String> = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).into();
        match listen.ip() {
            ip if ip.is_unspecified() => {}
            IpAddr::V4(ip) => hosts.push(ip.to_string()),
            IpAddr::V6(ip) => hosts.push(format!("[{ip}]")),
        }
        hosts.extend_from_slice(allow_hosts);
        let origins = allow_origins.iter().map(|origin| origin.trim_end_matches('/').to_owned());
        Self { hosts, origins: origins.collect() }
    }

    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        // In HTTP/2 it is part of the address.
        let host = text(HOST).or_else(|| uri.authority().map(Authority::as_str));
        let host = host.ok_or_else(|| Problem::BadRequest("a request needs a Host header".to_owned()))?;
        if !self.hosts.iter().any(|known| known.eq_ignore_ascii_case(without_port(host))) {
            let sentence = format!("not known as {host:?}: --allow-host adds a name");
            return Err(Problem::Forbidden(sentence));
        }
        let Some(origin) = text(ORIGIN) else { return Ok(()) };
        let own = origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host));
        if own || self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) {
            return Ok(());
        }
        let sentence = format!("pages of {origin:?} may not connect: --allow-origin adds one");
        Err(Problem::Forbidden(sentence))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: &str, origin: Option<&str>) -> bool {
        let listen = "192.0.2.7:8447".parse().unwrap();
        let doors = Doors::new(listen, &["Wall.example".to_owned()], &["https://talk.example/".to_owned()]);
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        doors.check(&Uri::from_static("/"), &headers).is_ok()
    }

    #[test]
    fn known_names_are_let_in_and_others_are_not() {
        for host in ["localhost:8447", "127.0.0.1", "[::1]:8447", "192.0.2.7:8447", "WALL.example:80"] {
            assert!(check(host, None), "{host}");
        }
        for host in ["evil.example", "evil.example:8447", "localhost.evil.example", "[::2]"] {
            assert!(!check(host, None), "{host}");
        }
    }

    #[test]
    fn a_page_may_be_the_broadcasters_own_or_allowed() {
        assert!(check("localhost:8447", Some("http://localhost:8447")));
        assert!(check("localhost:8447", Some("https://talk.example")));
        assert!(!check("localhost:8447", Some("http://localhost:3000")));
        assert!(!check("localhost:8447", Some("https://evil.example")));
        assert!(!check("localhost:8447", Some("null")));
    }
}
