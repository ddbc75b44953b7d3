/* From grants to what a sender may write: both kinds of sender of access.md. */
#include "subject_writer.h"

#include "test.h"

static const struct slice any = SLICE_INIT("*");

static struct grant grant(action_set actions, struct slice namespace,
                          struct slice project)
{
    return (struct grant){actions, {.name = {namespace, project, any, any}}};
}

static struct writer *writer_of(const struct grant *grants, uint32_t count,
                                enum stamp stamp)
{
    struct subject subject = {
        .kind = SUBJECT_TOKEN, .stamp = stamp, .grants = {grants, count}};
    struct writer *writer;

    CHECK_EQ(subject_writer(&subject, &writer), OK);
    return writer;
}

static void check_scope(const struct writer *writer, struct slice namespace,
                        struct slice project)
{
    struct writer_scope scope;
    uint32_t at = 0;

    if (CHECK(writer && writer_next_scope(writer, &at, &scope))) {
        CHECK(slice_equal(scope.name[0], namespace));
        CHECK(slice_equal(scope.name[1], project));
        CHECK_EQ(scope.name[2].len + scope.name[3].len, 0);
        CHECK(!writer_next_scope(writer, &at, &scope));
    }
}

TEST(everybody_and_all_of_everything_write_anything)
{
    const action_set write = ACTION_BIT(ACTION_WRITE);
    const struct grant grants[] = {grant(write, SLICE("acme"), any),
                                   grant(write, any, any)};
    struct subject *everyone = subject_everyone();
    struct writer *writer;

    CHECK_EQ(subject_writer(NULL, &writer), OK);
    CHECK(writer == NULL);
    CHECK_EQ(subject_writer(everyone, &writer), OK);
    CHECK(writer == NULL);
    subject_free(everyone);
    CHECK(writer_of(grants, 2, STAMP_CHECK) == NULL);
}

TEST(one_namespace_is_a_tenant)
{
    const action_set write = ACTION_BIT(ACTION_WRITE);
    const struct grant grants[] = {
        grant(write, SLICE("acme"), SLICE("shop")),
        grant(ACTION_BIT(ACTION_LOGS_VIEW), any, any)};
    struct writer *writer = writer_of(grants, 2, STAMP_OVERRIDE);

    CHECK(slice_equal(writer_tenant(writer), SLICE("acme")));
    CHECK(writer && writer->override);
    check_scope(writer, SLICE("acme"), SLICE("shop"));
    writer_free(writer);
}

TEST(several_namespaces_are_a_collector)
{
    const action_set write = ACTION_BIT(ACTION_WRITE);
    const struct grant two[] = {grant(write, SLICE("acme"), any),
                                grant(write, SLICE("other"), any)};
    const struct grant project[] = {grant(write, any, SLICE("shop"))};
    struct writer *writer = writer_of(two, 2, STAMP_CHECK);

    CHECK(writer && writer_tenant(writer).len == 0);
    writer_free(writer);
    writer = writer_of(project, 1, STAMP_CHECK);
    CHECK(writer && writer_tenant(writer).len == 0);
    check_scope(writer, SLICE(""), SLICE("shop"));
    writer_free(writer);
}

/* A name that is missing is not "any". */
TEST(nothing_is_not_everything)
{
    const struct grant empty[] = {
        grant(ACTION_BIT(ACTION_WRITE), SLICE("acme"), SLICE(""))};
    const struct grant views[] = {
        grant(ACTION_BIT(ACTION_LOGS_VIEW), SLICE("acme"), any)};
    struct writer_scope scope;
    uint32_t at = 0;
    struct writer *writer = writer_of(empty, 1, STAMP_CHECK);

    CHECK(writer && !writer_next_scope(writer, &at, &scope));
    writer_free(writer);
    writer = writer_of(views, 1, STAMP_CHECK);
    CHECK(writer && !writer_next_scope(writer, &at, &scope));
    writer_free(writer);
}

TEST(a_namespace_alone)
{
    static char name[WRITER_MAX_NAME + 1];
    struct writer *writer;

    CHECK_EQ(namespace_writer(SLICE("acme"), &writer), OK);
    CHECK(slice_equal(writer_tenant(writer), SLICE("acme")));
    check_scope(writer, SLICE("acme"), SLICE(""));
    writer_free(writer);
    CHECK_EQ(namespace_writer((struct slice){name, sizeof(name)}, &writer),
             ERR_INVALID);
}
