#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The series tools on a tiny tree: tree, edit, refresh, sign, mbox.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/ktap.sh"

unset QUIET
export KDIR=$tmp/kernel O=$tmp/out PATCHES=$tmp/patches
git_kernel "$KDIR"
tiny_queue "$PATCHES" "$KDIR"
before=$(fingerprint "$KDIR")
tree=$O/6.12.y/tree

check 'tree: applies a queue to a git tree' "$top/scripts/tree" 6.12.y
check 'tree: one commit a patch' \
	test "$(git -C "$tree" rev-list --count HEAD)" = 3
check 'tree: on the branch that base names' \
	test "$(git -C "$tree" branch --show-current)" = linux-6.12.y
check 'tree: the patched lines are there' \
	grep -qx 'line twenty, changed' "$tree/mm/memory.c"
check 'tree: the work tree is clean' \
	test -z "$(git -C "$tree" status --porcelain)"

touch -d '2020-01-01' "$tree/include/linux/mm.h" "$tree/mm/memory.c"
git -C "$tree" status >/dev/null
id=$(git -C "$tree" rev-parse HEAD)
"$top/scripts/tree" 6.12.y >/dev/null
check 'tree: again, the same commit' test "$(git -C "$tree" rev-parse HEAD)" = "$id"
check 'tree: again, nothing is written' \
	test "$(date -r "$tree/mm/memory.c" +%Y)" = 2020
cp -r "$PATCHES" "$tmp/kept"
rm "$PATCHES"/6.12.y/0002-*
"$top/scripts/tree" 6.12.y >/dev/null
check 'tree: a patch less, the file it touched is written' \
	test "$(date -r "$tree/mm/memory.c" +%Y)" != 2020
check 'tree: a patch less, other files keep their times' \
	test "$(date -r "$tree/include/linux/mm.h" +%Y)" = 2020
cp "$tmp/kept/6.12.y"/0002-* "$PATCHES/6.12.y/"

check 'tree: base is the unpatched one' "$top/scripts/tree" 6.12.y base
check 'tree: base has no line of the queue' \
	sh -c "! grep -q changed '$O/6.12.y/base/mm/memory.c'"

# A queue that comes after another: its base has the other's patches.
mkdir -p "$PATCHES/later"
printf 'version 6.12\nbranch linux-6.12.y\nafter 6.12.y\n' >"$PATCHES/later/base"
sed 's/twenty, changed/twenty, changed again/; s/^-line 20 of memory.c/-line twenty, changed/
	s/change line twenty/change it again/' "$PATCHES"/6.12.y/0002-* \
	>"$PATCHES/later/0001-mm-change-it-again.patch"
check 'after: tree applies both queues' "$top/scripts/tree" later
check 'after: one commit a patch of both' \
	test "$(git -C "$O/later/tree" rev-list --count HEAD)" = 4
check 'after: the last patch is on top' \
	grep -qx 'line twenty, changed again' "$O/later/tree/mm/memory.c"
check 'after: base has what comes before, and nothing else' sh -c "
	'$top/scripts/tree' later base &&
	grep -qx 'line twenty, changed' '$O/later/base/mm/memory.c'"
check 'after: base is the tree of the queue before, not another' \
	test "$O/later/base" -ef "$O/6.12.y/tree"
check 'space: what two queues share is counted once' test 2500 = "$(
	out=$tmp/none patches=$PATCHES
	unset KDIR
	room "$out/later/base" "$out/6.12.y/tree")"
check 'after: base is an ancestor of tree' git -C "$O/later/tree" merge-base \
	--is-ancestor "$(git -C "$O/later/base" rev-parse HEAD)" HEAD
check 'after: edit begins behind what comes before' sh -c "
	'$top/scripts/edit' later &&
	test \"\$(git -C '$O/later/edit' rev-list --count base..HEAD)\" = 1"
check 'after: refresh writes the own patches only' sh -c "
	'$top/scripts/refresh' later && test \"\$(ls '$PATCHES/later' | wc -l)\" = 2"
check 'after: mbox has the own patches only' sh -c "
	test \"\$(grep -c '^Message-ID:' \"\$('$top/scripts/mbox' later)\")\" = 1"
sed -i 's/^after .*/after nonsense/' "$PATCHES/later/base"
answers 'after: there is no such queue' 2 'after nonsense: there is no such queue' \
	"$top/scripts/tree" later
sed -i 's/^after .*/after later/' "$PATCHES/later/base"
answers 'after: a queue after itself' 2 'after later: it comes after itself' \
	"$top/scripts/tree" later
sed -i 's/^after .*/after 6.12.y/' "$PATCHES/later/base"
sed -i 's/^-line 10 /-line 11 /' "$PATCHES"/6.12.y/0001-*
answers 'after: what comes before does not apply: it is named' 1 \
	'6.12.y/0001-mm-change-line-ten.patch does not apply to' "$top/scripts/tree" later
cp "$tmp/kept/6.12.y"/0001-* "$PATCHES/6.12.y/"
rm -r "$PATCHES/later"

check 'edit: the queue as commits' "$top/scripts/edit" 6.12.y
edit=$O/6.12.y/edit
check 'refresh: unchanged commits, unchanged patches' sh -c "
	'$top/scripts/refresh' 6.12.y && diff -r '$PATCHES' '$tmp/kept'"
git -C "$edit" config user.name E
git -C "$edit" config user.email e@example.org
echo 'one more' >>"$edit/mm/memory.c"
answers 'refresh: uncommitted changes are not lost' 1 'uncommitted changes in' \
	"$top/scripts/refresh" 6.12.y
git -C "$edit" commit -q -a -m 'mm: one more'
check 'edit: what is there already is left alone' sh -c "
	'$top/scripts/edit' 6.12.y && grep -q 'one more' '$edit/mm/memory.c'"
check 'refresh: a new commit is a new patch' sh -c "
	'$top/scripts/refresh' 6.12.y && ls '$PATCHES'/6.12.y/0003-mm-one-more.patch"
check 'refresh: From: stays on one line' \
	grep -q '^From: A Person With.*example.org>$' "$PATCHES"/6.12.y/0001-*
rm "$PATCHES"/6.12.y/0003-*
rm -rf "$edit"
sed -i 's/^---$/&\nA note, not for the commit.\n/' "$PATCHES"/6.12.y/0002-*
cp "$PATCHES"/6.12.y/0002-* "$tmp/noted"
"$top/scripts/edit" 6.12.y >/dev/null 2>&1
"$top/scripts/refresh" 6.12.y >/dev/null 2>&1
check 'refresh: what stands below the --- is kept' cmp "$PATCHES"/6.12.y/0002-* "$tmp/noted"
rm -rf "$edit"

cat >"$PATCHES/6.12.y/0000-cover-letter.patch" <<'EOF'
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: A Person <a@example.org>
Date: Tue, 24 Nov 2026 08:00:00 +0000
Subject: [PATCH 6.12.y 0/2] mm: the words of this cover letter are kept, also
 those of a long subject

What it is for.

A table:

  what   before  after
  this   1       2

A Person (1):
  mm: stale list
EOF
"$top/scripts/edit" 6.12.y >/dev/null 2>&1
"$top/scripts/refresh" 6.12.y >/dev/null 2>&1
cover=$PATCHES/6.12.y/0000-cover-letter.patch
check "refresh: the cover letter's words are kept" sh -c "
	grep -q '^  this   1       2\$' '$cover' &&
	tr -d '\n' <'$cover' | grep -q 'letter are kept, also those of a long subject'"
check "refresh: the cover letter's list is made anew" sh -c "
	grep -q '^  mm: change line twenty' '$cover' && ! grep -q stale '$cover' &&
	grep -q '2 files changed\|1 file changed' '$cover'"
cp "$cover" "$tmp/cover"
"$top/scripts/refresh" 6.12.y >/dev/null 2>&1
check 'refresh: twice gives the same cover letter' cmp "$cover" "$tmp/cover"

answers 'sign: without a name' 2 'usage: make sign' \
	env SOB= "$top/scripts/sign" 6.12.y
check 'sign: writes signed copies' env SOB='B Person <b@example.org>' \
	"$top/scripts/sign" 6.12.y
check 'sign: the sign-off stands in the message' sh -c "
	sed '/^---\$/q' '$O'/6.12.y/signed/0001-*.patch |
		grep -qx 'Signed-off-by: B Person <b@example.org>'"
check 'sign: the queue itself stays unsigned' \
	sh -c "! grep -r Signed-off-by '$PATCHES'"

check 'mbox: written' "$top/scripts/mbox" 6.12.y
mkdir "$tmp/am"
git clone -q -s "$KDIR" "$tmp/am/git"
"$top/scripts/tree" 6.12.y >/dev/null
check 'mbox: git am takes it' sh -c "
	cd '$tmp/am/git' && git config user.name T && git config user.email t@t &&
	git mailsplit -o'$tmp/am' '$O/6.12.y.mbox' >/dev/null &&
	git am '$tmp/am'/0002 '$tmp/am'/0003"
check 'mbox: the result is the tree' sh -c "
	git -C '$tree' fetch -q '$tmp/am/git' HEAD &&
	git -C '$tree' diff --quiet HEAD FETCH_HEAD"

check 'KDIR: a git tree is never written to' test "$(fingerprint "$KDIR")" = "$before"
export KDIR=$tmp/plain O=$tmp/out2
tiny_kernel "$KDIR"
before=$(fingerprint "$KDIR")
check 'tree: applies a queue to an unpacked tarball' "$top/scripts/tree" 6.12.y
check 'tree: the patched lines are there, too' \
	grep -qx 'line twenty, changed' "$O/6.12.y/tree/mm/memory.c"
check 'KDIR: a tarball is never written to' test "$(fingerprint "$KDIR")" = "$before"
finish
