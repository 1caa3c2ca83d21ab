#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: KDIR=tree selftest.sh
# What importer, runner and Makefile do with input that is bad, or only unusual.
set -u
here=$(cd "$(dirname "$0")" && pwd)
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
trap 'exit 130' INT TERM
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES HARNESS_AGAIN HARNESS_KNOWN
tree=$KDIR
unset KDIR QUEUE O ONE V
n=0 passed=0 failed=0
echo "KTAP version 1"
echo "1..$(grep -c '^check "' "$0")"

# check TEXT COMMAND...: the command must succeed; its output is shown if not
check() {
	local text=$1 out
	shift
	n=$((n + 1))
	if out=$("$@" 2>&1); then
		passed=$((passed + 1))
		echo "ok $n - $text"
	else
		failed=$((failed + 1))
		out=${out:-no output}
		echo "# ${out//$'\n'/$'\n'# }"
		echo "not ok $n - $text"
	fi
}

# status N COMMAND...: run it, output to $T/out, and expect that exit status
status() {
	local want=$1 got=0
	shift
	"$@" >"$T/out" 2>&1 || got=$?
	[ "$got" = "$want" ] || { cat "$T/out"; echo "status $got, not $want"; }
	[ "$got" = "$want" ]
}

says() {
	grep -qE -- "$1" "$T/out" || { cat "$T/out"; echo "not found: $1"; false; }
}

# --- the importer, on a file of our own

mkdir -p "$T/src/include/linux" "$T/lists"
: >"$T/src/include/linux/mm_types.h"
cp "$here/selftest/tree.h" "$T/src/tree.h"

# import LINE...: import by a list of these lines, to $T/got
import() {
	printf '%s\n' "$@" >"$T/lists/t.list"
	"$here/import/import.py" "$T/src" "$T/got" "$T/lists/t.list"
}

# taken LINE EXPECTED: the list's line gives that text, #line apart
taken() {
	rm -rf "$T/got"
	import "tree.h $1" || return 1
	grep -v '^#line' "$T/got/t/tree.h" | diff - <(printf '%s\n' "$2")
}

type_above='static bool
type_above(int a,
	   int b)
{
	return a == b;
}'
branches='#ifdef CONFIG_FIRST
#define IN_EACH_BRANCH	1
#elif defined(CONFIG_SECOND) && \
	!defined(CONFIG_THIRD)
# define IN_EACH_BRANCH	(1 + \
			 1)
#else
#define IN_EACH_BRANCH	3
#endif'
last_branch='#ifdef CONFIG_FIRST
#elif defined(CONFIG_SECOND) && \
	!defined(CONFIG_THIRD)
#else
static inline int in_last_branch(void) { return 3; }
#endif'
bits='#define DECLARE_BIT(name, bit) NAME_ ## name ## _BIT = bit
enum {
	DECLARE_BIT(LOW, 0),
#ifdef CONFIG_FIRST
	DECLARE_BIT(MIDDLE, 1),
#endif
	DECLARE_BIT(HIGH, 2),
};'

root='static inline int root(void)
{
	return leaf_two();	/* not leaf_three() */
}'

check "import: a return type on the line before the name" \
	taken type_above "$type_above"
check "import: a definition in each branch of an #if, with its #if" \
	taken IN_EACH_BRANCH "$branches"
check "import: a definition in one branch only, with its #if" \
	taken in_last_branch "$last_branch"
check "import: an enum made by a macro, as a whole" \
	taken DECLARE_BIT "$bits"
check "import: an enum by one of its names" \
	taken SECOND_NAMED 'enum named { FIRST_NAMED, SECOND_NAMED };'
check "import: a typedef that ends with its name" \
	taken bits_t $'typedef struct {\n\tunsigned long bits[2];\n} bits_t;'
check "import: a prototype of two lines" \
	taken declared_only $'int declared_only(int a,\n\t\t  int b);'
check "import: a table" \
	taken table $'static const int table[] = {\n\t1,\n\t2,\n};'
check "import: a function and what it uses of its file" \
	taken root+ "$branches
static inline int leaf_one(void) { return IN_EACH_BRANCH; }
static inline int leaf_two(void) { return leaf_one(); }
$root"
check "import: and all of that but one" \
	taken 'root+ -leaf_one' "static inline int leaf_two(void) { return leaf_one(); }
$root"
check "import: in the order of the file, whatever that of the list" \
	taken 'table bits_t' $'typedef struct {\n\tunsigned long bits[2];\n} bits_t;\nstatic const int table[] = {\n\t1,\n\t2,\n};'
check "import: a name in a comment is none" \
	status 1 import 'tree.h in_a_comment'
check "import: a glob takes what it matches" \
	taken 'table bit?_t?' $'typedef struct {\n\tunsigned long bits[2];\n} bits_t;\nstatic const int table[] = {\n\t1,\n\t2,\n};'

line_kept() {
	import 'tree.h type_above table' &&
		printf '%s\n' '#include "got/t/tree.h"' >"$T/t.c" &&
		status 1 gcc -c -o /dev/null -I"$T" "$T/t.c" &&
		says "src/tree.h:5:.*unknown type name .bool"
}
check "import: a compiler's message names the kernel's file and line" line_kept

nearest() {
	rm -rf "$T/got"
	status 1 import 'tree.h type_abov table' &&
		says '^tree.h: type_abov: not in this tree \(nearest: type_above.*looked for by .*t.list:1' &&
		[ ! -e "$T/got" ]
}
check "import: a name that is gone: file, name, nearest, status 1, no output" \
	nearest

all_named() {
	status 1 import 'tree.h gone_one' 'none.h gone_two' 'tree.h|none.h gone_*' &&
		says 'tree.h: gone_one' && says 'none.h: gone_two: .*no such file' &&
		says 'tree.h\|none.h: gone_\*'
}
check "import: each name that is gone is named, not the first" all_named

optional() {
	rm -rf "$T/got"
	import 'none.h|tree.h gone? table' && grep -q TREE_HAS_table "$T/got/t/has.h" &&
		! grep -q gone "$T/got/t/has.h" && [ -s "$T/got/t/none.h" ]
}
check "import: an optional name, and the first of several files" optional
check "import: a list with a file and no name" status 2 import 'tree.h'
check "import: no tree" status 2 "$here/import/import.py" "$T/lists" "$T/x" "$T/lists/t.list"

unchanged() {
	import 'tree.h table' && touch -d 2000-01-01 "$T/got/t/tree.h" &&
		import 'tree.h table' && [ "$T/src/tree.h" -nt "$T/got/t/tree.h" ]
}
check "import: what has not changed is not written again" unchanged

# --- the runner, on tests of our own

# ends NAME CLOSING TEXT...: the closing line, the status that goes with it, and
# lines of the output
ends() {
	local name=$1 closing=$2 text
	shift 2
	status "$([[ $closing == *" 0 failed"* ]]; echo $?)" \
		"$T/runner" -t 2 "runner.$name" || return 1
	[ "$(tail -n 1 "$T/out")" = "$closing" ] || { cat "$T/out"; return 1; }
	for text; do
		says "$text" || return 1
	done
}
bad="0 passed, 1 failed, 0 skipped"
check "runner: builds" gcc -g -Wall -Wextra -Werror -fsanitize=address,undefined \
	-fno-sanitize-recover=all -I"$here/.." -o "$T/runner" \
	"$here/runner.c" "$here/report.c" "$here/selftest/runner.c"
check "runner: a pass" ends passes "1 passed, 0 failed, 0 skipped" '^1\.\.1$' \
	'^ok 1 - runner.passes$'
check "runner: a failure shows expression, both values, and how to run it again" \
	ends says_both_values "$bad" 'runner.c:[0-9]+: pages: 3 \(0x3\), expected 4: 4' \
	'^# and goes on$' '^# .*: pages == 4: false' "^# again: $T/runner runner.says_both_values$"
check "runner: many failures of one test are cut short" \
	ends fails_often "$bad" '^# and 980 more$'
check "runner: a crash" ends crashes "$bad" '^not ok 1 - runner.crashes'
check "runner: exit() is no pass" ends exits "$bad" '^# ended with status 0 before'
check "runner: half a line of output does not hide the result" \
	ends ends_without_status "$bad" '^# half$' '^not ok 1'
check "runner: a hang" ends hangs "$bad" '^# timed out after 2 s'
check "runner: a hang without output" ends hangs_with_output_closed "$bad" '^not ok 1'
check "runner: a skip that nobody expects" ends skips "$bad" 'is no TEST_IF'
check "runner: a skip with its reason" \
	ends may_skip "0 passed, 0 failed, 1 skipped" '^ok 1 - runner.may_skip # SKIP no such thing'
check "runner: -s, a skip is a failure" status 1 "$T/runner" -s runner.may_skip
check "runner: a skip does not hide a failure" ends skips_after_failure "$bad"
check "runner: a leak" ends leaks "$bad" 'LeakSanitizer'
check "runner: a read beyond the end" ends overruns "$bad" 'heap-buffer-overflow'
check "runner: undefined behaviour" ends shifts_too_far "$bad" 'shift exponent 77'
known() {
	HARNESS_KNOWN='other-some-defect some-defect-too' ends known "$bad" &&
		HARNESS_KNOWN='other some-defect' ends known \
			"0 passed, 0 failed, 1 skipped" '# TODO .*met it'
}
check "runner: a defect that HARNESS_KNOWN names, and no other" known
none() {
	status 1 "$T/runner" nobody && says '^1\.\.0$' && says 'no test is no success' &&
		says '^0 passed, 0 failed, 0 skipped$'
}
check "runner: no test of that name" none
check "runner: an option that it does not know" status 2 "$T/runner" -z

# --- make, on a tree of links to the given one

H() {
	make --no-print-directory -C "$here" O="$T/o" SAN=0 "$@"
}
bad_kdir() {
	status 2 H test "KDIR=$T/lists" && says "KDIR=$T/lists: no kernel tree" &&
		[ "$(wc -l <"$T/out")" = 1 ] && [ ! -e "$T/o" ]
}
check "make: KDIR= is no tree: one line, status 2, nothing created" bad_kdir

old_kdir() {
	mkdir -p "$T/old/include/linux" "$T/old/mm"
	: >"$T/old/include/linux/mm_types.h"
	status 2 H test "KDIR=$T/old" && says 'too old: .*mm/vma.c; the oldest .* 6\.12' &&
		[ "$(wc -l <"$T/out")" = 1 ] && [ ! -e "$T/o" ]
}
check "make: KDIR= is too old: one line, the oldest that works, nothing created" old_kdir

no_cross() {
	status 2 H list KDIR="$tree" CROSS=sparc- &&
	says 'CROSS=sparc-: one of .* s390x-linux-gnu-' && [ "$(wc -l <"$T/out")" = 1 ]
}
check "make: CROSS= is unknown: the ones that are" no_cross

linked=$T/linked
mkdir -p "$linked"
for path in Makefile mm fs kernel/fork.c lib include arch/x86/include \
	tools/include tools/lib tools/arch/x86/include; do
	mkdir -p "$linked/$(dirname $path)"
	cp -as "$tree/$path" "$linked/$path"
done

# edit FILE SED: a file of the linked tree, changed
edit() {
	sed "$2" "$(readlink -f "$tree/$1")" >"$T/edited"
	! cmp -s "$T/edited" "$tree/$1" || { echo "$2 changes nothing"; return 1; }
	rm "$linked/$1"
	mv "$T/edited" "$linked/$1"
}
restore() {
	rm -f "$linked/$1"
	ln -s "$tree/$1" "$linked/$1"
}
stamp() {
	# Not git's own folder: others may ask git about this tree meanwhile.
	find "$tree" -name .git -prune -o -name 'build-*' -prune -o \
		! -path "$tree" -printf '%p %s %T@ %C@\n' | cksum
}

before=$(stamp)
passes() {
	status 0 H test KDIR="$linked" ONE="vma*" && tail -n 1 "$T/out" | grep -q ' 0 failed,'
}
check "make: the tests pass on this tree" passes
quiet() {
	status 0 H test KDIR="$linked" ONE="vma*" && ! says '^  (IMPORT|CC|LD)' >/dev/null
}
check "make: nothing is built twice" quiet

renamed() {
	edit mm/memory.c 's/\bvma_needs_copy\b/vma_wants_copy/' &&
		status 2 H test KDIR="$linked" ONE="vma*" &&
		says 'mm/memory.c.*: vma_needs_copy: not in this tree \(nearest: .*vma_wants_copy'
}
check "make: a function that was renamed: file, name, nearest" renamed
restore mm/memory.c
check "make: and back again" passes

wrong() {
	edit mm/memory.c '/^vma_needs_copy/,/^}/s/src_vma->anon_vma/0/' &&
		status 2 H test KDIR="$linked" && says '^not ok .*forked_pairs' &&
		says 'again: make -C harness test .*KDIR=.* ONE=vma_needs_copy.forked_pairs'
}
check "make: a wrong vma_needs_copy() is rebuilt and caught" wrong
restore mm/memory.c

defects() {
	# What was put back is older than what was imported in its place.
	status 0 H replay KDIR="$linked" ONE="source-asked child-keeps-bit munmap-locked" &&
		says '^ok 1 - accounts.munmap-locked.*, caught by' &&
		says 'fork.source-asked.*, caught by' &&
		says 'userfaultfd.child-keeps-bit.*, caught by' &&
		says '^# all +3 of +3 caught, 100%$'
}
check "make: past defects, put back, are caught" defects
replays() {
	"$here/replay/replay.py" "$1" "$T/o"/harness/*/import "$T/o/replay" 1 "" \
		"$T/t.c" -- true >"$T/out" 2>&1
}
replay_list() {
	mkdir -p "$T/replay"
	echo "no name" >"$T/replay/t.list"
	! replays "$T/replay" && says 't.list:1: not a new NAME: COMMIT, WHAT' || return 1
	printf 'a: b, c\n\tfunction no-edit\n' >"$T/replay/t.list"
	! replays "$T/replay" && says 't.list:2: not FUNCTION /REGEX/REPLACEMENT/'
}
check "replay: a list that is not in the form: file, line, the form" replay_list

# The functions of known.list, whatever else is edited around them.
edited_file() {
	local file known
	status 0 H known KDIR="$linked" && known=$(tail -n 1 "$T/out") &&
		[ -n "$known" ] || return 1
	for file in mm/vma.c mm/madvise.c; do
		edit "$file" '1i /* another line, and a function moved */' || return 1
	done
	status 0 H known KDIR="$linked" && [ "$(tail -n 1 "$T/out")" = "$known" ]
}
check "make: what is known of a function is, though its file was edited" edited_file
restore mm/vma.c
restore mm/madvise.c
expected() {
	local HARNESS_KNOWN
	status 0 H known KDIR="$linked" HARNESS_KNOWN='one two' && says '^one two$' &&
		export HARNESS_KNOWN='three four' &&
		status 0 H known KDIR="$linked" && says '^three four$' &&
		export HARNESS_KNOWN= && status 0 H known KDIR="$linked" && says '^$'
}
check "make: HARNESS_KNOWN, in the environment and on the command line" expected

# A list of our own, of a function that is there.
by_function() {
	local line
	status 0 H known KDIR="$linked" && I=$(find "$T/o" -name import -type d) &&
		line=$("$here/known.py" line copy_page_range "$I") &&
		echo "${line/NAME/mine}" >"$T/known.list" &&
		[ "$("$here/known.py" names "$T/known.list" "$I")" = mine ] || return 1
	edit mm/memory.c '/^copy_page_range/,/^}/{s|^{|{ /* a   comment */|;s/\t/        /}' &&
		status 0 H known KDIR="$linked" &&
		[ "$("$here/known.py" names "$T/known.list" "$I")" = mine ] || return 1
	edit mm/memory.c '/^copy_page_range/,/^}/s/src_vma->vm_start/0/' &&
		status 0 H known KDIR="$linked" &&
		[ "$("$here/known.py" names "$T/known.list" "$I")" = "" ]
}
check "known.list: the function as it was, and not with another text" by_function
restore mm/memory.c

missed() {
	printf '%s\n' "x.c:1: error: implicit declaration of function 'vma_lookup'" \
		"x.c:2: error: 'nowhere_defined' undeclared" >"$T/errors"
	"$here/import/hint.py" "$linked" "$here"/import/*.list <"$T/errors" >"$T/out"
	says '^vma_lookup: is in include/linux/mm.h:[0-9]+: add "include/linux/mm.h.*to harness/import/' &&
		says '^nowhere_defined: not defined in this tree.*harness/shim/'
}
check "import: what a compiler missed: where it is, and which list takes it" missed
trees() {
	status 2 make --no-print-directory -C "$here" trees O="$T/o2" TREES="$T/old" &&
		says '^old +0 +0 +1 +too old' && says '^0 passed, 0 failed, 1 skipped$'
}
check "make: trees, one that is too old" trees

idle_stub() {
	echo 'void nobody_calls_this(void); void nobody_calls_this(void) { }' >"$T/idle.c"
	status 2 H test KDIR="$linked" STUB="$T/idle.c" &&
		says 'stub nobody_calls_this: nothing refers to it'
}
check "make: a stub that nothing refers to" idle_stub
check "make: ONE= without such a test" status 2 H test KDIR="$linked" ONE=nobody
relative() {
	cd "$T" && status 0 H list KDIR=linked && says '^vma_needs_copy.forked_pairs$'
}
check "make: a relative KDIR=" relative
untouched() {
	[ "$before" = "$(stamp)" ]
}
check "make: the tree is as it was" untouched

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ] && [ "$n" = "$(grep -c '^check "' "$0")" ]
