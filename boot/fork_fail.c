// SPDX-License-Identifier: GPL-2.0
/*
 * A guest program: fork() with each of its allocations failed in turn.
 *
 * For each kind of memory whose page tables fork has to copy: fail the first
 * allocation of a fork, then the second, and so on until one does not get as far
 * as that and succeeds. A fork that fails must say ENOMEM and leave its parent
 * with what it had, one that succeeds must give that to its child, and when all
 * is done no page table may be left over. What else is lost, kmemleak and the
 * kernel's log have to say.
 *
 * Needs CONFIG_FAULT_INJECTION_DEBUG_FS, CONFIG_FAILSLAB, CONFIG_FAIL_PAGE_ALLOC.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/userfaultfd.h>

#define PAGE		((size_t)sysconf(_SC_PAGESIZE))
/* What one page table maps at most: a page of entries, each as large as a long. */
#define TABLE		(PAGE / sizeof(long) * PAGE)
#define TABLES		4ul
#define NR_BYTES	256
#define PM_UFFD_WP	(1ull << 57)
#define PM_GUARD	(1ull << 58)
/* Far more than any fork needs. */
#define MAX_NTH		5000
/* So often, that one page table lost is more than what comes and goes, in kB. */
#define ROUNDS		8
#define SLACK		24
#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL	102
#endif

struct memory {
	const char *name;
	/* Map and fill; NULL, or why that cannot be had. */
	const char *(*make)(struct memory *memory);
	char *addr;
	size_t len;
	uint64_t bit;	/* of pagemap, for the second page of each second table */
	int uffd;
	unsigned char bytes[NR_BYTES];	/* else, what it begins with */
};

static int fail_nth;

/*
 * A system call that writes nothing to memory of ours: between fork() and the
 * end of failing, a fault that copies a page would be failed in its stead.
 */
static __always_inline long call(long nr, long a, long b, long c)
{
#if defined(__x86_64__)
	register long r10 asm("r10") = 0;
	register long r8 asm("r8") = 0;
	long ret;

	asm volatile("syscall" : "=a" (ret)
		     : "a" (nr), "D" (a), "S" (b), "d" (c), "r" (r10), "r" (r8)
		     : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register long x8 asm("x8") = nr;
	register long x0 asm("x0") = a;
	register long x1 asm("x1") = b;
	register long x2 asm("x2") = c;
	register long x3 asm("x3") = 0;
	register long x4 asm("x4") = 0;

	asm volatile("svc 0" : "+r" (x0)
		     : "r" (x8), "r" (x1), "r" (x2), "r" (x3), "r" (x4)
		     : "memory");
	return x0;
#else
	(void)nr, (void)a, (void)b, (void)c;
	return -1;
#endif
}

static bool have_call(void)
{
	return call(__NR_getpid, 0, 0, 0) == getpid();
}

static char *map(struct memory *m, int flags, int fd)
{
	size_t off;

	m->len = TABLES * TABLE;
	m->uffd = -1;
	if (fd >= 0 && ftruncate(fd, m->len))
		return NULL;
	m->addr = mmap(NULL, m->len, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (m->addr == MAP_FAILED)
		return NULL;
	madvise(m->addr, m->len, MADV_NOHUGEPAGE);
	/* Three in each table, the middle one is what the test is about. */
	for (off = 0; off < m->len; off += TABLE) {
		m->addr[off] = 'w';
		m->addr[off + PAGE] = 'w';
		m->addr[off + 2 * PAGE] = 'w';
	}
	return m->addr;
}

static const char *add_guards(struct memory *m)
{
	size_t off;

	m->bit = PM_GUARD;
	for (off = TABLE; off < m->len; off += 2 * TABLE)
		if (madvise(m->addr + off + PAGE, PAGE, MADV_GUARD_INSTALL))
			return "no guard regions";
	return NULL;
}

static const char *make_guard(struct memory *m)
{
	if (!map(m, MAP_SHARED, memfd_create("fork_fail", 0)))
		return "cannot map shared memory";
	return add_guards(m);
}

static const char *make_guard_anon(struct memory *m)
{
	if (!map(m, MAP_PRIVATE | MAP_ANONYMOUS, -1))
		return "cannot map memory";
	return add_guards(m);
}

static const char *make_uffd_wp(struct memory *m)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP |
			    UFFD_FEATURE_WP_HUGETLBFS_SHMEM |
			    UFFD_FEATURE_EVENT_FORK,
	};
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_WP };
	struct uffdio_writeprotect wp = {
		.range.len = PAGE,
		.mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	size_t off;

	if (!map(m, MAP_SHARED, memfd_create("fork_fail", 0)))
		return "cannot map shared memory";
	m->uffd = syscall(__NR_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (m->uffd < 0 || ioctl(m->uffd, UFFDIO_API, &api))
		return "no userfaultfd-wp for shared memory";
	reg.range.start = (unsigned long)m->addr;
	reg.range.len = m->len;
	if (ioctl(m->uffd, UFFDIO_REGISTER, &reg))
		return "cannot register";
	for (off = TABLE; off < m->len; off += 2 * TABLE) {
		wp.range.start = (unsigned long)m->addr + off + PAGE;
		if (ioctl(m->uffd, UFFDIO_WRITEPROTECT, &wp))
			return "cannot write-protect";
	}
	m->bit = PM_UFFD_WP;
	return NULL;
}

/*
 * What is there in every guest and does not change: the firmware's ROM on x86, else
 * the beginning of the kernel's code.
 */
static off_t unchanging(void)
{
	unsigned long addr = 0xf0000;
#ifndef __x86_64__
	FILE *f = fopen("/proc/iomem", "r");
	char line[128];

	addr = 0;
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, ": Kernel code"))
			addr = strtoul(line, NULL, 16);
	if (f)
		fclose(f);
#endif
	return addr & -PAGE;
}

static const char *make_pfnmap(struct memory *m)
{
	int fd = open("/dev/mem", O_RDONLY);

	m->uffd = -1;
	m->len = PAGE;
	m->addr = mmap(NULL, m->len, PROT_READ, MAP_SHARED, fd, unchanging());
	close(fd);
	if (m->addr == MAP_FAILED)
		return "cannot map /dev/mem";
	memcpy(m->bytes, m->addr, NR_BYTES);
	return NULL;
}

static struct memory memories[] = {
	{ .name = "guard", .make = make_guard },
	{ .name = "guard_anon", .make = make_guard_anon },
	{ .name = "uffd_wp", .make = make_uffd_wp },
	{ .name = "pfnmap", .make = make_pfnmap },
};

/* Does this process have what @m is about? */
static bool intact(const struct memory *m)
{
	uint64_t ent, expect;
	size_t off, page;
	int fd;

	if (!m->bit)
		return !memcmp(m->addr, m->bytes, NR_BYTES);

	fd = open("/proc/self/pagemap", O_RDONLY);
	for (off = 0; off < m->len; off += TABLE) {
		for (page = off; page < off + 3 * PAGE; page += PAGE) {
			expect = 0;
			if (page == off + PAGE && (off / TABLE) % 2)
				expect = m->bit;
			if (pread(fd, &ent, sizeof(ent),
				  (uintptr_t)(m->addr + page) / PAGE *
				  sizeof(ent)) != sizeof(ent) ||
			    (ent & (PM_GUARD | PM_UFFD_WP)) != expect)
				goto differs;
			if (expect != PM_GUARD && m->addr[page] != 'w')
				goto differs;
		}
	}
	close(fd);
	return true;
differs:
	close(fd);
	return false;
}

/*
 * fork() waits until its event is read. One that fails after the memory is copied
 * has sent its event, too. Closing the child's userfaultfd would unprotect its
 * memory, so it stays open until the next event.
 */
static void *read_events(void *arg)
{
	const int *fd = arg;
	struct uffd_msg msg;
	int child = -1;

	/* Cancelled in read(). */
	while (read(*fd, &msg, sizeof(msg)) == sizeof(msg)) {
		if (msg.event != UFFD_EVENT_FORK)
			continue;
		close(child);
		child = msg.arg.fork.ufd;
	}
	return NULL;
}

/* Kilobytes of page tables, those of processes that have just ended gone. */
static long page_tables(void)
{
	char line[256];
	long kb = -1;
	FILE *f;

	/* What each CPU has counted is added up every second. */
	sleep(3);
	f = fopen("/proc/meminfo", "r");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "PageTables: %ld", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb;
}

/* Fork with its @nth allocation failed; was there one, and what came of it? */
static bool fork_failing(int nth, pid_t *pid)
{
	static const char end[] = "0";
	char text[16], *left;
	long ret, len;

	/* Shared memory, so that writing to it copies nothing. */
	left = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*left = 0;
	len = snprintf(text, sizeof(text), "%d", nth);
	call(__NR_pwrite64, fail_nth, (long)text, len);
	ret = call(__NR_clone, SIGCHLD, 0, 0);
	if (ret) {
		call(__NR_pread64, fail_nth, (long)left, 16);
		call(__NR_pwrite64, fail_nth, (long)end, 1);
	}
	*pid = ret;
	nth = atoi(left);
	munmap(left, PAGE);
	return nth == 0;
}

static const char *run(struct memory *m, int *failed, int *nth)
{
	bool injected = true;
	int status;
	pid_t pid;

	for (*nth = 1; injected; ++*nth) {
		if (*nth == MAX_NTH)
			return "no end of allocations";
		injected = fork_failing(*nth, &pid);
		if (!pid)
			_exit(!intact(m));
		if (pid < 0 && pid != -ENOMEM)
			return "fork() fails, but not with ENOMEM";
		if (pid < 0 && !injected)
			return "fork() fails of itself";
		*failed += pid < 0;
		if (pid > 0 && (waitpid(pid, &status, 0) != pid || status))
			return "the child does not have it all";
		if (!intact(m))
			return "the parent does not have it any more";
	}
	*nth -= 2;
	return *failed ? NULL : "no allocation could be failed";
}

static bool put(const char *dir, const char *name, const char *text)
{
	char path[128];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/%s/%s", dir, name);
	fd = open(path, O_WRONLY);
	ok = fd >= 0 && write(fd, text, strlen(text)) > 0;
	close(fd);
	return ok;
}

static bool prepare(void)
{
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR);
	/* Of all allocations, and without a word. */
	return fail_nth >= 0 &&
	       put("failslab", "ignore-gfp-wait", "N") &&
	       put("failslab", "verbose", "0") &&
	       put("fail_page_alloc", "ignore-gfp-wait", "N") &&
	       put("fail_page_alloc", "ignore-gfp-highmem", "N") &&
	       put("fail_page_alloc", "min-order", "0") &&
	       put("fail_page_alloc", "verbose", "0");
}

int main(void)
{
	const size_t nr = ARRAY_SIZE(memories);
	bool bad = false;
	size_t i;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (!have_call()) {
		puts("1..0 # SKIP no call() for this architecture");
		return 4;
	}
	if (!prepare()) {
		puts("Bail out! no fail-nth, failslab or fail_page_alloc");
		return 1;
	}
	printf("TAP version 13\n1..%zu\n", nr);
	for (i = 0; i < nr; i++) {
		struct memory *m = &memories[i];
		int failed = 0, nth = 0, round;
		pthread_t thread;
		long before, after;
		const char *why;

		why = m->make(m);
		if (why) {
			printf("ok %zu fork_fail.%s # SKIP %s\n", i + 1, m->name,
			       why);
			continue;
		}
		if (m->uffd >= 0 &&
		    pthread_create(&thread, NULL, read_events, &m->uffd))
			return 1;
		before = page_tables();
		for (round = 0; !why && round < ROUNDS; round++) {
			failed = 0;
			why = run(m, &failed, &nth);
		}
		after = page_tables();
		if (!why && (before < 0 || after > before + SLACK))
			why = "page tables are left over";
		printf("# %s: %d allocations, %d of them fail fork(); PageTables %ld to %ld kB\n",
		       m->name, nth, failed, before, after);
		printf("%sok %zu fork_fail.%s%s%s\n", why ? "not " : "", i + 1,
		       m->name, why ? " # " : "", why ? why : "");
		bad |= !!why;
		if (m->uffd >= 0) {
			pthread_cancel(thread);
			pthread_join(thread, NULL);
			close(m->uffd);
		}
		munmap(m->addr, m->len);
	}
	return bad;
}
