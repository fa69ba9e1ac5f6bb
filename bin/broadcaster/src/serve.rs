use std::io::ErrorKind;
use std::sync::Arc;

use anyhow::anyhow;
use broadcaster::{Config, Epoch, Hub, LogLimits, Page};
use bytesize::ByteSize;
use command::{Failure, Stop};
use dashboard::Folder;
use tokio::net::TcpListener;

use crate::args::ServeArgs;

/// Checks the arguments, binds, and serves until it is told to stop.
pub(crate) async fn serve(args: ServeArgs, stop: Stop) -> Result<(), Failure> {
    let listen = args.listen;
    if !listen.ip().is_loopback() && args.publish_token.is_none() && !args.insecure {
        return Err(Failure::usage(format!(
            "--listen {listen} can be reached from other machines: give producers a --publish-token, or say --insecure"
        )));
    }
    let config = config(args)?;
    let listener = TcpListener::bind(listen).await.map_err(|error| {
        let taken = error.kind() == ErrorKind::AddrInUse;
        let way_out = if taken { "; --listen chooses another address" } else { "" };
        anyhow!("cannot listen on {listen}: {error}{way_out}")
    })?;
    let address = listener.local_addr()?;
    let hub = Hub::new(Epoch::random(), config.log);
    tracing::info!("listening on http://{address} (epoch {})", hub.epoch().as_str());
    broadcaster::serve(listener, hub, config, async move { stop.wait().await }).await?;
    tracing::info!("stopped");
    Ok(())
}

fn config(args: ServeArgs) -> Result<Config, Failure> {
    let page: Page = match args.ui_dir {
        None => Arc::new(dashboard::respond),
        Some(dir) => {
            let folder = Folder::open(dir).map_err(|error| Failure::usage(format!("--ui-dir: {error}")))?;
            Arc::new(move |method, path, headers| folder.respond(method, path, headers))
        }
    };
    Ok(Config {
        log: LogLimits { events: args.log_events as usize, bytes: bytes("--log-bytes", args.log_bytes)? },
        publish_token: args.publish_token,
        allow_origins: args.allow_origin,
        allow_hosts: args.allow_host,
        max_body: bytes("--max-body", args.max_body)?,
        max_connections: args.max_connections,
        page,
        ..Config::default()
    })
}

fn bytes(flag: &str, size: ByteSize) -> Result<usize, Failure> {
    usize::try_from(size.0)
        .map_err(|_| Failure::usage(format!("{flag} {size}: more than this machine can address")))
}
