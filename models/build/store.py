"""The folder of model files: what is in it, what was checked, and how a file gets in.

A file is hashed when it arrives and then remembered by size and time of change, so that a later
run need not read it again.
"""
import json
import os
import shutil

from manifest import sha256_of

CHECKED = ".checked.json"
PARTIAL = ".partial"


class WrongHash(Exception):
    """A file is not the one that the manifest pins; the message shows both."""


class Store:
    def __init__(self, folder, checkout):
        self.folder, self.checkout = folder, checkout
        self.partial = folder / PARTIAL
        try:
            self.checked = json.loads((folder / CHECKED).read_text())
        except (OSError, ValueError):
            self.checked = {}  # lost or spoilt: every file is hashed again

    def path(self, file):
        return (self.checkout if file.in_tree else self.folder) / file.path

    def draft(self, file):
        """Where to build a file before it takes its place; on the same disk, so that a rename does."""
        self.partial.mkdir(parents=True, exist_ok=True)
        return self.partial / file.path.replace("/", "-")

    def holds(self, file, rehash):
        """Whether the file is there and right. Raises WrongHash where it is there and wrong, but
        not where we put it ourselves for an earlier manifest: then it is only out of date."""
        path = self.path(file)
        if not path.is_file():
            return False
        size = path.stat().st_size
        known = None if rehash or file.in_tree else self._remembered(file)
        found = known or sha256_of(path)
        if (size, found) == (file.bytes, file.sha256):
            self._remember(file, found)
            return True
        if known:
            print(f"{file}: the manifest pins another version by now")
            return False
        raise WrongHash(_both(path, file, size, found))

    def admit(self, file, draft):
        """Checks a finished draft and renames it into place. A wrong one is removed."""
        size, found = draft.stat().st_size, sha256_of(draft)
        if (size, found) != (file.bytes, file.sha256):
            draft.unlink()
            raise WrongHash(_both(self.path(file), file, size, found))
        path = self.path(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(draft, "rb") as written:
            os.fsync(written.fileno())
        draft.replace(path)
        self._remember(file, found)

    def forget_partial_work(self):
        shutil.rmtree(self.partial, ignore_errors=True)

    def _remembered(self, file):
        entry, stat = self.checked.get(file.path, {}), self.path(file).stat()
        same = (entry.get("bytes"), entry.get("changed_ns")) == (stat.st_size, stat.st_mtime_ns)
        return entry["sha256"] if same else None

    def _remember(self, file, sha256):
        stat = self.path(file).stat()
        entry = {"bytes": stat.st_size, "changed_ns": stat.st_mtime_ns, "sha256": sha256}
        if file.in_tree or self.checked.get(file.path) == entry:
            return
        self.checked[file.path] = entry
        draft = self.folder / f"{CHECKED}.new"
        draft.write_text(json.dumps(self.checked, indent=1, sort_keys=True))
        draft.replace(self.folder / CHECKED)


def _both(path, file, size, found):
    return (
        f"{path.name} is not the file that the manifest pins\n"
        f"  wanted {file.sha256}, {file.bytes} bytes\n"
        f"  found  {found}, {size} bytes"
    )
