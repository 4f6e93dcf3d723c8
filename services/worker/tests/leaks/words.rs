//! Scripted models that say the canaries, and one that panics with them.

use std::sync::Arc;

use callqa_domain::{Label, Language, Rulebook};
use callqa_models::scripted::{self, Keywords, Line, Script};
use callqa_models::{Kit, ModelError, StopSignal, Transcribed, Transcriber, Window};
use callqa_worker::app::Equipment;

use crate::inputs::{LINES, NAMES, NUMBERS};

fn script() -> Script {
    Script::of(LINES).and(Line::Panics).and(Line::Fails)
}

pub fn equipment() -> Equipment {
    let script = Arc::new(script());
    let rulebook = include_str!("../../../../deploy/rulebooks/service-baseline.toml");
    let words =
        [("您好", Label::Greeting), ("没解决", Label::SaysUnresolved), ("投诉", Label::ThreatensEscalation)];
    Equipment {
        kits: Box::new(move || {
            let kit = scripted::kit(&script, Keywords::of(&words));
            Ok(Kit { transcriber: Box::new(Talkative(kit.transcriber)), ..kit })
        }),
        models: scripted::ids().into(),
        rulebook: Arc::new(Rulebook::parse(rulebook).expect("a rulebook")),
    }
}

/// Where the script panics, it panics with what it heard.
struct Talkative(Box<dyn Transcriber>);

impl Transcriber for Talkative {
    fn transcribe(
        &mut self,
        windows: &[(&Window, Language)],
        stop: &StopSignal,
    ) -> Result<Vec<Transcribed>, ModelError> {
        let heard = std::panic::AssertUnwindSafe(|| self.0.transcribe(windows, stop));
        std::panic::catch_unwind(heard)
            .unwrap_or_else(|_| panic!("while hearing {} say {}", NAMES[0], NUMBERS[0]))
    }

    fn detect_language(&mut self, window: &Window, stop: &StopSignal) -> Result<Language, ModelError> {
        self.0.detect_language(window, stop)
    }
}
