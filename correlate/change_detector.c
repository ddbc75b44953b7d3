/*
 * `seen` says of each resource, by id, with which identity it was looked at
 * and which values it had: a known one costs an array access and renews when
 * its values were seen last. Values are kept four a kind: what runs side by
 * side, and what it replaced.
 */
#include "change_detector.h"

#include <stdlib.h>

#include "change_events.h"
#include "hash.h"
#include "mem.h"

enum {
    MAX_COMPONENTS = 8192, /* beyond that, changes go unnoticed */
    MAX_SEEN = 1 << 22,
    VALUES = 4,
    NO_VALUE = VALUES,
    KINDS = CHANGE_KINDS
};

struct watched_value {
    uint64_t hash; /* of all of it */
    uint64_t last_ns;
    uint8_t len;
    char text[CHANGE_MAX_TEXT];
};

struct watched_attribute {
    struct watched_value values[VALUES];
    uint8_t count, current;
};

struct component_versions {
    struct watched_attribute kinds[KINDS];
};

struct seen_resource {
    uint32_t identity; /* + 1; 0: never seen */
    uint8_t value[KINDS];
    uint8_t life; /* registry_resource_generation(); another: it is another
                     resource */
};

struct change_detector {
    struct change_events log;
    struct component_versions *states;
    uint32_t state_count;
    uint32_t *state_of; /* while loading: state + 1 by identity */
    uint32_t state_of_count;
    struct seen_resource *seen;
    uint32_t seen_count;
};

/* ---- what a resource runs ---- */

static struct slice first_text(const struct attr *attr)
{
    if (attr->type == VALUE_ARRAY && attr->len > 0)
        attr = attr->items;
    return attr_text(attr);
}

/* Any spelling of the label: "k8s.pod.label.pod-template-hash", "..._hash". */
static bool is_template_hash(struct slice key)
{
    const char *tail = "pod-template-hash";
    size_t len = strlen(tail);

    if (key.len < len)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = key.ptr[key.len - len + i];

        if (c != tail[i] && !(tail[i] == '-' && (c == '_' || c == '.')))
            return false;
    }
    return true;
}

static void values_of(const struct attrs *attrs, struct slice values[KINDS])
{
    memset(values, 0, KINDS * sizeof(*values));
    for (uint32_t i = 0; i < attrs->count; i++) {
        const struct attr *attr = &attrs->at[i];
        struct slice key = attr_key(attr);

        if (slice_equal(key, SLICE("service.version")))
            values[CHANGE_VERSION] = attr_text(attr);
        else if (slice_equal(key, SLICE("container.image.tags")) ||
                 (slice_equal(key, SLICE("container.image.tag")) &&
                  values[CHANGE_IMAGE].len == 0))
            values[CHANGE_IMAGE] = first_text(attr);
        else if (is_template_hash(key))
            values[CHANGE_TEMPLATE] = attr_text(attr);
    }
}

static struct seen_resource *seen_of(struct change_detector *changes,
                                     uint32_t resource)
{
    if (resource >= MAX_SEEN)
        return NULL;
    if (resource >= changes->seen_count) {
        uint32_t count = changes->seen_count ? changes->seen_count : 256;

        while (count <= resource)
            count *= 2;
        changes->seen =
            mem_resize(changes->seen, count, sizeof(*changes->seen));
        memset(changes->seen + changes->seen_count, 0,
               (count - changes->seen_count) * sizeof(*changes->seen));
        changes->seen_count = count;
    }
    return &changes->seen[resource];
}

/* ---- what a component runs ---- */

static uint8_t find_value(const struct watched_attribute *watched,
                          uint64_t hash)
{
    for (uint8_t i = 0; i < watched->count; i++)
        if (watched->values[i].hash == hash)
            return i;
    return NO_VALUE;
}

/* In place of the one not seen for longest, but never of the current one. */
static uint8_t add_value(struct watched_attribute *watched, struct slice text,
                         uint64_t hash)
{
    uint8_t at = watched->count;

    if (at < VALUES) {
        watched->count++;
    } else {
        at = watched->current == 0;
        for (uint8_t i = 0; i < VALUES; i++)
            if (i != watched->current &&
                watched->values[i].last_ns < watched->values[at].last_ns)
                at = i;
    }
    text = slice_truncate(text, CHANGE_MAX_TEXT);
    watched->values[at] =
        (struct watched_value){.hash = hash, .len = (uint8_t)text.len};
    slice_copy(watched->values[at].text, text);
    return at;
}

/* Which value it is now; *change if that is news. `fresh`: the resource was
 * never seen before. */
static uint8_t note(struct watched_attribute *watched, struct slice text,
                    uint64_t time_ns, bool fresh, bool *change)
{
    uint64_t hash = hash_bytes(text.ptr, text.len, 0);
    uint8_t at = find_value(watched, hash);
    bool gone = true;

    *change = false;
    if (at == NO_VALUE)
        at = add_value(watched, text, hash);
    else
        gone = time_ns > watched->values[at].last_ns + CHANGE_GONE_NS;
    *change = fresh && gone && watched->count > 1 && at != watched->current;
    if (time_ns > watched->values[at].last_ns)
        watched->values[at].last_ns = time_ns;
    return at;
}

static struct slice text_of(const struct watched_value *value)
{
    return (struct slice){value->text, value->len};
}

static struct component_versions *state_of(struct change_detector *changes,
                                           uint32_t *number)
{
    if (*number == 0 && changes->state_count < MAX_COMPONENTS) {
        if (!changes->states)
            changes->states =
                mem_zero(MAX_COMPONENTS, sizeof(*changes->states));
        *number = ++changes->state_count;
    }
    return *number ? &changes->states[*number - 1] : NULL;
}

/* ---- seeing ---- */

static void renew(struct change_detector *changes,
                  const struct component *component,
                  const struct seen_resource *seen, uint64_t time_ns)
{
    struct component_versions *state = &changes->states[component->changes - 1];

    for (int kind = 0; kind < KINDS; kind++) {
        struct watched_value *value =
            &state->kinds[kind].values[seen->value[kind] % VALUES];

        if (seen->value[kind] != NO_VALUE && time_ns > value->last_ns)
            value->last_ns = time_ns;
    }
}

void change_detector_observe(struct change_detector *changes,
                             struct component *component,
                             const struct resource *resource, uint8_t life,
                             uint64_t time_ns)
{
    struct seen_resource *seen = seen_of(changes, resource->id);
    struct slice values[KINDS];
    struct component_versions *state;
    bool fresh;

    if (component->changes == 0 &&
        component->identity < changes->state_of_count)
        component->changes = changes->state_of[component->identity];
    if (!seen)
        return;
    if (seen->life != life)
        *seen = (struct seen_resource){.life = life};
    fresh = seen->identity == 0;
    if (seen->identity == component->identity + 1) {
        if (component->changes)
            renew(changes, component, seen, time_ns);
        return;
    }
    seen->identity = component->identity + 1;
    memset(seen->value, NO_VALUE, sizeof(seen->value));
    values_of(&resource->attrs, values);
    for (int kind = 0; kind < KINDS; kind++) {
        struct watched_attribute *watched;
        uint8_t current;
        bool change;

        state =
            values[kind].len ? state_of(changes, &component->changes) : NULL;
        if (!state)
            continue;
        watched = &state->kinds[kind];
        current = watched->current;
        seen->value[kind] =
            note(watched, values[kind], time_ns, fresh, &change);
        if (!change)
            continue;
        watched->current = seen->value[kind];
        change_events_add(&changes->log, resource->id, (enum change_kind)kind,
                          text_of(&watched->values[current]),
                          text_of(&watched->values[watched->current]), time_ns);
    }
}

/* ---- start ---- */

static void load_identity(void *arg, const struct identity *identity)
{
    (void)arg;
    (void)identity;
}

/* The newest come first: the first one is current. */
static uint8_t load_value(struct watched_attribute *watched, struct slice text)
{
    uint8_t at = find_value(watched, hash_bytes(text.ptr, text.len, 0));
    bool change;

    if (at != NO_VALUE || watched->count == VALUES)
        return at;
    return note(watched, text, 0, true, &change);
}

static void load_resource(void *arg, uint32_t id, uint32_t identity,
                          uint64_t hash, const struct resource *resource)
{
    struct change_detector *changes = arg;
    struct seen_resource *seen = seen_of(changes, id);
    struct slice values[KINDS];

    (void)hash;
    if (!seen || identity >= MAX_SEEN)
        return;
    values_of(&resource->attrs, values);
    seen->identity = identity + 1;
    memset(seen->value, NO_VALUE, sizeof(seen->value));
    if (identity >= changes->state_of_count) {
        uint32_t count = identity + 256;

        changes->state_of =
            mem_resize(changes->state_of, count, sizeof(*changes->state_of));
        memset(changes->state_of + changes->state_of_count, 0,
               (count - changes->state_of_count) * sizeof(*changes->state_of));
        changes->state_of_count = count;
    }
    for (int kind = 0; kind < KINDS; kind++) {
        struct component_versions *state =
            values[kind].len ? state_of(changes, &changes->state_of[identity])
                             : NULL;

        if (state)
            seen->value[kind] = load_value(&state->kinds[kind], values[kind]);
    }
}

enum status change_detector_open(struct change_detector **out,
                                 struct store *store)
{
    struct change_detector *changes = mem_zero(1, sizeof(*changes));
    enum status status;

    status = store_load(store, load_identity, load_resource, changes);
    if (status == OK)
        status = change_events_open(&changes->log, store);
    if (status == OK)
        *out = changes;
    else
        change_detector_free(changes);
    return status;
}

void change_detector_free(struct change_detector *changes)
{
    if (!changes)
        return;
    change_events_release(&changes->log);
    free(changes->states);
    free(changes->state_of);
    free(changes->seen);
    free(changes);
}

bool change_detector_lost(const struct change_detector *changes, uint64_t lsn)
{
    return lsn <= changes->log.lost_to && lsn > changes->log.committed;
}

void change_detector_begin(struct change_detector *changes, uint64_t lsn)
{
    change_events_begin(&changes->log, lsn);
}

struct batch *change_detector_end(struct change_detector *changes,
                                  struct batch *batch)
{
    return change_events_end(&changes->log, batch);
}
