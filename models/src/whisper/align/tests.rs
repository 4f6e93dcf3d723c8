use callqa_domain::Channel;

use super::*;
use crate::whisper::words::{Token, words};
use crate::{Packer, SAMPLE_RATE, Speech};

/// A window of pieces (start and end in tenths of a second of the call).
fn window(pieces: &[(u64, u64)]) -> Window {
    let tenth = SAMPLE_RATE / 10;
    let mut packer = Packer::new(Channel::Agent);
    for &(start, end) in pieces {
        let samples = vec![0.1; ((end - start) * tenth) as usize];
        assert!(packer.push(Speech::within(&samples, start * tenth, 0..samples.len())).is_empty());
    }
    packer.finish().unwrap()
}

/// Tokens with the tenth of a second of the *call* at which each begins; `|` alone starts a new phrase.
fn tokens(window: &Window, said: &[(&str, u64)]) -> Vec<Token> {
    let mut phrase = 0;
    let mut tokens = Vec::new();
    for &(text, tenth) in said {
        if text == "|" {
            phrase += 1;
            continue;
        }
        let at = window.to_packed(tenth * SAMPLE_RATE / 10).unwrap();
        tokens.push(Token { bytes: text.as_bytes().to_vec(), probability: 0.9, at, phrase, marked: 0..0 });
    }
    tokens
}

/// What was heard: from and to in milliseconds, and the text.
type Line<'a> = (u64, u64, &'a str);

#[track_caller]
fn check(pieces: &[(u64, u64)], said: &[(&str, u64)], expect: &[Line<'_>]) {
    let window = window(pieces);
    let heard = utterances(&window, &words(&tokens(&window, said)), &[], &str::to_owned).heard;
    assert!(heard.len() == expect.len(), "{} utterances, not {}", heard.len(), expect.len());
    for (heard, &(from, to, text)) in heard.iter().zip(expect) {
        assert!(heard.text == RawText::new(text), "`{text}` was heard otherwise");
        assert_eq!(heard.span, Span::new(from, to), "{text}");
    }
}

#[test]
fn words_on_both_sides_of_a_turn_are_parted() {
    check(
        &[(0, 20), (60, 80)],
        &[(" Of", 1), (" course", 5), (" Could", 61), (" you", 65)],
        &[(0, 2_000, "Of course"), (6_000, 8_000, "Could you")],
    );
}

#[test]
fn a_short_pause_parts_nothing_but_sentences() {
    check(&[(0, 20), (25, 40)], &[(" my", 1), (" name", 26)], &[(0, 4_000, "my name")]);
    check(&[(0, 20), (25, 40)], &[(" Sure.", 1), (" I", 26)], &[(0, 2_000, "Sure."), (2_500, 4_000, "I")]);
}

#[test]
fn a_word_with_a_late_time_goes_back_to_its_sentence() {
    // 您 was timed into the next passage, but the sentence ends behind it.
    check(
        &[(0, 20), (60, 80)],
        &[("通", 1), ("知", 10), ("您", 60), ("。", 61), ("|", 0), ("请", 62), ("问", 64)],
        &[(0, 2_000, "通知您。"), (6_000, 8_000, "请问")],
    );
}

#[test]
fn a_word_with_an_early_time_goes_on_to_its_sentence() {
    check(
        &[(0, 20), (60, 80)],
        &[(" all", 1), (" done.", 10), (" Is", 19), (" that", 60), (" fine?", 65)],
        &[(0, 2_000, "all done."), (6_000, 8_000, "Is that fine?")],
    );
}

#[test]
fn no_passage_loses_all_its_words() {
    check(
        &[(0, 5), (60, 80)],
        &[("|", 0), (" Here", 1), (" my", 61), (" name", 64)],
        &[(0, 500, "Here"), (6_000, 8_000, "my name")],
    );
}

#[test]
fn words_that_were_timed_all_at_once_go_back_to_their_sentence() {
    check(
        &[(0, 14), (60, 90)],
        &[("帮", 7), ("我", 61), ("改", 63), ("吧", 63), ("|", 0), ("我", 63), ("叫", 63), ("王", 70)],
        &[(0, 1_400, "帮我改吧"), (6_000, 9_000, "我叫王")],
    );
}

#[test]
fn a_number_read_out_with_a_pause_is_one_word_in_two_pieces() {
    check(
        &[(0, 20), (25, 50), (90, 99)],
        &[(" is", 1), (" 4532", 5), ("-2835", 30), ("-9462.", 40), (" Thanks.", 91)],
        &[(0, 5_000, "is 4532-2835-9462."), (9_000, 9_900, "Thanks.")],
    );
}

#[test]
fn whispers_time_marks_end_an_utterance_where_the_sentence_does() {
    check(
        &[(0, 60)],
        &[(" Hello.", 1), ("|", 0), (" My", 20), (" name", 25), ("|", 0), (" is", 30), (" Ann,", 35)],
        &[(0, 2_000, "Hello."), (2_000, 6_000, "My name is Ann,")],
    );
    check(
        &[(0, 60)],
        &[("你", 1), ("好", 5), ("|", 0), ("我", 20)],
        &[(0, 2_000, "你好"), (2_000, 6_000, "我")],
    );
}

#[test]
fn characters_are_never_cut() {
    let window = window(&[(0, 20), (60, 80)]);
    let [a, b, c] = "查".as_bytes() else { panic!("three bytes") };
    let token = |bytes: &[u8], tenth: u64| Token {
        bytes: bytes.to_vec(),
        probability: 0.8,
        at: window.to_packed(tenth * SAMPLE_RATE / 10).unwrap(),
        phrase: 0,
        marked: 0..0,
    };
    let split = [token(&[*a, *b], 19), token(&[*c], 60), token(" 好".as_bytes(), 61)];
    let heard = utterances(&window, &words(&split), &[], &str::to_owned).heard;
    assert!(heard[0].text == RawText::new("查") && heard[1].text == RawText::new("好"));
}

#[test]
fn speech_without_words_is_a_gap() {
    let window = window(&[(0, 20), (60, 80), (85, 90)]);
    let heard = utterances(&window, &words(&tokens(&window, &[(" yes", 61)])), &[], &str::to_owned);
    let spans: Vec<_> = heard.gaps.iter().map(|gap| (gap.span.start_ms, gap.reason)).collect();
    assert_eq!(spans, [(0, GapReason::NoWords), (8_500, GapReason::NoWords)]);
}

#[test]
fn passages_that_a_loop_touches_are_gaps() {
    let window = window(&[(0, 20), (60, 80)]);
    let words = words(&tokens(&window, &[(" Fine.", 1), (" no", 61), (" no", 62)]));
    let heard = utterances(&window, &words, &[Loop { words: 1..3, period: 1 }], &str::to_owned);
    assert_eq!(heard.heard.len(), 1);
    assert_eq!(heard.gaps[0].reason, GapReason::Repetition);
    assert_eq!(heard.gaps[0].span, Span::new(6_000, 8_000));
}

#[track_caller]
fn check_dropped(text: &str, probability: f32) {
    let window = window(&[(0, 20)]);
    let token = Token { bytes: text.as_bytes().to_vec(), probability, at: 0, phrase: 0, marked: 0..0 };
    let heard = utterances(&window, &words(&[token]), &[], &str::to_owned);
    assert!(heard.heard.is_empty() && heard.gaps.len() == 1, "{text}");
}

#[test]
fn noise_is_not_heard_as_words() {
    check_dropped(" you", 0.15);
    check_dropped("(音乐)", 0.9);
    check_dropped("字幕由某人提供", 0.9);
    check_dropped(" ...", 0.9);
}

#[test]
fn more_words_than_anybody_can_say_were_made_up() {
    let window = window(&[(0, 3)]);
    let said: Vec<(&str, u64)> = " All right I will wait for the call but I am"
        .split_inclusive(' ')
        .filter(|word| *word != " ")
        .map(|word| (word, 1))
        .collect();
    let tokens: Vec<Token> = tokens(&window, &said)
        .into_iter()
        .map(|token| Token { bytes: [b" ", token.bytes.as_slice()].concat(), ..token })
        .collect();
    assert!(utterances(&window, &words(&tokens), &[], &str::to_owned).heard.is_empty());
}

#[test]
fn a_word_that_reaches_into_the_next_piece_shares_it() {
    check(
        &[(0, 20), (25, 50)],
        &[("|", 0), (" 4532", 5), ("-2835.", 30), ("|", 0), (" Thanks.", 40)],
        &[(0, 4_000, "4532-2835."), (4_000, 5_000, "Thanks.")],
    );
}

#[test]
fn what_is_said_again_in_piece_after_piece_is_no_loop() {
    let pieces: Vec<(u64, u64)> = (0..12).map(|i| (i * 50, i * 50 + 8)).collect();
    let window = window(&pieces);
    let said: Vec<(&str, u64)> = pieces.iter().map(|&(start, _)| ("嗯", start + 2)).collect();
    assert!(is_spread(&window, &words(&tokens(&window, &said)), 1));
    let looped: Vec<(&str, u64)> = (0..12).map(|i| ("嗯", 2 + i / 2)).collect();
    assert!(!is_spread(&window, &words(&tokens(&window, &looped)), 1));
}

#[test]
fn what_begins_when_its_piece_is_over_begins_the_next() {
    let window = window(&[(0, 20), (60, 80)]);
    let said = [("|", 0), (" It", 1), (" is", 5), (" down.", 10), ("|", 0), (" 3586", 11), (" right", 61)];
    let mut tokens = tokens(&window, &said);
    tokens[3].at = window.pieces[0].end() - LEAST_TIME / 2;
    let heard = utterances(&window, &words(&tokens), &[], &str::to_owned).heard;
    let found: Vec<_> = heard.iter().map(|heard| heard.span).collect();
    assert_eq!(found, [Span::new(0, 2_000), Span::new(6_000, 8_000)]);
    assert!(heard[1].text == RawText::new("3586 right"));
}

/// What was heard of pieces, and what was not, in milliseconds. Each phrase has its timestamps, in tenths of a
/// second of the call.
#[track_caller]
fn check_gaps(
    pieces: &[(u64, u64)],
    said: &[(&str, u64)],
    marks: &[(u64, u64)],
    heard: &[(u64, u64)],
    gaps: &[(u64, u64)],
) {
    let window = window(pieces);
    let mut tokens = tokens(&window, said);
    let at = |tenth: u64| window.to_packed(tenth * SAMPLE_RATE / 10).unwrap();
    for token in &mut tokens {
        let (start, end) = marks[token.phrase];
        token.marked = at(start)..at(end);
    }
    let found = utterances(&window, &words(&tokens), &[], &str::to_owned);
    let spans: Vec<_> = found.heard.iter().map(|heard| (heard.span.start_ms, heard.span.end_ms)).collect();
    assert_eq!(spans, heard);
    let spans: Vec<_> = found.gaps.iter().map(|gap| (gap.span.start_ms, gap.span.end_ms)).collect();
    assert_eq!(spans, gaps);
    assert!(found.gaps.iter().all(|gap| gap.reason == GapReason::NoWords));
}

#[test]
fn speech_between_two_phrases_is_a_gap() {
    let said = [(" I", 1), (" see", 5), ("|", 0), (" the", 52), (" bill.", 60)];
    check_gaps(&[(0, 70)], &said, &[(0, 12), (50, 65)], &[(0, 1_200), (5_000, 7_000)], &[(1_200, 5_000)]);
    // A piece of its own, and the rest of the piece before it.
    let said = [(" my", 1), ("|", 0), (" name", 49)];
    let pieces = [(0, 20), (24, 44), (48, 60)];
    check_gaps(&pieces, &said, &[(0, 15), (48, 55)], &[(0, 2_000), (4_800, 6_000)], &[(2_400, 4_400)]);
    let gaps = [(800, 2_000), (2_400, 4_400)];
    check_gaps(&pieces, &said, &[(0, 8), (48, 55)], &[(0, 800), (4_800, 6_000)], &gaps);
}

#[test]
fn speech_that_a_phrase_or_a_word_may_cover_is_none() {
    let marks = [(0, 12), (50, 65)];
    let said = [(" I", 1), (" see", 40), ("|", 0), (" the", 52)];
    check_gaps(&[(0, 70)], &said, &marks, &[(0, 7_000)], &[]);
    let said = [(" I", 1), ("|", 0), (" see", 52)];
    check_gaps(&[(0, 70)], &said, &[(0, 41), (50, 65)], &[(0, 7_000)], &[]);
    check_gaps(&[(0, 70)], &[(" I", 1), (" see", 52)], &[(0, 65)], &[(0, 7_000)], &[]);
}

#[test]
fn words_without_time_leave_a_gap_as_wide_as_times_are_good() {
    let said = [
        (" Hello.", 1),
        ("|", 0),
        (" All", 20),
        (" of", 20),
        (" it", 20),
        (" was", 20),
        (" made.", 20),
        ("|", 0),
        (" Sure.", 20),
    ];
    let marks = [(0, 18), (18, 20), (20, 50)];
    check_gaps(&[(0, 60)], &said, &marks, &[(0, 2_000), (2_000, 6_000)], &[(1_500, 2_500)]);
}

#[test]
fn what_is_no_word_between_words_is_a_gap() {
    let said = [(" Hello.", 1), ("|", 0), (" [Laughter]", 20), ("|", 0), (" Sure.", 40)];
    let marks = [(0, 20), (20, 40), (40, 55)];
    check_gaps(&[(0, 60)], &said, &marks, &[(0, 2_000), (4_000, 6_000)], &[(2_000, 4_000)]);
}
