// SPDX-License-Identifier: GPL-2.0
/*
 * usage: vmm [REPEATS]
 *
 * What a virtual machine monitor does for a snapshot: its guest's memory is a
 * memfd, guard pages keep the banks apart, a fork writes the image while vCPUs go
 * on, and userfaultfd write-protection saves a page before its first write.
 *
 *      fork, child:  [ bank 0 |guard| bank 1 |guard| bank 2 |guard| bank 3 ]
 *                        \ written to the image, but for what is in `before`
 *      parent:       [ vCPUs write ] -> fault -> page copied to `before` -> go on
 *
 * Known answer: image and `before` together are the memory as it was at the fork,
 * to the byte; the vCPUs' writes are all there afterwards; guards fault in both.
 */
#define _GNU_SOURCE
#include "ktap.h"
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define BANKS		4
#define BANK		(16UL << 20)

static size_t page;
static bool guards;
static unsigned char *memory, *before, *saved;
static unsigned char *expected, *image;
static size_t size, pages;
static int uffd;
static atomic_bool over;
static atomic_int faults;

static unsigned char *bank(int i)
{
	return memory + i * (BANK + page);
}

static bool is_guard(size_t nr)
{
	return nr % (BANK / page + 1) == BANK / page;
}

static void protect(unsigned char *start, size_t len, bool wp)
{
	struct uffdio_writeprotect arg = {
		.range = { .start = (uintptr_t)start, .len = len },
		.mode = wp ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	if (ioctl(uffd, UFFDIO_WRITEPROTECT, &arg))
		give_up("UFFDIO_WRITEPROTECT");
}

/* A page is saved, then it may be written to. */
static void *save(void *arg)
{
	struct uffd_msg msg;

	while (!over) {
		struct pollfd p = { .fd = uffd, .events = POLLIN };
		size_t nr;

		if (poll(&p, 1, 50) <= 0)
			continue;
		if (read(uffd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		if (msg.event != UFFD_EVENT_PAGEFAULT ||
		    !(msg.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WP))
			give_up("another event");
		nr = (msg.arg.pagefault.address - (uintptr_t)memory) / page;
		if (!saved[nr]) {
			memcpy(before + nr * page, memory + nr * page, page);
			saved[nr] = 1;
			faults++;
		}
		protect(memory + nr * page, page, false);
	}
	return NULL;
}

static unsigned int written_by[2];

/* vCPU n writes the odd or the even pages of all banks, some of them. */
static void *vcpu(void *arg)
{
	long n = (long)arg;
	unsigned int seed = n + 7;

	for (int i = 0; i < 400; i++) {
		size_t nr = (rand_r(&seed) % (pages / 2)) * 2 + n;

		if (nr >= pages || is_guard(nr))
			continue;
		*(unsigned int *)(memory + nr * page + 8) = ++written_by[n];
	}
	return NULL;
}

static void fill(int generation)
{
	for (size_t nr = 0; nr < pages; nr++) {
		uint64_t *p = (uint64_t *)(memory + nr * page);

		if (is_guard(nr))
			continue;
		p[0] = nr * 0x9e3779b97f4a7c15ULL + generation;
		p[1] = ~nr;
		p[page / 8 - 1] = nr ^ generation;
	}
}

static long vm_pte(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long kb = -1;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmPTE: %ld", &kb);
	if (f)
		fclose(f);
	return kb;
}

static void setup(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg;
	int fd = memfd_create("guest memory", 0);

	size = BANKS * (BANK + page);
	pages = size / page;
	if (fd < 0 || ftruncate(fd, size))
		give_up("memfd");
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	before = mmap(NULL, size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expected = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	image = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	saved = calloc(pages, 1);
	if (memory == MAP_FAILED || before == MAP_FAILED || !saved ||
	    expected == MAP_FAILED || image == MAP_FAILED)
		give_up("mmap");
	/* The fork is of the guest's memory, not of what this test compares. */
	if (madvise(before, size, MADV_DONTFORK) ||
	    madvise(expected, size, MADV_DONTFORK))
		give_up("MADV_DONTFORK");
	for (int i = 0; guards && i < BANKS; i++)
		if (madvise(bank(i) + BANK, page, MADV_GUARD_INSTALL))
			give_up("MADV_GUARD_INSTALL");
	fill(0);
	uffd = syscall(__NR_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (uffd < 0)
		give_up("userfaultfd");
	api.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP |
		       UFFD_FEATURE_WP_HUGETLBFS_SHMEM;
	if (ioctl(uffd, UFFDIO_API, &api))
		give_up("UFFDIO_API");
	reg.range.start = (uintptr_t)memory;
	reg.range.len = size;
	reg.mode = UFFDIO_REGISTER_MODE_WP;
	if (ioctl(uffd, UFFDIO_REGISTER, &reg))
		give_up("UFFDIO_REGISTER");
}

/* The child: 0, or which of its expectations failed. */
static int write_image(void)
{
	for (size_t nr = 0; nr < pages; nr++) {
		if (is_guard(nr)) {
			if (guards && readable(memory + nr * page))
				return 2;
			continue;
		}
		memcpy(image + nr * page, memory + nr * page, page);
	}
	return 0;
}

static size_t mismatches(void)
{
	size_t n = 0;

	for (size_t nr = 0; nr < pages; nr++) {
		unsigned char *is = saved[nr] ? before : image;

		if (!is_guard(nr))
			n += !!memcmp(is + nr * page, expected + nr * page, page);
	}
	return n;
}

static size_t copy_out(unsigned char *to)
{
	size_t n = 0;

	for (size_t nr = 0; nr < pages; nr++) {
		if (is_guard(nr) && guards) {
			n += readable(memory + nr * page);
			continue;
		}
		memcpy(to + nr * page, memory + nr * page, page);
	}
	return n;
}

static void snapshot(int nr, bool wp, bool *ok, char *why, size_t len)
{
	pthread_t saver, cpus[2];
	unsigned long long begun, took;
	int go[2], pte[2];
	long kb = 0;
	size_t bad;
	char c = 0;
	pid_t pid;
	int status;

	over = false;
	faults = 0;
	memset(saved, 0, pages);
	fill(nr);
	copy_out(expected);
	if (pipe(go) || pipe(pte))
		give_up("pipe");
	if (wp) {
		protect(memory, size, true);
		pthread_create(&saver, NULL, save, NULL);
	}
	begun = ns();
	pid = fork();
	if (!pid) {
		kb = vm_pte();
		if (write(pte[1], &kb, sizeof(kb)) != sizeof(kb) ||
		    read(go[0], &c, 1) != 1)
			_exit(3);
		_exit(write_image());
	}
	took = ns() - begun;
	if (read(pte[0], &kb, sizeof(kb)) != sizeof(kb))
		give_up("read");
	printf("# figure: fork%s: %llu ns\n", wp ? ", write-protected" : "", took);
	printf("# figure: VmPTE of the child%s: %ld kB\n",
	       wp ? ", write-protected" : "", kb);
	if (write(go[1], &c, 1) != 1)
		give_up("write");
	for (long n = 0; wp && n < 2; n++)
		pthread_create(&cpus[n], NULL, vcpu, (void *)n);
	for (int n = 0; wp && n < 2; n++)
		pthread_join(cpus[n], NULL);
	status = ended(pid);
	over = true;
	if (wp) {
		pthread_join(saver, NULL);
		protect(memory, size, false);
	}
	bad = mismatches();
	*ok = !status && !bad && (!wp || faults > 100);
	snprintf(why, len, "child %d, %zu pages wrong, %d saved", status, bad,
		 (int)faults);
	close(go[0]);
	close(go[1]);
	close(pte[0]);
	close(pte[1]);
}

int main(int argc, char **argv)
{
	int repeats = argc > 1 ? atoi(argv[1]) : 2;
	bool all[2] = { true, true }, ok;
	char why[128], bad[2][128] = { "", "" };
	size_t wrong = 0;

	page = sysconf(_SC_PAGESIZE);
	plan(4);
	guards = has_guards();
	printf("# guard regions: %s\n", guards ? "yes" : "no");
	setup();
	for (int i = 0; i < BANKS; i++)
		wrong += guards && readable(bank(i) + BANK);
	result(!wrong, "guards between banks", "%zu can be read", wrong);
	for (int i = 0; i < repeats; i++) {
		for (int wp = 0; wp < 2; wp++) {
			snapshot(1 + 2 * i + wp, wp, &ok, why, sizeof(why));
			all[wp] &= ok;
			if (!ok || !i)
				memcpy(bad[wp], why, sizeof(why));
		}
	}
	result(all[0], "snapshots of a stopped machine", "%s", bad[0]);
	result(all[1], "snapshots of a running machine", "%s", bad[1]);
	wrong = 0;
	for (int i = 0; i < BANKS; i++)
		wrong += guards && readable(bank(i) + BANK);
	result(!wrong, "guards between banks after the snapshots",
	       "%zu can be read", wrong);
	return finish();
}
