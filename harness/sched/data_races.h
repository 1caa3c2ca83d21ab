/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Data races that kernels have, and why they do no harm: functions that the two stacks
 * have, in any order. Each was met on a packaged tree, and its source was read.
 */
#define IS_ADDED	"a list to which something is being added is empty, or not taken for singular"
#define WALKS_RMAP	"who comes by the rmap, or by the file, asks the VMA's flags without its lock: for others than those that are being written, or for a hint"
#define ASKS_AGAIN	"who walks the maple tree under RCU asks again, and starts again"
#define ASKS_FLAGS	"lockdep asks whether the tree's lock is somebody else's; its height has other bits of the word"

static const struct {
	const char *one, *other, *why;
} expected[] = {
	{ "ma_dead_node", "mte_set_node_dead", ASKS_AGAIN },
	{ "mte_dead_node", "mte_set_node_dead", ASKS_AGAIN },
	{ "mt_locked", "mt_set_height", ASKS_FLAGS },
	{ "mt_locked", "mas_set_height", ASKS_FLAGS },
	{ "mas_lockdep_map", "mt_set_height", ASKS_FLAGS },
	{ "reusable_anon_vma", "anon_vma_chain_assign", IS_ADDED },
	{ "reusable_anon_vma", "anon_vma_chain_link", IS_ADDED },
	{ "retract_page_tables", "unlink_anon_vmas",
	  "a VMA that loses its anon_vma has no page of it any more" },
	{ "update_hiwater_rss", "update_hiwater_rss",
	  "a statistic; 7.3 marks it" },
	{ "unmap_mapping_range_tree", "madvise_update_vma", WALKS_RMAP },
	{ "try_to_unmap_one", "madvise_update_vma", WALKS_RMAP },
	{ "try_to_migrate_one", "madvise_update_vma", WALKS_RMAP },
	{ "remove_migration_pte", "madvise_update_vma", WALKS_RMAP },
	{ "retract_page_tables", "madvise_update_vma", WALKS_RMAP },
	/* 7.3's mprotect() marks its write. */
	{ "unmap_mapping_range_tree", "mprotect_fixup", WALKS_RMAP },
	{ "try_to_unmap_one", "mprotect_fixup", WALKS_RMAP },
	{ "try_to_migrate_one", "mprotect_fixup", WALKS_RMAP },
	{ "remove_migration_pte", "mprotect_fixup", WALKS_RMAP },
	{ "retract_page_tables", "mprotect_fixup", WALKS_RMAP },
};
