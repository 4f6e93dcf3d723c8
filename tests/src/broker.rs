//! A broker process of our own, in memory, on a free port.

use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::process::{Owned, callqa};

/// A running broker with callqa's topics.
#[derive(Debug)]
pub struct Broker {
    address: String,
    _process: Owned,
}

impl Broker {
    /// Starts a broker and creates the topics with `callqa topics create`, which waits for it.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn start() -> Self {
        let address = free_address();
        let url = format!("tcp://{address}");
        let tansu = std::env::var_os("CALLQA_TANSU").expect("CALLQA_TANSU: run these tests with tests/run");
        let process = Command::new(tansu)
            .args(["broker", "--listener-url", &url, "--advertised-listener-url", &url])
            .args(["--storage-engine", "memory://tansu/"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Owned)
            .expect("the broker starts");
        let created = callqa(&address, &["topics", "create"]);
        assert_eq!(created.code, Some(0), "topics are created: {}", created.stderr);
        Self { address, _process: process }
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

/// An address that was free a moment ago.
pub(crate) fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}
