//! A broker in a network namespace of its own, so that packets can be lost on the way to it. Needs root.

use std::process::{Command, Stdio};

use crate::{Broker, callqa, tansu};

const NAMESPACE: &str = "callqa-chaos";
const HERE: &str = "callqa-here";
const THERE: &str = "callqa-there";
/// Of the range for benchmarks (RFC 2544), which no network uses.
const OUR_ADDRESS: &str = "198.18.93.1/30";
const ITS_ADDRESS: &str = "198.18.93.2/30";
const BROKER: &str = "198.18.93.2:9092";

/// A namespace with a broker in it.
#[derive(Debug)]
pub struct Network {
    _broker: Broker,
    _namespace: Namespace,
}

/// Deletes the namespace, and with it the link, in the end.
#[derive(Debug)]
struct Namespace;

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = run(&["ip", "netns", "del", NAMESPACE]);
        let _ = run(&["ip", "link", "del", HERE]);
    }
}

impl Network {
    /// Makes the namespace, the link to it, and the broker. `None`, with the reason on standard error, where this
    /// machine does not allow that.
    ///
    /// # Panics
    /// Where the broker does not start.
    #[must_use]
    pub fn start() -> Option<Self> {
        drop(Namespace);
        let steps: [&[&str]; 8] = [
            &["ip", "netns", "add", NAMESPACE],
            &["ip", "link", "add", HERE, "type", "veth", "peer", "name", THERE],
            &["ip", "link", "set", THERE, "netns", NAMESPACE],
            &["ip", "addr", "add", OUR_ADDRESS, "dev", HERE],
            &["ip", "link", "set", HERE, "up"],
            &["ip", "-n", NAMESPACE, "addr", "add", ITS_ADDRESS, "dev", THERE],
            &["ip", "-n", NAMESPACE, "link", "set", THERE, "up"],
            &["ip", "netns", "exec", NAMESPACE, "iptables", "-L"],
        ];
        let namespace = Namespace;
        if let Some(refused) = steps.iter().find(|step| !run(step)) {
            eprintln!(
                "SKIPPED: `{}` is refused here; it needs root, iproute2 and iptables",
                refused.join(" ")
            );
            return None;
        }
        let mut command = Command::new("ip");
        command.args(["netns", "exec", NAMESPACE]).arg(tansu());
        let broker = Broker::spawn(command, BROKER, BROKER);
        let created = callqa(BROKER, &["topics", "create"]);
        assert_eq!(created.code, Some(0), "topics are created: {}", created.stderr);
        Some(Self { _broker: broker, _namespace: namespace })
    }

    /// `host:port` of the broker.
    #[must_use]
    pub fn address(&self) -> &str {
        BROKER
    }

    /// No packet gets through, either way, and nobody is told.
    pub fn drop_everything(&self) {
        both(&["-j", "DROP"]);
    }

    /// Of a hundred packets, so many get lost, either way.
    pub fn lose(&self, percent: u32) {
        let probability = format!("{:.2}", f64::from(percent) / 100.0);
        both(&["-m", "statistic", "--mode", "random", "--probability", &probability, "-j", "DROP"]);
    }

    /// Every packet gets through.
    pub fn drop_nothing(&self) {
        assert!(run(&["ip", "netns", "exec", NAMESPACE, "iptables", "-F"]), "iptables -F");
    }
}

fn both(rule: &[&str]) {
    for chain in ["INPUT", "OUTPUT"] {
        let command = [&["ip", "netns", "exec", NAMESPACE, "iptables", "-A", chain], rule].concat();
        assert!(run(&command), "{command:?}");
    }
}

fn run(command: &[&str]) -> bool {
    let mut process = Command::new(command[0]);
    process.args(&command[1..]).stdout(Stdio::null()).stderr(Stdio::null());
    process.status().is_ok_and(|status| status.success())
}
