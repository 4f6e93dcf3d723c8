use std::time::Duration;

use callqa_tests::chaos::kill::{Load, Plan, run};

#[test]
fn five_kills_lose_no_call_and_change_no_ending() {
    let figures = run(&Plan {
        kills: 5,
        load: Load::Scripted(100),
        longest_life: Duration::from_millis(1_500),
        patience: Duration::from_secs(40),
    });
    eprintln!("{figures}");
    assert!(figures.repeats_allowed > 0, "some kill came between an ending and its commit");
}
