/*
 * From a host name that a caller uses to the component it calls.
 *
 * One map with a key for each scope of a name:
 *
 *   IN_PROJECT      name, namespace, project, environment
 *   IN_NAMESPACE    name, namespace, environment: another project's; AMBIGUOUS
 *                   if several projects have it
 *   IN_CLUSTER_OWN  name, Kubernetes namespace ("cart.shop.svc.cluster.local"),
 *                   namespace
 *   IN_CLUSTER      the same without the namespace, for callers of other ones;
 *                   only by what a collector sent
 *   ADDRESS         address, namespace, environment
 *
 * A name is a component name, service.name or Kubernetes service name. If
 * several components have it, the stronger rule wins, then the newer one.
 */
#include "ascii.h"
#include "hash.h"
#include "registry_int.h"

enum host_scope {
    IN_PROJECT,
    IN_NAMESPACE,
    IN_CLUSTER_OWN,
    IN_CLUSTER,
    ADDRESS
};

#define AMBIGUOUS (NONE - 1)

/* Entries of the map for each resource and for each identity. */
enum { HOSTS_PER_RESOURCE = 2, HOSTS_PER_IDENTITY = 4 };

static uint64_t host_hash(struct slice host)
{
    char text[NAME_MAX_BYTES];
    size_t len = host.len < sizeof(text) ? host.len : sizeof(text);

    for (size_t i = 0; i < len; i++)
        text[i] = to_lower(host.ptr[i]);
    return hash_bytes(text, len, 5);
}

/* k8s: a Kubernetes namespace; only for names within the cluster. */
static uint64_t host_key(uint64_t hash, enum host_scope scope,
                         const struct identity_entry *of, uint32_t k8s)
{
    uint32_t namespace = of->text[IDENTITY_NAMESPACE];
    uint32_t environment = of->text[IDENTITY_ENVIRONMENT], project = 0;

    if (scope == IN_PROJECT)
        project = of->text[IDENTITY_PROJECT];
    if (scope == IN_CLUSTER_OWN || scope == IN_CLUSTER)
        environment = k8s;
    if (scope == IN_CLUSTER)
    namespace = 0;
    return hash_mix(hash_mix(hash, (uint64_t)scope << 32 | namespace),
                    (uint64_t)project << 32 | environment);
}

/* ---- adding ---- */

static bool is_stamped(const struct identity_entry *entry)
{
    return entry->rule <= RULE_STAMPED_RECORD;
}

static void claim(struct registry *reg, uint64_t key, uint32_t identity)
{
    uint32_t holder = key_map_get(&reg->hosts, key);

    if (holder == AMBIGUOUS || holder == identity ||
        (holder == NONE &&
         reg->hosts.index.count / HOSTS_PER_RESOURCE >=
             reg->options.max_resources +
                 HOSTS_PER_IDENTITY * reg->options.max_identities))
        return;
    if (holder != NONE) {
        const struct identity_entry *old =
            &reg->identities.at[ident_resolve(reg, holder)];
        const struct identity_entry *new = &reg->identities.at[identity];

        if (is_stamped(old) && !is_stamped(new))
            return;
        if (is_stamped(old) == is_stamped(new) &&
            (old->text[IDENTITY_PROJECT] != new->text[IDENTITY_PROJECT] ||
             old->text[IDENTITY_NAMESPACE] != new->text[IDENTITY_NAMESPACE]))
            identity = AMBIGUOUS;
    }
    key_map_set(&reg->hosts, key, identity);
}

/* In the scopes up to `last`. */
static void add_name(struct registry *reg, enum host_scope last, uint32_t k8s,
                     uint32_t identity, uint32_t name)
{
    uint64_t hash = host_hash(intern_text(&reg->names, name));

    for (unsigned scope = IN_PROJECT; name && scope <= last; scope++)
        claim(reg,
              host_key(hash, (enum host_scope)scope,
                       &reg->identities.at[identity], k8s),
              identity);
}

void host_add_resource(struct registry *reg, uint32_t id)
{
    const struct live_resource *live = registry_live(reg, id);
    uint32_t identity = ident_resolve(reg, reg->resources.identity[id]);
    const struct identity_entry *entry = &reg->identities.at[identity];
    uint32_t component = entry->text[IDENTITY_COMPONENT];
    uint32_t k8s = live->names.k8s_namespace;
    enum host_scope last =
        reg->resources.at[id].of_tenant ? IN_CLUSTER_OWN : IN_CLUSTER;

    if (component == 0)
        return;
    if (k8s == 0)
        last = IN_NAMESPACE;
    add_name(reg, last, k8s, identity, component);
    if (live->service != component)
        add_name(reg, last, k8s, identity, live->service);
    if (live->k8s_service != component && live->k8s_service != live->service)
        add_name(reg, last, k8s, identity, live->k8s_service);
    if (live->ip) /* a reused address is that of the newest pod */
        claim(reg,
              host_key(host_hash(intern_text(&reg->names, live->ip)), ADDRESS,
                       entry, 0),
              identity);
}

void host_add_identity(struct registry *reg, uint32_t identity)
{
    add_name(reg, IN_NAMESPACE, 0, identity,
             reg->identities.at[identity].text[IDENTITY_COMPONENT]);
}

/* ---- lookups ---- */

/* In the first of the scopes that has the host. */
static uint32_t look(const struct registry *reg, struct slice host,
                     enum host_scope first, enum host_scope last,
                     const struct identity_entry *of, uint32_t k8s)
{
    uint64_t hash = host_hash(host);
    uint32_t found = NONE;

    for (unsigned scope = first; scope <= last && found >= AMBIGUOUS; scope++)
        found = key_map_get(&reg->hosts,
                            host_key(hash, (enum host_scope)scope, of, k8s));
    return found < AMBIGUOUS ? ident_resolve(reg, found) : NONE;
}

/* Without port, brackets and the dot at the end. */
static struct slice bare_host(struct slice host)
{
    const char *colon = host.len ? memchr(host.ptr, ':', host.len) : NULL;

    if (host.len > 0 && host.ptr[0] == '[') {
        const char *end = memchr(host.ptr, ']', host.len);

        host = slice_from(host, 1);
        if (end)
            host.len = (size_t)(end - host.ptr);
    } else if (colon) {
        size_t at = (size_t)(colon - host.ptr);

        if (!memchr(colon + 1, ':', host.len - at - 1)) /* else IPv6 */
            host.len = at;
    }
    if (host.len > 0 && host.ptr[host.len - 1] == '.')
        host.len--;
    return host;
}

static bool is_address(struct slice host)
{
    bool digits = true;

    for (size_t i = 0; i < host.len; i++) {
        if (host.ptr[i] == ':')
            return true;
        digits &=
            host.ptr[i] == '.' || (host.ptr[i] >= '0' && host.ptr[i] <= '9');
    }
    return digits;
}

/* Up to the next dot; *rest is what follows it. */
static struct slice first_label(struct slice host, struct slice *rest)
{
    const char *dot = host.len ? memchr(host.ptr, '.', host.len) : NULL;
    size_t len = dot ? (size_t)(dot - host.ptr) : host.len;

    *rest = slice_from(host, dot ? len + 1 : len);
    return (struct slice){host.ptr, len};
}

/* name.space, name.space.svc, name.space.svc.cluster.local */
static uint32_t find_in_cluster(const struct registry *reg, struct slice name,
                                struct slice rest,
                                const struct identity_entry *of)
{
    struct slice tail, k8s = first_label(rest, &tail), ignored;
    bool service = slice_equal(first_label(tail, &ignored), SLICE("svc"));
    uint32_t known = intern_find(&reg->names, k8s), found = NONE;

    if (tail.len > 0 && !service)
        return NONE;
    if (known)
        found = look(reg, name, IN_CLUSTER_OWN, IN_CLUSTER, of, known);
    /* A component without Kubernetes attributes. Without "svc" it may as well
     * be a host on the internet, unless the second part is a known name. */
    if (found == NONE &&
        (service || (known && (known == of->text[IDENTITY_PROJECT] ||
                               known == of->text[IDENTITY_NAMESPACE]))))
        found = look(reg, name, IN_PROJECT, IN_NAMESPACE, of, 0);
    return found;
}

static uint32_t find_host(const struct registry *reg, uint32_t from,
                          struct slice host)
{
    const struct identity_entry *of;
    struct slice name, rest;
    uint32_t found;

    from = ident_resolve(reg, from);
    host = bare_host(host);
    if (from == NONE || host.len == 0 || host.len > NAME_MAX_BYTES)
        return NONE;
    of = &reg->identities.at[from];
    if (is_address(host))
        return look(reg, host, ADDRESS, ADDRESS, of, 0);
    found = look(reg, host, IN_PROJECT, IN_NAMESPACE, of, 0);
    name = first_label(host, &rest);
    return found != NONE || rest.len == 0
               ? found
               : find_in_cluster(reg, name, rest, of);
}

/* A stored call refers to its target by number, so the answer counts as use. */
uint32_t registry_find_host(struct registry *reg, uint32_t from,
                            struct slice host)
{
    uint32_t found = find_host(reg, from, host);

    if (found != NONE)
        reg->identities.at[found].used_s = registry_now_s(reg);
    return found;
}

uint32_t registry_host_component(struct registry *reg, uint32_t from,
                                 struct slice host)
{
    uint32_t found;

    pthread_rwlock_rdlock(&reg->lock);
    found = find_host(reg, from, host);
    pthread_rwlock_unlock(&reg->lock);
    return found;
}
