"""Proves that the walls hold: the build of a target fails because of an include across a wall.

Makes a small tree around the project's own rooms.cmake and walls.py with one room per case. Every
file would compile (the compiler is asked), so nothing but a wall can fail its build.

usage: walls_test.py TOP
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TOP = pathlib.Path(sys.argv.pop(1)).resolve()

# What the cases include: stand-ins for headers of other rooms and of libraries.
HEADERS = ["models/host/host.h", "models/etf/term.h", "models/dist/control.h", "sim/topology.h", "real/emu/tun.h",
           "scenarios/scenario.h", "scenarios/cast/parts.h", "results/store.h", "libraries/ns3/node.h", "libraries/boost/asio.hpp",
           "libraries/boost/asio/ip/udp.hpp", "libraries/yaml-cpp/yaml.h"]

# folder of the room: (text of its file, what the walls say of it)
BROKEN = {
    "models/ns3_header": ("#include <ns3/node.h>", "must not include <ns3/node.h>"),
    "models/socket": ("#include <sys/socket.h>", "must not include <sys/socket.h>"),
    "models/thread": ("#include <thread>", "must not include <thread>"),
    "models/chance": ("#include <random>", "must not include <random>"),
    "models/file": ("#include <fstream>", "must not include <fstream>"),
    "models/upwards": ('#include "sim/topology.h"', 'must not include "sim/topology.h"'),
    "models/upwards_in_angles": ("#include <sim/topology.h>", 'must not include "sim/topology.h"'),
    "models/etf/sideways": ('#include "models/dist/control.h"', 'must not include "models/dist/control.h"'),
    "models/clock": ("#include <chrono>\nauto f() { return std::chrono::steady_clock::now(); }", "steady_clock"),
    "models/clock_alias": ("#include <chrono>\nusing C = std::chrono::system_clock;\nauto f() { return C::now(); }",
                           "system_clock"),
    "models/c_clock": ("#include <chrono>\nauto f() { return std::time(nullptr); }", "std::time("),
    "models/macro": ('#define THAT "sim/topology.h"\n#include THAT', "not a plain name"),
    "models/around": ('#include "models/../sim/topology.h"', "not a plain path"),
    "models/beside": ('#include "../../sim/topology.h"', "not a plain path"),
    "models/comment_between": ("# /* */ include /* x */ <ns3/node.h> // y", "must not include <ns3/node.h>"),
    "models/spliced": ("#inc\\\nlude \\\n<ns3/node.h>", "must not include <ns3/node.h>"),
    "models/digraph": ("%:include <ns3/node.h>", "must not include <ns3/node.h>"),
    "models/next": ("#include_next <ns3/node.h>", "#include_next"),
    "models/after_comment": ('const char* s = "/*";\n#include <ns3/node.h>\n// */', "must not include <ns3/node.h>"),
    "models/after_raw_string": ('const char* s = R"(\n"/*)";\n#include <ns3/node.h>\n// */',
                                "must not include <ns3/node.h>"),
    "sim/asio": ("#include <boost/asio.hpp>", "must not include <boost/asio.hpp>"),
    "sim/asio_part": ("#include <boost/asio/ip/udp.hpp>", "must not include <boost/asio/ip/udp.hpp>"),
    "real/daemon": ('#include "sim/topology.h"', 'must not include "sim/topology.h"'),
    "real/daemon_by_emu": ('#include "real/emu/tun.h"', 'must not include "real/emu/tun.h"'),
    "results/upwards": ('#include "sim/topology.h"', 'must not include "sim/topology.h"'),
    "results/models": ('#include "models/host/host.h"', 'must not include "models/host/host.h"'),
    "results/yaml": ("#include <yaml-cpp/yaml.h>", "must not include <yaml-cpp/yaml.h>"),
    "scenarios/upwards": ('#include "results/store.h"', 'must not include "results/store.h"'),
    "scenarios/to_cast": ('#include "scenarios/cast/parts.h"', 'must not include "scenarios/cast/parts.h"'),
    "scenarios/cast/upwards": ('#include "sim/topology.h"', 'must not include "sim/topology.h"'),
    "scenarios/cast/results": ('#include "results/store.h"', 'must not include "results/store.h"'),
    "scenarios/cast/file": ("#include <fstream>", "must not include <fstream>"),
    "scenarios/cast/clock": ("#include <chrono>\nauto f() { return std::chrono::steady_clock::now(); }", "steady_clock"),
    "results/to_cast": ('#include "scenarios/cast/parts.h"', 'must not include "scenarios/cast/parts.h"'),
    "cli/ns3_header": ("#include <ns3/node.h>", "must not include <ns3/node.h>"),
}
SOUND = {
    "models/sound": '#include "models/host/host.h"\n#include <vector>\n// #include <ns3/node.h>, steady_clock\n'
                    '/*\n#include "sim/topology.h"\n*/\nconst char* text = R"(\n#include <ns3/node.h>\n)";\n'
                    'const char* name = "steady_clock";\nconst int big = 1\'000\'000;',
    "sim/sound": '#include "models/dist/control.h"\n#include "results/store.h"\n#include <ns3/node.h>',
    "real/emu/sound": '#include "sim/topology.h"\n#include "real/emu/tun.h"\n#include <ns3/node.h>',
    "scenarios/cast/sound": '#include "models/host/host.h"\n#include "scenarios/scenario.h"\n'
                            '#include "scenarios/cast/parts.h"',
    "results/sound": '#include "scenarios/scenario.h"\n#include <fstream>',
}
TREE = """
cmake_minimum_required(VERSION 3.25)
project(walls LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 20)
list(APPEND CMAKE_MODULE_PATH "${CMAKE_SOURCE_DIR}/.cmake")
include(rooms)
include_directories(SYSTEM libraries)
"""


def target(folder):
    return "room_" + folder.replace("/", "_")


class Walls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="distlab-walls-")
        cls.tree = pathlib.Path(cls.directory.name, "tree")
        cls.build = pathlib.Path(cls.directory.name, "build")
        for name in ("rooms.cmake", "walls.py"):
            cls.write(f".cmake/{name}", (TOP / ".cmake" / name).read_text())
        for header in HEADERS:
            cls.write(header, "#pragma once\n")
        cases = {folder: text for folder, (text, _) in BROKEN.items()} | SOUND
        for folder, text in cases.items():
            cls.write(f"{folder}/file.cc", text + "\n")
            cls.write(f"{folder}/CMakeLists.txt", f"distlab_room({target(folder)} SOURCES file.cc)\n")
        cls.write("CMakeLists.txt", TREE + "".join(f"add_subdirectory({folder})\n" for folder in cases))
        subprocess.run(["cmake", "-S", cls.tree, "-B", cls.build, "-G", "Ninja"], check=True, capture_output=True)

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    @classmethod
    def write(cls, path, text):
        file = cls.tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run_build(self, name):
        done = subprocess.run(["cmake", "--build", self.build, "--target", name], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def test_an_include_across_a_wall_fails_the_build(self):
        for folder, (_, complaint) in BROKEN.items():
            with self.subTest(folder):
                source = self.tree / folder / "file.cc"
                # Without the walls the compiler takes the file.
                subprocess.run(["c++", "-std=c++20", "-fsyntax-only", "-I", self.tree, "-I", self.tree / "libraries",
                                source], check=True, capture_output=True)
                code, output = self.run_build(target(folder))
                self.assertNotEqual(code, 0, f"{folder} was built")
                self.assertIn(f"{folder}/file.cc:", output)
                self.assertIn(complaint, output)

    def test_what_is_allowed_builds(self):
        for folder in SOUND:
            with self.subTest(folder):
                code, output = self.run_build(target(folder))
                self.assertEqual(code, 0, output)

    def test_files_that_belong_to_no_room_are_checked_too(self):
        # The tree's own check finds every broken file, and a header no target lists.
        self.write("models/loose/loose.h", "#include <ns3/node.h>\n")
        self.write("models/loose/loose.hpp", "\n")
        code, output = self.run_build("walls")
        self.assertNotEqual(code, 0)
        for folder in BROKEN:
            self.assertIn(f"{folder}/file.cc:", output)
        for folder in SOUND:
            self.assertNotIn(f"{folder}/file.cc:", output)
        self.assertIn("models/loose/loose.h:1: room models/ must not include <ns3/node.h>", output)
        self.assertIn("models/loose/loose.hpp:1: source files are named .h or .cc", output)

    def test_the_project_itself_passes(self):
        done = subprocess.run([sys.executable, TOP / ".cmake/walls.py", TOP], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
