#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Say which known defects a tree has.

usage: known.py names LIST IMPORT          the names in LIST of those that it has
       known.py line FUNCTION IMPORT       what known.list says of a function

A defect is recognised by the text of the function that has it, as it was imported,
without comments and with blanks as they may be: another line of that file may change,
the function may move, and it is the same defect still.
"""

import glob
import hashlib
import os
import re
import sys


def function(imported, name):
    """The text of a function, wherever it was imported to"""
    for path in sorted(glob.glob(os.path.join(imported, "**", "*.[ch]"),
                                 recursive=True)):
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            text = f.read()
        m = re.search(r"^[^\n;#]*\b%s\([^;{]*\)\n+\{.*?^\}\n" % re.escape(name),
                      text, re.M | re.S)
        if m:
            return m[0]
    return None


def digest(text):
    """What is left where neither comments, #line nor blanks count"""
    text = re.sub(r'/\*.*?\*/|//[^\n]*|^#line [^\n]*', " ", text, flags=re.S | re.M)
    return hashlib.sha256(" ".join(text.split()).encode(
        "utf-8", "surrogateescape")).hexdigest()[:12]


def names(path, imported):
    """Which defects of the list the tree has, each once"""
    found = {}
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            words = line.split(None, 3)
            if not words or line.startswith("#"):
                continue
            if len(words) != 4:
                sys.exit("%s:%d: not NAME FUNCTION HASH WHAT" % (path, number))
            name, of, want, _ = words
            text = function(imported, of)
            if text is not None and digest(text) == want:
                found[name] = True
    return " ".join(found)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("names", "line"):
        sys.exit(__doc__.split("\n\n")[1])
    verb, what, imported = sys.argv[1:]
    if verb == "names":
        print(names(what, imported))
        return
    text = function(imported, what)
    if text is None:
        sys.exit("no %s() is imported" % what)
    print("NAME %s %s WHAT" % (what, digest(text)))


main()
