/* What a copy leaves out; see mcp_shape_notes.h. */
#include "mcp_shape_notes.h"

#include <stdio.h>
#include <string.h>

#include "slice.h"

void shape_notes_init(struct shape_notes *notes)
{
    notes->count = notes->others = notes->texts = 0;
}

static struct shape_note *note_at(struct shape_notes *notes, const char *path)
{
    struct slice name = slice_truncate(slice_of(path), SHAPE_PATH - 1);
    struct shape_note *note;

    if (slice_ends(name, SLICE("[]")))
        name.len -= 2;
    for (uint32_t i = 0; i < notes->count; i++)
        if (slice_equal(slice_of(notes->at[i].path), name))
            return &notes->at[i];
    if (notes->count == SHAPE_NOTES) {
        notes->others++;
        return NULL;
    }
    note = &notes->at[notes->count++];
    *note = (struct shape_note){.kept = 0};
    slice_copy(note->path, name);
    return note;
}

void shape_note_list(struct shape_notes *notes, const char *path, size_t kept,
                     size_t total)
{
    struct shape_note *note = kept < total ? note_at(notes, path) : NULL;

    if (note) {
        note->kept += kept;
        note->total += total;
    }
}

void shape_note_member(struct shape_notes *notes, const char *path)
{
    (void)note_at(notes, path);
}

static void add_text(json_t *list, const struct shape_note *note)
{
    char text[SHAPE_PATH + 64];

    if (note->total > 0)
        (void)snprintf(text, sizeof(text), "%s: %llu of %llu", note->path,
                       (unsigned long long)note->kept,
                       (unsigned long long)note->total);
    else
        (void)snprintf(text, sizeof(text), "%s: left out", note->path);
    json_array_append_new(list, json_string(text));
}

static bool is_of_items(const struct shape_note *note)
{
    return note->total == 0 && strchr(note->path, ']');
}

/* Members that items lack, in one text; how many have no room there. */
static uint32_t add_members(json_t *list, const struct shape_notes *notes)
{
    char text[512] = "";
    size_t len = 0;
    uint32_t others = 0;

    for (uint32_t i = 0; i < notes->count; i++) {
        if (!is_of_items(&notes->at[i]))
            continue;
        if (len + SHAPE_PATH + 40 < sizeof(text))
            len += (size_t)snprintf(
                text + len, sizeof(text) - len, "%s%s",
                len ? ", " : "members of items: ", notes->at[i].path);
        else
            others++;
    }
    if (len > 0)
        json_array_append_new(list, json_string(text));
    return others;
}

static void add_count(json_t *list, const char *what, uint32_t count)
{
    char text[64];

    if (count == 0)
        return;
    (void)snprintf(text, sizeof(text), "%s: %u", what, count);
    json_array_append_new(list, json_string(text));
}

static json_t *omitted(const struct shape_notes *notes)
{
    json_t *list = json_array();
    uint32_t others;

    for (uint32_t i = 0; i < notes->count; i++)
        if (!is_of_items(&notes->at[i]))
            add_text(list, &notes->at[i]);
    others = add_members(list, notes) + notes->others;
    add_count(list, "other members", others);
    add_count(list, "texts shortened", notes->texts);
    return list;
}

static json_int_t all_there_are(const json_t *answer,
                                const struct shape_plan *plan,
                                const json_t *whole)
{
    const json_t *summary = json_object_get(answer, "summary"), *said = NULL;

    if (plan && plan->total)
        said = json_object_get(summary, plan->total);
    return said ? (json_int_t)json_number_value(said)
                : (json_int_t)json_array_size(whole);
}

void shape_notes_write(const struct shape_notes *notes, json_t *copy,
                       const json_t *answer, const struct shape_plan *plan,
                       struct shape_made *made)
{
    const char *main = plan ? plan->main : NULL;
    const json_t *whole = main ? json_object_get(answer, main) : NULL;
    const json_t *kept = main ? json_object_get(copy, main) : NULL;
    json_t *list = omitted(notes);
    json_int_t total = all_there_are(answer, plan, whole);

    made->returned = (uint32_t)json_array_size(kept);
    made->main_cut = json_array_size(kept) < json_array_size(whole);
    made->truncated = json_array_size(list) > 0 ||
                      (main && plan->total && total > made->returned) ||
                      json_is_true(json_object_get(answer, "truncated"));
    if (main)
        json_object_set_new(copy, "returned", json_integer(made->returned));
    if (main && !json_object_get(answer, "total"))
        json_object_set_new(copy, "total", json_integer(total));
    json_object_set_new(copy, "truncated", json_boolean(made->truncated));
    if (json_array_size(list) > 0)
        json_object_set(copy, "leftOut", list);
    json_decref(list);
}
