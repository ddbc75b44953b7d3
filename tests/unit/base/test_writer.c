/* A writer is one sequence of bytes: made from names, or read back. */
#include "writer.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static const struct writer_scope scopes[] = {
    {.name = {SLICE_INIT("acme"), SLICE_INIT("shop")}},
    {.name = {{NULL, 0}, {NULL, 0}, {NULL, 0}, SLICE_INIT("development")}},
    {.name = {{NULL, 0}}},
    {.name = {SLICE_INIT("a"), SLICE_INIT("b"), SLICE_INIT("c"),
              SLICE_INIT("d")}},
};

enum { SCOPES = sizeof(scopes) / sizeof(scopes[0]) };

static void check_scopes(const struct writer *writer)
{
    struct writer_scope scope;
    uint32_t at = 0, count = 0;

    while (writer_next_scope(writer, &at, &scope)) {
        for (int i = 0; i < IDENTITY_NAMES; i++)
            CHECK(slice_equal(scope.name[i], scopes[count].name[i]));
        count++;
    }
    CHECK_EQ(count, SCOPES);
}

TEST(names_come_back)
{
    struct writer *writer = writer_new(SLICE("acme"), true, scopes, SCOPES);
    struct writer *again;

    CHECK(slice_equal(writer_tenant(writer), SLICE("acme")));
    CHECK(writer->override);
    check_scopes(writer);
    again = writer_decode(writer_bytes(writer));
    writer_free(writer);
    if (CHECK(again != NULL)) {
        CHECK(slice_equal(writer_tenant(again), SLICE("acme")));
        CHECK(again->override);
        check_scopes(again);
    }
    writer_free(writer_ref(again));
    writer_free(again);
}

TEST(a_collector_has_no_tenant)
{
    struct writer *writer = writer_new(SLICE(""), false, scopes, 1);

    CHECK_EQ(writer_tenant(writer).len, 0);
    CHECK(!writer->override);
    CHECK(writer_bytes(writer).len > 0);
    CHECK_EQ(writer_tenant(NULL).len, 0);
    CHECK_EQ(writer_bytes(NULL).len, 0);
    CHECK(writer_ref(NULL) == NULL);
    writer_free(NULL);
    writer_free(writer);
}

TEST(what_does_not_fit_is_refused)
{
    enum { COUNT = 4000 };
    static char text[WRITER_MAX_NAME + 1];
    struct writer_scope *many = calloc(COUNT, sizeof(*many));
    struct writer *writer;

    memset(text, 'x', sizeof(text));
    CHECK(!writer_new((struct slice){text, sizeof(text)}, false, scopes, 1));
    many[0].name[2] = (struct slice){text, sizeof(text)};
    CHECK(!writer_new(SLICE(""), false, many, 1));
    many[0].name[2] = (struct slice){NULL, 0};
    for (size_t i = 0; i < COUNT; i++)
        many[i].name[0] = SLICE("12345");
    CHECK(!writer_new(SLICE(""), false, many, COUNT));
    writer = writer_new(SLICE(""), false, many, WRITER_MAX_BYTES / 7 - 1);
    CHECK(writer != NULL && writer->len <= WRITER_MAX_BYTES);
    writer_free(writer);
    writer = writer_new((struct slice){text, WRITER_MAX_NAME}, false, many, 0);
    CHECK(writer != NULL && writer_tenant(writer).len == WRITER_MAX_NAME);
    writer_free(writer);
    free(many);
}

/* Every prefix, and every byte changed to every value: it is refused, or means
 * what it says and is written the same way. */
TEST(other_bytes)
{
    struct writer *good = writer_new(SLICE("acme"), false, scopes, SCOPES);
    struct slice bytes = writer_bytes(good);
    char copy[256];

    for (size_t at = 0; at < bytes.len; at++)
        for (int value = 0; value < 256; value++) {
            struct writer_scope read[64];
            struct writer *writer, *again;
            uint32_t count = 0, place = 0;

            slice_copy(copy, bytes);
            copy[at] = (char)value;
            writer = writer_decode((struct slice){copy, bytes.len});
            if (!writer)
                continue;
            while (writer_next_scope(writer, &place, &read[count]))
                count++;
            again = writer_new(writer_tenant(writer), writer->override, read,
                               count);
            CHECK(again && slice_equal(writer_bytes(again),
                                       (struct slice){copy, bytes.len}));
            writer_free(again);
            writer_free(writer);
        }
    CHECK(!writer_decode((struct slice){NULL, 0}));
    CHECK(!writer_decode((struct slice){bytes.ptr, 1}));
    CHECK(!writer_decode((struct slice){bytes.ptr, bytes.len - 1}));
    CHECK(!writer_decode((struct slice){copy, WRITER_MAX_BYTES + 1}));
    writer_free(good);
}
