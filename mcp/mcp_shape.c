/*
 * A shorter copy of an answer; see mcp_shape.h. In: a JSON object and rules.
 * Out: the copy of the first step that fits.
 *
 * A step is a number: the higher, the fewer items, members and letters. Each
 * step multiplies what is kept by 0.7, first where the rank is lowest. After
 * the last one the largest members go as a whole until the rest fits.
 */
#include "mcp_shape.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "mcp_shape_lines.h"
#include "mcp_shape_notes.h"
#include "slice.h"

enum {
    LAST_STEP = 24,
    STEPS_PER_RANK = 3, /* a rank is spared so many steps */
    MAX_DEPTH = 40,
    MAX_MEMBERS = 100, /* of the answer itself */
    LINES_READ = 5000, /* of a list of log entries, when like ones are joined */
    NAME_LEN = 255,    /* as long as names of components may be */
};

struct shaper {
    const struct shape_plan *shape;
    struct shape_notes notes;
    bool full;
    int step;
    uint64_t now_ns;
    char path[SHAPE_PATH]; /* of the value at hand */
    size_t path_len;
    int depth;
};

/* Appends to the path, at a character; its length before. */
static size_t path_add(struct shaper *s, const char *text)
{
    size_t len = s->path_len;
    struct slice head =
        slice_truncate(slice_of(text), SHAPE_PATH - 1 - s->path_len);

    slice_copy(s->path + len, head);
    s->path_len += head.len;
    s->path[s->path_len] = '\0';
    return len;
}

static void path_cut(struct shaper *s, size_t len)
{
    s->path[len] = '\0';
    s->path_len = len;
}

/* ---- how much is kept ---- */

static size_t shrink(size_t size, int steps)
{
    for (; steps > 0 && size > 0; steps--)
        size = size * 7 / 10;
    return size;
}

static size_t text_room(const struct shaper *s)
{
    size_t room = shrink(s->full ? 2000 : 240, s->step - STEPS_PER_RANK);

    return room > 40 ? room : 40;
}

/* The rule whose path is an end of this path. */
static const struct shape_rule *rule_of(const struct shaper *s)
{
    const struct shape_rule *rule = s->shape->rules;
    struct slice path = {s->path, s->path_len};

    for (; rule && rule->path; rule++) {
        struct slice end = slice_of(rule->path);

        if (slice_ends(path, end) &&
            (path.len == end.len || path.ptr[path.len - end.len - 1] == '.'))
            return rule;
    }
    return NULL;
}

static bool is_main(const struct shaper *s)
{
    return s->shape->main && slice_equal((struct slice){s->path, s->path_len},
                                         slice_of(s->shape->main));
}

/* How long it is spared. A list in a list is a pair, such as a time and a
 * value. */
static int rank_of(const struct shaper *s, const struct shape_rule *rule,
                   bool list)
{
    struct slice path = {s->path, s->path_len};

    if (rule)
        return rule->rank;
    return list && !slice_ends(path, SLICE("[]")) ? 0 : 4;
}

/* Items of a list or members of an object. */
static size_t room_of(const struct shaper *s, const struct shape_rule *rule,
                      bool list)
{
    static const uint16_t usual[2][2] = {{40, 100}, {10, 50}};
    size_t room = usual[list][s->full];
    int spared =
        s->step > LAST_STEP ? 0 : rank_of(s, rule, list) * STEPS_PER_RANK;

    if (rule)
        room = s->full ? rule->full : rule->concise;
    room = shrink(room, s->step - spared);
    if (room == 0 && (is_main(s) || !list) && (!rule || rule->concise > 0))
        room = 1;
    return room;
}

/* ---- values ---- */

static json_t *copy_value(struct shaper *s, json_t *value);

/* Cut off they would be of no use: names are arguments of the next call, and a
 * registry of ours bounds them. */
static bool is_name(const char *key)
{
    static const char *const names[] = {"namespace",   "project", "component",
                                        "environment", "traceId", "spanId",
                                        "templateId",  "pod"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(key, names[i]) == 0)
            return true;
    return false;
}

static const char *key_of(const struct shaper *s)
{
    const char *dot;

    assert(s->path_len < SHAPE_PATH);
    dot = strrchr(s->path, '.');
    return dot ? dot + 1 : s->path;
}

static bool is_whole(const struct shaper *s)
{
    return s->depth <= 1 &&
           (strcmp(s->path, "nextCursor") == 0 || strcmp(s->path, "url") == 0);
}

static json_t *copy_text(struct shaper *s, json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value), max = text_room(s);
    bool shortened = false;
    uint64_t ns;
    json_t *copy = shape_time(text, len, &ns);

    if (copy)
        return copy;
    if (is_whole(s))
        max = len;
    else if (is_name(key_of(s)) && s->step < LAST_STEP)
        max = NAME_LEN;
    copy = shape_text(text, len, max, &shortened);
    s->notes.texts += shortened;
    return copy;
}

static bool is_empty(json_t *value)
{
    return !value || json_is_null(value) ||
           (json_is_string(value) && json_string_length(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

/* ---- lists ---- */

static void copy_lines(struct shaper *s, json_t *list, json_t *copy,
                       size_t room)
{
    struct shape_lines lines;
    size_t size = json_array_size(list), i, joined = 0;

    lines.count = 0;
    for (i = 0; i < size && i < LINES_READ; i++) {
        json_t *item = json_array_get(list, i);
        json_t *made;

        if (shape_lines_join(&lines, item)) {
            joined++;
            continue;
        }
        if (json_array_size(copy) >= room)
            continue;
        made = copy_value(s, item);
        if (made) {
            shape_lines_add(&lines, made);
            json_array_append_new(copy, made);
        }
    }
    shape_note_list(&s->notes, s->path, json_array_size(copy) + joined, size);
}

static void copy_items(struct shaper *s, json_t *list, json_t *copy,
                       size_t room, bool spread)
{
    size_t size = json_array_size(list), kept = size < room ? size : room;

    for (size_t i = 0; i < kept; i++) {
        /* the last point of a chart is always there */
        size_t at = spread && kept > 1 ? i * (size - 1) / (kept - 1) : i;
        json_t *made = copy_value(s, json_array_get(list, at));

        if (made) /* else it is nested too deeply */
            json_array_append_new(copy, made);
    }
    shape_note_list(&s->notes, s->path, json_array_size(copy), size);
}

static json_t *copy_list(struct shaper *s, json_t *list)
{
    const struct shape_rule *rule = rule_of(s);
    size_t room = room_of(s, rule, true), len;
    json_t *copy = json_array();

    if (!copy)
        return NULL;
    if (room == 0) {
        shape_note_list(&s->notes, s->path, 0, json_array_size(list));
        return copy;
    }
    len = path_add(s, "[]");
    if (rule && rule->list == SHAPE_LINES)
        copy_lines(s, list, copy, room);
    else
        copy_items(s, list, copy, room, rule && rule->list == SHAPE_SPREAD);
    path_cut(s, len);
    return copy;
}

/* ---- objects ---- */

/* Of no use to a model that is given names, or of none to anybody later. */
static bool is_left_out(const struct shaper *s, const char *key)
{
    struct slice name = slice_of(key);

    return strcmp(key, "tookMs") == 0 || strcmp(key, "link") == 0 ||
           (!s->full && slice_ends(name, SLICE("Uid")));
}

/* "lastSeenAgo": "3m20s ago". */
static void add_age(const struct shaper *s, json_t *copy, const char *key,
                    json_t *value)
{
    static const char *const names[] = {"lastSeen", "firstSeen", "onset",
                                        "lastSeenAt", "since"};
    char name[24], text[CLOCK_TEXT + 8];
    uint64_t ns;
    size_t len;

    if (s->now_ns == 0 || !json_is_string(value) ||
        !clock_parse_rfc3339(
            (struct slice){json_string_value(value), json_string_length(value)},
            &ns) ||
        ns > s->now_ns)
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (strcmp(key, names[i]) == 0) {
            len = clock_format_age(text, s->now_ns - ns);
            (void)snprintf(text + len, sizeof(text) - len, " ago");
            (void)snprintf(name, sizeof(name), "%.*sAgo",
                           (int)(strcmp(key, "lastSeenAt") ? 16 : 8), key);
            json_object_set_new(copy, name, json_string(text));
        }
}

/* Attributes may have names of any length. */
static void add_member(struct shaper *s, json_t *copy, const char *key,
                       json_t *value)
{
    size_t max = s->step < LAST_STEP ? 120 : 40, len = strlen(key);
    bool shortened = false;
    json_t *name;

    if (len <= max + 32) {
        json_object_set_new_nocheck(copy, key, value);
        return;
    }
    name = shape_text(key, len, max, &shortened);
    if (name)
        json_object_set_new_nocheck(copy, json_string_value(name), value);
    else
        json_decref(value);
    s->notes.texts++;
    json_decref(name);
}

/* False: the member was left out by its rule. */
static bool copy_member(struct shaper *s, json_t *copy, const char *key,
                        json_t *value)
{
    const struct shape_rule *rule;
    size_t len = path_add(s, s->path_len > 0 ? "." : "");
    json_t *made = NULL;
    bool kept;

    path_add(s, key);
    rule = rule_of(s);
    kept = !rule || (s->full ? rule->full : rule->concise) > 0;
    if (kept)
        made = copy_value(s, value);
    else if (!is_empty(value))
        shape_note_member(&s->notes, s->path);
    if (made && (!is_empty(made) || is_main(s))) {
        json_incref(made);
        add_member(s, copy, key, made);
        add_age(s, copy, key, made);
        json_decref(made);
    } else {
        json_decref(made);
    }
    path_cut(s, len);
    return kept;
}

static json_t *copy_object(struct shaper *s, json_t *object)
{
    const struct shape_rule *rule = rule_of(s);
    size_t room = s->depth <= 1 ? MAX_MEMBERS : room_of(s, rule, false);
    size_t kept = 0, wanted = 0;
    json_t *copy = json_object(), *value;
    const char *key;

    if (!copy)
        return NULL;
    json_object_foreach(object, key, value)
    {
        bool main =
            s->depth <= 1 && s->shape->main && strcmp(key, s->shape->main) == 0;

        if (is_left_out(s, key) || (is_empty(value) && !main))
            continue;
        wanted++;
        if (kept < room && copy_member(s, copy, key, value))
            kept++;
        else if (kept < room)
            wanted--; /* said by itself */
    }
    shape_note_list(&s->notes, s->path, kept, wanted);
    return copy;
}

static json_t *copy_value(struct shaper *s, json_t *value)
{
    json_t *copy;

    if (json_is_string(value))
        return copy_text(s, value);
    if (json_is_real(value) ||
        (json_is_integer(value) &&
         slice_ends((struct slice){s->path, s->path_len}, SLICE("Ns"))))
        return shape_number(json_number_value(value)); /* of a second */
    if (!json_is_array(value) && !json_is_object(value))
        return json_incref(value);
    if (s->depth >= MAX_DEPTH) {
        shape_note_member(&s->notes, "what is nested more deeply");
        return NULL;
    }
    s->depth++;
    copy = json_is_array(value) ? copy_list(s, value) : copy_object(s, value);
    s->depth--;
    return copy;
}

/* ---- steps ---- */

static bool fits(const json_t *copy, bool full)
{
    size_t len, quoted;

    shape_measure(copy, &len, &quoted);
    return len <= (full ? SHAPE_FULL : SHAPE_CONCISE) &&
           len + quoted <= SHAPE_WHOLE;
}

/* Drops the member that is largest, but for what a reader cannot do without.
 * False: there is none. */
static bool drop_largest(struct shaper *s, json_t *copy)
{
    static const char *const kept[] = {"window", "leftOut", "truncated",
                                       "returned", "total"};
    const char *key, *largest = NULL;
    json_t *value;
    size_t most = 0, len, quoted;

    json_object_foreach(copy, key, value)
    {
        bool stays = false;

        for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
            stays = stays || strcmp(key, kept[i]) == 0;
        shape_measure(value, &len, &quoted);
        if (!stays && (!largest || len + strlen(key) > most)) {
            largest = key;
            most = len + strlen(key);
        }
    }
    if (!largest)
        return false;
    shape_note_member(&s->notes, largest);
    json_object_del(copy, largest);
    return true;
}

static json_t *make_copy(struct shaper *s, json_t *answer, int step,
                         struct shape_made *made)
{
    json_t *copy;

    s->step = step;
    s->path[0] = '\0';
    s->path_len = 0;
    s->depth = 0;
    shape_notes_init(&s->notes);
    copy = copy_value(s, answer);
    if (copy)
        shape_notes_write(&s->notes, copy, answer, s->shape, made);
    return copy;
}

json_t *shape_answer(json_t *answer, const struct shape_plan *shape, bool full,
                     uint64_t now_ns, struct shape_made *made)
{
    struct shaper s = {.shape = shape, .full = full, .now_ns = now_ns};
    json_t *copy = NULL;

    for (int step = 0; step <= LAST_STEP + 8; step++) {
        json_decref(copy);
        copy = make_copy(&s, answer, step, made);
        if (!copy || fits(copy, full))
            return copy;
    }
    while (!fits(copy, full) && drop_largest(&s, copy))
        shape_notes_write(&s.notes, copy, answer, NULL, made);
    return copy;
}
