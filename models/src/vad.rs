//! Where somebody speaks: Silero VAD, one window of every channel at a time.

use ort::environment::Environment;
use ort::session::Session;
use ort::value::Tensor;

use crate::onnx::{failed, session_of};
use crate::{ModelError, SAMPLE_RATE, SpeechDetector, VAD_WINDOW};

/// Samples of the window before, which the model wants to see again (silero-vad's `utils_vad.py`).
const CONTEXT: usize = 64;
/// Width of the recurrent state, of which there are two.
const STATE: usize = 128;
const NAME: &str = "silero-vad";

/// Silero's model and what it remembers of each channel.
pub struct Silero {
    session: Session,
    channels: usize,
    /// [2, channels, 128]
    state: Vec<f32>,
    /// [channels, 64]
    context: Vec<f32>,
}

impl Silero {
    /// Opens the model, of which these are the bytes.
    pub(crate) fn open(environment: &Environment, model: &[u8]) -> Result<Self, ModelError> {
        let session = session_of(environment, NAME, model)?;
        Ok(Self { session, channels: 0, state: Vec::new(), context: Vec::new() })
    }
}

impl SpeechDetector for Silero {
    fn reset(&mut self, channels: usize) {
        self.channels = channels;
        self.state = vec![0.0; 2 * channels * STATE];
        self.context = vec![0.0; channels * CONTEXT];
    }

    fn step(&mut self, windows: &[[f32; VAD_WINDOW]]) -> Result<Vec<f32>, ModelError> {
        let batch = self.channels;
        if windows.len() != batch {
            let what = format!("{} windows for {batch} channels", windows.len());
            return Err(ModelError::Onnx { name: NAME, what });
        }
        let mut input = Vec::with_capacity(batch * (CONTEXT + VAD_WINDOW));
        for (context, window) in self.context.chunks_exact_mut(CONTEXT).zip(windows) {
            input.extend_from_slice(context);
            input.extend_from_slice(window);
            context.copy_from_slice(&window[VAD_WINDOW - CONTEXT..]);
        }
        let state = std::mem::take(&mut self.state);
        let inputs = ort::inputs![
            "input" => Tensor::from_array(([batch, CONTEXT + VAD_WINDOW], input)).map_err(failed(NAME))?,
            "state" => Tensor::from_array(([2, batch, STATE], state)).map_err(failed(NAME))?,
            "sr" => Tensor::from_array(((), vec![SAMPLE_RATE as i64])).map_err(failed(NAME))?,
        ];
        let outputs = self.session.run(inputs).map_err(failed(NAME))?;
        let (_, probabilities) = outputs["output"].try_extract_tensor::<f32>().map_err(failed(NAME))?;
        let (_, state) = outputs["stateN"].try_extract_tensor::<f32>().map_err(failed(NAME))?;
        self.state = state.to_vec();
        Ok(probabilities.to_vec())
    }
}
