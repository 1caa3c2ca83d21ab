#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Say where to put what a compiler missed: hint.py TREE LISTS < its messages

For each name that it does not know: where the tree defines it, and the line of
which list of harness/import/ takes it. Names that the tree does not define either
are for harness/shim/, where what cannot be imported is modelled or stubbed.
"""

import os
import re
import sys

MISSED = (r"implicit declaration of function .(\w+)", r".(\w+). undeclared",
          r"unknown type name .(\w+)", r"call to undeclared function .(\w+)",
          r"use of undeclared identifier .(\w+)", r"undefined reference to .(\w+)",
          r"incomplete type .(?:struct|union|enum) (\w+)",
          r"storage size of .(\w+). isn")
# Where the importer's lists take definitions from.
PLACES = ("include/linux", "include/asm-generic", "include/uapi", "mm", "fs",
          "kernel/fork.c", "lib/maple_tree.c")


def files(tree):
    for place in PLACES:
        path = os.path.join(tree, place)
        if os.path.isfile(path):
            yield place
        for at, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                if name.endswith((".h", ".c")):
                    yield os.path.relpath(os.path.join(at, name), tree)


def definitions(tree, names):
    """{name: [(file, line)]}, each once a file"""
    word = "|".join(map(re.escape, names))
    defines = re.compile(
        r"^(?:[ \t]*#[ \t]*define[ \t]+(%s)\b|(?:struct|union|enum)[ \t]+(%s)[ \t]*\{"
        r"|typedef\b[^;{}]*\b(%s);|(?![ \t#*/])[^\n;=#]*\b(%s)\([^;{}]*\)\s*\{"
        r"|\}[ \t]*(%s);|[ \t]+(%s)[ \t]*[=,][^=])"
        % ((word,) * 6), re.M)
    found = {}
    for file in files(tree):
        with open(os.path.join(tree, file), encoding="utf-8",
                  errors="surrogateescape") as f:
            text = f.read()
        for m in defines.finditer(text):
            name = next(filter(None, m.groups()))
            if all(file != there for there, _ in found.get(name, ())):
                found.setdefault(name, []).append(
                    (file, text.count("\n", 0, m.start()) + 1))
    return found


def main():
    tree, lists = sys.argv[1], sys.argv[2:]
    said = sys.stdin.read()
    names = sorted({m for p in MISSED for m in re.findall(p, said)})
    member = sorted(set(re.findall(
        r"(?:struct|union) (\w+).* has no member named .(\w+)", said) +
        re.findall(r"no member named .\w+. in .(?:struct )?(\w+)()", said)))
    found = definitions(tree, names) if names else {}
    takes = {}
    for path in lists:
        with open(path, encoding="utf-8") as f:
            for line in f:
                words = line.partition("#")[0].split()
                for file in words[0].split("|") if words else ():
                    takes.setdefault(file, "import/" + os.path.basename(path))
    for name in names:
        if name not in found:
            print("%s: not defined in this tree's headers and mm/: model or stub "
                  "it in harness/shim/" % name)
        for file, line in found.get(name, ())[:3]:
            print('%s: is in %s:%d: add "%s\t%s?" to harness/%s' % (
                name, file, line, file, name,
                takes.get(file, "import/mmap.list, and an #include of it to "
                          "vma_internal.h")))
    for struct, field in member:
        print("struct %s has no %s: if the tree's is not imported, the model in "
              "harness/shim/ wants it" % (struct, field or "such member"))


main()
