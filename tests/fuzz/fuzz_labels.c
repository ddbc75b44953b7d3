/*
 * Attributes from outside, as the registry reads them. The input is lines of
 * key=value; a line that begins with a space goes into a map under the key
 * "kubernetes". Reading must stay inside the bytes, whatever they are, and the
 * fingerprint must not depend on the order.
 */
#include <stdlib.h>

#include "registry_int.h"

enum { MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    struct attr at[MAX], nested[MAX];
    uint32_t count, nested_count;
};

static void add_line(struct input *in, struct slice line)
{
    bool inside = line.len > 0 && line.ptr[0] == ' ';
    struct attr *a;

    if (in->count == MAX - 1 || in->nested_count == MAX)
        return;
    if (inside)
        line = slice_from(line, 1);
    a = inside ? &in->nested[in->nested_count++] : &in->at[in->count++];

    const char *equal = line.len ? memchr(line.ptr, '=', line.len) : NULL;
    size_t key_len = equal ? (size_t)(equal - line.ptr) : line.len;

    a->key = line.ptr;
    a->key_len = (uint16_t)(key_len < ATTR_MAX_KEY ? key_len : ATTR_MAX_KEY);
    a->type = VALUE_STRING;
    a->str = equal ? equal + 1 : "";
    a->len = equal ? (uint32_t)(line.len - key_len - 1) : 0;
}

static void check_fields(const struct attrs *attrs, const struct labels *labels)
{
    for (int kind = RESOURCE_PLAIN; kind <= RESOURCE_RECORD; kind++) {
        struct registry registry = {0};
        struct resource_attributes fields;
        struct live_resource live = {0};
        struct resource_state state = {0};
        uint64_t pods[POD_KEY_COUNT];

        intern_init(&registry.names, 1 << 20, NAME_MAX_BYTES);
        resource_attributes_of(&fields, labels, attrs,
                               (enum resource_kind)kind);
        live_set_names(&registry, &fields, (enum resource_kind)kind, &live);
        attributes_pod_keys(&fields, 0, pods);
        resource_set_flags(&fields, &state);
        if (fields.borrowed && (pods[POD_KEY_UID] || pods[POD_KEY_NAME]))
            abort(); /* nobody claims another's pod */
        if (attributes_stamped(&fields) + attributes_name_service(&fields) < 0)
            abort();
        intern_release(&registry.names);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct labels labels;
    struct input in = {.count = 0};
    struct slice rest = {(const char *)data, size};

    if (labels_init(&labels, &registry_default_keys) != OK)
        abort();
    while (rest.len > 0) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;

        add_line(&in, (struct slice){rest.ptr, len});
        rest = slice_from(rest, end ? len + 1 : len);
    }
    if (in.nested_count > 0)
        in.at[in.count++] = (struct attr){.key = "kubernetes",
                                          .key_len = 10,
                                          .type = VALUE_MAP,
                                          .items = in.nested,
                                          .len = in.nested_count};

    struct attrs attrs = {in.at, in.count, 0};
    struct fingerprint before = attrs_fingerprint(&attrs);

    check_fields(&attrs, &labels);
    for (uint32_t i = 0; i < in.count / 2; i++) {
        struct attr a = in.at[i];

        in.at[i] = in.at[in.count - 1 - i];
        in.at[in.count - 1 - i] = a;
    }

    struct fingerprint after = attrs_fingerprint(&attrs);

    if (before.hash != after.hash || before.check != after.check)
        abort();
    return 0;
}
