/*
 * Fields of OTLP/JSON: attributes and their values, and all other messages by
 * their tables.
 *
 * Of a member that occurs twice the last one wins, so reading a list or a
 * message first clears what an earlier one left.
 */
#include "otlp_json.h"

void otlp_json_arena_full(const struct otlp_decoder *d, struct json *j)
{
    json_fail(j, d->arena->status, status_text(d->arena->status));
}

/* The place of the next element of a list, zeroed; NULL at the limit (the
 * element must be skipped) or if the arena is full. */
static void *list_slot(struct otlp_decoder *d, struct json *j,
                       struct otlp_list *list, size_t size, uint32_t max)
{
    if (list->count == list->room && !otlp_list_more(d, list, size, max, 4)) {
        if (d->arena->status != OK)
            otlp_json_arena_full(d, j);
        return NULL;
    }
    return memset((char *)list->at + size * list->count++, 0, size);
}

/* ---- attributes ---- */

static void value_json(struct otlp_decoder *d, struct json *j,
                       struct attr *value, unsigned depth, size_t max_text);

static void key_values_json(struct otlp_decoder *d, struct json *j,
                            struct otlp_list *attrs, unsigned depth)
{
    static const char *const names[] = {"key", "value"};

    *attrs = (struct otlp_list){0};
    json_enter_array(j);
    while (json_element(j)) {
        struct attr *attr =
            list_slot(d, j, attrs, sizeof(struct attr), ATTR_MAX_COUNT);
        int field;

        if (!attr) {
            json_skip(j);
            continue;
        }
        json_enter_object(j);
        while ((field = json_row(j, names, sizeof(*names), 2)) >= 0)
            if (field == 0) {
                struct slice key = otlp_text(d, json_text(j), ATTR_MAX_KEY);

                attr->key = key.ptr;
                attr->key_len = (uint16_t)key.len;
            } else {
                value_json(d, j, attr, depth, ATTR_MAX_VALUE);
            }
        if (attr->key_len == 0)
            otlp_list_drop(d, attrs);
    }
}

static void elements_json(struct otlp_decoder *d, struct json *j,
                          struct otlp_list *items, unsigned depth)
{
    *items = (struct otlp_list){0};
    json_enter_array(j);
    while (json_element(j)) {
        struct attr *item =
            list_slot(d, j, items, sizeof(struct attr), ATTR_MAX_COUNT);

        if (item)
            value_json(d, j, item, depth, ATTR_MAX_VALUE);
        else
            json_skip(j);
    }
}

/* ArrayValue or KeyValueList: an object that holds nothing but a list. */
static void items_json(struct otlp_decoder *d, struct json *j,
                       struct attr *value, enum value_type type, unsigned depth)
{
    static const char *const names[] = {"values", NULL};
    struct otlp_list items = {0};

    value->type = VALUE_EMPTY;
    value->len = 0;
    if (depth == ATTR_MAX_DEPTH) {
        d->batch->truncated++;
        json_skip(j);
        return;
    }
    json_enter_object(j);
    while (json_field(j, names) >= 0)
        if (type == VALUE_ARRAY)
            elements_json(d, j, &items, depth + 1);
        else
            key_values_json(d, j, &items, depth + 1);
    value->type = (uint8_t)type;
    value->items = items.at;
    value->len =
        type == VALUE_MAP ? otlp_unique(items.at, items.count) : items.count;
}

static void value_json(struct otlp_decoder *d, struct json *j,
                       struct attr *value, unsigned depth, size_t max_text)
{
    enum { STRING, BOOL, INT, DOUBLE, ARRAY, KVLIST, BYTES, TYPES };
    static const char *const names[] = {
        "stringValue", "boolValue",   "intValue",  "doubleValue",
        "arrayValue",  "kvlistValue", "bytesValue"};
    int field;

    value->type = VALUE_EMPTY;
    value->len = 0;
    json_enter_object(j);
    while ((field = json_row(j, names, sizeof(*names), TYPES)) >= 0)
        switch (field) {
        case STRING:
            otlp_set_text(value, VALUE_STRING,
                          otlp_text(d, json_text(j), max_text));
            break;
        case BOOL:
            value->b = json_bool(j);
            value->type = VALUE_BOOL;
            break;
        case INT:
            value->i = json_int64(j);
            value->type = VALUE_INT;
            break;
        case DOUBLE:
            value->d = json_double(j);
            value->type = VALUE_DOUBLE;
            break;
        case ARRAY:
            items_json(d, j, value, VALUE_ARRAY, depth);
            break;
        case KVLIST:
            items_json(d, j, value, VALUE_MAP, depth);
            break;
        default:
            otlp_set_text(value, VALUE_BYTES, otlp_bytes(d, json_bytes(j)));
        }
}

/* ---- messages ---- */

static void elements(struct otlp_decoder *d, struct json *j,
                     const struct otlp_message *message, struct otlp_list *list)
{
    _Alignas(8) char buffer[OTLP_MAX_MESSAGE];

    *list = (struct otlp_list){0};
    json_enter_array(j);
    while (json_element(j)) {
        void *slot = list_slot(d, j, list, message->slot_size, message->max);

        if (!slot) {
            json_skip(j);
            continue;
        }
        otlp_json_message(d, j, message, buffer);
        if (!message->finish(d, buffer, slot))
            otlp_list_drop(d, list);
    }
}

static void numbers(struct otlp_decoder *d, struct json *j, bool doubles,
                    struct otlp_list *list)
{
    *list = (struct otlp_list){0};
    json_enter_array(j);
    while (json_element(j)) {
        void *at = list_slot(d, j, list, 8, UINT32_MAX);

        if (!at)
            json_skip(j);
        else if (doubles)
            *(double *)at = json_double(j);
        else
            *(uint64_t *)at = json_uint64(j);
    }
}

static void read_field(struct otlp_decoder *d, struct json *j,
                       const struct otlp_field *field, void *at)
{
    struct otlp_parent_id *parent = at;
    struct otlp_number *number = at;

    switch ((enum otlp_type)field->type) {
    case OTLP_NONE: /* has no name */
    case OTLP_TEXT:
        *(struct slice *)at = otlp_text(d, json_text(j), ATTR_MAX_VALUE);
        break;
    case OTLP_TRACE_ID:
    case OTLP_SPAN_ID:
        json_id(j, at, field->type == OTLP_TRACE_ID ? 16 : 8);
        break;
    case OTLP_PARENT_ID:
        parent->len = json_id(j, parent->id, 8);
        break;
    case OTLP_ATTRS:
        key_values_json(d, j, at, 0);
        break;
    case OTLP_BODY:
        value_json(d, j, at, 0, LOG_MAX_BODY);
        break;
    case OTLP_MESSAGE:
        otlp_json_message(d, j, field->message, at);
        break;
    case OTLP_ELEMENTS:
        elements(d, j, field->message, at);
        break;
    case OTLP_FIXED64S:
    case OTLP_VARINTS:
    case OTLP_DOUBLES:
        numbers(d, j, field->type == OTLP_DOUBLES, at);
        break;
    case OTLP_FIXED64:
        *(uint64_t *)at = json_uint64(j);
        break;
    case OTLP_DOUBLE:
        *(double *)at = json_double(j);
        break;
    case OTLP_AS_DOUBLE:
        *number = (struct otlp_number){.d = json_double(j), .present = true};
        break;
    case OTLP_AS_INT:
        *number = (struct otlp_number){
            .i = json_int64(j), .is_int = true, .present = true};
        break;
    case OTLP_UINT32:
    case OTLP_FIXED32:
        *(uint32_t *)at = json_uint32(j);
        break;
    case OTLP_SINT32:
        *(int32_t *)at = json_int32(j);
        break;
    case OTLP_ENUM:
        *(uint8_t *)at = otlp_enum(json_enum(j, field->names), field->max);
        break;
    }
}

void otlp_json_message(struct otlp_decoder *d, struct json *j,
                       const struct otlp_message *message, void *at)
{
    int i;

    memset(at, 0, message->size);
    json_enter_object(j);
    while ((i = json_row(j, message->fields, sizeof(*message->fields),
                         message->count)) >= 0)
        read_field(d, j, &message->fields[i],
                   (char *)at + message->fields[i].offset);
}
