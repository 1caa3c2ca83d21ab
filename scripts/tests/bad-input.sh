#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What bad input gets: one clear line, an exit status, and nothing lost.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/ktap.sh"

unset QUIET
kernel=$tmp/kernel
git_kernel "$kernel"
export O=$tmp/out PATCHES=$tmp/patches XDG_CACHE_HOME=$tmp/cache
tiny_queue "$PATCHES" "$kernel"
nothing() { check "$1: nothing is created" test ! -e "$O"; }
# A command of our own making in front of the real one.
fake() {
	mkdir -p "$tmp/bin-$1"
	printf '#!/bin/sh\n%s\n' "$2" >"$tmp/bin-$1/$1"
	chmod +x "$tmp/bin-$1/$1"
}

# KDIR: no kernel tree, another version, other blobs
mkdir "$tmp/empty"
tiny_kernel "$tmp/old" 5.4.3
for verb in tree check edit boot; do
	answers "$verb: KDIR is no kernel tree" 2 \
		"KDIR=$tmp/empty is no kernel tree; 6.12.y is for 6.12" \
		make -s -C "$top" "$verb" KDIR="$tmp/empty"
done
nothing 'KDIR is no kernel tree'
answers 'tree: KDIR is another version' 2 "KDIR=$tmp/old is 5.4.3; 6.12.y is for 6.12" \
	make -s -C "$top" tree KDIR="$tmp/old"
answers 'tree: 6.1 is not 6.12' 2 'is 6.1.2; 6.12.y is for 6.12' \
	sh -c "sed -i 's/PATCHLEVEL = 4/PATCHLEVEL = 1/; s/VERSION = 5/VERSION = 6/;
		s/SUBLEVEL = 3/SUBLEVEL = 2/' '$tmp/old/Makefile'
		exec make -s -C '$top' tree KDIR='$tmp/old'"
nothing 'KDIR is another version'
cp -r "$PATCHES/6.12.y" "$PATCHES/blobs"
echo 'blob mm/memory.c 0123456789ab' >>"$PATCHES/blobs/base"
answers 'tree: KDIR has another blob' 2 \
	'mm/memory.c is [0-9a-f]{12}; blobs is for 0123456789ab' \
	make -s -C "$top" tree QUEUE=blobs KDIR="$kernel"
nothing 'KDIR has another blob'
answers 'QUEUE: there is no such' 2 'no queue nonsense; there are: 6.12.y' \
	make -s -C "$top" tree QUEUE=nonsense
touch "$tmp/file"
for verb in world 'export FORMAT=quilt' 'try PROGRAM=/etc/hostname' tree; do
	# shellcheck disable=SC2086 # two words
	answers "${verb%% *}: O is below a file" 2 "O=$tmp/file/out: $tmp/file is no folder to write to" \
		make -s -C "$top" $verb KDIR="$kernel" O="$tmp/file/out"
done
answers 'CONFIG: there is no such' 2 'CONFIG=nonsense: lean or debug' \
	"$top/boot/kconfig" "$kernel" "$tmp/build" nonsense
answers 'try: no program' 2 'which program\?' make -s -C "$top" try KDIR="$kernel"
answers 'try: no such program' 2 'PROGRAM=/nowhere.c: no such file' \
	make -s -C "$top" try KDIR="$kernel" PROGRAM=/nowhere.c
answers 'try: a quote in the name' 2 "PROGRAM=it's.c: no such file" \
	make -s -C "$top" try KDIR="$kernel" PROGRAM="it's.c"
answers 'try: a time that is no number' 2 'TIMEOUT=soon: seconds, a number' \
	make -s -C "$top" try KDIR="$kernel" PROGRAM="$0" TIMEOUT=soon

# A patch that does not apply: which, where, on what; the tree stays as it was.
KDIR=$kernel "$top/scripts/tree" 6.12.y >/dev/null
id=$(git -C "$O/6.12.y/tree" rev-parse HEAD)
cp -r "$PATCHES/6.12.y" "$tmp/kept"
sed -i 's/^-line 20 of memory.c/-line 20 of another file/' "$PATCHES"/6.12.y/0002-*
answers 'tree: a patch does not apply' 1 \
	"0002-mm-change-line-twenty.patch does not apply to $kernel \(6.12.5\): mm/memory.c, hunk #1" \
	env KDIR="$kernel" "$top/scripts/tree" 6.12.y
check 'tree: a patch does not apply: the tree is as before' \
	test "$(git -C "$O/6.12.y/tree" rev-parse HEAD)" = "$id"
check 'tree: a patch does not apply: nothing half done is left' \
	sh -c "! ls -d '$O'/6.12.y/apply.*"
sed -i 's|mm/memory.c|mm/nosuch.c|' "$PATCHES"/6.12.y/0002-*
answers 'tree: a patch for a file that is not there' 1 'mm/nosuch.c: is not there' \
	env KDIR="$kernel" "$top/scripts/tree" 6.12.y
rm -rf "${PATCHES:?}/6.12.y"
mv "$tmp/kept" "$PATCHES/6.12.y"

# No space, no network, no package, no tool
fake df 'printf "Filesystem M Used Available\nx 1 1 17 1%% /\n"'
answers 'boot: no space' 2 'no space: .* takes 7500 MB, .* has 17 MB free' \
	env PATH="$tmp/bin-df:$PATH" O="$tmp/empty" make -s -C "$top" boot KDIR="$kernel"
mkdir -p "$tmp/there/6.12.y/base" "$tmp/there/6.12.y/tree"
touch "$tmp/there/6.12.y/base/Makefile" "$tmp/there/6.12.y/tree/Makefile"
answers 'boot: no space for what is not there yet' 2 'no space: .* takes 3500 MB' \
	env PATH="$tmp/bin-df:$PATH" O="$tmp/there" make -s -C "$top" boot KDIR="$kernel"
answers 'fetch: no space' 2 'no space: no-such-package takes' \
	env PATH="$tmp/bin-df:$PATH" "$top/scripts/fetch" 6.12.y
fake apt-get 'exit 0'
answers 'fetch: no such package' 2 'cannot get no-such-package: there is none' \
	env PATH="$tmp/bin-apt-get:$PATH" "$top/scripts/fetch" 6.12.y
fake apt-get 'case "$*" in *indextargets*) echo http://localhost/debian/ ;;
	*) echo "E: no network here"; exit 100 ;; esac'
answers 'fetch: no network' 2 'cannot get no-such-package: E: no network here' \
	env PATH="$tmp/bin-apt-get:$PATH" "$top/scripts/fetch" 6.12.y
mkdir -p "$XDG_CACHE_HOME/copy-on-fork/no-such-package_1.git"
check 'fetch: no network, but it is in the cache' \
	env PATH="$tmp/bin-apt-get:$PATH" "$top/scripts/fetch" 6.12.y
check 'fetch: what was downloaded is kept' \
	test -d "$XDG_CACHE_HOME/copy-on-fork/no-such-package_1.git"
rm -rf "$XDG_CACHE_HOME"
mkdir -p "$XDG_CACHE_HOME/copy-on-fork/no-such-package_1.git.part"
answers 'fetch: an import cut short is not trusted' 2 'cannot get no-such-package' \
	env PATH="$tmp/bin-apt-get:$PATH" "$top/scripts/fetch" 6.12.y
answers 'fetch: no package carries it' 2 'no package carries the base of 2025: give KDIR=' \
	sh -c "mkdir '$PATCHES/2025'; echo version 6.18 >'$PATCHES/2025/base'
		exec '$top/scripts/fetch' 2025"
answers 'a missing tool: the line that installs it' 2 \
	'as root: apt-get install -y --no-install-recommends nosuch-package' \
	bash -c ". '$top/scripts/lib.sh'; id() { echo 1000; }; sudo() { false; }
		need nosuch-command=nosuch-package"

# An architecture that nobody knows, or pages that it does not have
for verb in boot each bench check; do
	answers "$verb: no such architecture" 2 \
		'ARCH=foo: one of arm arm64 i386 powerpc riscv s390 x86_64' \
		make -s -C "$top" "$verb" QUEUE=6.12.y ARCH=foo
done
answers 'boot: no such page size' 2 'PAGES=16k: powerpc has 64k 4k' \
	make -s -C "$top" boot QUEUE=6.12.y ARCH=powerpc PAGES=16k

# A kernel that does not configure or build
tiny_kernel "$tmp/broken"
printf 'allnoconfig:\n\t@echo CONFIG_PRESENT=y >$(O)/.config\n' >>"$tmp/broken/Makefile"
printf 'config LOST\n\tbool "lost"\n\tdepends on SOMETHING && ELSE\n' >"$tmp/broken/mm/Kconfig"
mkdir "$tmp/fragments"
echo 'CONFIG_PRESENT=y # here' >"$tmp/fragments/guest.config"
echo '# nothing' | tee "$tmp/fragments"/{lean,x86_64}.config >"$tmp/fragments/mm.config"
export FRAGMENTS=$tmp/fragments
check 'kconfig: an option that survives' \
	"$top/boot/kconfig" "$tmp/broken" "$tmp/build" lean
echo 'CONFIG_LOST=y	# gone' >>"$tmp/fragments/mm.config"
answers 'kconfig: an option that does not survive' 1 \
	'CONFIG_LOST=y did not survive Kconfig; LOST depends on SOMETHING && ELSE' \
	"$top/boot/kconfig" "$tmp/broken" "$tmp/build" lean
echo 'CONFIG_LOST=y|optional	# where it can be had' >"$tmp/fragments/x86_64.config"
check 'kconfig: an option that depends on what is not there' \
	"$top/boot/kconfig" "$tmp/broken" "$tmp/build" lean
echo '# CONFIG_LOST is not set	# not here' >"$tmp/fragments/x86_64.config"
check 'kconfig: an option that the architecture does not have' \
	"$top/boot/kconfig" "$tmp/broken" "$tmp/build" lean
echo '# CONFIG_PRESENT is not set	# but it is' >>"$tmp/fragments/x86_64.config"
answers 'kconfig: an option that is there and should not be' 1 \
	'# CONFIG_PRESENT is not set did not survive Kconfig' \
	"$top/boot/kconfig" "$tmp/broken" "$tmp/build" lean
: >"$tmp/fragments/x86_64.config"
sed -i '/LOST/d' "$tmp/fragments/mm.config"
mkdir -p "$tmp/broken/arch/other"
echo 'config ELSEWHERE' >"$tmp/broken/arch/other/Kconfig"
echo 'CONFIG_ELSEWHERE=y|absent	# of another architecture' >>"$tmp/fragments/mm.config"
check 'kconfig: an option of another architecture' \
	"$top/boot/kconfig" "$tmp/broken" "$tmp/build" lean
echo 'config ELSEWHERE' >>"$tmp/broken/mm/Kconfig"
answers 'kconfig: an option that this one has, and that does not survive' 1 \
	'CONFIG_ELSEWHERE=y|absent did not survive Kconfig' \
	"$top/boot/kconfig" "$tmp/broken" "$tmp/build" lean
sed -i '/ELSEWHERE/d' "$tmp/fragments/mm.config"
cat >>"$tmp/broken/Makefile" <<'EOF'
prepare vmlinux_o:
bzImage:
	@echo 'mm/memory.c:7:3: error: nonsense'; echo 'later.c: error: more'; exit 1
EOF
answers 'build: fails: the first error and the log' 1 \
	"does not build: mm/memory.c:7:3: error: nonsense \(log: $tmp/broken/build-lean/build.log\)" \
	"$top/boot/build" "$tmp/broken" lean

# Interrupted: child processes end, nothing half-written is trusted.
sed -i '/^bzImage:/,$d' "$tmp/broken/Makefile"
printf 'bzImage:\n\t@echo $$$$ >%s/child; exec sleep 60\n' "$tmp" >>"$tmp/broken/Makefile"
"$top/boot/build" "$tmp/broken" lean >/dev/null 2>&1 &
job=$!
for _ in $(seq 100); do [ -s "$tmp/child" ] && break; sleep 0.1; done
kill -TERM "$job"
wait "$job" || :
check 'build: interrupted, its children end' sh -c "
	for i in \$(seq 100); do
		kill -0 $(cat "$tmp/child") 2>/dev/null || exit 0
		sleep 0.1
	done
	exit 1"

# A guest that hangs, or whose QEMU does not start
fake qemu 'echo "$$" >'"$tmp"'/qemu.pid; echo "KTAP version 1"; exec sleep 60'
: >"$tmp/image"
is=0
QEMU=$tmp/bin-qemu/qemu ACCEL=tcg "$top/boot/qemu" "$tmp/image" "$tmp/image" \
	"$tmp/console.log" 1 >/dev/null 2>&1 || is=$?
check 'qemu: a guest that hangs is ended' test "$is" = 124
check 'qemu: its console is kept' grep -q KTAP "$tmp/console.log"
rm -f "$tmp/qemu.pid"
QEMU=$tmp/bin-qemu/qemu ACCEL=tcg "$top/boot/qemu" "$tmp/image" "$tmp/image" \
	"$tmp/console.log" 30 >/dev/null 2>&1 &
job=$!
for _ in $(seq 100); do [ -s "$tmp/qemu.pid" ] && break; sleep 0.1; done
kill -TERM "$job"
wait "$job" || :
check 'qemu: interrupted, the guest ends' sh -c "
	for i in \$(seq 100); do
		kill -0 $(cat "$tmp/qemu.pid") 2>/dev/null || exit 0
		sleep 0.1
	done
	exit 1"
check 'init: refuses to run on a host' sh -c "
	${CC:-gcc} -O1 -Wall -Wextra -Werror -o '$tmp/init' '$top/boot/init.c' || exit 1
	'$tmp/init' 2>'$tmp/stderr'; [ \$? = 2 ] && grep -q 'only as process 1' '$tmp/stderr'"
finish
