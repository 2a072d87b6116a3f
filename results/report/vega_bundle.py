"""Joins Debian's separate Vega modules (package libjs-vega) into one script that defines `vega`.

usage: vega_bundle.py FOLDER OUT.js

The package has no ready bundle. Each module is a UMD file with its d3 parts inside; here each runs
with its own exports and a require() that knows the modules before it. What charts do not need (maps,
force layout, word clouds) stays out, as do vega-voronoi and vega-projection, whose d3 modules Debian
lacks.
"""
import pathlib
import sys

# In order of need.
MODULES = ["vega-util", "vega-canvas", "vega-time", "vega-format", "vega-loader", "vega-event-selector",
           "vega-expression", "vega-dataflow", "vega-scale", "vega-scenegraph", "vega-statistics", "vega-selection",
           "vega-transforms", "vega-functions", "vega-runtime", "vega-parser", "vega-view", "vega-view-transforms",
           "vega-encode"]
# The name by which another module asks for it, where that is not the file's.
ALIASES = {"vega-selection": "vega-selections"}
TRANSFORMS = ["vega-transforms", "vega-view-transforms", "vega-encode"]

NOTICE = "/* Vega: Copyright (c) 2015-2021 University of Washington Interactive Data Lab, BSD-3-Clause.\n" \
         "   d3: Copyright 2010-2021 Mike Bostock, ISC. */\n"


def wrapped(folder, module):
    text = (folder / f"{module}.min.js").read_text()
    text = "\n".join(line for line in text.splitlines() if not line.startswith("//# sourceMappingURL"))
    return f"define({ALIASES.get(module, module)!r},function(exports,module,require){{{text}\n}});\n"


def bundle(folder):
    parts = [NOTICE, "var vega=(function(){'use strict';var all={};",
             "function require(name){if(!all[name])throw new Error('not bundled: '+name);return all[name]}",
             "function define(name,fn){var module={exports:{}};fn.call(window,module.exports,module,require);"
             "all[name]=module.exports}\n"]
    parts += [wrapped(folder, module) for module in MODULES]
    parts.append("var transforms=all['vega-dataflow'].transforms;")
    parts += [f"Object.assign(transforms,all['{module}']);" for module in TRANSFORMS]
    parts.append("return {parse:all['vega-parser'].parse,View:all['vega-view'].View,"
                 "Warn:all['vega-util'].Warn,None:all['vega-util'].None}})();\n")
    return "".join(parts)


if __name__ == "__main__":
    pathlib.Path(sys.argv[2]).write_text(bundle(pathlib.Path(sys.argv[1])))
