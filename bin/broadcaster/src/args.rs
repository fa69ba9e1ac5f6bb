use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use reqwest::Url;

/// Keeps the state that published events add up to, and shows it to every page, live.
#[derive(Debug, clap::Parser)]
#[command(name = "broadcaster", version, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) log: command::LogArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// A token, in the characters that an Authorization header and a cookie take.
pub(crate) fn token(text: &str) -> Result<String, &'static str> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if !text.is_empty() && text.bytes().all(fits) {
        Ok(text.to_owned())
    } else {
        Err("expected letters, digits and any of - . _ ~ + / =")
    }
}

/// A name or an address, as a browser writes it in a Host header before the port.
fn host(text: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "expected a name or an address, without a port, such as wall.example";
    let text = if text.parse::<Ipv6Addr>().is_ok() { format!("[{text}]") } else { text.to_owned() };
    let is_more = |byte: u8| b"/?#@*".contains(&byte) || byte.is_ascii_whitespace();
    // A port is what stands behind the brackets of an address, or behind a name.
    let has_port = !text.ends_with(']') && text.contains(':');
    if has_port || text.bytes().any(is_more) {
        return Err(EXPECTED);
    }
    let url = Url::parse(&format!("http://{text}/")).map_err(|_| EXPECTED)?;
    url.host_str().map(str::to_owned).ok_or(EXPECTED)
}

/// An origin, as a browser says it.
fn origin(text: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "expected a scheme, a host, and a port if need be, such as https://wall.example";
    // That of files, and of frames in a sandbox.
    if text == "null" {
        return Ok(text.to_owned());
    }
    let url = Url::parse(text).map_err(|_| EXPECTED)?;
    let is_more = text.contains('*')
        || !matches!(url.path(), "" | "/")
        || url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty();
    if is_more || !url.has_host() {
        return Err(EXPECTED);
    }
    let origin = url.origin();
    Ok(if origin.is_tuple() { origin.ascii_serialization() } else { text.trim_end_matches('/').to_owned() })
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Durability {
    Async,
    Sync,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Serve(Box<ServeArgs>),
    Doctor(DoctorArgs),
}

/// Look for what stands between a page and a broadcaster: a proxy that buffers, a blocked upgrade, an idle timeout, a clock
///
/// Run it where the page is opened, with the address that the browser is given.
/// Example: broadcaster doctor https://wall.example
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct DoctorArgs {
    /// The wall's address
    #[arg(value_name = "URL", value_parser = address)]
    pub(crate) url: Url,

    /// A view token of the broadcaster
    #[arg(long, value_name = "TOKEN", env = "VITRINE_VIEW_TOKEN", hide_env_values = true, value_parser = token)]
    pub(crate) view_token: Option<String>,

    /// How long to keep idle connections open
    #[arg(long, value_name = "TIME", default_value = "40s", value_parser = command::parse_duration)]
    pub(crate) wait: Duration,
}

fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("expected an http:// or https:// URL, got {other}://")),
    }
}

/// Take events at /publish, keep their state, and serve the page at /
///
/// Example: broadcaster serve --listen 127.0.0.1:8447
/// Then open http://127.0.0.1:8447, and publish with
/// curl -H 'Content-Type: application/json' -d '{"type":"model_metric","model":"knn","accuracy":0.76}' http://127.0.0.1:8447/publish
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct ServeArgs {
    /// Address to listen on; port 0 takes a free one and says which
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8447")]
    pub(crate) listen: SocketAddr,

    /// Keep the state in this folder, so that it outlives this process [default: the platform's, such as ~/.local/state/vitrine]
    #[arg(long, value_name = "DIR", conflicts_with = "no_state")]
    pub(crate) state_dir: Option<PathBuf>,

    /// Keep the state in memory only
    #[arg(long)]
    pub(crate) no_state: bool,

    /// Keep the points of training runs in this folder, or in the ClickHouse at an http:// or https:// URL, or at the one that CH_HOST, CH_PORT, CH_PROTOCOL, CH_DATABASE, CH_USER and CH_PASSWORD say: `clickhouse` [default: the folder runs in the state's]
    #[arg(long, value_name = "DIR|URL|clickhouse")]
    pub(crate) runs_store: Option<String>,

    /// When a publish is acknowledged: when it is applied (a crash loses the last tenth of a second), or when it is on disk
    #[arg(long, value_name = "WHEN", default_value = "async", conflicts_with = "no_state")]
    pub(crate) durability: Durability,

    /// What producers must send as `Authorization: Bearer <TOKEN>`; repeatable
    #[arg(long, value_name = "TOKEN", env = "VITRINE_PUBLISH_TOKEN", hide_env_values = true, value_parser = token)]
    pub(crate) publish_token: Vec<String>,

    /// The same, one a line of this file, which is read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    pub(crate) publish_token_file: Option<PathBuf>,

    /// What whoever looks must show: once as /?token=<TOKEN>, or as `Authorization: Bearer <TOKEN>`; repeatable
    #[arg(long, value_name = "TOKEN", env = "VITRINE_VIEW_TOKEN", hide_env_values = true, value_parser = token)]
    pub(crate) view_token: Vec<String>,

    /// The same, one a line of this file, which is read again on SIGHUP
    #[arg(long, value_name = "FILE")]
    pub(crate) view_token_file: Option<PathBuf>,

    /// Serve https with this certificate chain (PEM), which is read again on SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Listen beyond this machine without a publish token
    #[arg(long)]
    pub(crate) insecure: bool,

    /// Another origin whose pages may connect, such as https://wall.example; repeatable
    #[arg(long, value_name = "URL", value_parser = origin)]
    pub(crate) allow_origin: Vec<String>,

    /// Another name that this broadcaster is called by, without a port; repeatable
    #[arg(long, value_name = "NAME", value_parser = host)]
    pub(crate) allow_host: Vec<String>,

    /// Largest body of events, decoded; columns are bounded by their rows
    #[arg(long, value_name = "SIZE", default_value = "16MiB")]
    pub(crate) max_body: ByteSize,

    /// Connections at once
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) max_connections: u32,

    /// Connections at once from one address; this machine's own are not counted
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) max_connections_per_address: u32,

    /// Events that the log holds for readers that are behind
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) log_events: u32,

    /// Bytes that the log holds
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    pub(crate) log_bytes: ByteSize,

    /// Show what a trainer sends to /rpc/batch_update, and answer it, so many milliseconds later: a slow producer, to try a page with
    #[arg(long, value_name = "MS", env = "FRAME_DELAY_MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=60_000))]
    pub(crate) frame_delay_ms: u64,

    /// In which tabs the page shows the metrics of training runs: a JSON list of {"title", "prefixes", "as": charts, table or bars}
    #[arg(long, value_name = "FILE")]
    pub(crate) metric_tabs: Option<PathBuf>,

    /// Serve the page from this folder instead of the built-in one, to develop it
    #[arg(long, value_name = "DIR")]
    pub(crate) ui_dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_as_browsers_write_them() {
        for (given, host_is) in [
            ("wall.example", "wall.example"),
            ("Wall.Example", "wall.example"),
            ("192.0.2.7", "192.0.2.7"),
            ("2001:DB8:0::7", "[2001:db8::7]"),
            ("[::1]", "[::1]"),
            ("b\u{fc}cher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(host(given).as_deref(), Ok(host_is), "{given}");
        }
        for wrong in [
            "",
            "wall.example:8447",
            "[::1]:80",
            "https://wall.example",
            "wall.example/",
            "*.example",
            "a b",
            "me@wall",
        ] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn origins_are_as_browsers_write_them() {
        for (given, origin_is) in [
            ("https://wall.example", "https://wall.example"),
            ("https://Wall.example:443/", "https://wall.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("app://wall", "app://wall"),
            ("null", "null"),
        ] {
            assert_eq!(origin(given).as_deref(), Ok(origin_is), "{given}");
        }
        for wrong in [
            "",
            "wall.example",
            "https://wall.example/page",
            "https://*.example",
            "https://me@wall.example",
            "wall.example:80",
        ] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }
}
