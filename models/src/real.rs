//! The real models on a sample call. They are not part of the checkout: `models/fetch` brings them.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Instant;

use callqa_audio::{Decoder, Limits, SpeechSegmenter};
use callqa_domain::{Channel, Label, Language, RawText, Span, Task, Utterance, redact};
use ort::environment::Environment;

use crate::classify::context::{Before, Context};
use crate::classify::passage::Passage;
use crate::classify::{Encoder, EncoderId, Head};
use crate::vad::Silero;
use crate::{
    Manifest, ModelError, Models, ModelsConfig, Packer, Role, SAMPLES_PER_MS, Scene, Speech, SpeechDetector,
    StopSignal, Transcriber, VAD_WINDOW, Whisper, WhisperTranscriber, Window, onnx,
};

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/manifest.toml");
const HEADS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/heads");

fn folder() -> PathBuf {
    let cache = || format!("{}/.cache/callqa/models", std::env::var("HOME").unwrap());
    std::env::var("CALLQA_MODELS").unwrap_or_else(|_| cache()).into()
}

fn file(role: Role) -> PathBuf {
    let manifest = Manifest::read(Path::new(MANIFEST)).unwrap();
    manifest.verified(manifest.file(role, None).unwrap(), &folder()).unwrap().0
}

fn config(heads: &Path) -> ModelsConfig {
    ModelsConfig {
        manifest: MANIFEST.into(),
        dir: folder(),
        heads: heads.to_owned(),
        whisper: "whisper-base-int8".to_owned(),
        device: 0,
    }
}

fn environment() -> Environment {
    onnx::environment(&file(Role::Onnxruntime)).unwrap()
}

/// The one that ONNX Runtime runs, and a ggml file, which whisper.cpp runs.
const WHISPERS: [&str; 2] = ["whisper-base-int8", "whisper-base"];

fn transcriber(whisper: &str) -> WhisperTranscriber {
    let manifest = Manifest::read(Path::new(MANIFEST)).unwrap();
    let listed = manifest.file(Role::Whisper, Some(whisper)).unwrap();
    let path = manifest.verified(listed, &folder()).unwrap().0;
    Whisper::open(&environment(), whisper, &path, 0).unwrap().transcriber().unwrap()
}

/// Both channels of the first `seconds` of a sample call, 16 kHz.
fn sample(call: &str, seconds: usize) -> Vec<Vec<f32>> {
    let path = format!("{}/../tests/calls/{call}.opus", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let mut decoder = Decoder::open(Cursor::new(bytes), None, &Limits::default()).unwrap();
    let mut channels = vec![Vec::new(); 2];
    while let Some(block) = decoder.next_block().unwrap() {
        channels.iter_mut().zip(block.channels).for_each(|(all, more)| all.extend(more));
    }
    channels.iter_mut().for_each(|channel| channel.truncate(seconds * 16_000));
    channels
}

/// Probability of speech of each window of each channel.
fn probabilities(channels: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let mut silero = Silero::open(&environment(), &std::fs::read(file(Role::Vad)).unwrap()).unwrap();
    silero.reset(channels.len());
    let mut all = vec![Vec::new(); channels.len()];
    for i in 0..channels[0].len() / VAD_WINDOW {
        let windows: Vec<[f32; VAD_WINDOW]> =
            channels.iter().map(|c| c[i * VAD_WINDOW..][..VAD_WINDOW].try_into().unwrap()).collect();
        let step = silero.step(&windows).unwrap();
        all.iter_mut().zip(step).for_each(|(all, probability)| all.push(probability));
    }
    all
}

/// The first window of one channel.
fn window(samples: &[f32], channel: Channel) -> Window {
    let mut segmenter = SpeechSegmenter::default();
    let mut spans: Vec<_> =
        probabilities(&[samples.to_vec()])[0].iter().filter_map(|&p| segmenter.push(p)).collect();
    spans.extend(segmenter.finish(samples.len() as u64 / SAMPLES_PER_MS));
    let mut packer = Packer::new(channel);
    let mut windows = Vec::new();
    for span in spans {
        let range = (span.start_ms * SAMPLES_PER_MS) as usize..(span.end_ms * SAMPLES_PER_MS) as usize;
        windows.extend(packer.push(Speech::within(samples, 0, range)));
    }
    windows.extend(packer.finish());
    windows.remove(0)
}

/// The text of a window, redacted, one utterance a line.
fn heard(transcriber: &mut WhisperTranscriber, window: &Window, language: Language) -> String {
    let transcribed = transcriber.transcribe(&[(window, language)], &StopSignal::new()).unwrap().remove(0);
    let line = |heard: &callqa_domain::Heard| {
        format!("{} {:.3} {}\n", heard.span.start_ms, heard.confidence, redact(&heard.text).0.as_str())
    };
    transcribed.heard.iter().map(line).collect()
}

#[test]
fn silero_tells_speech_from_silence_and_one_channel_from_the_other() {
    let call = sample("12-en-slow-broadband", 9);
    let both = probabilities(&call);
    // The agent greets from 0.6 to 8.3 s; the customer waits.
    let mean = |p: &[f32]| p.iter().sum::<f32>() / p.len() as f32;
    assert!(mean(&both[0][30..240]) > 0.8, "{}", mean(&both[0][30..240]));
    assert!(mean(&both[1][..250]) < 0.1, "{}", mean(&both[1][..250]));
    let alone = probabilities(&call[..1]);
    let difference = both[0].iter().zip(&alone[0]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference < 1e-4, "the other channel changed a probability by {difference}");
}

#[test]
fn whisper_hears_a_window_the_same_whatever_it_heard_before() {
    let english = window(&sample("12-en-slow-broadband", 40)[0], Channel::Agent);
    let mandarin = window(&sample("03-zh-refund-refused", 40)[1], Channel::Customer);
    for whisper in WHISPERS {
        let mut one = transcriber(whisper);
        let first = heard(&mut one, &english, Language::En);
        for phrase in ["thank you for calling", "My name is Daniel", "restart your router"] {
            assert!(first.contains(phrase), "`{phrase}` is not in\n{first}");
        }
        let simplified = heard(&mut one, &mandarin, Language::Zh);
        for phrase in ["打过两次电话", "钱还没有退给我", "我不接受"] {
            assert!(simplified.contains(phrase), "`{phrase}` is not in\n{simplified}");
        }
        assert_eq!(heard(&mut one, &english, Language::En), first);
        assert_eq!(heard(&mut transcriber(whisper), &mandarin, Language::Zh), simplified);
    }
}

#[test]
fn windows_that_are_heard_together_are_heard_as_alone() {
    let english = window(&sample("12-en-slow-broadband", 40)[0], Channel::Agent);
    let mandarin = window(&sample("03-zh-refund-refused", 40)[1], Channel::Customer);
    let short = window(&sample("12-en-slow-broadband", 10)[0], Channel::Agent);
    let mut transcriber = transcriber("whisper-base-int8");
    let asked = [(&english, Language::En), (&mandarin, Language::Zh), (&short, Language::En)];
    let together = transcriber.transcribe(&asked, &StopSignal::new()).unwrap();
    let words = |transcribed: &crate::Transcribed| {
        let said = |heard: &callqa_domain::Heard| (heard.span, redact(&heard.text).0.as_str().to_owned());
        transcribed.heard.iter().map(said).collect::<Vec<_>>()
    };
    for (asked, together) in asked.iter().zip(&together) {
        let alone = transcriber.transcribe(&[*asked], &StopSignal::new()).unwrap().remove(0);
        assert_eq!(words(together), words(&alone));
    }
}

#[test]
fn the_language_is_told_and_does_not_depend_on_the_call_before() {
    let english = window(&sample("12-en-slow-broadband", 20)[0], Channel::Agent);
    let mandarin = window(&sample("03-zh-refund-refused", 20)[0], Channel::Agent);
    for whisper in WHISPERS {
        let mut transcriber = transcriber(whisper);
        for _ in 0..2 {
            let stop = StopSignal::new();
            assert_eq!(transcriber.detect_language(&english, &stop).unwrap(), Language::En);
            assert_eq!(transcriber.detect_language(&mandarin, &stop).unwrap(), Language::Zh);
        }
    }
}

#[test]
fn a_deadline_stops_whisper_and_leaves_it_whole() {
    let window = window(&sample("12-en-slow-broadband", 40)[0], Channel::Agent);
    for whisper in WHISPERS {
        let mut transcriber = transcriber(whisper);
        let before = heard(&mut transcriber, &window, Language::En);
        let started = Instant::now();
        let result = transcriber.transcribe(&[(&window, Language::En)], &StopSignal::at(started));
        assert!(matches!(result, Err(ModelError::Stopped)));
        assert_eq!(heard(&mut transcriber, &window, Language::En), before);
    }
}

#[test]
fn a_device_is_refused_where_none_is_used() {
    let config = ModelsConfig { device: 1, ..config(Path::new(HEADS)) };
    let refused = Models::open(&config).err().expect("ONNX Runtime has no device here").to_string();
    assert!(
        refused.starts_with("models.device is 1, but model whisper-base-int8 is an ONNX file"),
        "{refused}"
    );
}

#[test]
fn noise_has_no_words() {
    // A steady hiss, loud enough to be mistaken for speech by somebody in a hurry.
    let mut seed = 1u32;
    let hiss = (0..8 * 16_000).map(|_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as f32 / 8_388_608.0 * 0.1 - 0.1
    });
    let mut packer = Packer::new(Channel::Customer);
    let hiss: Vec<_> = hiss.collect();
    packer.push(Speech::within(&hiss, 0, 0..hiss.len()));
    let window = packer.finish().unwrap();
    for whisper in WHISPERS {
        assert_eq!(heard(&mut transcriber(whisper), &window, Language::En), "");
    }
}

#[test]
fn embeddings_do_not_depend_on_batch_mates_and_follow_what_was_said_before() {
    let [alone, together, tokenizer] = [Role::Encoder, Role::ContextEncoder, Role::Tokenizer].map(file);
    let encoder = Encoder::open(&environment(), &alone, &together, &tokenizer).unwrap();
    let stop = StopSignal::new();
    let turn = |text: &str| Before { channel: Channel::Agent, texts: vec![text.to_owned()] };
    let answered = Context { turns: vec![turn("请问问题解决了吗")] };
    let told_to_wait = Context { turns: vec![turn("请稍等一下")] };
    let texts = ["好的", "我上周已经打过电话了", "The line is dead", "请问问题解决了吗", "请稍等一下", "嗯"];
    let embed = |texts: &[&str], said: &[(&str, &Context)]| {
        let states = encoder.read(texts.iter().copied(), &stop).unwrap();
        let passages: Vec<_> =
            said.iter().map(|(text, context)| Passage::new(text, Channel::Customer, context)).collect();
        encoder.embed(&passages, &states, &stop).unwrap()
    };
    let alone = embed(&["好的", "请问问题解决了吗"], &[("好的", &answered)]).remove(0);
    let others = [("好的", &told_to_wait), (texts[1], &answered), ("好的", &answered), (texts[2], &answered)];
    let among = embed(&texts, &others);
    assert_eq!(alone, among[2], "to the last bit");
    let cosine = |other: &[f32]| alone.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
    assert!((cosine(&alone) - 1.0).abs() < 1e-4);
    assert!(cosine(&among[0]) < 0.99, "an answer means what it answers: {}", cosine(&among[0]));
}

/// Nine rows of each of several lengths, up to texts that are cut: more than one batch of each.
#[test]
fn embeddings_of_any_length_are_the_same_alone_and_in_full_batches() {
    let [alone, together, tokenizer] = [Role::Encoder, Role::ContextEncoder, Role::Tokenizer].map(file);
    let encoder = Encoder::open(&environment(), &alone, &together, &tokenizer).unwrap();
    let (stop, nothing_before) = (StopSignal::new(), Context { turns: Vec::new() });
    let embed = |texts: &[String]| {
        let states = encoder.read(texts.iter().map(String::as_str), &stop).unwrap();
        let passages: Vec<_> =
            texts.iter().map(|text| Passage::new(text, Channel::Agent, &nothing_before)).collect();
        encoder.embed(&passages, &states, &stop).unwrap()
    };
    let of =
        |times: usize| (0..9).map(move |which| format!("{}{which}", "号线为什么还没有人来修".repeat(times)));
    let texts: Vec<String> = [1, 2, 4, 8, 40].into_iter().flat_map(of).collect();
    let all = embed(&texts);
    for (text, among) in texts.iter().zip(&all) {
        assert_eq!(&embed(std::slice::from_ref(text))[0], among, "to the last bit: {text}");
    }
    assert_ne!(all[0], all[1]);
}

#[test]
fn of_a_text_that_is_too_long_the_end_is_read() {
    let [alone, together, tokenizer] = [Role::Encoder, Role::ContextEncoder, Role::Tokenizer].map(file);
    let encoder = Encoder::open(&environment(), &alone, &together, &tokenizer).unwrap();
    let stop = StopSignal::new();
    let long = "号线为什么还没有人来修".repeat(40);
    let states = |end: &str| {
        let text = format!("{long}{end}");
        encoder.read(std::iter::once(text.as_str()), &stop).unwrap().remove(text.as_str()).unwrap()
    };
    assert_ne!(states("请问问题解决了吗"), states("请您稍等一下好吗"));
    let begun_otherwise = format!("喂{long}");
    let again = encoder.read([long.as_str(), begun_otherwise.as_str()].into_iter(), &stop).unwrap();
    assert_eq!(again[long.as_str()], again[begun_otherwise.as_str()]);
}

#[test]
fn all_models_open_and_say_what_an_utterance_does() {
    let models = Models::open(&config(Path::new(HEADS))).unwrap();
    assert_eq!(models.ids().len(), 10);
    let said = |channel, at: u64, text: &str| {
        let (text, redactions) = redact(&RawText::new(text));
        Utterance { channel, span: Span::new(at, at + 1_000), text, redactions, confidence: 0.9 }
    };
    let transcript = [
        said(Channel::Agent, 0, "您好,很高兴为您服务"),
        said(Channel::Customer, 2_000, "你们服务太差了,我要投诉"),
        said(Channel::Mixed, 4_000, "Thank you for calling, goodbye"),
    ];
    let kit = models.kit().unwrap();
    let classify = |scenes: &[Scene<'_>]| kit.classifier.classify(scenes, &StopSignal::new()).unwrap();
    let scores = classify(&[Scene::whole(&transcript)]).remove(0);
    let of = |label: Label| scores.iter().map(|scores| scores.contains_key(&label)).collect::<Vec<_>>();
    assert_eq!(of(Label::Greeting), [true, false, true]);
    assert_eq!(of(Label::AsksSupervisor), [false, true, true]);
    // What a retrained head may never get wrong; how good it is, its card says.
    assert!(scores[0][&Label::Greeting] > scores[2][&Label::Greeting], "{scores:?}");
    assert!(scores[1][&Label::AsksSupervisor] > scores[1][&Label::NothingMore], "{scores:?}");
    let last = Scene { transcript: &transcript, judged_from: 2 };
    let reversed: Vec<Utterance> = transcript.iter().rev().cloned().collect();
    let among_others = classify(&[Scene::whole(&reversed), last, Scene::whole(&transcript)]);
    assert_eq!(among_others[1], scores[2..]);
    assert_eq!(among_others[2], scores);
}

#[test]
fn a_missing_head_is_named() {
    let nowhere = tempfile::tempdir().unwrap();
    let error = Models::open(&config(nowhere.path())).err().unwrap();
    assert_eq!(error.reason(), "model_missing_head");
    assert!(error.to_string().contains("politeness.onnx"), "{error}");
}

#[test]
fn a_head_for_another_encoder_is_refused() {
    let path = Path::new(HEADS).join("script.onnx");
    let another = EncoderId { alone: "another", together: "another" };
    let error = Head::open(&environment(), Task::Script, &path, another).err().unwrap();
    assert_eq!(error.reason(), "model_unfit");
    let error = Head::open(&environment(), Task::Politeness, &path, another).err().unwrap();
    assert!(error.to_string().contains("its labels are"), "{error}");
}
