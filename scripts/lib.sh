# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What every script here starts with: the names of things, and how to say no.
#
# Exit status: 0 done, 1 it failed, 2 it was asked for something impossible.

set -euo pipefail

# An empty one is a value for a kernel's make.
[ -n "${ARCH:-}" ] || unset ARCH PAGES

# A parent make hands down O=, CC= and the rest; a kernel's make must not see
# them as its own command line.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL GNUMAKEFLAGS

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
QUEUE=${QUEUE:-6.12.y}
KDIR=${KDIR:-}
J=${J:-$(nproc)}
out=$(realpath -m "${O:-$top/out}")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/copy-on-fork
# Tests put queues of their own here.
patches=${PATCHES:-$top/patches}
# Commits that we make are the same on every machine.
who='copy-on-fork'
mail='copy-on-fork@localhost'

say() { printf '%s\n' "$*" >&2; }
note() { [ -z "${QUIET:-}" ] || return 0; say "$@"; }
# die [-STATUS] MESSAGE...: one line, and out
die() {
	local status=1
	case $1 in -[0-9]) status=${1#-}; shift ;; esac
	say "copy-on-fork: $*"
	exit "$status"
}

# need COMMAND=PACKAGE...: install what is missing, or say which line would
need() {
	local pair missing=()
	for pair; do
		case $pair in
		/*) [ -e "${pair%%=*}" ] || missing+=("${pair#*=}") ;;
		*) command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}") ;;
		esac
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	local line="apt-get install -y --no-install-recommends ${missing[*]}" sudo=()
	if [ "$(id -u)" != 0 ]; then
		sudo=(sudo -n)
		sudo -n true 2>/dev/null || die -2 "missing: ${missing[*]}; as root: $line"
	fi
	command -v apt-get >/dev/null || die -2 "missing: ${missing[*]}, and no apt-get here"
	say "install: ${missing[*]}"
	mkdir -p "$out"
	{
		"${sudo[@]}" apt-get update &&
		"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y \
			-o DPkg::Lock::Timeout=600 \
			--no-install-recommends "${missing[@]}"
	} >"$out/apt.log" 2>&1 </dev/null || die -2 "failed: $line (log: $out/apt.log)"
}

# space DIR MEGABYTES WHAT: say so before the long work, not after it
space() {
	local dir=$1 free
	while [ ! -d "$dir" ]; do dir=$(dirname "$dir"); done
	free=$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$2" ] ||
		die -2 "no space: $3 takes $2 MB, $1 has $free MB free"
}

# room DIR...: the megabytes that trees, and kernels (TREE/build-CONFIG), will take;
# what is there already takes no more, and what queues share is counted once
room() {
	local dir place queue before mb=500
	local -A counted=()
	for dir; do
		place=$dir
		if [[ $dir =~ ^"$out"/([^/]+)/base(/.*)?$ ]]; then
			queue=${BASH_REMATCH[1]}
			before=$(queues_before "$queue" | tail -n 1)
			if [ -n "$before" ]; then
				place=$out/$before/tree${BASH_REMATCH[2]}
			elif [ -z "${KDIR:-}" ]; then
				place=$(base_of "$queue" package)${BASH_REMATCH[2]}
			fi
		fi
		[ -z "${counted[$place]:-}" ] || continue
		counted[$place]=1
		case $dir in
		*/build-*) [ -e "$dir/vmlinux" ] || mb=$((mb + 500)) ;;
		*) [ -e "$dir/Makefile" ] || mb=$((mb + 2000)) ;;
		esac
	done
	echo $mb
}

# base_of QUEUE KEY: the values that patches/QUEUE/base gives KEY, a line each
base_of() {
	awk -v key="$2" '/^[#|]/ { next }
		$1 == key { sub(/^[^ \t]+[ \t]+/, ""); print }' "$patches/$1/base"
}

# queue_patches QUEUE: its patches in order, the cover letter not among them
queue_patches() {
	find "$patches/$1" -name '[0-9][0-9][0-9][0-9]-*.patch' \
		! -name '0000-*' | sort
}

# queues_before QUEUE: the queues that its base has applied, in order: what `after`
# names, and what that is after
queues_before() {
	local queue=$1 chain=() seen=" $1 "
	while queue=$(base_of "$queue" after) && [ -n "$queue" ]; do
		[ -f "$patches/$queue/base" ] ||
			die -2 "patches/$1/base: after $queue: there is no such queue"
		[[ $seen != *" $queue "* ]] ||
			die -2 "patches/$1/base: after $queue: it comes after itself"
		seen+="$queue "
		chain=("$queue" "${chain[@]}")
	done
	[ ${#chain[@]} = 0 ] || printf '%s\n' "${chain[@]}"
}

# tree_version DIR: VERSION.PATCHLEVEL.SUBLEVEL of a kernel tree, else nothing
tree_version() {
	[ -f "$1/Makefile" ] && [ -f "$1/Kbuild" ] && [ -d "$1/mm" ] || return 0
	awk '$2 == "=" && $1 ~ /^(VERSION|PATCHLEVEL|SUBLEVEL)$/ { v[$1] = $3 }
		NR > 10 { exit }
		END { if ("PATCHLEVEL" in v)
			print v["VERSION"] "." v["PATCHLEVEL"] "." v["SUBLEVEL"] }' \
		"$1/Makefile"
}

# queue_known QUEUE: there is such a queue, O can be written to, and KDIR, where given,
# is what the queue is for. The first thing that a verb does: nothing is made or
# installed before.
queue_known() {
	local for_version found path blob is place
	[ -f "$patches/$1/base" ] || die -2 "no queue $1; there are:" \
		"$(cd "$patches" && echo */ | tr -d /)"
	queues_before "$1" >/dev/null
	place=$out
	while [ ! -e "$place" ]; do place=$(dirname "$place"); done
	[ -d "$place" ] && [ -w "$place" ] || die -2 "O=$out: $place is no folder to write to"
	[ -n "$KDIR" ] || return 0
	KDIR=$(realpath -m "$KDIR")
	for_version=$(base_of "$1" version)
	found=$(tree_version "$KDIR")
	[ -n "$found" ] || die -2 "KDIR=$KDIR is no kernel tree;" \
		"$1 is for $for_version"
	case $found. in
	"$for_version".*) ;;
	*) die -2 "KDIR=$KDIR is $found; $1 is for $for_version" ;;
	esac
	while read -r path blob; do
		is=$(git hash-object --no-filters "$KDIR/$path" 2>/dev/null || echo missing)
		[ "${is#"$blob"}" != "$is" ] || die -2 "KDIR=$KDIR: $path is" \
			"${is:0:12}; $1 is for $blob"
	done < <(base_of "$1" blob)
}

# only_one NAME: one run at a time works on this; the others wait
only_one() {
	mkdir -p "$out/$QUEUE"
	exec {lock}>"$out/$QUEUE/.$1.lock"
	flock -n "$lock" || { say "waiting for another run: $1"; flock "$lock"; }
}
