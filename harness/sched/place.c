// SPDX-License-Identifier: GPL-2.0
/* See place.h. Only who draws a schedule, or reports a race, comes here. */
#ifdef SHIM_SCHED
#define _GNU_SOURCE 1
#include <link.h>
#include <unistd.h>

#include "vma_internal.h"
#include "harness/sched/place.h"

static struct place {
	unsigned long address;
	bool model;
	char what[128], functions[256];	/* all that are inlined there: " a b " */
} places[4096];
static int nr_places;

static int load_base(struct dl_phdr_info *info, size_t size, void *base)
{
	(void)size;
	*(unsigned long *)base = info->dlpi_addr;
	return 1;			/* the first is the program */
}

/* In the folder of which this file is in sched/. */
static bool is_ours(const char *line)
{
	return !strncmp(line, __FILE__, strlen(__FILE__) - strlen("sched/place.c"));
}

static const char *kernels(const char *line)
{
	static const char *const dirs[] = { "/mm/", "/kernel/", "/fs/", "/lib/" };

	if (is_ours(line) || strstr(line, "/tools/lib/") || !strstr(line, ".c:"))
		return NULL;
	for (unsigned int i = 0; i < ARRAY_SIZE(dirs); i++)
		if (strstr(line, dirs[i]))
			return strstr(line, dirs[i]) + 1;
	return NULL;
}

/* addr2line, which this process has started. */
static FILE *asked, *answers;

static bool start(void)
{
	static pid_t by;
	char program[40];
	int to[2], from[2];

	if (by == getpid())
		return asked && answers;
	by = getpid();
	snprintf(program, sizeof(program), "/proc/%d/exe", by);
	if (pipe(to) || pipe(from))
		return false;
	if (!fork()) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		close(to[1]);
		close(from[0]);
		execlp("addr2line", "addr2line", "-aife", program, NULL);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	asked = fdopen(to[1], "w");
	answers = fdopen(from[0], "r");
	return asked && answers;
}

static void ask(struct place *place)
{
	char line[300], name[100], *end = place->functions;
	unsigned long base = 0;
	bool first = true;

	if (!start())
		return;
	dl_iterate_phdr(load_base, &base);
	/* A second question, whose answer ends that of the first. */
	fprintf(asked, "%#lx\n0\n", place->address - 1 - base);
	fflush(asked);
	if (!fgets(line, sizeof(line), answers))
		return;
	while (fgets(name, sizeof(name), answers) && strncmp(name, "0x", 2) &&
	       fgets(line, sizeof(line), answers)) {
		const char *at;

		name[strcspn(name, "\n")] = '\0';
		line[strcspn(line, "\n ")] = '\0';
		/* As sched/vma_lock.c renames some. */
		if (!strncmp(name, "tree_", 5))
			memmove(name, name + 5, strlen(name + 5) + 1);
		if (end + strlen(name) + 3 < place->functions + sizeof(place->functions))
			end += sprintf(end, " %s ", name);
		at = kernels(line);
		if (first)
			place->model = is_ours(line);
		first = false;
		if (at && !place->what[0])
			snprintf(place->what, sizeof(place->what), "%.60s() %.60s", name, at);
	}
	/* What is at 0: two lines. */
	if (!fgets(line, sizeof(line), answers) || !fgets(line, sizeof(line), answers))
		answers = NULL;
}

static struct place *known(unsigned long address)
{
	static struct place last;

	for (int i = 0; i < nr_places; i++)
		if (places[i].address == address)
			return &places[i];
	last = (struct place){ .address = address };
	if (address)
		ask(&last);
	if (nr_places == ARRAY_SIZE(places))
		return &last;
	places[nr_places] = last;
	return &places[nr_places++];
}

const char *place_of(unsigned long address)
{
	return known(address)->what;
}

bool place_is_in(unsigned long address, const char *function)
{
	char name[100];

	snprintf(name, sizeof(name), " %.90s ", function);
	return strstr(known(address)->functions, name);
}

bool place_is_model(unsigned long address)
{
	return known(address)->model;
}
#endif
