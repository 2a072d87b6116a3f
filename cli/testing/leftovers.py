"""What must not be left when a program has ended."""
import os
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
