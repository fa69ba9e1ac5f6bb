use std::fmt;

use clickhouse::Client;
use url::Url;

/// Where a ClickHouse is, which of its databases is meant, and who asks.
#[derive(Clone)]
pub struct Address {
    url: Url,
    database: Option<String>,
    user: Option<String>,
    password: Option<String>,
    is_read_only: bool,
}

/// What is no address of a ClickHouse.
#[derive(Debug, thiserror::Error)]
#[error(
    "{variables}expected http://[user[:password]@]host[:8123][/database][?readonly=1] or https://, got {got:?}"
)]
pub struct AddressError {
    /// What says it, if it is not whoever is told.
    variables: &'static str,
    got: String,
}

/// The database of who says none.
const DATABASE: &str = "training_observability";
/// Where a ClickHouse listens.
const PORT: u16 = 8123;

impl Address {
    /// The address that is meant by `clickhouse`, as `CH_PROTOCOL`, `CH_HOST`, `CH_PORT`, `CH_DATABASE`, `CH_USER` and `CH_PASSWORD` say, or by a URL. What
    /// a URL leaves open the last three say as well: a password is better not in a command line.
    ///
    /// # Errors
    /// It is something else.
    pub fn configured(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self, AddressError> {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        let url = (text == "clickhouse").then(|| {
            let or = |name, default: &str| given(name).unwrap_or_else(|| default.to_owned());
            let (protocol, host) = (or("CH_PROTOCOL", "http"), or("CH_HOST", "localhost"));
            format!("{protocol}://{host}:{}", or("CH_PORT", "8123"))
        });
        let mut address = match &url {
            None => Self::parse(text),
            Some(url) => Self::parse(url).map_err(|AddressError { got, .. }| AddressError {
                variables: "of CH_PROTOCOL, CH_HOST and CH_PORT: ",
                got,
            }),
        }?;
        address.database = address.database.or_else(|| given("CH_DATABASE"));
        address.user = address.user.or_else(|| given("CH_USER"));
        address.password = address.password.or_else(|| given("CH_PASSWORD"));
        Ok(address)
    }

    /// Takes `http://[user[:password]@]host[:port][/database][?readonly=1]` apart.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError { variables: "", got: without_password(text) };
        let mut url = Url::parse(text).map_err(|_| wrong())?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong());
        }
        if url.scheme() == "http" && url.port().is_none() {
            url.set_port(Some(PORT)).map_err(|()| wrong())?;
        }
        let decoded = |text: &str| {
            percent_encoding::percent_decode_str(text).decode_utf8().map(|text| text.into_owned())
        };
        let database = decoded(url.path().trim_matches('/')).map_err(|_| wrong())?;
        let user = decoded(url.username()).map_err(|_| wrong())?;
        let password = url.password().map(decoded).transpose().map_err(|_| wrong())?;
        let is_read_only = match url.query() {
            None | Some("readonly=0") => false,
            Some("readonly=1") => true,
            Some(_) => return Err(wrong()),
        };
        url.set_path("");
        url.set_query(None);
        url.set_username("").and_then(|()| url.set_password(None)).map_err(|()| wrong())?;
        let [database, user] = [database, user].map(|part| Some(part).filter(|part| !part.is_empty()));
        Ok(Self { url, database, user, password, is_read_only })
    }

    /// The same, and another database.
    pub fn with_database(self, database: impl Into<String>) -> Self {
        Self { database: Some(database.into()), ..self }
    }

    /// The database.
    pub fn database(&self) -> &str {
        self.database.as_deref().unwrap_or(DATABASE)
    }

    /// Whether it is others who write there.
    pub fn is_read_only(&self) -> bool {
        self.is_read_only
    }

    pub(crate) fn client(&self) -> Client {
        let mut client = Client::default().with_url(self.url.as_str()).with_database(self.database());
        if let Some(user) = &self.user {
            client = client.with_user(user);
        }
        if let Some(password) = &self.password {
            client = client.with_password(password);
        }
        client
    }
}

/// Without the password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.url, self.database())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// As it was given, but for who asks.
fn without_password(text: &str) -> String {
    let text = match text.split_once('?') {
        Some((server, query)) if query.contains("password") => &format!("{server}?..."),
        _ => text,
    };
    let Some((before, server)) = text.rsplit_once('@') else { return text.to_owned() };
    let scheme = before.split_once("://").map(|(scheme, _)| format!("{scheme}://")).unwrap_or_default();
    format!("{scheme}...@{server}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(
        text: &str,
        variables: &[(&str, &str)],
    ) -> Result<(String, Option<String>, Option<String>), String> {
        let variable = |name: &str| Some(variables.iter().find(|(known, _)| *known == name)?.1.to_owned());
        let address = Address::configured(text, variable).map_err(|error| error.to_string())?;
        Ok((address.to_string(), address.user, address.password))
    }

    #[test]
    fn it_is_a_url_or_what_the_environment_says() {
        let said = |address: &str, user: Option<&str>, password: Option<&str>| {
            Ok((address.to_owned(), user.map(str::to_owned), password.map(str::to_owned)))
        };
        let none = "http://localhost:8123/training_observability";
        assert_eq!(configured("clickhouse", &[]), said(none, None, None));
        let all = [
            ("CH_PROTOCOL", "https"),
            ("CH_HOST", "ch.example"),
            ("CH_PORT", "8443"),
            ("CH_DATABASE", "lab"),
            ("CH_USER", "me"),
            ("CH_PASSWORD", "p w"),
        ];
        assert_eq!(
            configured("clickhouse", &all),
            said("https://ch.example:8443/lab", Some("me"), Some("p w"))
        );
        assert_eq!(
            configured("http://ch.example", &all),
            said("http://ch.example:8123/lab", Some("me"), Some("p w"))
        );
        let named = "http://ch.example/training_observability";
        assert_eq!(
            configured(named, &all),
            said("http://ch.example:8123/training_observability", Some("me"), Some("p w"))
        );
        let whole = "http://you:a%2Fb@ch.example:1/mine";
        assert_eq!(configured(whole, &all), said("http://ch.example:1/mine", Some("you"), Some("a/b")));
    }

    #[test]
    fn what_is_none_is_shown() {
        for text in [
            "http://ch.example/lab?readonly",
            "ftp://ch.example",
            "ch.example:8123",
            "http://",
            "clickhouse://ch.example",
        ] {
            let expected = format!(
                "expected http://[user[:password]@]host[:8123][/database][?readonly=1] or https://, got {text:?}"
            );
            assert_eq!(configured(text, &[]), Err(expected));
        }
        let refused = |text, variables| configured(text, variables).unwrap_err();
        for text in [
            "https://me:secret@host/lab?x=1",
            "https://me:s@cret@host:x",
            "me:secret@host",
            "htp://secret@host",
        ] {
            let refused = refused(text, &[]);
            assert!(refused.contains("...@host") && !refused.contains("cret"), "{refused}");
        }
        let query = refused("http://host:8123/?user=me&password=secret", &[]);
        assert!(query.ends_with("got \"http://host:8123/?...\""), "{query}");
        let of_variables = refused("clickhouse", &[("CH_PORT", "8123/x?"), ("CH_HOST", "ch.example")]);
        assert!(
            of_variables.starts_with("of CH_PROTOCOL, CH_HOST and CH_PORT: expected http://"),
            "{of_variables}"
        );
        assert!(of_variables.ends_with("got \"http://ch.example:8123/x?\""), "{of_variables}");
    }
}
