/*
 * The types and the map of a row from ClickHouse. Reading must stay inside the
 * bytes; what was read is written and read again, and is the same text.
 * Input: the types, a newline, the map.
 */
#include <stdlib.h>

#include "ch_attributes.h"

enum { CAP = 1 << 26 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(struct buf *out, const struct attrs *attrs)
{
    struct buf scratch;

    buf_init(&scratch, CAP);
    buf_varint(out, attrs->count);
    for (uint32_t i = 0; i < attrs->count; i++) {
        buf_sized(out, attr_key(&attrs->at[i]));
        buf_sized(out, ch_value_text(&attrs->at[i], &scratch));
    }
    buf_byte(out, '\n');
    ch_attributes_types(out, attrs);
    buf_release(&scratch);
}

static bool read_attrs(struct slice types, struct slice map,
                       struct arena *arena, struct attrs *attrs)
{
    struct byte_reader in = byte_reader_over(map);

    ch_attributes_read(&in, types, arena, attrs);
    return !in.bad;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice map = {(const char *)data, size};
    struct slice types = slice_split(&map, '\n');
    struct buf first, second;
    struct arena arena;
    struct attrs attrs;

    buf_init(&first, CAP);
    buf_init(&second, CAP);
    arena_init(&arena, NULL, CAP);
    if (read_attrs(types, map, &arena, &attrs)) {
        struct slice rest;
        size_t types_at;

        put(&first, &attrs);
        types_at = first.len;
        while (first.ptr[types_at - 1] != '\n')
            types_at--;
        types = slice_from(buf_slice(&first), types_at);
        rest = (struct slice){first.ptr, types_at - 1};
        if (!read_attrs(types, rest, &arena, &attrs) &&
            arena_status(&arena) == OK)
            abort();
        if (arena_status(&arena) == OK) {
            put(&second, &attrs);
            if (!slice_equal(buf_slice(&first), buf_slice(&second)))
                abort();
        }
    }
    arena_release(&arena);
    buf_release(&second);
    buf_release(&first);
    return 0;
}
