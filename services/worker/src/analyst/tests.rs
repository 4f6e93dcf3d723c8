use callqa_domain::{Channel, ChannelLayout, Direction, EndedBy, GapReason, Label, Language, Span};
use callqa_models::scripted::{self, Keywords, Line, Script};

use super::*;

const RATE: u32 = 8_000;
const WORDS: &[(&str, Label)] = &[
    ("您好", Label::Greeting),
    ("上不了网", Label::StatesIssue),
    ("修好了", Label::OffersSolution),
    ("可以了", Label::ConfirmsResolved),
    ("hello", Label::Greeting),
];

fn call() -> Call {
    Call { direction: Direction::Inbound, ended_by: EndedBy::Customer, ..Call::new("demo", "call-1") }
}

/// Two people's lines: who (0 = first channel), from when (milliseconds), which line of the script, how long.
type Spoken = (usize, u64, usize, u64);

fn samples(channels: usize, length_ms: u64, spoken: &[Spoken]) -> Vec<Vec<f32>> {
    let mut tracks = vec![vec![0.0; (length_ms * u64::from(RATE) / 1_000) as usize]; channels];
    for &(channel, at_ms, line, ms) in spoken {
        let start = (at_ms * u64::from(RATE) / 1_000) as usize;
        for (into, sample) in tracks[channel][start..].iter_mut().zip(Script::tone(line, ms, RATE)) {
            *into = sample;
        }
    }
    tracks
}

/// A 16-bit WAV of 8 kHz.
fn wav(tracks: &[Vec<f32>]) -> Recording {
    let channels = tracks.len() as u32;
    let bytes = tracks[0].len() as u32 * channels * 2;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + bytes).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16u32.to_le_bytes());
    wav.extend(1u16.to_le_bytes());
    wav.extend((channels as u16).to_le_bytes());
    wav.extend(RATE.to_le_bytes());
    wav.extend((RATE * channels * 2).to_le_bytes());
    wav.extend((channels as u16 * 2).to_le_bytes());
    wav.extend(16u16.to_le_bytes());
    wav.extend(b"data");
    wav.extend(bytes.to_le_bytes());
    for i in 0..tracks[0].len() {
        tracks.iter().for_each(|track| wav.extend(((track[i] * 32_767.0) as i16).to_le_bytes()));
    }
    Recording::of(wav)
}

fn analyst(script: Script) -> Analyst {
    let rulebook = include_str!("../../../../deploy/rulebooks/service-baseline.toml");
    let kit = scripted::kit(&Arc::new(script), Keywords::of(WORDS));
    let settings =
        Settings { limits: Limits::default(), config_digest: "c".repeat(64), build: "0.1.0".to_owned() };
    Analyst::new(kit, scripted::ids().into(), Arc::new(Rulebook::parse(rulebook).unwrap()), settings)
}

fn assess(analyst: &mut Analyst, call: &Call, recording: &Recording) -> Result<Judged, AssessError> {
    let submission = Submission { call, event_digest: "e", recording, content_type: None };
    analyst.assess(&submission, &StopSignal::new())
}

fn assessed(analyst: &mut Analyst, call: &Call, recording: &Recording) -> Assessment {
    match assess(analyst, call, recording) {
        Ok(Judged::Assessed(assessment)) => *assessment,
        other => panic!("{other:?}"),
    }
}

fn dialogue() -> (Script, Vec<Spoken>) {
    let script = Script::of(&["您好", "我家上不了网", "已经修好了", "可以了谢谢", "嗯"]);
    let spoken = vec![
        (0, 500, 0, 1_000),
        (1, 2_000, 1, 2_000),
        (0, 4_500, 2, 2_000),
        (1, 5_000, 4, 400),
        (1, 8_000, 3, 1_500),
    ];
    (script, spoken)
}

#[test]
fn a_call_is_heard_in_time_order_and_judged() {
    let (script, spoken) = dialogue();
    let assessment = assessed(&mut analyst(script), &call(), &wav(&samples(2, 10_000, &spoken)));
    let observations = &assessment.observations;
    let said: Vec<_> = observations
        .utterances
        .iter()
        .map(|o| (o.utterance.channel.name(), o.utterance.text.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("agent", "您好"),
            ("customer", "我家上不了网"),
            ("agent", "已经修好了"),
            ("customer", "嗯"),
            ("customer", "可以了谢谢"),
        ]
    );
    assert_eq!(observations.language(), Some(Language::Zh));
    let first = observations.utterances[0].utterance.span;
    assert!(first.start_ms.abs_diff(500) < 80 && first.end_ms.abs_diff(1_500) < 120, "{first:?}");
    let greeting = assessment.verdicts.iter().find(|v| v.rule == "script.greeting").unwrap();
    assert_eq!(greeting.ruling, callqa_domain::Ruling::Met);
    assert_eq!(assessment.provenance.rulebook, "service-baseline");
}

#[test]
fn the_same_call_gives_the_same_assessment() {
    let (script, spoken) = dialogue();
    let recording = wav(&samples(2, 10_000, &spoken));
    let mut one = analyst(script.clone());
    let first = assessed(&mut one, &call(), &recording);
    assert_eq!(first, assessed(&mut one, &call(), &recording));
    assert_eq!(first, assessed(&mut analyst(script), &call(), &recording));
}

#[test]
fn the_layout_says_who_is_who() {
    let (script, spoken) = dialogue();
    let call = Call { layout: Some(ChannelLayout::CustomerFirst), ..call() };
    let assessment = assessed(&mut analyst(script), &call, &wav(&samples(2, 10_000, &spoken)));
    assert_eq!(assessment.observations.utterances[0].utterance.channel, Channel::Customer);
    assert_eq!(assessment.observations.channels[0].channel, Channel::Agent);
}

#[test]
fn a_layout_that_does_not_fit_is_refused() {
    let (script, spoken) = dialogue();
    let call = Call { layout: Some(ChannelLayout::Mono), ..call() };
    let error = assess(&mut analyst(script), &call, &wav(&samples(2, 10_000, &spoken))).unwrap_err();
    assert_eq!(
        (error.reason(), error.disposition()),
        ("wrong_channel_layout", crate::disposition::Disposition::DeadLetter)
    );
}

#[test]
fn one_signal_twice_is_heard_once() {
    let (script, _) = dialogue();
    let track = samples(1, 6_000, &[(0, 500, 0, 1_000), (0, 3_000, 1, 2_000)]).remove(0);
    let assessment = assessed(&mut analyst(script), &call(), &wav(&[track.clone(), track]));
    let observations = &assessment.observations;
    assert!(observations.dual_mono && observations.is_mono());
    assert_eq!(observations.utterances.len(), 2);
}

#[test]
fn a_test_call_is_not_even_opened() {
    let call = Call { purpose: Purpose::Test, ..call() };
    let judged = assess(&mut analyst(Script::default()), &call, &Recording::of(b"no audio".to_vec()));
    assert_eq!(judged.unwrap(), Judged::Excluded(ExclusionReason::TestCall));
}

#[test]
fn what_is_too_short_or_silent_is_excluded() {
    let mut analyst = analyst(Script::of(&["您好"]));
    let short = wav(&samples(2, 2_900, &[(0, 100, 0, 1_000)]));
    assert_eq!(assess(&mut analyst, &call(), &short).unwrap(), Judged::Excluded(ExclusionReason::TooShort));
    let silent = wav(&samples(2, 20_000, &[]));
    assert_eq!(assess(&mut analyst, &call(), &silent).unwrap(), Judged::Excluded(ExclusionReason::NoSpeech));
}

#[test]
fn speech_without_words_is_a_gap() {
    let script = Script::of(&["您好"]).and(Line::Mumbles);
    let spoken = [(0, 500, 0, 1_000), (1, 3_000, 1, 1_000)];
    let assessment = assessed(&mut analyst(script), &call(), &wav(&samples(2, 6_000, &spoken)));
    let gap = assessment.observations.gaps[0];
    assert_eq!((gap.channel, gap.reason), (Channel::Customer, GapReason::NoWords));
    assert!(assessment.coverage.intelligible < 0.6, "{:?}", assessment.coverage);
}

#[test]
fn a_model_that_fails_is_tried_again() {
    let script = Script::default().and(Line::Fails);
    let error =
        assess(&mut analyst(script), &call(), &wav(&samples(2, 5_000, &[(0, 500, 0, 1_000)]))).unwrap_err();
    assert_eq!((error.reason(), error.disposition()), ("model_onnx", crate::disposition::Disposition::Retry));
}

#[test]
fn a_stop_is_an_error_and_never_a_shorter_result() {
    let (script, spoken) = dialogue();
    let recording = wav(&samples(2, 10_000, &spoken));
    let stop = StopSignal::new();
    stop.stop();
    let call = call();
    let submission = Submission { call: &call, event_digest: "e", recording: &recording, content_type: None };
    let error = analyst(script).assess(&submission, &stop).unwrap_err();
    assert_eq!(error.reason(), "stopped");
    let hangs = Script::default().and(Line::Hangs);
    let soon = StopSignal::at(std::time::Instant::now() + std::time::Duration::from_millis(300));
    let error = analyst(hangs).assess(&submission, &soon).unwrap_err();
    assert_eq!(error.reason(), "stopped");
}

#[test]
fn bad_recordings_are_refused_with_a_reason() {
    let mut analyst = analyst(Script::default());
    let mut check = |bytes: &[u8], reason: &str| {
        let error = assess(&mut analyst, &call(), &Recording::of(bytes.to_vec())).unwrap_err();
        assert_eq!(error.reason(), reason);
    };
    check(b"", "empty");
    check(b"this is text, whatever its name says", "not_audio");
}

/// Feeds a call in blocks of this many samples.
fn observed(tracks: &[Vec<f32>], script: &Script, block: usize) -> Option<Observations> {
    let mut kit = scripted::kit(&Arc::new(script.clone()), Keywords::of(WORDS));
    let stop = StopSignal::new();
    let mut session = Session::begin(&mut kit, &call(), &[Channel::Agent, Channel::Customer]);
    for start in (0..tracks[0].len()).step_by(block) {
        let blocks: Vec<Vec<f32>> =
            tracks.iter().map(|track| track[start..(start + block).min(track.len())].to_vec()).collect();
        session.feed(&blocks, &stop).unwrap();
    }
    session.finish(tracks[0].len() as u64 / 16, false, &stop).unwrap()
}

#[test]
fn how_the_audio_arrives_changes_nothing() {
    let (script, spoken) = dialogue();
    // 16 kHz, as the decoder would give it: twice every sample halves the pitch, which is still a line's.
    let tracks: Vec<Vec<f32>> = (0..2)
        .map(|channel| {
            let mut track = vec![0.0; 90 * 16_000];
            for round in 0..8 {
                for &(of, at_ms, line, ms) in spoken.iter().filter(|spoken| spoken.0 == channel) {
                    debug_assert_eq!(of, channel);
                    let start = ((round * 11_000 + at_ms) * 16) as usize;
                    let tone = Script::tone(line, ms, 16_000);
                    track[start..start + tone.len()].copy_from_slice(&tone);
                }
            }
            track
        })
        .collect();
    let whole = observed(&tracks, &script, tracks[0].len()).unwrap();
    assert_eq!(whole.utterances.len(), 40);
    for block in [160_000, 16_001, 513, 97] {
        assert_eq!(observed(&tracks, &script, block).as_ref(), Some(&whole), "{block}");
    }
}

#[test]
fn speech_without_a_pause_is_not_held() {
    let mut track = track::Track::new(Channel::Agent, None);
    let window = [0.1; callqa_audio::WINDOW_SAMPLES];
    let (mut packed, mut most) = (0, 0);
    for _ in 0..10 * 60 * 1_000 / 32 {
        packed += track.take(&window, 0.99).iter().map(callqa_models::Window::speech).sum::<usize>();
        most = most.max(track.held());
    }
    packed += track.finish(600_000).iter().map(callqa_models::Window::speech).sum::<usize>();
    assert_eq!(packed, 600_000 / 32 * 512);
    assert!(most <= 30 * 16_000, "{most} samples held");
    assert_eq!(track.speech, [Span::new(0, 600_000)]);
}

#[test]
fn silence_is_not_held() {
    let mut track = track::Track::new(Channel::Agent, None);
    let window = [0.0; callqa_audio::WINDOW_SAMPLES];
    let most = (0..10_000).map(|_| {
        track.take(&window, 0.01);
        track.held()
    });
    assert!(most.max().unwrap() <= 2 * 16_000);
}
