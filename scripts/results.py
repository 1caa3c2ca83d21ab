#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Leave what a verb found where machines read it.

usage: results.py --verb VERB --out FOLDER [--queue QUEUE] [--config CONFIG]
                  [--arch ARCH] [--tree DIR] [--base DIR] [--command COMMAND]
                  [--build DIR] [--since SECONDS] NAME=KTAP|TABLE.csv...

Reads KTAP logs, or a table of figures whose first column names them, and writes FOLDER/results.json and FOLDER/results.xml. The JSON has
the fields of KCIDB's schema 5: one checkout, one build, and a test for each
result; what KCIDB has no field for stands in `misc`. The XML is JUnit's. boot/verdict
uses write() itself, since only it knows what a test said on the base.
"""

import argparse
import csv
import datetime
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ORIGIN = "copy_on_fork"
STATUS = {"pass": "PASS", "fail": "FAIL", "skip": "SKIP", "absent": "MISS",
          "done": "DONE"}
COUNTED = {"pass": "passed", "fail": "failed", "skip": "skipped", "done": "passed"}
RESULT = re.compile(r"( *)(not )?ok (\d+)(?: -)?(?: (.*))?$")


def git(folder, *words):
    """What git says of a folder, or nothing."""
    done = subprocess.run(["git", "-C", folder or ".", *words], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout.strip() if done.returncode == 0 else ""


def compiler(build):
    """The compiler that a kernel's .config names."""
    try:
        with open(os.path.join(build, ".config"), encoding="utf-8") as config:
            for line in config:
                if line.startswith("CONFIG_CC_VERSION_TEXT="):
                    return line.split('"')[1]
    except (OSError, IndexError):
        pass
    return ""


def checkout(args, start):
    """What was tested: a tree, one commit of ours."""
    here = os.path.dirname(os.path.abspath(__file__))
    commit = git(args.tree, "rev-parse", "HEAD") if args.tree else ""
    entry = {
        "id": f"{ORIGIN}:{args.queue or 'all'}-{commit or 'none'}",
        "origin": ORIGIN,
        "tree_name": args.queue or "all",
        "start_time": start,
        "valid": True,
        "comment": git(args.base, "log", "-1", "--format=%s", "--max-parents=0")
        if args.base else "",
        "misc": {"project_commit": git(here, "rev-parse", "HEAD"),
                 "project_modified": bool(git(here, "status", "--porcelain", "-uno"))},
    }
    if commit:
        entry["git_commit_hash"] = commit
        entry["git_repository_branch"] = git(args.tree, "branch", "--show-current")
    return entry


def test_path(name):
    """A name as KCIDB wants a path: words of [a-zA-Z0-9_-], dots between them."""
    return re.sub(r"[^.a-zA-Z0-9_-]+", "_", name.replace(": ", ".")).strip("_.")


def document(args, results):
    """The results as KCIDB has them: a checkout, a build, tests."""
    now = datetime.datetime.now(datetime.timezone.utc)
    start = (now - datetime.timedelta(seconds=args.duration)).isoformat("T", "seconds")
    source = checkout(args, start)
    build = {
        "id": f"{source['id']}-{args.arch}-{args.config or args.verb}",
        "checkout_id": source["id"],
        "origin": ORIGIN,
        "architecture": args.arch,
        "config_name": args.config,
        "compiler": compiler(args.build) if args.build else "",
        "command": args.command,
        "start_time": start,
        "status": "PASS",
    }
    tests, counts = [], {"passed": 0, "failed": 0, "skipped": 0}
    for number, (name, status, base, why) in enumerate(results, 1):
        counts[COUNTED[status]] += 1
        entry = {
            "id": f"{build['id']}-{args.verb}-{number}",
            "build_id": build["id"],
            "origin": ORIGIN,
            "path": f"{args.verb}.{test_path(name)}",
            "status": STATUS[status],
            "misc": {"name": name},
        }
        if why:
            entry["comment"] = why
        if base:
            entry["misc"]["base"] = STATUS[base]
        tests.append(entry)
    source["misc"].update(verb=args.verb, counts=counts, duration=args.duration)
    return {"version": {"major": 5, "minor": 3}, "checkouts": [source],
            "builds": [{k: v for k, v in build.items() if v != ""}], "tests": tests}


def junit(found):
    """The same as JUnit's XML."""
    counts = found["checkouts"][0]["misc"]["counts"]
    suite = xml.Element("testsuite", {
        "name": found["builds"][0]["id"], "tests": str(len(found["tests"])),
        "failures": str(counts["failed"]), "skipped": str(counts["skipped"]),
        "errors": "0"})
    for test in found["tests"]:
        program, _, case = test["misc"]["name"].rpartition(": ")
        entry = xml.SubElement(suite, "testcase", {
            "classname": program or found["checkouts"][0]["misc"]["verb"],
            "name": case})
        if test["status"] in ("FAIL", "SKIP"):
            what = "skipped" if test["status"] == "SKIP" else "failure"
            xml.SubElement(entry, what, {"message": test.get("comment", "")})
    return suite


def write(args, results):
    """Write results.json and results.xml of (name, status, base status, why)s."""
    found = document(args, results)
    os.makedirs(args.out, exist_ok=True)
    suite = xml.ElementTree(junit(found))
    xml.indent(suite)
    path = os.path.join(args.out, "results")
    with open(path + ".json.part", "w", encoding="utf-8") as out:
        json.dump(found, out, indent=1)
        out.write("\n")
    suite.write(path + ".xml.part", encoding="utf-8", xml_declaration=True)
    for kind in ("json", "xml"):
        os.replace(f"{path}.{kind}.part", f"{path}.{kind}")


def read_ktap(name, path):
    """The innermost results of a log: a test with subtests is not one of its own."""
    found, deeper = [], False
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            result = RESULT.match(line.rstrip())
            if not result:
                continue
            if result[1]:
                deeper = True
            elif deeper:
                # A summary of what stands above, unless it failed by itself.
                deeper = False
                if not result[2]:
                    continue
            title, _, why = (result[4] or f"test {result[3]}").partition(" # ")
            status = "fail" if result[2] else "pass"
            if why.upper().startswith(("SKIP", "TODO", "XFAIL")):
                status = "skip"
            found.append((f"{name}: {title}" if name else title, status, "", why))
    return found


def read_csv(path):
    """Figures: a result that is neither good nor bad for each row."""
    with open(path, encoding="ascii", newline="") as rows:
        return [(next(iter(row.values())), "done", "",
                 ", ".join(f"{key} {value}" for key, value in list(row.items())[1:]))
                for row in csv.DictReader(rows)]


def arguments():
    """The options that all who write results share."""
    parser = argparse.ArgumentParser(add_help=False)
    for option in ("verb", "out", "queue", "config", "tree", "base", "build", "command"):
        parser.add_argument(f"--{option}", default="")
    parser.add_argument("--arch", default="x86_64")
    parser.add_argument("--since", type=float, default=time.time(), help="epoch seconds")
    return parser


def finish(args):
    """How long it took, once it has ended."""
    args.duration = max(0, round(time.time() - args.since))
    return args


def main():
    """Read the logs, write the results."""
    parser = argparse.ArgumentParser(parents=[arguments()])
    parser.add_argument("logs", nargs="+", metavar="NAME=KTAP|TABLE.csv")
    args = finish(parser.parse_args())
    if not args.verb or not args.out:
        parser.error("--verb and --out are needed")
    results = []
    for log in args.logs:
        name, _, path = log.rpartition("=")
        results += read_csv(path) if path.endswith(".csv") else read_ktap(name, path)
    write(args, results)


if __name__ == "__main__":
    sys.exit(main())
