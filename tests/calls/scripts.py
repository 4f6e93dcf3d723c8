"""Reads the scripts of the sample calls. The format is told in README.md."""
import csv
import tomllib
from dataclasses import dataclass
from pathlib import Path

RULES = """
script.greeting script.self-identification script.verify-identity script.hold-courtesy script.anything-else
script.survey-invitation script.no-survey-pressure script.closing script.escalate-after-three
script.forbidden-phrases attitude.rude attitude.dismissive attitude.blame-shifting
attitude.refuses-identification attitude.empathy communication.interruption communication.dead-air
communication.pace resolution.improper-promise resolution.unresolved resolution.repeat-contact
risk.escalation-threat praise.calm-under-fire
""".split()

COLUMNS = ("file,call_id,queue,agent_id,customer_id,direction,started_at,answered_at,ended_by,language,"
           "auto_announced").split(",")


@dataclass
class Call:
    id: str
    folder: Path
    script: dict

    @property
    def audio(self):
        return self.folder / f"{self.id}.{'wav' if self.script['audio'] == 'ulaw' else 'opus'}"

    @property
    def timeline(self):
        return self.folder / f"{self.id}.timeline.json"


def load_all(folder):
    calls = []
    for path in sorted(folder.glob("*.script.toml")):
        script = tomllib.loads(path.read_text())
        if path.name != f"{script['id']}.script.toml":
            raise SystemExit(f"{path.name}: its id is {script['id']}; the two must agree")
        calls.append(Call(script["id"], folder, script))
    return calls


def write_csv(path, calls):
    with path.open("w", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(COLUMNS)
        for call in calls:
            event = call.script["event"]
            given = {"file": call.audio.name, "call_id": call.id, "language": call.script["language"],
                     "auto_announced": str(event["auto_announced"]).lower()}
            rows.writerow([given.get(column, event.get(column, "")) for column in COLUMNS])
