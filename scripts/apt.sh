# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154 # for, and from, those that source it
# apt as any user, with a state of its own in the folder $apt: the machine's is left
# alone. The array options is what apt-get and apt-cache are then given.

mkdir -p "$apt"/{lists,archives}/partial
options=(-q -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt"
	-o Debug::NoLocking=1 -o APT::Sandbox::User=root
	-o Acquire::Languages=none)

# apt_suite SUITE WHAT: take WHAT from a suite of Debian, from wherever this machine
# gets Debian from
apt_suite() {
	local uri key=/usr/share/keyrings/debian-archive-keyring.gpg
	# shellcheck disable=SC2016 # apt's own
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
		grep -E '/debian/?$' | sort -u | head -n 1) || :
	[ -n "$uri" ] || die -2 "no Debian archive among this machine's package" \
		"sources: $2 is in $1"
	echo "deb [signed-by=$key] $uri $1 main" >"$apt/sources.list"
	options+=(-o "Dir::Etc::SourceList=$apt/sources.list"
		-o Dir::Etc::SourceParts=/dev/null)
}
