//! Reading of rulebooks: whatever the text, the answer is a rulebook or a letter about its mistakes.
#![no_main]

use callqa_domain::Rulebook;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Rulebook::parse(text) {
        Ok(rulebook) => {
            assert_eq!(Rulebook::parse(text).expect("as before").digest(), rulebook.digest());
        }
        Err(errors) => assert!(!errors.to_string().is_empty()),
    }
});
