# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the scripts of boot/world say: KTAP. In the guest.

export PATH=/usr/bin:/usr/sbin LC_ALL=C
nr=0 failed=0

plan() { printf 'TAP version 13\n1..%s\n' "$1"; }
# result STATUS NAME [WHY]
result() {
	local not='not '
	nr=$((nr + 1))
	[ "$1" != 0 ] || not=
	[ "$1" = 0 ] || failed=$((failed + 1))
	echo "${not}ok $nr $2${3:+ # $3}"
}
skip() { nr=$((nr + 1)); echo "ok $nr $1 # SKIP $2"; }
not() { ! "$@"; }
# check NAME COMMAND...: it succeeds; what it says is shown where it does not
check() {
	local status=0
	"${@:2}" >/tmp/output 2>&1 </dev/null || status=$?
	[ "$status" = 0 ] || tail -n 20 /tmp/output | sed 's/^/# /'
	result "$status" "$1"
}
finish() { [ "$failed" = 0 ]; exit; }
