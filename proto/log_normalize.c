/*
 * The forms of log records and the keys by which they are recognized. The
 * record keeps its own attributes; others are added unless their key exists.
 */
#define _GNU_SOURCE /* memmem */
#include "log_normalize.h"

#include <string.h>

#include "clock.h"
#include "log_json.h"

enum { MAX_PATH = 3 };

/* ---- maps ---- */

static const struct attr *log_map_find(const struct attr *map, const char *key)
{
    struct attrs entries;

    if (!map || map->type != VALUE_MAP)
        return NULL;
    entries = (struct attrs){map->items, map->len, 0};
    return attrs_find(&entries, slice_of(key));
}

struct slice log_map_text(const struct attr *map, const char *key)
{
    const struct attr *found = log_map_find(map, key);

    return found ? attr_text(found) : (struct slice){NULL, 0};
}

/* ---- attributes being added ---- */

/* Adds it without looking for its key. */
static void append(struct log_normalizer *n, const struct attr *value,
                   struct slice key)
{
    struct attrs *attrs = &n->log->attrs;
    struct otlp_list *list = &n->list;
    struct attr *to;

    if (!list->at)
        otlp_list_from(n->d, list, attrs->at, attrs->count,
                       sizeof(struct attr));
    if (list->count == list->room &&
        !otlp_list_more(n->d, list, sizeof(struct attr), ATTR_MAX_COUNT, 8))
        return;
    to = (struct attr *)list->at + list->count++;
    *to = *value;
    to->key = key.ptr;
    to->key_len = (uint16_t)key.len;
    attrs->at = list->at;
    attrs->count = list->count;
}

static void normalizer_add(struct log_normalizer *n, const struct attr *value,
                           struct slice key)
{
    if (!attrs_find(&n->log->attrs, key))
        append(n, value, key);
}

void normalizer_add_text(struct log_normalizer *n, const char *key,
                         struct slice text)
{
    struct attr value = {.type = VALUE_STRING};

    if (text.len == 0)
        return;
    value.str = text.ptr;
    value.len = (uint32_t)text.len;
    normalizer_add(n, &value, slice_of(key));
}

void normalizer_set_body(struct log_record *log, struct slice text)
{
    log->body = (struct attr){.key = ""};
    otlp_set_text(&log->body, VALUE_STRING, text);
}

/* ---- records of shippers ---- */

static struct slice line_of(const struct attr *map)
{
    static const char *const keys[] = {"log", "message", "msg", "MESSAGE"};
    struct slice text = {NULL, 0};

    for (size_t i = 0; i < 4 && text.len == 0; i++)
        text = log_map_text(map, keys[i]);
    return text;
}

/* A map logged by an application remains; one of a shipper names the source of
 * the line. */
static bool is_shipped(const struct attr *map)
{
    static const char *const marks[] = {"stream",         "docker",
                                        "container_name", "container_id",
                                        "source_type",    "_SYSTEMD_UNIT"};

    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
        if (log_map_find(map, marks[i]))
            return true;
    for (uint32_t i = 0; i < map->len; i++)
        if (log_is_kubernetes(attr_key(&map->items[i])))
            return true;
    return false;
}

static void read_shipped(struct log_normalizer *n, const struct attr *map)
{
    struct attrs own = n->log->attrs; /* keys of the map are distinct */
    struct slice line = line_of(map);

    if (line.len == 0 || !is_shipped(map))
        return;
    for (uint32_t i = 0; i < map->len; i++)
        if ((map->items[i].type != VALUE_STRING ||
             map->items[i].str != line.ptr) &&
            !attrs_find(&own, attr_key(&map->items[i])))
            append(n, &map->items[i], attr_key(&map->items[i]));
    while (line.len > 0 &&
           (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--; /* of the container runtime */
    normalizer_set_body(n->log, line);
}

/* ---- Kubernetes Event objects ---- */

/* The paths of each attribute; the first one with a value wins. */
static const struct {
    const char *key;
    const char *paths[3][MAX_PATH];
} event_fields[] = {
    {"k8s.event.reason", {{"reason"}}},
    {"k8s.event.action", {{"action"}}},
    {"k8s.event.name", {{"metadata", "name"}}},
    {"k8s.event.uid", {{"metadata", "uid"}}},
    {"k8s.event.count", {{"series", "count"}, {"deprecatedCount"}, {"count"}}},
    {"k8s.event.start_time",
     {{"firstTimestamp"},
      {"deprecatedFirstTimestamp"},
      {"metadata", "creationTimestamp"}}},
    {"k8s.event.reporting_controller",
     {{"reportingController"},
      {"reportingComponent"},
      {"source", "component"}}},
    {"k8s.object.kind", {{"regarding", "kind"}, {"involvedObject", "kind"}}},
    {"k8s.object.name", {{"regarding", "name"}, {"involvedObject", "name"}}},
    {"k8s.object.uid", {{"regarding", "uid"}, {"involvedObject", "uid"}}},
    {"k8s.object.fieldpath",
     {{"regarding", "fieldPath"}, {"involvedObject", "fieldPath"}}},
    {"k8s.object.api_version",
     {{"regarding", "apiVersion"}, {"involvedObject", "apiVersion"}}},
    {"k8s.namespace.name",
     {{"regarding", "namespace"},
      {"involvedObject", "namespace"},
      {"metadata", "namespace"}}},
    {"k8s.node.name", {{"source", "host"}, {"deprecatedSource", "host"}}},
};

/* Paths of the time of the last occurrence. */
static const char *const times[][MAX_PATH] = {
    {"series", "lastObservedTime"},
    {"lastTimestamp"},
    {"deprecatedLastTimestamp"},
    {"eventTime"},
    {"firstTimestamp"},
    {"metadata", "creationTimestamp"}};

static const struct attr *at_path(const struct attr *map,
                                  const char *const *path)
{
    for (int i = 0; i < MAX_PATH && path[i] && map; i++)
        map = log_map_find(map, path[i]);
    return map && (map->type == VALUE_INT || map->type == VALUE_DOUBLE ||
                   attr_text(map).len > 0)
               ? map
               : NULL;
}

/* The Event inside a watch notification, or the map itself; NULL if it is not
 * an Event. */
static const struct attr *event_object(const struct attr *map)
{
    const struct attr *object = log_map_find(map, "object");

    if (!object || object->type != VALUE_MAP)
        object = map;
    if (slice_equal(log_map_text(object, "kind"), SLICE("Event")))
        return object;
    return log_map_text(object, "reason").len > 0 &&
                   (log_map_find(object, "involvedObject") ||
                    log_map_find(object, "regarding"))
               ? object
               : NULL;
}

static void read_event_time(struct log_record *log, const struct attr *object)
{
    uint64_t ns;

    if (log->time_ns != 0)
        return;
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        const struct attr *found = at_path(object, times[i]);

        if (found && clock_parse_rfc3339(attr_text(found), &ns)) {
            log->time_ns = ns;
            return;
        }
    }
}

static void read_event(struct log_normalizer *n, const struct attr *object)
{
    struct log_record *log = n->log;
    struct slice type = log_map_text(object, "type"), text;

    for (size_t i = 0; i < sizeof(event_fields) / sizeof(*event_fields); i++) {
        const struct attr *found = NULL;

        for (int k = 0; k < 3 && !found && event_fields[i].paths[k][0]; k++)
            found = at_path(object, event_fields[i].paths[k]);
        if (found)
            normalizer_add(n, found, slice_of(event_fields[i].key));
    }
    read_event_time(log, object);
    if (log->severity == 0 && type.len > 0) {
        log->severity = slice_equal(type, SLICE("Normal")) ? 9 : 13;
        log->severity_text = type;
    }
    text = log_map_text(object, "note");
    if (text.len == 0)
        text = log_map_text(object, "message");
    normalizer_set_body(log,
                        text.len > 0 ? text : log_map_text(object, "reason"));
}

/* ---- a record ---- */

/* False: the deletion of an Event object. */
static bool read_map(struct log_normalizer *n, const struct attr *map)
{
    const struct attr *object = event_object(map);

    if (!object) {
        read_shipped(n, map);
        return true;
    }
    if (slice_equal(log_map_text(map, "type"), SLICE("DELETED")) &&
        object != map)
        return false;
    read_event(n, object);
    return true;
}

/* True for a JSON text of a shipper or an event exporter. */
static bool is_shipped_text(struct slice text)
{
    static const char *const marks[] = {"\"kubernetes", "\"involvedObject\"",
                                        "\"regarding\""};

    if (text.len < 32 || text.ptr[0] != '{')
        return false;
    if (slice_starts(text, SLICE("{\"log\":\""))) /* Docker's files */
        return true;
    for (size_t i = 0; i < 3; i++)
        if (memmem(text.ptr, text.len, marks[i], strlen(marks[i])))
            return true;
    return false;
}

static void name_event(struct log_record *log)
{
    if (log->event_name.len == 0)
        log->event_name = attrs_text(&log->attrs, SLICE("event.name"));
}

/* Sets a missing body. */
static void fill_body(struct log_record *log)
{
    struct attr all = {
        .items = log->attrs.at, .len = log->attrs.count, .type = VALUE_MAP};
    struct slice text = log->event_name;

    if (text.len == 0)
        text = line_of(&all);
    if (text.len > 0)
        normalizer_set_body(log, text);
}

bool log_normalize(struct otlp_decoder *d, struct log_record *log)
{
    struct log_normalizer n = {.d = d, .log = log};
    struct attr map;

    name_event(log);
    if (log->body.type == VALUE_MAP) {
        map = log->body;
        if (!read_map(&n, &map))
            return false;
    } else if (is_shipped_text(attr_text(&log->body)) &&
               log_json_map(d, attr_text(&log->body), &map)) {
        if (!read_map(&n, &map))
            return false;
    }
    if (log->attrs.count > 0)
        log_add_k8s_attributes(&n);
    if (log->body.type == VALUE_EMPTY)
        fill_body(log);
    return true;
}
