//! The page, built by Vite and embedded, and the answers that serve it.
//!
//! ```text
//! web/ (TypeScript) --npm run build--> dist/ (committed, with .br and .gz) --include_bytes!--> respond
//!                                        \--------------- --ui-dir ---------------> Folder::respond
//! ```
//!
//! `cargo build` needs no node: `dist/` is part of the repository, the same sources build the same
//! bytes, and CI rebuilds it and fails on a difference. Files in `dist/` keep their names; the page
//! refers to them as `assets/<version>/<name>`, where the version is a digest of all of them, so
//! that they can be kept for ever. All addresses are relative: the page works under any path.
//!
//! To work on the page, in `web/`: `npm ci`, then `npm run build`, `npm run check` (types),
//! `npm test` (fold, link, renderer, formats), `npm run test:browser` (Chromium and the real
//! broadcaster) and `npm run bench` (frame times of the scatter). A scene is a folder in
//! `web/src/scenes`, listed in its `index.ts`. How a page comes to what it shows:
//!
//! ```text
//! WebSocket or SSE -> link (cursor, backoff) -> relay (all tabs) -> fold -> signals -> scenes
//!        \------------ one SharedWorker a browser ------------/      snapshots -> points worker
//! ```
//!
//! Deliberately absent: anything from another origin, inline scripts and styles, cookies, WebGL.

mod asset;
mod encoding;
mod folder;
mod respond;
mod tabs;

pub use folder::{Folder, OpenError};
pub use respond::respond;
pub use tabs::{Tabs, TabsError};
