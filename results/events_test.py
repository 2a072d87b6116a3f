"""Checks that the table of event kinds in README.md agrees with models/host/event_kinds.h.

usage: events_test.py TOP
"""
import pathlib
import re
import sys

top = pathlib.Path(sys.argv[1])
header = (top / "models/host/event_kinds.h").read_text()
readme = (top / "results/README.md").read_text()

kinds = re.findall(r'std::string_view\s+\w+\s*=\s*"(\w+)"', header)
section = readme.split("## Kinds of events", 1)[1].split("\n## ", 1)[0]
rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\|", section, re.MULTILINE)
table = [kind for kind, _, _ in rows]

errors = []
if len(kinds) < 10:
    errors.append("found hardly any kind in event_kinds.h; has its form changed?")
errors += [f"README.md does not describe the kind '{kind}'" for kind in kinds if kind not in table]
errors += [f"README.md describes '{kind}', which event_kinds.h does not have" for kind in table if kind not in kinds]
# Every field the table names must stand in the header too, in the comment of its kind or group.
comments = " ".join(re.findall(r"//(.*)", header))
for kind, _, fields in rows:
    for field in re.findall(r"`(\w+)`", fields):
        if not re.search(rf"\b{field}\b", comments):
            errors.append(f"README.md gives '{kind}' a field '{field}' that event_kinds.h does not name")
for error in errors:
    print(error, file=sys.stderr)
print(f"{len(kinds)} kinds, {len(errors)} errors")
sys.exit(1 if errors else 0)
