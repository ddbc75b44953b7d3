/*
 * Payloads of Grafana targets: any JSON text is read as a payload, as a value
 * and as scoped variables. Texts stay inside their bounds, and names that were
 * read are in the arena.
 */
#include <assert.h>
#include <stdlib.h>

#include "grafana_payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_value(const json_t *value, const json_t *scoped,
                       struct arena *arena)
{
    struct payload_values v;
    size_t bytes = 0;

    payload_values(value, scoped, arena, &v);
    assert(v.count <= PAYLOAD_MAX_VALUES);
    assert(v.also_count <= PAYLOAD_MAX_VALUES);
    assert(v.pattern.len <= PAYLOAD_MAX_TEXT);
    assert(v.all || v.count > 0 || v.pattern.len > 0);
    for (uint32_t i = 0; i < v.count; i++)
        for (size_t k = 0; k < v.texts[i].len; k++)
            bytes += (unsigned char)v.texts[i].ptr[k];
    for (uint32_t i = 0; i < v.also_count; i++)
        bytes += v.also[i].len;
    (void)bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    json_t *target = json_object(), *parsed = payload_parse(text), *value;
    enum payload_state state;
    struct arena arena;
    const char *name;
    json_t *payload;

    arena_init(&arena, NULL, 4 << 20);
    value = json_stringn(text.ptr, text.len); /* NULL: not UTF-8 */
    if (value) {
        read_value(value, NULL, &arena);
        json_object_set_new(target, "payload", value);
        payload = payload_object(target, &state);
        assert(json_is_object(payload));
        assert((state == PAYLOAD_GIVEN) == (json_object_size(payload) > 0));
    }
    json_object_clear(target);
    if (parsed) {
        json_object_set(target, "payload", parsed);
        payload = payload_object(target, &state);
        json_object_foreach(payload, name, value)
            read_value(value, parsed, &arena);
        read_value(parsed, parsed, &arena);
    }
    json_decref(parsed);
    json_decref(target);
    arena_release(&arena);
    return 0;
}
