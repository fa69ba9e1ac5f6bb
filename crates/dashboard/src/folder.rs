use std::fmt;
use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use http::{HeaderMap, Method, Response};

use crate::asset::{HTML, Wanted, media_type};
use crate::respond::Found;

/// The page out of a folder of built files, for working on it: what is on disk now is what is
/// served, and nothing is kept by browsers without asking.
///
/// Reads on the caller's thread and does not compress: not for production.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

/// A folder that holds no page.
#[derive(Debug)]
pub struct OpenError {
    file: PathBuf,
    cause: io::Error,
}

impl Folder {
    /// A folder with an `index.html`, as `npm run build` makes it.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, OpenError> {
        let root = root.into();
        let file = root.join(HTML);
        match std::fs::File::open(&file) {
            Ok(_) => Ok(Self { root }),
            Err(cause) => Err(OpenError { file, cause }),
        }
    }

    /// As [`respond`](crate::respond), from the folder. Only files that a page is made of are
    /// served, and none from outside or below it.
    pub fn respond(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
        let wanted = Wanted::at(path)?;
        let media_type = media_type(wanted.name)?;
        let body = Bytes::from(std::fs::read(self.root.join(wanted.name)).ok()?);
        Some(Found::now(media_type, body).answer(method, headers))
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; expected a folder with a built page", self.file.display(), self.cause)
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;
    use http::header::{CACHE_CONTROL, CONTENT_ENCODING, ETAG, IF_NONE_MATCH};

    /// A folder of this test's own, gone with it.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("vitrine-page-{}-{name}", std::process::id()));
            std::fs::create_dir_all(path.join("below")).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, text: &str) {
            std::fs::write(self.0.join(name), text).unwrap();
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn get(folder: &Folder, path: &str) -> Option<Response<Bytes>> {
        folder.respond(&Method::GET, path, &HeaderMap::new())
    }

    #[test]
    fn serves_what_is_on_disk_now_and_lets_nobody_keep_it() {
        let scratch = Scratch::new("now");
        scratch.write("index.html", "one");
        let folder = Folder::open(&scratch.0).unwrap();
        let first = get(&folder, "/").unwrap();
        assert_eq!(first.body(), "one");
        assert_eq!(first.headers()[CACHE_CONTROL], "no-cache");
        assert!(!first.headers().contains_key(CONTENT_ENCODING));

        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, first.headers()[ETAG].clone());
        let again = folder.respond(&Method::GET, "/", &headers).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        scratch.write("index.html", "two");
        assert_eq!(folder.respond(&Method::GET, "/", &headers).unwrap().body(), "two");
    }

    #[test]
    fn serves_files_of_a_page_only_and_none_from_outside_the_folder() {
        let scratch = Scratch::new("only");
        for (name, text) in [
            ("index.html", "x"),
            ("app.js", "js"),
            ("secret.txt", "s"),
            (".hidden.js", "s"),
            ("below/a.js", "s"),
        ] {
            scratch.write(name, text);
        }
        let folder = Folder::open(scratch.0.join("below/..")).unwrap();
        assert_eq!(get(&folder, "/assets/dev/app.js").unwrap().body(), "js");
        for path in [
            "/assets/v/secret.txt",
            "/assets/v/.hidden.js",
            "/assets/v/below/a.js",
            "/assets/v/../app.js",
            "/assets/v/gone.js",
            "/../app.js",
        ] {
            assert!(get(&folder, path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_folder_without_a_page_is_refused_by_name() {
        let error = Folder::open("/nowhere/at/all").unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/at/all/index.html: "), "{error}");
        assert!(error.ends_with("expected a folder with a built page"), "{error}");
    }
}
