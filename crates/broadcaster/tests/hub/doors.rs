//! Who is let in, and over what.

use std::fs;
use std::sync::Arc;

use broadcaster::{Access, Config, Tls, TlsError, Tokens};
use events::Kind;
use futures_util::{SinkExt, StreamExt};
use reqwest::{Certificate, Client, StatusCode, Version};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::http::{json, post, refused};
use crate::page::Page;
use crate::wall::{self, Wall};

const METRIC: &str = r#"{"type":"model_metric","model":"knn","accuracy":0.5}"#;

fn guarded(access: Access) -> (watch::Sender<Access>, Config) {
    let (sender, access) = watch::channel(access);
    (sender, Config { access, ..wall::config() })
}

#[tokio::test]
async fn a_publish_token_is_asked_for_and_can_be_changed_without_cutting_anybody() {
    let publish = Tokens::new(["secret"]);
    let (access, config) = guarded(Access { publish, ..Access::default() });
    let wall = Wall::start(config).await;
    let send = |token: &str| post(&wall, "application/json", METRIC).bearer_auth(token);
    let mut page = wall.websocket("").await;
    assert_eq!(page.next().await[0]["type"], "hello", "looking needs none");
    refused(&wall, post(&wall, "application/json", METRIC), 401).await;
    refused(&wall, send("secret, and more"), 401).await;
    assert_eq!(send("secret").send().await.unwrap().status(), 200);
    access.send_modify(|access| access.publish = Tokens::new(["secret", "next"]));
    assert_eq!(send("next").send().await.unwrap().status(), 200);
    access.send_modify(|access| access.publish = Tokens::new(["next"]));
    refused(&wall, send("secret"), 401).await;
    assert_eq!(send("next").send().await.unwrap().status(), 200);
    let mut heard = vec![];
    while heard.len() < 4 {
        heard.extend(page.next().await.into_iter().map(|message| message["seq"].clone()));
    }
    assert_eq!(heard, [0, 1, 2, 3], "ready, and then every event");
    drop(page);
    wall.stopped().await;
}

#[tokio::test]
async fn a_view_token_is_asked_for_and_a_browser_keeps_it() {
    let view = Tokens::new(["seen", "se+en="]);
    let (_access, config) = guarded(Access { view, ..Access::default() });
    let wall = Wall::start(config).await;
    let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let get = |path: &str| client.get(wall.url(path));
    for path in ["/", "/ws", "/events", "/state", "/state/loss", "/snapshots/0", "/nothing"] {
        refused(&wall, get(path), 401).await;
        refused(&wall, get(path).bearer_auth("unseen"), 401).await;
    }
    assert_eq!(
        post(&wall, "application/json", METRIC).send().await.unwrap().status(),
        200,
        "producers do not look"
    );
    assert_eq!(get("/healthz").send().await.unwrap().text().await.unwrap(), "{\"status\":\"ok\"}\n");
    let door = get("/").header("accept", "text/html,*/*").send().await.unwrap();
    assert_eq!(door.status(), 401);
    assert!(door.text().await.unwrap().contains("/?token="));
    assert_eq!(json(get("/state").bearer_auth("seen").send().await.unwrap()).await["seq"], 1);

    refused(&wall, get("/?token=unseen"), 401).await;
    let plus = get("/?token=se+en%3D").send().await.unwrap();
    assert!(plus.headers()["set-cookie"].to_str().unwrap().starts_with("vitrine_view=se+en=;"));
    let entered = get("/?token=seen").send().await.unwrap();
    assert_eq!(
        (entered.status(), &entered.headers()["location"]),
        (StatusCode::SEE_OTHER, &"./".parse().unwrap())
    );
    let cookie = entered.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
    let cookie = format!("other=1; {}", cookie.split(';').next().unwrap());
    assert_eq!(json(get("/healthz").header("cookie", &cookie).send().await.unwrap()).await["seq"], 1);
    // An address that was right once, by a browser that may look.
    let old = get("/?token=unseen").header("cookie", &cookie).send().await.unwrap();
    assert_eq!((old.status(), old.headers().get("set-cookie")), (StatusCode::SEE_OTHER, None));
    let mut request = format!("ws://{}/ws", wall.address).into_client_request().unwrap();
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    let (socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    drop(socket);
    wall.stopped().await;
}

#[tokio::test]
async fn every_answer_says_how_browsers_are_to_take_it() {
    let wall = Wall::start(wall::config()).await;
    for path in ["/", "/healthz", "/state", "/nothing", "/events"] {
        let answer = reqwest::get(wall.url(path)).await.unwrap();
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.headers()[name], value, "{path}");
        }
    }
    wall.stopped().await;
}

/// A certificate for this machine, and what a client needs to believe it.
fn certificate() -> (tempfile::TempDir, Tls, String) {
    let folder = tempfile::tempdir().unwrap();
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    fs::write(&cert, pair.cert.pem()).unwrap();
    fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
    let tls = Tls::read(&cert, &key).unwrap();
    (folder, tls, pair.cert.pem())
}

#[tokio::test]
async fn over_tls_it_speaks_http_2_and_websocket() {
    let (_folder, tls, pem) = certificate();
    let (_access, config) = guarded(Access { tls: Some(tls), ..Access::default() });
    let wall = Wall::start(config).await;
    let port = wall.address.port();
    let client = Client::builder()
        .tls_certs_only([Certificate::from_pem(pem.as_bytes()).unwrap()])
        .resolve("localhost", wall.address)
        .build()
        .unwrap();
    let url = |path: &str| format!("https://localhost:{port}{path}");
    let publish = async |model: usize| {
        let body = METRIC.replace("knn", &format!("m{model}"));
        let request = client.post(url("/publish")).header("content-type", "application/json").body(body);
        request.send().await.unwrap()
    };
    let published = publish(0).await;
    assert_eq!((published.status(), published.version()), (StatusCode::OK, Version::HTTP_2));
    let mut events = client.get(url("/events")).send().await.unwrap();
    assert!(events.chunk().await.unwrap().is_some());

    // A page: HTTP/1.1, WebSocket, the same promises.
    let mut roots = RootCertStore::empty();
    use tokio_rustls::rustls::pki_types::pem::PemObject;
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let tcp = TcpStream::connect(wall.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
    let (mut socket, _) =
        tokio_tungstenite::client_async(format!("wss://localhost:{port}/ws?batch=1"), stream).await.unwrap();
    let mut page = Page::new(Kind::retention);
    for model in 1..50 {
        publish(model).await;
    }
    while !(page.ready && page.seq == wall.hub.head_seq()) {
        let Message::Text(text) = socket.next().await.unwrap().unwrap() else { continue };
        let messages: serde_json::Value = serde_json::from_str(&text).unwrap();
        match messages.as_array() {
            Some(messages) => messages.iter().for_each(|message| page.receive(message)),
            None => page.receive(&messages),
        }
    }
    let state = client.get(url("/state")).send().await.unwrap();
    assert_eq!(page.state(), *json(state).await["events"].as_array().unwrap());
    socket.send(Message::Ping("are you there".into())).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("are you there".into()));
    // Not what is spoken here: an end, and the others go on.
    assert!(reqwest::get(wall.url("/healthz")).await.is_err());
    drop((socket, events));
    assert_eq!(publish(0).await.status(), 200);
    drop(client);
    wall.stopped().await;
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let (folder, _, pem) = certificate();
    let path = |name: &str| folder.path().join(name);
    let wrong = |cert: &str, key: &str| Tls::read(&path(cert), &path(key)).unwrap_err().to_string();
    assert!(wrong("none.pem", "key.pem").contains("none.pem: expected a certificate chain in PEM"));
    assert!(
        wrong("key.pem", "key.pem")
            .contains("key.pem: expected a certificate chain in PEM, found no certificate")
    );
    assert!(wrong("cert.pem", "cert.pem").contains("cert.pem: expected a private key in PEM"));
    fs::write(path("other.pem"), certificate().2).unwrap();
    assert_ne!(fs::read_to_string(path("other.pem")).unwrap(), pem);
    let pair = Tls::read(&path("other.pem"), &path("key.pem")).unwrap_err();
    assert!(matches!(pair, TlsError::Pair { .. }), "{pair}");
}
