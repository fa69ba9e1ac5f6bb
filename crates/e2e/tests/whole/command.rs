//! Commands as processes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

/// How long what must come is waited for: no more than a busy machine may need.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// One of our commands, with these arguments.
pub(crate) fn command(name: &str, args: &[&str]) -> Command {
    // target/<profile>/deps/whole-... -> target/<profile>/<name>
    let tests = std::env::current_exe().unwrap();
    let path = tests.parent().and_then(Path::parent).unwrap().join(name);
    assert!(path.is_file(), "{} is not there: cargo build --workspace --bins", path.display());
    let mut command = Command::new(path);
    command.args(args).current_dir(repository()).stdin(Stdio::null());
    for name in [
        "VITRINE_LOG",
        "VITRINE_PUBLISH_URL",
        "VITRINE_PUBLISH_TOKEN",
        "VITRINE_VIEW_TOKEN",
        "VITRINE_DATA_ROOT",
        "VITRINE_KNN_INSTRUCTIONS",
        "FRAME_DELAY_MS",
        "POLL_INTERVAL_SEC",
        "CH_PROTOCOL",
        "CH_HOST",
        "CH_PORT",
        "CH_DATABASE",
        "CH_USER",
        "CH_PASSWORD",
    ] {
        command.env_remove(name);
    }
    // Nobody's own state: what is not told where to keep it cannot.
    command.env("XDG_STATE_HOME", "/dev/null");
    command
}

/// The Python that has chDB and requests; `None` where it is not installed.
pub(crate) fn python() -> Option<PathBuf> {
    let python = repository().join(".venv/chdb/bin/python");
    let python = std::env::var_os("CHDB_PYTHON").map_or(python, PathBuf::from);
    if python.exists() {
        return Some(python);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing", python.display());
    let _ =
        writeln!(std::io::stderr(), "not tested: {} is missing; scripts/test installs it", python.display());
    None
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) fn run(mut command: Command) -> Ended {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A process that ends with the test.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// Ends it on the spot.
    pub(crate) fn kill(&self) {
        self.signal("-KILL");
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Asks it to stop as Ctrl-C does; its exit code.
    pub(crate) fn interrupt(&mut self) -> i32 {
        self.signal("-INT");
        self.0.wait().unwrap().code().unwrap()
    }
}

/// A broadcaster on a free port.
pub(crate) struct Broadcaster {
    pub(crate) process: Running,
    pub(crate) address: String,
    log: Arc<Mutex<String>>,
}

impl Broadcaster {
    pub(crate) fn start() -> Self {
        Self::run(command("broadcaster", &["serve", "--listen", "127.0.0.1:0", "--no-state"]))
    }

    /// What this command starts.
    pub(crate) fn run(mut command: Command) -> Self {
        let mut process = Running(command.stderr(Stdio::piped()).spawn().unwrap());
        let mut log = BufReader::new(process.0.stderr.take().unwrap());
        let (mut said, mut address) = (String::new(), None);
        while address.is_none() {
            assert!(log.read_line(&mut said).unwrap() > 0, "{said}");
            address = said.split("://").nth(1).and_then(|rest| Some(rest.split(' ').next()?.to_owned()));
        }
        let address = address.unwrap();
        let logged = Arc::new(Mutex::new(said));
        let to = logged.clone();
        std::thread::spawn(move || {
            let mut line = String::new();
            while log.read_line(&mut line).is_ok_and(|read| read > 0) {
                to.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        Self { process, address, log: logged }
    }

    /// Waits until its log says this.
    pub(crate) fn wait_to_log(&self, text: &str) {
        for _ in 0..600 {
            if self.log.lock().unwrap().contains(text) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("it did not log {text:?} within 30 s: {}", self.log.lock().unwrap());
    }

    pub(crate) fn publish_url(&self) -> String {
        format!("http://{}/publish", self.address)
    }

    /// The body of the answer, if there is a whole one.
    fn request(&self, head: &str, body: &str) -> Option<String> {
        let mut socket = TcpStream::connect(&self.address).ok()?;
        let length = body.len();
        write!(socket, "{head} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}", self.address).ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).ok()?;
        Some(answer.split_once("\r\n\r\n")?.1.to_owned())
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.request(&format!("GET {path}"), "").unwrap()
    }

    /// The answer, unless the broadcaster ended.
    pub(crate) fn try_publish(&self, event: &str) -> Option<String> {
        self.request("POST /publish", event)
    }

    pub(crate) fn publish(&self, event: &str) -> String {
        self.try_publish(event).unwrap()
    }

    /// The sticky events of a type.
    pub(crate) fn state(&self, kind: &str) -> Vec<Value> {
        let state: Value = serde_json::from_str(&self.get(&format!("/state/{kind}"))).unwrap();
        state["events"].as_array().unwrap().clone()
    }

    /// Waits until a type has this many sticky events.
    pub(crate) fn wait_for(&self, kind: &str, count: usize) -> Vec<Value> {
        for _ in 0..600 {
            let state = self.state(kind);
            if state.len() >= count {
                return state;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("no {count} {kind} after 30 s: {:?}", self.state(kind));
    }
}
