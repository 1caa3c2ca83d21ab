#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make export: each form, applied with the tools of those who take it, gives the
# very files that `git am` gives.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/ktap.sh"
need quilt=quilt git=git
unset KDIR
export QUILT_PC=.pc QUILTRC=/dev/null

# same QUEUE FOLDER: the files that the queue touches are those of its tree
same() {
	local file
	while read -r file; do
		if [ -e "$out/$1/tree/$file" ]; then
			cmp "$out/$1/tree/$file" "$2/$file" || return 1
		else
			[ ! -e "$2/$file" ] || return 1
		fi
	done < <(touched "$1")
}
touched() {
	queue_patches "$1" | xargs sed -n 's|^diff --git a/\([^ ]*\) b/.*|\1|p' | sort -u
}
# files QUEUE FOLDER: the files that the queue touches, as its base has them
files() {
	local file
	mkdir -p "$2"
	touched "$1" | while read -r file; do
		[ ! -e "$out/$1/base/$file" ] || (cd "$out/$1/base" && cp --parents "$file" "$2/")
	done
}

for queue in 6.12.y mm-unstable; do
	"$top/scripts/tree" "$queue" base >/dev/null
	"$top/scripts/tree" "$queue" >/dev/null
	total=$(queue_patches "$queue" | wc -l)
	for format in quilt debian stable; do
		check "$queue: export $format" "$top/scripts/export" "$queue" "$format"
		dir=$out/$queue/export-$format work=$tmp/$queue-$format
		files "$queue" "$work"
		case $format in
		quilt) from=$dir/patches ;;
		debian) from=$dir/debian/patches ;;
		stable) from=
			check "$queue: stable: git am" sh -c "cd '$work' && git init -q &&
				git add -A && git -c user.name=T -c user.email=t@t commit -q -m base &&
				git -c user.name=T -c user.email=t@t am -q '$dir'/*.patch"
			check "$queue: stable: every patch has its reason" \
				test "$(wc -l <"$dir/REASONS")" = "$total" ;;
		esac
		[ -z "$from" ] || check "$queue: $format: quilt push -a" sh -c \
			"cd '$work' && QUILT_PATCHES='$from' quilt push -q -a --fuzz=0"
		check "$queue: $format: the same files as git am" same "$queue" "$work"
	done
	lacking=
	for patch in "$out/$queue"/export-debian/debian/patches/features/all/copy-on-fork/*; do
		for field in Description Author Origin Forwarded Last-Update; do
			[ "$(sed '/^---$/q' "$patch" | grep -c "^$field: .")" = 1 ] ||
				lacking+=" ${patch##*/}:$field"
		done
	done
	check "$queue: debian: DEP-3 headers$lacking" test -z "$lacking"
done

# Where each patch comes from stands in it: a commit, or none and why.
for dir in "$patches"/*/; do
	queue=$(basename "$dir")
	[[ $queue != mm-2025-11 ]] || continue	# says it in the file base
	lacking=
	for patch in $(queue_patches "$queue"); do
		awk '/^---$/ { notes = 1 } / \| +[0-9]+ |^diff --git / { exit } notes' "$patch" |
			grep -qE '^Upstream: ([0-9a-f]{12,40}|none, ..)' || lacking+=" ${patch##*/}"
	done
	check "$queue: each patch has Upstream:$lacking" test -z "$lacking"
done

# What is made of it.
export PATCHES=$tmp/patches O=$tmp/o
patches=$PATCHES out=$O
mkdir -p "$PATCHES"
git_kernel "$tmp/kernel"
tiny_queue "$PATCHES" "$tmp/kernel"
first=$(queue_patches 6.12.y | head -n 1)
second=$(queue_patches 6.12.y | tail -n 1)
sed -i '0,/^---$/s//---\nUpstream: 0123456789ab (differs because 6.12 has\n no such function)\n/' "$first"
sed -i '0,/^---$/s//---\nUpstream: none, for 6.12 alone\n/' "$second"
for format in debian stable; do
	"$top/scripts/export" 6.12.y "$format" >/dev/null
done
debian=$O/6.12.y/export-debian/debian/patches/features/all/copy-on-fork
check 'a backport names its commit and what differs' sh -c \
	"grep -q '^Origin: backport, https://git.kernel.org/linus/0123456789ab$' '$debian/${first##*/}' &&
	grep -q '^Comment: .*because 6.12 has no such function' '$debian/${first##*/}'"
check 'stable: the first line of a backport is its commit' sh -c \
	"awk 'body { print; exit } /^\$/ { body = 1 }' '$O/6.12.y/export-stable/${first##*/}' |
	grep -qx 'commit 0123456789ab upstream.'"
check 'stable: what is new says why' \
	grep -q "^${second##*/}: new (for 6.12 alone)" "$O/6.12.y/export-stable/REASONS"
answers 'a form that there is not' 2 'FORMAT=rpm: quilt, debian or stable' \
	"$top/scripts/export" 6.12.y rpm
finish
