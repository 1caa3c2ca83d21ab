/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Model: what a VMA belongs to and hangs on: the process, files and their
 * mappings, the locks of the mm and of the VMA.
 */
#ifndef SHIM_VMA_H
#define SHIM_VMA_H

#pragma push_macro("inline")
#define inline	SHIM_INLINE

/* Who runs: one task, whose mm is the one that is worked on. */
struct task_struct {
	unsigned int personality;
	struct mm_struct *mm;
	const char *comm;
	int pid;
};

extern struct task_struct *current;

/* What becomes of an access. */
enum access {
	ACCESS_DONE, ACCESS_SEGV, ACCESS_GUARD, ACCESS_PROTECTED,
	ACCESS_BEYOND,			/* the end of the file */
};

/**
 * shim_access() - read or write a page of current->mm, faulting as it must.
 * @content: what is written, or what was read
 */
enum access shim_access(unsigned long addr, bool write, u64 *content);
/** faultin_page_range() - GUP's: populate page tables; how many pages, or -errno. */
long faultin_page_range(struct mm_struct *mm, unsigned long start, unsigned long end,
			bool write, int *locked);
/* mm_populate() faults nothing in: this is the range that it had last, and what it says. */
extern unsigned long shim_populate_start, shim_populate_len;
extern int shim_populate_error;
static inline int __mm_populate(unsigned long start, unsigned long len, int ignore_errors)
{
	(void)ignore_errors;
	shim_populate_start = start;
	shim_populate_len = len;
	return shim_populate_error;
}
#define mm_populate(start, len)		((void)__mm_populate(start, len, 1))
/* How far apart the pages of files are: not all of a large mapping are of interest. */
extern unsigned long shim_page_span;
extern int shim_fault_order;
/** shim_vma_at() - the VMA of an address in current->mm, or NULL. */
struct vm_area_struct *shim_vma_at(unsigned long addr);
/** shim_anon_index() - what the rmap calls an anonymous page at @addr of a VMA. */
unsigned long shim_anon_index(const struct vm_area_struct *vma, unsigned long addr);
/** shim_swap_out() - swap a page out; false where there is none that could be. */
bool shim_swap_out(unsigned long addr);
extern u64 shim_slot_content[];

/**
 * shim_mm_new() - an mm without VMAs.
 * @parent: whose child it will be, by tree_dup_mmap(); or NULL
 */
struct mm_struct *shim_mm_new(const struct mm_struct *parent);
/** shim_mm_exit() - exit_mmap(), and what must hold when it is gone. */
void shim_mm_exit(struct mm_struct *mm);
/** shim_mm_free() - the second half of that: what is left after exit_mmap(). */
void shim_mm_free(struct mm_struct *mm);

/* A fatal signal is pending: who would wait for the mm's lock does not. */
extern bool shim_killed;
#define fatal_signal_pending(...)	shim_killed
#define RLIMIT_DATA		0
#define RLIMIT_AS		1
#define RLIMIT_STACK		2
#define RLIMIT_MEMLOCK		3
/* Limits, in bytes; who has none of locked memory is capable of anything. */
extern unsigned long shim_rlimit[4];
#define shim_memlock		shim_rlimit[RLIMIT_MEMLOCK]
#define rlimit(which)		shim_rlimit[which]
#define capable(...)		(shim_memlock == ULONG_MAX)
#define rlimit_max(...)		ULONG_MAX
#define ignore_rlimit_data	false
extern int sysctl_max_map_count;

/* Where to: what is asked for, if nothing is there; or where a test says is room. With which flags. */
extern unsigned long shim_unmapped_area, shim_unmapped_flags;
unsigned long get_unmapped_area(struct file *file, unsigned long addr, unsigned long len,
				unsigned long pgoff, unsigned long flags);

/* What process_madvise() is given: ranges, and the process that calls. */
struct iovec {
	void *iov_base;
	size_t iov_len;
};

struct iov_iter {
	const struct iovec *vec;
	size_t at, count;		/* in the first range, and in all */
};

#define UIO_FASTIOV		8
#define ITER_DEST		0
#define PTRACE_MODE_READ_FSCREDS	0
#define CAP_SYS_NICE		23
/* A process has one pidfd, 0; its mm may be another's than current's, or an error. */
extern struct mm_struct *shim_remote_mm;
static inline struct task_struct *pidfd_get_task(int pidfd, unsigned int *flags)
{
	*flags = 0;
	if (pidfd)
		return ERR_PTR(-EBADF);
	shim_tasks_held++;
	return current;
}

static inline struct mm_struct *mm_access(struct task_struct *task, unsigned int mode)
{
	struct mm_struct *mm = shim_remote_mm ?: task->mm;

	(void)mode;
	if (!IS_ERR(mm))
		atomic_inc(&mm->mm_users);
	return mm;
}

#define iov_iter_count(iter)	((iter)->count)
#define iter_iov_addr(iter)	((char *)(iter)->vec->iov_base + (iter)->at)
#define iter_iov_len(iter)	((iter)->vec->iov_len - (iter)->at)

static inline ssize_t import_iovec(int type, const struct iovec *vec, size_t nr, size_t fast,
				   struct iovec **copy, struct iov_iter *iter)
{
	*iter = (struct iov_iter){ .vec = vec };
	for (size_t i = 0; i < nr; i++)
		iter->count += vec[i].iov_len;
	*copy = NULL;
	return iter->count;
}

static inline void iov_iter_advance(struct iov_iter *iter, size_t bytes)
{
	shim_check(bytes <= iter->count, "an iov_iter is advanced beyond its end");
	iter->count -= bytes;
	for (iter->at += bytes; iter->count && iter->at >= iter->vec->iov_len; iter->vec++)
		iter->at -= iter->vec->iov_len;
}
#define mmap_min_addr		PAGE_SIZE
#define TASK_SIZE		(PTRS_PER_PGD * PGDIR_SIZE - PAGE_SIZE)
#define stack_guard_gap		(256UL << PAGE_SHIFT)
#define pr_warn_once(...)	do { } while (0)
#define PHYS_PFN(x)		((unsigned long)((x) >> PAGE_SHIFT))
#define PFN_PHYS(x)		((phys_addr_t)(x) << PAGE_SHIFT)
#define PAGE_ALIGNED(x)		IS_ALIGNED((unsigned long)(x), PAGE_SIZE)
#define pr_alert(...)		do { } while (0)
#define PAGE_ALIGN(x)		ALIGN(x, PAGE_SIZE)

struct mutex { int held; };
#define DEFINE_MUTEX(name)	struct mutex name
#define mutex_lock(m)		((void)(m)->held++)
#define mutex_unlock(m)		((void)(m)->held--)
#define mutex_is_locked(m)	((m)->held)

/* The mm's lock; writing a VMA takes the VMA's too, until the mm's is dropped. */
#ifdef SHIM_SCHED
/* The tree's own: see sched/vma_lock.c. */
void mmap_write_lock(struct mm_struct *mm);
void mmap_write_lock_nested(struct mm_struct *mm, int subclass);
int mmap_write_lock_killable(struct mm_struct *mm);
void mmap_read_lock(struct mm_struct *mm);
void mmap_read_unlock(struct mm_struct *mm);
void mmap_write_unlock(struct mm_struct *mm);
void mmap_write_downgrade(struct mm_struct *mm);
#define mmap_read_lock_killable(mm)	(mmap_read_lock(mm), 0)
#else
#define mmap_write_lock(mm)		down_write(&(mm)->mmap_lock)
#define mmap_write_lock_nested(mm, n)	down_write(&(mm)->mmap_lock)
#define mmap_write_lock_killable(mm)	(shim_killed ? -EINTR : (down_write(&(mm)->mmap_lock), 0))
#define mmap_read_lock(mm)		down_read(&(mm)->mmap_lock)
#define mmap_read_lock_killable(mm)	(shim_killed ? -EINTR : (mmap_read_lock(mm), 0))
#define mmap_read_unlock(mm)		up_read(&(mm)->mmap_lock)
#define mmap_write_unlock(mm)		((void)(mm)->mm_lock_seq++, up_write(&(mm)->mmap_lock))
#define mmap_write_downgrade(mm)	({ mmap_write_unlock(mm); mmap_read_lock(mm); })
#endif

/* Locks that are held up to the end of a block, of those that the imported code takes so. */
static inline void shim_end_mmap_read_lock(struct mm_struct **mm)
{
	mmap_read_unlock(*mm);
}

static inline void shim_end_rwsem_read(struct rw_semaphore **sem)
{
	up_read(*sem);
}

#define guard(name)			shim_guard_##name
#define shim_guard_mmap_read_lock(lock)					\
	struct mm_struct *guarded_mm __attribute__((cleanup(shim_end_mmap_read_lock))) = \
		({ mmap_read_lock(lock); (lock); })
#define shim_guard_rwsem_read(lock)					\
	struct rw_semaphore *guarded_sem __attribute__((cleanup(shim_end_rwsem_read))) = \
		({ down_read(lock); (lock); })

#define mmap_assert_not_locked(mm)	shim_check(!rwsem_held(&(mm)->mmap_lock), "waits for user space under the mm's lock")
#define mmap_assert_locked(mm)		shim_check(lock_is_held(&(mm)->mmap_lock.dep_map), "the mm is not locked")
#define mmap_assert_write_locked(mm)	shim_check(shim_holds_write(&(mm)->mmap_lock), "the mm is not locked for writing")

struct blk_plug { int nothing; };

/* PROT_* as VM_*. */
#define calc_vm_prot_bits(prot, pkey)					\
	(((prot) & PROT_READ ? VM_READ : 0) |				\
	 ((prot) & PROT_WRITE ? VM_WRITE : 0) |				\
	 ((prot) & PROT_EXEC ? VM_EXEC : 0))

/* Memory that is promised: what is taken is given back. */
extern long shim_committed;

static inline void vm_acct_memory(long pages)
{
	shim_committed += pages;
}

#define vm_unacct_memory(pages)		vm_acct_memory(-(long)(pages))

static inline int security_vm_enough_memory_mm(struct mm_struct *mm, long pages)
{
	if (shim_alloc_fails())
		return -ENOMEM;
	vm_acct_memory(pages);
	return 0;
}

/* The security module keeps the VMA that begins there as it is; 0: none. */
extern unsigned long shim_secured;
#define security_file_mprotect(vma, ...)	((vma)->vm_start == shim_secured ? -EACCES : 0)

/*
 * Memory policy. Each VMA has one of its own, or none: who copies a VMA copies it, which
 * may fail, and who frees a VMA gives it back.
 */
struct mempolicy {
	int mode;
};

static inline struct mempolicy *mpol_new(int mode)
{
	struct mempolicy *pol = shim_object_alloc(sizeof(*pol), GFP_KERNEL);

	if (!pol)
		return ERR_PTR(-ENOMEM);
	pol->mode = mode;
	return pol;
}

static inline struct mempolicy *mpol_dup(struct mempolicy *pol)
{
	return pol ? mpol_new(pol->mode) : NULL;
}

static inline void mpol_put(struct mempolicy *pol)
{
	shim_object_free(pol);
}

static inline bool mpol_equal(struct mempolicy *a, struct mempolicy *b)
{
	return a == b || (a && b && a->mode == b->mode);
}

/** shim_policy() - which one a VMA has; 0: none. */
#define shim_policy(vma)	(vma_policy(vma) ? vma_policy(vma)->mode : 0)
int vma_dup_policy(struct vm_area_struct *src, struct vm_area_struct *dst);

/* Files, and which VMAs map them. */
#define FILE_PAGES	128
struct inode {
	int i_writecount;
	unsigned long i_pages;			/* its size */
	struct address_space *i_mapping;
	struct rw_semaphore i_rwsem;
};
struct address_space {
	struct rb_root_cached i_mmap;
	struct rw_semaphore i_mmap_rwsem;
	int i_mmap_writable;			/* how often; -1: it is sealed */
	unsigned long probed;			/* the page that has a breakpoint, or 0 */
	unsigned long flags;
	struct inode *host;
	bool shmem;
	struct folio *folio[FILE_PAGES];	/* the page cache */
};

struct vm_area_desc;
struct file_operations {
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	int (*mmap_prepare)(struct vm_area_desc *desc);
	void *get_unmapped_area;
};

#define FMODE_NOREUSE	0x800000
struct file {
	struct address_space *f_mapping;
	struct inode *f_inode;
	int f_count;
	unsigned int f_mode;
	const struct file_operations *f_op;
};

static inline struct file *get_file(struct file *file)
{
	file->f_count++;
	return file;
}

/* A child: the architecture's part of it is allocated; then daemons may look at it. */
#define arch_dup_mmap(...)		(shim_alloc_fails() ? -ENOMEM : 0)
#define ksm_fork(mm, oldmm)		((void)((mm)->scanned = true))
#define khugepaged_fork(mm, oldmm)	((void)((mm)->scanned = true))
/* Breakpoints, in whatever maps that page of the file for its code. */
void shim_uprobe_mmap(struct vm_area_struct *vma);
#define uprobe_mmap(vma)		shim_uprobe_mmap(vma)

/* KSM is told of an mm once. */
int __ksm_enter(struct mm_struct *mm);

#define file_inode(f)			((f)->f_inode)
/* The size of each file, in bytes. */
extern loff_t shim_file_size;
#define i_size_read(...)		shim_file_size
void fput(struct file *file);
/** shim_cached() - a page of the page cache, made where there is none. */
struct folio *shim_cached(struct address_space *mapping, unsigned long index);
/** shim_cache_large() - make one folio of the first pages of a file; 1 << @order. */
void shim_cache_large(struct address_space *mapping, int order);
/** shim_get_cached() - one that is there, locked and with a reference; or NULL. */
struct folio *shim_get_cached(struct inode *inode, pgoff_t index);
/*
 * UFFDIO_COPY of shmem, as the tree's ->alloc_folio(), ->filemap_add() and
 * ->filemap_remove(), or in a tree without those the whole of it.
 */
struct folio *shim_fill_alloc(struct vm_area_struct *vma, unsigned long addr);
int shim_fill_add(struct folio *folio, struct vm_area_struct *vma, unsigned long addr);
void shim_fill_remove(struct folio *folio, struct vm_area_struct *vma);
#ifndef TREE_HAS_vm_uffd_ops
int shmem_mfill_atomic_pte(pmd_t *pmd, struct vm_area_struct *vma, unsigned long addr,
			   unsigned long from, unsigned int flags, struct folio **foliop);
int mfill_atomic_install_pte(pmd_t *pmd, struct vm_area_struct *vma, unsigned long addr,
			     struct page *page, bool newly_allocated, unsigned int flags);
#endif
#define shmem_get_folio(inode, index, size, foliop, sgp)		\
	((*(foliop) = shim_get_cached(inode, index)) ? 0 : -ENOENT)
struct file *shim_file_new(bool shmem);
/**
 * shim_file_punch() - take pages out of the page cache and of all that maps them.
 * @truncate: the file ends before them, so that private copies go as well
 */
void shim_file_punch(struct file *file, unsigned long first, int nr, bool truncate);
/* The tree's, of mm/memory.c. The folio is locked. */
void unmap_mapping_folio(struct folio *folio);
/* Of a driver that has ->open and ->close; shim_told is how many VMAs it has. */
struct file *shim_file_told(void);
extern int shim_told;
extern long shim_nr_files;
#define i_mmap_lock_write(m)		down_write(&(m)->i_mmap_rwsem)
#define i_mmap_unlock_write(m)		up_write(&(m)->i_mmap_rwsem)
#define i_mmap_lock_read(m)		down_read(&(m)->i_mmap_rwsem)
#define i_mmap_unlock_read(m)		up_read(&(m)->i_mmap_rwsem)
#define mapping_mapped(m)		(!RB_EMPTY_ROOT(&(m)->i_mmap.rb_root))
#define mapping_allow_writable(m)	((void)(m)->i_mmap_writable++)
#define mapping_map_writable(m)						\
	((m)->i_mmap_writable < 0 ? -EPERM : ((m)->i_mmap_writable++, 0))
#define mapping_unmap_writable(m)	((void)(m)->i_mmap_writable--)
#define mapping_can_writeback(...)	false
#define AS_MM_ALL_LOCKS			0
#define down_write_nest_lock(sem, ...)	down_write(sem)

#define call_mmap(file, vma)		((file)->f_op->mmap(file, vma))
#define vfs_mmap(file, vma)		((file)->f_op->mmap(file, vma))
#define vfs_mmap_prepare(file, desc)	((file)->f_op->mmap_prepare(desc))
#define mmap_action_prepare(...)	0
#define mmap_action_complete(...)	0
void vma_set_file(struct vm_area_struct *vma, struct file *file);
#define FALLOC_FL_KEEP_SIZE	1
#define FALLOC_FL_PUNCH_HOLE	2
/* What another thread does where the mm is not locked; once. */
static inline void shim_meanwhile(void (**what)(void))
{
	void (*call)(void) = *what;

	*what = NULL;
	if (call)
		call();
}

/* While the hole is made. */
extern void (*shim_meanwhile_punched)(void);
int vfs_fallocate(struct file *file, int mode, loff_t offset, loff_t len);
/* Shared and anonymous: a file of its own, that nobody else can open. */
int shmem_zero_setup(struct vm_area_struct *vma);
#define shmem_file(f)			false
extern const struct vm_operations_struct shim_shmem_ops, shim_file_ops, shim_told_ops;
extern int shim_opens;
#define vma_is_shmem(vma)		((vma)->vm_ops == &shim_shmem_ops)
#define vma_is_anon_shmem(vma)		vma_is_shmem(vma)
#define vma_is_dax(...)			false
#define file_is_dax(...)		false
#define get_gate_vma(...)		NULL
#define vma_is_secretmem(...)		false

/*
 * The VMA's own lock: held for writing as long as the mm's is. Attached means in
 * the mm's tree; who is not may be written by whoever has it.
 */
#ifdef SHIM_SCHED
/* The tree's own, with readers: see sched/vma_lock.c. */
bool vma_start_read_locked(struct vm_area_struct *vma);
#define vma_start_read_locked_nested(vma, subclass)	vma_start_read_locked(vma)
void vma_assert_locked(struct vm_area_struct *vma);
void vma_assert_stabilised(struct vm_area_struct *vma);
struct vm_area_struct *lock_vma_under_rcu(struct mm_struct *mm, unsigned long addr);
void vma_end_read(struct vm_area_struct *vma);
int vma_start_write_killable(struct vm_area_struct *vma);
#ifdef TREE_HAS_vma_lock
void vma_mark_detached(struct vm_area_struct *vma, bool detached);
#else
bool vma_is_attached(struct vm_area_struct *vma);
void vma_assert_attached(struct vm_area_struct *vma);
void vma_assert_detached(struct vm_area_struct *vma);
void vma_assert_can_modify(struct vm_area_struct *vma);
void vma_lock_init(struct vm_area_struct *vma, bool reset_refcnt);
void vma_mark_attached(struct vm_area_struct *vma);
void vma_mark_detached(struct vm_area_struct *vma);
#endif
#else
#define __is_vma_write_locked(vma)					\
	((vma)->vm_mm->mmap_lock.dep_map.writers &&			\
	 (vma)->vm_lock_seq == (vma)->vm_mm->mm_lock_seq)
#define vma_assert_locked(vma)		mmap_assert_locked((vma)->vm_mm)
#define vma_assert_stabilised(vma)	mmap_assert_locked((vma)->vm_mm)
#define lock_vma_under_rcu(...)		NULL
#define vma_start_read_locked(...)	true
#define vma_start_read_locked_nested(...)	true
/* Userfaultfd takes a VMA by itself: 6.12 without asking. */
#ifdef TREE_HAS_vma_lock
#define vma_end_read(vma)		up_read(&(vma)->vm_lock->lock)
#else
#define vma_end_read(...)		do { } while (0)
#endif
#define vma_start_write_killable(vma)	(vma_start_write(vma), 0)

#ifdef TREE_HAS_vma_lock
static inline void vma_mark_detached(struct vm_area_struct *vma, bool detached)
{
	if (detached)
		vma_assert_write_locked(vma);
	vma->detached = detached;
}
#else
#define vma_is_attached(vma)		refcount_read(&(vma)->vm_refcnt)
#define vma_assert_attached(vma)					\
	shim_check(vma_is_attached(vma), "a VMA is not in the tree")
#define vma_assert_detached(vma)					\
	shim_check(!vma_is_attached(vma), "a VMA is still in the tree")

static inline void vma_assert_can_modify(struct vm_area_struct *vma)
{
	if (vma_is_attached(vma))
		vma_assert_write_locked(vma);
}

static inline void vma_lock_init(struct vm_area_struct *vma, bool reset_refcnt)
{
	if (reset_refcnt)
		refcount_set(&vma->vm_refcnt, 0);
	vma->vm_lock_seq = UINT_MAX;
}

static inline void vma_mark_attached(struct vm_area_struct *vma)
{
	vma_assert_write_locked(vma);
	vma_assert_detached(vma);
	refcount_set(&vma->vm_refcnt, 1);
}

static inline void vma_mark_detached(struct vm_area_struct *vma)
{
	vma_assert_write_locked(vma);
	vma_assert_attached(vma);
	refcount_set(&vma->vm_refcnt, 0);
}
#endif
#endif
#ifndef TREE_HAS_vma_kernel_pagesize
#define vma_kernel_pagesize(...)	PAGE_SIZE
#endif

/*
 * What is unmapped waits here until no processor can have it in its TLB: pages
 * are put and tables freed when it is finished or full.
 */
struct mmu_gather {
	struct mm_struct *mm;
	bool fullmm;
	unsigned int nr;
	struct page *page[8];
	unsigned int nr_pages[8];
	unsigned long start, end;	/* to be flushed */
};

static inline void shim_gather_range(struct mmu_gather *tlb, unsigned long addr, unsigned long len)
{
	tlb->start = min(tlb->start, addr);
	tlb->end = max(tlb->end, addr + len);
}

void tlb_gather_mmu(struct mmu_gather *tlb, struct mm_struct *mm);
void tlb_gather_mmu_fullmm(struct mmu_gather *tlb, struct mm_struct *mm);
void tlb_flush_mmu(struct mmu_gather *tlb);
void tlb_finish_mmu(struct mmu_gather *tlb);
bool __tlb_remove_folio_pages(struct mmu_gather *tlb, struct page *page,
			      unsigned int nr, bool delay_rmap);
void tlb_flush_mmu_tlbonly(struct mmu_gather *tlb);
#define tlb_flush_rmaps(...)		do { } while (0)
#define tlb_delay_rmap(...)		false
#define tlb_change_page_size(...)	do { } while (0)
#define tlb_start_vma(...)		do { } while (0)
#define tlb_end_vma(...)		do { } while (0)
#define tlb_free_vmas(...)		do { } while (0)
#define tlb_remove_tlb_entry(tlb, pte, addr)	shim_gather_range(tlb, addr, PAGE_SIZE)
#define tlb_remove_tlb_entries(tlb, pte, nr, addr)	shim_gather_range(tlb, addr, (nr) * PAGE_SIZE)
#define tlb_flush_pte_range(tlb, addr, len)	shim_gather_range(tlb, addr, len)
#define flush_tlb_batched_pending(...)	do { } while (0)
#define pte_free_tlb(tlb, table, addr)	shim_table_free(table)
#define pmd_free_tlb(tlb, table, addr)	shim_table_free(table)
#define pud_free_tlb(tlb, table, addr)	shim_table_free(table)

pgprot_t vm_get_page_prot(vm_flags_t flags);
extern const struct vm_operations_struct vma_dummy_vm_ops;

#pragma pop_macro("inline")
#endif
