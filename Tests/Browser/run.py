"""Looks at the pages of a narthex in Chromium: `run.py NARTHEX PICTURES [--groups N] [--only TEXT]`.

Prints a line a check, "ok" or "failed" first, then the check's name and the reason, separated by tabs. Pictures of what
was seen go into a folder.
"""

import argparse
import pathlib
import sys
import time

from checks import CHECKS, Failed, sound
from chromium import Chromium, ProtocolError
from places import Stage
import gateway_checks  # noqa: F401
import server_checks  # noqa: F401


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("narthex")
    parser.add_argument("pictures")
    parser.add_argument("--groups", type=int, default=5000, help="groups of the large gateway")
    parser.add_argument("--fill", type=float, default=8, help="most seconds to fill it")
    parser.add_argument("--only", default="", help="a part of the names of the checks to run")
    options = parser.parse_args()
    chosen = [one for one in CHECKS if options.only in one[0]]
    browser = Chromium()
    stage = Stage(options.narthex, browser, options.groups, options.fill)
    failures = 0
    try:
        for name, how, function in chosen:
            reason = look(stage, browser, name, dict(how), function, options.pictures)
            failures += reason is not None
            print("failed" if reason else "ok", name, reason or "", sep="\t", flush=True)
        for figure in stage.figures:
            print("figure", figure, sep="\t", flush=True)
    finally:
        stage.stop()
        browser.close()
    return 1 if failures else 0


def look(stage, browser, name, how, function, pictures):
    """Runs a check; gives the reason why it failed, or None."""
    started = time.monotonic()
    shot = how.pop("shot", name.replace(" ", "-").replace(",", "").replace("'", ""))
    page = browser.page(**how)
    page.scripted = how.get("scripts", True)
    reason = None
    try:
        function(stage, page)
        sound(page)
    except (Failed, ProtocolError, RuntimeError, OSError) as error:
        reason = str(error).replace("\n", " ").replace("\t", " ")[:1500]
    try:
        page.picture(str(pathlib.Path(pictures, shot + ".png")))
        page.close()
    except ProtocolError as error:
        reason = reason or str(error)
    stage.times.append((time.monotonic() - started, name))
    return reason


if __name__ == "__main__":
    sys.exit(main())
