use callqa_domain::Span;
use proptest::prelude::*;

use super::*;

const SECOND: usize = SAMPLE_RATE as usize;

/// With nothing around it.
fn alone(call_start: u64, samples: &[f32]) -> Speech<'_> {
    Speech { call_start, samples, before: &[], after: &[] }
}

/// Packs pieces that are given as (start, length) in tenths of a second.
fn pack(pieces: &[(u64, usize)]) -> Vec<Window> {
    let tenth = SECOND / 10;
    let mut packer = Packer::new(Channel::Agent);
    let mut windows = Vec::new();
    for &(start, len) in pieces {
        windows.extend(packer.push(alone(start * tenth as u64, &vec![0.1; len * tenth])));
    }
    windows.extend(packer.finish());
    windows
}

/// Start of each piece in tenths of a second of the call, window by window.
#[track_caller]
fn check(pieces: &[(u64, usize)], expect: &[&[u64]]) {
    let starts = |window: &Window| -> Vec<u64> {
        window.pieces.iter().map(|piece| piece.call_start * 10 / SAMPLE_RATE).collect()
    };
    assert_eq!(pack(pieces).iter().map(starts).collect::<Vec<_>>(), expect);
}

#[test]
fn pieces_share_a_window() {
    check(&[(0, 30), (50, 30), (900, 30)], &[&[0, 50, 900]]);
}

#[test]
fn no_speech_no_window() {
    check(&[], &[]);
    check(&[(0, 0)], &[]);
}

#[test]
fn a_full_window_ends_at_its_longest_late_pause() {
    // 10 s each; the third does not fit any more. The longest pause lies after the second.
    check(&[(0, 100), (110, 100), (300, 100)], &[&[0, 110], &[300]]);
    // Pauses after 17 s (5 s long) and 22 s (1 s): the piece between them goes with what follows.
    check(&[(0, 170), (220, 50), (280, 100)], &[&[0], &[220, 280]]);
}

#[test]
fn a_piece_that_is_too_long_is_cut_where_it_is_quietest() {
    let mut samples = vec![0.5; 40 * SECOND];
    samples[20 * SECOND..20 * SECOND + SECOND / 5].fill(0.0);
    let cut = cut_long(&samples).unwrap();
    assert!((20 * SECOND..20 * SECOND + SECOND / 5).contains(&cut), "{cut}");
    let mut packer = Packer::new(Channel::Agent);
    let mut windows = packer.push(alone(0, &samples));
    windows.extend(packer.finish());
    assert_eq!(windows.iter().map(Window::speech).sum::<usize>(), samples.len());
}

#[test]
fn the_silence_between_pieces_depends_on_the_pause() {
    let at = |pieces: &[(u64, usize)]| pack(pieces)[0].pieces[1].at;
    assert_eq!(at(&[(0, 10), (11, 10)]), SECOND * 11 / 10);
    assert_eq!(at(&[(0, 10), (15, 10)]), SECOND * 13 / 10);
    assert_eq!(at(&[(0, 10), (60, 10)]), SECOND * 18 / 10);
}

#[test]
fn passages_end_at_pauses_that_may_hold_a_turn() {
    let window = &pack(&[(0, 10), (15, 10), (60, 10), (80, 10)])[0];
    assert_eq!(window.passages(), vec![0..2, 2..3, 3..4]);
    let window = &pack(&[(0, 10), (20, 10)])[0];
    assert_eq!(window.passages(), vec![0..1, 1..2]);
}

#[test]
fn a_window_is_cut_in_two_at_a_piece() {
    let window = &pack(&[(0, 10), (15, 10), (60, 10)])[0];
    let second = window.pieces[1].at;
    let (head, tail) = (window.until(second), window.since(second).unwrap());
    assert_eq!(head.samples.len(), SECOND);
    assert_eq!(
        tail.pieces.iter().map(Piece::span).collect::<Vec<_>>(),
        [Span::new(1_500, 2_500), Span::new(6_000, 7_000)]
    );
    assert_eq!(tail.to_call(0), window.to_call(window.pieces[1].at));
    assert!(window.since(window.samples.len()).is_none());
}

#[test]
fn a_window_is_cut_in_two_within_a_piece() {
    let window = &pack(&[(0, 40), (60, 10)])[0];
    let (head, tail) = (window.until(SECOND), window.since(SECOND).unwrap());
    assert_eq!(head.pieces.iter().map(Piece::span).collect::<Vec<_>>(), [Span::new(0, 1_000)]);
    assert_eq!(
        tail.pieces.iter().map(Piece::span).collect::<Vec<_>>(),
        [Span::new(1_000, 4_000), Span::new(6_000, 7_000)]
    );
    assert_eq!(head.samples.len() + tail.samples.len(), window.samples.len());
    assert_eq!((tail.pieces[0].at, tail.to_call(0)), (0, window.to_call(SECOND)));
}

#[test]
fn what_surrounds_a_piece_is_heard_in_the_place_of_silence() {
    let (second, tenth) = (SECOND as u64, HEARD_AROUND);
    let mut packer = Packer::new(Channel::Agent);
    let mut push = |from: u64, level: f32| {
        let (before, after) = (vec![level + 0.1; SECOND], vec![level + 0.2; SECOND]);
        packer.push(Speech { call_start: from, samples: &[level; SECOND], before: &before, after: &after })
    };
    assert!(push(second, 1.0).is_empty() && push(5 * second, 2.0).is_empty());
    let window = packer.finish().unwrap();
    let (first, last) = (window.pieces[0], window.pieces[1]);
    assert_eq!([first.at, last.at - first.end()], [tenth, TURN_SILENCE as usize]);
    // In tenths.
    let level = |range: Range<usize>| {
        (window.samples[range].iter().copied().fold(0.0, f32::max) * 10.0).round() as u8
    };
    let silence = first.end() + tenth..last.at - tenth;
    assert_eq!(level(0..first.at), 11);
    assert_eq!(level(first.end()..silence.start), 12);
    assert_eq!(level(silence.clone()), 0);
    assert_eq!(level(silence.end..last.at), 21);
    assert_eq!(level(last.end()..window.samples.len()), 22);
    assert_eq!([window.to_call(0), window.to_call(window.samples.len())], [second, 6 * second]);
}

/// Pieces in time order that don't overlap: a pause and a length each, in samples.
fn speech() -> impl Strategy<Value = Vec<(u64, Vec<f32>)>> {
    prop::collection::vec((1u64..40_000, 1usize..200_000), 1..30).prop_map(|pieces| {
        let mut at = 0;
        pieces
            .into_iter()
            .map(|(pause, len)| {
                let start = at + pause;
                at = start + len as u64;
                (start, (0..len).map(|i| ((start as usize + i) % 997) as f32 / 997.0).collect())
            })
            .collect()
    })
}

fn windows(speech: &[(u64, Vec<f32>)]) -> Vec<Window> {
    let mut packer = Packer::new(Channel::Customer);
    let mut windows: Vec<Window> =
        speech.iter().flat_map(|(start, s)| packer.push(alone(*start, s))).collect();
    windows.extend(packer.finish());
    windows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_sample_is_packed_once_and_in_order(speech in speech()) {
        let mut packed = Vec::new();
        for window in windows(&speech) {
            prop_assert!(window.samples.len() <= LONGEST_WINDOW);
            for piece in &window.pieces {
                for i in 0..piece.len {
                    packed.push((piece.call_start + i as u64, window.samples[piece.at + i]));
                }
            }
        }
        let all = speech.iter().flat_map(|(start, s)| s.iter().enumerate().map(move |(i, &x)| (start + i as u64, x)));
        prop_assert!(packed.into_iter().eq(all));
    }

    #[test]
    fn times_go_there_and_back(speech in speech(), at in 0usize..LONGEST_WINDOW) {
        for window in windows(&speech) {
            if at >= window.samples.len() { continue; }
            let inside = window.pieces.iter().any(|piece| (piece.at..piece.end()).contains(&at));
            let call = window.to_call(at);
            if inside {
                prop_assert_eq!(window.to_packed(call), Some(at));
            } else {
                prop_assert!(window.pieces.iter().any(|p| p.call_start == call || p.call_end() == call));
            }
        }
    }

    #[test]
    fn time_never_runs_backwards(speech in speech()) {
        for window in windows(&speech) {
            let times: Vec<u64> = (0..window.samples.len() + 100).step_by(97).map(|at| window.to_call(at)).collect();
            prop_assert!(times.is_sorted());
        }
    }

    #[test]
    fn passages_hold_every_piece_once(speech in speech()) {
        for window in windows(&speech) {
            let held: Vec<usize> = window.passages().into_iter().flatten().collect();
            prop_assert_eq!(held, (0..window.pieces.len()).collect::<Vec<_>>());
        }
    }
}
