/*
 * Both directions walk the tree of a value. Depth is bounded while reading,
 * because the stack is ours and the bytes may be damaged; a count is compared
 * to the bytes that are left before memory for it is taken.
 */
#include "attr_codec.h"

/* An attribute takes at least its key length and its type. */
enum { ATTR_MIN_BYTES = 2 };

void slice_write(struct buf *out, struct slice s)
{
    buf_varint(out, s.len);
    buf_add(out, s);
}

static void attr_write(struct buf *out, const struct attr *attr);

static void items_write(struct buf *out, const struct attr *items,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        attr_write(out, &items[i]);
}

static void attr_write(struct buf *out, const struct attr *attr)
{
    uint64_t bits;

    slice_write(out, attr_key(attr));
    buf_byte(out, (char)attr->type);
    switch ((enum value_type)attr->type) {
    case VALUE_EMPTY:
        break;
    case VALUE_STRING:
    case VALUE_BYTES:
        slice_write(out, (struct slice){attr->str, attr->len});
        break;
    case VALUE_BOOL:
        buf_byte(out, attr->b);
        break;
    case VALUE_INT:
        buf_varint(out, zigzag(attr->i));
        break;
    case VALUE_DOUBLE:
        memcpy(&bits, &attr->d, sizeof(bits));
        buf_fixed(out, bits, 8);
        break;
    case VALUE_ARRAY:
    case VALUE_MAP:
        buf_varint(out, attr->len);
        items_write(out, attr->items, attr->len);
        break;
    }
}

void attrs_write(struct buf *out, const struct attrs *attrs)
{
    buf_varint(out, attrs->count);
    buf_varint(out, attrs->dropped);
    items_write(out, attrs->at, attrs->count);
}

static void value_read(struct byte_reader *in, struct arena *arena,
                       struct attr *attr, int depth);

/* count attributes into the arena, or NULL. */
static const struct attr *items_read(struct byte_reader *in,
                                     struct arena *arena, uint64_t count,
                                     int depth)
{
    struct attr *items = NULL;

    if (count == 0)
        return NULL;
    if (depth <= ATTR_MAX_DEPTH &&
        count <= byte_reader_left(in) / ATTR_MIN_BYTES)
        items = arena_zero(arena, (size_t)count, sizeof(*items));
    if (!items) {
        byte_reader_fail(in);
        return NULL;
    }
    for (uint64_t i = 0; i < count && !in->bad; i++) {
        struct slice key = byte_reader_slice(in);

        if (key.len > UINT16_MAX)
            byte_reader_fail(in);
        items[i].key = key.ptr;
        items[i].key_len = (uint16_t)key.len;
        value_read(in, arena, &items[i], depth);
    }
    return in->bad ? NULL : items;
}

static void value_read(struct byte_reader *in, struct arena *arena,
                       struct attr *attr, int depth)
{
    struct slice text;
    uint64_t bits;

    attr->type = byte_reader_u8(in);
    switch (attr->type) {
    case VALUE_EMPTY:
        break;
    case VALUE_STRING:
    case VALUE_BYTES:
        text = byte_reader_slice(in);
        attr->str = text.ptr;
        attr->len = (uint32_t)text.len;
        break;
    case VALUE_BOOL:
        attr->b = byte_reader_u8(in) != 0;
        break;
    case VALUE_INT:
        attr->i = unzigzag(byte_reader_varint(in));
        break;
    case VALUE_DOUBLE:
        bits = byte_reader_fixed(in, sizeof(bits));
        memcpy(&attr->d, &bits, sizeof(bits));
        break;
    case VALUE_ARRAY:
    case VALUE_MAP:
        bits = byte_reader_varint(in);
        attr->items = items_read(in, arena, bits, depth + 1);
        attr->len = in->bad ? 0 : (uint32_t)bits;
        break;
    default:
        byte_reader_fail(in);
    }
    if (in->bad)
        *attr = (struct attr){0};
}

void attrs_read(struct byte_reader *in, struct arena *arena,
                struct attrs *attrs)
{
    uint64_t count = byte_reader_varint(in);
    uint64_t dropped = byte_reader_varint(in);

    attrs->at = items_read(in, arena, count, 0);
    attrs->count = in->bad ? 0 : (uint32_t)count;
    attrs->dropped = (uint32_t)dropped;
}
