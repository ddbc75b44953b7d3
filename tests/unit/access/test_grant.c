#include "access.h"

#include "test.h"

static union scope_names names(const char *ns, const char *project,
                               const char *component, const char *environment)
{
    union scope_names scope = {{slice_of(ns), slice_of(project),
                                slice_of(component), slice_of(environment)}};

    return scope;
}

TEST(a_grant_covers_what_it_names_and_no_more)
{
    struct grant grant = {ACTION_BIT(ACTION_LOGS_VIEW),
                          names("acme", "shop", "*", "*")};
    struct grants grants = {&grant, 1};
    union scope_names inside = names("acme", "shop", "cart", "");
    union scope_names equal = names("acme", "shop", "", "");
    union scope_names wider = names("acme", "", "", "");
    union scope_names other = names("acme", "shopping", "cart", "");
    union scope_names nothing = names("", "", "", "");

    CHECK(grants_cover(grants, ACTION_LOGS_VIEW, &inside));
    CHECK(grants_cover(grants, ACTION_LOGS_VIEW, &equal));
    CHECK(!grants_cover(grants, ACTION_LOGS_VIEW, &wider));
    CHECK(!grants_cover(grants, ACTION_LOGS_VIEW, &other));
    CHECK(!grants_cover(grants, ACTION_LOGS_VIEW, &nothing));
    CHECK(!grants_cover(grants, ACTION_TRACES_VIEW, &inside));
    CHECK(grants_have(grants, ACTION_LOGS_VIEW));
    CHECK(!grants_have(grants, ACTION_WRITE));
}

TEST(a_name_that_is_a_star_is_no_wildcard)
{
    struct grant grant = {ACTION_BIT(ACTION_LOGS_VIEW),
                          names("acme", "*", "*", "*")};
    union scope_names star = names("*", "*", "*", "*");

    CHECK(!grants_cover((struct grants){&grant, 1}, ACTION_LOGS_VIEW, &star));
}

TEST(an_identity_without_a_component)
{
    struct grant one = {ACTION_BIT(ACTION_LOGS_VIEW),
                        names("acme", "shop", "cart", "*")};
    struct grant all = {ACTION_BIT(ACTION_LOGS_VIEW),
                        names("acme", "*", "*", "*")};
    struct identity unassigned = {.namespace = SLICE("acme")};

    CHECK(!grants_cover_identity((struct grants){&one, 1}, ACTION_LOGS_VIEW,
                                 &unassigned));
    CHECK(grants_cover_identity((struct grants){&all, 1}, ACTION_LOGS_VIEW,
                                &unassigned));
}

TEST(roles_that_read_do_not_write)
{
    action_set all = actions_named(SLICE("admin"));

    CHECK_EQ(actions_named(SLICE("ingest")), ACTION_BIT(ACTION_WRITE));
    CHECK(!(actions_named(SLICE("viewer")) & ACTION_BIT(ACTION_WRITE)));
    CHECK(!(actions_named(SLICE("viewer")) & ACTION_BIT(ACTION_SYSTEM_VIEW)));
    for (int a = ACTION_NONE + 1; a < ACTION_COUNT; a++) {
        CHECK(all & ACTION_BIT(a));
        CHECK_EQ(actions_named(slice_of(action_text((enum action)a))),
                 ACTION_BIT(a));
    }
    CHECK_EQ(actions_named(SLICE("")), 0);
    CHECK_EQ(actions_named(SLICE("Viewer")), 0);
}

TEST(actions_that_are_none_of_the_table_are_never_allowed)
{
    struct grant all = {~(action_set)0, names("*", "*", "*", "*")};
    struct grants grants = {&all, 1};
    union scope_names scope = names("acme", "", "", "");

    CHECK(!grants_cover(grants, ACTION_NONE, &scope));
    CHECK(!grants_have(grants, ACTION_NONE));
    CHECK(!grants_cover(grants, ACTION_COUNT, &scope));
    CHECK_EQ(action_text(ACTION_NONE)[0], 0);
}

TEST(the_namespace_of_a_sender)
{
    struct grant two[] = {
        {ACTION_BIT(ACTION_WRITE), names("acme", "*", "*", "*")},
        {ACTION_BIT(ACTION_LOGS_VIEW), names("evil", "*", "*", "*")},
        {ACTION_BIT(ACTION_WRITE), names("beta", "*", "*", "*")}};

    CHECK(slice_equal(grants_namespace((struct grants){two, 2}, ACTION_WRITE),
                      SLICE("acme")));
    CHECK_EQ(grants_namespace((struct grants){two, 3}, ACTION_WRITE).len, 0);
    CHECK_EQ(grants_namespace((struct grants){two, 0}, ACTION_WRITE).len, 0);
}

TEST(everyone_may_do_all)
{
    struct subject *subject = subject_everyone();
    union scope_names nothing = {{SLICE(""), SLICE(""), SLICE(""), SLICE("")}};

    for (int a = ACTION_NONE + 1; a < ACTION_COUNT; a++)
        CHECK(grants_cover(subject->grants, (enum action)a, &nothing));
    CHECK_EQ(grants_namespace(subject->grants, ACTION_WRITE).len, 0);
    subject_free(subject);
    CHECK(subject_everyone() == subject);
    subject_free(subject);
}

TEST(a_list_of_what_overlaps)
{
    struct grant grant = {ACTION_BIT(ACTION_LOGS_VIEW),
                          names("acme", "shop", "*", "*")};
    struct grants grants = {&grant, 1};
    union scope_names wider = names("acme", "", "", "");
    union scope_names other = names("acme", "bank", "", "");
    union scope_names nothing = names("", "", "", "");

    CHECK(grants_overlap(grants, ACTION_LOGS_VIEW, &wider));
    CHECK(grants_overlap(grants, ACTION_LOGS_VIEW, &nothing));
    CHECK(!grants_overlap(grants, ACTION_LOGS_VIEW, &other));
    CHECK(!grants_overlap(grants, ACTION_WRITE, &nothing));
    CHECK(viewer_sees_all(&viewer_all));
    CHECK(!viewer_sees_all(NULL));
}
