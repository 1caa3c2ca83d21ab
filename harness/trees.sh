#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: [TREES='tree...'] trees.sh
#
# Run the tests on every kernel source package that is to be had and on the tree of
# each queue, or on TREES, and print what came of it, a line a tree. What is built is
# kept, so that the next run compiles only what has changed.
set -u
cd "$(dirname "$0")" || exit 2
scripts=../scripts
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES HARNESS_AGAIN KDIR QUEUE
export O=${O:-$PWD/../out}
logs=$(realpath -m "$O")/harness/trees
rm -rf "$logs"
mkdir -p "$logs"

# name PATH: one line about each tree to be run
list() {
	local path queue
	if [ -n "${TREES:-}" ]; then
		for path in $TREES; do
			echo "$(basename "$path" | sed 's/^linux-source-[^_]*_//') $path"
		done
		return
	fi
	path=$($scripts/sources) || exit
	for path in $path; do
		echo "$(basename "$path" | sed 's/^linux-source-[^_]*_//') $path"
	done
	for queue in ../patches/*/; do
		queue=$(basename "$queue")
		# Not of every queue is the base to be had as a package.
		grep -q '^package' "../patches/$queue/base" || continue
		path=$($scripts/tree "$queue") || exit
		echo "$queue $path"
	done
}

trees=$(list) || exit 2
[ -n "$trees" ] || { echo "no tree to run on" >&2; exit 2; }
printf '%-14s %6s %6s %7s  %s\n' tree passed failed skipped 'findings; known defects'
passed=0 failed=0 skipped=0
while read -r name path; do
	log=$logs/$name.log
	make -s --no-print-directory -j"${J:-$(nproc)}" test KDIR="$path" >"$log" 2>&1
	read -r p f s < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" |
		tail -n 1) || p=0 f=1 s=0
	if old=$(grep -o 'too old: .*[0-9]' "$log"); then
		p=0 f=0 s=1 said=$old
	elif [ -z "$p$f$s" ] || [ "$((p + f))" = 0 ]; then
		p=0 f=1 s=0 said="does not build: $(grep -m 1 -E 'error:|not in this tree' "$log")"
	else
		said=$(sed -n 's/^not ok [0-9]* - \([^ ]*\)$/\1/p' "$log" | paste -sd' ')
		said="${said:-none}; $(sed -n 's/^not ok [0-9]* - \([^ ]*\) # TODO.*/\1/p' \
			"$log" | paste -sd' ')"
	fi
	printf '%-14s %6d %6d %7d  %s\n' "$name" "$p" "$f" "$s" "${said%; }"
	[ "$f" = 0 ] || echo "  log: $log"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done <<<"$trees"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
