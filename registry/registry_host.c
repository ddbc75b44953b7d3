/*
 * From a host name that a caller uses to the component it calls.
 *
 * One map with a key for each scope of a name:
 *
 *   IN_PROJECT    name, namespace, project, environment
 *   IN_NAMESPACE  name, namespace, environment: another project's; AMBIGUOUS if
 *                 several projects have it
 *   IN_CLUSTER    name, Kubernetes namespace: "cart.shop.svc.cluster.local";
 *                 with the namespace, and without for callers of other ones
 *   ADDRESS       address, namespace, environment
 *
 * A name is a component name, service.name or Kubernetes service name. If
 * several components have it, the stronger rule wins, then the newer one.
 */
#include "hash.h"
#include "registry_int.h"

enum { IN_PROJECT = 1, IN_NAMESPACE, IN_CLUSTER, ADDRESS };

#define AMBIGUOUS (NONE - 1)

/* Entries of the map for each resource and for each identity. */
enum { HOSTS_PER_RESOURCE = 2, HOSTS_PER_IDENTITY = 4 };

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

static void claim(struct registry *reg, uint64_t key, uint32_t identity)
{
    uint32_t holder = key_map_get(&reg->hosts, key);

    if (holder == NONE &&
        reg->hosts.index.count / HOSTS_PER_RESOURCE >=
            reg->options.max_resources +
                HOSTS_PER_IDENTITY * reg->options.max_identities)
        return;
    if (holder < AMBIGUOUS) {
        const struct identity_entry *old =
            &reg->identities.at[ident_resolve(reg, holder)];
        const struct identity_entry *new = &reg->identities.at[identity];

        if (is_stamped(old) && !is_stamped(new))
            return;
        if (is_stamped(old) == is_stamped(new) &&
            (old->text[IDENTITY_PROJECT] != new->text[IDENTITY_PROJECT] ||
             old->text[IDENTITY_NAMESPACE] != new->text[IDENTITY_NAMESPACE]))
            identity = AMBIGUOUS;
    } else if (holder == AMBIGUOUS) {
        return;
    }
    if (holder != identity)
        key_map_set(&reg->hosts, key, identity);
}

static void add_name(struct registry *reg, uint32_t k8s_namespace,
                     uint32_t identity, uint32_t name)
{
    const struct identity_entry *ident = &reg->identities.at[identity];
    const uint32_t *of = ident->text;

    if (name == 0)
        return;

    uint64_t h = host_hash(intern_text(&reg->names, name));

    claim(reg,
          host_key(h, IN_PROJECT, of[IDENTITY_NAMESPACE], of[IDENTITY_PROJECT],
                   of[IDENTITY_ENVIRONMENT]),
          identity);
    claim(reg,
          host_key(h, IN_NAMESPACE, of[IDENTITY_NAMESPACE], 0,
                   of[IDENTITY_ENVIRONMENT]),
          identity);
    if (k8s_namespace == 0)
        return;
    claim(reg,
          host_key(h, IN_CLUSTER, k8s_namespace, of[IDENTITY_NAMESPACE], 0),
          identity);
    claim(reg, host_key(h, IN_CLUSTER, k8s_namespace, 0, 0), identity);
}

void host_add_resource(struct registry *reg, uint32_t id)
{
    const struct live_resource *live = registry_live(reg, id);
    uint32_t identity = ident_resolve(reg, reg->resources.identity[id]);
    const uint32_t *of = reg->identities.at[identity].text;
    uint32_t k8s = live->names.k8s_namespace;

    if (of[IDENTITY_COMPONENT] == 0)
        return;
    add_name(reg, k8s, identity, of[IDENTITY_COMPONENT]);
    if (live->service != of[IDENTITY_COMPONENT])
        add_name(reg, k8s, identity, live->service);
    if (live->k8s_service != of[IDENTITY_COMPONENT] &&
        live->k8s_service != live->service)
        add_name(reg, k8s, identity, live->k8s_service);
    if (live->ip) /* a reused address is that of the newest pod */
        claim(reg,
              host_key(host_hash(intern_text(&reg->names, live->ip)), ADDRESS,
                       of[IDENTITY_NAMESPACE], 0, of[IDENTITY_ENVIRONMENT]),
              identity);
}

void host_add_identity(struct registry *reg, uint32_t identity)
{
    add_name(reg, 0, identity,
             reg->identities.at[identity].text[IDENTITY_COMPONENT]);
}

/* ---- lookups ---- */

static uint32_t look(const struct registry *reg, uint64_t key)
{
    uint32_t identity = key_map_get(&reg->hosts, key);

    return identity < AMBIGUOUS ? ident_resolve(reg, identity) : NONE;
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

static uint32_t look_name(const struct registry *reg, const uint32_t *of,
                          struct slice name)
{
    uint64_t h = host_hash(name);
    uint32_t identity =
        look(reg, host_key(h, IN_PROJECT, of[IDENTITY_NAMESPACE],
                           of[IDENTITY_PROJECT], of[IDENTITY_ENVIRONMENT]));

    if (identity == NONE)
        identity = look(reg, host_key(h, IN_NAMESPACE, of[IDENTITY_NAMESPACE],
                                      0, of[IDENTITY_ENVIRONMENT]));
    return identity;
}

static uint32_t look_cluster(const struct registry *reg, const uint32_t *of,
                             uint32_t k8s_namespace, struct slice name)
{
    uint64_t h = host_hash(name);
    uint32_t identity = look(
        reg, host_key(h, IN_CLUSTER, k8s_namespace, of[IDENTITY_NAMESPACE], 0));

    if (identity == NONE)
        identity = look(reg, host_key(h, IN_CLUSTER, k8s_namespace, 0, 0));
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

static uint32_t find_host(const struct registry *reg, uint32_t from,
                          struct slice host)
{
    from = ident_resolve(reg, from);
    host = bare_host(host);
    if (from == NONE || host.len == 0 || host.len > NAME_MAX_BYTES)
        return IDENTITY_NONE;

    const uint32_t *of = reg->identities.at[from].text;

    if (is_address(host))
        return look(reg,
                    host_key(host_hash(host), ADDRESS, of[IDENTITY_NAMESPACE],
                             0, of[IDENTITY_ENVIRONMENT]));

    uint32_t identity = look_name(reg, of, host);
    struct slice rest, name = first_label(host, &rest);

    if (identity != NONE || rest.len == 0)
        return identity;

    /* name.quota, name.quota.svc, name.quota.svc.cluster.local */
    struct slice tail, quota = first_label(rest, &tail), more;
    bool service = slice_equal(first_label(tail, &more), SLICE("svc"));

    if (tail.len > 0 && !service)
        return IDENTITY_NONE;

    uint32_t known = intern_find(&reg->names, quota);

    if (known)
        identity = look_cluster(reg, of, known, name);
    /* A component without Kubernetes attributes. Without "svc" it may as well
     * be a host on the internet, unless the second part is a known name. */
    if (identity == NONE &&
        (service || (known && (known == of[IDENTITY_PROJECT] ||
                               known == of[IDENTITY_NAMESPACE]))))
        identity = look_name(reg, of, name);
    return identity;
}

/* A stored call refers to its target by number, so the answer counts as use. */
uint32_t registry_find_host(struct registry *reg, uint32_t from,
                            struct slice host)
{
    uint32_t found = find_host(reg, from, host);

    if (found != IDENTITY_NONE)
        reg->identities.at[found].used_s = registry_now_s(reg);
    return found;
}
