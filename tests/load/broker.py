"""A broker and workers as processes of ours, for load."""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import peers

TOP = Path(__file__).resolve().parents[2]
READY_WITHIN = 90
SEED = 7
# Between two looks at a worker's metrics: the times are good to this.
LOOK = 0.05


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _newest():
    """The development broker that deploy/prepare brought last."""
    found = sorted((peers.CACHE / "broker").glob("*/tansu"), key=lambda path: path.stat().st_mtime)
    return str(found[-1]) if found else None


class Broker:
    """The development broker with callqa's topics, gone when it is left."""

    def __enter__(self):
        tansu = os.environ.get("CALLQA_TANSU") or _newest()
        if not tansu:
            sys.exit("tests/load/pipeline: there is no broker; `deploy/prepare broker` brings it")
        self.address = f"127.0.0.1:{_free_port()}"
        url = f"tcp://{self.address}"
        command = [tansu, "broker", "--listener-url", url, "--advertised-listener-url", url, "--storage-engine", "memory://tansu/"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.run("topics", "create")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def run(self, *arguments):
        callqa = Path(os.environ.get("CALLQA_BIN", peers.CACHE / "bin")) / "callqa"
        environment = os.environ | {"CALLQA_BROKERS": self.address}
        return subprocess.run([callqa, *map(str, arguments)], env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


    def publish(self, calls):
        """Publishes a folder and stays until every call has ended."""
        self.run("publish", calls, "--wait", "--summary", calls.with_suffix(".jsonl"))


class Worker:
    def __init__(self, broker, root, analysts):
        self.http = f"127.0.0.1:{_free_port()}"
        environment = os.environ | {
            "CALLQA_KAFKA__BROKERS": broker.address, "CALLQA_KAFKA__SESSION_TIMEOUT": "6s",
            "CALLQA_STORE__FILE_ROOTS": json.dumps([str(root)]), "CALLQA_HTTP__LISTEN": self.http,
            "CALLQA_ANALYSTS__COUNT": str(analysts),
            # The group evens out partitions, whatever their topic: of two topics, each of two workers may get one.
            "CALLQA_KAFKA__TOPICS__CALLS": json.dumps(["qa.calls.recorded.v1"]),
        }
        worker = Path(os.environ.get("CALLQA_BIN", peers.CACHE / "bin")) / "callqa-worker"
        self.process = subprocess.Popen(
            [worker, "--config", "deploy/worker.toml"], cwd=TOP, env=environment, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + READY_WITHIN
        while not self._ready():
            if time.monotonic() > until or self.process.poll() is not None:
                sys.exit("tests/load/pipeline: a worker did not become ready")
            time.sleep(0.2)

    def _ready(self):
        try:
            return urllib.request.urlopen(f"http://{self.http}/ready", timeout=2).status == 200
        except OSError:
            return False

    def metric(self, name):
        text = urllib.request.urlopen(f"http://{self.http}/metrics", timeout=5).read().decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def resident_mib(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


    def ended(self):
        return int(self.metric("callqa_calls_total"))


def paced(broker, worker, source, folder, count, every, name):
    """Publishes copies of a call at random moments, `every` seconds on average; from publish to end of each.

    One worker with one analyst ends calls in the order in which they came."""
    dice, sent, waits, before = random.Random(SEED), [], [], worker.ended()
    due = time.monotonic()
    while len(waits) < count:
        if len(sent) < count and time.monotonic() >= due:
            path = folder / f"{name}-{len(sent)}{source.suffix}"
            shutil.copyfile(source, path)
            sent.append(time.monotonic())
            broker.run("publish", path)
            due += dice.expovariate(1 / every)
        now = worker.ended() - before
        waits += [time.monotonic() - sent[i] for i in range(len(waits), min(now, len(sent)))]
        time.sleep(LOOK)
    return waits
