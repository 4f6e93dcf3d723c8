//! The long forms of all trouble: `tests/chaos/long WHAT` builds what they need and runs one.

use std::process::ExitCode;
use std::time::Duration;

use callqa_tests::Broker;
use callqa_tests::chaos::determinism::{Size, compare, sample_recordings};
use callqa_tests::chaos::kill::{self, Plan};
use callqa_tests::chaos::{Network, outage, rebalance};

/// More than a worker judges in one life.
const CALLS_A_KILL: usize = 10;

const USAGE: &str = "\
long-chaos WHAT [NUMBER]
  kill [KILLS]           SIGKILL at random moments, ten calls a kill (default 200)
  kill-whisper [KILLS]   the same with real whisper on the sample calls (default 5)
  rebalance [CHANGES]    a third worker comes and goes (default 30)
  long-call              a call of 60 s against a poll interval of 10 s
  stopped [TIMES]        the broker stands still for 30 s (default 10)
  partition [TIMES]      no packet gets through for 60 s (default 1; needs root)
  loss [CALLS]           one packet in twenty gets lost (default 200 calls; needs root)
  determinism            all sample calls on two workers, in opposite order
";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    let number = arguments.next().and_then(|number| number.parse::<usize>().ok());
    let Some(figures) = run(&what, number) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    eprintln!("{what}: {figures}");
    ExitCode::SUCCESS
}

fn run(what: &str, number: Option<usize>) -> Option<String> {
    let figures = match what {
        "kill" => scripted_kills(number.unwrap_or(200)),
        "kill-whisper" => whisper_kills(number.unwrap_or(5)),
        "rebalance" => rebalance::come_and_go(number.unwrap_or(30)).to_string(),
        "long-call" => {
            let (revoked, balance) = rebalance::longer_than_the_poll_interval();
            assert_eq!((revoked, balance.repeats), (0, 0), "revocations and repeats");
            format!("{} calls, two of 60 s: no partition was taken away, no repeats", balance.calls)
        }
        "stopped" => {
            let broker = Broker::start();
            outage::run(broker.address(), &broker, number.unwrap_or(10), Duration::from_secs(30)).to_string()
        }
        "partition" => with_network(|network| {
            outage::run(network.address(), network, number.unwrap_or(1), Duration::from_secs(60)).to_string()
        }),
        "loss" => with_network(|network| {
            network.lose(5);
            let (took, balance) = outage::over_a_bad_connection(network.address(), number.unwrap_or(200));
            format!("{} calls, {} repeats, {} s", balance.calls, balance.repeats, took.as_secs())
        }),
        "determinism" => compare(Size::All).to_string(),
        _ => return None,
    };
    Some(figures)
}

fn scripted_kills(kills: usize) -> String {
    kill::run(&Plan {
        kills,
        load: kill::Load::Scripted(kills * CALLS_A_KILL),
        longest_life: Duration::from_millis(1_500),
        patience: Duration::from_secs(60),
    })
    .to_string()
}

fn whisper_kills(kills: usize) -> String {
    kill::run(&Plan {
        kills,
        load: kill::Load::Whisper(sample_recordings()),
        longest_life: Duration::from_secs(20),
        patience: Duration::from_secs(120),
    })
    .to_string()
}

fn with_network(run: impl FnOnce(&Network) -> String) -> String {
    Network::start().map_or_else(|| "skipped".to_owned(), |network| run(&network))
}
