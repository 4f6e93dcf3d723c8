//! A listener that nobody may reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};

/// Listens on loopback and counts who comes.
pub struct Trap {
    port: u16,
    came: Arc<AtomicUsize>,
    has_v6: bool,
}

impl Trap {
    /// Opens it on 127.0.0.1, and on the same port of ::1 where the machine has that.
    pub async fn open() -> Self {
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = v4.local_addr().expect("an address").port();
        let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await;
        let trap = Self { port, came: Arc::default(), has_v6: v6.is_ok() };
        for listener in [Ok(v4), v6].into_iter().flatten() {
            let came = Arc::clone(&trap.came);
            tokio::spawn(async move {
                while listener.accept().await.is_ok() {
                    came.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        trap
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Nobody came: shown by coming ourselves, through the same queue, and being the first.
    pub async fn assert_untouched(&self) {
        let ours: &[IpAddr] = &[Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let ours = &ours[..1 + usize::from(self.has_v6)];
        let mut held = Vec::new();
        for address in ours {
            held.push(
                TcpStream::connect(SocketAddr::new(*address, self.port)).await.expect("the trap is open"),
            );
        }
        while self.came.load(Ordering::SeqCst) < ours.len() {
            tokio::task::yield_now().await;
        }
        assert_eq!(self.came.load(Ordering::SeqCst), ours.len(), "somebody reached the trap");
    }
}
