#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A host test in the form of MM CI's: LINUX_DIR names a kernel tree, a line with a
# tick or, after the log, a cross says how it went, and so does the exit status.
#
# Runs the harness of copy-on-fork, the tree's own fork code as a program, on that
# tree, which is only read. COPY_ON_FORK_DIR is where copy-on-fork is, if this
# script was copied elsewhere. Needs, of Debian or Ubuntu: gcc make git python3
# universal-ctags binutils.
set -euo pipefail

test_dir=$(dirname "$(realpath "$0")")
linux_dir=$(realpath -m "${LINUX_DIR:-$test_dir/../..}")
harness=${COPY_ON_FORK_DIR:-$test_dir/..}/harness
tmp_dir=$(mktemp -d)
trap 'rm -rf "$tmp_dir"' EXIT
log=$tmp_dir/log

fail() {
	cat "$log"
	echo "✗ $1"
	exit 1
}

: >"$log"
for tool in gcc make git python3 ctags; do
	command -v $tool >/dev/null || fail "fork harness: $tool is missing"
done
[ -f "$linux_dir/mm/memory.c" ] || fail "fork harness: LINUX_DIR=$linux_dir is no kernel tree"

echo "Building the fork harness..."
# `list` builds all and runs nothing.
make -s -j "$(nproc)" -C "$harness" list KDIR="$linux_dir" O="$tmp_dir/out" >"$log" 2>&1 ||
	fail "build of the fork harness failed"

echo "Running the fork harness..."
make -s -C "$harness" test KDIR="$linux_dir" O="$tmp_dir/out" >"$log" 2>&1 ||
	fail "fork harness failed: $(grep -E "passed,.*failed" "$log" || echo "no closing line")"

grep -E '# (TODO|SKIP)' "$log" | sed 's/^/  /' || :
echo "✓ fork harness passed: $(tail -n 1 "$log")"
