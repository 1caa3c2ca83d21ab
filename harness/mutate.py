#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Change the imported code in one place after the other and run the tests.

usage: mutate.py LIST IMPORT OUT JOBS ONE SOURCE... -- COMPILER ARGUMENT...

A list says, a line each, which definition of which imported file is changed
in which ways (the functions below; "general" for all that fit; or one change of
one's own, /REGEX/REPLACEMENT/ with ~ for blanks; ? before a file: only where
there is something to change; * for the name: all functions of that file). With
SAMPLE= in the environment, so many of them are tried, chosen by SEED=. IMPORT is what import.py wrote
and stays as it is: a mutant is a copy of one file in OUT/<number>/, found first by -I. The
tests that are built with it must fail; a mutant with which they pass has
survived, and that is a failure. What does not compile, compiles to the same code
as before, or by a "= pattern # reason" of the list cannot be told from it, is no
mutant: it is named, and counted as skipped. What a function has twice is named with
[2] the second time. ONE: only of the names, or globs, in it.
"""

import collections
import concurrent.futures
import fnmatch
import os
import random
import re
import shutil
import subprocess
import sys
import threading


def sites(text, pattern, new):
    """Each match of the pattern replaced in turn: (offset, what, text)"""
    for m in re.finditer(pattern, text):
        to = new(m) if callable(new) else m.expand(new)
        line = text[text.rfind("\n", 0, m.start()) + 1:].partition("\n")[0]
        yield m.start(), "%s -> %s in: %s" % (
            " ".join(m[0].split()), to.strip(), line.strip()), \
            text[:m.start()] + to + text[m.end():]


def conditions(text):
    """Each condition of an if or while, with the parentheses around it"""
    for m in re.finditer(r"\b(if|while) \(", text):
        depth, i = 1, m.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[i], 0)
            i += 1
        yield m.end() - 1, i


def in_conditions(text, before):
    for first, last in conditions(text):
        old = text[first:last]
        yield first, "%s -> %s" % (" ".join(old.split()), before + "..."), \
            text[:first] + "(" + before + old + ")" + text[last:]


def swap(text):
    """source for destination, destination for source"""
    other = {"src": "dst", "dst": "src"}
    return sites(text, r"\b(src|dst)(_\w+(->\w+)?)",
                 lambda m: other[m[1]] + m[2])


def negate(text):
    return in_conditions(text, "!")


def never(text):
    """a condition dropped"""
    return in_conditions(text, "0 && ")


def always(text):
    return in_conditions(text, "1 || ")


def equal(text):
    """a mask compared instead of tested"""
    return sites(text, r"(?<=[\w)]) & (?=[\w(])", " == ")


def flip(text):
    """another answer"""
    other = {"true": "false", "false": "true"}
    return sites(text, r"(?<=return )(true|false)\b", lambda m: other[m[1]])


def delete(text):
    """a statement left out"""
    return sites(text, r"(?<=[;{})]\n)(\t+)(?!(return|goto|break|continue|case|"
                 r"default|else|do|const|struct|unsigned|bool|int|(\w+_t)) )"
                 r"[\w*(+-][^;{}]*;",
                 lambda m: m[1] + ";" + "\n" * m[0].count("\n"))


def compare(text):
    other = {"==": "!=", "!=": "==", "<": "<=", "<=": "<", ">": ">=",
             ">=": ">"}
    return sites(text, r"(?<= )(==|!=|<=?|>=?)(?= )", lambda m: other[m[1]])


def logic(text):
    other = {"&&": "||", "||": "&&"}
    return sites(text, r"(&&|\|\|)", lambda m: other[m[1]])


def number(text):
    """off by one"""
    return sites(text, r"(?<=[ (+-])(\d+)(?=[;,) ])", lambda m: str(int(m[1]) + 1))


def page(text):
    """off by one page"""
    return sites(text, r"\bPAGE_SIZE\b", "(2 * PAGE_SIZE)")


def leave(text):
    """a way out not taken, but for the end: what a function returns then is no rule"""
    return sites(text, r"\b(goto \w+|break|continue|return -?\w+);(?!\s*\Z)", ";")


GENERAL = [swap, negate, never, always, equal, flip, delete, compare, logic,
           number, page, leave]


def own(way):
    """/REGEX/REPLACEMENT/, ~ for each blank"""
    _, pattern, to, _ = re.split(r"(?<!\\)/", way.replace("~", " "))

    def change(text):
        return sites(text, pattern, to)
    return change


def drop(text):
    """a flag less in a mask"""
    yield from sites(text, r"\bVMA?_\w+(?=\s*(\\\n\s*)?[|)])(?<!ON_FORK)",
                     lambda m: "0")


def add(text):
    """each other flag more in a mask"""
    for flag in FLAGS:
        if not re.search(r"\b%s\b" % flag, text):
            m = re.search(r"\((?=VM_)", text)
            if m:
                yield m.start(), "+ " + flag, \
                    text[:m.end()] + flag + " | " + text[m.end():]


def definition(text, name):
    """Where the definition of the name stands in an imported file"""
    m = re.search(r"^#\s*define %s\b(.*\\\n)*.*\n" % re.escape(name), text,
                  re.M)
    if m:
        return m.start() + len("#define " + name), m.end()
    m = re.search(r"^[^\n;#]*\b%s\([^;{]*\)\n+\{\n(.*?)^\}\n" % re.escape(name),
                  text, re.M | re.S)
    return m.span(1) if m else None


def without_comments(text):
    """Comments made blank, so that nothing in them is changed"""
    return re.sub(r"/\*.*?\*/",
                  lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.S)


def where(text, offset):
    """Kernel file and line, from the #line above"""
    lines = text[:offset].split("\n")
    for back, line in enumerate(reversed(lines)):
        m = re.match(r'#line (\d+) "(.*)"', line)
        if m:
            return "%s:%d" % (m[2], int(m[1]) + back - 1)
    return "?"


def functions(text):
    """The names of the functions that an imported file defines"""
    return re.findall(r"^(?![ \t#/])[^\n;=#]*?\b(\w+)\([^;{}]*\)\n\{", text, re.M)


class List:
    """mutants.list: what to change, and which changes cannot be told apart"""

    def __init__(self, path):
        self.path, self.entries, self.twins = path, [], []
        with open(path, encoding="utf-8") as f:
            for line in f:
                if line.startswith("="):
                    self.twins.append(re.match(r"=\s*(.*?)\s+#\s*(.*)", line)
                                      .groups())
                elif line.partition("#")[0].split():
                    self.entries.append(line.partition("#")[0].split())

    def reason(self, what):
        """Why a survivor is none, if the list says so"""
        for pattern, reason in self.twins:
            if re.search(pattern, what):
                return reason
        return None

    def mutants(self, imported, one):
        for file, names, *ways in self.entries:
            optional, file = file.startswith("?"), file.lstrip("?")
            with open(os.path.join(imported, file), encoding="utf-8") as f:
                text = f.read()
            if names == "*":
                for name in dict.fromkeys(functions(text)):
                    if not one or any(fnmatch.fnmatchcase(name, p)
                                      for p in one.split()):
                        yield from self.of(file, text, name, ways, True)
                continue
            for name in names.split("|"):
                at = definition(text, name)
                if at:
                    break
            else:
                if optional:
                    continue
                sys.exit("%s: no definition of %s to change" %
                         (self.path, names))
            if one and not any(fnmatch.fnmatchcase(name, p)
                               for p in one.split()):
                continue
            yield from self.of(file, text, name, ways, optional)

    def of(self, file, text, name, ways, optional):
        """The mutants of one definition"""
        at = definition(text, name)
        body = without_comments(text[at[0]:at[1]])
        times = collections.Counter()
        general = ways == ["general"]
        for way in GENERAL if general else [
                globals()[w] if w in globals() else own(w) for w in ways]:
            found = list(way(body))
            if not found and not general and not optional:
                sys.exit("%s: %s: nowhere to %s" %
                         (self.path, name, " ".join(ways)))
            for offset, what, new in found:
                if new == body:
                    sys.exit("%s: %s changes nothing" % (name, what))
                what = "%s: %s: %s" % (name, way.__name__, what)
                times[what] += 1
                if times[what] > 1:
                    what += " [%d]" % times[what]
                yield file, "%s %s" % (where(text, at[0] + offset), what), \
                    text[:at[0]] + new + text[at[1]:]


# What import.py wrote of a source file of the kernel
IMPORTED = r"\w+/(mm|fs|kernel|lib)/.*\.c"


class Bench:
    """Where mutants are built and tried"""

    def __init__(self, out, sources, compiler, seconds=10):
        self.out, self.sources, self.compiler = out, sources, compiler
        self.seconds = seconds
        # In the build that looks at accesses: of what includes the kernel's sources.
        self.kcsan = os.environ.get("KCSAN", "").split()
        self.objects, self.codes = {}, {}
        # what is the tree's, and is compiled quickly; the rest shall run so
        self.tree = [source for source in sources if self.includes(source, IMPORTED)]

    def compile(self, folder, *args):
        return subprocess.run(
            [self.compiler[0], "-I" + folder, *self.compiler[1:], *args],
            cwd=folder, capture_output=True, text=True).returncode == 0

    def code(self, folder, source):
        """What a source compiles to, as well as the compiler can"""
        path = os.path.join(folder, "code.o")
        self.compile(folder, "-O2", "-c", "-o", path, source)
        with open(path, "rb") as f:
            return f.read()

    def of(self, file):
        """The sources that a change of an imported file can change"""
        if not file.endswith(".c"):
            return self.sources
        return [source for source in self.sources
                if self.includes(source, re.escape(file))]

    @staticmethod
    def includes(source, pattern):
        with open(source, encoding="utf-8") as f:
            return re.search(r'^#include "%s"' % pattern, f.read(), re.M)

    def same(self, folder, sources):
        """Is it the code that it was? Of a header, what fork() runs decides."""
        return all(self.code(folder, s) == self.codes[s] for s in sources
                   if s in self.codes)

    def build(self, folder, sources):
        objects = dict(self.objects)
        for source in sources:
            name = os.path.join(folder, os.path.basename(source)[:-1] + "o")
            level = "-O0" if source in self.tree else "-O1"
            kcsan = self.kcsan if source in self.tree else []
            if not self.compile(folder, level, *kcsan, "-c", "-o", name, source):
                return None
            objects[source] = name
        return objects

    def run(self, number, files):
        """What became of {file: text}; only "caught by ..." is good"""
        folder = os.path.abspath(os.path.join(self.out, str(number)))
        first = not self.objects
        sources = self.sources if first else []
        for file, text in files.items():
            path = os.path.join(folder, file)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as f:
                f.write(text)
            sources = sources + [s for s in self.of(file) if s not in sources]
        objects = self.build(folder, sources)
        tests = os.path.join(folder, "tests")
        if not objects or not self.compile(folder, "-o", tests,
                                           *objects.values()):
            return "does not compile"
        # Without an end is caught, too; seconds of the processor, whoever else runs.
        ran = subprocess.run(["sh", "-c", 'ulimit -t %d; exec "$0" -x -t 600' %
                              self.seconds, tests], capture_output=True, text=True,
                             errors="replace")
        closing = re.search(r"^\d+ passed, \d+ failed, \d+ skipped$",
                            ran.stdout, re.M)
        failed = re.findall(r"^not ok \d+ - (\S+)$", ran.stdout, re.M)
        if first:
            self.objects = objects
            self.codes = {s: self.code(folder, s) for s in self.tree}
        elif ran.returncode and failed and closing:
            shutil.rmtree(folder)
            return "caught by " + failed[-1]
        elif self.same(folder, sources):
            shutil.rmtree(folder)
            return "compiles to the same code"
        return "SURVIVED" if closing and not ran.returncode else ran.stdout


class Benches:
    """What no rule sees, a sanitizer may: what survives is tried again, with those"""

    def __init__(self, bench, base):
        self.bench, self.base = bench, base
        # Built where it is wanted, once.
        self.careful = Bench(os.path.join(bench.out, "sanitized"), bench.sources,
                             bench.compiler + ["-fsanitize=address,undefined",
                                               "-fno-sanitize-recover=all"], 60)
        self.one_at_a_time = threading.Lock()
        self.passes(bench)

    def passes(self, bench):
        result = bench.run("base", self.base)
        if result != "SURVIVED":
            sys.exit("the tests do not pass with nothing changed: " + result)

    def run(self, number, files):
        result = self.bench.run(number, files)
        # Where accesses are looked at, sanitizers cannot be.
        if result != "SURVIVED" or self.bench.kcsan:
            return result
        with self.one_at_a_time:
            if not self.careful.objects:
                self.passes(self.careful)
        return self.careful.run(number, files)


def main():
    global FLAGS
    path, imported, out, jobs, one = sys.argv[1:6]
    rest = sys.argv.index("--")
    with open(os.path.join(imported, "flag_names.h"), encoding="utf-8") as f:
        FLAGS = re.findall(r"^#ifdef (\w+)", f.read(), re.M)
    shutil.rmtree(out, ignore_errors=True)
    wanted = List(path)
    todo = list(wanted.mutants(imported, one))
    sample = int(os.environ.get("SAMPLE") or 0)
    # Not for the tests, which would run that one of their seeds alone.
    seed = int(os.environ.pop("SEED", None) or 1)
    if 0 < sample < len(todo):
        chosen = random.Random(seed).sample(range(len(todo)), sample)
        todo = [todo[n] for n in sorted(chosen)]
    if not todo:
        sys.exit("%s: nothing to change in %s" % (path, one))
    with open(os.path.join(imported, todo[0][0]), encoding="utf-8") as f:
        base = {todo[0][0]: f.read()}
    bench = Benches(Bench(out, sys.argv[6:rest], sys.argv[rest + 1:]), base)
    print("KTAP version 1\n1..%d" % len(todo), flush=True)
    passed = failed = skipped = 0
    files = {}
    with concurrent.futures.ThreadPoolExecutor(int(jobs)) as pool:
        results = pool.map(lambda n: bench.run(n, {todo[n][0]: todo[n][2]}),
                           range(len(todo)))
        for n, result in enumerate(results):
            what = todo[n][1]
            reason = result if "compile" in result else wanted.reason(what)
            file = re.sub(r".*?/((mm|fs|kernel|lib|include)/)", r"\1",
                          what.partition(":")[0])
            figure = files.setdefault(file, [0, 0])
            if not reason or result.startswith("caught"):
                figure[0] += result.startswith("caught")
                figure[1] += 1
            if result.startswith("caught"):
                passed += 1
                print("ok %d - %s, %s" % (n + 1, what, result), flush=True)
            elif reason:
                skipped += 1
                print("ok %d - %s # SKIP %s" % (n + 1, what, reason))
            else:
                failed += 1
                print("# %s/%d\nnot ok %d - %s, %s" % (
                    out, n, n + 1, what, result), flush=True)
    for file, (good, of) in sorted(files.items()):
        print("# %-32s %4d of %4d caught%s" % (
            file, good, of, ", %.0f%%" % (100 * good / of) if of else ""))
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
