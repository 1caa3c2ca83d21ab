#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# make world: its list, bad input, what fetches the userland, and the table of
# figures. What runs in guests is built here, and what can run without one runs.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/ktap.sh"

unset QUIET KDIR ARCH
kernel=$tmp/kernel
git_kernel "$kernel"
export O=$tmp/out PATCHES=$tmp/patches XDG_CACHE_HOME=$tmp/cache
tiny_queue "$PATCHES" "$kernel"
not() { ! "$@"; }
# fake COMMAND SCRIPT: one of our own making, in front of the real one
fake() {
	mkdir -p "$tmp/bin-$1"
	printf '#!/bin/sh\n%s\n' "$2" >"$tmp/bin-$1/$1"
	chmod +x "$tmp/bin-$1/$1"
}

# The list: each program has all that is asked for, and is there.
wrong=$(awk -v dir="$top/boot/programs/" '/^#/ || !NF { next }
	$2 !~ /^(named:)?(smp|icount)$/ || $3 !~ /^[1-9][0-9]*$/ || $4 !~ /^\// ||
	!/;[ \t]*[a-z0-9]/ { print $1 ": a field is missing" }
	seen[$1]++ { print $1 ": there are two" }
	{ for (i = 4; i <= NF; i++) if ($i ~ /^\/world\//) {
		name = dir substr($i, 8)
		if ((getline line < name) < 0 && (getline line < (name ".c")) < 0)
			print $1 ": no " $i
	} }' "$top/boot/world")
check "boot/world: each program is there, with all fields${wrong:+: $wrong}" test -z "$wrong"

answers 'a program that there is not' 2 'PROGRAM=nonsense: one of threads heap' \
	make -s -C "$top" world QUEUE=6.12.y KDIR="$kernel" PROGRAM='threads nonsense'
answers 'a program that is a pattern' 2 'PROGRAM=\*: one of threads heap' \
	make -s -C "$top" world QUEUE=6.12.y KDIR="$kernel" PROGRAM='*'
answers 'another architecture' 2 'ARCH=arm64: make world is for x86_64' \
	make -s -C "$top" world QUEUE=6.12.y KDIR="$kernel" ARCH=arm64
check 'nothing is created for them' test ! -e "$O" -a ! -e "$XDG_CACHE_HOME"

# The userland
fake df 'printf "Filesystem M Used Available\nx 1 1 17 1%% /\n"'
answers 'userland: no space' 2 'no space: a userland of sid takes' \
	env PATH="$tmp/bin-df:$PATH" "$top/scripts/userland" bash
fake apt-get 'exit 0'
answers 'userland: no Debian archive' 2 'no Debian archive among' \
	env PATH="$tmp/bin-apt-get:$PATH" "$top/scripts/userland" bash
fake apt-get 'case "$*" in *indextargets*) echo http://localhost/debian/ ;;
	*) echo "E: no network here"; exit 100 ;; esac'
answers 'userland: no network' 2 'cannot get the userland \(sid\): E: no network here' \
	env PATH="$tmp/bin-apt-get:$PATH" "$top/scripts/userland" bash
fake apt-get 'case "$*" in *indextargets*) echo http://localhost/debian/ ;; esac'
answers 'userland: no such package' 2 'cannot get no-such-package \(sid\)' \
	env PATH="$tmp/bin-apt-get:$PATH" "$top/scripts/userland" no-such-package
check 'userland: nothing half done is left' sh -c \
	"! find '$XDG_CACHE_HOME' -mindepth 2 -maxdepth 2 ! -name '.*' | grep ."

# A package of our own, from an apt of our own: what is unpacked, and kept.
mkdir -p "$tmp/deb/DEBIAN" "$tmp/deb/usr/bin" "$tmp/deb/usr/share/doc/tiny"
printf '%s\n' 'Package: tiny' 'Version: 1:2-3' 'Architecture: all' \
	'Maintainer: T <t@example.org>' 'Description: tiny' >"$tmp/deb/DEBIAN/control"
echo tiny | tee "$tmp/deb/usr/bin/tiny" >"$tmp/deb/usr/share/doc/tiny/README"
dpkg-deb -b "$tmp/deb" "$tmp/tiny.deb" >/dev/null
fake apt-get "case \"\$*\" in *indextargets*) echo http://localhost/debian/ ;;
	*'-s install'*) echo 'Inst tiny (1)'; echo 'Inst libllvm99 (1)' ;;
	*download*) echo \"\$*\" >'$tmp/downloaded'; cp '$tmp/tiny.deb' . ;; esac"
fake apt-cache 'exit 0'
export PATH="$tmp/bin-apt-get:$tmp/bin-apt-cache:$PATH"
check 'userland: a package' "$top/scripts/userland" tiny
userland=$(cat "$tmp/output")
userland=${userland##*$'\n'}
check 'userland: it is unpacked, without its documentation' sh -c "
	grep -qx tiny '$userland/root/bin/tiny' && [ ! -e '$userland/root/usr/share/doc/tiny/README' ]"
check 'userland: its version is noted' grep -qx 'tiny 1:2-3' "$userland/packages"
check 'userland: what has no use in a guest is left out' sh -c "! grep libllvm '$tmp/downloaded'"
rm "$tmp/downloaded"
check 'userland: once there, it is not fetched again' sh -c "
	[ \"\$('$top/scripts/userland' tiny)\" = '$userland' ] && [ ! -e '$tmp/downloaded' ]"

# The disk: all programs build, and are on it, with what init reads.
mkdir -p "$tmp/disk"
echo 'threads 120 /world/threads' >"$tmp/disk/tests-smp"
: >"$tmp/disk/tests-icount"
check 'disk: it is made' "$top/boot/world-disk" "$userland" "$tmp/disk/disk.img" "$tmp/disk"
check 'disk: programs, init and the list are on it' sh -c "
	for file in /init /tests-smp /world/threads /world/guard_page.so /world/criu; do
		/sbin/debugfs -R \"stat \$file\" '$tmp/disk/disk.img' 2>/dev/null |
			grep -q 'Type: regular' || { echo \"no \$file\"; exit 1; }
	done"
sum=$("$top/boot/world-disk" "$userland" "$tmp/disk/disk.img" "$tmp/disk")
echo 'heap 120 /world/heap' >>"$tmp/disk/tests-smp"
check 'disk: another list, another checksum' test "$sum" != \
	"$("$top/boot/world-disk" "$userland" "$tmp/disk/disk.img" "$tmp/disk")"
for program in threads heap; do
	"${CC:-gcc}" -O2 -pthread -o "$tmp/$program" "$top/boot/programs/$program.c"
	check "$program: passes here, with as many tests as planned" sh -c "
		'$tmp/$program' >'$tmp/said' &&
		grep -qx \"1..\$(grep -cE '^ok ' '$tmp/said')\" '$tmp/said'"
done
# A guard that can be read is found: no guard where one is asked for.
sed 's/pthread_attr_setguardsize(&attr, guard)/pthread_attr_setguardsize(\&attr, 0)/' \
	"$top/boot/programs/threads.c" >"$tmp/unguarded.c"
"${CC:-gcc}" -O2 -pthread -I"$top/boot/programs" -o "$tmp/unguarded" "$tmp/unguarded.c"
check 'threads: without guards it fails' sh -c "
	! '$tmp/unguarded' >'$tmp/said' && grep -q '^not ok .* 200 threads, grandchild' '$tmp/said'"

# What CRIU and trinity have as a witness: it says what it finds, and finds what is
# not as it was.
# looked PROGRAM: the line that it writes when it is asked to look
looked() {
	rm -rf "$tmp/seen"
	mkdir "$tmp/seen"
	"$1" "$tmp/seen" 0 &
	local witness=$! said=$tmp/seen/$!.said
	for _ in $(seq 100); do [ -s "$said" ] && break; sleep 0.1; done
	rm -f "$said"
	kill -USR1 "$witness"
	for _ in $(seq 100); do [ -s "$said" ] && break; sleep 0.1; done
	sleep 0.2
	tail -n 1 "$said"
	kill -KILL "$witness"
	wait "$witness" 2>/dev/null || :
}
"${CC:-gcc}" -O2 -o "$tmp/guarded" "$top/boot/programs/guarded.c"
check 'guarded: all is as it was' test "$(looked "$tmp/guarded")" = 'generation 0, touched 0, wrong 0'
sed 's/memset(mappings\[m\] + i \* page, mark(m, i), page)/memset(mappings[m] + i * page, 0, page)/' \
	"$top/boot/programs/guarded.c" >"$tmp/forgetful.c"
"${CC:-gcc}" -O2 -I"$top/boot/programs" -o "$tmp/forgetful" "$tmp/forgetful.c"
check 'guarded: data that is lost is found' not \
	test "$(looked "$tmp/forgetful")" = 'generation 0, touched 0, wrong 0'

# The verb itself, with kernels that are not built and guests that QEMU does not run:
# a copy of the scripts, where boot/build makes a file and QEMU prints a console.
mkdir -p "$tmp/copy" "$tmp/out-verb"
cp -r "$top/boot" "$top/scripts" "$top/kconfig-fragments" "$tmp/copy/"
cat >"$tmp/copy/boot/build" <<'EOF'
#!/bin/sh
mkdir -p "$1/build-world/arch/x86/boot"
echo kernel >"$1/build-world/arch/x86/boot/bzImage"
echo "$1/build-world"
EOF
cat >"$tmp/copy/boot/world" <<'EOF'
one	smp	10	/world/threads	; tiny
two	icount	10	/world/vmm 9	; tiny
three	named:smp 10	/world/threads	; tiny
EOF
cat >"$tmp/copy/qemu" <<'EOF'
#!/bin/sh
echo "$*" >>"$(dirname "$0")/asked"
case $* in *icount*) name=two ;; *) name=one ;; esac
printf '%s\n' 'KTAP version 1' '1..1' "# $name" '    1..1' "    ok 1 $name.first" \
	'    # figure: fork: 7 ns' "ok 1 $name # exit 0, 1.0 s" '# guest: done'
EOF
chmod +x "$tmp/copy/boot/build" "$tmp/copy/qemu"
world() {
	O=$tmp/out-verb QEMU=$tmp/copy/qemu ACCEL=tcg KDIR=$kernel \
		PROGRAM="$*" "$tmp/copy/boot/world-boot" 6.12.y | tee "$tmp/said"
}
check 'world: two guests a kernel' world
check 'world: the sum' grep -qx '10 passed, 0 failed, 0 skipped' "$tmp/said"
check 'world: what runs by name only did not' \
	not grep -q three "$tmp/out-verb/6.12.y/world/tests-smp"
check 'world: each guest has its disk, its list and its clock' sh -c "
	[ \$(grep -c 'disk.img,.*snapshot=on' '$tmp/copy/asked') = 4 ] &&
	[ \$(grep -c 'TESTS=/tests-icount.*root=/dev/vda.* -icount shift=0' '$tmp/copy/asked') = 2 ]"
check 'world: figures' grep -qx 'two: fork,ns,7,7,7,1,7,7,7,1,1.000' \
	"$tmp/out-verb/6.12.y/world/figures.csv"
check 'world: results.json' grep -q '"one: one.first"' "$tmp/out-verb/6.12.y/world/results.json"
: >"$tmp/copy/asked"
check 'world: again' world
check 'world: the base is not booted again' test "$(wc -l <"$tmp/copy/asked")" = 2
check 'world: one program' world one
check 'world: no other' not grep two "$tmp/said"
world three >"$tmp/three" 2>&1 || : # the guest of this test runs another
check 'world: by its name it runs' \
	grep -qx 'three 10 /world/threads' "$tmp/out-verb/6.12.y/world/tests-smp"
sed -i "s/^case/case \$* in *disk.img*) exit 0 ;; esac\n&/" "$tmp/copy/qemu"
check 'world: a guest that says nothing has failed' not world

# Figures: medians, spread, and what only one of both has.
cat >"$tmp/base.log" <<'EOF'
# postgres
    # figure: connection, plain: 30 us
    # figure: connection, plain: 10 us
    # figure: connection, plain: 20 us
ok 1 postgres
EOF
sed 's/plain: 20/plain: 40/; s/^ok/    # figure: only: 5 kB\n&/' "$tmp/base.log" >"$tmp/tree.log"
check 'figures' "$top/boot/world-figures" "$tmp/figures.csv" "$tmp/base" "$tmp/tree"
check 'figures: median, least, most, repeats, ratio' grep -qx \
	'"postgres: connection, plain",us,20,10,30,3,30,10,40,3,1.500' "$tmp/figures.csv"
check 'figures: what the base does not have' grep -qx \
	'postgres: only,kB,-,-,-,0,5,5,5,1,-' "$tmp/figures.csv"
finish
