/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stubs: what the kernel tells others who are not here, and asks of what is
 * switched off. None of it changes what fork() or a merge does.
 */
#ifndef SHIM_NOTHING_H
#define SHIM_NOTHING_H

/* NUMA balancing. */
#define vma_numab_state_init(...)	do { } while (0)
#define vma_numab_state_free(...)	do { } while (0)

/* Who would like to know: security modules, perf, KSM, khugepaged. */
/* What they are shown is in the tree: no page fault may come before it is complete. */
#define perf_event_mmap(vma)		vma_assert_write_locked(vma)
#define uprobe_munmap(...)		do { } while (0)
#define uprobe_dup_mmap(...)		do { } while (0)
#define ksm_vma_flags(mm, file, flags)	(flags)
#define lookup_swap_cgroup_id(...)	0
#define ksm_add_vma(...)		do { } while (0)
#define khugepaged_enter_vma(vma, flags)	((void)(flags), vma_assert_write_locked(vma))
#define dup_mm_exe_file(...)		do { } while (0)
#define trace_exit_mmap(...)		do { } while (0)

/* Huge pages. */
#define hugetlb_split(...)		do { } while (0)
#define hugetlb_dup_vma_private(...)	do { } while (0)
#define hugetlb_zap_begin(...)		do { } while (0)
#define hugetlb_zap_end(...)		do { } while (0)
#define fixup_hugetlb_reservations(...)	do { } while (0)
#define is_hugepage_only_range(...)	0
#define is_file_hugepages(...)		false
#define vma_adjust_trans_huge(...)	do { } while (0)

/* The architecture: caches, what it forbids. */
#define flush_cache_mm(...)		do { } while (0)
#define flush_cache_dup_mm(...)		do { } while (0)
#define flush_cache_range(...)		do { } while (0)
extern int shim_range_flushes;
#define flush_tlb_range(vma, start, end)				\
	(shim_marked(shim_range_flushes)++, shim_tlb_flush((vma)->vm_mm, start, end))
#define flush_tlb_mm(mm)		((mm)->stale_tlb = false, shim_tlb_flush(mm, 0, ULONG_MAX))
#define flush_dcache_mmap_lock(...)	do { } while (0)
#define flush_dcache_mmap_unlock(...)	do { } while (0)
#define arch_exit_mmap(...)		do { } while (0)
#define signal_pending(...)		0
#define arch_validate_flags(...)	true
#define lru_add_drain(...)		do { } while (0)
#define mmu_notifier_release(...)	do { } while (0)

/* What madvise() could do besides, and what mprotect() asks of NUMA. */
#define madvise_willneed(...)		-EINVAL
#define madvise_inject_error(...)	-EINVAL
#define madvise_collapse(...)		-EINVAL

#define SWAP_CLUSTER_MAX		32
#define madvise_free_huge_pmd(...)	0
#define folio_putback_lru(...)		do { } while (0)
#define folio_deactivate(...)		do { } while (0)
#define folio_clear_referenced(...)	do { } while (0)
#define folio_test_clear_young(...)	do { } while (0)
#define folio_test_active(...)		0
#define folio_set_workingset(...)	do { } while (0)
#define folio_test_unevictable(...)	0
#define folio_test_swapcache(f)		((f)->slot != 0)
#define folio_free_swap(...)		true
#define folio_mark_lazyfree(...)	do { } while (0)
#define folio_test_lazyfree(...)	0

/* UFFDIO_COPY reads what is there, and of anonymous memory; UFFDIO_MOVE moves small pages. */
#define move_pages_huge_pmd(...)	-EINVAL
#define folio_file_page(folio, index)	folio_page(folio, 0)
#define PageHWPoison(...)		false
#define flush_dcache_folio(...)		do { } while (0)
#define mm_forbids_zeropage(...)	false
#define mfill_atomic_hugetlb(...)	-EINVAL

/* KSM has no pages, so there is nothing to break. */
#define break_ksm(...)			0
#define unmerge_ksm_pages(...)		0

#define blk_start_plug(...)		do { } while (0)
#define blk_finish_plug(...)		do { } while (0)
#define count_vm_numa_events(what, nr)	((void)(nr))
#define folio_can_map_prot_numa(...)	false
#define vma_is_single_threaded_private(...)	false
#define folio_is_file_lru(...)		false
#define folio_is_zone_device(...)	false
#define is_zone_device_page(...)	false
#define folio_use_access_time(...)	false
#define folio_xchg_access_time(f, t)	(t)
#define folio_nid(...)			0
#define node_is_toptier(...)		true
#define numa_node_id()			0
#define NUMA_NO_NODE			(-1)
#define NUMA_BALANCING_NORMAL		1
#define NUMA_HUGE_PTE_UPDATES		0
#define sysctl_numa_balancing_mode	0
#define jiffies				0
#define jiffies_to_msecs(...)		0
#define populate_vma_page_range(...)	do { } while (0)
#define arch_vma_access_permitted(...)	true
#define arch_has_pfn_modify_check()	false
#define pfn_modify_allowed(...)		true
#define arch_override_mprotect_pkey(vma, prot, pkey)	(pkey)
#define arch_validate_prot(...)		true
#define mm_pkey_is_allocated(...)	true
#define ARCH_VM_PKEY_FLAGS		0
#define READ_IMPLIES_EXEC		0x0400000
#define untagged_addr(addr)		(addr)
#define untagged_addr_remote(mm, addr)	(addr)
#define restart_syscall()		-ERESTARTNOINTR
#define ERESTARTNOINTR			513
#define untrack_pfn(...)		do { } while (0)
#define pfnmap_untrack(...)		do { } while (0)

/* Huge entries: none. */
#define pmd_is_migration_entry(...)	false
#define pmd_is_device_private_entry(...)	false
#define thp_migration_supported()	false
#define is_huge_zero_pmd(...)		false
#define pmd_young(...)			false
#define pmd_mkold(pmd)			(pmd)
#define pmdp_invalidate(...)		do { } while (0)
#define set_pmd_at(...)			do { } while (0)
#define tlb_remove_pmd_tlb_entry(...)	do { } while (0)
#define split_huge_pmd(...)		do { } while (0)
#define split_huge_pud(...)		do { } while (0)
#define __split_huge_pmd(...)		do { } while (0)
#define __split_huge_pud(...)		do { } while (0)
#define change_huge_pmd(...)		0
#define change_huge_pud(...)		0
#define zap_huge_pmd(...)		0
#define zap_huge_pud(...)		0
#define folio_test_pmd_mappable(...)	false
#define hugetlb_change_protection(...)	0
#define hugetlb_unshare_all_pmds(...)	do { } while (0)
#define hugetlb_free_pgd_range(...)	do { } while (0)
#define __unmap_hugepage_range(...)	do { } while (0)
#define huge_page_size(...)		PAGE_SIZE
#define huge_page_mask(...)		PAGE_MASK
#define move_huge_pmd(...)		false
#define move_hugetlb_page_tables(...)	0
#define clear_vma_resv_huge_pages(...)	do { } while (0)
#define thp_get_unmapped_area		NULL
#define hstate_vma(...)			NULL
#define ksm_might_unmap_zero_page(...)	do { } while (0)
#define pte_needs_flush(...)		true
#define arch_check_zapped_pte(...)	do { } while (0)
#define folio_mark_accessed(...)	do { } while (0)
#define MMU_NOTIFY_CLEAR		0
#define MMU_NOTIFY_UNMAP		0
#define MMU_NOTIFY_PROTECTION_VMA	0

/* clear_refs: of one process, its own; nothing is referenced, and no entry is huge. */
#define MMU_NOTIFY_SOFT_DIRTY		0
#define strstrip(s)			(s)
#define kstrtoint(s, base, to)		(*(to) = atoi(s), 0)
#ifdef SHIM_SCHED
#define inc_tlb_flush_pending(...)	do { } while (0)
#define dec_tlb_flush_pending(...)	do { } while (0)
#else
#define inc_tlb_flush_pending(...)	((void)shim_flush_later++)
#define dec_tlb_flush_pending(...)	((void)shim_flush_later--)
#endif
#define reset_mm_hiwater_rss(...)	do { } while (0)
#define pmd_trans_huge_lock(...)	NULL
#define vm_normal_folio_pmd(...)	NULL
#define pmd_folio(...)			NULL
#define pmdp_test_and_clear_young(...)	do { } while (0)
#define folio_test_clear_young(...)	do { } while (0)
#define folio_clear_referenced(...)	do { } while (0)

/* For other tools than the compiler. */
#define might_sleep(...)		do { } while (0)
#define ASSERT_EXCLUSIVE_WRITER(...)	do { } while (0)
#define __latent_entropy

#endif
