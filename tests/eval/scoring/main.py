"""Scores the classifiers by what `callqa classify` and `callqa judge` say. Started by tests/eval/classifiers."""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import external
import keywords
from dialogues import BY_AGENT, POLITENESS, RESOLUTION, SCRIPT, by_second_readers, by_writers, questions, read, transcripts
from measures import brier_skill, calibration_error, positive_calibration_error, precision_recall_f1

HERE = Path(__file__).resolve().parent.parent
CALLQA = Path(os.environ["CALLQA_BIN"]) / "callqa"
TASKS = {"politeness": POLITENESS, "resolution": RESOLUTION, "script": SCRIPT}
# Sets of dialogues that are drawn for an interval.
DRAWS = 400
SNIPPET = re.compile(r"-[hs]\d+$")
# A rule of these classes accuses the agent of something that a team lead would act on.
GRAVE = (
    "attitude.rude", "attitude.dismissive", "attitude.blame-shifting", "attitude.refuses-identification",
    "script.verify-identity", "script.escalate-after-three", "script.forbidden-phrases", "resolution.improper-promise",
)


def main(arguments):
    parser = argparse.ArgumentParser(prog="tests/eval/classifiers", description="How good the classifiers are.")
    parser.add_argument("--shared", type=Path, help="folder with the public sets: evaluation-only/ and train/")
    parser.add_argument("--out", type=Path, default=HERE / "classifiers.md", help="where the tables go")
    options = parser.parse_args(arguments)
    written = read(HERE / "data", "[ez][nh]-p.jsonl")
    heard = read(HERE / "data", "heard-*.jsonl")
    calls = read(HERE / "data", "[ez][nh]-q.jsonl")
    earlier, fresh = read(HERE / "data", "[ez][nh]-b[a-d].jsonl"), read(HERE / "data", "[ez][nh]-b[e-h].jsonl")
    report = [INTRODUCTION]
    clean, past, new = classified(written), classified(earlier), classified(fresh)
    said = classified(heard)
    everything = written + earlier + fresh
    report += [summary(written, clean, heard, said, earlier, past, fresh, new), lost(written, clean, heard, said),
               by_label(written, clean), kinds(written, clean), hard(everything, clean + past + new), outcomes(everything),
               verdicts([d for d in everything if d["outcome"]], calls), ordinary(calls)]
    if options.shared:
        report += external.sections(options.shared, run)
    else:
        report.append("## STC-3, JDDC, TyDiP\n\nNot measured: these public sets were not given (`--shared`).\n")
    report.append(speed(questions(calls)))
    page = "\n".join(report)
    options.out.write_text(page, "utf-8")
    print(page)
    return 0


INTRODUCTION = """# The classifiers on text by other hands

Made by `tests/eval/classifiers`; every figure comes from what `callqa classify` and `callqa judge` print. The dialogues of `tests/eval/data` were written for this test by other hands than the training text, who knew only the definitions; their labels are what two of three say: the writer, a blind second reader, and a blind third where the two differ. Nothing was trained or calibrated on them. Those of `p` (the first table's upper rows) and `q` (the ordinary calls) have measured several generations of models, and two choices followed a look at them (`data/README.md`); the earlier ones have measured one generation before, the fresh ones these models alone. They were written with the help of a language model, as the training text was: expect worse on real calls.
"""


def run(command, rows):
    """The lines that `callqa COMMAND` gives for JSON rows."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    done = subprocess.run([CALLQA, command, "/dev/stdin"], input=text, capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if len(lines) != len(rows):
        raise SystemExit(f"callqa {command} answered {len(lines)} of {len(rows)} lines: {done.stderr[-500:]}")
    return lines


def classified(dialogues):
    return run("classify", questions(dialogues))


def utterances(dialogues):
    return [u for d in dialogues for u in d["utterances"]]


def summary(written, clean, heard, heard_said, earlier, past, fresh, new):
    places = {u["place"] for u in utterances(heard)}
    same = [(u, said) for u, said in zip(utterances(written), clean) if u["place"] in places]
    readings = HERE / "data" / "readings"
    as_written = by_writers(utterances(written), readings)
    sets = {
        "all": (utterances(written), clean),
        "zh": pick(written, clean, lambda u: u["lang"] == "zh"),
        "en": pick(written, clean, lambda u: u["lang"] == "en"),
        "all, by the writers' own labels": (as_written, clean),
        "the second readers, by the writers' labels": (as_written, by_second_readers(as_written, readings)),
        "the heard ones, as written": ([u for u, _ in same], [said for _, said in same]),
        "the same, as whisper heard them": (utterances(heard), heard_said),
        "earlier": (utterances(earlier), past),
        "fresh": (utterances(fresh), new),
        "fresh, zh": pick(fresh, new, lambda u: u["lang"] == "zh"),
        "fresh, en": pick(fresh, new, lambda u: u["lang"] == "en"),
    }
    lines = ["## Summary\n", "Macro-F1 is the mean over the labels of a task, by what is `decided`. Keywords: "
             "`tests/eval/scoring/keywords.py`. Majority: always the most frequent label (of labels that may be many: none, whose F1 is 0). "
             "Heard: spoken by a synthetic voice, through a telephone line with noise, transcribed by whisper base (`models/training/hear`). "
             "Second readers: how well a careful reader finds what the writer meant, as a measure of what can be asked. "
             "Earlier: dialogues that have measured the models before these as well. Fresh: dialogues that these models are the first to be "
             "measured on. Labels that hardly occur in them make their macro-F1 unsteady.\n",
             "| text | n | politeness accuracy | keywords | majority | macro-F1 | keywords | majority | `rude` P | R | resolution macro-F1 | keywords | script macro-F1 | keywords |",
             "|---" * 14 + "|"]
    for name, (some, said) in sets.items():
        agents = [(u, s) for u, s in zip(some, said) if u["speaker"] == "agent"]
        polite = lambda decide: accuracy(agents, decide)
        majority = Counter(u["politeness"] for u, _ in agents).most_common(1)[0][0]
        rude = precision_recall_f1([u["politeness"] == "rude" for u, _ in agents], [s["decided"]["politeness"] == "rude" for _, s in agents])
        cells = [name, str(len(some))]
        deciders = (lambda u, s: s["decided"]["politeness"], lambda u, s: keywords.politeness(u["text"]), lambda u, s: majority)
        cells += [f"{polite(d):.3f}" for d in deciders] + [f"{macro_politeness(agents, d):.3f}" for d in deciders]
        cells += [f"{rude[0]:.2f}", f"{rude[1]:.2f}"]
        for task in ("resolution", "script"):
            cells += [f"{macro(task, some, said, lambda u, s, l: l in s['decided'][task]):.3f}",
                      f"{macro(task, some, said, lambda u, s, l: keywords.found(l, u['text'])):.3f}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def lost(written, clean, heard, heard_said):
    """What whisper's mistakes cost, on the same lines."""
    as_heard = {u["place"]: (u, said) for u, said in zip(utterances(heard), heard_said)}
    pairs = {}
    for u, said in zip(utterances(written), clean):
        if u["place"] in as_heard:
            pairs.setdefault(u["place"][0], []).append(((u, said), as_heard[u["place"]]))
    names, dice = sorted(pairs), random.Random(DRAWS)
    whole = drop(pairs, names)
    drawn = [drop(pairs, dice.choices(names, k=len(names))) for _ in range(DRAWS)]
    lines = ["## Lost as heard\n", f"Macro-F1 of the {len(as_heard)} lines as written less that as whisper heard them. Interval: 95 % of {DRAWS} draws of their {len(names)} dialogues.\n",
             "| task | lost | interval |", "|---|---|---|"]
    for place, task in enumerate(TASKS):
        ordered, tail = sorted(row[place] for row in drawn), DRAWS // 40
        lines.append(f"| {task} | {whole[place]:.3f} | {ordered[tail]:.3f} to {ordered[-tail - 1]:.3f} |")
    return "\n".join(lines) + "\n"


def drop(pairs, names):
    """Of each task, on the lines of these dialogues."""
    sides = zip(*(pair for name in names for pair in pairs[name]))
    written, heard = ([macro_of(task, side) for task in TASKS] for side in sides)
    return [before - after for before, after in zip(written, heard)]


def macro_of(task, pairs):
    some, said = zip(*pairs)
    if task == "politeness":
        return macro_politeness([(u, s) for u, s in pairs if u["speaker"] == "agent"], lambda u, s: s["decided"]["politeness"])
    return macro(task, some, said, lambda u, s, label: label in s["decided"][task])


def pick(dialogues, said, wanted):
    pairs = [(u, s) for u, s in zip(utterances(dialogues), said) if wanted(u)]
    return [u for u, _ in pairs], [s for _, s in pairs]


def accuracy(agents, decide):
    return sum(decide(u, s) == u["politeness"] for u, s in agents) / len(agents)


def macro_politeness(agents, decide):
    scores = [precision_recall_f1([u["politeness"] == label for u, _ in agents], [decide(u, s) == label for u, s in agents])[2]
              for label in POLITENESS]
    return sum(scores) / len(scores)


def macro(task, some, said, decide):
    scores = []
    for label in TASKS[task]:
        mine = [(u, s) for u, s in zip(some, said) if (u["speaker"] == "agent") == (label in BY_AGENT)]
        scores.append(precision_recall_f1([label in u[task] for u, _ in mine], [decide(u, s, label) for u, s in mine])[2])
    known = [score for score in scores if score == score]
    return sum(known) / len(known)


def by_label(written, clean):
    lines = ["## By label, text as written\n", "ECE: expected calibration error over all utterances; above 0.1: over those with a score of at least 0.1, where a label is talked of at all. Skill: Brier skill against always saying the label's share.\n",
             "| label | zh n | P | R | F1 | en n | P | R | F1 | keywords F1 | ECE | above 0.1 | skill |", "|---" * 13 + "|"]
    for task, labels in TASKS.items():
        for label in labels:
            mine = [(u, s) for u, s in zip(utterances(written), clean)
                    if (u["speaker"] == "agent") == (task != "resolution" or label in BY_AGENT)]
            truth = [u[task] == label if task == "politeness" else label in u[task] for u, _ in mine]
            found = [s["decided"][task] == label if task == "politeness" else label in s["decided"][task] for _, s in mine]
            score = [s[task][label] for _, s in mine]
            word = [keywords.politeness(u["text"]) == label if task == "politeness" else keywords.found(label, u["text"]) for u, _ in mine]
            cells = [f"`{label}`"]
            for lang in ("zh", "en"):
                here = [i for i, (u, _) in enumerate(mine) if u["lang"] == lang]
                figures = precision_recall_f1([truth[i] for i in here], [found[i] for i in here])
                cells += [str(sum(truth[i] for i in here))] + [f"{figure:.2f}" for figure in figures]
            cells += [f"{precision_recall_f1(truth, word)[2]:.2f}", f"{calibration_error(truth, score):.3f}",
                      f"{positive_calibration_error(truth, score):.3f}", f"{brier_skill(truth, score):.2f}"]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def kinds(written, clean):
    """What of the rude lines is found, by what makes them rude."""
    said = {u["place"]: s for u, s in zip(utterances(written), clean)}
    of_lang = {u["place"]: u["lang"] for u in utterances(written)}
    lines = ["## Kinds of rudeness\n", "What makes each `rude` line rude was told apart by a reader who did not know what had been found (`data/rude-kinds.tsv`; meanings in `data/README.md`). "
             "Found: decided to be `rude`; or cold: to be `rude` or `dismissive`.\n",
             "| kind | zh n | found | or cold | en n | found | or cold |", "|---" * 7 + "|"]
    with (HERE / "data" / "rude-kinds.tsv").open(encoding="utf-8") as file:
        given = [((dialogue, int(turn)), kind) for dialogue, turn, kind in (line.rstrip("\n").split("\t") for line in file)]
    for name in dict.fromkeys(kind for _, kind in given):
        cells = [name]
        for lang in ("zh", "en"):
            decided = [said[place]["decided"]["politeness"] for place, kind in given if kind == name and of_lang[place] == lang]
            cells += [str(len(decided))] + [f"{sum(d in labels for d in decided) / len(decided):.2f}" if decided else "" for labels in (("rude",), ("rude", "dismissive"))]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def hard(written, clean):
    """The last line of each snippet."""
    last = {d["utterances"][-1]["place"] for d in written if SNIPPET.search(d["id"])}
    mine = [(u, s) for u, s in zip(utterances(written), clean) if u["place"] in last]
    lines = ["## Hard negatives\n", f"The last lines of {len(last)} snippets, each of which misleads or is a plain example of a rare label. Of each label all lines without it count, also those that do not look like it. False: lines without the label that are decided to have it.\n",
             "| label | without it | false | share |", "|---|---|---|---|"]
    for task, labels in TASKS.items():
        for label in labels:
            if label in ("neutral", "courteous"):
                continue
            open_to = [(u, s) for u, s in mine if (u["speaker"] == "agent") == (task != "resolution" or label in BY_AGENT)]
            clear = [s for u, s in open_to if not (u[task] == label if task == "politeness" else label in u[task])]
            false = sum(s["decided"][task] == label if task == "politeness" else label in s["decided"][task] for s in clear)
            lines.append(f"| `{label}` | {len(clear)} | {false} | {100 * false / len(clear):.1f} % |")
    return "\n".join(lines) + "\n"


def outcomes(dialogues):
    known = [d for d in dialogues if d["outcome"]]
    said = run("judge", transcripts(known))
    table = Counter((d["outcome"], s["outcome"]) for d, s in zip(known, said))
    names = ("resolved", "partially_resolved", "unresolved", "unknown")
    right = sum(table[name, name] for name in names)
    most = Counter(d["outcome"] for d in known).most_common(1)[0][1]
    lines = ["## Outcome of whole calls\n", f"{len(known)} calls: {right} right ({100 * right / len(known):.0f} %); always the most frequent: {100 * most / len(known):.0f} %. Rows: as labelled; columns: as found.\n",
             "| | " + " | ".join(names) + " |", "|---" * 5 + "|"]
    lines += [f"| {row} | " + " | ".join(str(table[row, column]) for column in names) + " |" for row in names[:3]]
    return "\n".join(lines) + "\n"


def verdicts(hard_calls, ordinary_calls):
    """The judge with the classifiers' labels against the judge with the true ones, on the same text."""
    lines = ["## Verdicts on whole calls\n", "Every call is judged by the default rulebook twice, with the classifiers and with the labels of the readings. "
             "Agreed: the same verdict; left open: `unknown` where the labels give a verdict; other: all else.\n",
             "| calls | n | verdicts | agreed | left open | other |", "|---|---|---|---|---|---|"]
    by_rule, judged = Counter(), 0
    for name, calls in (("with hard lines", hard_calls), ("ordinary", ordinary_calls), ("all", hard_calls + ordinary_calls)):
        said, meant = run("judge", transcripts(calls)), run("judge", transcripts(calls, labelled=True))
        pairs = [(rule, s["rules"][rule], m["rules"][rule]) for s, m in zip(said, meant) for rule in m["rules"]]
        agreed = sum(found == true for _, found, true in pairs)
        left_open = sum(found == "unknown" != true for _, found, true in pairs)
        shares = [f"{count / len(pairs):.3f}" for count in (agreed, left_open, len(pairs) - agreed - left_open)]
        lines.append(f"| {name} | {len(calls)} | {len(pairs)} | " + " | ".join(shares) + " |")
        by_rule, judged = Counter(rule for rule, found, true in pairs if found != true), len(calls)
    worst = ", ".join(f"`{rule}` {count}" for rule, count in by_rule.most_common(6))
    return "\n".join(lines) + f"\n\nThe rules that differ in most of the {judged} calls: {worst}.\n"


def ordinary(calls):
    """Against the same judge on the calls' own labels: where these break a rule too, the call is at fault."""
    said, meant = run("judge", transcripts(calls)), run("judge", transcripts(calls, labelled=True))
    false = accusations(said, meant)
    accused = sum(map(bool, false))
    others = sum(any(rule != "script.escalate-after-three" for rule in rules) for rules in false)
    doubted = sum(any(s["rules"][rule] == "unknown" for rule in GRAVE) for s in said)
    at_fault = sum(any(m["rules"][rule] == "violated" for rule in GRAVE) for m in meant)
    by_rule = Counter(rule for rules in false for rule in rules)
    share = lambda count: f"{count} ({100 * count / len(said):.1f} %)"
    words, none = (run("judge", transcripts(relabelled(calls, labels), labelled=True)) for labels in (by_keywords, most_frequent))
    baseline = lambda judged: share(sum(map(bool, accusations(judged, meant))))
    minor = Counter(rule for s, m in zip(said, meant) for rule, ruling in s["rules"].items()
                    if ruling == "violated" != m["rules"][rule] and rule not in GRAVE)
    lines = ["## Ordinary, compliant calls\n",
             f"{len(said)} whole calls that were written so that the agent does nothing wrong, judged by the default rulebook: "
             f"{share(accused)} with a false serious or fatal verdict, {share(others)} without `script.escalate-after-three`; "
             f"{share(doubted)} with one left unknown. With the keywords' labels {baseline(words)} are accused falsely, with the majority's (all neutral, "
             f"nothing else, so that no misconduct is found either) {baseline(none)}. False is what the calls' own labels do not give; by these {at_fault} of the calls do break such a rule.\n"]
    lines += [f"- `{rule}`: {count}" for rule, count in by_rule.most_common()]
    lines += ["", "Other rules falsely violated: " + ", ".join(f"`{rule}` {count}" for rule, count in minor.most_common()) + ".\n"]
    return "\n".join(lines)


def accusations(said, meant):
    """Of each call the grave rules that are falsely violated."""
    return [[rule for rule in GRAVE if s["rules"][rule] == "violated" != m["rules"][rule]] for s, m in zip(said, meant)]


def relabelled(calls, labels):
    return [call | {"utterances": [u | labels(u) for u in call["utterances"]]} for call in calls]


def by_keywords(u):
    agent = u["speaker"] == "agent"
    fits = lambda label: (label in BY_AGENT) == agent and keywords.found(label, u["text"])
    return {"politeness": keywords.politeness(u["text"]) if agent else None,
            "resolution": list(filter(fits, RESOLUTION)), "script": list(filter(fits, SCRIPT))}


def most_frequent(u):
    return {"politeness": "neutral" if u["speaker"] == "agent" else None, "resolution": [], "script": []}


def speed(rows):
    few, many = spent(rows[:8]), spent(rows)
    rate = (len(rows) - 8) / (many.ru_utime + many.ru_stime - few.ru_utime - few.ru_stime)
    return (f"## Speed\n\n{rate:.0f} utterances with context per CPU-second, all three classifiers together, through "
            f"`callqa classify`; at most {many.ru_maxrss / 1024:.0f} MiB resident.\n")


def spent(rows):
    """What one run of `callqa classify` cost."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".jsonl") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        file.flush()
        child = subprocess.Popen([CALLQA, "classify", file.name], stdout=subprocess.DEVNULL)
        return os.wait4(child.pid, 0)[2]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
