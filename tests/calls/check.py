"""Holds a script against itself and against its timeline."""
import hashlib
import json

import scripts

VERDICTS = {"met", "violated", "not_applicable"}
OUTCOMES = {"resolved", "partially_resolved", "unresolved", "unknown"}
# A call is flagged where one of these is violated (classes fatal and serious, and risk) or it ends unresolved.
FLAGGING = {
    "script.verify-identity", "script.escalate-after-three", "script.forbidden-phrases", "attitude.rude",
    "attitude.dismissive", "attitude.blame-shifting", "attitude.refuses-identification",
    "resolution.improper-promise", "risk.escalation-threat",
}
DURATION_MS = (30_000, 92_000)
PACE = {"zh": (120, 300), "en": (100, 200)}
PACE_NEEDS_MS = 30_000


def mistakes(call):
    found = []
    expected = call.script["expected"]
    verdicts = expected["verdicts"]
    for rule in scripts.RULES:
        if verdicts.get(rule) not in VERDICTS:
            found.append(f"{rule} has no verdict")
    for rule in set(verdicts) - set(scripts.RULES):
        found.append(f"{rule} is no rule of the pack")
    if expected["outcome"] not in OUTCOMES:
        found.append(f"outcome {expected['outcome']}")
    flagged = any(verdicts.get(r) == "violated" for r in FLAGGING) or expected["outcome"] == "unresolved"
    if expected["flagged"] != flagged:
        found.append(f"flagged = {expected['flagged']}, but its verdicts say {flagged}")
    if not call.timeline.exists() or not call.audio.exists():
        found.append("is not spoken yet")
    else:
        found += against_timeline(call, verdicts)
    return [f"{call.id}: {m}" for m in found]


def against_timeline(call, verdicts):
    timeline = json.loads(call.timeline.read_text())
    heard = timeline["acoustics"]
    if hashlib.sha256(call.audio.read_bytes()).hexdigest() != timeline["sha256"]:
        yield "its audio is not the one of its timeline"
    spoken = [" ".join(s["text"] for s in t["sentences"]) for t in timeline["turns"]]
    if ["".join(t["text"].split()) for t in call.script["turns"]] != ["".join(t.split()) for t in spoken]:
        yield "its script changed after it was spoken"
    shortest, longest = DURATION_MS
    if not shortest <= timeline["duration_ms"] <= longest:
        yield f"lasts {timeline['duration_ms']} ms"
    wanted = "violated" if len(heard["interruptions_by_agent_ms"]) >= 3 else "met"
    if verdicts["communication.interruption"] != wanted:
        yield f"interruption should be {wanted}: {heard['interruptions_by_agent_ms']}"
    low, high = PACE[call.script["language"]]
    wanted = "met" if low <= heard["agent_pace_per_min"] <= high else "violated"
    if heard["agent_speech_ms"] < PACE_NEEDS_MS:
        wanted = "not_applicable"
    if verdicts["communication.pace"] != wanted:
        yield f"pace should be {wanted}: {heard['agent_pace_per_min']}/min in {heard['agent_speech_ms']} ms"
