#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# usage: stubs.sh OBJECT... -- STUB...
# A stub that nothing refers to any more hides what the kernel no longer calls.
set -eu
used=" "
while [ "$1" != -- ]; do
	used="$used$(nm -u "$1" | awk '{ printf "%s ", $NF }')"
	shift
done
shift
[ $# -gt 0 ] || exit 0
status=0
for stub in $(nm --defined-only -g "$@" | awk '$2 == "T" && !/[.]/ { print $3 }'); do
	case $used in
	*" $stub "*) ;;
	*)	echo "stub $stub: nothing refers to it" >&2
		status=1 ;;
	esac
done
exit $status
