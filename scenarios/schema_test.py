"""The JSON Schema, the reference and the loader are one format; the shipped scenarios are in it.

usage: schema_test.py TOP SCENARIO_SCHEMA
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import jsonschema
import yaml

TOP, PROGRAM = pathlib.Path(sys.argv[1]), sys.argv[2]
HERE = TOP / "scenarios"
SCHEMA = json.loads((HERE / "schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
GOOD = """
name: good
duration: 10s
sites: { home: { uplink: { delay: 5ms, loss: 1% } }, office: {} }
nodes: { alice: { site: home }, bob: { site: office, name: bob@office.example } }
workload: [{ at: 1s, connect: alice -> bob }, { from: 1s, call: [alice, bob], rate: 10/s }]
faults: [{ at: 2s, down: home, for: 1s..2s }]
expect: [{ connected: { between: [alice, bob], by: 2s } }, { calls: { ok: ">= 99%" } }]
compare: { call_latency: { ratio: 1.5, difference: 2ms }, lost_messages: { difference: 3 }, goodput: { distribution: 10% } }
"""
# What both the schema and the loader must refuse: the text of GOOD and what it is replaced by.
BROKEN = [
    ("duration: 10s", "duration: 10"),
    ("duration: 10s", "duration: -10s"),
    ("duration: 10s", ""),
    ("uplink: { delay", "uplink: { dealy"),
    ("delay: 5ms", "delay: 5 parsecs"),
    ("loss: 1%", "loss: 2.5"),
    ("loss: 1%", "rate: 5Mbits"),
    ("site: office", "site: [office]"),
    ("site: office", "net_tickintensity: 3, site: office"),
    ("site: office", "carrier: pigeon, site: office"),
    ("bob@office.example", "bob"),
    ("connect: alice -> bob", "conect: alice -> bob"),
    ("connect: alice -> bob", "connect: alice -> bob, call: alice -> bob"),
    ("connect: alice -> bob", "connect: alice to bob"),
    ("rate: 10/s", "rate: often"),
    ("down: home", "down: home, kill: alice"),
    ("at: 2s, down", "down"),
    ("for: 1s..2s", "for: 1s-2s"),
    ("between: [alice, bob], by", "between: alice, by"),
    ('ok: ">= 99%"', 'ok: "at least 99%"'),
    ("expect:", "expects:"),
    ("ratio: 1.5", "ratio: 0.5"),
    ("ratio: 1.5", "ratio: 150%"),
    ("difference: 3", "difference: 3ms"),
    ("goodput:", "good_put:"),
]


def output(*arguments):
    return subprocess.run([PROGRAM, *arguments], check=True, capture_output=True, text=True).stdout


def loader_accepts(text):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        return subprocess.run([PROGRAM, "--check", file.name], capture_output=True).returncode == 0


def schema_accepts(text):
    return VALIDATOR.is_valid(yaml.safe_load(text))


class Format(unittest.TestCase):
    def test_schema_is_made_from_the_tables(self):
        """schema.json is what the loader's tables give; to renew it: scenario_schema > scenarios/schema.json"""
        self.assertEqual(output(), (HERE / "schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def test_reference_is_made_from_the_tables(self):
        """The reference in README.md, too; to renew it: paste what scenario_schema --markdown prints"""
        made = output("--markdown")
        self.assertTrue(made in (HERE / "README.md").read_text(), "README.md lacks what scenario_schema prints")

    def test_shipped_scenarios(self):
        """Every shipped scenario names the schema and follows it."""
        files = sorted(HERE.rglob("*.yaml"))
        self.assertGreaterEqual(len(files), 11)
        for file in files:
            text = file.read_text()
            schema = "../" * (len(file.relative_to(HERE).parts) - 1) + "schema.json"
            self.assertTrue(text.startswith(f"# yaml-language-server: $schema={schema}\n"), file)
            errors = [f"{file.name}: {list(e.absolute_path)}: {e.message}" for e in VALIDATOR.iter_errors(yaml.safe_load(text))]
            self.assertEqual(errors, [])

    def test_good_and_broken(self):
        """Schema and loader agree on what is a scenario and what is not."""
        self.assertTrue(loader_accepts(GOOD) and schema_accepts(GOOD))
        for good, bad in BROKEN:
            text = GOOD.replace(good, bad)
            self.assertNotEqual(text, GOOD, good)
            self.assertFalse(loader_accepts(text), bad)
            self.assertFalse(schema_accepts(text), bad)

    def test_words_of_the_models(self):
        """Kinds of events and names of flags are those the models have."""
        models = TOP / "models"
        format_table = (HERE / "format.cc").read_text()

        def listed(function):
            return set(re.findall(r'"(\w+)"', format_table.split(f"{function}() {{")[1].split("};")[0]))

        kinds = (models / "host/event_kinds.h").read_text()
        self.assertEqual(listed("event_kinds"), set(re.findall(r'string_view \w+\s*=\s*"(\w+)"', kinds)))
        flags = (models / "dist/flags.cc").read_text()
        self.assertEqual(listed("flag_names"), set(re.findall(r'\{flag::\w+, "(\w+)"\}', flags)))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
