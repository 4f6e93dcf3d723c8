//! A test double: it stands before a broker that asks nobody for a login, and lets nobody in without one.
//!
//! No broker that checks logins and could be had here keeps users. The doorkeeper speaks Kafka's `SaslHandshake` and
//! `SaslAuthenticate`, lets rsasl (a server's half of SASL, not librdkafka's) judge what the client sends, and from then
//! on hands bytes on unchanged. What a broker can do it hears from the broker.

use std::io::{self, Cursor, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use rsasl::prelude::{Mechname, SASLConfig, SASLServer, State};

use crate::users::{Admission, User};

/// Nothing that is said before a login is longer.
const LONGEST_FRAME: i32 = 64 << 10;

const SASL_HANDSHAKE: i16 = 17;
const API_VERSIONS: i16 = 18;
const SASL_AUTHENTICATE: i16 = 36;

const UNSUPPORTED_MECHANISM: i16 = 33;
const AUTHENTICATION_FAILED: i16 = 58;

/// Who stands there.
#[derive(Clone)]
pub struct Doorkeeper {
    broker: String,
    offers: &'static [&'static str],
    rules: Arc<SASLConfig>,
    admitted: Arc<Mutex<Vec<String>>>,
}

impl Doorkeeper {
    /// Listens at an address before a broker, and offers these mechanisms.
    pub fn start(listen: &str, broker: &str, offers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind(listen).unwrap();
        let rules = SASLConfig::builder().with_defaults().with_callback(User).unwrap();
        let doorkeeper = Self { broker: broker.to_owned(), offers, rules, admitted: Arc::default() };
        let on_duty = doorkeeper.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let doorkeeper = on_duty.clone();
                // Whoever breaks off is gone: that is all there is to know.
                std::thread::spawn(move || drop(doorkeeper.receive(client)));
            }
        });
        doorkeeper
    }

    /// How many connections were let in by this mechanism.
    pub fn admitted(&self, mechanism: &str) -> usize {
        self.admitted.lock().unwrap().iter().filter(|admitted| *admitted == mechanism).count()
    }

    fn receive(&self, mut client: TcpStream) -> io::Result<()> {
        let mut broker = TcpStream::connect(&self.broker)?;
        if let Some(mechanism) = self.is_admitted(&mut client, &mut broker)? {
            self.admitted.lock().unwrap().push(mechanism);
            hand_on(client, broker)?;
        }
        Ok(())
    }

    /// The mechanism of a login that was right, or `None`.
    fn is_admitted(&self, client: &mut TcpStream, broker: &mut TcpStream) -> io::Result<Option<String>> {
        let mut session = None;
        loop {
            let frame = read_frame(client)?;
            let request = Request::read(&frame)?;
            match request.api {
                API_VERSIONS => {
                    write_frame(broker, &frame)?;
                    let answer = read_frame(broker)?;
                    write_frame(client, &answer)?;
                }
                SASL_HANDSHAKE => {
                    let mechanism = request.text();
                    let is_offered = self.offers.contains(&mechanism.as_str());
                    write_frame(client, &self.handshake(&request, is_offered))?;
                    if !is_offered {
                        return Ok(None);
                    }
                    let name = Mechname::parse(mechanism.as_bytes()).map_err(io::Error::other)?;
                    let server = SASLServer::<Admission>::new(Arc::clone(&self.rules));
                    session = Some((server.start_suggested(name).map_err(io::Error::other)?, mechanism));
                }
                SASL_AUTHENTICATE => {
                    let Some((session, mechanism)) = &mut session else { return Ok(None) };
                    let mut answer = Cursor::new(Vec::new());
                    let state = session.step(Some(request.bytes()), &mut answer);
                    let is_over = matches!(state, Ok(State::Finished(_)));
                    let is_right = is_over && session.validation() == Some(());
                    let is_wrong = state.is_err() || (is_over && !is_right);
                    write_frame(client, &request.verdict(is_wrong, answer.get_ref()))?;
                    if is_over || is_wrong {
                        return Ok(is_right.then(|| mechanism.clone()));
                    }
                }
                // Anything else before a login: a broker hangs up.
                _ => return Ok(None),
            }
        }
    }

    fn handshake(&self, request: &Request, is_offered: bool) -> Vec<u8> {
        let mut answer = request.answer(if is_offered { 0 } else { UNSUPPORTED_MECHANISM });
        answer.extend((self.offers.len() as i32).to_be_bytes());
        for offered in self.offers {
            answer.extend((offered.len() as i16).to_be_bytes());
            answer.extend(offered.as_bytes());
        }
        answer
    }
}

/// What a client asks, as far as the head of it goes.
struct Request<'a> {
    api: i16,
    version: i16,
    correlation: [u8; 4],
    body: &'a [u8],
}

impl<'a> Request<'a> {
    fn read(frame: &'a [u8]) -> io::Result<Self> {
        let short = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let (api, rest) = frame.split_first_chunk().ok_or_else(short)?;
        let (version, rest) = rest.split_first_chunk().ok_or_else(short)?;
        let (correlation, rest) = rest.split_first_chunk().ok_or_else(short)?;
        let (name, rest) = rest.split_first_chunk().ok_or_else(short)?;
        let name = usize::try_from(i16::from_be_bytes(*name)).unwrap_or(0);
        let body = rest.get(name..).ok_or_else(short)?;
        let (api, version) = (i16::from_be_bytes(*api), i16::from_be_bytes(*version));
        Ok(Self { api, version, correlation: *correlation, body })
    }

    /// A body that is one text, after two bytes of length.
    fn text(&self) -> String {
        String::from_utf8_lossy(self.body.get(2..).unwrap_or_default()).into_owned()
    }

    /// A body that is bytes, after four of length.
    fn bytes(&self) -> &[u8] {
        self.body.get(4..).unwrap_or_default()
    }

    fn answer(&self, error: i16) -> Vec<u8> {
        [self.correlation.as_slice(), &error.to_be_bytes()].concat()
    }

    /// The answer to `SaslAuthenticate`, in its first two versions.
    fn verdict(&self, is_wrong: bool, bytes: &[u8]) -> Vec<u8> {
        let (error, words, bytes) =
            if is_wrong { (AUTHENTICATION_FAILED, "Authentication failed", &[][..]) } else { (0, "", bytes) };
        let mut answer = self.answer(error);
        answer.extend((words.len() as i16).to_be_bytes());
        answer.extend(words.as_bytes());
        answer.extend((bytes.len() as i32).to_be_bytes());
        answer.extend(bytes);
        if self.version > 0 {
            // For how long the login holds: no end.
            answer.extend(0_i64.to_be_bytes());
        }
        answer
    }
}

fn read_frame(from: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = i32::from_be_bytes(length);
    if !(0..=LONGEST_FRAME).contains(&length) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut frame = vec![0; length as usize];
    from.read_exact(&mut frame)?;
    Ok(frame)
}

fn write_frame(to: &mut TcpStream, frame: &[u8]) -> io::Result<()> {
    to.write_all(&[&(frame.len() as i32).to_be_bytes(), frame].concat())
}

/// Copies both ways until one side has done.
fn hand_on(mut client: TcpStream, mut broker: TcpStream) -> io::Result<()> {
    let (mut from_broker, mut to_client) = (broker.try_clone()?, client.try_clone()?);
    let answers = std::thread::spawn(move || {
        drop(io::copy(&mut from_broker, &mut to_client));
        drop(to_client.shutdown(Shutdown::Both));
    });
    drop(io::copy(&mut client, &mut broker));
    drop(broker.shutdown(Shutdown::Both));
    drop(answers.join());
    Ok(())
}
