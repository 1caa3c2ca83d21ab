#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Put past defects back, one at a time, and see whether the tests catch them.

usage: replay.py LISTS IMPORT OUT JOBS ONE SOURCE... -- COMPILER ARGUMENT...

LISTS is a folder; each NAME.list in it is a kind of defect. An entry:

  name: commit, what was wrong, in our own words
	FUNCTION	/REGEX/REPLACEMENT/
	FUNCTION	/REGEX/REPLACEMENT/
	or
	FUNCTION	/REGEX/REPLACEMENT/
	missed: why no test can tell yet

The commit is the one that fixed it, or the release, or a queue of ours that does;
"alike": an edit of the same kind, after no commit; "none": a rule left out. All
edits up to an "or" make the defect; the first group that fits the tree is taken. "~"
in them stands for any blanks; every place that matches is changed, in every copy of
the function. "struct NAME" or a macro can stand for the function. An entry that fits
nowhere in a tree is not of that tree. One with a "missed:" counts as not caught, and
fails if it is, so that the list is kept true.
What the tests pass is tried again with sanitizers. The last lines are the figures.
"""

import concurrent.futures
import fnmatch
import glob
import os
import re
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import mutate  # noqa: E402


class Entry:
    """A past defect: its name, kind, commit, and groups of (function, from, to)"""

    def __init__(self, kind, name, commit, what):
        self.kind, self.name, self.commit, self.what = kind, name, commit, what
        self.groups, self.missed = [[]], None


def edit(line, where):
    """FUNCTION /REGEX/REPLACEMENT/"""
    m = re.match(r"\s+((?:struct )?\S+)\s+/((?:\\.|[^/\\])*)/((?:\\.|[^/\\])*)/\s*$", line)
    if not m:
        sys.exit("%s: not FUNCTION /REGEX/REPLACEMENT/" % where)
    name, old, new = m.groups()
    return name, re.sub(r"~", r"\\s*", old), \
        new.replace("~", " ").replace(r"\/", "/")


def read(folder):
    for path in sorted(glob.glob(os.path.join(folder, "*.list"))):
        kind, entry, seen = os.path.basename(path)[:-5], None, set()
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                where = "%s:%d" % (path, number)
                if line.startswith("#") or not line.strip():
                    continue
                if not line[0].isspace():
                    if entry:
                        yield entry
                    m = re.match(r"([\w-]+): ([\w./-]+), (.*)", line)
                    if not m or m[1] in seen:
                        sys.exit(where + ": not a new NAME: COMMIT, WHAT")
                    seen.add(m[1])
                    entry = Entry(kind, *m.groups())
                elif line.strip() == "or":
                    entry.groups.append([])
                elif line.strip().startswith("missed:"):
                    entry.missed = line.strip()[7:].strip()
                else:
                    entry.groups[-1].append(edit(line, where))
        if entry:
            yield entry


class Imported:
    """What import.py wrote: where each definition is"""

    def __init__(self, folder):
        self.folder, self.texts = folder, {}
        for path in sorted(glob.glob(os.path.join(folder, "**", "*.[ch]"),
                                     recursive=True)):
            with open(path, encoding="utf-8", errors="surrogateescape") as f:
                self.texts[os.path.relpath(path, folder)] = f.read()

    def find(self, name, texts):
        """The files that have the body of a definition, and where"""
        for file, text in texts.items():
            if name.startswith("struct "):
                m = re.search(r"^%s\s*\{.*?^\}" % re.escape(name), text, re.M | re.S)
                at = m.span() if m else None
            else:
                at = mutate.definition(text, name)
            if at:
                yield file, at

    def put_back(self, group):
        """{file: text} with the defect, or None where it does not fit"""
        texts = dict(self.texts)
        for name, old, new in group:
            fits = False
            for file, at in list(self.find(name, texts)):
                text = texts[file]
                # In what is no comment, and with as many lines as before.
                blank = mutate.without_comments(text[at[0]:at[1]])
                edited, n = re.subn(old, new, blank, flags=re.S)
                if n and edited != blank:
                    fits = True
                    texts[file] = text[:at[0]] + edited + text[at[1]:]
            if not fits:
                return None
        return {file: text for file, text in texts.items() if text != self.texts[file]}


def main():
    folder, imported, out, jobs, one = sys.argv[1:6]
    rest = sys.argv.index("--")
    tree = Imported(imported)
    entries = [e for e in read(folder) if not one or
               any(fnmatch.fnmatchcase(e.name, p) or e.kind == p for p in one.split())]
    if not entries:
        sys.exit("%s: nothing of that name: %s" % (folder, one))
    shutil.rmtree(out, ignore_errors=True)
    first = next(iter(tree.texts))
    bench = mutate.Benches(
        mutate.Bench(out, sys.argv[6:rest], sys.argv[rest + 1:],
                     300 if "KCSAN" in os.environ else 10),
        {first: tree.texts[first]})
    todo = []
    for e in entries:
        todo.append(next(filter(None, map(tree.put_back, e.groups)), None))
    print("KTAP version 1\n1..%d" % len(entries), flush=True)

    def replay(n):
        return bench.run(n, todo[n]) if todo[n] else "not of this tree"

    passed = failed = skipped = 0
    kinds = {}
    with concurrent.futures.ThreadPoolExecutor(int(jobs)) as pool:
        for n, result in enumerate(pool.map(replay, range(len(entries)))):
            e = entries[n]
            what = "%d - %s.%s (%s)" % (n + 1, e.kind, e.name, e.commit)
            figure = kinds.setdefault(e.kind, [0, 0, [], 0, 0])
            caught = result.startswith("caught")
            if result == "not of this tree":
                skipped += 1
                print("ok %s # SKIP %s" % (what, result), flush=True)
                continue
            figure[1] += 1
            figure[0] += caught
            if not caught:
                figure[2].append(e.name)
            figure[3] += e.commit not in ("alike", "none")
            figure[4] += caught and e.commit not in ("alike", "none")
            if caught and not e.missed:
                passed += 1
                print("ok %s, %s" % (what, result), flush=True)
            elif not caught and e.missed and "compile" not in result:
                skipped += 1
                print("not ok %s # TODO not caught: %s" % (what, e.missed), flush=True)
            else:
                failed += 1
                print("# %s\n# %s/%d\nnot ok %s, %s" % (
                    e.what, out, n, what,
                    "but its list says that it is missed: " + result
                    if caught else result.strip().replace("\n", "\n# ")), flush=True)
    caught = sum(f[0] for f in kinds.values())
    total = sum(f[1] for f in kinds.values())
    for kind, (good, of, missed, _, _) in kinds.items():
        print("# %-24s %3d of %3d caught%s" % (
            kind, good, of, ", not " + " ".join(missed) if missed else ""))
    print("# %-24s %3d of %3d caught, %.0f%%" % (
        "all", caught, total, 100 * caught / total if total else 0))
    print("# %-24s %3d of %3d caught" % (
        "of these with a commit", sum(f[4] for f in kinds.values()),
        sum(f[3] for f in kinds.values())))
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    sys.exit(1 if failed or not passed else 0)


main()
