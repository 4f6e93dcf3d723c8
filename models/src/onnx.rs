//! ONNX Runtime, loaded from the library that the manifest pins.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use crate::ModelError;

/// ONNX Runtime allows one environment a process: whoever opens models first makes it, and it stays.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// The environment, made from this library where none is yet.
pub(crate) fn environment(library: &Path) -> Result<Environment, ModelError> {
    let runtime = |what: String| ModelError::Runtime { what };
    let mut slot = held(&ENVIRONMENT);
    if let Some(environment) = &*slot {
        return Ok(environment.clone());
    }
    let environment = ort::init_from(library)
        .map_err(|e| runtime(e.to_string()))?
        .with_name("callqa")
        .with_telemetry(false)
        .build()
        .map_err(|e| runtime(e.to_string()))?;
    *slot = Some(environment.clone());
    Ok(environment)
}

/// Opens a model on one thread that sleeps when it has nothing to do: the analysts share the cores.
pub(crate) fn session(
    environment: &Environment,
    name: &'static str,
    path: &Path,
) -> Result<Session, ModelError> {
    let open = || -> Result<Session, String> {
        builder(environment)?.commit_from_file(path).map_err(|e| e.to_string())
    };
    open().map_err(|what| ModelError::Onnx { name, what })
}

/// The same for a model that was read, as a part of a file, say.
pub(crate) fn session_of(
    environment: &Environment,
    name: &'static str,
    model: &[u8],
) -> Result<Session, ModelError> {
    let open = || -> Result<Session, String> {
        builder(environment)?.commit_from_memory(model).map_err(|e| e.to_string())
    };
    open().map_err(|what| ModelError::Onnx { name, what })
}

/// Whether the fast int8 products may overflow: without VNNI, x86-64 adds them in pairs in 16 bits. (ONNX
/// Runtime would take the slow ones wherever it is asked to, and they double the time of Whisper's encoder.)
fn int8_overflows() -> bool {
    #[cfg(target_arch = "x86_64")]
    let exact = is_x86_feature_detected!("avx512vnni") || is_x86_feature_detected!("avxvnni");
    #[cfg(not(target_arch = "x86_64"))]
    let exact = true;
    !exact
}

/// Inputs have many shapes: memory is not laid out for each of them in advance. Processors whose int8 products would
/// overflow take slower ones.
fn builder(environment: &Environment) -> Result<SessionBuilder, String> {
    let builder = Session::builder(environment)
        .map_err(|e| e.to_string())?
        .with_optimization_level(GraphOptimizationLevel::All)
        .map_err(|e| e.to_string())?
        .with_memory_pattern(false)
        .map_err(|e| e.to_string())?
        .with_intra_threads(1)
        .map_err(|e| e.to_string())?
        .with_intra_op_spinning(false)
        .map_err(|e| e.to_string())?;
    if int8_overflows() { builder.with_precise_qmm().map_err(|e| e.to_string()) } else { Ok(builder) }
}

/// Takes what a mutex guards, also after a panic of whoever held it: a session keeps nothing of a run, and the
/// environment is there or is not.
pub(crate) fn held<T>(guarded: &Mutex<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says which model failed.
pub(crate) fn failed(name: &'static str) -> impl Fn(ort::Error) -> ModelError {
    move |e| ModelError::Onnx { name, what: e.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_one_caller_leaves_the_model_to_the_next() {
        let model = Mutex::new(1);
        std::thread::scope(|scope| {
            let run = scope.spawn(|| {
                let _model = held(&model);
                panic!("in the middle of a run");
            });
            assert!(run.join().is_err() && model.is_poisoned());
        });
        assert_eq!(*held(&model), 1);
    }
}
