/*
 * Which component a caller means by a host name.
 *
 * One map, and one look for each way a name can be meant:
 *
 *   IN_PROJECT  name, namespace, project, environment
 *   IN_SPACE    name, namespace, environment: another project's; AMBIGUOUS if
 *               several projects have it
 *   IN_CLUSTER  name, Kubernetes namespace: "cart.shop.svc.cluster.local";
 *               with the namespace, and for callers of other namespaces without
 *   ADDRESS     address, namespace, environment
 *
 * A name is that of the component, of its service.name or of a Kubernetes
 * service. Among claimants of one name the stronger rule wins, then the newer.
 */
#include "hash.h"
#include "registry_int.h"

enum { IN_PROJECT = 1, IN_SPACE, IN_CLUSTER, ADDRESS };

#define AMBIGUOUS (NONE - 1)

/* Entries of the map for each resource that may be known, and each identity. */
enum { HOSTS_PER_RES = 2, HOSTS_PER_IDENT = 4 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static uint64_t host_hash(struct slice host)
{
    char text[NAME_MAX_BYTES];
    size_t len = host.len < sizeof(text) ? host.len : sizeof(text);

    for (size_t i = 0; i < len; i++)
        text[i] = lower(host.ptr[i]);
    return hash_bytes(text, len, 5);
}

static uint64_t host_key(uint64_t name, uint64_t way, uint32_t a, uint32_t b,
                         uint32_t c)
{
    return hash_mix(hash_mix(name, way << 32 | a), (uint64_t)b << 32 | c);
}

static bool is_stamped(const struct identity_entry *ident)
{
    return ident->rule <= RULE_STAMPED_RECORD;
}

static void claim(struct registry *registry, uint64_t key, uint32_t identity)
{
    uint32_t holder = idmap_get(&registry->hosts, key);

    if (holder == IDMAP_NONE &&
        registry->hosts.count / HOSTS_PER_RES >=
            registry->options.max_resources +
                HOSTS_PER_IDENT * registry->options.max_identities)
        return;
    if (holder < AMBIGUOUS) {
        const struct identity_entry *old =
            &registry->ident[ident_resolve(registry, holder)];
        const struct identity_entry *new = &registry->ident[identity];

        if (is_stamped(old) && !is_stamped(new))
            return;
        if (is_stamped(old) == is_stamped(new) &&
            (old->name[IDENT_PROJECT] != new->name[IDENT_PROJECT] ||
             old->name[IDENT_NAMESPACE] != new->name[IDENT_NAMESPACE]))
            identity = AMBIGUOUS;
    } else if (holder == AMBIGUOUS) {
        return;
    }
    if (holder != identity)
        idmap_set(&registry->hosts, key, identity);
}

static void add_name(struct registry *registry, uint32_t k8s_namespace,
                     uint32_t identity, uint32_t name)
{
    const struct identity_entry *ident = &registry->ident[identity];
    const uint32_t *of = ident->name;

    if (name == 0)
        return;

    uint64_t h = host_hash(intern_text(&registry->names, name));

    claim(registry,
          host_key(h, IN_PROJECT, of[IDENT_NAMESPACE], of[IDENT_PROJECT],
                   of[IDENT_ENVIRONMENT]),
          identity);
    claim(registry,
          host_key(h, IN_SPACE, of[IDENT_NAMESPACE], 0, of[IDENT_ENVIRONMENT]),
          identity);
    if (k8s_namespace == 0)
        return;
    claim(registry,
          host_key(h, IN_CLUSTER, k8s_namespace, of[IDENT_NAMESPACE], 0),
          identity);
    claim(registry, host_key(h, IN_CLUSTER, k8s_namespace, 0, 0), identity);
}

void host_add_resource(struct registry *registry, uint32_t id)
{
    const struct live_resource *live = registry_live(registry, id);
    uint32_t identity = ident_resolve(registry, registry->identity_of[id]);
    const uint32_t *of = registry->ident[identity].name;
    uint32_t space = live->k8s_namespace;

    if (of[IDENT_COMPONENT] == 0)
        return;
    add_name(registry, space, identity, of[IDENT_COMPONENT]);
    if (live->service != of[IDENT_COMPONENT])
        add_name(registry, space, identity, live->service);
    if (live->k8s_service != of[IDENT_COMPONENT] &&
        live->k8s_service != live->service)
        add_name(registry, space, identity, live->k8s_service);
    if (live->ip) /* the newest pod has an address that is used again */
        claim(registry,
              host_key(host_hash(intern_text(&registry->names, live->ip)),
                       ADDRESS, of[IDENT_NAMESPACE], 0, of[IDENT_ENVIRONMENT]),
              identity);
}

void host_add_identity(struct registry *registry, uint32_t identity)
{
    add_name(registry, 0, identity,
             registry->ident[identity].name[IDENT_COMPONENT]);
}

/* ---- looking ---- */

static uint32_t look(const struct registry *registry, uint64_t key)
{
    uint32_t identity = idmap_get(&registry->hosts, key);

    return identity < AMBIGUOUS ? ident_resolve(registry, identity) : NONE;
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

static uint32_t look_name(const struct registry *registry, const uint32_t *of,
                          struct slice name)
{
    uint64_t h = host_hash(name);
    uint32_t identity =
        look(registry, host_key(h, IN_PROJECT, of[IDENT_NAMESPACE],
                                of[IDENT_PROJECT], of[IDENT_ENVIRONMENT]));

    if (identity == NONE)
        identity = look(registry, host_key(h, IN_SPACE, of[IDENT_NAMESPACE], 0,
                                           of[IDENT_ENVIRONMENT]));
    return identity;
}

static uint32_t look_cluster(const struct registry *registry,
                             const uint32_t *of, uint32_t k8s_namespace,
                             struct slice name)
{
    uint64_t h = host_hash(name);
    uint32_t identity = look(registry, host_key(h, IN_CLUSTER, k8s_namespace,
                                                of[IDENT_NAMESPACE], 0));

    if (identity == NONE)
        identity = look(registry, host_key(h, IN_CLUSTER, k8s_namespace, 0, 0));
    return identity;
}

/* Up to the next dot; *rest is what follows it. */
static struct slice first_label(struct slice host, struct slice *rest)
{
    const char *dot = host.len ? memchr(host.ptr, '.', host.len) : NULL;
    size_t len = dot ? (size_t)(dot - host.ptr) : host.len;

    *rest = slice_from(host, dot ? len + 1 : len);
    return (struct slice){host.ptr, len};
}

static uint32_t find_host(const struct registry *registry, uint32_t from,
                          struct slice host)
{
    from = ident_resolve(registry, from);
    host = bare_host(host);
    if (from == NONE || host.len == 0 || host.len > NAME_MAX_BYTES)
        return IDENTITY_NONE;

    const uint32_t *of = registry->ident[from].name;

    if (is_address(host))
        return look(registry,
                    host_key(host_hash(host), ADDRESS, of[IDENT_NAMESPACE], 0,
                             of[IDENT_ENVIRONMENT]));

    uint32_t identity = look_name(registry, of, host);
    struct slice rest, name = first_label(host, &rest);

    if (identity != NONE || rest.len == 0)
        return identity;

    /* name.space, name.space.svc, name.space.svc.cluster.local */
    struct slice tail, space = first_label(rest, &tail), more;
    bool service = slice_equal(first_label(tail, &more), SLICE("svc"));

    if (tail.len > 0 && !service)
        return IDENTITY_NONE;

    uint32_t known = intern_find(&registry->names, space);

    if (known)
        identity = look_cluster(registry, of, known, name);
    /* Senders without Kubernetes attributes. Without "svc" it may as well be
     * a host on the internet, unless the second part is a name of ours. */
    if (identity == NONE &&
        (service || (known && (known == of[IDENT_PROJECT] ||
                               known == of[IDENT_NAMESPACE]))))
        identity = look_name(registry, of, name);
    return identity;
}

/* A call that is stored refers to its other end by the number, so the answer
 * counts as use. */
uint32_t registry_find_host(struct registry *registry, uint32_t from,
                            struct slice host)
{
    uint32_t found = find_host(registry, from, host);

    if (found != IDENTITY_NONE)
        registry->ident[found].used_s = registry_now_s(registry);
    return found;
}
