use std::{net::SocketAddr, ops::Range};

use anyhow::Result;

use crate::{event::Maker, page::Page, producers::Producers, wire::Server};

/// The server that is measured.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    #[arg(long, default_value = "http")]
    pub(crate) server: Server,
    /// Where pages connect
    #[arg(long)]
    pages: SocketAddr,
    /// The path of the WebSocket, with its query
    #[arg(long, default_value = "/ws")]
    path: String,
    /// Where producers connect [default: where pages do]
    #[arg(long)]
    publish: Option<SocketAddr>,
    #[arg(long, default_value = "/publish")]
    publish_path: String,
    /// The server's process, to measure what it uses
    #[arg(long)]
    pub(crate) server_process: Option<u32>,
}

impl Target {
    /// Opens the pages with these numbers.
    pub(crate) fn open(&self, numbers: Range<usize>) -> Result<Vec<Page>> {
        numbers.map(|number| Page::open(self.server, self.pages, &self.path, number)).collect()
    }

    /// Opens so many connections to publish on.
    pub(crate) fn producers(&self, count: usize, maker: Maker) -> Result<Producers> {
        let address = self.publish.unwrap_or(self.pages);
        Producers::open(self.server, address, &self.publish_path, count, maker)
    }
}
