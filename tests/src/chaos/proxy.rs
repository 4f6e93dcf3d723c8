//! A TCP proxy that delays what passes, or holds it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that are taken at once.
const PIECE: usize = 16 << 10;

/// A proxy in front of a broker.
#[derive(Debug)]
pub struct Proxy {
    address: String,
    gate: Arc<Gate>,
}

/// Whether anything passes.
#[derive(Debug, Default)]
struct Gate {
    is_shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        let shut = self.is_shut.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(shut, |shut| *shut));
    }

    fn set(&self, shut: bool) {
        *self.is_shut.lock().unwrap_or_else(PoisonError::into_inner) = shut;
        self.opened.notify_all();
    }
}

impl Proxy {
    /// Listens on a free port for a broker at `to`; each piece arrives later by `delay`, either way. The proxy
    /// lives as long as the test's process.
    ///
    /// # Panics
    /// Where there is no port.
    #[must_use]
    pub fn start(to: &str, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let (to, gate) = (to.to_owned(), Arc::new(Gate::default()));
        let shared = Arc::clone(&gate);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(broker) = TcpStream::connect(&to) else { continue };
                let _ = client.set_nodelay(true).and_then(|()| broker.set_nodelay(true));
                let clones = client.try_clone().and_then(|client| Ok((client, broker.try_clone()?)));
                let Ok((client_too, broker_too)) = clones else { continue };
                carry(client, broker, delay, Arc::clone(&shared));
                carry(broker_too, client_too, delay, Arc::clone(&shared));
            }
        });
        Self { address, gate }
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// From now on nothing passes; connections stay, and new ones are made and stay silent.
    pub fn hold(&self) {
        self.gate.set(true);
    }

    /// Everything passes again, what was held first.
    pub fn let_through(&self) {
        self.gate.set(false);
    }
}

fn carry(mut from: TcpStream, to: TcpStream, delay: Duration, gate: Arc<Gate>) {
    let (pieces, arriving) = channel::<(Instant, Vec<u8>)>();
    std::thread::spawn(move || deliver(to, &arriving, &gate));
    std::thread::spawn(move || {
        let mut piece = vec![0; PIECE];
        while let Ok(count @ 1..) = from.read(&mut piece) {
            if pieces.send((Instant::now() + delay, piece[..count].to_vec())).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Read);
    });
}

fn deliver(mut to: TcpStream, arriving: &Receiver<(Instant, Vec<u8>)>, gate: &Gate) {
    for (due, piece) in arriving {
        while let Some(left) = due.checked_duration_since(Instant::now()) {
            std::thread::park_timeout(left);
        }
        gate.pass();
        if to.write_all(&piece).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
