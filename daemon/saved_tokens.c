/*
 * See saved_tokens.h. `known` has the entries as they were loaded or saved
 * last, by the id of their token. A deleted entry is never saved again, so who
 * does not know yet that a token was revoked does not bring it back.
 */
#include "saved_tokens.h"

#include <jansson.h>
#include <stdlib.h>

#include "array.h"
#include "buf.h"
#include "mem.h"

static const char value_name[] = "access.tokens";
static const char kind[] = "token";

struct saved_tokens {
    struct metadata *metadata;
    json_t *known; /* id: the text of an entry */
};

struct saved_tokens *saved_tokens_new(struct metadata *metadata)
{
    struct saved_tokens *saved = mem_zero(1, sizeof(*saved));

    saved->metadata = metadata;
    saved->known = json_object();
    return saved;
}

void saved_tokens_free(struct saved_tokens *saved)
{
    if (!saved)
        return;
    json_decref(saved->known);
    free(saved);
}

/* ---- loading ---- */

struct token_entries {
    json_t *known;
    struct buf document;
};

static void take_entry(void *arg, struct slice name, struct slice value)
{
    struct token_entries *entries = arg;

    json_object_setn_new(entries->known, name.ptr, name.len,
                         json_stringn(value.ptr, value.len));
    buf_byte(&entries->document, entries->document.len > 0 ? ',' : '[');
    buf_add(&entries->document, value);
}

static enum status load_entries(struct saved_tokens *saved, struct arena *arena,
                                struct slice *document)
{
    struct token_entries entries = {.known = json_object()};
    enum status status;

    buf_init(&entries.document, SAVED_TOKENS_MAX);
    status = metadata_load_entries(saved->metadata, kind, take_entry, &entries);
    if (entries.document.len > 0)
        buf_byte(&entries.document, ']');
    if (status == OK)
        status = entries.document.status;
    if (status == OK) {
        *document = arena_copy(arena, buf_slice(&entries.document));
        status = arena_status(arena);
    }
    if (status == OK) {
        json_decref(saved->known);
        saved->known = json_incref(entries.known);
    }
    json_decref(entries.known);
    buf_release(&entries.document);
    return status;
}

enum status saved_tokens_load(void *arg, struct arena *arena,
                              struct slice *document)
{
    struct saved_tokens *saved = arg;

    return metadata_has_entries(saved->metadata)
               ? load_entries(saved, arena, document)
               : metadata_load_value(saved->metadata, value_name, arena,
                                     document);
}

/* ---- saving ---- */

struct token_changes {
    struct metadata_entry *at;
    uint32_t count, room;
};

static struct slice text_of(const json_t *text)
{
    return (struct slice){json_string_value(text), json_string_length(text)};
}

static void add_change(struct token_changes *changes, const char *id,
                       const json_t *text)
{
    struct metadata_entry *to =
        array_append(&changes->at, changes->count++, &changes->room);

    *to = (struct metadata_entry){
        .name = slice_of(id), .value = text_of(text), .deleted = text == NULL};
}

/* id: the text of an entry, of a list of tokens. */
static json_t *entries_of(struct slice document)
{
    json_t *list = json_loadb(document.ptr, document.len, 0, NULL);
    json_t *entries = json_object(), *token;
    size_t i;

    json_array_foreach(list, i, token)
    {
        char *text = json_dumps(token, JSON_COMPACT | JSON_SORT_KEYS);
        const json_t *id = json_object_get(token, "id");

        if (!id)
            id = json_object_get(token, "sha256");
        if (text && json_is_string(id))
            json_object_set_new(entries, json_string_value(id),
                                json_string(text));
        free(text);
    }
    json_decref(list);
    return entries;
}

static enum status save_entries(struct saved_tokens *saved,
                                struct slice document)
{
    json_t *entries = entries_of(document), *text;
    struct token_changes changes = {.count = 0};
    const char *id;
    enum status status;

    json_object_foreach(
        entries, id,
        text) if (!json_equal(json_object_get(saved->known, id), text))
        add_change(&changes, id, text);
    json_object_foreach(saved->known, id,
                        text) if (!json_object_get(entries, id))
        add_change(&changes, id, NULL);
    status =
        metadata_save_entries(saved->metadata, kind, changes.at, changes.count);
    if (status == OK) {
        json_decref(saved->known);
        saved->known = json_incref(entries);
    }
    json_decref(entries);
    free(changes.at);
    return status;
}

enum status saved_tokens_save(void *arg, struct slice document)
{
    struct saved_tokens *saved = arg;

    if (metadata_has_entries(saved->metadata))
        return save_entries(saved, document);
    metadata_save_value(saved->metadata, value_name, document);
    return metadata_sync(saved->metadata);
}
