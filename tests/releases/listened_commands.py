"""Runs commands one after another and keeps everything that each writes to the process's two outputs, logs in full.

Called with a JSON list of argument lists and the file to put what was heard into.
"""

import json
import logging
import os
import sys
import tempfile
from pathlib import Path

from releases.cli import main


def heard(arguments: list[str]) -> dict[str, object]:
    """Exit code and both outputs, caught at the file descriptors, so that no library's output is missed."""
    kept = os.dup(1), os.dup(2)
    with tempfile.TemporaryFile(dir=sys.argv[3]) as out, tempfile.TemporaryFile(dir=sys.argv[3]) as err:
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        sys.argv[1:], given = arguments, sys.argv[1:]
        try:
            main()
            code: object = 0
        except SystemExit as end:
            code = end.code or 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            sys.argv[1:] = given
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode())
    return {"arguments": arguments, "code": code, "out": texts[0], "err": texts[1]}


logging.basicConfig(level=logging.INFO, stream=sys.stderr)
for name in ("smallarea", "releases", "claimants", "geography", "sdc", "reports"):
    logging.getLogger(name).setLevel(logging.DEBUG)
Path(sys.argv[2]).write_text(json.dumps([heard(arguments) for arguments in json.loads(sys.argv[1])]))
