"""The comparison as a table and as a plot."""
import statistics

import score

# Fewer rounds are a look, not a measurement: they are not written down.
ROUNDS = 5
# Everything is compared with PEER, so it is always measured.
OURS, PEER = "callqa", "faster-whisper batched"
PEERS = (PEER, "faster-whisper plain", "whisper.cpp")
BAR, GAP, LEFT, WIDTH = 26, 14, 190, 640


def median(runs, of):
    return statistics.median(of(run) for run in runs)


def ratio(runs):
    """The median of the rounds' ratios: both systems of a round met the same machine."""
    return statistics.median(a.cpu / b.cpu for a, b in zip(runs[OURS], runs[PEER]))


def table(runs, once, scores, timed, missing):
    sentences, disagreement = scores
    lines = ["# Transcription against its peers", "", *_conditions(runs, timed, missing), ""]
    lines += [
        "| system | CPU-s (least–most) | channel-seconds per CPU-s | wall s | peak MiB | CPU against batched | synthetic calls, once: CPU-s |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, found in runs.items():
        cpu, spread = median(found, lambda r: r.cpu), sorted(r.cpu for r in found)
        against = statistics.median(a.cpu / b.cpu for a, b in zip(found, runs[PEER]))
        synthetic = f"{once[name].cpu:.1f}" if once else "–"
        lines.append(
            f"| {name} | {cpu:.1f} ({spread[0]:.1f}–{spread[-1]:.1f}) | {found[0].audio / cpu:.1f} |"
            f" {median(found, lambda r: r.wall):.1f} | {median(found, lambda r: r.peak_mib):.0f} | {against:.2f} | {synthetic} |"
        )
    lines += ["", f"Of callqa's time {median(runs[OURS], lambda r: r.vad):.1f} s are its speech detector's.", ""]
    lines += _errors(runs, sentences)
    if disagreement:
        lines += ["", "## Word disagreement on the real call, which nobody wrote down", ""]
        lines += ["| | | differing words |", "|---|---|---|"]
        lines += [f"| {a} | {b} | {share:.1%} |" for (a, b), share in sorted(disagreement.items())]
    return "\n".join(lines)


def _conditions(runs, timed, missing):
    yield (
        f"Made by `tests/load/bench`: {len(runs[OURS])} rounds, each system in turn, Whisper base, one thread, greedy, the language"
        f" told; medians. Everything counts that happens after the models are open: reading the files, and speech detection on both"
        f" sides (whisper.cpp's own pass has none). {runs[OURS][0].audio:.0f} s of channels."
    )
    yield ""
    yield f"Timed: {', '.join(r.name for r in timed)} ({timed[0].kind}). {missing}".rstrip()


def _errors(runs, sentences):
    groups = [
        ("WER, English, real and synthetic", lambda s: s.language == "en"),
        ("WER, English, real (demo_agent)", lambda s: s.language == "en" and s.kind == "real"),
        ("CER, Mandarin, real and synthetic", lambda s: s.language == "zh"),
        ("CER, Mandarin, real (read clips)", lambda s: s.language == "zh" and s.kind == "real"),
    ]
    groups = [(name, [s for s in sentences if of(s)]) for name, of in groups]
    groups = [(name, found) for name, found in groups if found]
    yield "| error rate | scored | " + " | ".join(runs) + " |"
    yield "|---" * (2 + len(runs)) + "|"
    for name, found in groups:
        rates = " | ".join(f"{score.rate(found, system):.1%}" for system in runs)
        yield f"| {name} | {sum(s.length for s in found)} | {rates} |"
    yield ""
    yield "| callqa less a peer, 95 % interval of a paired bootstrap over sentences | " + " | ".join(n for n in runs if n != OURS) + " |"
    yield "|---" * len(runs) + "|"
    for name, found in groups:
        peers = (score.difference(found, OURS, peer) for peer in runs if peer != OURS)
        yield f"| {name} | " + " | ".join(f"{d:+.1%} ({low:+.1%} to {high:+.1%})" for d, low, high in peers) + " |"


def threads(measured):
    lines = ["| peer | threads | CPU-s | wall s |", "|---|---|---|---|"]
    for name, found in measured.items():
        lines += [f"| {name} | {n} | {run.cpu:.1f} | {run.wall:.1f} |" for n, run in found.items()]
    return "\n".join(lines)


def plot(runs):
    """Horizontal bars of CPU-seconds a minute of channel, each round a tick."""
    rates = {name: [60 * r.cpu / r.audio for r in found] for name, found in runs.items()}
    most = max(max(found) for found in rates.values())
    place = lambda value: LEFT + value / most * (WIDTH - LEFT - 70)
    height = 50 + len(rates) * (BAR + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        '<text x="10" y="22">CPU-seconds a minute of channel, Whisper base, one thread (median; ticks: rounds)</text>',
    ]
    for i, (name, found) in enumerate(rates.items()):
        y, middle = 38 + i * (BAR + GAP), statistics.median(found)
        colour = "#1f6f5c" if name == OURS else "#b9b9b9"
        parts.append(f'<text x="10" y="{y + 18}">{name}</text>')
        parts.append(f'<rect x="{LEFT}" y="{y}" width="{place(middle) - LEFT:.1f}" height="{BAR}" fill="{colour}"/>')
        parts += [f'<path d="M{place(v):.1f} {y}v{BAR}" stroke="black"/>' for v in found]
        parts.append(f'<text x="{place(max(found)) + 8:.1f}" y="{y + 18}">{middle:.2f}</text>')
    return "\n".join([*parts, "</svg>", ""])
