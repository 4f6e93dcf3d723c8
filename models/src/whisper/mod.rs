//! Speech to text. What runs Whisper depends on its file: ONNX Runtime for ours, whisper.cpp for a ggml file.

mod align;
mod cpp;
mod header;
mod onnx;
mod repetition;
mod words;

use std::path::Path;
use std::sync::Arc;

use callqa_domain::Language;
use ferrous_opencc::OpenCC;
use ferrous_opencc::config::BuiltinConfig;
use ort::environment::Environment;

use crate::window::{SAMPLE_RATE, Window};
use crate::{ModelError, StopSignal, Transcribed, Transcriber};
use words::Token;

/// Samples that one position of the encoder's context covers (20 ms).
const SAMPLES_PER_POSITION: usize = 320;
/// Positions of the full context, 30 s.
const FULL_CONTEXT: usize = 1_500;
/// A context cut to the window never falls below this (10.24 s): below it Whisper falls into loops.
const LEAST_CONTEXT: usize = 512;
/// Room behind the last word, half a second. (Three cost a twentieth more CPU, for as many errors.)
const CONTEXT_MARGIN: usize = 25;
/// Contexts come in steps of this (1.28 s), so that the arithmetic meets few shapes.
const CONTEXT_STEP: usize = 64;
/// Language is told from this much of a window, at most: more changes no answer and costs time.
const LANGUAGE_SAMPLES: usize = 10 * SAMPLE_RATE as usize;
/// Speech in pieces behind Whisper's last word, half a second of it, is heard again on its own: less is a breath.
const LEAST_UNHEARD: usize = SAMPLE_RATE as usize / 2;
/// So is the rest of the last word's own piece, from three seconds on: less may be a laugh, or a word drawn out.
const LEAST_UNFINISHED: usize = 3 * SAMPLE_RATE as usize;
/// A window is heard again so often at most. Whisper that stops early time after time says the same of music.
const MOST_AGAIN: usize = 4;
/// A last word takes no longer than this, half a second behind where its last token begins.
const LAST_WORD: usize = SAMPLE_RATE as usize / 2;

/// What Whisper is to hear in one go.
struct Sound<'a> {
    /// 16 kHz, at most 30 s.
    samples: &'a [f32],
    language: Language,
    /// Positions of the encoder's context.
    positions: usize,
}

/// Something that runs a Whisper, for one analyst.
trait Engine: Send {
    /// The tokens of each sound, with their times in it.
    fn hear(&mut self, sounds: &[Sound<'_>], stop: &StopSignal) -> Result<Vec<Vec<Token>>, ModelError>;

    /// The likelier of the languages that can be judged.
    fn language(&mut self, sound: &Sound<'_>, stop: &StopSignal) -> Result<Language, ModelError>;
}

enum Opened {
    Cpp(cpp::CppWhisper),
    Onnx(onnx::OnnxWhisper),
}

/// An open Whisper model.
pub struct Whisper {
    opened: Opened,
    /// Whisper writes Mandarin in Simplified or Traditional characters, by clip.
    simplified: Arc<OpenCC>,
}

impl Whisper {
    /// Opens a file of `models/build`, or a ggml file.
    pub(crate) fn open(
        environment: &Environment,
        name: &str,
        path: &Path,
        device: u16,
    ) -> Result<Self, ModelError> {
        let is_onnx = onnx::file::is_one(path);
        if device > 0 && is_onnx {
            let why = format!(
                "model {name} is an ONNX file, which runs on no graphics processor: set it to 0, or choose a ggml file"
            );
            return Err(ModelError::NoDevice { device, why });
        }
        if device > 0 && !cpp::USES_DEVICES {
            let why = "this build uses no graphics processor: set it to 0, or build with `--features cuda`, `vulkan` or `metal`";
            return Err(ModelError::NoDevice { device, why: why.to_owned() });
        }
        let opened = if is_onnx {
            Opened::Onnx(onnx::OnnxWhisper::open(environment, name, path)?)
        } else {
            Opened::Cpp(cpp::CppWhisper::open(name, path, device)?)
        };
        let simplified = OpenCC::from_config(BuiltinConfig::T2s).map_err(|e| ModelError::Unfit {
            name: name.to_owned(),
            what: format!("no Simplified characters: {e}"),
        })?;
        Ok(Self { opened, simplified: Arc::new(simplified) })
    }

    /// A transcriber of its own state, for one analyst.
    pub fn transcriber(&self) -> Result<WhisperTranscriber, ModelError> {
        let engine: Box<dyn Engine> = match &self.opened {
            Opened::Cpp(cpp) => Box::new(cpp.engine()?),
            Opened::Onnx(onnx) => Box::new(onnx.engine()?),
        };
        Ok(WhisperTranscriber { engine, simplified: Arc::clone(&self.simplified) })
    }

    /// For measurements that need whisper.cpp itself; `None` where another engine runs the file.
    #[cfg(feature = "measured")]
    pub(crate) fn cpp_context(&self) -> Option<&whisper_rs::WhisperContext> {
        match &self.opened {
            Opened::Cpp(cpp) => Some(cpp.context()),
            Opened::Onnx(_) => None,
        }
    }
}

/// One analyst's ear.
pub struct WhisperTranscriber {
    engine: Box<dyn Engine>,
    simplified: Arc<OpenCC>,
}

/// Writes text of a window, by its place, as it shall be published.
type Spelling<'a> = &'a dyn Fn(usize, &str, Language) -> String;

/// What is to be heard of a window that was asked for.
struct Task {
    /// Place of that window.
    of: usize,
    window: Window,
    language: Language,
}

impl WhisperTranscriber {
    /// Hears windows, and what follows in each where Whisper stopped early.
    fn hear(
        &mut self,
        windows: &[(&Window, Language)],
        stop: &StopSignal,
        spell: Spelling<'_>,
    ) -> Result<Vec<Transcribed>, ModelError> {
        let mut all: Vec<Transcribed> = windows.iter().map(|_| Transcribed::default()).collect();
        let whole = |(of, (window, language)): (usize, &(&Window, Language))| Task {
            of,
            window: (*window).clone(),
            language: *language,
        };
        let mut tasks: Vec<Task> = windows.iter().enumerate().map(whole).collect();
        for _ in 0..=MOST_AGAIN {
            let mut rest = Vec::new();
            for (task, tokens) in tasks.iter().zip(self.tokens(&tasks, stop)?) {
                let (heard, unheard) = self.understand(task, &tokens, stop, spell)?;
                all[task.of].heard.extend(heard.heard);
                all[task.of].gaps.extend(heard.gaps);
                let window = unheard.and_then(|at| task.window.since(at));
                rest.extend(window.map(|window| Task { of: task.of, window, language: task.language }));
            }
            tasks = rest;
            if tasks.is_empty() {
                break;
            }
        }
        for task in tasks {
            all[task.of].gaps.extend(align::unheard(&task.window));
        }
        Ok(all)
    }

    fn tokens(&mut self, tasks: &[Task], stop: &StopSignal) -> Result<Vec<Vec<Token>>, ModelError> {
        let sounds = tasks.iter().map(|task| Sound {
            samples: &task.window.samples,
            language: task.language,
            positions: context_for(task.window.samples.len()),
        });
        self.engine.hear(&sounds.collect::<Vec<_>>(), stop)
    }

    /// Makes utterances of a window's tokens. A loop is heard once more with Whisper's full context, which
    /// costs more and breaks most loops. Gives the sample from which on nothing was heard, where Whisper
    /// stopped early.
    fn understand(
        &mut self,
        task: &Task,
        tokens: &[Token],
        stop: &StopSignal,
        spell: Spelling<'_>,
    ) -> Result<(Transcribed, Option<usize>), ModelError> {
        let window = &task.window;
        let mut words = words::words(tokens);
        let mut looped = looped_in(window, &words);
        if !looped.is_empty() {
            let sound = Sound { samples: &window.samples, language: task.language, positions: FULL_CONTEXT };
            let again = self.engine.hear(&[sound], stop)?;
            words = words::words(again.first().map_or(&[], Vec::as_slice));
            looped = looped_in(window, &words);
        }
        let unheard = if looped.is_empty() { unheard_from(window, &words) } else { None };
        let spell = |text: &str| spell(task.of, text, task.language);
        let heard = match unheard {
            Some(at) => align::utterances(&window.until(at), &words, &[], &spell),
            None => align::utterances(window, &words, &looped, &spell),
        };
        Ok((heard, unheard))
    }

    /// What is heard in windows, in clear: error rates can't be told from redacted text.
    #[cfg(feature = "measured")]
    pub(crate) fn spoken(&mut self, windows: &[(&Window, Language)]) -> Result<Vec<String>, ModelError> {
        let simplified = Arc::clone(&self.simplified);
        let said = std::cell::RefCell::new(vec![String::new(); windows.len()]);
        self.hear(windows, &StopSignal::new(), &|of, text, language| {
            let spelled = spelled(text, language, &simplified);
            said.borrow_mut()[of] += &format!("{spelled} ");
            spelled
        })?;
        Ok(said.into_inner())
    }
}

impl Transcriber for WhisperTranscriber {
    fn transcribe(
        &mut self,
        windows: &[(&Window, Language)],
        stop: &StopSignal,
    ) -> Result<Vec<Transcribed>, ModelError> {
        let simplified = Arc::clone(&self.simplified);
        self.hear(windows, stop, &|_, text, language| spelled(text, language, &simplified))
    }

    fn detect_language(&mut self, window: &Window, stop: &StopSignal) -> Result<Language, ModelError> {
        let samples = &window.samples[..window.samples.len().min(LANGUAGE_SAMPLES)];
        let sound = Sound { samples, language: Language::En, positions: context_for(samples.len()) };
        let language = self.engine.language(&sound, stop)?;
        if stop.is_stopped() { Err(ModelError::Stopped) } else { Ok(language) }
    }
}

fn spelled(text: &str, language: Language, simplified: &OpenCC) -> String {
    match language {
        Language::Zh => simplified.convert(text),
        Language::En => text.to_owned(),
    }
}

/// What Whisper, and nobody else, said again and again.
fn looped_in(window: &Window, words: &[words::Word]) -> Vec<repetition::Loop> {
    let mut loops = repetition::loops(words);
    loops.retain(|found| !align::is_spread(window, &words[found.words.clone()], found.period));
    loops
}

/// Where in the window Whisper stopped early: so much speech follows its last word.
fn unheard_from(window: &Window, words: &[words::Word]) -> Option<usize> {
    let last = words.last()?;
    let begun = align::pieces_of(window, words).last().copied()?;
    let (own, rest) = window.pieces.get(begun.max(align::piece_of(window, last.until))..)?.split_first()?;
    let spoken = last.until.max(own.at) + LAST_WORD;
    if own.end().saturating_sub(spoken) >= LEAST_UNFINISHED {
        return Some(spoken);
    }
    let speech: usize = rest.iter().map(|piece| piece.len).sum();
    let next = rest.first().map(|piece| piece.at);
    next.filter(|_| speech >= LEAST_UNHEARD)
}

/// Positions that the encoder needs for this much audio.
fn context_for(samples: usize) -> usize {
    let needed = samples.div_ceil(SAMPLES_PER_POSITION) + CONTEXT_MARGIN;
    needed.max(LEAST_CONTEXT).next_multiple_of(CONTEXT_STEP).min(FULL_CONTEXT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::window::Piece;

    const SECOND: usize = SAMPLE_RATE as usize;

    /// A last word that begins at this tenth of a second, in a piece of ten seconds before one of one second.
    #[track_caller]
    fn check(tenth: usize, expect: Option<usize>) {
        let pieces = vec![
            Piece { call_start: 0, at: 0, len: 10 * SECOND },
            Piece { call_start: 12 * SAMPLE_RATE, at: 11 * SECOND, len: SECOND },
        ];
        let samples = vec![0.0; 12 * SECOND];
        let window = Window { channel: callqa_domain::Channel::Agent, samples, pieces };
        let at = tenth * SECOND / 10;
        assert_eq!(unheard_from(&window, &[word("yes", at)]), expect);
    }

    fn word(text: &str, at: usize) -> words::Word {
        let text = text.to_owned();
        words::Word { text, probabilities: vec![1.0], at, until: at, phrase: 1, marked: 0..0 }
    }

    #[test]
    fn a_listener_hides_no_loop() {
        let piece =
            |i: usize| Piece { call_start: i as u64 * 5 * SAMPLE_RATE, at: i * SECOND, len: SECOND / 2 };
        let pieces: Vec<Piece> = (0..13).map(piece).collect();
        let samples = vec![0.0; 13 * SECOND];
        let listener = (0..12).map(|i| word("嗯", i * SECOND));
        let stuck = (0..12).map(|_| word("不", 12 * SECOND));
        let words: Vec<words::Word> = listener.chain(stuck).collect();
        let window = Window { channel: callqa_domain::Channel::Agent, samples, pieces };
        let found: Vec<_> =
            looped_in(&window, &words).into_iter().map(|found| (found.words, found.period)).collect();
        assert_eq!(found, [(12..24, 1), (12..24, 2), (12..24, 3)]);
        let heard = align::utterances(&window, &words, &looped_in(&window, &words), &str::to_owned);
        assert_eq!(heard.heard.len(), 12);
        let gaps: Vec<_> = heard.gaps.iter().map(|gap| (gap.span.start_ms, gap.reason)).collect();
        assert_eq!(gaps, [(60_000, callqa_domain::GapReason::Repetition)]);
    }

    /// Says one word of whatever it hears, and stops.
    struct Stubborn;

    impl Engine for Stubborn {
        fn hear(&mut self, sounds: &[Sound<'_>], _: &StopSignal) -> Result<Vec<Vec<Token>>, ModelError> {
            let at = SECOND / 10;
            let token =
                Token { bytes: b" thanks".to_vec(), probability: 0.9, at, phrase: 0, marked: at..2 * at };
            Ok(vec![vec![token]; sounds.len()])
        }

        fn language(&mut self, _: &Sound<'_>, _: &StopSignal) -> Result<Language, ModelError> {
            Ok(Language::En)
        }
    }

    #[test]
    fn what_stops_early_time_after_time_ends_in_a_gap() {
        let pieces = vec![Piece { call_start: 0, at: 0, len: 28 * SECOND }];
        let window =
            Window { channel: callqa_domain::Channel::Agent, samples: vec![0.0; 28 * SECOND], pieces };
        let simplified = Arc::new(OpenCC::from_config(BuiltinConfig::T2s).unwrap());
        let mut transcriber = WhisperTranscriber { engine: Box::new(Stubborn), simplified };
        let heard = transcriber.transcribe(&[(&window, Language::En)], &StopSignal::new()).unwrap();
        assert_eq!(heard[0].heard.len(), 1 + MOST_AGAIN);
        let gap = heard[0].gaps.last().unwrap();
        assert_eq!((gap.reason, gap.span.end_ms), (callqa_domain::GapReason::NoWords, 28_000));
    }

    #[test]
    fn speech_behind_the_last_word_is_unheard() {
        check(20, Some(5 * SECOND / 2)); // the rest of its own piece
        check(90, Some(11 * SECOND)); // the next piece
        check(100, None); // begins when its piece is over, so it is the next piece
        check(111, None);
    }
}
