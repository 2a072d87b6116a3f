"""A BEAM for tests: starts `erl`, evaluates expressions in it, collects what it prints.

Expressions go to the node's standard input, one at a time, and are evaluated in one process that
lives as long as the node: variables stay bound from one to the next.
"""
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time

EVALUATOR = r"""
Loop = fun(Loop, Bound) ->
  case io:get_line("") of
    eof -> halt(0, [{flush, false}]);
    Line ->
      Now = try
          {ok, Tokens, _} = erl_scan:string(Line), {ok, Forms} = erl_parse:parse_exprs(Tokens),
          {value, Value, Next} = erl_eval:exprs(Forms, Bound),
          io:format("=> ~0tp~n", [Value]), Next
        catch Class:Reason -> io:format("=> ~0tp~n", [{Class, Reason}]), Bound end,
      Loop(Loop, Now)
  end end, Loop(Loop, [])."""
# Nine threads instead of twenty, and no busy waiting: many nodes share two cores.
SMALL = ["+S", "1:1", "+SDcpu", "1:1", "+SDio", "1", "+A", "1", "+sbwt", "none", "+sbwtdcpu", "none",
         "+sbwtdio", "none"]


class Beam:
    def __init__(self, test, *flags, env=None, evaluator=True):
        self.home = tempfile.mkdtemp(prefix="distlab-beam-")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("DISTLAB_", "ERL_", "MACULA_"))}
        environment.update(HOME=self.home, ERL_CRASH_DUMP="/dev/null", **(env or {}))
        command = ["erl", "-noshell", *SMALL, *flags]
        if evaluator:
            command += ["-eval", " ".join(EVALUATOR.split("\n"))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, env=environment, text=True, errors="replace")
        self.lines, self.values = [], queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        test.addCleanup(self.kill)

    def _read(self):
        for line in self.process.stdout:
            if line.startswith("=> "):
                self.values.put(line[3:].rstrip("\n"))
            else:
                self.lines.append(line)
        self.values.put(None)

    def start(self, expression):
        self.process.stdin.write(expression + ".\n")
        self.process.stdin.flush()

    def result(self, timeout=20):
        try:
            value = self.values.get(timeout=timeout)
        except queue.Empty:
            raise AssertionError("no answer; it printed:\n" + self.log()) from None
        if value is None:
            raise AssertionError("the node has ended; it printed:\n" + self.log())
        return value

    def eval(self, expression, timeout=20):
        """The value as ~0tp prints it, or {Class,Reason} of what was raised."""
        self.start(expression)
        return self.result(timeout)

    def log(self):
        return "".join(self.lines)

    def wait_for_log(self, text, timeout=10):
        """Logging takes its time; fails the test when it takes too long."""
        deadline = time.monotonic() + timeout
        while text not in self.log():
            if time.monotonic() > deadline:
                raise AssertionError(f"no {text!r} in its log:\n" + self.log())
            time.sleep(0.02)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(5)
        self.process.stdin.close()
        self.process.stdout.close()
        shutil.rmtree(self.home, ignore_errors=True)
