# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # top is lib.sh of scripts
# What the tests of our own tools are made of: KTAP, a scratch folder, a tiny
# kernel tree and a queue for it. Sourced after scripts/lib.sh.

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0

pass() { passed=$((passed + 1)); echo "ok $((passed + failed + skipped)) $1"; }
fail() {
	failed=$((failed + 1))
	echo "not ok $((passed + failed + skipped)) $1"
	[ $# -lt 2 ] || printf '%s\n' "${@:2}" | sed 's/^/#   /'
}
skip() { skipped=$((skipped + 1)); echo "ok $((passed + failed + skipped)) $1 # SKIP $2"; }
# check NAME COMMAND...: the command succeeds
check() {
	if "${@:2}" >"$tmp/output" 2>&1; then
		pass "$1"
	else
		fail "$1" "failed: ${*:2}" "$(tail -n 20 "$tmp/output")"
	fi
}
# answers NAME STATUS PATTERN COMMAND...: it ends so, with one line that says so
answers() {
	local name=$1 status=$2 pattern=$3 is=0
	"${@:4}" >"$tmp/stdout" 2>"$tmp/stderr" </dev/null || is=$?
	if [ "$is" != "$status" ]; then
		fail "$name" "exit status $is, not $status: ${*:4}" "$(cat "$tmp/stderr")"
	elif ! grep -qE "$pattern" "$tmp/stderr"; then
		fail "$name" "expected: $pattern" "$(cat "$tmp/stderr")"
	elif [ "$(grep -c '^copy-on-fork:' "$tmp/stderr")" != 1 ]; then
		fail "$name" "not one clear line:" "$(cat "$tmp/stderr")"
	else
		pass "$name"
	fi
}
finish() {
	echo "1..$((passed + failed + skipped))"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

# fingerprint DIR: names, contents, modes and times of all below it
fingerprint() {
	{ find "$1" -printf '%P %y %m %T@ %C@\n' | sort
		find "$1" -type f -print0 | sort -z | xargs -0r sha256sum; } | sha256sum
}

# tiny_kernel DIR [VERSION]: what passes for a kernel tree, of 3 files
tiny_kernel() {
	local v=${2:-6.12.5}
	mkdir -p "$1/mm" "$1/include/linux"
	echo '# Kbuild' >"$1/Kbuild"
	printf 'VERSION = %s\nPATCHLEVEL = %s\nSUBLEVEL = %s\nEXTRAVERSION =\n' \
		"$(echo "$v" | cut -d. -f1)" "$(echo "$v" | cut -d. -f2)" \
		"$(echo "$v" | cut -d. -f3)" >"$1/Makefile"
	seq 1 40 | sed 's/.*/line & of memory.c/' >"$1/mm/memory.c"
	seq 1 40 | sed 's/.*/line & of mm.h/' >"$1/include/linux/mm.h"
}
git_kernel() {
	tiny_kernel "$@"
	git init -q -b master "$1"
	git -C "$1" add -A
	git -C "$1" -c user.name=T -c user.email=t@example.org commit -q -m base
}
# tiny_queue DIR KERNEL: a queue of two patches for it, in DIR/6.12.y
tiny_queue() {
	local q=$1/6.12.y work=$1/work
	mkdir -p "$q"
	printf 'package no-such-package\nversion 6.12\nbranch linux-6.12.y\n' >"$q/base"
	rm -rf "$work"
	git clone -q "$2" "$work"
	git -C "$work" config user.name 'A Person With A Name That Is Rather Long Indeed'
	git -C "$work" config user.email a.person@a.host.with.a.long.name.example.org
	sed -i '10s/.*/line ten, changed/' "$work/mm/memory.c"
	git -C "$work" commit -q -a -m 'mm: change line ten' -m 'For the test.'
	sed -i '20s/.*/line twenty, changed/' "$work/mm/memory.c"
	git -C "$work" commit -q -a -m 'mm: change line twenty' -m 'For the test, too.'
	mkdir -p "$1/o/6.12.y"
	rm -rf "$1/o/6.12.y/edit"
	git clone -q "$work" "$1/o/6.12.y/edit"
	git -C "$1/o/6.12.y/edit" tag base HEAD~2
	QUIET=1 O=$1/o PATCHES=$1 "$top/scripts/refresh" 6.12.y
	rm -rf "$work" "$1/o"
}
