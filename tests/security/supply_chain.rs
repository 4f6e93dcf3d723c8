//! The bill of materials names what the programs are made of.

use std::path::Path;
use std::process::Command;

use callqa_tests::top;
use serde_json::Value;

fn components(bill: &Path) -> Vec<Value> {
    let bill: Value = serde_json::from_slice(&std::fs::read(bill).unwrap()).unwrap();
    assert_eq!((bill["bomFormat"].as_str(), bill["specVersion"].as_str()), (Some("CycloneDX"), Some("1.5")));
    bill["components"].as_array().unwrap().clone()
}

#[test]
fn the_bill_of_materials_has_every_crate_and_model() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new(top().join("deploy/sbom")).arg(folder.path()).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let manifest: toml::Table =
        std::fs::read_to_string(top().join("models/manifest.toml")).unwrap().parse().unwrap();
    for program in ["callqa-worker", "callqa"] {
        let components = components(&folder.path().join(format!("{program}.cdx.json")));
        let named = |name: &str| components.iter().find(|it| it["name"] == name);
        for crate_name in ["rdkafka", "whisper-rs", "ort", "symphonia", "tokenizers"] {
            let found = named(crate_name).unwrap_or_else(|| panic!("{program} lacks {crate_name}"));
            assert!(found["purl"].as_str().is_some_and(|purl| purl.starts_with("pkg:cargo/")), "{found}");
            assert!(found["licenses"].is_array() && found["hashes"].is_array(), "{found}");
        }
        for file in manifest["file"].as_array().unwrap() {
            let found = named(file["name"].as_str().unwrap()).expect("a model");
            assert_eq!(found["hashes"][0]["content"].as_str(), file["sha256"].as_str());
        }
        println!("{program}: {} components", components.len());
    }
}
