//! The container's promise, without a container engine: the worker runs as user 65532, without any capability, on a
//! root that nobody can write to, with `/tmp` alone to write in.

use std::process::Command;
use std::time::Duration;

use callqa_tests::{Broker, publish, read_all, top, wait_for};

use crate::guest::{Guest, event, models, program, settings, silence};

const ENDED_WITHIN: Duration = Duration::from_secs(120);
/// The image's user.
const USER: &str = "65532";

/// A box with the layout of the image: programs, models and settings at their places, nothing of this machine but its
/// libraries, and the calls.
fn boxed(calls: &str, has_tmp: bool, run: &[&str]) -> Command {
    let top = top().canonicalize().unwrap();
    let models_of_project = top.join("models");
    let settings = top.join("deploy");
    let programs = program("callqa-worker").parent().unwrap().to_owned();
    let mut command = Command::new("bwrap");
    command.args(["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session"]);
    command.args([
        "--ro-bind",
        "/usr",
        "/usr",
        "--symlink",
        "usr/bin",
        "/bin",
        "--symlink",
        "usr/lib",
        "/lib",
    ]);
    command.args(["--symlink", "usr/lib64", "/lib64"]);
    // Folders that are made on the way would be root's alone.
    for folder in ["/opt", "/etc", "/srv", "/srv/callqa", "/var", "/var/lib", "/var/lib/callqa"] {
        command.args(["--perms", "0755", "--dir", folder]);
    }
    command.args(["--ro-bind-try", "/etc/ssl", "/etc/ssl"]);
    command.args(["--proc", "/proc", "--dev", "/dev"]);
    for (from, to) in [
        (programs.as_path(), "/opt/callqa"),
        (models().as_path(), "/var/lib/callqa/models"),
        (models_of_project.as_path(), "/srv/callqa/models"),
        (settings.as_path(), "/etc/callqa"),
        (calls.as_ref(), "/calls"),
    ] {
        command.arg("--ro-bind").arg(from).arg(to);
    }
    if has_tmp {
        command.args(["--perms", "1777", "--tmpfs", "/tmp"]);
    } else {
        command.args(["--perms", "1777", "--dir", "/tmp"]);
    }
    command.args(["--remount-ro", "/", "--chdir", "/", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin"]);
    for (name, value) in [
        ("CALLQA_MODELS", "/var/lib/callqa/models"),
        ("CALLQA_MODELS__MANIFEST", "/srv/callqa/models/manifest.toml"),
        ("CALLQA_MODELS__HEADS", "/srv/callqa/models/heads"),
        ("CALLQA_RULEBOOK__FILE", "/etc/callqa/rulebooks/service-baseline.toml"),
    ] {
        command.args(["--setenv", name, value]);
    }
    command.arg("--").args(run);
    command
}

/// The command line that runs something as the image's user. Root gives everything up; others can't, and get the
/// number in a user namespace.
fn as_user(calls: &str, has_tmp: bool, settings: &[(&str, String)], run: &[&str]) -> Command {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    let mut inside: Vec<String> = Vec::new();
    if is_root {
        let all = ["setpriv", "--reuid", USER, "--regid", USER, "--clear-groups", "--inh-caps=-all"];
        inside.extend(all.map(str::to_owned));
        inside.extend(["--bounding-set=-all", "--no-new-privs"].map(str::to_owned));
    }
    inside.push("env".to_owned());
    inside.extend(settings.iter().map(|(name, value)| format!("{name}={value}")));
    inside.extend(run.iter().map(|word| (*word).to_owned()));
    let inside: Vec<&str> = inside.iter().map(String::as_str).collect();
    let plain = boxed(calls, has_tmp, &inside);
    if is_root {
        return plain;
    }
    let mut command = Command::new("bwrap");
    command.args(["--unshare-user", "--uid", USER, "--gid", USER]).args(plain.get_args());
    command
}

/// Whether this machine lets us build such a box; says why not.
fn can_box(calls: &str) -> bool {
    let tried = as_user(calls, true, &[], &["true"]).output();
    let why = match tried {
        Ok(output) if output.status.success() => return true,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    eprintln!("SKIPPED: no box with a read-only root can be made here (package bubblewrap): {why}");
    false
}

/// The lines that a command prints.
fn said(mut command: Command) -> Vec<String> {
    let output = command.output().unwrap();
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

fn worker(calls: &str, has_tmp: bool, broker: &Broker) -> Guest {
    // The environment of the box is its own, so the settings are given inside.
    let (http, settings) = settings(broker.address(), "/calls");
    let run = ["/opt/callqa/callqa-worker", "--config", "/etc/callqa/worker.toml"];
    Guest::start(as_user(calls, has_tmp, &settings, &run), &http)
}

#[test]
fn the_worker_needs_no_root_and_writes_in_tmp_alone() {
    let calls = tempfile::tempdir().unwrap();
    let folder = calls.path().to_str().unwrap().to_owned();
    std::fs::set_permissions(calls.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::copy(top().join("tests/calls/13-en-hotel-dates.opus"), calls.path().join("call.opus")).unwrap();
    // More than is held in memory: it is spooled.
    std::fs::write(calls.path().join("large.wav"), silence(600)).unwrap();
    if !can_box(&folder) {
        return;
    }

    let write =
        "touch /x /opt/callqa/x /etc/callqa/x /calls/x /var/lib/callqa/models/x /usr/x 2>&1 | grep -c ";
    let as_root = format!("{write} 'Read-only file system'");
    assert_eq!(said(boxed(&folder, true, &["sh", "-c", &as_root])), ["6"], "not even root could write");
    let look = format!(
        "id -u; grep CapEff /proc/self/status | tr -d '\\t'; {write} 'cannot touch'; touch /tmp/x && echo writable"
    );
    let looked = said(as_user(&folder, true, &[], &["sh", "-c", &look]));
    assert_eq!(looked, ["65532", "CapEff:0000000000000000", "6", "writable"]);

    let broker = Broker::start();
    let mut without_tmp = worker(&folder, false, &broker);
    assert!(!without_tmp.end().success());
    let log = without_tmp.log();
    assert!(log.contains("store.spool: `/tmp` can't be used: Read-only file system"), "{log}");

    let worker = worker(&folder, true, &broker).ready();
    for (call_id, file) in [("call", "call.opus"), ("large", "large.wav")] {
        let event = event(call_id, &format!("file:///calls/{file}"));
        publish(broker.address(), "qa.calls.recorded.v1", call_id, &event, &[]);
    }
    let endings = wait_for(ENDED_WITHIN, || {
        let endings = read_all(broker.address(), "qa.results.v1");
        (endings.len() == 2).then_some(endings)
    });
    let endings = endings.unwrap_or_else(|| panic!("two endings; the worker's log:\n{}", worker.log()));
    let mut found: Vec<(&str, &str)> = endings
        .iter()
        .map(|row| (row.json["call_id"].as_str().unwrap(), row.json["ending"].as_str().unwrap()))
        .collect();
    found.sort_unstable();
    assert_eq!(found, [("call", "assessed"), ("large", "excluded")], "the worker's log:\n{}", worker.log());
}
