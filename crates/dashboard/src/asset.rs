use crate::encoding::Encoding;

/// The digest of all files, which the page's addresses carry.
pub(crate) const VERSION: &str = include_str!("../dist/version");

/// A file of the page, as it is and compressed.
#[derive(Debug)]
pub(crate) struct Asset {
    pub(crate) name: &'static str,
    identity: &'static [u8],
    gzip: &'static [u8],
    brotli: &'static [u8],
}

macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        &[$(Asset {
            name: $name,
            identity: include_bytes!(concat!("../dist/", $name)),
            gzip: include_bytes!(concat!("../dist/", $name, ".gz")),
            brotli: include_bytes!(concat!("../dist/", $name, ".br")),
        }),*]
    };
}

pub(crate) const ASSETS: &[Asset] =
    assets!["index.html", "app.js", "app.css", "worker.js", "uplot.js", "icon.svg"];

impl Asset {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ASSETS.iter().find(|asset| asset.name == name)
    }

    pub(crate) fn bytes(&self, encoding: Encoding) -> &'static [u8] {
        match encoding {
            Encoding::Brotli => self.brotli,
            Encoding::Gzip => self.gzip,
            Encoding::Identity => self.identity,
        }
    }
}

/// The page itself.
pub(crate) const HTML: &str = "index.html";

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wanted<'a> {
    pub(crate) name: &'a str,
    /// The content version in the address.
    pub(crate) version: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    /// `/` is the page; its parts are at `/assets/<version>/<name>`. A name is one plain segment, so
    /// that it cannot lead out of a folder.
    pub(crate) fn at(path: &'a str) -> Option<Self> {
        if matches!(path, "/" | "/index.html") {
            return Some(Self { name: HTML, version: None });
        }
        let (version, name) = path.strip_prefix("/assets/")?.split_once('/')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_name = !name.starts_with('.') && name != HTML && name.chars().all(plain);
        is_name.then_some(Self { name, version: Some(version) })
    }
}

/// The media type of a file of the page, by its extension; `None` for what is not part of one.
pub(crate) fn media_type(name: &str) -> Option<&'static str> {
    Some(match name.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_at_the_root_and_its_parts_are_below_their_version() {
        assert_eq!(Wanted::at("/"), Some(Wanted { name: HTML, version: None }));
        assert_eq!(Wanted::at("/assets/v1/app.js"), Some(Wanted { name: "app.js", version: Some("v1") }));
        for path in
            ["", "/app.js", "/assets/", "/assets/app.js", "/assets/v1/", "/assets/v1/index.html", "/healthz"]
        {
            assert_eq!(Wanted::at(path).filter(|wanted| !wanted.name.is_empty()), None, "{path}");
        }
    }

    #[test]
    fn no_path_leads_out_of_the_folder() {
        for path in [
            "/assets/v/../app.js",
            "/assets/v/..",
            "/assets/v/.env",
            "/assets/v/a/b.js",
            "/assets/v/a%2fb.js",
            "/assets/v/a\\b.js",
        ] {
            assert_eq!(Wanted::at(path), None, "{path}");
        }
    }

    #[test]
    fn every_file_has_a_media_type_and_is_what_its_compressed_forms_say() {
        for asset in ASSETS {
            assert!(media_type(asset.name).is_some(), "{}", asset.name);
            assert!(!asset.identity.is_empty() && !asset.brotli.is_empty(), "{}", asset.name);
            // The last four bytes of a gzip file are the length of what is in it.
            let length = asset.gzip.last_chunk().map(|bytes| u32::from_le_bytes(*bytes));
            assert_eq!(length, u32::try_from(asset.identity.len()).ok(), "{}", asset.name);
        }
    }

    #[test]
    fn the_page_refers_to_this_version() {
        let html = std::str::from_utf8(Asset::named(HTML).unwrap().identity).unwrap();
        for name in ["app.js", "app.css"] {
            assert!(html.contains(&format!("\"assets/{VERSION}/{name}\"")), "{name}");
        }
    }

    #[test]
    fn the_page_is_within_its_budget() {
        let brotli = |name| Asset::named(name).unwrap().brotli.len();
        assert!(brotli("app.js") + brotli("worker.js") <= 45 * 1024);
        // Loaded where curves are drawn.
        assert!(brotli("uplot.js") <= 20 * 1024);
        assert!(brotli("app.css") <= 6 * 1024);
    }
}
