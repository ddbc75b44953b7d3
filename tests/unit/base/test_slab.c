#include "slab.h"

#include "test.h"

TEST(freed_nodes_are_reused_by_size)
{
    struct slab slab;
    void *a, *b, *c;
    size_t left;

    slab_init(&slab, 4096);
    a = slab_alloc(&slab, 64);
    b = slab_alloc(&slab, 64);
    c = slab_alloc(&slab, 96);
    memset(a, 1, 64);
    memset(b, 2, 64);
    memset(c, 3, 96);
    left = slab_left(&slab);
    slab_free(&slab, a, 64);
    slab_free(&slab, b, 64);
    CHECK(slab_alloc(&slab, 96) != a);
    CHECK(slab_left(&slab) < left);
    CHECK(slab_alloc(&slab, 64) == b); /* the last freed is the first */
    CHECK(slab_alloc(&slab, 64) == a);
    slab_release(&slab);
}

TEST(clearing_frees_all_and_keeps_the_block)
{
    struct slab slab;
    void *first;

    slab_init(&slab, 1024);
    first = slab_alloc(&slab, 10);
    slab_free(&slab, slab_alloc(&slab, 32), 32);
    CHECK_EQ(slab_left(&slab), 1024 - 16 - 32);
    slab_clear(&slab);
    CHECK_EQ(slab_left(&slab), 1024);
    CHECK(slab_alloc(&slab, 10) == first);
    slab_release(&slab);
}

/* Larger than the largest size that is kept. */
TEST(large_nodes_live_until_the_slab_is_cleared)
{
    struct slab slab;
    void *large;

    slab_init(&slab, 8192);
    large = slab_alloc(&slab, SLAB_STEP * SLAB_SIZES);
    slab_free(&slab, large, SLAB_STEP * SLAB_SIZES);
    CHECK(slab_alloc(&slab, SLAB_STEP * SLAB_SIZES) != large);
    slab_release(&slab);
}
