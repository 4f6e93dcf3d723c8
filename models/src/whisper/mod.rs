//! Speech to text by whisper.cpp: one context for all, one state and one thread for each analyst.

mod align;
mod header;
mod repetition;
mod words;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use callqa_domain::Language;
use ferrous_opencc::OpenCC;
use ferrous_opencc::config::BuiltinConfig;
use whisper_rs::{
    DtwParameters, FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperError,
    WhisperState,
};

use crate::window::{SAMPLE_RATE, SAMPLES_PER_MS, Window};
use crate::{ModelError, StopSignal, Transcribed, Transcriber};
use words::Token;

/// whisper.cpp 1.8.3 reads out of bounds on very short audio.
const SHORTEST_AUDIO: usize = SAMPLE_RATE as usize;
/// Samples that one position of the encoder's context covers (20 ms).
const SAMPLES_PER_POSITION: usize = 320;
/// Positions of the full context, 30 s.
const FULL_CONTEXT: usize = 1_500;
/// A context cut to the window never falls below this (10.24 s): below it Whisper falls into loops.
const LEAST_CONTEXT: usize = 512;
/// Room behind the last word, half a second: Whisper closes a sentence better when it hears it end.
const CONTEXT_MARGIN: usize = 25;
/// Contexts come in steps of this (1.28 s), so that whisper.cpp meets few shapes.
const CONTEXT_STEP: usize = 64;
/// Language is told from this much of a window, at most: more changes no answer and costs time.
const LANGUAGE_SAMPLES: usize = 10 * SAMPLE_RATE as usize;
/// Speech behind Whisper's last word, half a second of it, is heard again on its own: less is a breath.
const LEAST_UNHEARD: usize = SAMPLE_RATE as usize / 2;
/// Scratch memory for aligning words with time; whisper.cpp touches only what a window needs.
const ALIGNMENT_BYTES: usize = 128 << 20;

/// An open Whisper model.
pub struct Whisper {
    context: WhisperContext,
    /// Whisper writes Mandarin in Simplified or Traditional characters, by clip.
    simplified: Arc<OpenCC>,
}

impl Whisper {
    /// Opens a ggml file.
    pub fn open(name: &str, path: &Path) -> Result<Self, ModelError> {
        let header = header::read(name, path)?;
        // Without a hook whisper.cpp writes to stderr, past our log.
        whisper_rs::install_logging_hooks();
        let mut parameters = WhisperContextParameters::new();
        parameters
            .use_gpu(false)
            .flash_attn(false)
            .dtw_parameters(DtwParameters { mode: header.alignment(), dtw_mem_size: ALIGNMENT_BYTES });
        let context = WhisperContext::new_with_params(path, parameters)
            .map_err(|source| ModelError::Whisper { doing: "opened its model", source })?;
        let simplified = OpenCC::from_config(BuiltinConfig::T2s).map_err(|e| ModelError::Unfit {
            name: name.to_owned(),
            what: format!("no Simplified characters: {e}"),
        })?;
        Ok(Self { context, simplified: Arc::new(simplified) })
    }

    /// A transcriber of its own state, for one analyst.
    pub fn transcriber(&self) -> Result<WhisperTranscriber, ModelError> {
        let state = self
            .context
            .create_state()
            .map_err(|source| ModelError::Whisper { doing: "made a state", source })?;
        let stop = Arc::new(Mutex::new(StopSignal::new()));
        let base = parameters(Arc::clone(&stop));
        // A language's name is never freed by `FullParams`: it is set once, here.
        let of = |language: Language| {
            let mut parameters = base.clone();
            parameters.set_language(Some(language.code()));
            parameters
        };
        Ok(WhisperTranscriber {
            state,
            stop,
            zh: of(Language::Zh),
            en: of(Language::En),
            first_time: self.context.token_beg(),
            end_of_text: self.context.token_eot(),
            simplified: Arc::clone(&self.simplified),
        })
    }
}

/// Greedy, without a prompt, without context from other windows, at temperature 0 alone: Whisper's own
/// fallback draws random numbers that depend on what it heard before.
fn parameters(stop: Arc<Mutex<StopSignal>>) -> FullParams<'static, 'static> {
    let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
    parameters.set_n_threads(1);
    parameters.set_translate(false);
    parameters.set_no_context(true);
    parameters.set_n_max_text_ctx(0);
    parameters.set_single_segment(true);
    parameters.set_temperature(0.0);
    parameters.set_temperature_inc(0.0);
    parameters.set_suppress_blank(true);
    parameters.set_suppress_nst(true);
    parameters.set_print_special(false);
    parameters.set_print_progress(false);
    parameters.set_print_realtime(false);
    parameters.set_print_timestamps(false);
    // The closure must be of this very type: whisper-rs 0.16 hands whisper.cpp a pointer to the box that
    // it makes, and reads it back as a pointer to the closure's own type.
    let stopped: Box<dyn FnMut() -> bool> =
        Box::new(move || stop.lock().unwrap_or_else(PoisonError::into_inner).is_stopped());
    parameters.set_abort_callback_safe::<_, Box<dyn FnMut() -> bool>>(stopped);
    parameters
}

/// One analyst's ear.
pub struct WhisperTranscriber {
    state: WhisperState,
    /// What the abort callback looks at.
    stop: Arc<Mutex<StopSignal>>,
    zh: FullParams<'static, 'static>,
    en: FullParams<'static, 'static>,
    first_time: i32,
    end_of_text: i32,
    simplified: Arc<OpenCC>,
}

impl WhisperTranscriber {
    fn run(
        &mut self,
        samples: &[f32],
        language: Language,
        context: usize,
        doing: &'static str,
        adapt: impl FnOnce(&mut FullParams<'static, 'static>),
    ) -> Result<(), ModelError> {
        let mut parameters = match language {
            Language::Zh => self.zh.clone(),
            Language::En => self.en.clone(),
        };
        parameters.set_audio_ctx(context as i32);
        adapt(&mut parameters);
        let mut padded;
        let samples = if samples.len() < SHORTEST_AUDIO {
            padded = samples.to_vec();
            padded.resize(SHORTEST_AUDIO, 0.0);
            &padded
        } else {
            samples
        };
        let result = self.state.full(parameters, samples);
        let stopped = self.stop.lock().unwrap_or_else(PoisonError::into_inner).is_stopped();
        match result {
            _ if stopped => Err(ModelError::Stopped),
            Ok(()) => Ok(()),
            Err(source) => Err(ModelError::Whisper { doing, source }),
        }
    }

    fn obey(&self, stop: &StopSignal) {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = stop.clone();
    }

    /// Hears one window. A loop is heard once more with Whisper's full context, which costs more and breaks
    /// most loops. Gives the piece from which on nothing was heard, where Whisper stopped early.
    fn listen(
        &mut self,
        window: &Window,
        language: Language,
    ) -> Result<(Transcribed, Option<usize>), ModelError> {
        self.run(&window.samples, language, context_for(window.samples.len()), "heard a window", |_| {})?;
        let mut words = words::words(&self.tokens()?);
        let mut looped = repetition::find(&words);
        if looped.is_some() {
            self.run(&window.samples, language, FULL_CONTEXT, "heard a window again", |_| {})?;
            words = words::words(&self.tokens()?);
            looped = repetition::find(&words);
        }
        let unheard = if looped.is_none() { unheard_from(window, &words) } else { None };
        let spell = |text: &str| match language {
            Language::Zh => self.simplified.convert(text),
            Language::En => text.to_owned(),
        };
        let heard = match unheard {
            Some(piece) => align::utterances(&window.until_piece(piece), &words, None, &spell),
            None => align::utterances(window, &words, looped, &spell),
        };
        Ok((heard, unheard))
    }

    /// Tokens of the last run, with their times in the window.
    fn tokens(&self) -> Result<Vec<Token>, ModelError> {
        let failed = |source: WhisperError| ModelError::Whisper { doing: "gave its words", source };
        let mut tokens = Vec::new();
        let mut phrase = 0;
        for segment in self.state.as_iter() {
            phrase += 1;
            for i in 0..segment.n_tokens() {
                let Some(token) = segment.get_token(i) else { continue };
                let data = token.token_data();
                if data.id >= self.first_time {
                    phrase += 1;
                } else if data.id < self.end_of_text {
                    let at = (data.t_dtw.max(0) as usize) * 10 * SAMPLES_PER_MS as usize;
                    let bytes = token.to_bytes().map_err(failed)?.to_vec();
                    tokens.push(Token { bytes, probability: data.p, at, phrase });
                }
            }
        }
        Ok(tokens)
    }
}

impl Transcriber for WhisperTranscriber {
    fn transcribe(
        &mut self,
        window: &Window,
        language: Language,
        stop: &StopSignal,
    ) -> Result<Transcribed, ModelError> {
        self.obey(stop);
        let mut all = Transcribed::default();
        let mut rest = Some(window.clone());
        while let Some(window) = rest.take() {
            let (heard, unheard) = self.listen(&window, language)?;
            all.heard.extend(heard.heard);
            all.gaps.extend(heard.gaps);
            rest = unheard.and_then(|piece| window.from_piece(piece));
        }
        Ok(all)
    }

    fn detect_language(&mut self, window: &Window, stop: &StopSignal) -> Result<Language, ModelError> {
        self.obey(stop);
        let samples = &window.samples[..window.samples.len().min(LANGUAGE_SAMPLES)];
        // This run hears nothing: its duration is the least that whisper.cpp accepts and the most that it
        // skips. It sets the context's length, which `lang_detect` would otherwise take from the last call.
        self.run(
            samples,
            Language::En,
            context_for(samples.len()),
            "prepared for a language",
            |parameters| {
                parameters.set_duration_ms(100);
            },
        )?;
        let (_, probabilities) = self
            .state
            .lang_detect(0, 1)
            .map_err(|source| ModelError::Whisper { doing: "told the language", source })?;
        let probability = |language: Language| {
            let id = whisper_rs::get_lang_id(language.code())?;
            probabilities.get(usize::try_from(id).ok()?).copied()
        };
        let zh = probability(Language::Zh) >= probability(Language::En);
        if stop.is_stopped() {
            Err(ModelError::Stopped)
        } else if zh {
            Ok(Language::Zh)
        } else {
            Ok(Language::En)
        }
    }
}

/// The piece after the last word, where so much speech follows it that Whisper must have stopped early.
fn unheard_from(window: &Window, words: &[words::Word]) -> Option<usize> {
    let last = align::piece_of(window, words.last()?.at);
    let rest = window.pieces.get(last + 1..)?;
    let speech: usize = rest.iter().map(|piece| piece.len).sum();
    (speech >= LEAST_UNHEARD).then_some(last + 1)
}

/// Positions that the encoder needs for this much audio.
fn context_for(samples: usize) -> usize {
    let needed = samples.div_ceil(SAMPLES_PER_POSITION) + CONTEXT_MARGIN;
    needed.max(LEAST_CONTEXT).next_multiple_of(CONTEXT_STEP).min(FULL_CONTEXT)
}
