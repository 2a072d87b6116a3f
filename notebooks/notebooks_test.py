"""Runs every notebook's cells against a database that the given distlab program has just written.

usage: notebooks_test.py DISTLAB TOP
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile


def cells(notebook):
    for cell in json.loads(notebook.read_text())["cells"]:
        if cell["cell_type"] == "code":
            yield "".join(cell["source"])


def main():
    program, top = sys.argv[1], pathlib.Path(sys.argv[2])
    os.environ["MPLBACKEND"] = "Agg"
    with tempfile.TemporaryDirectory() as folder:
        database = f"{folder}/runs.db"
        scenario = str(top / "scenarios" / "tick-timeout.yaml")
        subprocess.run([program, "run", scenario, "--repeat", "5", "-q", "--db", database], check=True)
        os.environ["DISTLAB_DB"] = database
        for notebook in sorted((top / "notebooks").glob("*.ipynb")):
            names = {}
            for cell in cells(notebook):
                exec(compile(cell, notebook.name, "exec"), names)
            downs = names["downs"]
            # Five seeds, two directions, two nodes: each notices, within the bounds of T = 4 s, I = 4. Who only loses
            # his acknowledgements hears his peer for a tick more.
            assert len(downs) == 20, len(downs)
            hears = downs.labels.str.contains("out") & (downs.host == "alice")
            assert downs[~hears].after_s.between(3, 5.1).all(), downs.after_s.describe()
            assert downs[hears].after_s.between(3, 6.1).all(), downs.after_s.describe()
            print(f"{notebook.name}: ok")


main()
