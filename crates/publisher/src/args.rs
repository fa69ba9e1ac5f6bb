use clap::builder::NonEmptyStringValueParser;
use reqwest::Url;

/// Publish flags, flattened into every producer's arguments.
#[derive(Debug, Clone, clap::Args)]
pub struct PublishArgs {
    /// Where to publish
    #[arg(
        long,
        value_name = "URL",
        env = "VITRINE_PUBLISH_URL",
        default_value = "http://127.0.0.1:8447/publish",
        value_parser = url
    )]
    pub publish_url: Url,

    /// What the broadcaster was given as --publish-token
    #[arg(long, value_name = "TOKEN", env = "VITRINE_PUBLISH_TOKEN", hide_env_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub publish_token: Option<String>,

    /// Print what would be published, one JSON object a line; send nothing
    #[arg(long)]
    pub dry_run: bool,
}

fn url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("expected an http:// or https:// URL, got {other}://")),
    }
}
