#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""What of the functions in mutants.list the tests reach, from a .gcov file.

usage: coverage.py MUTANTS.LIST FILE.gcov...

Lines, and branches that were taken at least once, of each function and in all;
what was not reached is shown. Assertions, and the checks of our own models that
a macro brings into a line, are no branches of the kernel's.
"""

import re
import sys

OURS = re.compile(r"WARN|BUG|set_ptes|set_pte_at|pte_unmap|spin_|_lock|shim_")


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        names = {n for line in f if line[0] not in "#=\n"
                 for n in line.split()[1].split("|")}
    total = [0] * 4
    for path in sys.argv[2:]:
        name, counts = None, {}
        with open(path, encoding="utf-8", errors="replace") as f:
            for line in f:
                function = re.match(r"function (\w+)(?:\.\S+)? called", line)
                source = re.match(r"\s*([-#=\d]+)\*?:\s*(\d+):(.*)", line)
                branch = re.match(r"branch\s+\d+ (?:taken (\d+)|never)", line)
                if function:
                    name = function[1]
                    continue
                if name not in names:
                    continue
                count = counts.setdefault(name, [0] * 4)
                if source:
                    text = source[3].strip()
                    where = "%s:%s" % (name, source[2])
                    if source[1] != "-":
                        count[0] += source[1][0] not in "#="
                        count[1] += 1
                    if source[1][0] in "#=":
                        print("line not reached:   %s: %s" % (where, text))
                        text = "shim_"      # its branches are said with it
                    if text == "}":
                        name = name if source[3][0] != "}" else None
                elif branch and not OURS.search(text):
                    taken = int(branch[1] or 0) > 0
                    count[2] += taken
                    count[3] += 1
                    if not taken:
                        print("branch not taken:   %s: %s" % (where, text))
        for count in counts.values():
            total = [a + b for a, b in zip(total, count)]
    print("functions of mutants.list: %d of %d lines (%.1f %%), "
          "%d of %d branches (%.1f %%)" % (
              total[0], total[1], 100 * total[0] / max(1, total[1]),
              total[2], total[3], 100 * total[2] / max(1, total[3])))


main()
