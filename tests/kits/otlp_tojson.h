/*
 * otlp_tojson - any tree of protobuf-c as OTLP/JSON, by its descriptors, in
 * one of the spellings a sender may choose: snake_case or camelCase, numbers
 * in quotes or not, with unknown and null members strewn in.
 */
#ifndef OTLP_TOJSON_H
#define OTLP_TOJSON_H

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "jsonw.h"
#include "otlp.pb-c.h"
#include "test.h"

static inline void tojson_message(struct jsonw *w,
                                  const ProtobufCMessage *message);

static inline void tojson_key(struct jsonw *w, const char *name)
{
    char key[64], *to = key;

    if (test_random(4) == 0) {
        jsonw_name(w, name);
        return;
    }
    for (; *name; name++)
        if (*name == '_')
            *to++ = (char)(*++name - 'a' + 'A');
        else
            *to++ = *name;
    *to = '\0';
    jsonw_name(w, key);
}

static inline void tojson_int(struct jsonw *w, int64_t v)
{
    char text[32];

    if (test_random(2) == 0) {
        jsonw_int(w, v);
        return;
    }
    snprintf(text, sizeof(text), "%" PRId64, v);
    jsonw_cstr(w, text);
}

static inline void tojson_uint(struct jsonw *w, uint64_t v)
{
    char text[32];

    if (test_random(2) == 0) {
        jsonw_uint(w, v);
        return;
    }
    snprintf(text, sizeof(text), "%" PRIu64, v);
    jsonw_cstr(w, text);
}

static inline void tojson_double(struct jsonw *w, double v)
{
    if (isnan(v))
        jsonw_cstr(w, "NaN");
    else if (isinf(v))
        jsonw_cstr(w, v < 0 ? "-Infinity" : "Infinity");
    else
        jsonw_double(w, v);
}

static inline void tojson_bytes(struct jsonw *w, const char *name,
                                const ProtobufCBinaryData *bytes)
{
    struct attr value = {.type = VALUE_BYTES, .len = (uint32_t)bytes->len};

    value.str = (const char *)bytes->data;
    if (strstr(name, "_id"))
        jsonw_hex(w, bytes->data, bytes->len);
    else
        jsonw_value(w, &value);
}

/* One value of the field's type at this address. */
static inline void tojson_value(struct jsonw *w,
                                const ProtobufCFieldDescriptor *field,
                                const void *at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
        tojson_int(w, *(const int32_t *)at);
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        tojson_int(w, *(const int64_t *)at);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        tojson_uint(w, *(const uint32_t *)at);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        tojson_uint(w, *(const uint64_t *)at);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        tojson_double(w, *(const double *)at);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        jsonw_bool(w, *(const protobuf_c_boolean *)at);
        break;
    case PROTOBUF_C_TYPE_STRING:
        jsonw_cstr(w, *(char *const *)at);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        tojson_bytes(w, field->name, at);
        break;
    default:
        tojson_message(w, *(ProtobufCMessage *const *)at);
    }
}

static inline size_t tojson_size(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_STRING:
        return sizeof(char *);
    default: /* the only repeated numbers are of 8 bytes */
        return 8;
    }
}

static inline void tojson_field(struct jsonw *w,
                                const ProtobufCFieldDescriptor *field,
                                const char *message)
{
    const char *at = message + field->offset;
    const char *quantifier = message + field->quantifier_offset;
    bool is_pointer = field->type == PROTOBUF_C_TYPE_MESSAGE ||
                      field->type == PROTOBUF_C_TYPE_STRING;

    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        size_t n = *(const size_t *)(const void *)quantifier;

        tojson_key(w, field->name);
        jsonw_open(w, '[');
        at = *(const char *const *)(const void *)at;
        for (size_t i = 0; i < n; i++)
            tojson_value(w, field, at + i * tojson_size(field));
        jsonw_close(w, ']');
        return;
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF
            ? *(const uint32_t *)(const void *)quantifier != field->id
        : is_pointer ? *(const void *const *)(const void *)at == NULL
                     : !*(const protobuf_c_boolean *)(const void *)quantifier)
        return;
    tojson_key(w, field->name);
    tojson_value(w, field, at);
}

static inline void tojson_message(struct jsonw *w,
                                  const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;

    jsonw_open(w, '{');
    if (test_random(20) == 0) {
        jsonw_name(w, "unknown_member");
        jsonw_open(w, '[');
        jsonw_null(w);
        jsonw_open(w, '{');
        jsonw_name(w, "values");
        jsonw_double(w, -1.5e-7);
        jsonw_close(w, '}');
        jsonw_close(w, ']');
    }
    if (test_random(20) == 0) {
        jsonw_name(w, "schemaUrl");
        jsonw_null(w);
    }
    for (unsigned i = 0; i < type->n_fields; i++)
        tojson_field(w, &type->fields[i], (const char *)message);
    jsonw_close(w, '}');
}

#endif
