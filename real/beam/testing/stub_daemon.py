#!/usr/bin/env python3
"""Stands in for `distlab-daemon agent --serve macula`: an agent that lives as long as its standard input.

STUB_DAEMON in the environment: "fail" ends it with a word on standard output; "mute" keeps it from listening.
"""
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from stub_agent import Agent

if sys.argv[1:] != ["agent", "--serve", "macula"]:
    sys.exit(f"unexpected arguments {sys.argv[1:]}")
if os.environ.get("STUB_DAEMON") == "fail":
    print("no certificate", flush=True)
    sys.exit(3)
if os.environ.get("STUB_DAEMON") != "mute":
    print("some words first\nlistening " + Agent().address, flush=True)
sys.stdin.buffer.read()
