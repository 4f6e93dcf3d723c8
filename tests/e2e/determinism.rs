//! The same calls on two workers, in different order and beside other calls: the same bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use callqa_tests::chaos::determinism::{Size, compare};

#[test]
fn two_workers_give_the_same_bytes_in_whatever_order() {
    eprintln!("{}", compare(Size::Some));
}
