// SPDX-License-Identifier: GPL-2.0
/*
 * What a fork costs: a line of CSV a scenario.
 *
 *	scenario,count,vmpte_kb
 *
 * @count is the smallest of some forks: what the TSC counts, which in a guest
 * under -icount shift=0 with one CPU are instructions, or nanoseconds, as the
 * first argument says; the second takes one group only. Scenarios of the
 * group "touch" count until the child has touched its share and ended, all
 * others until fork() returns in the parent. @vmpte_kb is what the child was
 * given in page tables of the lowest level, all of its memory included. A
 * scenario that the kernel has no means for is reported with "-".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "count.h"
#include "zygote.h"

#define MIB		(1024 * 1024UL)
#define HUGE		TABLE
#define HUGE_PAGES	"/proc/sys/vm/nr_hugepages"
#define FORKS		30
#define FEW_FORKS	5	/* of memory that takes long */
#define NO_MEANS	77	/* a scenario's exit status */

/* Guard pages: so many, spread evenly, or one in each page table. */
#define EACH_TABLE	-1

enum kind { EMPTY, SHMEM, FILE_RO, ANON, SMALL_VMAS, HUGETLB, ZYGOTE };

struct scenario {
	const char *group;
	enum kind kind;
	size_t mib;
	int guards;
	int wp_percent;		/* of pages that userfaultfd protects, or -1 */
	bool event_fork;
	int touch_percent;	/* what the child touches, or -1 */
};

static const char *const kinds[] = {
	[EMPTY] = "empty", [SHMEM] = "shmem", [FILE_RO] = "private-file",
	[ANON] = "anonymous", [SMALL_VMAS] = "1000-vmas", [HUGETLB] = "hugetlb",
	[ZYGOTE] = "zygote",
};

static void die(const char *what)
{
	fprintf(stderr, "# fork: %s: %s\n", what, strerror(errno));
	exit(1);
}

static size_t page_size(const struct scenario *s)
{
	return s->kind == HUGETLB ? HUGE : PAGE;
}

/* As many huge pages as are asked for, of which there may be some. */
static void want_huge_pages(size_t nr)
{
	char text[20];
	int fd = open(HUGE_PAGES, O_RDWR), len = sprintf(text, "%zu", nr);

	if (fd < 0)
		exit(NO_MEANS);
	if (write(fd, text, len) != len || lseek(fd, 0, SEEK_SET))
		die(HUGE_PAGES);
	len = read(fd, text, sizeof(text) - 1);
	if (len < 0)
		die(HUGE_PAGES);
	text[len] = '\0';
	if (strtoul(text, NULL, 10) < nr)
		exit(NO_MEANS);
	close(fd);
}

static char *map(const struct scenario *s)
{
	int flags = s->kind == SHMEM || s->kind == HUGETLB ? MAP_SHARED : MAP_PRIVATE;
	int prot = s->kind == FILE_RO ? PROT_READ : PROT_READ | PROT_WRITE;
	size_t len = s->mib * MIB;
	int i, fd = -1;
	char *m;

	if (s->kind == EMPTY)
		return NULL;
	if (s->kind == SMALL_VMAS) {
		/* Every other one has other rights, so that they do not merge. */
		for (i = 0; i < 1000; i++) {
			m = mmap(NULL, PAGE, i & 1 ? PROT_READ : PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (m == MAP_FAILED)
				die("mmap");
			if (!(i & 1))
				*m = 1;
		}
		return NULL;
	}
	if (s->kind == HUGETLB)
		want_huge_pages(len / HUGE);
	if (s->kind != ANON) {
		fd = memfd_create("bench", s->kind == HUGETLB ? MFD_HUGETLB : 0);
		if (fd < 0 || ftruncate(fd, len))
			die("memfd");
	} else {
		flags |= MAP_ANONYMOUS;
	}
	if (s->kind == ZYGOTE) {
		m = zygote_map(fd, s->guards, true);
		if (!m)
			exit(errno == EINVAL ? NO_MEANS : 1);
		return m;
	}
	/* Aligned to what a page table maps, so that tables can be counted. */
	m = mmap(NULL, len + TABLE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	m = (char *)(((unsigned long)m + TABLE - 1) & ~(TABLE - 1));
	m = mmap(m, len, prot, flags | MAP_FIXED, fd, 0);
	if (m == MAP_FAILED)
		die("mmap");
	if (s->kind != HUGETLB)
		madvise(m, len, MADV_NOHUGEPAGE);
	if (s->kind == FILE_RO) {
		/* The pages are there already: a fault only maps them. */
		char *w = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		size_t off;

		if (w == MAP_FAILED)
			die("mmap");
		for (off = 0; off < len; off += PAGE)
			w[off] = 1;
		munmap(w, len);
		if (madvise(m, len, MADV_POPULATE_READ))
			die("populate");
	} else {
		size_t off;

		for (off = 0; off < len; off += page_size(s))
			m[off] = 1;
	}
	return m;
}

/* One page in so many bytes is a guard page, in the middle of them. */
static size_t guard_step(const struct scenario *s)
{
	return s->guards == EACH_TABLE ? TABLE : s->mib * MIB / s->guards;
}

static bool is_guard(const struct scenario *s, size_t off)
{
	if (s->kind == ZYGOTE)
		return s->guards && zygote_is_pad(off / PAGE);
	return s->guards && off % guard_step(s) == guard_step(s) / 2;
}

static void install_guards(const struct scenario *s, char *m)
{
	size_t off;

	if (!s->guards || s->kind == ZYGOTE)
		return;
	/* Fewer pages than guards, or less than a page table: not a scenario. */
	if (guard_step(s) < 2 * PAGE || guard_step(s) > s->mib * MIB)
		exit(NO_MEANS);
	for (off = 0; off < s->mib * MIB; off += PAGE)
		if (is_guard(s, off) &&
		    madvise(m + off, PAGE, MADV_GUARD_INSTALL))
			exit(errno == EINVAL ? NO_MEANS : 1);
}

/* Takes the fork events, without which fork() does not return. */
static void *take_events(void *arg)
{
	int uffd = *(int *)arg;
	struct uffd_msg msg;

	while (read(uffd, &msg, sizeof(msg)) == sizeof(msg))
		if (msg.event == UFFD_EVENT_FORK)
			close(msg.arg.fork.ufd);
	return NULL;
}

static void write_protect(const struct scenario *s, char *m)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_PAGEFAULT_FLAG_WP |
			    UFFD_FEATURE_WP_HUGETLBFS_SHMEM |
			    (s->event_fork ? UFFD_FEATURE_EVENT_FORK : 0),
	};
	struct uffdio_register reg = {
		.range = { (unsigned long)m, s->mib * MIB },
		.mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect wp = { .mode = UFFDIO_WRITEPROTECT_MODE_WP };
	static pthread_t thread;
	static int uffd;
	size_t page = page_size(s), step, off;

	if (s->wp_percent < 0)
		return;
	uffd = syscall(__NR_userfaultfd, O_CLOEXEC);
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) ||
	    ioctl(uffd, UFFDIO_REGISTER, &reg))
		exit(NO_MEANS);
	step = s->wp_percent ? page * 100 / s->wp_percent : reg.range.len;
	for (off = 0; s->wp_percent && off < reg.range.len; off += step) {
		wp.range.start = ((unsigned long)m + off) & ~(page - 1);
		wp.range.len = page;
		if (s->wp_percent == 100)
			wp.range = reg.range;
		if (ioctl(uffd, UFFDIO_WRITEPROTECT, &wp))
			die("write-protect");
		if (s->wp_percent == 100)
			break;
	}
	if (s->event_fork && pthread_create(&thread, NULL, take_events, &uffd))
		die("thread");
}

static long vm_pte(void)
{
	char buf[4096], *line;
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t len = read(fd, buf, sizeof(buf) - 1);

	close(fd);
	if (len < 0)
		return -1;
	buf[len] = '\0';
	line = strstr(buf, "\nVmPTE:");
	return line ? atol(line + strlen("\nVmPTE:")) : -1;
}

static int touch(const struct scenario *s, const char *m)
{
	size_t len = s->mib * MIB, off;
	int sum = 0;

	for (off = 0; s->touch_percent > 0 && off < len;
	     off += PAGE * 100 / s->touch_percent)
		if (!is_guard(s, off))
			sum += m[off];
	return sum;
}

static void run(const struct scenario *s, long *kb)
{
	unsigned long best = -1UL, t;
	char *m = map(s);
	int i, status;
	pid_t pid;

	install_guards(s, m);
	write_protect(s, m);
	for (i = 0; i < (s->mib > 256 ? FEW_FORKS : FORKS); i++) {
		t = count();
		pid = fork();
		if (pid == 0) {
			/* What was read is used, or the compiler would not read it. */
			if (s->touch_percent >= 0)
				_exit(touch(s, m) < 0);
			if (i == 0)
				*kb = vm_pte();
			_exit(0);
		}
		if (s->touch_percent < 0)
			t = count() - t;
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			die("child");
		if (s->touch_percent >= 0)
			t = count() - t;
		if (t < best)
			best = t;
	}
	printf("%lu", best);
}

static void measure(const struct scenario *s)
{
	int status;
	long *kb;

	/* A process a scenario: none sees what another mapped. */
	kb = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		  -1, 0);
	if (kb == MAP_FAILED)
		die("mmap");
	*kb = -1;
	printf("%s/%s", s->group, kinds[s->kind]);
	if (s->mib)
		printf("/%zuM", s->mib);
	if (s->guards == EACH_TABLE)
		printf("/guard-each-table");
	else if (s->guards || !strcmp(s->group, "guard"))
		printf("/guards-%d", s->guards);
	if (s->wp_percent >= 0)
		printf("/wp-%d%%/%s", s->wp_percent,
		       s->event_fork ? "event-fork" : "no-event-fork");
	if (s->touch_percent >= 0)
		printf("/child-touches-%d%%", s->touch_percent);
	printf(",");
	fflush(stdout);
	if (fork() == 0) {
		run(s, kb);
		fflush(stdout);
		_exit(0);
	}
	if (wait(&status) < 0 || !WIFEXITED(status) ||
	    (WEXITSTATUS(status) && WEXITSTATUS(status) != NO_MEANS)) {
		printf("failed,-\n");
		exit(1);
	}
	if (WEXITSTATUS(status))
		printf("-,-\n");
	else if (*kb < 0)
		printf(",-\n");
	else
		printf(",%ld\n", *kb);
	fflush(stdout);
	munmap(kb, PAGE);
}

int main(int argc, char **argv)
{
	static const int guards[] = { 0, 1, 16, 1024, EACH_TABLE };
	static const int percents[] = { 0, 1, 100 };
	static const size_t sizes[] = { 1, 16, 256, 1024 };
	const char *only = argc > 2 ? argv[2] : "";
	struct scenario all[100];
	size_t i, j, k, n = 0;

	if (!count_begin(argv))
		die("exec");
#define ADD(...) (all[n++] = (struct scenario){ __VA_ARGS__ })
	ADD("plain", EMPTY, 0, 0, -1, false, -1);
	ADD("plain", ANON, 256, 0, -1, false, -1);
	ADD("plain", SMALL_VMAS, 0, 0, -1, false, -1);
	for (k = 0; k < 2; k++)
		for (i = 0; i < 4; i++)
			for (j = 0; j < 5; j++)
				ADD("guard", k ? FILE_RO : SHMEM, sizes[i],
				    guards[j], -1, false, -1);
	/* Every other page: nothing is passed over. */
	ADD("guard", SHMEM, 256, 256 * MIB / (2 * PAGE), -1, false, -1);
	for (i = 0; i < 2; i++)
		ADD("guard", ZYGOTE, ZYGOTE_MIB, i * ZYGOTE_GUARDS, -1, false, -1);
	ADD("plain", HUGETLB, 256, 0, -1, false, -1);
	for (k = 0; k < 2; k++)
		for (i = 0; i < 3; i++)
			for (j = 0; j < 2; j++)
				ADD("uffd", k ? HUGETLB : SHMEM, 256, 0,
				    percents[i], j, -1);
	for (i = 0; i < 3; i++)
		for (j = 0; j < 2; j++)
			ADD("touch", SHMEM, 256, j, -1, false, percents[i]);
	/* There is no fault-around where userfaultfd write-protects. */
	for (i = 0; i < 3; i++)
		ADD("touch", SHMEM, 256, 0, 1, true, percents[i]);
	for (i = 0; i < n; i++)
		if (!*only || !strcmp(only, all[i].group))
			measure(&all[i]);
	return 0;
}
