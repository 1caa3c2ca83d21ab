/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel that is compiled here: what fork() can meet is switched on, as far
 * as an x86 of this word size can have it; memcg and MMU notifiers are not.
 */
#ifndef SHIM_CONFIG_H
#define SHIM_CONFIG_H

#include <linux/kconfig.h>	/* IS_ENABLED() */

#define CONFIG_MMU 1
#define CONFIG_SWAP 1
#define CONFIG_KSM 1
#define CONFIG_NUMA 1
#define CONFIG_PER_VMA_LOCK 1
#define CONFIG_SPLIT_PTE_PTLOCKS 1
#define CONFIG_LOCKDEP 1
#define CONFIG_DEBUG_VM 1
#ifdef SHIM_SCHED
#define CONFIG_DEBUG_LOCK_ALLOC 1
#endif
#define CONFIG_USERFAULTFD 1
#define CONFIG_PROC_PAGE_MONITOR 1
#define CONFIG_PGTABLE_LEVELS 4
#define CONFIG_HAVE_MOVE_PMD 1
#define CONFIG_HAVE_MOVE_PUD 1
#define CONFIG_ANON_VMA_NAME 1
#define __HAVE_PFNMAP_TRACKING 1
#define CONFIG_ARCH_HAS_PTE_SPECIAL 1
#define CONFIG_PAGE_MAPCOUNT 1
#define CONFIG_MIGRATION 1
#define CONFIG_DEVICE_PRIVATE 1
#define CONFIG_MEMORY_FAILURE 1

#ifdef __LP64__
#define CONFIG_64BIT 1
#define CONFIG_MEM_SOFT_DIRTY 1
#define CONFIG_ARCH_HAS_PKEYS 1
#define CONFIG_ARCH_PKEY_BITS 4
#define CONFIG_ARCH_USES_HIGH_VMA_FLAGS 1
#define CONFIG_X86_USER_SHADOW_STACK 1
#define CONFIG_HAVE_ARCH_USERFAULTFD_WP 1
#define CONFIG_HAVE_ARCH_USERFAULTFD_MINOR 1
#define CONFIG_PTE_MARKER_UFFD_WP 1
#define CONFIG_ARCH_HAS_PTE_PROTNONE 1
#define CONFIG_USERFAULTFD_RWP 1
#endif

#endif
