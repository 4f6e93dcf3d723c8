//! Whisper by whisper.cpp, for any ggml file: one context for all, one state and one thread for each analyst.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use callqa_domain::Language;
use whisper_rs::{
    DtwParameters, FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperError,
    WhisperState,
};

use super::words::Token;
use super::{Engine, SAMPLES_PER_POSITION, Sound, header};
use crate::window::{SAMPLE_RATE, SAMPLES_PER_MS};
use crate::{ModelError, StopSignal};

/// whisper.cpp 1.8.3 reads out of bounds on very short audio.
const SHORTEST_AUDIO: usize = SAMPLE_RATE as usize;
/// Scratch memory for aligning words with time; whisper.cpp touches only what a window needs.
const ALIGNMENT_BYTES: usize = 128 << 20;

/// Whether this is built for graphics processors.
pub(super) const USES_DEVICES: bool = cfg!(any(feature = "cuda", feature = "vulkan", feature = "metal"));

/// An open ggml file.
pub(super) struct CppWhisper {
    context: WhisperContext,
}

impl CppWhisper {
    pub(super) fn open(name: &str, path: &Path, device: u16) -> Result<Self, ModelError> {
        let header = header::read(name, path)?;
        // Without a hook whisper.cpp writes to stderr, past our log.
        whisper_rs::install_logging_hooks();
        let mut parameters = WhisperContextParameters::new();
        parameters
            .use_gpu(USES_DEVICES)
            .gpu_device(i32::from(device))
            .flash_attn(false)
            .dtw_parameters(DtwParameters { mode: header.alignment(), dtw_mem_size: ALIGNMENT_BYTES });
        let context = WhisperContext::new_with_params(path, parameters)
            .map_err(|source| ModelError::Whisper { doing: "opened its model", source })?;
        Ok(Self { context })
    }

    /// For measurements that need whisper.cpp itself.
    #[cfg(feature = "measured")]
    pub(super) fn context(&self) -> &WhisperContext {
        &self.context
    }

    pub(super) fn engine(&self) -> Result<CppEngine, ModelError> {
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
        Ok(CppEngine {
            state,
            stop,
            zh: of(Language::Zh),
            en: of(Language::En),
            first_time: self.context.token_beg(),
            end_of_text: self.context.token_eot(),
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

/// One analyst's state.
pub(super) struct CppEngine {
    state: WhisperState,
    /// What the abort callback looks at.
    stop: Arc<Mutex<StopSignal>>,
    zh: FullParams<'static, 'static>,
    en: FullParams<'static, 'static>,
    first_time: i32,
    end_of_text: i32,
}

impl CppEngine {
    fn run(
        &mut self,
        sound: &Sound<'_>,
        doing: &'static str,
        stop: &StopSignal,
        adapt: impl FnOnce(&mut FullParams<'static, 'static>),
    ) -> Result<(), ModelError> {
        *self.stop.lock().unwrap_or_else(PoisonError::into_inner) = stop.clone();
        let mut parameters = match sound.language {
            Language::Zh => self.zh.clone(),
            Language::En => self.en.clone(),
        };
        parameters.set_audio_ctx(sound.positions as i32);
        adapt(&mut parameters);
        let mut padded;
        let samples = if sound.samples.len() < SHORTEST_AUDIO {
            padded = sound.samples.to_vec();
            padded.resize(SHORTEST_AUDIO, 0.0);
            &padded
        } else {
            sound.samples
        };
        match self.state.full(parameters, samples) {
            _ if stop.is_stopped() => Err(ModelError::Stopped),
            Ok(()) => Ok(()),
            Err(source) => Err(ModelError::Whisper { doing, source }),
        }
    }

    /// Tokens of the last run, with their times in the window.
    fn tokens(&self) -> Result<Vec<Token>, ModelError> {
        let failed = |source: WhisperError| ModelError::Whisper { doing: "gave its words", source };
        let mut tokens: Vec<Token> = Vec::new();
        let mut phrase = 0;
        for segment in self.state.as_iter() {
            phrase += 1;
            let mut begun = 0;
            for i in 0..segment.n_tokens() {
                let Some(token) = segment.get_token(i) else { continue };
                let data = token.token_data();
                if data.id >= self.first_time {
                    let time = (data.id - self.first_time) as usize * SAMPLES_PER_POSITION;
                    let own = tokens.iter_mut().rev().take_while(|token| token.phrase == phrase);
                    own.for_each(|token| token.marked.end = time);
                    begun = time;
                    phrase += 1;
                } else if data.id < self.end_of_text {
                    let at = (data.t_dtw.max(0) as usize) * 10 * SAMPLES_PER_MS as usize;
                    let bytes = token.to_bytes().map_err(failed)?.to_vec();
                    let marked = begun..usize::MAX;
                    tokens.push(Token { bytes, probability: data.p, at, phrase, marked });
                }
            }
        }
        Ok(tokens)
    }
}

impl Engine for CppEngine {
    fn hear(&mut self, sounds: &[Sound<'_>], stop: &StopSignal) -> Result<Vec<Vec<Token>>, ModelError> {
        let hear = |sound| {
            self.run(sound, "heard a window", stop, |_| {})?;
            self.tokens()
        };
        sounds.iter().map(hear).collect()
    }

    fn language(&mut self, sound: &Sound<'_>, stop: &StopSignal) -> Result<Language, ModelError> {
        // This run hears nothing: its duration is the least that whisper.cpp accepts and the most that it
        // skips. It sets the context's length, which `lang_detect` would otherwise take from the last call.
        self.run(sound, "prepared for a language", stop, |parameters| parameters.set_duration_ms(100))?;
        let (_, probabilities) = self
            .state
            .lang_detect(0, 1)
            .map_err(|source| ModelError::Whisper { doing: "told the language", source })?;
        let probability = |language: Language| {
            let id = whisper_rs::get_lang_id(language.code())?;
            probabilities.get(usize::try_from(id).ok()?).copied()
        };
        let zh = probability(Language::Zh) >= probability(Language::En);
        Ok(if zh { Language::Zh } else { Language::En })
    }
}
