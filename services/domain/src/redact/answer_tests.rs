//! Answers that give a number its meaning only together with what was asked.

use crate::redact_across;
use crate::test_call::transcript;

/// What a transcript says once it is redacted; a second time changes nothing.
fn redacted(lines: &str) -> Vec<String> {
    let mut utterances: Vec<_> = transcript(lines).into_iter().map(|observed| observed.utterance).collect();
    redact_across(&mut utterances);
    let once: Vec<String> = utterances.iter().map(|u| u.text.as_str().to_owned()).collect();
    redact_across(&mut utterances);
    assert_eq!(once, utterances.iter().map(|u| u.text.as_str()).collect::<Vec<_>>());
    once
}

/// The last line becomes this.
#[track_caller]
fn check(lines: &str, last: &str) {
    assert_eq!(redacted(lines).last().map(String::as_str), Some(last), "{lines}");
}

/// Nothing is taken out.
#[track_caller]
fn stays(lines: &str) {
    let said: Vec<&str> = lines.split(" | ").filter_map(|line| Some(line.split_once(' ')?.1)).collect();
    assert_eq!(redacted(lines), said);
}

#[test]
fn a_code_or_last_digits_of_what_is_named_after_them() {
    check("a What's the three-digit security code on the back of the card? | c 123", "[cvv]");
    check("a And the last four of your card? | c 7219", "[partial_number]");
    check("a Can I get the last four of your social? | c 7219.", "[partial_number].");
    check("a 身份证后四位和银行卡号报一下 | c 7219", "[partial_number]");
    check(
        "a Could you read me the security code that is printed on your bank card, please? | c 123",
        "[cvv]",
    );
}

#[test]
fn an_answer_that_takes_a_while() {
    check("a 请说一下身份证号后四位 | c 稍等 | c 7219", "[partial_number]");
    check("a And the security code? | c Hang on. | c 123", "[cvv]");
    check("a 安全码是多少 | c 稍等啊我找一下 | a 好的不急 | c 886", "[cvv]");
    check("a Your date of birth please? | c Sure, one moment. | c March 7th 1990", "[birth_date]");
    check("a And the security code? | c Hang on, let me get the card number out of my bag. | c 123", "[cvv]");
    check(
        "a The last four digits of the card you used? | c Sure. Let me see. It's 7219.",
        "Sure. Let me see. It's [partial_number].",
    );
    check("a The code we just texted you? | c Eight, one, one, oh, six, six.", "[cvv].");
    check("a 后四位 | c 稍等 | c 七二 | a 嗯 | c 一九", "[partial_number]");
}

#[test]
fn what_is_said_before_the_answer_itself() {
    check("a Your date of birth please? | c Sure. It's March 7th, 1990.", "Sure. It's [birth_date].");
    check("a Your date of birth please? | c Yes. 03/07/1990.", "Yes. [birth_date].");
    check("a Your date of birth please? | c Peter Green. March 7th, 1990.", "Peter Green. [birth_date].");
    check("a 您的出生日期是 | c 好的。1990年3月7号。", "好的。[birth_date]。");
}

#[test]
fn a_digit_of_the_question_is_none_of_the_answer() {
    check("a And the last 4? | c 7219.", "[partial_number].");
    check("a Is it flat 4? | c 13812345678", "[phone]");
}

#[test]
fn a_question_after_a_number() {
    check("a 尾号7219的卡，您的出生日期是 | c 1990年3月7号", "[birth_date]");
    check("a 尾号7219的卡，安全码是多少 | c 123", "[cvv]");
}

#[test]
fn what_was_asked_for_something_else_stays() {
    stays("a 您的话费 | c 稍等 | c 一共3200吗");
    stays("a order number please | c hang on | c 442177");
    stays("a 身份证后四位 | a 或者您的订单号是多少 | c 442177");
    check(
        "a Last four? | c 7219 | a Thank you. | a So you have four hundred and six left.",
        "So you have four hundred and six left.",
    );
    check(
        "c It's 4421, card ending 7219. | a Thank you, Ms. Banks. I see the five hundred meg plan.",
        "Thank you, Ms. Banks. I see the five hundred meg plan.",
    );
    stays("a 您的卡尾号没问题 | a 您上个月的账单是1250");
}
