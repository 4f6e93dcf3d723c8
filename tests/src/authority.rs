//! TLS in front of a broker: an authority of our own, and stunnel with its certificates.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::process::Owned;

/// Whether everything is here that TLS needs; says that a test is skipped where it is not.
#[must_use]
pub fn tls_is_here() -> bool {
    let missing = ["openssl", "stunnel"].into_iter().find(|program| !is_there(program));
    if let Some(missing) = missing {
        eprintln!("SKIPPED: there is no {missing} here (on Debian: apt-get install openssl stunnel4)");
    }
    missing.is_none()
}

/// An authority of our own, with certificates for the broker.
#[derive(Debug)]
pub struct Authority {
    folder: tempfile::TempDir,
}

impl Authority {
    /// Makes one, for two days.
    ///
    /// # Panics
    /// Where openssl does not.
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        let authority = Self { folder: tempfile::tempdir().unwrap() };
        authority.openssl(
            "req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=callqa-tests",
        );
        authority
    }

    /// Where a file of it lies; its own certificate is `ca.pem`.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn openssl(&self, arguments: &str) {
        let mut openssl = Command::new("openssl");
        let output = openssl.args(arguments.split(' ')).current_dir(self.folder.path()).output().unwrap();
        assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Issues a certificate for this subject, valid for so many days from now.
    ///
    /// # Panics
    /// Where openssl does not.
    pub fn issue(&self, name: &str, subject: &str, days: i32) {
        self.openssl(&format!(
            "req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN=broker"
        ));
        std::fs::write(self.path("names"), format!("subjectAltName={subject}")).unwrap();
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days {days} -extfile names -out {name}.pem"
        ));
    }

    /// Starts stunnel with a certificate; it listens at `accept` and speaks plainly to `connect`.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn tunnel(&self, name: &str, accept: &str, connect: &str) -> Owned {
        let (cert, key) = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        let (cert, key, file) = (cert.display(), key.display(), self.path(&format!("{name}.conf")));
        let settings = format!(
            "foreground = yes\npid =\n[kafka]\naccept = {accept}\nconnect = {connect}\ncert = {cert}\nkey = {key}\n"
        );
        std::fs::write(&file, settings).unwrap();
        let mut stunnel = Command::new("stunnel");
        Owned(stunnel.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

fn is_there(program: &str) -> bool {
    let found =
        Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}
