/*
 * The bucket, the table and the limits file, by clocks of their own.
 */
#include "tenants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "tenant_limits.h"
#include "test.h"

enum { T0_S = 1000 };

#define WALL (UINT64_C(1790000000) * NS_PER_S)

static struct tenants *with_limits(const char *yaml)
{
    struct tenants *tenants = tenants_new();
    char error[TENANT_TEXT] = "";

    CHECK_EQ(tenants_set_limits(tenants, slice_of(yaml), error, sizeof(error)),
             OK);
    CHECK_TEXT(slice_of(error), "");
    return tenants;
}

static void check_refused(const char *yaml, const char *why)
{
    struct tenants *tenants =
        with_limits("namespaces: {acme: {recordsPerSecond: 7}}");
    char error[TENANT_TEXT] = "";

    CHECK_EQ(tenants_set_limits(tenants, slice_of(yaml), error, sizeof(error)),
             ERR_INVALID);
    CHECK_TEXT(slice_of(error), why);
    /* what was loaded stays */
    CHECK_EQ(tenants_limit(tenants, SLICE("acme"), LIMIT_RECORDS_PER_SECOND, 0),
             7);
    tenants_free(tenants);
}

/* Sends requests of `records` every `every_ns` from `from_s` for `seconds`, and
 * again as often as it is refused, as SDKs do; how many were admitted. */
static uint64_t send(struct tenant *tenant, uint64_t from_s, uint64_t seconds,
                     uint64_t every_ns, uint64_t records)
{
    uint64_t admitted = 0;

    for (uint64_t at = from_s * NS_PER_S; at < (from_s + seconds) * NS_PER_S;
         at += every_ns) {
        struct tenant_refusal refusal;

        if (tenant_admit(tenant, at, WALL + at, &refusal) == OK) {
            tenant_charge(tenant, records, records * 100, at, WALL + at);
            admitted += records;
        } else {
            CHECK_EQ(refusal.status, ERR_LIMITED);
            CHECK(refusal.retry_after >= 1 && refusal.retry_after <= 5);
        }
    }
    return admitted;
}

static bool within_5_percent(uint64_t got, uint64_t want)
{
    return got >= want - want / 20 && got <= want + want / 20;
}

TEST(the_rate_is_honoured_over_a_minute)
{
    static const struct {
        uint64_t every_ns, records;
    } senders[] = {
        {10 * NS_PER_MS, 100},   {NS_PER_MS, 1},    {NS_PER_MS, 512},
        {250 * NS_PER_MS, 3000}, {NS_PER_S, 20000},
    };

    for (size_t i = 0; i < sizeof(senders) / sizeof(*senders); i++) {
        struct tenants *tenants =
            with_limits("defaults: {recordsPerSecond: 1000}");
        struct tenant *acme = tenants_find(tenants, SLICE("acme"));
        uint64_t ns = senders[i].every_ns, n = senders[i].records;
        uint64_t first = send(acme, T0_S, 20, ns, n); /* with the burst */
        uint64_t sent = 20 * NS_PER_S / ns * n;
        uint64_t most = 20000 + 10000 + n;

        CHECK(first <= most && first >= (sent < 28500 ? sent : 28500) - n);
        if (60 * NS_PER_S / ns * n > 60000) {
            if (!CHECK(within_5_percent(send(acme, T0_S + 20, 600, ns, n),
                                        600000)))
                printf("# sender %zu\n", i);
            if (n <= 3000)
                CHECK(
                    within_5_percent(send(acme, T0_S + 620, 60, ns, n), 60000));
        } else {
            CHECK_EQ(send(acme, T0_S + 20, 60, ns, n), 60 * NS_PER_S / ns * n);
        }
        tenants_free(tenants);
    }
}

TEST(a_spike_that_the_minute_carries_passes)
{
    struct tenants *tenants = with_limits("defaults: {recordsPerSecond: 100}");
    struct tenant *acme = tenants_find(tenants, SLICE("acme"));

    for (uint64_t minute = 0; minute < 10; minute++)
        CHECK_EQ(send(acme, T0_S + 60 * minute, 1, NS_PER_S / 10, 95), 950);
    tenants_free(tenants);
}

TEST(a_refusal_names_namespace_limit_and_value)
{
    struct tenants *tenants = with_limits("defaults: {recordsPerSecond: 10}");
    struct tenant *acme = tenants_find(tenants, SLICE("acme"));
    struct tenant_refusal refusal;
    uint64_t now = T0_S * NS_PER_S;

    CHECK_EQ(tenant_admit(acme, now, WALL, &refusal), OK);
    tenant_charge(acme, 125, 1, now, WALL); /* 100 and a debt of 25 */
    CHECK_EQ(tenant_admit(acme, now, WALL, &refusal), ERR_LIMITED);
    CHECK_EQ(refusal.retry_after, 3);
    CHECK_TEXT(slice_of(refusal.text),
               "namespace acme is over its limit: recordsPerSecond 10; retry "
               "in 3 s");
    CHECK_EQ(tenant_admit(acme, now + 2 * NS_PER_S, WALL, &refusal),
             ERR_LIMITED);
    CHECK_EQ(refusal.retry_after, 1);
    CHECK_EQ(tenant_admit(acme, now + 3 * NS_PER_S, WALL, &refusal), OK);
    tenant_charge(acme, 1000000, 1, now, WALL);
    CHECK_EQ(tenant_admit(acme, now, WALL, &refusal), ERR_LIMITED);
    CHECK_EQ(refusal.retry_after, 5);
    tenants_free(tenants);
}

TEST(bytes_of_a_day_are_counted_until_midnight)
{
    struct tenants *tenants = with_limits("defaults: {bytesPerDay: 1KiB}");
    struct tenant *acme = tenants_find(tenants, SLICE("acme"));
    uint64_t midnight = (WALL / NS_PER_DAY + 1) * NS_PER_DAY;
    struct tenant_refusal refusal;

    CHECK_EQ(tenant_admit(acme, 0, midnight - NS_PER_DAY, &refusal), OK);
    tenant_charge(acme, 1, 1024, 0, midnight - NS_PER_DAY);
    CHECK_EQ(tenant_admit(acme, 0, midnight - NS_PER_DAY, &refusal),
             ERR_LIMITED);
    CHECK_EQ(refusal.retry_after, 3600);
    CHECK_EQ(tenant_admit(acme, 0, midnight - 90 * NS_PER_S - 1, &refusal),
             ERR_LIMITED);
    CHECK_EQ(refusal.retry_after, 91);
    CHECK(strstr(refusal.text, "bytesPerDay 1024"));
    CHECK_EQ(tenant_admit(acme, 0, midnight, &refusal), OK);
    tenants_free(tenants);
}

TEST(no_limit_refuses_nobody)
{
    struct tenants *tenants =
        with_limits("defaults: {recordsPerSecond: 1}\n"
                    "namespaces: {acme: {recordsPerSecond: 0}}");
    struct tenant *acme = tenants_find(tenants, SLICE("acme"));
    struct tenant *several = tenants_find(tenants, SLICE(TENANT_SEVERAL));
    struct tenant *nobody = tenants_find(tenants, SLICE(TENANT_ANONYMOUS));

    CHECK_EQ(send(acme, T0_S, 1, NS_PER_MS, 1000), 1000000);
    /* what is no namespace has no defaults */
    CHECK_EQ(send(several, T0_S, 1, NS_PER_MS, 1000), 1000000);
    CHECK_EQ(send(nobody, T0_S, 1, NS_PER_MS, 1000), 1000000);
    CHECK_EQ(tenant_limit(acme, LIMIT_RECORDS_PER_SECOND, 5), UINT64_MAX);
    CHECK_EQ(tenant_limit(acme, LIMIT_CONNECTIONS, 5), 5);
    CHECK_EQ(tenant_limit(NULL, LIMIT_CONNECTIONS, 5), 5);
    tenants_free(tenants);
}

TEST(new_limits_hold_for_tenants_that_are_known)
{
    struct tenants *tenants = with_limits("");
    struct tenant *acme = tenants_find(tenants, SLICE("acme"));
    char error[TENANT_TEXT];

    CHECK_EQ(tenant_limit(acme, LIMIT_QUERIES, 3), 3);
    CHECK_EQ(tenants_set_limits(tenants,
                                SLICE("defaults:\n  queries: 2\nnamespaces:\n"),
                                error, sizeof(error)),
             OK);
    CHECK_EQ(tenant_limit(acme, LIMIT_QUERIES, 3), 2);
    CHECK_EQ(tenants_limit(tenants, SLICE("new"), LIMIT_QUERIES, 3), 2);
    CHECK_EQ(tenants_limit(NULL, SLICE("new"), LIMIT_QUERIES, 3), 3);
    tenants_free(tenants);
}

TEST(files_that_are_wrong_keep_what_was_loaded)
{
    check_refused("defaults: {recordPerSecond: 1}",
                  "line 1, column 12: no such limit: recordPerSecond");
    check_refused("default: {}",
                  "line 1, column 1: expected defaults or namespaces: default");
    check_refused("defaults: {queries: -1}",
                  "line 1, column 21: not a number: -1");
    check_refused("defaults: {queries: 1k}",
                  "line 1, column 21: not a number: 1k");
    check_refused("defaults: {queryMemory: 1 GB}",
                  "line 1, column 25: not a number of bytes (1000, 64MiB): "
                  "1 GB");
    check_refused("defaults: {queryMemory: 99999999999TiB}",
                  "line 1, column 25: not a number of bytes (1000, 64MiB): "
                  "99999999999TiB");
    check_refused("defaults: {queries: }", "line 1, column 21: not a number");
    check_refused("defaults: {queries: 1, queries: 2}",
                  "line 1, column 24: set twice: queries");
    check_refused("defaults: [1]", "line 1, column 11: expected a mapping");
    check_refused("- 1", "line 1, column 1: expected a mapping");
    check_refused("namespaces:\n  a: {queries: 1}\n  a: {queries: 2}",
                  "line 3, column 3: namespace twice: a");
    check_refused("namespaces: {a: &x {queries: *x}}",
                  "line 1, column 17: not a number");
    check_refused("namespaces: {\"\": {}}",
                  "line 1, column 14: not a namespace");
    check_refused("defaults: {", "line 2, column 1: did not find expected "
                                 "node content");
}

TEST(a_file_is_read_again_when_it_changes)
{
    char path[] = "/tmp/callboard_limits_XXXXXX";
    struct tenants *tenants = tenants_new();
    struct tenant *acme = tenants_find(tenants, SLICE("acme"));
    int fd = mkstemp(path);
    char text[512];
    struct buf out;

    buf_init(&out, 1024);
    CHECK(fd >= 0);
    CHECK(dprintf(fd, "defaults: {queries: 4}\n") > 0);
    CHECK(tenants_read_limits(tenants, path));
    CHECK_EQ(tenant_limit(acme, LIMIT_QUERIES, 1), 4);
    CHECK(!tenants_note(tenants, &out));

    CHECK(dprintf(fd, "nonsense: 1\n") > 0);
    CHECK(!tenants_read_limits(tenants, path));
    CHECK(!tenants_read_limits(tenants, path)); /* unchanged, still wrong */
    CHECK_EQ(tenant_limit(acme, LIMIT_QUERIES, 1), 4);
    CHECK(tenants_note(tenants, &out));
    snprintf(text, sizeof(text), "%.*s", (int)out.len, out.ptr);
    CHECK(strstr(text, "expected defaults or namespaces: nonsense"));

    CHECK_EQ(ftruncate(fd, 0), 0);
    CHECK(pwrite(fd, "defaults: {queries: 5}", 22, 0) == 22);
    CHECK(tenants_read_limits(tenants, path));
    CHECK_EQ(tenant_limit(acme, LIMIT_QUERIES, 1), 5);
    CHECK(!tenants_note(tenants, &out));

    close(fd);
    unlink(path);
    CHECK(!tenants_read_limits(tenants, path));
    CHECK_EQ(tenant_limit(acme, LIMIT_QUERIES, 1), 5);
    CHECK(!tenants_read_limits(tenants, "/"));
    CHECK(tenants_read_limits(tenants, ""));
    buf_release(&out);
    tenants_free(tenants);
}

TEST(the_table_is_bounded)
{
    struct tenants *tenants = tenants_new();
    char name[32];

    for (int i = 0; i < TENANTS_MAX; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        CHECK(tenant_is_namespace(tenants_find(tenants, slice_of(name))));
    }
    struct tenant *other = tenants_find(tenants, SLICE("one-more"));
    CHECK_TEXT(tenant_name(other), TENANT_OTHER);
    CHECK(!tenant_is_namespace(other));
    CHECK(tenants_find(tenants, SLICE("two-more")) == other);
    CHECK_TEXT(tenant_name(tenants_find(tenants, SLICE("n5"))), "n5");
    tenants_free(tenants);
}

TEST(the_tenant_of_a_subject)
{
    struct grant grants[] = {
        {ACTION_BIT(ACTION_WRITE), {.namespace = SLICE_INIT("acme")}},
        {ACTION_BIT(ACTION_LOGS_VIEW), {.namespace = SLICE_INIT("acme")}},
        {ACTION_BIT(ACTION_LOGS_VIEW), {.namespace = SLICE_INIT("beta")}},
    };
    struct subject subject = {.kind = SUBJECT_TOKEN, .grants = {grants, 3}};
    struct tenants *tenants = tenants_new();

    CHECK_TEXT(tenant_name(tenants_of(tenants, &subject, ACTION_WRITE)),
               "acme");
    CHECK_TEXT(tenant_name(tenants_of(tenants, &subject, ACTION_LOGS_VIEW)),
               TENANT_SEVERAL);
    CHECK_TEXT(
        tenant_name(tenants_of(tenants, subject_everyone(), ACTION_WRITE)),
        TENANT_ANONYMOUS);
    tenants_free(tenants);
}

TEST(a_journal_that_is_nearly_full_refuses_who_wrote_most)
{
    struct tenants *tenants = tenants_new();
    struct tenant *a = tenants_find(tenants, SLICE("a"));
    struct tenant *b = tenants_find(tenants, SLICE("b"));
    struct tenant_refusal refusal;

    tenants_set_journal_max(tenants, 1000000);
    for (int i = 0; i < 100; i++)
        tenant_charge(a, 1, 100000, 0, 0);
    CHECK_EQ(tenant_admit_to_journal(a, &refusal), OK); /* alone */
    tenant_charge(b, 1, 1000, 0, 0);
    CHECK_EQ(tenant_admit_to_journal(a, &refusal), ERR_LIMITED);
    CHECK_EQ(refusal.retry_after, 1);
    CHECK(strstr(refusal.text, "namespace a"));
    CHECK_EQ(tenant_admit_to_journal(b, &refusal), OK);
    for (int i = 0; i < 100; i++) /* what was long ago is forgotten */
        tenant_charge(b, 1, 100000, 0, 0);
    CHECK_EQ(tenant_admit_to_journal(a, &refusal), OK);
    tenants_free(tenants);
}

TEST(metrics_name_those_who_use_most)
{
    struct tenants *tenants = tenants_new();
    char name[32];
    struct buf out;

    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        tenant_count(tenants_find(tenants, slice_of(name)), TENANT_ACCEPTED,
                     (uint64_t)i + 1);
    }
    tenant_count(tenants_find(tenants, SLICE("a\"\\\n")), TENANT_ACCEPTED,
                 1000);
    buf_init(&out, 1 << 20);
    tenants_print(tenants, WALL, &out);
    buf_byte(&out, '\0');
    CHECK(strstr(out.ptr, "callboard_tenant_records_total{namespace=\"a\\\"\\\\"
                          "\\n\",outcome=\"accepted\"} 1000\n"));
    CHECK(strstr(out.ptr, "{namespace=\"n299\",outcome=\"accepted\"} 300\n"));
    CHECK(!strstr(out.ptr, "\"n3\""));
    CHECK(strstr(out.ptr, "{namespace=\"{other}\",outcome=\"accepted\"} 5151"));
    CHECK(strstr(out.ptr, "# TYPE callboard_tenant_bytes_today gauge\n"));
    buf_release(&out);
    tenants_free(tenants);
}
