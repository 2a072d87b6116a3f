"""What must not be left when a program has ended."""
import os
import signal
import subprocess
import time


def assert_nobody_left(test, group):
    """No process of this process group lives on."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    test.fail("a process was left behind")


def assert_interruptible(test, command, under_way):
    """Ctrl-C ends it with 130, kill -9 at once, and in both cases no process stays. `under_way` is in what it says on
    standard error when it is in the middle of its work."""
    for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   text=True)
        while under_way not in process.stderr.readline():
            test.assertIsNone(process.poll())
        process.send_signal(number)
        process.communicate(timeout=60)
        test.assertEqual(process.returncode, code)
        assert_nobody_left(test, process.pid)
