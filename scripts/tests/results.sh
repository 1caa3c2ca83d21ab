#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# results.json and results.xml: read back, and compared with what was printed.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/ktap.sh"

# asks NAME EXPRESSION: it is true of j, the JSON, x, the XML's root, and t, the
# tests by name
asks() {
	if python3 -c '
import json, sys, xml.etree.ElementTree
j = json.load(open(sys.argv[1] + ".json"))
x = xml.etree.ElementTree.parse(sys.argv[1] + ".xml").getroot()
t = {test["misc"]["name"]: test for test in j["tests"]}
c = j["checkouts"][0]
value = eval(sys.argv[2])
if not value:
    sys.exit(f"{sys.argv[2]}: {value}\n{json.dumps(j, indent=1)}")
' "$tmp/out/results" "$2" >"$tmp/output" 2>&1; then
		pass "$1"
	else
		fail "$1" "$(tail -n 60 "$tmp/output")"
	fi
}

# What boot/verdict found, with what the base said.
for name in base tree; do
	echo 0 >"$tmp/$name.status"
	cat >"$tmp/$name.log" <<-'EOF'
		KTAP version 1
		1..2
		# old-test
		    1..3
		    ok 1 one & only
		    not ok 2 two "of" <three>
		    ok 3 three # SKIP no such device
		ok 1 old-test # exit 0, 1.0 s
		# new-test
		    1..1
		    ok 1 first
		ok 2 new-test # exit 0, 1.0 s
		# guest: done
	EOF
done
sed -i 's/^    ok 1 first/    not ok 1 first/' "$tmp/base.log"
echo new-test >"$tmp/added"
"$top/boot/verdict" --added "$tmp/added" --out "$tmp/out" --verb boot --queue 6.12.y \
	--config lean --command 'make boot' "$tmp/base" "$tmp/tree" >"$tmp/verdict" || :
closing=$(tail -n 1 "$tmp/verdict")
asks "boot: the counts are those of the closing line: $closing" \
	"'$closing' == '{passed} passed, {failed} failed, {skipped} skipped'.format(**c['misc']['counts'])"
asks 'boot: as many tests as counted' \
	"len(j['tests']) == sum(c['misc']['counts'].values()) == int(x.get('tests'))"
asks 'boot: a test that the queue makes pass' \
	"(t['new-test: first']['misc']['base'], t['new-test: first']['status']) == ('FAIL', 'PASS')"
asks 'boot: a skip with its reason' \
	"t['old-test: three']['status'] == 'SKIP' and 'no such device' in t['old-test: three']['comment']"
asks 'boot: fails on the base as well' \
	"(t['old-test: two \"of\" <three>']['misc']['base'], t['old-test: two \"of\" <three>']['status']) == ('FAIL', 'SKIP')"
asks 'a name survives XML' \
	"x.find(\"testcase[@name='two \\\"of\\\" <three>']/skipped\") is not None"
sed -i '/ok 1 one/d' "$tmp/tree.log"
"$top/boot/verdict" --added "$tmp/added" --out "$tmp/out" --verb boot \
	"$tmp/base" "$tmp/tree" >"$tmp/verdict" || :
asks 'boot: a test that did not run has failed' \
	"t['old-test: one & only']['status'] == 'FAIL' and x.get('failures') == str(c['misc']['counts']['failed'])"

# What KCIDB's schema 5 asks for.
asks 'KCIDB: ids are ORIGIN:...' \
	"all(e['id'].startswith(e['origin'] + ':') for k in ('checkouts', 'builds', 'tests') for e in j[k])"
asks 'KCIDB: nothing refers to what is not there' \
	"{b['checkout_id'] for b in j['builds']} == {c['id']} and {e['build_id'] for e in j['tests']} == {b['id'] for b in j['builds']}"
asks 'KCIDB: no two tests have one id' "len({e['id'] for e in j['tests']}) == len(j['tests'])"
asks 'KCIDB: paths' \
	"all(__import__('re').fullmatch('[.a-zA-Z0-9_-]+', e['path']) for e in j['tests'])"
asks 'KCIDB: only fields that it has' "not (
	set(c) - set('id origin tree_name git_repository_url git_commit_hash git_commit_name git_repository_branch patchset_files patchset_hash message_id comment start_time log_url log_excerpt valid misc'.split()) |
	{k for b in j['builds'] for k in b} - set('id checkout_id origin comment start_time duration architecture command compiler input_files output_files config_name config_url log_url log_excerpt status misc'.split()) |
	{k for e in j['tests'] for k in e} - set('id build_id origin environment path comment log_url log_excerpt status number start_time duration input_files output_files misc'.split()))"

# What other verbs print.
cat >"$tmp/ktap" <<'EOF'
KTAP version 1
1..4
    ok 1 inner
    not ok 2 inner two
not ok 1 outer
ok 2 - plain
not ok 3 known # TODO known defect
ok 4 left out # SKIP for a reason
EOF
"$top/scripts/results.py" --verb each --out "$tmp/out" "a=$tmp/ktap"
asks 'KTAP: subtests, and what failed by itself' \
	"[(e['misc']['name'], e['status']) for e in j['tests']] == [('a: inner', 'PASS'), ('a: inner two', 'FAIL'), ('a: outer', 'FAIL'), ('a: plain', 'PASS'), ('a: known', 'SKIP'), ('a: left out', 'SKIP')]"
printf 'scenario,base,tree\n"one, a",5,4\n' >"$tmp/table.csv"
"$top/scripts/results.py" --verb bench --out "$tmp/out" "$tmp/table.csv"
asks 'CSV: figures' "t['one, a']['status'] == 'DONE' and t['one, a']['comment'] == 'base 5, tree 4'"
check 'with-results: the exit status is the command'\''s' sh -c \
	"O='$tmp/o' '$top/scripts/with-results' each 6.12.y sh -c 'echo ok 1 a; exit 1'; test \$? = 1"
mv "$tmp/o/6.12.y/each" "$tmp/out"
cp "$tmp/out/each/results".* "$tmp/out/"
asks 'with-results: what was printed is there' "list(t) == ['a'] and c['tree_name'] == '6.12.y'"
# The page made of them.
check 'report: it is made' "$top/scripts/report" "$tmp/o" "$top/patches" test
mkdir -p "$tmp/o/6.12.y/each"
cp "$tmp/out/results".* "$tmp/o/6.12.y/each/"
"$top/scripts/report" "$tmp/o" "$top/patches" test >/dev/null
check 'report: what was run, and what was not' sh -c \
	"grep -q '6.12.y each' '$tmp/o/report/index.html' &&
	grep -q 'make boot QUEUE=6.12.y' '$tmp/o/report/index.html' &&
	! grep -q '<li><code>make each QUEUE=6.12.y<' '$tmp/o/report/index.html'"
mkdir -p "$tmp/o/6.12.y/world"
printf '%s\n' 'figure,unit,base_median,base_least,base_most,base_repeats,tree_median,tree_least,tree_most,tree_repeats,ratio' \
	'"redis: fork, <busy>",us,20000,10,30000,3,-,-,-,0,-' >"$tmp/o/6.12.y/world/figures.csv"
printf '%s\n' scenario,base_instructions,base_vmpte_kb,tree_instructions,tree_vmpte_kb,tree_ratio \
	plain,1000,28,100,28,0.100 none,0,-,0,-,- >"$tmp/o/6.12.y/bench.csv"
check 'report: figures, with a count of 0' "$top/scripts/report" "$tmp/o" "$top/patches" test
check 'report: bars of bench' grep -q '<td>0</td>\|<td class=n>0</td>' "$tmp/o/report/index.html"
check 'report: figures of make world' grep -q \
	'redis: fork, &lt;busy&gt;.*20,000.*10-30,000.*>-<' "$tmp/o/report/index.html"
answers 'report: no place for it' 1 'cannot write /proc/o/report/index.html: No such file' \
	"$top/scripts/report" /proc/o "$top/patches" test
echo '{"checkouts": []}' >"$tmp/o/6.12.y/world/results.json"
answers 'report: what is no result' 1 '6.12.y/world/results.json has no results of a verb' \
	"$top/scripts/report" "$tmp/o" "$top/patches" test
check 'report: nothing comes from a network' sh -c \
	"! grep -E '(src|href)=' '$tmp/o/report/index.html'"
finish
