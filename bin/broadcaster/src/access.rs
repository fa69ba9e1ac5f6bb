use std::fs;
use std::path::{Path, PathBuf};

use broadcaster::{Access, Tls, Tokens};
use command::Failure;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::args::{ServeArgs, token};

/// Where it is written what lets somebody in.
pub(crate) struct Doors {
    publish: Given,
    view: Given,
    tls: Option<(PathBuf, PathBuf)>,
}

/// Tokens of the command line, and those of a file.
struct Given {
    flag: &'static str,
    tokens: Vec<String>,
    file: Option<PathBuf>,
}

impl Doors {
    pub(crate) fn of(args: &ServeArgs) -> Self {
        let ServeArgs { publish_token, publish_token_file, view_token, view_token_file, .. } = args;
        let given = |flag, tokens: &Vec<String>, file: &Option<PathBuf>| Given {
            flag,
            tokens: tokens.clone(),
            file: file.clone(),
        };
        Self {
            publish: given("--publish-token-file", publish_token, publish_token_file),
            view: given("--view-token-file", view_token, view_token_file),
            tls: args.tls_cert.clone().zip(args.tls_key.clone()),
        }
    }

    /// Whether anybody may publish.
    pub(crate) fn publish_open(&self) -> bool {
        self.publish.tokens.is_empty() && self.publish.file.is_none()
    }

    /// What they say now, and from here on whenever the process is sent a SIGHUP. What cannot be read then is said,
    /// and all stays as it was.
    pub(crate) async fn open(self) -> Result<watch::Receiver<Access>, Failure> {
        let mut hangups = signal(SignalKind::hangup())?;
        let (sender, receiver) = watch::channel(self.read()?);
        tokio::spawn(async move {
            while hangups.recv().await.is_some() {
                match self.read() {
                    Ok(access) => {
                        sender.send_replace(access);
                        tracing::info!("read the tokens and the certificate again");
                    }
                    Err(Failure::Usage(error) | Failure::Failed(error)) => {
                        tracing::error!("{error}: tokens and certificate stay as they were");
                    }
                    Err(Failure::Interrupted) => {}
                }
            }
        });
        Ok(receiver)
    }

    fn read(&self) -> Result<Access, Failure> {
        let tls = self.tls.as_ref().map(|(cert, key)| Tls::read(cert, key)).transpose();
        let tls = tls.map_err(|error| Failure::usage(format!("--tls-cert, --tls-key: {error}")))?;
        Ok(Access { publish: self.publish.read()?, view: self.view.read()?, tls })
    }
}

impl Given {
    fn read(&self) -> Result<Tokens, Failure> {
        let Some(file) = &self.file else { return Ok(Tokens::new(&self.tokens)) };
        let read = tokens(file).map_err(|error| Failure::usage(format!("{} {error}", self.flag)))?;
        Ok(Tokens::new(self.tokens.iter().chain(&read)))
    }
}

/// The tokens of a file, at least one: a file without any must not open the door to all.
fn tokens(file: &Path) -> Result<Vec<String>, String> {
    let name = file.display();
    let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    let lines = (1..).zip(text.lines().map(str::trim));
    let tokens = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let tokens: Vec<String> = tokens
        .map(|(number, line)| token(line).map_err(|expected| format!("{name}, line {number}: {expected}")))
        .collect::<Result<_, _>>()?;
    if tokens.is_empty() { Err(format!("{name}: expected a token a line, found none")) } else { Ok(tokens) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_tokens_has_one_a_line() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read = |text: &str| {
            fs::write(&file, text).unwrap();
            tokens(file.path())
                .map_err(|error| error.rsplit_once(file.path().to_str().unwrap()).unwrap().1.to_owned())
        };
        assert_eq!(read("# for the talk\n one\n\ntwo=\n"), Ok(vec!["one".to_owned(), "two=".to_owned()]));
        let expected = "expected letters, digits and any of - . _ ~ + / =";
        assert_eq!(read("one\nt w o\n"), Err(format!(", line 2: {expected}")));
        assert_eq!(read("# none\n"), Err(": expected a token a line, found none".to_owned()));
    }
}
