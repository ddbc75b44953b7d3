/*
 * What the sender of the current batch may stamp, and what it gives to
 * resources that stamp nothing. A table in docs/correlation.md.
 *
 *   accept   compares every label of a resource or a record, in any spelling,
 *            with the scopes of the sender, and the uids with the identities
 *            that have them
 *   complete gives the names that the sender's scope fixes to a resource that
 *            does not stamp them; `stamp: override` replaces what is stamped
 *
 * A uid belongs to the namespace that stamped it first. What a collector stamps
 * counts more, since a sender's own word proves nothing about others. Uids of
 * environments are not compared: a cluster's environments are shared.
 */
#include <stdio.h>

#include "hash.h"
#include "registry_int.h"
#include "utf8.h"

enum { SHOWN_BYTES = 64 };

static const char *const label_names[LABEL_RESOURCE_UID + 1] = {
    [LABEL_NAMESPACE] = "namespace",
    [LABEL_PROJECT] = "project",
    [LABEL_COMPONENT] = "component",
    [LABEL_ENVIRONMENT] = "environment",
    [LABEL_PROJECT_UID] = "project-uid",
    [LABEL_COMPONENT_UID] = "component-uid",
    [LABEL_RESOURCE] = "resource",
    [LABEL_RESOURCE_UID] = "resource-uid",
};

/* The labels of the names of a scope, in its order. */
static const enum label name_labels[IDENTITY_NAMES] = {
    LABEL_NAMESPACE, LABEL_PROJECT, LABEL_COMPONENT, LABEL_ENVIRONMENT};

static const enum label uid_labels[] = {LABEL_PROJECT_UID, LABEL_COMPONENT_UID,
                                        LABEL_RESOURCE_UID};

enum { UID_LABELS = sizeof(uid_labels) / sizeof(uid_labels[0]) };

/* It gives its resources more than the namespace, or replaces what they stamp.
 */
static bool is_narrowed(const struct writer *writer)
{
    struct writer_scope scope;
    uint32_t at = 0;

    while (writer_next_scope(writer, &at, &scope))
        for (int i = IDENTITY_PROJECT; i < IDENTITY_NAMES; i++)
            if (scope.name[i].len > 0 || writer->override)
                return true;
    return false;
}

static struct registry_sender sender_of(const struct writer *writer)
{
    struct registry_sender sender = {.writer = writer};
    struct slice tenant = writer_tenant(writer);

    if (writer)
        sender.hash = hash_bytes(writer->bytes, writer->len, 1) | 1;
    if (tenant.len == 0)
        return sender;
    sender.tenant = sender.key = tenant_of(tenant);
    if (is_narrowed(writer))
        sender.key = hash_bytes(writer->bytes, writer->len, sender.tenant);
    return sender;
}

void registry_set_writer(struct registry *reg, const struct writer *writer)
{
    reg->sender = sender_of(writer);
}

void registry_set_topic(struct registry *reg, struct slice topic)
{
    reg->sender.topic = topic;
}

/* ---- uids ---- */

static uint64_t uid_key(uint32_t name)
{
    return hash_mix(name, UINT64_C(0x756964));
}

void uid_claim(struct registry *reg, uint32_t identity, bool trusted)
{
    const uint32_t *text = reg->identities.at[identity].text;
    const uint32_t uids[] = {text[IDENTITY_PROJECT_UID],
                             text[IDENTITY_COMPONENT_UID]};

    for (size_t i = 0; i < sizeof(uids) / sizeof(*uids); i++) {
        uint64_t key = uid_key(uids[i]);

        if (uids[i] && (trusted || key_map_get(&reg->uids, key) == NONE))
            key_map_set(&reg->uids, key, identity);
    }
}

void resource_claim_uids(struct registry *reg, uint32_t id)
{
    const struct resource_state *state = &reg->resources.at[id];

    if (!state->of_tenant && state->rule <= RULE_STAMPED_RECORD)
        uid_claim(reg, ident_resolve(reg, reg->resources.identity[id]), true);
}

/* ---- comparing ---- */

static bool fits(struct slice allowed, struct slice name)
{
    return allowed.len == 0 || name.len == 0 || slice_equal(allowed, name);
}

/* The identity that the uid belongs to lies in the scope. A project may be
 * stamped by its uid alone, so only names that it has are compared. */
static bool uid_fits(const struct registry *reg, enum label label,
                     struct slice uid, const struct writer_scope *scope)
{
    uint32_t name = uid.len ? intern_find(&reg->names, uid) : 0;
    uint32_t owner = name ? key_map_get(&reg->uids, uid_key(name)) : NONE;
    int last =
        label == LABEL_PROJECT_UID ? IDENTITY_PROJECT : IDENTITY_COMPONENT;

    owner = ident_resolve(reg, owner);
    if (owner == NONE)
        return true;
    for (int i = IDENTITY_NAMESPACE; i <= last; i++)
        if (!fits(scope->name[i],
                  intern_text(&reg->names, reg->identities.at[owner].text[i])))
            return false;
    return true;
}

/* The first label that does not fit into the scope; LABEL_NONE: all do. *which
 * is its text. Without a registry uids are not compared. */
static enum label misfit(const struct registry *reg,
                         const struct resource_attributes *fields,
                         const struct writer_scope *scope, struct slice *which)
{
    for (int i = 0; i < IDENTITY_NAMES; i++) {
        enum label label = name_labels[i];

        *which = fields->label[label];
        if (!fits(scope->name[i], *which))
            return label;
        *which = fields->other[label];
        if (!fits(scope->name[i], *which))
            return label;
    }
    *which = fields->label[LABEL_RESOURCE]; /* stands for the component */
    if (fields->label[LABEL_COMPONENT].len == 0 &&
        !fits(scope->name[IDENTITY_COMPONENT], *which))
        return LABEL_RESOURCE;
    for (int i = 0; reg && i < UID_LABELS; i++) {
        *which = fields->label[uid_labels[i]];
        if (!uid_fits(reg, uid_labels[i], *which, scope))
            return uid_labels[i];
        *which = fields->other[uid_labels[i]];
        if (!uid_fits(reg, uid_labels[i], *which, scope))
            return uid_labels[i];
    }
    return LABEL_NONE;
}

/* The scope into which all labels fit. Else the one into which most do, and the
 * first label that does not; with no scope at all LABEL_NAMESPACE. */
static enum label choose_scope(const struct registry *reg,
                               const struct registry_sender *sender,
                               const struct resource_attributes *fields,
                               struct writer_scope *best, struct slice *which)
{
    enum label worst = LABEL_NONE;
    struct writer_scope scope;
    struct slice text;
    uint32_t at = 0;
    bool any = false;

    *best = (struct writer_scope){.name = {{NULL, 0}}};
    *which = fields->label[LABEL_NAMESPACE];
    while (writer_next_scope(sender->writer, &at, &scope)) {
        enum label label = misfit(reg, fields, &scope, &text);

        if (label == LABEL_NONE || !any || label > worst) {
            worst = label;
            *best = scope;
            *which = text;
        }
        any = true;
        if (label == LABEL_NONE)
            return LABEL_NONE;
    }
    return any ? worst : LABEL_NAMESPACE;
}

/* ---- the text of a refusal ---- */

/* At most SHOWN_BYTES, whole characters, none of them a control character. */
static struct slice shown(struct slice text, char to[SHOWN_BYTES])
{
    const uint8_t *at = (const uint8_t *)text.ptr, *end = at + text.len;
    size_t len = 0;

    while (at && at < end) {
        uint32_t c = 0;
        size_t size = utf8_decode(at, end, &c);

        if (len + (size ? size : 1) > SHOWN_BYTES)
            break;
        if (size == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0)) {
            to[len++] = '?';
        } else {
            memcpy(to + len, at, size);
            len += size;
        }
        at += size ? size : 1;
    }
    return (struct slice){to, len};
}

/* Who may not write it. */
static void name_sender(const struct registry_sender *from,
                        char text[SHOWN_BYTES + 8])
{
    char shortened[SHOWN_BYTES];
    struct slice topic = shown(from->topic, shortened);

    if (topic.len > 0)
        snprintf(text, SHOWN_BYTES + 8, "topic %.*s", (int)topic.len,
                 topic.ptr);
    else
        snprintf(text, SHOWN_BYTES + 8, "this credential");
}

static void explain(const struct registry_sender *from, enum label label,
                    struct slice which, const struct writer_scope *scope,
                    struct registry_refusal *why)
{
    char stamped[SHOWN_BYTES], own[SHOWN_BYTES], sender[SHOWN_BYTES + 8];
    struct slice value = shown(which, stamped), fixed = {NULL, 0};
    bool is_uid = label >= LABEL_PROJECT_UID && label != LABEL_RESOURCE;

    name_sender(from, sender);
    why->label = label_names[label];
    if (from->tenant && !is_uid)
        for (int i = 0; i < IDENTITY_NAMES; i++)
            if (name_labels[i] == label ||
                (label == LABEL_RESOURCE && i == IDENTITY_COMPONENT))
                fixed = scope->name[i];
    if (fixed.len > 0) {
        fixed = shown(fixed, own);
        snprintf(why->text, sizeof(why->text),
                 "%s %.*s is not that of %s (%.*s)", why->label, (int)value.len,
                 value.ptr, sender, (int)fixed.len, fixed.ptr);
    } else if (is_uid) {
        snprintf(why->text, sizeof(why->text),
                 "%s %.*s belongs to a scope that %s may not write to",
                 why->label, (int)value.len, value.ptr, sender);
    } else {
        snprintf(why->text, sizeof(why->text), "%s %.*s is not one of %s",
                 why->label, (int)value.len, value.ptr, sender);
    }
}

/* ---- accept ---- */

static bool accepts(const struct registry *reg,
                    const struct registry_sender *sender,
                    const struct resource_attributes *fields,
                    struct registry_refusal *why)
{
    struct writer_scope scope;
    struct slice which;
    enum label label = choose_scope(reg, sender, fields, &scope, &which);

    if (label == LABEL_NONE || (sender->tenant && sender->writer->override))
        return true;
    if (why)
        explain(sender, label, which, &scope, why);
    return false;
}

bool registry_accepts(const struct registry *reg, const struct attrs *attrs,
                      struct registry_refusal *why)
{
    struct resource_attributes fields;

    if (!reg->sender.writer)
        return true;
    memset(&fields, 0, sizeof(fields));
    attributes_read(&fields, &reg->labels, attrs);
    return accepts(reg, &reg->sender, &fields, why);
}

bool registry_accepts_names(const struct registry *reg,
                            const struct writer *writer,
                            const struct attrs *attrs,
                            struct registry_refusal *why)
{
    struct registry_sender sender = sender_of(writer);
    struct resource_attributes fields;

    if (!writer)
        return true;
    memset(&fields, 0, sizeof(fields));
    attributes_read(&fields, &reg->labels, attrs);
    return accepts(NULL, &sender, &fields, why);
}

/* ---- complete ---- */

static void replace(const struct registry *reg,
                    const struct writer_scope *scope,
                    struct resource_attributes *fields)
{
    struct slice none = {NULL, 0};

    for (int i = 0; i < IDENTITY_NAMES; i++)
        if (!fits(scope->name[i], fields->label[name_labels[i]]))
            fields->label[name_labels[i]] = scope->name[i];
    if (!fits(scope->name[IDENTITY_COMPONENT], fields->label[LABEL_RESOURCE]))
        fields->label[LABEL_RESOURCE] = none;
    for (int i = 0; i < UID_LABELS; i++)
        if (!uid_fits(reg, uid_labels[i], fields->label[uid_labels[i]], scope))
            fields->label[uid_labels[i]] = none;
}

bool sender_complete(const struct registry *reg,
                     struct resource_attributes *fields)
{
    struct writer_scope scope;
    struct slice which;
    enum label label;

    if (!reg->sender.writer)
        return true;
    label = choose_scope(reg, &reg->sender, fields, &scope, &which);
    if (!reg->sender.tenant)
        return label == LABEL_NONE;
    if (reg->sender.writer->override)
        replace(reg, &scope, fields);
    for (int i = 0; i < IDENTITY_NAMES; i++)
        fields->given[i] = scope.name[i];
    fields->given[IDENTITY_NAMESPACE] = reg->sender.writer->tenant;
    if (scope.name[IDENTITY_COMPONENT].len > 0 &&
        fields->label[LABEL_COMPONENT].len == 0 &&
        fields->label[LABEL_RESOURCE].len == 0)
        fields->label[LABEL_COMPONENT] = scope.name[IDENTITY_COMPONENT];
    return label == LABEL_NONE || reg->sender.writer->override;
}
