"""The labels and the back-channel words, read from the Rust sources that define them."""
import re
from pathlib import Path

DOMAIN = Path(__file__).resolve().parents[3] / "services" / "domain" / "src"
TASKS = ("politeness", "resolution", "script")
# What a joined utterance is, where its parts differ: the most marked of them.
MARKED = ("neutral", "courteous", "dismissive", "rude")


def _labels():
    rows = re.findall(r'= "(\w+)" in (\w+) by (\w+)', (DOMAIN / "label.rs").read_text("utf-8"))
    return [(name, task.lower(), speaker.lower()) for name, task, speaker in rows]


def _back_channels():
    block = re.search(r"BACK_CHANNELS: &\[&str\] = &\[(.*?)\];", (DOMAIN / "turn.rs").read_text("utf-8"), re.DOTALL)
    return frozenset(re.findall(r'"([^"]+)"', block.group(1)))


LABELS = _labels()
BACK_CHANNELS = _back_channels()


def labels_of(task):
    """The task's labels, in the order of its head's output."""
    return [name for name, of, _ in LABELS if of == task]


def speaker_of(label):
    return next(speaker for name, _, speaker in LABELS if name == label)


def is_back_channel(text):
    """As `is_back_channel` in services/domain/src/turn.rs."""
    words = "".join(c.lower() if c.isascii() else c for c in (c if c.isalnum() else " " for c in text))
    words = rest = " ".join(words.split())
    while rest:
        begun = [said for said in BACK_CHANNELS if rest.startswith(said)
                 and (not said.isascii() or rest[len(said):][:1] in ("", " "))]
        if not begun:
            return False
        rest = rest[len(max(begun, key=len)):].lstrip()
    return bool(words)
