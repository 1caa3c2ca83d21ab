#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: KDIR=tree O=out matrix.sh
# The tests with each compiler and word size that this machine has; what is random
# with all seeds in the first of them, with a tenth in the others; schedules in the
# first and the last, so that each compiler and size has them. What the machine does
# not have is a skip, with the reason; a closing line of all.
set -u
here=$(cd "$(dirname "$0")" && pwd)
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
trap 'exit 130' INT TERM
n=0 passed=0 failed=0 skipped=0 part=1
echo 'int main(void) { return 0; }' >"$T/t.c"

echo "KTAP version 1"
echo "1..4"
for cc in gcc clang; do
	for bits in 64 32; do
		n=$((n + 1))
		if ! $cc -m$bits -fsanitize=address,undefined -o "$T/t" "$T/t.c" \
			>"$T/log" 2>&1 || ! "$T/t" >>"$T/log" 2>&1; then
			skipped=$((skipped + 1))
			echo "ok $n - $cc, $bits bit # SKIP cannot build or run here: $(head -n 1 "$T/log")"
			continue
		fi
		threads=()
		[[ $cc$bits = @(gcc64|clang32) ]] || threads=(THREADS=)
		SEEDS_PART=$part make --no-print-directory -C "$here" test CC=$cc BITS=$bits \
			"${threads[@]}" >"$T/log"
		status=$? part=10
		sed 's/^/    /' "$T/log"
		read -r p _ f _ s _ < <(tail -n 1 "$T/log")
		if [[ $(tail -n 1 "$T/log") =~ ^[0-9]+\ passed,\ [0-9]+\ failed,\ [0-9]+\ skipped$ ]]; then
			passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
		else
			failed=$((failed + 1))
		fi
		echo "$([ $status = 0 ] || echo 'not ')ok $n - $cc, $bits bit"
	done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
