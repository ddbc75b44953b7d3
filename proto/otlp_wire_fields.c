/*
 * Fields of OTLP/protobuf: attributes and their values, and all other messages
 * by their tables.
 *
 * Protobuf allows a message in several pieces, its fields in any order and more
 * than once. Therefore scalars and the members of a oneof are overwritten, and
 * lists and messages continue where an earlier piece ended. Repeated scalars
 * may be packed or not.
 */
#include "otlp_wire.h"

/* otlp_list_more() for all elements that follow in a row. */
static bool list_more(struct otlp_decoder *d, struct wire *w,
                      struct otlp_list *list, size_t size, uint32_t max)
{
    uint32_t expect = list->count < max ? wire_run(w, max - list->count) : 0;

    if (otlp_list_more(d, list, size, max, expect))
        return true;
    if (d->arena->status != OK)
        otlp_wire_arena_full(d, w);
    return false;
}

/* The place of the next element of a list of messages; NULL at the limit. */
static inline void *list_slot(struct otlp_decoder *d, struct wire *w,
                              struct otlp_list *list, size_t size, uint32_t max)
{
    if (list->count == list->room && !list_more(d, w, list, size, max))
        return NULL;
    return memset((char *)list->at + size * list->count++, 0, size);
}

/* ---- attributes ---- */

static void value_wire(struct otlp_decoder *d, struct wire *w,
                       struct attr *value, unsigned depth, size_t max_text);

/* An AnyValue of less than 128 bytes: a text, or an integer of one or two
 * bytes. False: something else. */
static inline bool plain_value(const uint8_t *at, size_t len, struct attr *attr)
{
    if (len >= 2 && at[0] == WIRE_LEN(1) && at[1] == len - 2) {
        otlp_set_text(attr, VALUE_STRING,
                      (struct slice){(const char *)at + 2, len - 2});
        return true;
    }
    if (len < 2 || len > 3 || at[0] != WIRE_VARINT(3) ||
        (len == 2) != (at[1] < 0x80) || (len == 3 && at[2] >= 0x80))
        return false;
    attr->type = VALUE_INT;
    attr->i = len == 2 ? at[1] : (at[1] & 0x7f) | at[2] << 7;
    return true;
}

/* The usual encoding: the key, then such a value, nothing else. False: it must
 * be read field by field. */
static inline bool plain_key_value(const struct wire *w, struct attr *attr)
{
    const uint8_t *at = w->at;
    size_t len = (size_t)(w->end - at), key_len, value_len;

    _Static_assert(ATTR_MAX_KEY >= 127 && ATTR_MAX_VALUE >= 127,
                   "nothing is truncated");
    if (len < 5 || at[0] != WIRE_LEN(1))
        return false;
    key_len = at[1];
    if (key_len == 0 || key_len >= 0x80 || len < key_len + 4)
        return false;
    value_len = len - key_len - 4;
    if (at[2 + key_len] != WIRE_LEN(2) || value_len >= 0x80 ||
        at[3 + key_len] != value_len ||
        !plain_value(at + 4 + key_len, value_len, attr))
        return false;
    attr->key = (const char *)at + 2;
    attr->key_len = (uint16_t)key_len;
    return true;
}

static void key_value_wire(struct otlp_decoder *d, struct wire *w,
                           struct otlp_list *attrs, unsigned depth)
{
    struct attr *attr =
        list_slot(d, w, attrs, sizeof(struct attr), ATTR_MAX_COUNT);
    struct wire sub = wire_sub(w);

    if (!attr || plain_key_value(&sub, attr))
        return;
    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(1): {
            struct slice key = otlp_text(d, wire_bytes(&sub), ATTR_MAX_KEY);

            attr->key = key.ptr;
            attr->key_len = (uint16_t)key.len;
            break;
        }
        case WIRE_LEN(2):
            value_wire(d, &sub, attr, depth, ATTR_MAX_VALUE);
            break;
        default:
            wire_skip(&sub, 1u << 1 | 1u << 2);
        }
    if (attr->key_len == 0)
        otlp_list_drop(d, attrs);
    wire_join(w, &sub);
}

/* ArrayValue or KeyValueList. */
static void items_wire(struct otlp_decoder *d, struct wire *w,
                       struct attr *value, enum value_type type, unsigned depth)
{
    struct otlp_list items = {0};
    struct wire sub = wire_sub(w);

    if (depth == ATTR_MAX_DEPTH) {
        d->batch->truncated++;
        value->type = VALUE_EMPTY;
        value->len = 0;
        return;
    }
    if (value->type == type)
        otlp_list_from(d, &items, value->items, value->len,
                       sizeof(struct attr));
    while (wire_next(&sub)) {
        struct attr *item;

        if (sub.tag != WIRE_LEN(1)) {
            wire_skip(&sub, 1u << 1);
        } else if (type == VALUE_MAP) {
            key_value_wire(d, &sub, &items, depth + 1);
        } else {
            item =
                list_slot(d, &sub, &items, sizeof(struct attr), ATTR_MAX_COUNT);
            if (item)
                value_wire(d, &sub, item, depth + 1, ATTR_MAX_VALUE);
            else
                wire_bytes(&sub);
        }
    }
    value->type = (uint8_t)type;
    value->items = items.at;
    value->len =
        type == VALUE_MAP ? otlp_unique(items.at, items.count) : items.count;
    wire_join(w, &sub);
}

/* AnyValue */
static void value_wire(struct otlp_decoder *d, struct wire *w,
                       struct attr *value, unsigned depth, size_t max_text)
{
    struct wire sub = wire_sub(w);

    while (wire_next(&sub))
        switch (sub.tag) {
        case WIRE_LEN(1):
            otlp_set_text(value, VALUE_STRING,
                          otlp_text(d, wire_bytes(&sub), max_text));
            break;
        case WIRE_VARINT(2):
            value->type = VALUE_BOOL;
            value->b = wire_bool(&sub);
            break;
        case WIRE_VARINT(3):
            value->type = VALUE_INT;
            value->i = (int64_t)wire_varint(&sub);
            break;
        case WIRE_I64(4):
            value->type = VALUE_DOUBLE;
            value->d = wire_double(&sub);
            break;
        case WIRE_LEN(5):
            items_wire(d, &sub, value, VALUE_ARRAY, depth);
            break;
        case WIRE_LEN(6):
            items_wire(d, &sub, value, VALUE_MAP, depth);
            break;
        case WIRE_LEN(7):
            otlp_set_text(value, VALUE_BYTES, otlp_bytes(d, wire_bytes(&sub)));
            break;
        case WIRE_VARINT(8): /* an index into a table that only profiles have */
            wire_varint(&sub);
            value->type = VALUE_EMPTY;
            break;
        default:
            wire_skip(&sub, 0x1fe);
        }
    wire_join(w, &sub);
}

/* ---- lists of numbers ---- */

/* Room for `more` numbers of 8 bytes. */
static uint64_t *numbers_room(struct otlp_decoder *d, struct wire *w,
                              struct otlp_list *list, size_t more)
{
    if (more > list->room - list->count &&
        !otlp_list_more(d, list, 8, UINT32_MAX, (uint32_t)more)) {
        otlp_wire_arena_full(d, w);
        return NULL;
    }
    return (uint64_t *)list->at + list->count;
}

/* repeated fixed64 and repeated double: the same 8 bytes. */
static void fixed64s(struct otlp_decoder *d, struct wire *w,
                     struct otlp_list *list)
{
    struct wire sub = wire_sub(w);
    size_t more = (size_t)(sub.end - sub.at) / 8;
    uint64_t *at;

    if ((sub.end - sub.at) % 8 != 0)
        wire_fail(w, ERR_MALFORMED, "packed numbers of a wrong length");
    if (more == 0 || !(at = numbers_room(d, w, list, more)))
        return;
    for (size_t i = 0; i < more; i++)
        at[i] = wire_fixed64(&sub);
    list->count += (uint32_t)more;
}

static void varints(struct otlp_decoder *d, struct wire *w,
                    struct otlp_list *list)
{
    struct wire sub = wire_sub(w);
    size_t more = 0;
    uint64_t *at;

    for (const uint8_t *p = sub.at; p < sub.end; p++)
        more += *p < 0x80;
    if (sub.at < sub.end && sub.end[-1] >= 0x80) {
        wire_fail(w, ERR_MALFORMED, "truncated");
        return; /* the last one was not counted, so it has no room */
    }
    if (more == 0 || !(at = numbers_room(d, w, list, more)))
        return;
    for (size_t i = 0; i < more && sub.at < sub.end; i++, list->count++)
        at[i] = wire_varint(&sub);
    wire_join(w, &sub);
}

/* A number that is not packed. */
static void one_number(struct otlp_decoder *d, struct wire *w,
                       struct otlp_list *list)
{
    uint64_t *at = numbers_room(d, w, list, 1);

    if (!at)
        return;
    *at = (w->tag & 7) == 1 ? wire_fixed64(w) : wire_varint(w);
    list->count++;
}

/* ---- messages ---- */

/* The wire type of each type of field. Of OTLP_NONE any: it is skipped. */
static const uint8_t wire_types[] = {
    [OTLP_TEXT] = 2,      [OTLP_TRACE_ID] = 2,  [OTLP_SPAN_ID] = 2,
    [OTLP_PARENT_ID] = 2, [OTLP_ATTRS] = 2,     [OTLP_BODY] = 2,
    [OTLP_MESSAGE] = 2,   [OTLP_ELEMENTS] = 2,  [OTLP_FIXED64S] = 2,
    [OTLP_DOUBLES] = 2,   [OTLP_VARINTS] = 2,   [OTLP_FIXED64] = 1,
    [OTLP_DOUBLE] = 1,    [OTLP_AS_DOUBLE] = 1, [OTLP_AS_INT] = 1,
    [OTLP_UINT32] = 0,    [OTLP_SINT32] = 0,    [OTLP_ENUM] = 0,
    [OTLP_FIXED32] = 5,
};

static inline void copy_id(uint8_t *id, size_t size, struct slice bytes)
{
    if (bytes.len == size)
        memcpy(id, bytes.ptr, size);
    else
        memset(id, 0, size);
}

__attribute__((noinline)) static void element(
    struct otlp_decoder *d, struct wire *w, const struct otlp_message *message,
    struct otlp_list *list)
{
    _Alignas(8) char buffer[OTLP_MAX_MESSAGE];
    void *slot = list_slot(d, w, list, message->slot_size, message->max);
    struct wire sub = wire_sub(w);

    if (!slot)
        return;
    memset(buffer, 0, message->size);
    otlp_wire_message(d, &sub, message, buffer);
    if (!message->finish(d, buffer, slot))
        otlp_list_drop(d, list);
    wire_join(w, &sub);
}

static void submessage(struct otlp_decoder *d, struct wire *w,
                       const struct otlp_message *message, void *at)
{
    struct wire sub = wire_sub(w);

    otlp_wire_message(d, &sub, message, at);
    wire_join(w, &sub);
}

static void parent_id(struct wire *w, struct otlp_parent_id *parent)
{
    struct slice bytes = wire_bytes(w);

    parent->len = bytes.len;
    copy_id(parent->id, 8, bytes);
}

static void number(struct wire *w, bool is_int, struct otlp_number *number)
{
    number->i = (int64_t)wire_fixed64(w); /* or the bits of a double */
    number->is_int = is_int;
    number->present = true;
}

/* A field whose wire type is not that of its table row: a number that is not
 * packed, or a field that is unknown or wrong. */
static void other_field(struct otlp_decoder *d, struct wire *w,
                        const struct otlp_field *field, void *at)
{
    uint32_t type = w->tag & 7;

    if (((field->type == OTLP_FIXED64S || field->type == OTLP_DOUBLES) &&
         type == 1) ||
        (field->type == OTLP_VARINTS && type == 0))
        one_number(d, w, at);
    else
        wire_skip(w, field->type == OTLP_NONE ? 0 : 1u << (w->tag >> 3));
}

static inline void read_field(struct otlp_decoder *d, struct wire *w,
                              const struct otlp_field *field, void *at)
{
    switch ((enum otlp_type)field->type) {
    case OTLP_TEXT:
        *(struct slice *)at = otlp_text(d, wire_bytes(w), ATTR_MAX_VALUE);
        break;
    case OTLP_TRACE_ID:
        copy_id(at, 16, wire_bytes(w));
        break;
    case OTLP_SPAN_ID:
        copy_id(at, 8, wire_bytes(w));
        break;
    case OTLP_PARENT_ID:
        parent_id(w, at);
        break;
    case OTLP_BODY:
        value_wire(d, w, at, 0, LOG_MAX_BODY);
        break;
    case OTLP_MESSAGE:
        submessage(d, w, field->message, at);
        break;
    case OTLP_ELEMENTS:
        element(d, w, field->message, at);
        break;
    case OTLP_FIXED64S:
    case OTLP_DOUBLES:
        fixed64s(d, w, at);
        break;
    case OTLP_VARINTS:
        varints(d, w, at);
        break;
    case OTLP_FIXED64:
        *(uint64_t *)at = wire_fixed64(w);
        break;
    case OTLP_DOUBLE:
        *(double *)at = wire_double(w);
        break;
    case OTLP_AS_DOUBLE:
    case OTLP_AS_INT:
        number(w, field->type == OTLP_AS_INT, at);
        break;
    case OTLP_UINT32:
        *(uint32_t *)at = (uint32_t)wire_varint(w);
        break;
    case OTLP_SINT32:
        *(int32_t *)at = wire_sint32(w);
        break;
    case OTLP_ENUM:
        *(uint8_t *)at = otlp_enum(wire_int32(w), field->max);
        break;
    case OTLP_FIXED32:
        *(uint32_t *)at = wire_fixed32(w);
        break;
    default:
        wire_skip(w, 0);
    }
}

void otlp_wire_message(struct otlp_decoder *d, struct wire *w,
                       const struct otlp_message *message, void *at)
{
    static const struct otlp_field none = {.type = OTLP_NONE};
    const uint32_t attrs_tag = WIRE_LEN(message->attrs);
    char *attrs = (char *)at + message->fields[message->attrs].offset;

    while (wire_next(w)) {
        const struct otlp_field *field = &none;
        uint32_t n = w->tag >> 3;

        if (w->tag == attrs_tag) { /* most fields are attributes */
            key_value_wire(d, w, (struct otlp_list *)(void *)attrs, 0);
            continue;
        }
        if (n < message->count)
            field = &message->fields[n];
        if ((w->tag & 7) == wire_types[field->type])
            read_field(d, w, field, (char *)at + field->offset);
        else
            other_field(d, w, field, (char *)at + field->offset);
    }
}
