/*
 * Which pod a log line is from: the attributes and paths of shippers become
 * attributes of the semantic conventions.
 */
#include <string.h>

#include "log_normalize.h"

enum { MAX_FOLDED = 32 };

/* Names inside "kubernetes", with levels and words joined by '_', and their
 * keys in the semantic conventions. */
static const struct {
    const char *name, *key;
} k8s_names[] = {
    {"pod_name", "k8s.pod.name"},
    {"namespace_name", "k8s.namespace.name"}, /* fluent-bit, fluentd */
    {"pod_namespace", "k8s.namespace.name"},  /* Vector */
    {"namespace", "k8s.namespace.name"},      /* Filebeat */
    {"container_name", "k8s.container.name"},
    {"pod_id", "k8s.pod.uid"},
    {"pod_uid", "k8s.pod.uid"},
    {"pod_ip", "k8s.pod.ip"},
    {"host", "k8s.node.name"},
    {"pod_node_name", "k8s.node.name"},
    {"node_name", "k8s.node.name"},
    {"docker_id", "container.id"},
};

enum { K8S_NAMES = sizeof(k8s_names) / sizeof(*k8s_names) };

static void add_k8s_text(struct log_normalizer *n, struct slice name,
                         struct slice text)
{
    for (size_t i = 0; i < K8S_NAMES; i++)
        if (slice_equal(slice_of(k8s_names[i].name), name)) {
            normalizer_add_text(n, k8s_names[i].key, text);
            return;
        }
}

/* The prefix and the key, with '.' as '_'; empty if longer than any name. */
static struct slice folded(const char *prefix, struct slice key,
                           char text[MAX_FOLDED])
{
    size_t len = strlen(prefix);

    if (len + key.len > MAX_FOLDED)
        return (struct slice){NULL, 0};
    memcpy(text, prefix, len);
    for (size_t i = 0; i < key.len; i++)
        text[len + i] = key.ptr[i] == '.' ? '_' : key.ptr[i];
    return (struct slice){text, len + key.len};
}

static void read_kubernetes(struct log_normalizer *n, const struct attr *map,
                            const char *prefix)
{
    static const char *const nested[][2] = {
        {"pod", "pod_"}, {"container", "container_"}, {"node", "node_"}};
    char text[MAX_FOLDED];

    for (uint32_t i = 0; i < map->len; i++) {
        const struct attr *a = &map->items[i];

        if (a->type == VALUE_STRING)
            add_k8s_text(n, folded(prefix, attr_key(a), text), attr_text(a));
        else if (a->type == VALUE_MAP && !*prefix)
            for (size_t k = 0; k < 3; k++)
                if (slice_equal(attr_key(a), slice_of(nested[k][0])))
                    read_kubernetes(n, a, nested[k][1]);
    }
}

bool log_is_kubernetes(struct slice key)
{
    return key.len >= 10 && key.ptr[0] == 'k' &&
           slice_starts(key, SLICE("kubernetes")) &&
           (key.len == 10 || key.ptr[10] == '.' || key.ptr[10] == '_');
}

/* The text before the next such character, and skips both; empty if there is
 * none. */
static struct slice take_until(struct slice *path, char end)
{
    const char *at = path->len ? memchr(path->ptr, end, path->len) : NULL;
    struct slice part = {path->ptr, at ? (size_t)(at - path->ptr) : 0};

    *path = at ? slice_from(*path, part.len + 1) : (struct slice){NULL, 0};
    return part;
}

/* CONTAINER-ID.log: the name may contain a '-', the id does not. */
static struct slice container_of(struct slice file)
{
    size_t len = file.len;

    while (len > 0 && file.ptr[len - 1] != '-')
        len--;
    return (struct slice){file.ptr, len > 0 ? len - 1 : 0};
}

/* /var/log/pods/NAMESPACE_POD_UID/CONTAINER/0.log, or the link to it,
 * /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log. None of these names
 * contains a '_'. The uid is ignored: a static pod has another one there. */
static void read_path(struct log_normalizer *n, struct slice path)
{
    struct slice pods = SLICE("/var/log/pods/"),
                 links = SLICE("/var/log/containers/"), space, pod, container;

    if (slice_starts(path, pods)) {
        path = slice_from(path, pods.len);
        space = take_until(&path, '_');
        pod = take_until(&path, '_');
        if (take_until(&path, '/').len == 0)
            return;
        container = take_until(&path, '/');
    } else if (slice_starts(path, links)) {
        path = slice_from(path, links.len);
        pod = take_until(&path, '_');
        space = take_until(&path, '_');
        container = container_of(path);
        if (container.len == 0)
            return;
    } else {
        return;
    }
    normalizer_add_text(n, "k8s.namespace.name", space);
    normalizer_add_text(n, "k8s.pod.name", pod);
    normalizer_add_text(n, "k8s.container.name", container);
}

/* Attributes of a record that name its pod, or its event. */
struct log_origin_attributes {
    const struct attr *pod, *space, *path, *reason;
};

/* By first letter, because this runs for every attribute. */
static void read_attribute(struct log_normalizer *n,
                           struct log_origin_attributes *found,
                           const struct attr *a)
{
    struct slice key = attr_key(a);
    char text[MAX_FOLDED];

    switch (key.len > 0 ? key.ptr[0] : '\0') {
    case 'p':
        if (slice_equal(key, SLICE("pod")))
            found->pod = a;
        break;
    case 'n':
        if (slice_equal(key, SLICE("namespace")))
            found->space = a;
        break;
    case 'f':
        if (slice_equal(key, SLICE("filename")) ||
            slice_equal(key, SLICE("file")))
            found->path = a;
        break;
    case 'l':
        if (slice_equal(key, SLICE("log.file.path")))
            found->path = a;
        break;
    case 'k':
        if (slice_equal(key, SLICE("k8s.event.reason")))
            found->reason = a;
        else if (!log_is_kubernetes(key))
            break;
        else if (key.len == 10 && a->type == VALUE_MAP)
            read_kubernetes(n, a, "");
        else if (key.len > 11 && a->type == VALUE_STRING)
            add_k8s_text(n, folded("", slice_from(key, 11), text),
                         attr_text(a));
        break;
    default:
        break;
    }
}

/* "kubernetes": {...}, "kubernetes.pod_name", "kubernetes_pod_name" and
 * "kubernetes.pod.name"; "pod" and "namespace" of Promtail. */
void log_add_k8s_attributes(struct log_normalizer *n)
{
    struct attrs own = n->log->attrs;
    struct log_origin_attributes found = {NULL, NULL, NULL, NULL};
    const struct attr *container;

    for (uint32_t i = 0; i < own.count; i++)
        read_attribute(n, &found, &own.at[i]);
    if (found.reason)
        log_release(n, attr_text(found.reason));
    if (found.path)
        read_path(n, attr_text(found.path));
    if (!found.pod || !found.space)
        return;
    container = attrs_find(&own, SLICE("container"));
    normalizer_add_text(n, "k8s.pod.name", attr_text(found.pod));
    normalizer_add_text(n, "k8s.namespace.name", attr_text(found.space));
    if (container)
        normalizer_add_text(n, "k8s.container.name", attr_text(container));
}
