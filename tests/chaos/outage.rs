use std::time::Duration;

use callqa_tests::chaos::{Proxy, outage};
use callqa_tests::{Broker, free_address};

#[test]
fn a_broker_that_stands_still_is_noticed_and_got_over() {
    let broker = Broker::start();
    eprintln!("{}", outage::run(broker.address(), &broker, 1, Duration::from_secs(12)));
}

/// 200 ms either way: 400 for each question.
#[test]
fn a_slow_connection_costs_time_and_no_call() {
    let direct = free_address();
    let proxy = Proxy::start(&direct, Duration::from_millis(200));
    let _broker = Broker::behind(&direct, proxy.address());
    let (took, balance) = outage::over_a_bad_connection(proxy.address(), 20);
    eprintln!("20 calls, {} repeats, {} s", balance.repeats, took.as_secs());
}
