#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# usage: cross.sh PREFIX
#
# Install what `make CROSS=PREFIX` needs, as boot/arch has it, and print the kernel's
# name of that architecture and who runs its programs.
# shellcheck disable=SC1090,SC2154 # what boot/arch sets: packages, srcarch
. "$(dirname "$0")/../scripts/lib.sh"

. "$(grep -lxF "cross=$1" "$top"/boot/arch/*)"
emu=${1%%-*}
emu=qemu-${emu/i686/i386}
emu=${emu/powerpc64le/ppc64le}
tools=("$emu=qemu-user")
for package in "${packages[@]}"; do
	# QEMU for whole machines, and their firmware, are not needed here.
	[[ $package = *gcc-* || $package = *libc6-dev-* ]] && tools+=("$package")
done
need "${tools[@]}"
echo "$srcarch $emu"
