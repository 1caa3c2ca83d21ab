# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # for, and from, those that source it
# What differs from architecture to architecture, for verbs that build kernels.

# arch_known CONFIG: what boot/arch/ARCH says, and kind, CONFIG's name there for files:
# lean, lean-arm64, lean-arm64-64k.
arch_known() {
	local name=${ARCH:-x86_64} known
	known=$(cd "$top/boot/arch" && echo *)
	[[ " $known " = *" $name "* ]] || die -2 "ARCH=$name: one of $known"
	# shellcheck source=boot/arch/x86_64
	. "$top/boot/arch/$name"
	PAGES=${PAGES:-${pages[0]}}
	[[ " ${pages[*]} " = *" $PAGES "* ]] ||
		die -2 "PAGES=$PAGES: $name has ${pages[*]}"
	export ARCH=$name PAGES CROSS_COMPILE=$cross
	cc=$cross${CC:-gcc}
	kind=$1
	[ "$name" = x86_64 ] || kind+=-$name
	[ "$PAGES" = "${pages[0]}" ] || kind+=-$PAGES
}
