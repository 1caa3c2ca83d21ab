// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's init: run the programs that /tests lists, print KTAP, end. The kernel's
 * command line may name another list, TESTS=/tests-other.
 *
 * They run on the disk of which /disk.image is the beginning, where there is one:
 * what they map of a file there is no shmem. A second RAM disk is swap.
 *
 * A line of /tests is `NAME SECONDS PROGRAM [ARG...]`, where a last argument `swapoff`
 * is ours: it runs without swap. What a program prints stands indented under its
 * name, so that a TAP of its own is a subtest; its exit status is the result: 0 pass,
 * 4 skip (as kselftest has it), else fail. Where the kernel has kmemleak, a last test
 * reads what it found.
 *
 * The last line says that the guest got this far. A console without it is a
 * failure, whatever stands above.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SWAP	"/dev/ram1"
#define MAX_TESTS	64
#define MAX_ARGS	16
#define KSFT_SKIP	4
/* For klogctl(); what is less than a warning stays off the console. */
#define SET_CONSOLE_LEVEL	8
#define LESS_THAN_WARNING	5

struct test {
	char *name;
	int seconds;
	bool swapoff;
	char *argv[MAX_ARGS + 1];
};

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		printf("# %s: %s\n", path, strerror(errno));
	close(fd);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void mounts(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 01777);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mkdir("/dev/shm", 01777);
	mkdir("/dev/pts", 0755);
	mount("tmp", "/tmp", "tmpfs", 0, NULL);
	mount("shm", "/dev/shm", "tmpfs", 0, NULL);
	mount("pts", "/dev/pts", "devpts", 0, NULL);
	mount("run", "/run", "tmpfs", 0, NULL);
	mount("debug", "/sys/kernel/debug", "debugfs", 0, NULL);
}

/* Put the image on the RAM disk, whose other blocks are zero, and mount it. */
static bool mount_disk(void)
{
	static char buf[65536];
	int from = open("/disk.image", O_RDONLY);
	int to = open("/dev/ram0", O_WRONLY);
	ssize_t got = from < 0 || to < 0 ? -1 : 0;

	while (got >= 0 && (got = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, got) != got)
			got = -1;
	close(from);
	if (got < 0 || close(to) || mkdir("/disk", 01777) ||
	    mount("/dev/ram0", "/disk", "ext4", 0, NULL) || chdir("/disk")) {
		printf("# disk: %s\n", strerror(errno));
		return false;
	}
	return true;
}

/* Swap, where the kernel has it and a RAM disk for it. */
static void swap_on(void)
{
	static _Alignas(uint32_t) char header[65536];
	uint32_t *info = (uint32_t *)&header[1024];	/* version, last page */
	long page_size = sysconf(_SC_PAGESIZE);
	int fd = open(SWAP, O_WRONLY);
	off_t size;

	if (fd < 0)
		return;
	size = lseek(fd, 0, SEEK_END);
	info[0] = 1;
	info[1] = size / page_size - 1;
	memcpy(&header[page_size - 10], "SWAPSPACE2", 10);
	if (pwrite(fd, header, page_size, 0) != page_size || close(fd) ||
	    swapon(SWAP, 0))
		printf("# swap: %s\n", strerror(errno));
}

/* The loopback device, where the kernel has a network: CRIU connects to itself. */
static void loopback(void)
{
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		return;
	if (ioctl(fd, SIOCSIFFLAGS, &req))
		printf("# lo: %s\n", strerror(errno));
	close(fd);
}

/* Huge pages for the tests that want some: 128 MiB of them, of whatever size. */
static void huge_pages(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	char line[128], text[32];
	long kb;

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Hugepagesize: %ld", &kb) != 1)
			continue;
		snprintf(text, sizeof(text), "%ld", 131072 / kb);
		write_file("/proc/sys/vm/nr_hugepages", text);
	}
	if (f)
		fclose(f);
}

static int read_tests(struct test *tests)
{
	const char *path = getenv("TESTS");
	FILE *f = fopen(path ? path : "/tests", "r");
	char line[1024];
	int n = 0;

	if (!f)
		return 0;
	while (n < MAX_TESTS && fgets(line, sizeof(line), f)) {
		struct test *t = &tests[n];
		int argc = 0;
		char *word;

		t->name = strtok(strdup(line), "\n ");
		word = strtok(NULL, "\n ");
		if (!t->name || !word)
			continue;
		t->seconds = atoi(word);
		while (argc < MAX_ARGS && (word = strtok(NULL, "\n ")))
			t->argv[argc++] = word;
		t->swapoff = argc > 1 && !strcmp(t->argv[argc - 1], "swapoff");
		if (t->swapoff)
			t->argv[argc - 1] = NULL;
		if (argc)
			n++;
	}
	fclose(f);
	return n;
}

/* The program that runs, and how it ended: what it leaves behind is ours to reap. */
static struct {
	pid_t pid;
	int status;
	bool ended;
} child;

static void reap(int options)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, options)) > 0) {
		if (pid != child.pid)
			continue;
		child.status = status;
		child.ended = true;
		options = WNOHANG;
	}
}

/*
 * Print what comes down @fd, each line indented, until it ends or @deadline.
 * Whole lines only, so that a kernel message does not part a result in two.
 */
static bool relay(int fd, double deadline)
{
	static char buf[4096], line[8192];
	size_t len = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		double left = deadline - now();
		ssize_t got, i;

		reap(WNOHANG);
		if (left <= 0)
			return false;
		if (poll(&p, 1, left < 0.1 ? left * 1000 + 1 : 100) == 0)
			continue;
		got = read(fd, buf, sizeof(buf));
		if (got <= 0)
			break;
		for (i = 0; i < got; i++) {
			line[len++] = buf[i];
			if (buf[i] != '\n' && len < sizeof(line))
				continue;
			printf("    %.*s", (int)len, line);
			fflush(stdout);
			len = 0;
		}
	}
	if (len)
		printf("    %.*s\n", (int)len, line);
	return true;
}

static void result(int nr, const char *name, bool ok, const char *fmt, ...)
{
	va_list args;

	printf("%sok %d %s", ok ? "" : "not ", nr, name);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void run(int nr, struct test *t)
{
	double begun = now();
	int pipefd[2], status;
	bool ended;

	printf("# %s\n", t->name);
	fflush(stdout);
	if (pipe(pipefd)) {
		result(nr, t->name, false, " # pipe: %s", strerror(errno));
		return;
	}
	child.ended = false;
	child.pid = fork();
	if (child.pid == 0) {
		setpgid(0, 0);
		dup2(pipefd[1], 1);
		dup2(pipefd[1], 2);
		close(pipefd[0]);
		close(pipefd[1]);
		execv(t->argv[0], t->argv);
		printf("# %s: %s\n", t->argv[0], strerror(errno));
		_exit(127);
	}
	close(pipefd[1]);
	if (child.pid < 0) {
		close(pipefd[0]);
		result(nr, t->name, false, " # fork: %s", strerror(errno));
		return;
	}
	ended = relay(pipefd[0], begun + t->seconds);
	close(pipefd[0]);
	kill(-child.pid, SIGKILL);
	while (!child.ended)
		reap(0);
	reap(WNOHANG);
	status = child.status;
	if (!ended)
		result(nr, t->name, false, " # timeout after %d s", t->seconds);
	else if (WIFSIGNALED(status))
		result(nr, t->name, false, " # signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == KSFT_SKIP)
		result(nr, t->name, true, " # SKIP");
	else
		result(nr, t->name, !WEXITSTATUS(status), " # exit %d, %.1f s",
		       WEXITSTATUS(status), now() - begun);
}

/*
 * kmemleak calls an object a leak when two scans, and five seconds of age, find
 * nothing that points to it.
 */
static void read_kmemleak(int nr)
{
	static const char path[] = "/sys/kernel/debug/kmemleak";
	bool leak = false;
	char line[512];
	FILE *f;

	sleep(6);
	write_file(path, "scan");
	sleep(1);
	write_file(path, "scan");
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		leak = true;
		printf("    # %s", line);
	}
	result(nr, "kmemleak", f && !leak, f ? "" : " # unreadable");
	if (f)
		fclose(f);
}

int main(void)
{
	static struct test tests[MAX_TESTS];
	bool leaks, ready;
	int i, n;

	if (getpid() != 1) {
		fputs("init: only as process 1 of a guest\n", stderr);
		return 2;
	}
	mounts();
	setenv("PATH", "/bin", 1);
	setenv("HOME", "/tmp", 1);
	if (chdir("/tmp"))
		printf("# /tmp: %s\n", strerror(errno));
	ready = access("/disk.image", F_OK) || mount_disk();
	swap_on();
	huge_pages();
	loopback();
	n = ready ? read_tests(tests) : 0;
	klogctl(SET_CONSOLE_LEVEL, NULL, LESS_THAN_WARNING);
	leaks = !access("/sys/kernel/debug/kmemleak", F_OK);
	printf("\nKTAP version 1\n1..%d\n", n + leaks);
	for (i = 0; i < n; i++) {
		if (tests[i].swapoff)
			swapoff(SWAP);
		run(i + 1, &tests[i]);
		if (tests[i].swapoff)
			swap_on();
	}
	if (leaks)
		read_kmemleak(n + 1);
	if (ready)
		printf("# guest: done\n");
	fflush(stdout);
	sync();
	reboot(RB_AUTOBOOT);
	return 1;
}
