use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{HeaderMap, Method, Response};
use serde::Deserialize;

use crate::respond::Found;

/// Where the page asks for them.
const PATH: &str = "/tabs.json";
/// Tabs that a page has room for.
const MOST: usize = 12;

/// In which tab the page shows which metrics of training runs: those whose names begin with one of its prefixes, with
/// the longest where several do. What fits none is shown beside them, under Other.
///
/// ```json
/// [{ "title": "Training", "prefixes": ["loss", "lr"] }, { "title": "Checkpoints", "as": "table", "prefixes": ["checkpoint_"] }]
/// ```
#[derive(Debug, Clone)]
pub struct Tabs(Bytes);

/// A file of tabs that cannot be taken.
#[derive(Debug, thiserror::Error)]
#[error("{}: {wrong}", .file.display())]
pub struct TabsError {
    file: PathBuf,
    wrong: Wrong,
}

#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error("{0}")]
    Unread(#[from] io::Error),
    #[error("{0}; expected a list of tabs, each with a title and prefixes")]
    Json(#[from] serde_json::Error),
    #[error("expected 1 to {MOST} tabs, got {0}")]
    Tabs(usize),
    #[error("/{0}/title: expected 1 to 40 characters that no other tab has, other than Other, got {1:?}")]
    Title(usize, String),
    #[error("/{0}/prefixes: expected at least one, and none that is empty")]
    Prefixes(usize),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tab {
    title: String,
    #[serde(default, rename = "as")]
    _as: Shown,
    prefixes: Vec<String>,
}

/// How the page shows the metrics of a tab.
#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Shown {
    /// A chart each.
    #[default]
    Charts,
    /// A table, with a row a step.
    Table,
    /// A bar a run, of the newest value.
    Bars,
}

impl Default for Tabs {
    fn default() -> Self {
        Self(Bytes::from_static(include_bytes!("tabs.json")))
    }
}

impl Tabs {
    /// Reads and checks a file of them.
    pub fn read(file: &Path) -> Result<Self, TabsError> {
        let tabs = std::fs::read(file).map_err(Wrong::from).and_then(Self::checked);
        tabs.map_err(|wrong| TabsError { file: file.to_owned(), wrong })
    }

    fn checked(json: Vec<u8>) -> Result<Self, Wrong> {
        let tabs: Vec<Tab> = serde_json::from_slice(&json)?;
        if !(1..=MOST).contains(&tabs.len()) {
            return Err(Wrong::Tabs(tabs.len()));
        }
        let mut titles = BTreeSet::from(["Other"]);
        for (place, Tab { title, prefixes, .. }) in tabs.iter().enumerate() {
            if !(1..=40).contains(&title.chars().count()) || !titles.insert(title) {
                return Err(Wrong::Title(place, title.clone()));
            }
            if prefixes.is_empty() || prefixes.iter().any(String::is_empty) {
                return Err(Wrong::Prefixes(place));
            }
        }
        Ok(Self(json.into()))
    }

    /// Answers a request for them; `None` where the path is another.
    pub fn respond(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
        (path == PATH).then(|| Found::now("application/json", self.0.clone()).answer(method, headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(json: &str) -> String {
        Tabs::checked(json.into()).unwrap_err().to_string()
    }

    #[test]
    fn those_of_the_page_can_be_read() {
        assert!(Tabs::checked(Tabs::default().0.into()).is_ok());
        let answer = Tabs::default().respond(&Method::GET, "/tabs.json", &HeaderMap::new()).unwrap();
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert!(Tabs::default().respond(&Method::GET, "/tabs", &HeaderMap::new()).is_none());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (json, expected) in [
            (
                "[{]",
                "key must be a string at line 1 column 3; expected a list of tabs, each with a title and prefixes",
            ),
            (
                "{}",
                "invalid type: map, expected a sequence at line 1 column 0; expected a list of tabs, each with a title and prefixes",
            ),
            ("[]", "expected 1 to 12 tabs, got 0"),
            (
                r#"[{"title":"A","prefixes":["a"],"color":1}]"#,
                "unknown field `color`, expected one of `title`, `as`, `prefixes` at line 1 column 38; expected a list of tabs, each with a title and prefixes",
            ),
            (
                r#"[{"title":"A","as":"pie","prefixes":["a"]}]"#,
                "unknown variant `pie`, expected one of `charts`, `table`, `bars` at line 1 column 24; expected a list of tabs, each with a title and prefixes",
            ),
            (
                r#"[{"title":"","prefixes":["a"]}]"#,
                r#"/0/title: expected 1 to 40 characters that no other tab has, other than Other, got """#,
            ),
            (
                r#"[{"title":"A","prefixes":["a"]},{"title":"A","prefixes":["b"]}]"#,
                r#"/1/title: expected 1 to 40 characters that no other tab has, other than Other, got "A""#,
            ),
            (
                r#"[{"title":"A","prefixes":[""]}]"#,
                "/0/prefixes: expected at least one, and none that is empty",
            ),
            (
                r#"[{"title":"A","prefixes":[]}]"#,
                "/0/prefixes: expected at least one, and none that is empty",
            ),
        ] {
            assert_eq!(wrong(json), expected, "{json}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Tabs::read(Path::new("/nowhere/tabs.json")).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/tabs.json: No such file"), "{error}");
    }
}
