"""Proves what ./distlab promises before the program runs: installing, building, starting at once.

Each test puts the launcher on top of a tiny tree of its own; apt-get and dpkg-query are stand-ins
that write down how they were called, so nothing is installed.

usage: launcher_test.py TOP
"""
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

TOP = pathlib.Path(sys.argv.pop(1)).resolve()

PROGRAM = """#include <cstdio>
int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) std::printf("<%s>", arguments[i]);
  std::puts("");
  return 3;
}
"""
# Everything is installed but what the file "missing" names.
DPKG_QUERY = """#!/bin/sh
shift 2
for package; do grep -qx "$package" "$FAKES/missing" || echo "$package=installed"; done
"""
# Installs by emptying that file; fails while the file "broken" exists; update removes it.
APT_GET = """#!/bin/sh
echo "$@" >>"$FAKES/calls"
case "$*" in
  *update*) rm -f "$FAKES/broken" ;;
  *) [ ! -e "$FAKES/broken" ] || { echo "E: Unable to fetch"; exit 100; }; : >"$FAKES/missing" ;;
esac
"""


class Launcher(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="distlab launcher ")
        self.addCleanup(directory.cleanup)
        self.base = pathlib.Path(directory.name)
        self.base.chmod(0o755)
        self.tree = self.base / "a tree"
        for room in ("models", "sim", "real", "scenarios", "results", "cli"):
            (self.tree / room).mkdir(parents=True)
        (self.tree / ".cmake").mkdir()
        shutil.copy(TOP / "distlab", self.tree)
        shutil.copy(TOP / ".cmake/launch.sh", self.tree / ".cmake")
        (self.tree / ".cmake/packages.txt").write_text("# words\nbuild cmake\nbuild ninja-build\ntest chromium\n")
        (self.tree / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(tiny CXX)\nadd_subdirectory(cli)\n")
        (self.tree / "cli/CMakeLists.txt").write_text("foreach(name distlab distlab-actor distlab-daemon)\n"
                                                      "  add_executable(${name} main.cc)\nendforeach()\n")
        (self.tree / "cli/main.cc").write_text(PROGRAM)
        self.fakes = self.base / "fakes"
        self.fakes.mkdir()
        (self.fakes / "missing").write_text("")
        (self.fakes / "calls").write_text("")
        self.fake("dpkg-query", DPKG_QUERY)
        self.fake("apt-get", APT_GET)
        self.environment = dict(os.environ, PATH=f"{self.fakes}:{os.environ['PATH']}", FAKES=str(self.fakes),
                                CCACHE_DISABLE="1")
        self.environment.pop("DISTLAB_BUILD", None)

    def fake(self, name, text):
        (self.fakes / name).write_text(text)
        (self.fakes / name).chmod(0o755)

    def run_it(self, *arguments, launcher=None, **more):
        return subprocess.run([launcher or self.tree / "distlab", *arguments], env=self.environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, **more)

    def built(self):
        self.assertEqual(self.run_it("x").returncode, 3)

    def no_tools(self):
        for tool in ("cmake", "ninja", "apt-get", "dpkg-query"):
            self.fake(tool, "#!/bin/sh\necho called >&2\nexit 99\n")

    def test_builds_then_runs_with_the_arguments_and_the_exit_code(self):
        done = self.run_it("run", "a b", "*")
        self.assertEqual((done.stdout, done.returncode), ("<run><a b><*>\n", 3))
        self.assertNotIn("\033", done.stderr)  # no terminal, no progress line

    def test_starts_without_any_tool_when_nothing_changed(self):
        self.built()
        self.no_tools()
        done = self.run_it("again")
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("<again>\n", "", 3))

    def test_builds_the_programs_of_real_hosts_when_they_are_asked_for(self):
        programs = self.tree / "build/cli"
        self.assertEqual(self.run_it("run", "live.yaml").stdout, "<run><live.yaml>\n")
        self.assertFalse((programs / "distlab-actor").exists() or (programs / "distlab-daemon").exists())
        for arguments in (("run", "x", "--ground", "emu"), ("run", "--ground=live", "x"), ("compare", "x")):
            self.assertEqual(self.run_it(*arguments).returncode, 3)
            self.assertTrue((programs / "distlab-actor").exists())
            (programs / "distlab-actor").unlink()
        self.assertIn("distlab-daemon", self.run_it("relay", "--help").stderr)
        self.assertTrue((programs / "distlab-daemon").exists())
        self.no_tools()
        self.assertEqual(self.run_it("relay", "--help").stdout, "<relay><--help>\n")

    def test_works_from_anywhere_and_through_a_link(self):
        link = self.base / "link"
        link.symlink_to(self.tree / "distlab")
        done = self.run_it("x", launcher=link, cwd="/")
        self.assertEqual(done.stdout, "<x>\n")
        self.assertTrue((self.tree / "build/cli/distlab").exists())

    def test_builds_again_what_changed(self):
        self.built()
        (self.tree / "cli/main.cc").write_text(PROGRAM.replace("<%s>", "[%s]"))
        self.assertEqual(self.run_it("x").stdout, "[x]\n")

    def test_notices_a_removed_file(self):
        self.built()
        (self.tree / "cli/main.cc").unlink()
        self.assertEqual(self.run_it("x").returncode, 70)

    def test_shows_what_the_compiler_said_and_tries_again_next_time(self):
        self.built()
        (self.tree / "cli/main.cc").write_text("int main() { return nonsense; }\n")
        for _ in range(2):
            done = self.run_it("x")
            self.assertEqual((done.stdout, done.returncode), ("", 70))
            self.assertRegex(done.stderr, r"main\.cc:1:21: error: .*nonsense")
            self.assertNotIn("-o cli/", done.stderr)  # the error, not the command line

    def test_shows_what_cmake_said(self):
        (self.tree / "CMakeLists.txt").write_text("message(FATAL_ERROR \"no such luck\")\n")
        done = self.run_it("x")
        self.assertEqual(done.returncode, 70)
        self.assertIn("no such luck", done.stderr)

    def test_shows_what_ninja_said(self):
        (self.tree / "cli/CMakeLists.txt").write_text("")
        done = self.run_it("x")
        self.assertEqual(done.returncode, 70)
        self.assertIn("unknown target 'cli/distlab'", done.stderr)

    def test_two_launches_at_once_build_once(self):
        both = [subprocess.Popen([self.tree / "distlab", "x"], env=self.environment, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True) for _ in range(2)]
        outputs = [one.communicate() for one in both]
        self.assertEqual([out for out, _ in outputs], ["<x>\n", "<x>\n"])
        self.assertEqual(sum("for the first time" in err for _, err in outputs), 1)

    def test_survives_being_moved(self):
        self.built()
        moved = self.base / "elsewhere"
        self.tree.rename(moved)
        (moved / "cli/main.cc").write_text(PROGRAM.replace("<%s>", "[%s]"))
        self.assertEqual(self.run_it("x", launcher=moved / "distlab").stdout, "[x]\n")

    def test_rewrites_one_line_on_a_terminal(self):
        ours, theirs = pty.openpty()
        subprocess.run([self.tree / "distlab", "x"], env=self.environment, stdin=theirs, stdout=subprocess.DEVNULL,
                       stderr=theirs)
        os.close(theirs)
        shown = os.read(ours, 100000).decode()
        os.close(ours)
        self.assertIn("\r\033[Kdistlab: building 1/2\r\033[Kdistlab: building 2/2\r\033[K", shown)

    def test_ctrl_c_ends_the_build(self):
        (self.tree / "cli/CMakeLists.txt").write_text(
            "add_executable(distlab main.cc)\n"
            "add_custom_target(slow COMMAND touch started COMMAND sleep 60)\nadd_dependencies(distlab slow)\n")
        child, terminal = pty.fork()
        if child == 0:
            os.execve(self.tree / "distlab", ["distlab", "x"], self.environment)
        while not (self.tree / "build/cli/started").exists():
            time.sleep(0.02)
        os.write(terminal, b"\x03")
        _, status = os.waitpid(child, 0)
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(status), 130)
        lock = subprocess.run(["flock", "--nonblock", self.tree / "build/.lock", "true"])
        self.assertEqual(lock.returncode, 0)  # nothing is left that builds

    def test_installs_what_is_missing_and_says_so(self):
        (self.fakes / "missing").write_text("ninja-build\nchromium\n")
        done = self.run_it("x")
        self.assertEqual(done.stdout, "<x>\n")
        if os.geteuid() == 0:
            self.assertIn("distlab: installing 1 Debian packages: ninja-build\n", done.stderr)
            call = (self.fakes / "calls").read_text().splitlines()[-1]
            self.assertTrue(call.endswith("install --no-install-recommends ninja-build"), call)

    @unittest.skipUnless(os.geteuid() == 0, "as root only")
    def test_reads_the_package_lists_again_when_a_package_cannot_be_had(self):
        (self.fakes / "missing").write_text("cmake\n")
        (self.fakes / "broken").write_text("")
        self.assertEqual(self.run_it("x").stdout, "<x>\n")
        self.assertIn("update", (self.fakes / "calls").read_text())

    @unittest.skipUnless(os.geteuid() == 0, "as root only")
    def test_says_why_apt_get_failed(self):
        (self.fakes / "missing").write_text("cmake\n")
        self.fake("apt-get", "#!/bin/sh\necho 'E: the network is away'\nexit 100\n")
        done = self.run_it("x")
        self.assertEqual(done.returncode, 69)
        self.assertIn("E: the network is away", done.stderr)

    def test_names_the_packages_when_it_cannot_install(self):
        # A search path with what the launcher itself needs, and no apt-get or sudo.
        for name in ("bash", "env", "dirname", "readlink", "find", "mkdir", "flock", "head", "grep", "sh", "cat"):
            (self.fakes / name).symlink_to(shutil.which(name))
        (self.fakes / "apt-get").unlink()
        (self.fakes / "missing").write_text("cmake\nninja-build\n")
        self.environment["PATH"] = str(self.fakes)
        done = self.run_it("x")
        self.assertEqual(done.returncode, 69)
        self.assertIn("cmake ninja-build", done.stderr)
        if os.geteuid() == 0:
            self.fake("apt-get", APT_GET)
            shutil.rmtree(self.tree / "build")
            self.tree.chmod(0o777)
            done = self.run_it("x", user="nobody", group="nogroup", extra_groups=[])
            self.assertEqual(done.returncode, 69)
            self.assertIn("no sudo; ask an administrator for: apt-get install cmake ninja-build", done.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "needs a second user")
    def test_a_tree_that_cannot_be_written(self):
        nobody = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        done = self.run_it("x", **nobody)
        self.assertEqual(done.returncode, 69)
        self.assertIn(f"cannot write to {self.tree}/build; set DISTLAB_BUILD", done.stderr)
        elsewhere = self.base / "elsewhere"
        elsewhere.mkdir()
        elsewhere.chmod(0o777)
        self.environment["DISTLAB_BUILD"] = str(elsewhere)
        self.assertEqual(self.run_it("x", **nobody).stdout, "<x>\n")
        del self.environment["DISTLAB_BUILD"]
        self.built()  # once built, it runs for those who cannot write
        self.assertEqual(self.run_it("x", **nobody).stdout, "<x>\n")

    def test_help_needs_no_build(self):
        self.no_tools()
        for arguments in ((), ("--help",), ("-h",), ("help",)):
            done = self.run_it(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("./distlab run scenarios/quickstart.yaml", done.stdout)


if __name__ == "__main__":
    unittest.main()
