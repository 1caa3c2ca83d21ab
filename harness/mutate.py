#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Change the imported code in one place after the other and run the tests.

usage: mutate.py LIST IMPORT OUT JOBS TREE.C SOURCE... -- COMPILER ARGUMENT...

A list says, a line each, which definition of which imported file is changed
in which ways (the functions below; "general" for all that fit). IMPORT is what import.py wrote and stays as
it is: a mutant is a copy of one file in OUT/<number>/, found first by -I. The
tests that are built with it must fail; a mutant with which they pass has
survived, and that is a failure. What does not compile, or compiles to the same
code as before, is no mutant: it is named, and counted as skipped.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys


def sites(text, pattern, new):
    """Each match of the pattern replaced in turn: (offset, what, text)"""
    for m in re.finditer(pattern, text):
        to = new(m) if callable(new) else m.expand(new)
        yield m.start(), "%s -> %s" % (" ".join(m[0].split()), to), \
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
    return sites(text, r"\b(src|dst)(?=_\w+)", lambda m: other[m[1]])


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
    return sites(text, r"(?<=[;{})]\n)(\t+)(?!return\b|goto\b|break\b|continue\b|"
                 r"case\b|default\b|else\b|do\b)[\w*(+-][^;{}]*;", r"\1;")


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
    """a way out not taken"""
    return sites(text, r"\b(goto \w+|break|continue|return -?\w+);", ";")


GENERAL = [swap, negate, never, always, equal, flip, delete, compare, logic,
           number, page, leave]


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
    m = re.search(r"^[^\n;#]*\b%s\([^;{]*\)\n\{\n(.*?)^\}\n" % re.escape(name),
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


def mutants(path, imported):
    with open(path, encoding="utf-8") as f:
        for line in f:
            words = line.partition("#")[0].split()
            if not words:
                continue
            with open(os.path.join(imported, words[0]), encoding="utf-8") as i:
                text = i.read()
            for name in words[1].split("|"):
                at = definition(text, name)
                if at:
                    break
            else:
                sys.exit("%s: no definition of %s to change" % (path, words[1]))
            body = without_comments(text[at[0]:at[1]])
            ways = [w.__name__ for w in GENERAL] if words[2] == "general" \
                else words[2:]
            for way in ways:
                found = list(globals()[way](body))
                if not found and words[2] != "general":
                    sys.exit("%s: %s: nowhere to %s" % (path, name, way))
                for offset, what, new in found:
                    if new == body:
                        sys.exit("%s: %s changes nothing" % (name, what))
                    yield (words[0], "%s %s: %s: %s" % (
                        where(text, at[0] + offset), name, way, what),
                        text[:at[0]] + new + text[at[1]:])


class Bench:
    """Where mutants are built and tried"""

    def __init__(self, out, tree, others, compiler):
        self.out, self.tree, self.others = out, tree, others
        self.compiler = compiler
        self.base = None

    def compile(self, folder, *args):
        return subprocess.run(
            [self.compiler[0], "-I" + folder, *self.compiler[1:], *args],
            cwd=folder, capture_output=True, text=True).returncode == 0

    def run(self, number, mutant):
        """What became of it; only "caught by ..." is good"""
        folder = os.path.abspath(os.path.join(self.out, str(number)))
        path = os.path.join(folder, mutant[0])
        os.makedirs(os.path.dirname(path))
        with open(path, "w", encoding="utf-8") as f:
            f.write(mutant[2])
        if not self.compile(folder, "-c", self.tree):
            return "does not compile"
        tree = os.path.join(folder, "tree.o")
        with open(tree, "rb") as f:
            code = f.read()
        if self.base and code == self.base[0]:
            return "compiles to the same code"
        # what is in a .c file only the tree's translation unit can see
        others = self.base[1] if self.base else None
        if not others or not path.endswith(".c"):
            if not self.compile(folder, "-c", *self.others):
                return "does not compile"
            others = [os.path.join(folder, f) for f in os.listdir(folder)
                      if f.endswith(".o") and f != "tree.o"]
        if not self.base:
            self.base = code, others
        tests = os.path.join(folder, "tests")
        if not self.compile(folder, "-o", tests, tree, *others):
            return "does not compile"
        ran = subprocess.run([tests, "-t", "20"], capture_output=True,
                             text=True)
        closing = re.search(r"^\d+ passed, \d+ failed, \d+ skipped$",
                            ran.stdout, re.M)
        failed = re.findall(r"^not ok \d+ - (\S+)", ran.stdout, re.M)
        if ran.returncode and failed and closing:
            return "caught by " + " ".join(failed)
        return "SURVIVED" if closing else "no closing line"


def main():
    global FLAGS
    path, imported, out, jobs, tree = sys.argv[1:6]
    rest = sys.argv.index("--")
    bench = Bench(out, tree, sys.argv[6:rest], sys.argv[rest + 1:])
    with open(os.path.join(imported, "flag_names.h"), encoding="utf-8") as f:
        FLAGS = re.findall(r"^#ifdef (\w+)", f.read(), re.M)
    shutil.rmtree(out, ignore_errors=True)
    todo = list(mutants(path, imported))
    with open(os.path.join(imported, todo[0][0]), encoding="utf-8") as f:
        result = bench.run("base", (todo[0][0], None, f.read()))
    if result != "SURVIVED":
        sys.exit("the tests do not pass without a mutant: " + result)
    print("KTAP version 1\n1..%d" % len(todo), flush=True)
    count = {"ok": 0, "not ok": 0, "skip": 0}
    with concurrent.futures.ThreadPoolExecutor(int(jobs)) as pool:
        results = pool.map(bench.run, range(len(todo)), todo)
        for n, result in enumerate(results):
            if "compile" in result:
                count["skip"] += 1
                print("ok %d - %s # SKIP %s" % (n + 1, todo[n][1], result))
                continue
            verdict = "ok" if result.startswith("caught") else "not ok"
            count[verdict] += 1
            if verdict == "not ok":
                print("# %s/%d" % (out, n))
            print("%s %d - %s, %s" % (verdict, n + 1, todo[n][1], result))
    print("%d passed, %d failed, %d skipped" % tuple(count.values()))
    sys.exit(1 if count["not ok"] or not count["ok"] else 0)


main()
