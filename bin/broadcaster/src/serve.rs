use std::env;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow};
use broadcaster::{Access, Config, Epoch, Hub, Keeper, LogLimits, Page, recall};
use bytesize::ByteSize;
use command::{Failure, Stop};
use dashboard::{Folder, Tabs};
use directories::ProjectDirs;
use runs::{Address, ClickHouse, Embedded, Limits, Store};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{oneshot, watch};

use crate::access::Doors;
use crate::args::{Durability, ServeArgs};
use crate::supervisor;

/// Checks the arguments, binds, and serves until it is told to stop.
pub(crate) async fn serve(args: ServeArgs, stop: Stop) -> Result<(), Failure> {
    let listen = args.listen;
    let doors = Doors::of(&args);
    let (publish_open, access) = (doors.publish_open(), doors.open().await?);
    if !listen.ip().is_loopback() && publish_open && !args.insecure {
        return Err(Failure::usage(format!(
            "--listen {listen} can be reached from other machines: give producers a --publish-token, or say --insecure"
        )));
    }
    raise_file_limit(args.max_connections);
    let scheme = if args.tls_cert.is_some() { "https" } else { "http" };
    let state = state(&args)?;
    let mut config = config(&args, access)?;
    let listener = bind(listen).map_err(|error| {
        let taken = error.kind() == ErrorKind::AddrInUse;
        let way_out = if taken { "; --listen chooses another address" } else { "" };
        anyhow!("cannot listen on {listen}: {error}{way_out}")
    })?;
    let address = listener.local_addr()?;
    // What is kept is opened when nothing else can be wrong.
    let (hub, keeper) = match open(&args, &state, &mut config, &stop).await {
        Err(Failure::Interrupted) => {
            tracing::info!("stopped");
            return Ok(());
        }
        opened => opened?,
    };
    let place =
        state.map_or_else(|| "in memory only".to_owned(), |(dir, _)| format!("state in {}", dir.display()));
    let (epoch, seq) = (hub.epoch().as_str(), hub.head_seq());
    tracing::info!("listening on {scheme}://{address} (epoch {epoch}, seq {seq}, {place})");
    supervisor::ready(&hub);

    let (end, ended) = oneshot::channel::<()>();
    let mut keeping = tokio::spawn(async move {
        let ended = async move { drop(ended.await) };
        match keeper {
            Some(keeper) => keeper.run(ended).await,
            None => {
                ended.await;
                Ok(())
            }
        }
    });
    let stopped = async move {
        stop.wait().await;
        supervisor::stopping();
    };
    let served = tokio::select! {
        served = broadcaster::serve(listener, hub, config, stopped) => served,
        // It ends when it is told to, or with a panic: what nobody writes must not be acknowledged.
        ended = &mut keeping => return Err(ended.map_or_else(Failure::from, |_| Failure::failed("nobody writes the state"))),
    };
    drop(end);
    keeping.await?.context("the newest events are not in the saved state")?;
    served?;
    tracing::info!("stopped");
    Ok(())
}

/// Opens what is kept, and brings back what pages are shown of it. A server of the runs may take its time: a stop does not wait for it.
async fn open(
    args: &ServeArgs,
    state: &Option<(PathBuf, broadcaster::Durability)>,
    config: &mut Config,
    stop: &Stop,
) -> Result<(Hub, Option<Keeper>), Failure> {
    config.runs = tokio::select! {
        runs = runs(args, state.as_ref().map(|(dir, _)| dir.as_path())) => runs?,
        () = stop.wait() => return Err(Failure::Interrupted),
    };
    let (hub, keeper) = match state {
        None => (Hub::new(Epoch::random(), config.log), None),
        Some((dir, durability)) => {
            let (hub, keeper) = Keeper::open(dir, config.log, *durability)?;
            (hub, Some(keeper))
        }
    };
    let Some(store) = &config.runs else { return Ok((hub, keeper)) };
    let recalled = tokio::select! {
        recalled = recall(&hub, &**store) => recalled.map_err(Failure::from),
        () = stop.wait() => Err(Failure::Interrupted),
    };
    match (recalled, keeper) {
        (Ok(()), keeper) => Ok((hub, keeper)),
        (Err(failure), None) => Err(failure),
        (Err(failure), Some(keeper)) => {
            // Left as it was: what is only dropped looks like a crash to the next start.
            keeper.run(std::future::ready(())).await?;
            Err(failure)
        }
    }
}

/// Listens, with room in the kernel's queue for as many pages as may come back at once after a restart.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(4_096)
}

/// Lets the process open a file for every connection, if the system lets it.
fn raise_file_limit(connections: u32) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // What is not a connection: the state, the log, the runtime's own.
    let wanted = u64::from(connections) + 64;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return;
    }
    let raised = maximum.map_or(wanted, |maximum| maximum.min(wanted));
    let is_raised = setrlimit(Resource::Nofile, Rlimit { current: Some(raised), maximum }).is_ok();
    if !is_raised || raised < u64::from(connections) {
        tracing::warn!(
            "{raised} files may be open: too few for --max-connections {connections}; ulimit -n, or LimitNOFILE= of systemd, allows more"
        );
    }
}

/// Where the state is kept, if it is, and when a publish is acknowledged.
fn state(args: &ServeArgs) -> Result<Option<(PathBuf, broadcaster::Durability)>, Failure> {
    if args.no_state {
        return Ok(None);
    }
    let dir = args.state_dir.clone().or_else(|| {
        let dirs = ProjectDirs::from("", "", "vitrine")?;
        Some(dirs.state_dir().unwrap_or(dirs.data_local_dir()).to_owned())
    });
    let durability = match args.durability {
        Durability::Async => broadcaster::Durability::Async,
        Durability::Sync => broadcaster::Durability::Sync,
    };
    match dir {
        Some(dir) => Ok(Some((dir, durability))),
        None => Err(Failure::usage(
            "there is no home folder to keep the state in: give a --state-dir, or say --no-state",
        )),
    }
}

/// Where the points of training runs are kept, if they are.
async fn runs(args: &ServeArgs, state: Option<&Path>) -> Result<Option<Arc<dyn Store>>, Failure> {
    let dir = match args.runs_store.as_deref() {
        Some(server) if server == "clickhouse" || server.contains("://") => {
            let address = Address::configured(server, |name| env::var(name).ok());
            let address = address.map_err(|error| Failure::usage(format!("--runs-store: {error}")))?;
            return Ok(Some(Arc::new(ClickHouse::open(address).await?)));
        }
        Some(dir) => PathBuf::from(dir),
        None => match state {
            Some(state) => state.join("runs"),
            None => return Ok(None),
        },
    };
    Ok(Some(Arc::new(Embedded::open(&dir, Limits::default())?)))
}

fn config(args: &ServeArgs, access: watch::Receiver<Access>) -> Result<Config, Failure> {
    let tabs = args.metric_tabs.as_deref().map_or_else(|| Ok(Tabs::default()), Tabs::read);
    let tabs = tabs.map_err(|error| Failure::usage(format!("--metric-tabs: {error}")))?;
    let page: Page = match &args.ui_dir {
        None => Arc::new(move |method, path, headers| {
            dashboard::respond(method, path, headers).or_else(|| tabs.respond(method, path, headers))
        }),
        Some(dir) => {
            let folder = Folder::open(dir).map_err(|error| Failure::usage(format!("--ui-dir: {error}")))?;
            Arc::new(move |method, path, headers| {
                folder.respond(method, path, headers).or_else(|| tabs.respond(method, path, headers))
            })
        }
    };
    Ok(Config {
        log: LogLimits { events: args.log_events as usize, bytes: bytes("--log-bytes", args.log_bytes)? },
        access,
        allow_origins: args.allow_origin.clone(),
        allow_hosts: args.allow_host.clone(),
        max_body: bytes("--max-body", args.max_body)?,
        max_connections: args.max_connections,
        max_connections_per_address: args.max_connections_per_address,
        page,
        frame_delay: Duration::from_millis(args.frame_delay_ms),
        ..Config::default()
    })
}

fn bytes(flag: &str, size: ByteSize) -> Result<usize, Failure> {
    usize::try_from(size.0)
        .map_err(|_| Failure::usage(format!("{flag} {size}: more than this machine can address")))
}
