/*
 * Frames as JSON: equal lengths whatever is set, nulls, NaN and infinities,
 * times in milliseconds, config, labels, links and notices.
 */
#include <jansson.h>
#include <math.h>

#include "grafana_frame.h"
#include "test.h"

struct written {
    struct arena arena;
    struct frames frames;
    struct buf out;
    json_t *json;
};

static void begin(struct written *w)
{
    arena_init(&w->arena, NULL, 1 << 20);
    frames_init(&w->frames, &w->arena);
    buf_init(&w->out, 1 << 20);
}

/* The first frame. */
static const json_t *write(struct written *w)
{
    struct jsonw writer;

    jsonw_init(&writer, &w->out);
    frames_write(&w->frames, &writer);
    w->json = json_loadb(w->out.ptr, w->out.len, 0, NULL);
    CHECK(json_is_array(w->json));
    return json_array_get(w->json, 0);
}

static void end(struct written *w)
{
    json_decref(w->json);
    buf_release(&w->out);
    arena_release(&w->arena);
}

static const json_t *values_of(const json_t *frame, size_t field)
{
    return json_array_get(
        json_object_get(json_object_get(frame, "data"), "values"), field);
}

static const json_t *field_of(const json_t *frame, size_t field)
{
    return json_array_get(
        json_object_get(json_object_get(frame, "schema"), "fields"), field);
}

TEST(fields_are_equally_long)
{
    struct written w;
    const json_t *json;

    begin(&w);
    struct grafana_frame *frame = frames_add(&w.frames, SLICE("A"), SLICE("f"));
    struct grafana_field *time = frame_field(frame, "time", FIELD_TIME);
    struct grafana_field *number = frame_field(frame, "n", FIELD_NUMBER);
    struct grafana_field *text = frame_field(frame, "t", FIELD_STRING);
    (void)frame_field(frame, "b", FIELD_BOOL);
    for (int i = 0; i < 100; i++) {
        frame_row(frame);
        if (i % 2 == 0)
            field_time(time, (uint64_t)(i + 1) * 1000000);
        if (i == 3)
            field_number(number, 1.5);
        if (i == 99)
            field_text(text, SLICE("last"));
    }
    struct grafana_field *late = frame_field(frame, "late", FIELD_OTHER);
    field_json(late, SLICE("{\"a\":[1]}"));
    field_number_at(number, 100, 7); /* there is no such row */
    json = write(&w);
    for (size_t f = 0; f < 5; f++)
        CHECK_EQ(json_array_size(values_of(json, f)), 100);
    CHECK_EQ(json_integer_value(json_array_get(values_of(json, 0), 2)), 3);
    CHECK(json_is_null(json_array_get(values_of(json, 0), 1)));
    CHECK(json_real_value(json_array_get(values_of(json, 1), 3)) == 1.5);
    CHECK(json_is_null(json_array_get(values_of(json, 1), 0)));
    CHECK(json_is_null(json_array_get(values_of(json, 3), 50)));
    CHECK(json_is_object(json_array_get(values_of(json, 4), 99)));
    end(&w);
}

TEST(entities)
{
    struct written w;
    const json_t *json, *entities, *one;

    begin(&w);
    struct grafana_frame *frame = frames_add(&w.frames, SLICE("A"), SLICE("f"));
    struct grafana_field *plain = frame_field(frame, "p", FIELD_NUMBER);
    struct grafana_field *odd = frame_field(frame, "o", FIELD_NUMBER);
    frame_rows(frame, 5);
    field_number_at(plain, 0, NAN); /* a gap */
    field_number_at(odd, 1, INFINITY);
    field_number_at(odd, 2, -INFINITY);
    field_exact_at(odd, 3, NAN);
    field_number_at(odd, 4, 1);
    json = write(&w);
    entities = json_object_get(json_object_get(json, "data"), "entities");
    CHECK_EQ(json_array_size(entities), 2);
    CHECK(json_is_null(json_array_get(entities, 0)));
    one = json_array_get(entities, 1);
    CHECK_EQ(json_integer_value(json_array_get(json_object_get(one, "Inf"), 0)),
             1);
    CHECK_EQ(
        json_integer_value(json_array_get(json_object_get(one, "NegInf"), 0)),
        2);
    CHECK_EQ(json_integer_value(json_array_get(json_object_get(one, "NaN"), 0)),
             3);
    for (size_t i = 0; i < 4; i++)
        CHECK(json_is_null(json_array_get(values_of(json, 1), i)));
    end(&w);
}

TEST(config_and_meta)
{
    struct written w;
    const json_t *json, *config, *meta, *schema;

    begin(&w);
    struct grafana_frame *frame =
        frames_add(&w.frames, SLICE("B"), SLICE("n\"ame"));
    struct grafana_field *f = frame_field(frame, "v", FIELD_NUMBER);
    f->unit = "s";
    f->display_name = SLICE("cart p95");
    f->color = "red";
    f->custom = SLICE("{\"width\":80}");
    f->raw = SLICE("\"min\":0,\"max\":1");
    field_label(f, "component", SLICE("cart"));
    field_label(f, "a\"b\\", SLICE("any key"));
    field_link(f, "Show", SLICE("/d/x"), true);
    frame->type = "timeseries-wide";
    frame->visual = "graph";
    frame_notice(frame, NOTICE_WARNING, "%d left out", 3);
    frame_notice(frame, NOTICE_ERROR, "no");
    json = write(&w);
    schema = json_object_get(json, "schema");
    CHECK_TEXT(slice_of(json_string_value(json_object_get(schema, "refId"))),
               "B");
    CHECK_TEXT(slice_of(json_string_value(json_object_get(schema, "name"))),
               "n\"ame");
    config = json_object_get(field_of(json, 0), "config");
    CHECK_TEXT(slice_of(json_string_value(json_object_get(config, "unit"))),
               "s");
    CHECK_TEXT(slice_of(json_string_value(
                   json_object_get(config, "displayNameFromDS"))),
               "cart p95");
    CHECK_EQ(json_integer_value(json_object_get(config, "max")), 1);
    CHECK(json_is_object(json_object_get(config, "custom")));
    CHECK_EQ(json_array_size(json_object_get(config, "links")), 1);
    CHECK(json_object_get(json_object_get(field_of(json, 0), "labels"),
                          "component") != NULL);
    CHECK(json_object_get(json_object_get(field_of(json, 0), "labels"),
                          "a\"b\\") != NULL);
    meta = json_object_get(schema, "meta");
    CHECK_EQ(json_array_size(json_object_get(meta, "notices")), 2);
    CHECK_EQ(json_array_size(json_object_get(meta, "typeVersion")), 2);
    end(&w);
}

TEST(nothing_fails_when_the_arena_is_full)
{
    struct arena small;
    struct frames frames;

    arena_init(&small, NULL, 1024);
    while (arena_alloc(&small, 64))
        ;
    frames_init(&frames, &small);
    struct grafana_frame *frame = frames_add(&frames, SLICE("A"), SLICE("f"));
    struct grafana_field *field = frame_field(frame, "v", FIELD_NUMBER);
    CHECK(!frame && !field);
    frame_row(frame);
    frame_notice(frame, NOTICE_INFO, "none");
    field_number(field, 1);
    field_label(field, "a", SLICE("b"));
    CHECK(arena_status(&small) != OK);
    arena_release(&small);
}
