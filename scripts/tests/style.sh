#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Our own scripts and programs: shellcheck, checkpatch, and nothing of one machine.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/ktap.sh"
cd "$top" || exit

mapfile -t files < <(git ls-files 2>/dev/null || find . -type f -not -path './out/*')
scripts=() programs=()
for file in "${files[@]}"; do
	[ -f "$file" ] || continue
	case $(head -c 64 "$file" | head -n 1 | tr -d '\0') in
	'#!'*bash* | '#!/bin/sh'*) scripts+=("$file") ;;
	esac
	# The harness tests its importer on sources that are odd on purpose.
	case $file in
	harness/selftest/*) ;;
	*.c | *.h) programs+=("$file") ;;
	esac
done
check "shellcheck: ${#scripts[@]} scripts" shellcheck "${scripts[@]}"
tree=$("$top/scripts/tree" 6.12.y)
# Typedefs that the kernel has, and attributes that only the kernel has names for;
# what stands in for the kernel's does not use all that it is given, and defines what
# only others have to explain.
ignore=NEW_TYPEDEFS,PREFER_DEFINED_ATTRIBUTE_MACRO,MACRO_ARG_UNUSED,VOLATILE,DATA_RACE
for file in "${programs[@]}"; do
	check "checkpatch: $file" perl "$tree/scripts/checkpatch.pl" --no-tree \
		--root="$tree" --terse --ignore "$ignore" \
		-f "$file"
done
check 'no package mirror is named' sh -c "
	! git grep -nIE '(deb|security|ftp|archive)\.[a-z.-]*\.(org|com|net)' -- ."
# The folder that the clone is in, unless every machine has one of that name.
folder=$(dirname "$top")
[[ $folder != @(/|/tmp|/var/tmp|/root|/opt|/srv) ]] || folder=$top
check 'no folder of this machine is named' sh -c "
	! git grep -nIF -e '$folder/' -- . | grep -v '^$0'"
finish
