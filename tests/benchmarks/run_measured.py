"""Runs its arguments as a command and prints seconds, peak memory in MB and output as JSON; exits with its code.

It imports little: on Linux the peak memory of a process begins with that of its parent.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

KILOBYTES_PER_MB = 1024

if __name__ == "__main__":
    started = time.perf_counter()
    with subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        output = run.stdout.read()
        _, status, usage = os.wait4(run.pid, 0)
        seconds = time.perf_counter() - started
        run.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss / KILOBYTES_PER_MB
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "output": output.decode("utf-8")}))
    sys.exit(run.returncode)
