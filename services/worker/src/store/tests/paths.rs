//! Paths that an event may name to have a file read that is no recording: none gets out of the roots.

use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use super::*;

/// `inside/` is the root; the secret and the like lie beside it.
fn folders() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    for name in ["inside", "inside/deep", "inside/%2e%2e", "inside/...", "outside", "inside-too", "INSIDE"] {
        std::fs::create_dir(at(name)).expect("made");
    }
    for name in ["inside/call.wav", "inside/two words.wav", "inside/录音.wav", "inside/%2e%2e/named.wav"] {
        std::fs::write(at(name), [7; 10]).expect("written");
    }
    for name in ["outside/secret.wav", "inside-too/secret.wav", "secret.wav", "INSIDE/secret.wav"] {
        std::fs::write(at(name), "secret").expect("written");
    }
    symlink(at("outside/secret.wav"), at("inside/leaves.wav")).expect("linked");
    symlink("../outside/secret.wav", at("inside/leaves-too.wav")).expect("linked");
    symlink(at("outside"), at("inside/door")).expect("linked");
    symlink("call.wav", at("inside/stays.wav")).expect("linked");
    symlink("deep", at("inside/hall")).expect("linked");
    symlink(at("inside/nowhere.wav"), at("inside/dangles.wav")).expect("linked");
    symlink("loop.wav", at("inside/loop.wav")).expect("linked");
    symlink("/proc/self/environ", at("inside/environ.wav")).expect("linked");
    symlink("/proc/self/cwd", at("inside/cwd")).expect("linked");
    symlink("inside", at("by-link")).expect("linked");
    let pipe = Command::new("mkfifo").arg(at("inside/pipe.wav")).status().expect("mkfifo");
    assert!(pipe.success());
    folder
}

/// `HERE` is the folder that the root `inside` lies in.
const PATHS: &[(&str, Result<u64, &str>)] = &[
    // What may be read.
    ("file://HERE/inside/call.wav", Ok(10)),
    ("file://localhostHERE/inside/call.wav", Ok(10)),
    ("FILE://HERE/inside/call.wav", Ok(10)),
    ("file:HERE/inside/call.wav", Ok(10)),
    ("file://HERE/inside/two%20words.wav", Ok(10)),
    ("file://HERE/inside/%E5%BD%95%E9%9F%B3.wav", Ok(10)),
    ("file://HERE/inside//call.wav", Ok(10)),
    ("file://HERE/inside/%252e%252e/named.wav", Ok(10)),
    // Beside the root.
    ("file://HERE/secret.wav", Err("OutsideRoots")),
    ("file://HERE/outside/secret.wav", Err("OutsideRoots")),
    ("file://HERE/inside-too/secret.wav", Err("OutsideRoots")),
    ("file://HERE/INSIDE/secret.wav", Err("OutsideRoots")),
    ("file://HERE/by-link/call.wav", Err("OutsideRoots")),
    ("file:///etc/hostname", Err("OutsideRoots")),
    ("file:///etc/shadow", Err("OutsideRoots")),
    ("file:///proc/self/environ", Err("OutsideRoots")),
    ("file:///proc/self/root/etc/hostname", Err("OutsideRoots")),
    ("file:///proc/self/cwd/Cargo.toml", Err("OutsideRoots")),
    ("file:///proc/self/fd/0", Err("OutsideRoots")),
    ("file:///dev/stdin", Err("OutsideRoots")),
    ("file:///dev/zero", Err("OutsideRoots")),
    // Up, in every spelling.
    ("file://HERE/inside/../secret.wav", Err("BadPath")),
    ("file://HERE/inside/../outside/secret.wav", Err("BadPath")),
    ("file://HERE/inside/deep/../../secret.wav", Err("BadPath")),
    ("file://HERE/inside/deep/../call.wav", Err("BadPath")),
    ("file://HERE/inside/./call.wav", Err("BadPath")),
    ("file://HERE/inside/%2e%2e/secret.wav", Err("BadPath")),
    ("file://HERE/inside/%2E%2E/secret.wav", Err("BadPath")),
    ("file://HERE/inside/.%2e/secret.wav", Err("BadPath")),
    ("file://HERE/inside/%2e./secret.wav", Err("BadPath")),
    ("file://HERE/inside/..%2fsecret.wav", Err("BadPath")),
    ("file://HERE/inside/..%2Fsecret.wav", Err("BadPath")),
    ("file://HERE/inside%2f..%2fsecret.wav", Err("BadPath")),
    ("file://HERE/inside/..\\secret.wav", Err("BadPath")),
    ("file://HERE/inside/..%5csecret.wav", Err("BadPath")),
    ("file:\\\\HERE\\inside\\call.wav", Err("NotAUri")),
    ("file://HERE/inside/%252e%252e/secret.wav", Err("Missing")),
    ("file://HERE/inside/%c0%ae%c0%ae/secret.wav", Err("Missing")),
    ("file://HERE/inside/．．/secret.wav", Err("Missing")),
    ("file://HERE/inside/․․/secret.wav", Err("Missing")),
    ("file://HERE/inside/.../secret.wav", Err("Missing")),
    ("file://HERE/inside/..;/secret.wav", Err("Missing")),
    ("file://HERE/inside/~root/secret.wav", Err("Missing")),
    ("file://HERE/inside/$HOME/secret.wav", Err("Missing")),
    ("file://HERE/inside/call.wav/../../secret.wav", Err("BadPath")),
    // Links, in and out.
    ("file://HERE/inside/leaves.wav", Err("Link")),
    ("file://HERE/inside/leaves-too.wav", Err("Link")),
    ("file://HERE/inside/stays.wav", Err("Link")),
    ("file://HERE/inside/dangles.wav", Err("Link")),
    ("file://HERE/inside/loop.wav", Err("Link")),
    ("file://HERE/inside/environ.wav", Err("Link")),
    ("file://HERE/inside/door/secret.wav", Err("Link")),
    ("file://HERE/inside/hall/call.wav", Err("Link")),
    ("file://HERE/inside/cwd/Cargo.toml", Err("Link")),
    // No file.
    ("file://HERE/inside", Err("NotAFile")),
    ("file://HERE/inside/", Err("NotAFile")),
    ("file://HERE/inside/deep", Err("NotAFile")),
    ("file://HERE/inside/pipe.wav", Err("NotAFile")),
    ("file://HERE/inside/socket.wav", Err("NotAFile")),
    ("file://HERE/inside/call.wav/", Err("NotAFile")),
    ("file://HERE/inside/call.wav/more", Err("Missing")),
    ("file://HERE/inside/CALL.WAV", Err("Missing")),
    ("file://HERE/inside/nowhere.wav", Err("Missing")),
    // What no path can hold, and what is no path.
    ("file://HERE/inside/call.wav%00.txt", Err("BadPath")),
    ("file://HERE/inside/call.wav%0a", Err("BadPath")),
    ("file://HERE/inside/call.wav?x", Err("BadPath")),
    ("file://HERE/inside/call.wav#x", Err("BadPath")),
    ("file://HERE/inside/LONG.wav", Err("BadPath")),
    ("file://fileserverHERE/inside/call.wav", Err("NotAUri")),
    ("file://127.0.0.1HERE/inside/call.wav", Err("NotAUri")),
    ("file:inside/call.wav", Err("NotAUri")),
    ("file:../inside/call.wav", Err("NotAUri")),
    ("file://", Err("NotAUri")),
    ("file:///", Err("NotAFile")),
    ("HERE/inside/call.wav", Err("NotAUri")),
];

fn open_root(root: &Path) -> Store {
    let mut config = config(&[]);
    config.file_roots = vec![root.to_owned()];
    open(&config)
}

async fn fetch_below(store: &Store, folder: &Path, uri: &str) -> Result<u64, String> {
    let here = folder.to_str().expect("text");
    let wanted = wanted(uri.replace("HERE", here).replace("LONG", &"x".repeat(256)));
    let fetched = store.fetch(&wanted).await;
    fetched.map(|fetched| fetched.recording.bytes()).map_err(|error| format!("{error:?}"))
}

#[tokio::test]
async fn no_path_leaves_the_roots() {
    assert!(PATHS.len() >= 40);
    let folder = folders();
    let _socket = UnixListener::bind(folder.path().join("inside/socket.wav")).expect("a socket");
    let root = open_root(&folder.path().join("inside"));
    let mut wrong = Vec::new();
    for (uri, expect) in PATHS {
        let outcome = fetch_below(&root, folder.path(), uri).await;
        let outcome = outcome.map_err(|error| error.split(['(', ' ']).next().unwrap_or_default().to_owned());
        if outcome.as_ref().map_err(String::as_str) != expect.as_ref().map_err(|kind| *kind) {
            wrong.push(format!("{uri}: {outcome:?}, not {expect:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How the operator names a root is the operator's: through a link, a path below it is below it.
#[tokio::test]
async fn a_root_may_be_named_through_a_link() {
    let folder = folders();
    let root = open_root(&folder.path().join("by-link"));
    for uri in ["file://HERE/by-link/call.wav", "file://HERE/inside/call.wav"] {
        check(fetch_below(&root, folder.path(), uri).await, Ok(10));
    }
    check(fetch_below(&root, folder.path(), "file://HERE/by-link/door/secret.wav").await, Err("Link"));
}

/// A folder that turns into a link while recordings are fetched from below it never leads out.
#[test]
fn a_folder_that_turns_into_a_link_meanwhile() {
    let folder = folders();
    let roots = FileRoots::open(&[folder.path().join("inside")]).expect("there");
    let door = folder.path().join("inside/turns");
    let secret = door.join("secret.wav");
    let outside = folder.path().join("outside");
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_done = Arc::clone(&done);
    let turner = std::thread::spawn(move || {
        while !is_done.load(std::sync::atomic::Ordering::SeqCst) {
            std::fs::create_dir(&door).expect("made");
            std::fs::write(door.join("secret.wav"), [7; 10]).expect("written");
            std::fs::remove_dir_all(&door).expect("removed");
            symlink(&outside, &door).expect("linked");
            std::fs::remove_file(&door).expect("removed");
        }
    });
    // Until it met the folder both ways: as a folder and as a link.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    let (mut copies, mut read, mut links) = (0, 0, 0);
    while copies < 5_000 || read == 0 || links == 0 {
        assert!(std::time::Instant::now() < deadline, "{copies} copies, {read} read, {links} links");
        copies += 1;
        std::thread::yield_now();
        match roots.copy(&secret, LIMIT, folder.path(), Duration::MAX) {
            // Ten bytes are the root's own; the secret has six. An empty one was caught before it was written.
            Ok(copied) => {
                assert!(matches!(copied.bytes(), 10 | 0), "the secret was read");
                read += 1;
            }
            Err(StoreError::Link) => links += 1,
            Err(StoreError::Missing) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    done.store(true, std::sync::atomic::Ordering::SeqCst);
    turner.join().expect("turned to the end");
    println!(
        "{copies} copies below a turning folder: {read} read the root's own file, {links} met a link, none read the secret"
    );
}

#[tokio::test]
async fn a_byte_too_many() {
    let folder = folders();
    let roots = FileRoots::open(&[folder.path().join("inside")]).expect("there");
    let path = folder.path().join("inside/call.wav");
    let error = roots.copy(&path, ByteSize(9), folder.path(), Duration::MAX).expect_err("ten");
    assert_eq!(error.to_string(), "recording is 10 bytes, more than the 9 bytes allowed");
}

/// Nobody waits for it any more, and it holds a share of the byte budget.
#[test]
fn a_copy_that_takes_too_long_is_given_up() {
    let folder = folders();
    let roots = FileRoots::open(&[folder.path().join("inside")]).expect("there");
    let path = folder.path().join("inside/call.wav");
    let error = roots.copy(&path, LIMIT, folder.path(), Duration::ZERO).expect_err("no time");
    assert!(matches!(error, StoreError::TooSlow(_)), "{error:?}");
}

/// The one thread that copies is taken: the copy begins when nobody waits for it any more.
#[test]
fn a_copy_holds_its_share_of_the_byte_budget_until_it_ends() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
    runtime.expect("a runtime").block_on(async {
        let folder = folders();
        let root = folder.path().join("inside");
        let recording = wanted(format!("file://{}/call.wav", root.display()));
        let fetch_timeout = Duration::from_millis(50);
        let store = open(&config::Store { file_roots: vec![root], fetch_timeout, ..config(&[]) });
        let (release, until_released) = std::sync::mpsc::channel::<()>();
        let taken = tokio::task::spawn_blocking(move || until_released.recv().is_ok());
        let all = store.budget.available_permits();
        let error = store.fetch(&recording).await.expect_err("no thread");
        assert!(matches!(error, StoreError::TooSlow(_)), "{error:?}");
        assert!(store.budget.available_permits() < all, "a copy is still to come");

        drop(release);
        taken.await.expect("released");
        tokio::task::spawn_blocking(|| ()).await.expect("its turn comes after the copy");
        assert_eq!(store.budget.available_permits(), all);
    });
}

/// Each folder may be a disk of its own: one that fails says nothing of the others.
#[tokio::test]
async fn a_recording_comes_from_the_folder_that_it_lies_under() {
    let folder = folders();
    let roots = [folder.path().join("inside"), folder.path().join("outside")];
    let store = open(&config::Store { file_roots: roots.to_vec(), ..config(&[]) });
    let origin = |path: &str| store.origin(&wanted(format!("file://{}/{path}", folder.path().display())));
    assert_eq!(origin("inside/a.wav"), origin("inside/b/c.wav"));
    assert!(origin("inside/a.wav").is_some() && origin("inside/a.wav") != origin("outside/a.wav"));
    assert_eq!(origin("elsewhere/a.wav"), None);
}

/// A share that is not mounted any more. Where its mount point is left, nothing tells it from an empty share.
#[tokio::test]
async fn a_root_that_is_gone_is_no_missing_recording() {
    let folder = folders();
    let root = folder.path().join("inside");
    let store = open_root(&root);
    let uri = "file://HERE/inside/call.wav";
    std::fs::remove_dir_all(&root).expect("removed");
    check(fetch_below(&store, folder.path(), uri).await, Err("FolderGone"));
    std::fs::write(&root, "no folder").expect("written");
    check(fetch_below(&store, folder.path(), uri).await, Err("FolderGone"));
    std::fs::remove_file(&root).expect("removed");
    std::fs::create_dir(&root).expect("made");
    check(fetch_below(&store, folder.path(), uri).await, Err("Missing"));
}

#[test]
fn a_root_that_is_not_there_is_named() {
    let (root, _) = FileRoots::open(&["/nowhere/at/all".into()]).expect_err("missing");
    assert_eq!(root, Path::new("/nowhere/at/all"));
}
