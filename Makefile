# SPDX-License-Identifier: GPL-2.0
# Every verb of copy-on-fork; `make` alone prints them.

QUEUE ?= 6.12.y
CONFIG ?= lean
# Not the ?= of CC: make itself has a value for it.
ifeq ($(origin CC),default)
CC = gcc
endif
export QUEUE CONFIG PROGRAM FORMAT ARCH PAGES KDIR O J CC ACCEL V SOB TIMEOUT

.PHONY: help boot test harness tree check each try bench world report fetch mbox export edit refresh sign clean

help:
	@printf '%s\n' \
	'copy-on-fork: patch queues for what fork() has to keep, and their tests' \
	'' \
	'  make boot      build, boot and test a queue against its base' \
	'  make test      all that needs no kernel image: harness, scripts, patches' \
	'  make harness   the harness alone, on one tree' \
	'  make tree      the patched tree, at out/QUEUE/tree' \
	'  make check     each patch: checkpatch, W=1, sparse, other configs and arches' \
	'  make each      boot with the first patch, the first two, ...: each passes alone' \
	'  make try       one C file on base and tree, side by side: PROGRAM=x.c [ARGS=]' \
	'  make bench     what fork costs, tree against base: table, CSV, plot' \
	'  make world     programs of Debian sid on base and tree: [PROGRAM=] of boot/world' \
	'  make report    one page of all that was run: out/report/index.html' \
	'  make mbox      the queue as one mailbox, for b4 shazam -m' \
	'  make export    the queue as FORMAT=quilt, debian or stable takes it' \
	'  make edit      the queue as commits, at out/QUEUE/edit' \
	'  make refresh   those commits written back to patches/QUEUE' \
	"  make sign      signed copies, in out/QUEUE/signed: SOB='Name <mail>'" \
	'  make fetch     look for a newer base than the one in the cache' \
	'  make clean     remove out/; the cache stays' \
	'' \
	'  QUEUE=6.12.y   $(notdir $(patsubst %/base,%,$(wildcard patches/*/base)))' \
	'  CONFIG=lean    lean or debug (KASAN, lockdep, DEBUG_VM, kmemleak)' \
	'  ARCH=x86_64    $(notdir $(wildcard boot/arch/*))' \
	'  PAGES=4k       or 16k, 64k: arm64, powerpc' \
	'  KDIR=          a kernel tree of your own as the base; never written to' \
	'  O=out  J=jobs  CC=gcc  ACCEL=tcg|kvm  V=1'

boot:
	@boot/boot "$$QUEUE" "$$CONFIG"

test:
	@scripts/test

harness:
	@$(MAKE) --no-print-directory -C harness test

tree:
	@scripts/tree "$$QUEUE"

each:
	@scripts/with-results each "$$QUEUE" boot/each "$$QUEUE" "$$CONFIG"

try:
	@boot/try "$$QUEUE" "$$CONFIG" "$$PROGRAM" $(ARGS)

bench:
	@bench/bench "$$QUEUE"

world:
	@boot/world-boot "$$QUEUE"

check:
	@scripts/with-results check "$$QUEUE" scripts/check "$$QUEUE"

fetch:
	@scripts/fetch "$$QUEUE" newer

report:
	@scripts/report "$${O:-out}" patches "$$(git describe --always --dirty)"

export:
	@scripts/export "$$QUEUE" "$$FORMAT"

mbox edit refresh sign:
	@scripts/$@ "$$QUEUE"

clean:
	rm -rf "$${O:-out}"
