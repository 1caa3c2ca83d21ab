// SPDX-License-Identifier: GPL-2.0
/* Model: processes, files and what is unmapped, see shim/vma.h. */
#include "harness/kernel/tree.h"
#include "harness/test.h"

static struct task_struct task = { .comm = "harness", .pid = 1 };
struct task_struct *current = &task;
int sysctl_max_map_count = 65530;
unsigned long shim_rlimit[4] = { ULONG_MAX, ULONG_MAX, ULONG_MAX, ULONG_MAX };
unsigned long shim_unmapped_area, shim_unmapped_flags;
unsigned long shim_secured;
int shim_tasks_held;
struct mm_struct *shim_remote_mm;
bool shim_killed;
loff_t shim_file_size = (loff_t)1 << 40;
int shim_range_flushes;
const struct vm_operations_struct vma_dummy_vm_ops;

/* A file system is asked before there is a VMA, where the tree has that; a driver is not. */
#ifdef TREE_HAS_vm_area_desc
static int file_mmap_prepare(struct vm_area_desc *desc)
{
	desc->vm_ops = &shim_file_ops;
	return 0;
}

static const struct file_operations file_fops = { .mmap_prepare = file_mmap_prepare };
#else
static int file_mmap(struct file *file, struct vm_area_struct *vma)
{
	(void)file;
	vma->vm_ops = &shim_file_ops;
	return 0;
}

static const struct file_operations file_fops = { .mmap = file_mmap };
#endif

static int shmem_mmap(struct file *file, struct vm_area_struct *vma)
{
	(void)file;
	vma->vm_ops = &shim_shmem_ops;
	return 0;
}

/* A driver that is told of each VMA: counted, and to be told when it is gone. */
int shim_told;

static int told_mmap(struct file *file, struct vm_area_struct *vma)
{
	(void)file;
	vma->vm_ops = &shim_told_ops;
	shim_told++;
	return 0;
}

static void open_told(struct vm_area_struct *vma)
{
	(void)vma;
	shim_opens++;
	shim_told++;
}

static void close_told(struct vm_area_struct *vma)
{
	(void)vma;
	shim_check(shim_told > 0, "a VMA is closed that was not opened");
	shim_told--;
}

static const struct file_operations told_fops = { .mmap = told_mmap };
static const struct file_operations shmem_fops = { .mmap = shmem_mmap };

#ifdef TREE_HAS_vm_uffd_ops
static bool can_userfault(struct vm_area_struct *vma, vm_flags_t flags)
{
	(void)vma;
	(void)flags;
	return true;
}

static const struct vm_uffd_ops uffd_ops = {
	.can_userfault = can_userfault, .get_folio_noalloc = shim_get_cached,
	.alloc_folio = shim_fill_alloc, .filemap_add = shim_fill_add,
	.filemap_remove = shim_fill_remove,
};
#endif
int shim_opens;

static void open_vma(struct vm_area_struct *vma)
{
	(void)vma;
	shim_opens++;
}

const struct vm_operations_struct shim_shmem_ops = {
	.open = open_vma,
#ifdef TREE_HAS_vm_uffd_ops
	.uffd_ops = &uffd_ops,
#endif
};
const struct vm_operations_struct shim_file_ops = { .open = open_vma };
const struct vm_operations_struct shim_told_ops = { .open = open_told, .close = close_told };

struct file *shim_file_new(bool shmem)
{
	struct file *file = calloc(1, sizeof(*file) + sizeof(*file->f_mapping) +
				   sizeof(struct inode));

	if (!file)
		abort();
	file->f_mapping = (struct address_space *)(file + 1);
	file->f_mapping->host = (struct inode *)(file->f_mapping + 1);
	file->f_inode = file->f_mapping->host;
	file->f_inode->i_mapping = file->f_mapping;
	file->f_mapping->i_mmap = RB_ROOT_CACHED;
	file->f_mapping->host->i_pages = FILE_PAGES;
	file->f_mapping->shmem = shmem;
	file->f_count = 1;
	file->f_op = shmem ? &shmem_fops : &file_fops;
	shim_nr_files++;
	return file;
}

struct file *shim_file_told(void)
{
	struct file *file = shim_file_new(false);

	file->f_op = &told_fops;
	return file;
}

long shim_nr_files, shim_committed;

/* The last user is gone: so is what the page cache has of it. */
void fput(struct file *file)
{
	struct address_space *mapping = file->f_mapping;

	shim_check(file->f_count > 0, "a file is put that nobody has");
	if (--file->f_count)
		return;
	shim_check(RB_EMPTY_ROOT(&mapping->i_mmap.rb_root), "a file is closed that is mapped");
	shim_check(!mapping->i_mmap_writable, "a file is closed that is mapped for writing");
	for (int i = 0; i < FILE_PAGES; i++)
		if (mapping->folio[i])
			folio_put(mapping->folio[i]);
	shim_nr_files--;
	free(file);
}

void shim_file_punch(struct file *file, unsigned long first, int nr, bool truncate)
{
	struct address_space *mapping = file->f_mapping;

	unmap_mapping_range(mapping, first * shim_page_span, nr * shim_page_span, truncate);
	for (unsigned long i = first; i < first + nr; i++) {
		if (mapping->folio[i])
			folio_put(mapping->folio[i]);
		mapping->folio[i] = NULL;
	}
}

void (*shim_meanwhile_punched)(void);

int vfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len)
{
	shim_check(mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE), "no hole is asked for");
	shim_check(!rwsem_held(&current->mm->mmap_lock), "a hole is made under the mm's lock");
	shim_meanwhile(&shim_meanwhile_punched);
	shim_file_punch(file, offset / shim_page_span, len / shim_page_span, false);
	return 0;
}

void vma_set_file(struct vm_area_struct *vma, struct file *file)
{
	get_file(file);
	swap(vma->vm_file, file);
	fput(file);
}

int shmem_zero_setup(struct vm_area_struct *vma)
{
	if (shim_alloc_fails())
		return -ENOMEM;
	if (vma->vm_file)
		fput(vma->vm_file);
	vma->vm_file = shim_file_new(true);
	vma->vm_ops = &shim_shmem_ops;
	return 0;
}

int vma_dup_policy(struct vm_area_struct *src, struct vm_area_struct *dst)
{
	struct mempolicy *pol = mpol_dup(vma_policy(src));

	if (IS_ERR(pol))
		return PTR_ERR(pol);
	dst->vm_policy = pol;
	return 0;
}

unsigned long get_unmapped_area(struct file *file, unsigned long addr, unsigned long len,
				unsigned long pgoff, unsigned long flags)
{
	(void)file;
	(void)pgoff;
	shim_unmapped_flags = flags;
	if (flags & MAP_FIXED ||
	    (addr && !find_vma_intersection(current->mm, addr, addr + len)))
		return addr;
	return shim_unmapped_area;
}

/* What a private page may not have without being asked first is not given. */
pgprot_t vm_get_page_prot(vm_flags_t flags)
{
	if (!(flags & (VM_READ | VM_WRITE | VM_EXEC)))
		return PAGE_NONE;
	return flags & VM_SHARED && flags & VM_WRITE ? PAGE_SHARED : PAGE_READONLY;
}

/* A process: an mm, with what mm_init() and dup_mm() set of it. */
struct mm_struct *shim_mm_new(const struct mm_struct *parent)
{
	struct mm_struct *mm = calloc(1, sizeof(*mm));

	if (!mm)
		abort();
	access_allocated(mm, sizeof(*mm));
	if (parent)
		memcpy(mm, parent, sizeof(*mm));
	mt_init_flags(&mm->mm_mt, MM_MT_FLAGS);
	mt_set_external_lock(&mm->mm_mt, &mm->mmap_lock);
	init_rwsem(&mm->mmap_lock);
	spin_lock_init(&mm->page_table_lock);
	mm->notifying = 0;
	memset(mm->notified, 0, sizeof(mm->notified));
	mm->stale_tlb = false;
	mm->stale_start = mm->stale_end = 0;
	INIT_LIST_HEAD(&mm->mmlist);
	memset(mm->rss_stat, 0, sizeof(mm->rss_stat));
	atomic_set(&mm->mm_users, 1);
	mm->pgtables_bytes.counter = 0;
	mm->write_protect_seq.sequence = 0;
#ifdef SHIM_SCHED
	mm->mm_lock_seq.sequence = 0;
#else
	mm->mm_lock_seq = 1;
#endif
	mm->map_count = 0;
	mm->locked_vm = 0;
	mm->def_flags &= VM_INIT_DEF_MASK;
	mm->grabbed = 0;
	mm->scanned = false;
	mm->task_size = TASK_SIZE;
	mm->pgd = (pgd_t *)shim_table_alloc(mm);
	return mm;
}

int __ksm_enter(struct mm_struct *mm)
{
	if (shim_alloc_fails())
		return -ENOMEM;
	mm_flags_set(MMF_VM_MERGEABLE, mm);
	return 0;
}

void shim_mm_exit(struct mm_struct *mm)
{
	EXPECT_EQ(mm->mm_users.counter, 1);
	EXPECT_EQ(shim_tasks_held, 0);
	tree_exit_mmap(mm);
	shim_mm_free(mm);
}

void shim_mm_free(struct mm_struct *mm)
{
	if (!list_empty(&mm->mmlist))
		list_del(&mm->mmlist);
	shim_rcu_end();
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		EXPECT_EQ(mm->rss_stat[i].count, 0l);
	EXPECT_EQ(mm->pgtables_bytes.counter, 0l);
	EXPECT_EQ(mm->grabbed, 0);
	EXPECT_EQ(mm->notifying, 0);
	EXPECT_EQ(mm->write_protect_seq.sequence & 1, 0u);
	shim_check(!rwsem_is_locked(&mm->mmap_lock), "the mm's lock is kept");
	shim_table_free(mm->pgd);
	free(mm);
}

#ifndef SHIM_SCHED
/* The VMA's lock, see shim/vma.h. */
void vma_start_write(struct vm_area_struct *vma)
{
	mmap_assert_write_locked(vma->vm_mm);
	vma->vm_lock_seq = vma->vm_mm->mm_lock_seq;
}

void vma_assert_write_locked(struct vm_area_struct *vma)
{
	shim_check(__is_vma_write_locked(vma), "a VMA is written that is not locked");
}
#endif

/* What is unmapped. */
int shim_gathers, shim_flush_later;
bool shim_tlb_owed;

void tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm)
{
	*tlb = (struct mmu_gather){ .mm = mm, .start = ULONG_MAX };
	shim_gathers++;
}

void tlb_gather_mmu_fullmm(struct mmu_gather *tlb, struct mm_struct *mm)
{
	*tlb = (struct mmu_gather){ .mm = mm, .fullmm = true, .end = ULONG_MAX };
	shim_gathers++;
}

void tlb_flush_mmu_tlbonly(struct mmu_gather *tlb)
{
	shim_tlb_flush(tlb->mm, tlb->start, tlb->end);
}

void tlb_flush_mmu(struct mmu_gather *tlb)
{
	tlb_flush_mmu_tlbonly(tlb);
	while (tlb->nr) {
		struct folio *folio = page_folio(tlb->page[--tlb->nr]);

		for (unsigned int nr = tlb->nr_pages[tlb->nr]; nr; nr--)
			folio_put(folio);
	}
}

void tlb_finish_mmu(struct mmu_gather *tlb)
{
	tlb_flush_mmu(tlb);
	shim_gathers--;
}

bool __tlb_remove_folio_pages(struct mmu_gather *tlb, struct page *page,
			      unsigned int nr, bool delay_rmap)
{
	(void)delay_rmap;
	tlb->page[tlb->nr] = page;
	tlb->nr_pages[tlb->nr] = nr;
	return ++tlb->nr == ARRAY_SIZE(tlb->page);
}
