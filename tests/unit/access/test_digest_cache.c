/* What was decided about a text is found until its end, and no longer. */
#include "digest_cache.h"

#include <stdio.h>

#include "test.h"

static int released;

static void count_release(void *value)
{
    (void)value;
    released++;
}

static struct digest digest_at(unsigned n)
{
    char text[16];
    int len = snprintf(text, sizeof(text), "%u", n);

    return digest_of((struct slice){text, (size_t)len});
}

TEST(entry_ends_at_its_time)
{
    struct digest_cache *cache = digest_cache_new(16, NULL);
    struct digest a = digest_at(1), b = digest_at(2);
    int value;

    digest_cache_put(cache, &a, &value, 100);
    CHECK(digest_cache_find(cache, &a, 99) == &value);
    CHECK(digest_cache_find(cache, &a, 100) == NULL);
    CHECK(digest_cache_find(cache, &b, 99) == NULL);
    digest_cache_free(cache);
}

TEST(newer_value_replaces_and_releases)
{
    struct digest_cache *cache = digest_cache_new(16, count_release);
    struct digest a = digest_at(1);
    int one, two;

    released = 0;
    digest_cache_put(cache, &a, &one, 100);
    digest_cache_put(cache, &a, &two, 50);
    CHECK_EQ(released, 1);
    CHECK_EQ(digest_cache_count(cache), 1);
    CHECK(digest_cache_find(cache, &a, 0) == &two);
    digest_cache_clear(cache);
    CHECK_EQ(released, 2);
    CHECK_EQ(digest_cache_count(cache), 0);
    CHECK(digest_cache_find(cache, &a, 0) == NULL);
    digest_cache_free(cache);
    CHECK_EQ(released, 2);
}

/* Four entries are one set: the one that ends first goes. */
TEST(full_cache_drops_what_ends_first)
{
    struct digest_cache *cache = digest_cache_new(4, count_release);
    struct digest digest[5];
    int value;

    released = 0;
    for (unsigned i = 0; i < 5; i++) {
        digest[i] = digest_at(i);
        digest_cache_put(cache, &digest[i], &value, i == 2 ? 10 : 100 + i);
    }
    CHECK_EQ(released, 1);
    CHECK_EQ(digest_cache_count(cache), 4);
    for (unsigned i = 0; i < 5; i++)
        CHECK((digest_cache_find(cache, &digest[i], 0) == NULL) == (i == 2));
    digest_cache_free(cache);
    CHECK_EQ(released, 5);
}
