/*
 * Both directions walk the tree of a value. The depth is limited, because it is
 * recursion and the bytes may be damaged; a count is compared with the bytes
 * left before memory is allocated for it.
 */
#include "attr_codec.h"

/* Decoding of OTLP stops at ATTR_MAX_DEPTH; this limits the recursion here. */
enum { MAX_DEPTH = 32 };

/* ---- writing ---- */

static void write_value(struct buf *out, const struct attr *value,
                        enum attr_form form, int depth);

static void write_items(struct buf *out, const struct attr *items,
                        uint32_t count, bool keys, enum attr_form form,
                        int depth)
{
    for (uint32_t i = 0; i < count; i++) {
        if (keys)
            buf_sized(out, attr_key(&items[i]));
        write_value(out, &items[i], form, depth);
    }
}

static void write_value(struct buf *out, const struct attr *value,
                        enum attr_form form, int depth)
{
    uint8_t type = depth > MAX_DEPTH ? VALUE_EMPTY : value->type;
    uint64_t bits;

    buf_byte(out, (char)type);
    switch (type) {
    case VALUE_STRING:
    case VALUE_BYTES:
        buf_sized(out, (struct slice){value->str, value->len});
        break;
    case VALUE_BOOL:
        buf_byte(out, value->b ? 1 : 0);
        break;
    case VALUE_INT:
        buf_varint(out, zigzag(value->i));
        break;
    case VALUE_DOUBLE:
        memcpy(&bits, &value->d, sizeof(bits));
        buf_fixed(out, bits, sizeof(bits));
        break;
    case VALUE_ARRAY:
    case VALUE_MAP:
        buf_varint(out, value->len);
        write_items(out, value->items, value->len,
                    type == VALUE_MAP || form == ATTR_FORM_CHUNK, form,
                    depth + 1);
        break;
    default:
        break;
    }
}

void attr_value_write(struct buf *out, const struct attr *value,
                      enum attr_form form)
{
    write_value(out, value, form, 0);
}

void attrs_write(struct buf *out, const struct attrs *attrs,
                 enum attr_form form)
{
    bool chunk = form == ATTR_FORM_CHUNK;

    buf_varint(out, chunk ? attrs->count : attrs->dropped);
    buf_varint(out, chunk ? attrs->dropped : attrs->count);
    write_items(out, attrs->at, attrs->count, true, form, 0);
}

void scope_write(struct buf *out, const struct scope *scope,
                 enum attr_form form)
{
    buf_sized(out, scope->name);
    buf_sized(out, scope->version);
    buf_sized(out, scope->schema_url);
    attrs_write(out, &scope->attrs, form);
}

/* ---- reading ---- */

struct attr_reader {
    struct byte_reader *in;
    struct arena *arena;
    enum attr_form form;
};

static void read_value(const struct attr_reader *r, struct attr *value,
                       int depth);

/* Sets *kept to count, or to 0 after an error. */
static const struct attr *read_items(const struct attr_reader *r,
                                     uint64_t count, bool keys, int depth,
                                     uint32_t *kept)
{
    struct attr *items = NULL;

    *kept = 0;
    if (count == 0)
        return NULL;
    if (depth <= MAX_DEPTH && count <= byte_reader_left(r->in))
        items = arena_zero(r->arena, (size_t)count, sizeof(*items));
    if (!items)
        byte_reader_fail(r->in);
    for (uint64_t i = 0; i < count && !r->in->bad; i++) {
        struct slice key = keys ? byte_reader_slice(r->in) : SLICE("");

        if (key.len > UINT16_MAX)
            byte_reader_fail(r->in);
        items[i].key = key.ptr;
        items[i].key_len = (uint16_t)key.len;
        read_value(r, &items[i], depth);
    }
    if (r->in->bad)
        return NULL;
    *kept = (uint32_t)count;
    return items;
}

static void read_text(struct byte_reader *in, struct attr *value)
{
    struct slice text = byte_reader_slice(in);

    if (text.len > UINT32_MAX)
        byte_reader_fail(in);
    value->str = text.ptr;
    value->len = (uint32_t)text.len;
}

static void read_value(const struct attr_reader *r, struct attr *value,
                       int depth)
{
    struct byte_reader *in = r->in;
    uint64_t bits;

    value->type = byte_reader_u8(in);
    value->len = 0;
    value->i = 0;
    switch (value->type) {
    case VALUE_EMPTY:
        break;
    case VALUE_STRING:
    case VALUE_BYTES:
        read_text(in, value);
        break;
    case VALUE_BOOL:
        value->b = byte_reader_u8(in) != 0;
        break;
    case VALUE_INT:
        value->i = byte_reader_zigzag(in);
        break;
    case VALUE_DOUBLE:
        bits = byte_reader_fixed(in, sizeof(bits));
        memcpy(&value->d, &bits, sizeof(bits));
        break;
    case VALUE_ARRAY:
    case VALUE_MAP:
        bits = byte_reader_varint(in);
        value->items = read_items(
            r, bits, value->type == VALUE_MAP || r->form == ATTR_FORM_CHUNK,
            depth + 1, &value->len);
        break;
    default:
        byte_reader_fail(in);
    }
    if (in->bad) {
        value->type = VALUE_EMPTY;
        value->len = 0;
    }
}

void attr_value_read(struct byte_reader *in, struct arena *arena,
                     enum attr_form form, struct attr *value)
{
    read_value(&(struct attr_reader){in, arena, form}, value, 0);
}

void attrs_read(struct byte_reader *in, struct arena *arena,
                enum attr_form form, struct attrs *attrs)
{
    const struct attr_reader r = {in, arena, form};
    uint64_t first = byte_reader_varint(in), second = byte_reader_varint(in);
    uint64_t count = form == ATTR_FORM_CHUNK ? first : second;

    attrs->dropped = (uint32_t)(form == ATTR_FORM_CHUNK ? second : first);
    attrs->at = read_items(&r, count, true, 0, &attrs->count);
}

void scope_read(struct byte_reader *in, struct arena *arena,
                enum attr_form form, struct scope *scope)
{
    scope->name = byte_reader_slice(in);
    scope->version = byte_reader_slice(in);
    scope->schema_url = byte_reader_slice(in);
    attrs_read(in, arena, form, &scope->attrs);
}
