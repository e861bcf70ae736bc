"""Runs a command, prints what it wrote to standard error, and fails unless it exits with the status wanted.

    status.py STATUS COMMAND ...
"""
import subprocess
import sys

done = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
sys.stdout.write(done.stderr.decode(errors="replace"))
if done.returncode != int(sys.argv[1]):
    sys.exit("exit status %d, not %s" % (done.returncode, sys.argv[1]))
