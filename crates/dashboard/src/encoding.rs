use http::HeaderMap;
use http::header::ACCEPT_ENCODING;

/// How a body is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// The `Content-Encoding`, which identity has none of.
    pub(crate) fn token(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    /// The smallest form among those that the client likes best (RFC 9110, 12.5.3). A client that
    /// accepts nothing at all gets the file as it is.
    pub(crate) fn negotiate(headers: &HeaderMap) -> Self {
        let mut best = (0.0, Self::Identity);
        for encoding in [Self::Brotli, Self::Gzip] {
            let quality = quality(headers, encoding.token().unwrap_or_default());
            if quality > best.0 {
                best = (quality, encoding);
            }
        }
        best.1
    }
}

/// How much a client likes a coding, 0 to 1. A name counts before `*`; what is not a number is 0.
fn quality(headers: &HeaderMap, coding: &str) -> f32 {
    let accepted = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut any = 0.0;
    for item in accepted.flat_map(|value| value.split(',')) {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let quality = quality.map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
        if name.eq_ignore_ascii_case(coding) {
            return quality;
        }
        if name == "*" {
            any = quality;
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiated(accept: &str) -> Encoding {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, accept.parse().unwrap());
        Encoding::negotiate(&headers)
    }

    #[test]
    fn brotli_goes_before_gzip_unless_the_client_likes_it_less() {
        assert_eq!(negotiated("gzip, deflate, br, zstd"), Encoding::Brotli);
        assert_eq!(negotiated("br;q=0.5, gzip;q=0.8"), Encoding::Gzip);
        assert_eq!(negotiated("GZIP"), Encoding::Gzip);
        assert_eq!(negotiated("*"), Encoding::Brotli);
        assert_eq!(negotiated("br;q=0, *;q=0.1"), Encoding::Gzip);
    }

    #[test]
    fn a_client_that_accepts_no_coding_gets_the_file_as_it_is() {
        assert_eq!(Encoding::negotiate(&HeaderMap::new()), Encoding::Identity);
        for accept in ["", "identity", "deflate", "br;q=0, gzip;q=0", "br;q=x", "*;q=0", "brotli", ";;,,q=1"]
        {
            assert_eq!(negotiated(accept), Encoding::Identity, "{accept}");
        }
    }
}
