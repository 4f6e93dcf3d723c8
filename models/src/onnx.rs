//! ONNX Runtime, loaded from the library that the manifest pins.

use std::path::Path;
use std::sync::Mutex;

use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use crate::ModelError;

/// ONNX Runtime allows one environment a process: whoever opens models first makes it, and it stays.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// The environment, made from this library where none is yet.
pub(crate) fn environment(library: &Path) -> Result<Environment, ModelError> {
    let runtime = |what: String| ModelError::Runtime { what };
    let mut slot = ENVIRONMENT.lock().map_err(|_| ModelError::Poisoned { name: "onnxruntime" })?;
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
    let build = || -> Result<Session, String> {
        Session::builder(environment)
            .map_err(|e| e.to_string())?
            .with_optimization_level(GraphOptimizationLevel::All)
            .map_err(|e| e.to_string())?
            .with_intra_threads(1)
            .map_err(|e| e.to_string())?
            .with_intra_op_spinning(false)
            .map_err(|e| e.to_string())?
            .commit_from_file(path)
            .map_err(|e| e.to_string())
    };
    build().map_err(|what| ModelError::Onnx { name, what })
}

/// Says which model failed.
pub(crate) fn failed(name: &'static str) -> impl Fn(ort::Error) -> ModelError {
    move |e| ModelError::Onnx { name, what: e.to_string() }
}
