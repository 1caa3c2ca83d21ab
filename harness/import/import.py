#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Take kernel definitions verbatim from a tree, by name.

usage: import.py TREE OUT LIST...

A list says, a line each, from which file of the tree which names are taken:

    mm/memory.c                    vma_needs_copy
    kernel/fork.c|mm/mmap.c        dup_mmap        # the first that has it
    include/linux/userfaultfd_k.h  userfaultfd_rwp?  # only where it exists
    include/linux/mm.h             VM_*            # a glob, one hit at least
    mm/memory.c                    copy_page_range+ -dump_*
                                   # and what it uses of that file, but for ...
    mm/vma.c                       * -pr_fmt       # all names, but for ...
    mm/interval_tree.c             =               # the text whole, #include apart

and becomes OUT/<list>/<file>, one for each (first) file, in the order of the
file itself: the definitions, the #if lines that enclose them, #line, and
nothing else. A name stands for all that the file declares by it at its top
level: function, prototype, macro, type or variable, in each branch of an #if;
for an enumerator the enum as a whole. OUT/<list>/has.h defines
TREE_HAS_<name>; OUT/import.d is for make.

Exit status 1: a name is in none of its files (each is named, with its
nearest); 2: no tree, no ctags, or a list that cannot be read.
"""

import difflib
import fnmatch
import json
import os
import re
import subprocess
import sys

KINDS = {"function", "prototype", "macro", "struct", "union", "enum",
         "typedef", "enumerator", "variable", "externvar"}
DIRECTIVE = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b")


def die(status, *lines):
    print("\n".join(lines), file=sys.stderr)
    sys.exit(status)


def matches(name, patterns):
    return any(fnmatch.fnmatchcase(name, p) for p in patterns)


class Source:
    """A file of the tree: its lines, its conditionals, its definitions."""

    def __init__(self, tree, name):
        self.name = name
        self.path = os.path.join(tree, name)
        with open(self.path, encoding="utf-8", errors="surrogateescape") as f:
            self.lines = f.read().split("\n")
        self.groups = self.conditionals()
        self.ranges = {}        # name: list of (first, last), counted from 0
        self.definitions()

    def continued(self, i):
        """The last line of the preprocessor directive that starts at i."""
        while self.lines[i].endswith("\\"):
            i += 1
        return i

    def conditionals(self):
        """Each #if group as its list of directive lines, the guard left out"""
        groups, stack, comment = [], [], False
        for i, line in enumerate(self.lines):
            m = None if comment else DIRECTIVE.match(line)
            if m and m[1].startswith("if"):
                stack.append([i])
                groups.append(stack[-1])
            elif m and stack:
                stack[-1].append(i)
                if m[1] == "endif":
                    stack.pop()
            # a comment that is open at the end of this line
            text = re.sub(r'"(\\.|[^"\\])*"|//.*', "", line)
            text = text.rpartition("*/")[2] if "*/" in text or comment else text
            if "*/" in line or not comment:
                comment = "/*" in text
        if groups:
            m = re.match(r"#ifndef (\w+)$", self.lines[groups[0][0]])
            after = "\n".join(self.lines[groups[0][0] + 1:groups[0][0] + 4])
            if m and re.search(r"#\s*define %s\b" % m[1], after):
                groups.pop(0)
        return groups

    def definitions(self):
        out = subprocess.run(
            ["ctags", "--options=NONE", "--language-force=C",
             "--output-format=json", "--fields=+nesK", "--kinds-C=+px",
             "-o", "-", self.path],
            check=True, capture_output=True, text=True,
            errors="surrogateescape").stdout
        tags = [json.loads(line) for line in out.splitlines()]
        enums = {t["name"]: t for t in tags if t.get("kind") == "enum"}
        for t in tags:
            if t.get("kind") not in KINDS:
                continue
            name = t["name"]
            if t["kind"] == "enumerator":
                t = enums.get(t.get("scope"))
            if not t or "scope" in t:
                continue
            r = self.extent(t)
            if r not in self.ranges.setdefault(name, []):
                self.ranges[name].append(r)

    def extent(self, tag):
        first = tag["line"] - 1
        if tag["kind"] == "macro":
            last = self.continued(first)
            # with the comment behind it, which may go on
            while self.in_comment(first, last):
                last += 1
            return first, last
        last = tag.get("end", tag["line"]) - 1
        if tag["kind"] != "function":
            while ";" not in self.lines[last]:
                last += 1
        if tag["kind"] == "typedef":
            while not re.match(r"\s*typedef\b", self.lines[first]):
                first -= 1
        # "static bool" may stand on the line before the name
        while first and self.goes_on(first - 1):
            first -= 1
        return first, last

    def in_comment(self, first, last):
        text = "\n".join(self.lines[first:last + 1])
        return text.rfind("/*") > text.rfind("*/")

    def goes_on(self, i):
        """Does the declaration on line i go on below it?"""
        line = self.lines[i].rstrip()
        return not (line == "" or line.endswith((";", "}", "*/", "\\", ":"))
                    or line.lstrip().startswith(("#", "//", "/*", "*"))
                    or (i and self.lines[i - 1].endswith("\\")))

    def used(self, names, but):
        """The names, and what of this file they use, and that uses, ..."""
        todo, found = list(names), set(names)
        while todo:
            text = "\n".join("\n".join(self.lines[first:last + 1])
                             for first, last in self.ranges[todo.pop()])
            text = re.sub(r'/\*.*?\*/|//[^\n]*|"(\\.|[^"\\\n])*"', " ", text,
                          flags=re.S)
            for name in re.findall(r"[A-Za-z_]\w*", text):
                if name in self.ranges and name not in found and \
                        not matches(name, but):
                    found.add(name)
                    todo.append(name)
        return sorted(found)

    def emit(self, names):
        if "=" in names:
            return '#line 1 "%s"\n' % self.path + re.sub(
                r"(?m)^#\s*include\b.*", "", "\n".join(self.lines))
        wanted = set()
        for name in names:
            for first, last in self.ranges[name]:
                wanted.update(range(first, last + 1))
        for g in self.groups:
            if any(i in wanted for i in range(g[0] + 1, g[-1])):
                for i in g:
                    wanted.update(range(i, self.continued(i) + 1))
        text, before = [], None
        for i in sorted(wanted):
            if before != i - 1:
                text.append('#line %d "%s"' % (i + 1, self.path))
            text.append(self.lines[i])
            before = i
        return "\n".join(text) + "\n"


class Importer:
    def __init__(self, tree, out):
        self.tree, self.out = tree, out
        self.sources, self.gone = {}, []

    def source(self, name):
        if name not in self.sources:
            there = os.path.isfile(os.path.join(self.tree, name))
            self.sources[name] = Source(self.tree, name) if there else None
        return self.sources[name]

    def find(self, files, pattern, where):
        """The first of the files that has the name, and the names it has"""
        optional = "?" in pattern[-2:]
        pattern = pattern.rstrip("?+")
        for s in filter(None, map(self.source, files)):
            hits = fnmatch.filter(s.ranges, pattern)
            if hits:
                return s, hits
        if not optional:
            known = [n for s in filter(None, map(self.source, files))
                     for n in s.ranges]
            near = difflib.get_close_matches(pattern, known, 3, 0.6)
            what = "nearest: " + ", ".join(near) if near else (
                "nothing like it there" if known else "no such file")
            self.gone.append("%s: %s: not in this tree (%s); looked for by %s" %
                             ("|".join(files), pattern, what, where))
        return None, []

    def take(self, path):
        """Read a list: {first file: {source: names}}, in the list's order"""
        taken = {}
        with open(path, encoding="utf-8") as f:
            for number, line in enumerate(f, 1):
                words = line.partition("#")[0].split()
                if not words:
                    continue
                if len(words) == 1:
                    die(2, "%s:%d: a file, but no name" % (path, number))
                files = words[0].split("|")
                by_source = taken.setdefault(files[0], {})
                but = [w[1:] for w in words[1:] if w.startswith("-")]
                for word in words[1:]:
                    if word.startswith("-"):
                        continue
                    if word == "=":
                        for s in filter(None, map(self.source, files)):
                            by_source[s] = ["="]
                        continue
                    s, hits = self.find(files, word, "%s:%d" % (
                        os.path.relpath(path), number))
                    hits = [h for h in hits if not matches(h, but)]
                    if s and "+" in word[-2:]:
                        hits = s.used(hits, but)
                    if s:
                        by_source.setdefault(s, []).extend(hits)
        return taken

    def write(self, name, text):
        """Write what has changed only, so that make rebuilds no more"""
        path = os.path.join(self.out, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="surrogateescape") as f:
                if f.read() == text:
                    return
        with open(path + ".new", "w", encoding="utf-8",
                  errors="surrogateescape") as f:
            f.write(text)
        os.replace(path + ".new", path)

    def run(self, lists):
        taken = {path: self.take(path) for path in lists}
        if self.gone:
            die(1, *self.gone)
        for path, files in taken.items():
            topic = os.path.splitext(os.path.basename(path))[0]
            has = set()
            for first, by_source in files.items():
                text = "".join(s.emit(n) for s, n in by_source.items())
                self.write(os.path.join(topic, first), text)
                has.update(n for names in by_source.values() for n in names)
            self.write(os.path.join(topic, "has.h"), "".join(
                "#define TREE_HAS_%s 1\n" % n for n in sorted(has - {"="})))
        used = [s.path for s in self.sources.values() if s]
        self.write("import.d", "%s/stamp: %s\n%s\n" % (
            self.out, " ".join(used), "".join("\n%s:" % u for u in used)))


def main():
    if len(sys.argv) < 4:
        die(2, __doc__.split("\n\n")[1])
    tree = os.path.realpath(sys.argv[1])
    if not os.path.isfile(os.path.join(tree, "include/linux/mm_types.h")):
        die(2, "%s: no kernel tree (no include/linux/mm_types.h)" % sys.argv[1])
    try:
        Importer(tree, sys.argv[2]).run(sys.argv[3:])
    except FileNotFoundError as e:
        if e.filename != "ctags":
            raise
        die(2, "ctags is missing: apt-get install universal-ctags")
    except UnicodeDecodeError as e:
        die(2, str(e))


main()
