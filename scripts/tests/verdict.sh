#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The verdict, on consoles written for it: what must be red is red.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/ktap.sh"

# console NAME STATUS: a guest's console from standard input
console() {
	cat >"$tmp/$1.log"
	echo "$2" >"$tmp/$1.status"
}
good() {
	local esc=$'\033'
	cat <<EOF
KTAP version 1
1..2
# old-test
    Testing one on anon... done
    Testing two on shmem... failed [reason: it always does]
    Testing three on shmem... skipped [reason: feature missing]
    Run test: four (by hand:shmem)
    Fill it... ${esc}[32mOK${esc}[0m
    Look at it.... ${esc}[32mOK${esc}[0m
    Run test: five (by hand:shmem)
    Fill it... ${esc}[31mFail${esc}[0m
ok 1 old-test # exit 0, 1.0 s
# new-test
    TAP version 13
    1..2
    ok 1 new.first, 19 (0.2%) extra
    ok 2 new.second
ok 2 new-test # exit 0, 0.1 s
# guest: done
EOF
}
# judge NAME STATUS PATTERN: the verdict on base and tree
judge() {
	local is=0
	V=1 "$top/boot/verdict" --queue this --added "$tmp/added" \
		--exceptions "$tmp/exceptions" --absent "$tmp/absent" "$tmp/base" "$tmp/tree" \
		>"$tmp/verdict" 2>&1 || is=$?
	if [ "$is" = "$2" ] && grep -qE "$3" "$tmp/verdict"; then
		pass "$1"
	else
		fail "$1" "exit status $is, expected $2 and: $3" "$(cat "$tmp/verdict")"
	fi
}
echo new-test >"$tmp/added"
: >"$tmp/exceptions"
: >"$tmp/absent"
good | console base 0

good | console tree 0
judge 'the same as the base: good' 0 '^9 passed, 0 failed, 3 skipped$'
judge 'what fails on both is named' 0 'old-test: two on shmem # SKIP fails on the base'

good | sed 's/one on anon... done/one on anon... failed [reason: x]/' | console tree 0
judge 'passes on the base, fails on the tree' 1 '^not ok .*old-test: one on anon # passes on the base'
good | sed 's/one on anon... done/one on anon... skipped [reason: x]/' | console tree 0
judge 'passes on the base, skips on the tree' 1 '^not ok .*old-test: one on anon # passes on the base'
good | sed '/Look at it/s/32mOK/31mFail/' | console tree 0
judge 'a step passes on the base, fails on the tree' 1 '^not ok .*old-test: four .* # passes on the base; Look at it'
good | sed 's/19 (0.2%)/7 (0.1%)/' | console tree 0
judge 'a test that says what it measured is the same test' 0 'new.first, N .N%. extra'
good | sed '/one on anon/d' | console tree 0
judge 'passes on the base, did not run on the tree' 1 '^not ok .*one on anon # passes on the base, did not run'
good | sed 's/ok 2 new.second/not ok 2 new.second/' | console tree 0
judge 'a test of the queue fails' 1 '^not ok .*new-test: new.second'
good | sed 's/ok 2 new.second/ok 2 new.second # SKIP no such device/' | console tree 0
judge 'a test of the queue skips' 1 '^not ok .*new.second # a test of the queue skips'
echo 'skip new-test: new.second	# it cannot be otherwise' >"$tmp/exceptions"
judge 'a test of the queue skips, and is listed' 0 '^ok .*new.second # SKIP no such device'
echo 'skip new-test: new.s*	# it cannot be otherwise' >"$tmp/exceptions"
judge 'a test of the queue skips, and is among those listed' 0 '^ok .*new.second # SKIP no such device'
echo 'skip new-test: new.f*	# it cannot be otherwise' >"$tmp/exceptions"
judge 'a test of the queue skips, and is not among those listed' 1 '^not ok .*new.second # a test of the queue skips'
echo 'skip[other] new-test: new.second	# in another queue' >"$tmp/exceptions"
judge 'a test of the queue skips, and is listed for another' 1 '^not ok .*new.second # a test of the queue skips'
sed -i 's/other/this/' "$tmp/exceptions"
judge 'a test of the queue skips, and is listed for this one' 0 '^ok .*new.second # SKIP no such device'
echo 'fail new-test: new.second	# it wants what nobody has' >"$tmp/exceptions"
judge 'a test of the queue skips, and is listed as failing' 1 '^not ok .*new.second # listed as failing'
good | console tree 0
judge 'a test of the queue passes, and is listed as failing' 1 '^not ok .*new.second # listed as failing'
good | sed 's/ok 2 new.second/not ok 2 new.second/' | console tree 0
judge 'a test of the queue fails, and is listed' 0 '^ok .*new.second # SKIP fails: it wants what nobody has'
echo 'fail old-test: one on anon	# no test of the queue' >"$tmp/exceptions"
good | sed 's/one on anon... done/one on anon... failed [reason: x]/' | console tree 0
judge "a test of the base's cannot be listed" 1 '^not ok .*old-test: one on anon # passes on the base'
: >"$tmp/exceptions"
good | console tree 0
echo 'foreign-test its package cannot be had' >"$tmp/absent"
judge 'a program that could not be had' 0 '^ok .*foreign-test # SKIP its package cannot be had'
: >"$tmp/absent"
good | sed '/ok 2 new.second/d' | console tree 0
judge 'fewer results than planned' 1 '^not ok .*new-test: plan # 2 planned, 1 run'
good | sed 's/^ok 2 new-test.*/not ok 2 new-test # signal 11/' | console tree 0
judge 'a program that dies' 1 '^not ok .*new-test # signal 11'
good | sed '/guest: done/d' | console tree 0
judge 'a guest that stops short' 1 '^not ok .*tree: guest # the guest did not come to its end'
good | sed '/guest: done/d' | console tree 124
judge 'a guest that hangs' 1 '^not ok .*tree: guest # the guest did not end in time'
judge "a guest that hangs: its console's last lines" 1 '^#   ok 2 new-test'
judge "a guest that hangs: the log's path" 1 "^# log: $tmp/tree.log"
good | console tree 1
judge 'QEMU fails' 1 '^not ok .*tree: guest # QEMU ended with status 1'
: | console tree 0
judge 'an empty console' 1 '^not ok .*tree: guest'
good | console tree 0
: | console base 0
judge 'an empty console of the base' 1 '^not ok .*base: guest'
good | console base 0

# What kernels say when something is wrong, one a line.
while read -r complaint; do
	good | awk -v c="$complaint" '{ print } /new.first/ { print c }' | console tree 0
	judge "kernel: $complaint" 1 '^not ok .*tree: kernel log # 1 complaints'
done <<'EOF'
WARNING: CPU: 0 PID: 71 at mm/memory.c:1672 zap_pte_range+0x1/0x2
[   12.3] WARNING: possible circular locking dependency detected
BUG: KASAN: slab-use-after-free in copy_page_range+0x1/0x2
BUG: Bad page map in process fork_test pte:800000000 pmd:12345067
BUG: Bad rss-counter state mm:0000 type:MM_FILEPAGES val:1
BUG: non-zero pgtables_bytes on freeing mm: 4096
BUG: unable to handle page fault for address: ffff888
BUG: sleeping function called from invalid context at mm/memory.c:1
BUG: spinlock bad magic on CPU#0, init/1
kernel BUG at mm/memory.c:1234!
Oops: 0000 [#1] PREEMPT SMP
Kernel panic - not syncing: Attempted to kill init!
general protection fault, probably for non-canonical address
UBSAN: shift-out-of-bounds in mm/vma.c:1:2
INFO: task fork_test:71 blocked for more than 120 seconds.
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
kmemleak: 2 new suspected memory leaks (see /sys/kernel/debug/kmemleak)
refcount_t: underflow; use-after-free.
list_del corruption. prev->next should be x
DEBUG_LOCKS_WARN_ON(1)
page_table_check: BUG
watchdog: BUG: soft lockup - CPU#0 stuck for 22s!
EOF
good | awk '{ print } /new.first/ { print "    # Leak from parent into child" }' | console tree 0
judge 'what a test says of leaks is no complaint of the kernel' 0 '^ok .*tree: kernel log'
good | sed 's/^ok 2 new-test.*/&\nnot ok 3 kmemleak/' | console tree 0
judge 'kmemleak found something' 1 '^not ok .*kmemleak'
good | console tree 0
good | awk '{ print } /new.first/ { print "WARNING: the base" }' | console base 0
judge "the base's own complaint is named" 0 "^# the base's kernel complains: WARNING: the base"

# More than one guest, and programs that have to plan.
good | console base 0
good | console tree 0
good | sed 's/-test/-other/; s/1 one on/1 another on/' | console base-2 0
good | sed 's/-test/-other/; s/1 one on/1 another on/' | console tree-2 0
both() {
	local is=0
	"$top/boot/verdict" --added "$tmp/added" --planned "$tmp/planned" "$tmp/base" \
		"$tmp/tree" "$tmp/base-2" "$tmp/tree-2" >"$tmp/verdict" 2>&1 || is=$?
	check "$1" test "$is" = "$2"
	check "$1: $3" grep -qE "$3" "$tmp/verdict"
}
echo 'new-test new-other' >"$tmp/planned"
both 'two guests: good' 0 '^18 passed, 0 failed, 6 skipped$'
sed -i '/guest: done/d' "$tmp/tree.log"
both 'two guests: the first stops short' 1 '^not ok .*tree: guest'
good | console tree 0
sed -i '/guest: done/d' "$tmp/tree-2.log"
both 'two guests: the second stops short' 1 '^not ok .*tree-2: guest'
good | sed 's/-test/-other/' | console tree-2 0
echo 'old-test new-test' >"$tmp/planned"
both 'a program does not plan' 1 '^not ok .*old-test # does not say how many tests'
check 'a console without its base' sh -c "
	! '$top/boot/verdict' '$tmp/base' '$tmp/tree' '$tmp/base-2' 2>'$tmp/stderr' &&
	grep -q 'a console of the tree for each' '$tmp/stderr'"
finish
