//! A broker process of our own, in memory, on a free port.

use std::ffi::OsString;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::process::{Owned, callqa};

/// A running broker with callqa's topics.
#[derive(Debug)]
pub struct Broker {
    address: String,
    process: Owned,
}

impl Broker {
    /// Starts a broker and creates the topics with `callqa topics create`, which waits for it.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn start() -> Self {
        let address = free_address();
        Self::behind(&address, &address)
    }

    /// Starts a broker that listens at one address and sends its clients to another, where something stands
    /// between them and it.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn behind(address: &str, advertised: &str) -> Self {
        let broker = Self::spawn(Command::new(tansu()), address, advertised);
        let created = callqa(advertised, &["topics", "create"]);
        assert_eq!(created.code, Some(0), "topics are created: {}", created.stderr);
        broker
    }

    /// Starts a broker by a command that ends with its program; the topics are not made.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn spawn(mut command: Command, address: &str, advertised: &str) -> Self {
        let (url, advertised) = (format!("tcp://{address}"), format!("tcp://{advertised}"));
        let process = command
            .args(["broker", "--listener-url", &url, "--advertised-listener-url", &advertised])
            .args(["--storage-engine", "memory://tansu/"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Owned)
            .expect("the broker starts");
        Self { address: address.to_owned(), process }
    }

    /// Stops it where it stands: connections stay, and nobody answers.
    pub fn pause(&self) {
        self.process.signal("STOP");
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.process.signal("CONT");
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }
}

/// The broker's program.
///
/// # Panics
/// Where `$CALLQA_TANSU` is not set.
#[must_use]
pub fn tansu() -> OsString {
    std::env::var_os("CALLQA_TANSU").expect("CALLQA_TANSU: run these tests with tests/run")
}

/// An address that was free a moment ago.
///
/// # Panics
/// Where there is none.
#[must_use]
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").to_string()
}
