#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The queues as they stand, on their real bases: form, git am, b4, checkpatch.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/ktap.sh"

unset KDIR

# form PATCH: what a patch file must have, and what it must not
form() {
	local patch=$1
	sed '/^$/q' "$patch" | grep -qE '^From: [^<]+ <[^>]+>$' ||
		{ echo 'From: is not on one line'; return 1; }
	sed '/^$/q' "$patch" | tr -d '\n' | grep -qE 'Subject: \[(RFC )?PATCH [^]]+\]' ||
		{ echo 'Subject: has no [PATCH ...]'; return 1; }
	if grep -nE '^(Signed-off-by|(Reviewed|Acked|Tested)-by):' "$patch"; then
		echo "a tag that is a person's own word"
		return 1
	fi
	if grep -nE '^(\+.*[^[:space:]])?[[:space:]]+$' "$patch" | grep -v ':-- *$\|: $'; then
		echo 'space at the end of a line'
		return 1
	fi
}

# shazam QUEUE BASE: b4 on the mailbox gives the tree that git am gives
shazam() {
	local clone=$tmp/b4-$1
	git clone -q -s -n "$2" "$clone"
	(
		cd "$clone" || exit
		git config user.name T
		git config user.email t@example.org
		queue_patches "$1" | xargs sed -n 's|^diff --git a/\([^ ]*\) b/.*|/\1|p' |
			sort -u | git sparse-checkout set --no-cone --stdin
		git checkout -q -B "$(base_of "$1" branch)" "$(git -C "$2" rev-parse HEAD)"
		HOME=$tmp b4 --offline-mode shazam -m "$("$top/scripts/mbox" "$1")" </dev/null
	) || return
	test "$(git -C "$clone" rev-parse 'HEAD^{tree}')" = \
		"$(git -C "$out/$1/tree" rev-parse 'HEAD^{tree}')"
}

# alone PATCH BASE: it applies without those before it
alone() (
	rm -rf "$tmp/alone"
	git clone -q -s -n "$2" "$tmp/alone" && cd "$tmp/alone" &&
		sed -n 's|^diff --git a/\([^ ]*\) b/.*|/\1|p' "$1" | sort -u |
		git sparse-checkout set --no-cone --stdin &&
		git checkout -q "$(git -C "$2" rev-parse HEAD)" && git apply --index "$1"
)

# again QUEUE: edit and refresh, with nothing changed, change nothing
again() {
	local queue edit=$tmp/again/$1/edit
	mkdir -p "$tmp/again/$1" "$tmp/again-patches"
	for queue in "$1" $(queues_before "$1"); do
		cp -r "$patches/$queue" "$tmp/again-patches/"
	done
	git clone -q -s -n "$out/$1/tree" "$edit"
	git -C "$edit" tag base "$(git -C "$out/$1/base" rev-parse HEAD)"
	git -C "$edit" config core.sparseCheckout true
	git -C "$edit" sparse-checkout set --no-cone /.gitattributes
	git -C "$edit" checkout -q "$(base_of "$1" branch)"
	O=$tmp/again PATCHES=$tmp/again-patches "$top/scripts/refresh" "$1" &&
		diff -r "$patches/$1" "$tmp/again-patches/$1"
}

# records QUEUE: the old side of each hunk is what the file base records
records() {
	awk '
	# Both files become one string a hunk: its place, then its old lines.
	FNR == 1 { file++ }
	file == 1 && $1 == "hunk" { key = $2 ":" $3; keys[key] = 1; next }
	file == 1 && /^\|/ { base[key] = base[key] substr($0, 2) "\n"; next }
	file == 2 && /^--- a\// { name = substr($2, 3); left = 0; next }
	file == 2 && /^@@ / {
		split($2, range, /[-,]/); key = name ":" range[2]
		left = range[3]; patch[key] = ""; keys[key] = 1; next
	}
	file == 2 && left > 0 && /^[ -]/ { patch[key] = patch[key] substr($0, 2) "\n"; left-- }
	END {
		for (key in keys)
			if (base[key] == "" || base[key] != patch[key]) {
				printf "%s: base records\n%spatch has\n%s", key, base[key], patch[key]
				bad = 1
			}
		exit bad
	}' "$patches/$1/base" "$(queue_patches "$1")"
}

# on_records QUEUE: a tree of the recorded lines, at their places
on_records() {
	local kernel=$tmp/recorded
	git_kernel "$kernel" "$(base_of "$1" version | head -n 1).0"
	rm -r "$kernel/include" "$kernel/mm"/*
	awk -v dir="$kernel" '
		$1 == "hunk" {
			if ($2 != name) { name = $2; line = 1 }
			path = dir "/" name
			if (!(name in seen)) {
				seen[name] = 1
				folder = path; sub(/\/[^\/]*$/, "", folder)
				system("mkdir -p " folder)
			}
			while (line < $3) { print "line " line > path; line++ }
			next }
		/^\|/ { print substr($0, 2) > path; line++ }' "$patches/$1/base"
	git -C "$kernel" add -A
	git -C "$kernel" -c user.name=T -c user.email=t@example.org \
		commit -q --amend -m recorded
	mkdir -p "$tmp/recorded-patches"
	cp -r "$patches/$1" "$tmp/recorded-patches/"
	# That tree's own blobs, for it has only the recorded lines.
	sed -i '/^blob /d' "$tmp/recorded-patches/$1/base"
	base_of "$1" blob | while read -r path _; do
		echo "blob $path $(git -C "$kernel" rev-parse --short=12 "HEAD:$path")"
	done >>"$tmp/recorded-patches/$1/base"
}

# same DIR DIR: the same patches but for the blobs and the function names behind
# @@, which that tree of recorded lines does not have
same() {
	local patch
	for patch in "$1"/0*; do
		diff <(stripped "$patch") <(stripped "$2/$(basename "$patch")") || return
	done
}
stripped() { sed '/^index /d; s/^\(@@ [^@]* @@\).*/\1/' "$1"; }

for dir in "$patches"/*/; do
	queue=$(basename "$dir")
	check "$queue: base names version and branch" \
		test -n "$(base_of "$queue" version)" -a -n "$(base_of "$queue" branch)"
	[ -n "$(queue_patches "$queue")" ] || continue
	for patch in "$dir"[0-9]*.patch; do
		check "$queue: form of $(basename "$patch")" form "$patch"
	done
	if [ -n "$(base_of "$queue" package)" ]; then
		base=$("$top/scripts/tree" "$queue" base)
		check "$queue: git am on $(basename "$("$top/scripts/fetch" "$queue")" .git)" \
			"$top/scripts/tree" "$queue"
		check "$queue: b4 shazam gives the same tree" shazam "$queue" "$base"
		check "$queue: edit and refresh give the same patches" again "$queue"
		[ -z "$(base_of "$queue" separate)" ] || for patch in $(queue_patches "$queue"); do
			check "$queue: $(basename "$patch") applies alone" alone "$patch" "$base"
		done
		checkpatch_tree=$out/$queue/tree
	else
		check "$queue: old sides are what base records" records "$queue"
		check "$queue: a tree of the recorded lines" on_records "$queue"
		answers "$queue: without KDIR=" 2 'no package carries' \
			"$top/scripts/tree" "$queue"
		export PATCHES=$tmp/recorded-patches KDIR=$tmp/recorded O=$tmp/recorded-out
		check "$queue: tree, with a KDIR= that has the blobs" \
			"$top/scripts/tree" "$queue"
		check "$queue: edit" "$top/scripts/edit" "$queue"
		check "$queue: refresh" "$top/scripts/refresh" "$queue"
		check "$queue: refresh gives the same patch" same "$dir" "$PATCHES/$queue"
		check "$queue: mbox" "$top/scripts/mbox" "$queue"
		check "$queue: sign" env SOB='T <t@example.org>' "$top/scripts/sign" "$queue"
		unset PATCHES KDIR
		export O=$out
	fi
	for patch in $(queue_patches "$queue"); do
		check "$queue: checkpatch --strict $(basename "$patch")" \
			env CHECKPATCH_TREE="${checkpatch_tree:-$out/6.12.y/tree}" \
			"$top/scripts/checkpatch" "$queue" "$(basename "$patch")"
	done
	unset checkpatch_tree
done
finish
