// SPDX-License-Identifier: GPL-2.0
/* mmap(MAP_FIXED), over whatever is there; .arg: the protection, or which file. */
#include "harness/ops/op.h"

/* What was there is gone already, where it fails late. */
static bool gone(const struct step *s, int n, const struct held *after)
{
	(void)after;
	for (struct held *h = s->h; h < s->end && !n; h++)
		*h = (struct held){ 0 };
	return !n;
}

/* Half of it may be written. */
static void draw(struct op *op, unsigned int random)
{
	op->arg = random & 0x10000 ? RW : op->arg;
}

static int map_private(const struct step *s)
{
	return tree_mmap(NULL, s->addr, s->len, prot_flags(s->arg % 3), s->addr >> PAGE_SHIFT);
}

static int expect_private(const struct step *s)
{
	if (is_any_sealed(s))
		return -EPERM;
	map_pages(s, (struct held){ .prot = s->arg % 3, .file = -1,
				    .accounted = s->arg % 3 == RW });
	return 0;
}

OPERATION(mmap) {
	.often = 5, .draw = draw, .call = map_private, .expect = expect_private,
	.allocates = true, .partly = gone, .known = { "mmap-over-charge" },
};

/* Anonymous and shared: a file of its own, whose number is the next. */
static bool has_room(const struct step *s)
{
	(void)s;
	return nr_files < NR_FILES;
}

static int map_shared(const struct step *s)
{
	return tree_mmap(NULL, s->addr, s->len,
			 prot_flags(s->arg % 3) | VM_SHARED | VM_MAYSHARE, 0);
}

static int expect_shared(const struct step *s)
{
	struct vm_area_struct *vma = shim_vma_at(s->addr);
	struct file_content *f = &files[nr_files];

	if (is_any_sealed(s))
		return -EPERM;
	f->file = vma ? vma->vm_file : NULL;
	f->shmem = true;
	memset(f->content, 0, sizeof(f->content));
	map_pages(s, (struct held){ .prot = s->arg % 3, .shared = true, .file = nr_files++ });
	return 0;
}

OPERATION(mmap_shared) {
	.often = 4, .draw = draw, .sensible = has_room, .call = map_shared,
	.expect = expect_shared,
	.allocates = true, .partly = gone, .known = { "mmap-over-charge" },
};

/* .arg: 1 shared, 2 of shmem, 4 of a driver that is told of each VMA. */
static int map_file(const struct step *s)
{
	return tree_mmap(files[(s->arg >> 1) % 3].file, s->addr, s->len, prot_flags(RW) |
			 (s->arg & 1 ? VM_SHARED | VM_MAYSHARE : 0),
			 s->at * (shim_page_span >> PAGE_SHIFT));
}

static int expect_file(const struct step *s)
{
	if (is_any_sealed(s))
		return -EPERM;
	map_pages(s, (struct held){ .prot = RW, .shared = s->arg & 1,
				    .file = (s->arg >> 1) % 3, .pgoff = s->at,
				    .accounted = !(s->arg & 1) });
	return 0;
}

OPERATION(mmap_file) {
	.often = 3, .call = map_file, .expect = expect_file,
	.allocates = true, .partly = gone, .known = { "mmap-over-charge" },
};

/* Not charged, or to be dropped, or that grows; .arg: which. */
static vm_flags_t special(const struct step *s)
{
	static const vm_flags_t flags[] = { VM_NORESERVE, VM_NORESERVE, VM_GROWSDOWN };

	if (s->arg % 4 < 3)
		return flags[s->arg % 4];
	return VM_DROPPABLE ? VM_DROPPABLE | VM_NORESERVE | VM_WIPEONFORK | VM_DONTDUMP : 0;
}

static int prot_of_special(const struct step *s)
{
	return s->arg % 4 == 1 ? R : RW;
}

/* 6.12 locks what is to be dropped, where mlockall() asked for it. */
static bool can_be_special(const struct step *s)
{
	return !(special(s) & VM_DROPPABLE && s->p->future);
}

static int map_special(const struct step *s)
{
	return tree_mmap(NULL, s->addr, s->len, prot_flags(prot_of_special(s)) | special(s),
			 s->addr >> PAGE_SHIFT);
}

static int expect_special(const struct step *s)
{
	if (is_any_sealed(s))
		return -EPERM;
	map_pages(s, (struct held){ .prot = prot_of_special(s), .file = -1,
				    .wipe = special(s) & VM_WIPEONFORK,
				    .accounted = !(special(s) & VM_NORESERVE),
				    .flags = special(s) & ASKED_FOR });
	return 0;
}

OPERATION(mmap_special) {
	.often = 3, .sensible = can_be_special, .call = map_special,
	.expect = expect_special,
	.allocates = true, .partly = gone, .known = { "mmap-over-charge", "merge-iterator" },
};
