#include "audit.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_int.h"
#include "clock.h"
#include "test.h"

static char path[32];
static uint8_t address[16] = {0, 0, 0,    0,    0,  0, 0, 0,
                              0, 0, 0xff, 0xff, 10, 1, 2, 3};

static void begin(void)
{
    snprintf(path, sizeof(path), "/tmp/test-audit-XXXXXX");
    close(mkstemp(path));
    unlink(path);
    CHECK_EQ(audit_open(path, false), OK);
}

static void end(void)
{
    audit_close();
    unlink(path);
}

/* The lines as JSON, in an array. */
static json_t *read_lines(void)
{
    /* proto/ has a json_array() of its own. */
    json_t *lines = json_loads("[]", 0, NULL);
    FILE *file = fopen(path, "r");
    char text[16 * 1024];

    while (file && fgets(text, sizeof(text), file)) {
        json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

        CHECK(line != NULL);
        json_array_append_new(lines, line);
    }
    if (file)
        fclose(file);
    return lines;
}

static const char *text_of(json_t *lines, size_t i, const char *name)
{
    const char *text =
        json_string_value(json_object_get(json_array_get(lines, i), name));

    return text ? text : "";
}

static json_int_t count_of(json_t *lines, size_t i)
{
    return json_integer_value(json_object_get(
        json_object_get(json_array_get(lines, i), "metadata"), "count"));
}

static struct audit_event refusal(void)
{
    return (struct audit_event){.category = AUDIT_AUTHORIZATION,
                                .result = AUDIT_UNAUTHENTICATED,
                                .address = address,
                                .reason = "MISSING_TOKEN",
                                .status = 401};
}

TEST(a_line_in_openchoreos_shape)
{
    char long_text[1000];
    struct subject ci = {.kind = SUBJECT_TOKEN,
                         .id = SLICE("k3v9x2ab"),
                         .name = SLICE("ci \"\n\x1b[31m")};
    struct audit_event event = {
        .action = "catalog:update",
        .category = AUDIT_MANAGEMENT,
        .subject = &ci,
        .method = SLICE("PUT"),
        .path = SLICE("/api/v1/catalog"),
        .scope.namespace = SLICE("acme"),
        .address = address,
        .user_agent = {long_text, sizeof(long_text)},
        .status = 200,
    };
    struct stat st;

    memset(long_text, 'x', sizeof(long_text));
    begin();
    audit_write(&event);
    json_t *lines = read_lines();
    CHECK_EQ(json_array_size(lines), 1);
    json_t *line = json_array_get(lines, 0);
    CHECK_TEXT(slice_of(text_of(lines, 0, "action")), "catalog:update");
    CHECK_TEXT(slice_of(text_of(lines, 0, "category")), "management");
    CHECK_TEXT(slice_of(text_of(lines, 0, "result")), "success");
    CHECK_TEXT(slice_of(text_of(lines, 0, "source_ip")), "10.1.2.3");
    CHECK_EQ(strlen(text_of(lines, 0, "event_id")), 36);
    CHECK_EQ(strlen(text_of(lines, 0, "user_agent")), AUDIT_TEXT_MAX);
    CHECK_TEXT(slice_of(json_string_value(
                   json_object_get(json_object_get(line, "actor"), "id"))),
               "k3v9x2ab");
    CHECK_TEXT(slice_of(json_string_value(json_object_get(
                   json_object_get(line, "resource"), "namespace"))),
               "acme");
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    json_decref(lines);
    end();
}

/* One at once; the rest is one line, when the audit is closed here. */
TEST(refusals_are_summed_up)
{
    struct audit_event event = refusal();

    begin();
    for (int i = 0; i < 1000; i++)
        audit_write(&event);
    event.reason = "INVALID_TOKEN";
    audit_write(&event);
    audit_close();
    json_t *lines = read_lines();
    CHECK_EQ(json_array_size(lines), 3);
    CHECK_EQ(count_of(lines, 2), 999);
    CHECK_TEXT(slice_of(text_of(lines, 2, "source_ip")), "10.1.2.3");
    json_decref(lines);
    unlink(path);
}

/* However many sources: one line for each place and one for all others. */
TEST(refusals_of_many_sources_are_bounded)
{
    static struct audit_refusals refusals;
    struct audit_event event = refusal();
    struct audit_refusal one;
    unsigned written = 0, counted = 0, more = 0;

    for (uint32_t i = 0; i < 100000; i++) {
        uint32_t bytes = htonl(i);

        memcpy(address + 12, &bytes, 4);
        written += audit_refusal_add(&refusals, &event, NS_PER_S);
    }
    CHECK_EQ(written, AUDIT_SOURCES);
    CHECK(!audit_refusal_take(&refusals, 2 * NS_PER_S, false, &one));
    while (audit_refusal_take(&refusals, 12 * NS_PER_S, false, &one)) {
        counted++;
        more += (unsigned)one.more;
    }
    CHECK_EQ(counted, 1);
    CHECK_EQ(more, 100000 - AUDIT_SOURCES);
    /* All places are free again. */
    CHECK(audit_refusal_add(&refusals, &event, 13 * NS_PER_S));
}

TEST(refusals_go_on_by_windows)
{
    static struct audit_refusals refusals;
    struct audit_event event = refusal();
    struct audit_refusal one;

    CHECK(audit_refusal_add(&refusals, &event, NS_PER_S));
    CHECK(!audit_refusal_add(&refusals, &event, 5 * NS_PER_S));
    CHECK(audit_refusal_take(&refusals, 11 * NS_PER_S, false, &one));
    CHECK_EQ(one.more, 1);
    CHECK(!audit_refusal_add(&refusals, &event, 12 * NS_PER_S));
    CHECK(!audit_refusal_take(&refusals, 20 * NS_PER_S, false, &one));
    CHECK(audit_refusal_take(&refusals, 21 * NS_PER_S, false, &one));
    CHECK(!audit_refusal_take(&refusals, 40 * NS_PER_S, false, &one));
    CHECK(audit_refusal_add(&refusals, &event, 41 * NS_PER_S));
}

TEST(reopened_after_it_was_renamed)
{
    struct audit_event event = {.action = "catalog:update"};
    char old[64];

    begin();
    audit_write(&event);
    snprintf(old, sizeof(old), "%s.1", path);
    CHECK_EQ(rename(path, old), 0);
    audit_write(&event); /* still to the old one */
    audit_tick(true);
    audit_write(&event);
    json_t *lines = read_lines();
    CHECK_EQ(json_array_size(lines), 1);
    json_decref(lines);
    unlink(old);
    end();
}

/* /dev/full: every write fails, as on a full disk. */
TEST(a_full_disk)
{
    struct audit_event event = {.action = "catalog:update"};
    struct buf note;

    buf_init(&note, 1000);
    CHECK(audit_is_ready());
    CHECK_EQ(audit_open("/dev/full", false), OK);
    CHECK(audit_is_ready() && !audit_note(&note));
    audit_write(&event);
    CHECK(!audit_is_ready() && audit_note(&note));
    audit_tick(false);
    CHECK(!audit_is_ready());
    audit_close();
    CHECK(audit_is_ready());
    CHECK_EQ(audit_open("/no/such/folder/audit", false), ERR_IO);
    CHECK(!audit_is_on());
    buf_release(&note);
}
