/* What the importer must get right, in as few lines as it takes. */
#ifndef _SELFTEST_TREE_H
#define _SELFTEST_TREE_H

static bool
type_above(int a,
	   int b)
{
	return a == b;
}

/* static int in_a_comment(void) { return 0; } */
#ifdef CONFIG_FIRST
#define IN_EACH_BRANCH	1
#elif defined(CONFIG_SECOND) && \
	!defined(CONFIG_THIRD)
# define IN_EACH_BRANCH	(1 + \
			 1)
#else
#define IN_EACH_BRANCH	3
static inline int in_last_branch(void) { return 3; }
#endif

#define DECLARE_BIT(name, bit) NAME_ ## name ## _BIT = bit
enum {
	DECLARE_BIT(LOW, 0),
#ifdef CONFIG_FIRST
	DECLARE_BIT(MIDDLE, 1),
#endif
	DECLARE_BIT(HIGH, 2),
};

typedef struct {
	unsigned long bits[2];
} bits_t;

enum named { FIRST_NAMED, SECOND_NAMED };

int declared_only(int a,
		  int b);
static const int table[] = {
	1,
	2,
};

/* leaf_two() is called below, "leaf_three" is not. */
static inline int leaf_one(void) { return IN_EACH_BRANCH; }
static inline int leaf_two(void) { return leaf_one(); }
static inline int leaf_three(void) { return 3; }
static inline int root(void)
{
	return leaf_two();	/* not leaf_three() */
}

#endif
