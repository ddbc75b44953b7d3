#include "grant_rules.h"

#include <stdio.h>
#include <stdlib.h>

#include "grant_json.h"
#include "json_slice.h"
#include "mem.h"
#include "subject.h"
#include "yaml_json.h"

enum { MAX_SUBJECT_TYPES = 16 };

struct grant_rule {
    const char *claim; /* NULL: of a certificate */
    struct slice value;
    struct grant grant;
};

struct subject_type {
    const char *type, *claim;
};

struct grant_rules {
    atomic_uint refs;
    json_t *tree; /* holds all texts */
    struct subject_type types[MAX_SUBJECT_TYPES];
    uint32_t type_count, count;
    struct grant_rule rules[];
};

struct rules_reader {
    struct grant_rules *rules;
    const char *where; /* subjects or grants */
    size_t row;
    char *error;
    size_t error_size;
};

static bool fail(struct rules_reader *r, const char *why, const char *what)
{
    snprintf(r->error, r->error_size, "%s, row %zu: %s%s%s", r->where,
             r->row + 1, why, what ? ": " : "", what ? what : "");
    return false;
}

/* ---- a row of grants ---- */

static bool read_grant(struct rules_reader *r, json_t *row)
{
    static const char *const members[] = {"claim", "value", "certificate",
                                          NULL};
    struct grant_rule *rule = &r->rules->rules[r->rules->count++];
    struct slice claim = json_slice_of(row, "claim");
    struct slice value = json_slice_of(row, "value");
    struct slice certificate = json_slice_of(row, "certificate");
    const char *unknown = grant_json_unknown(row, grant_json_members, members);
    char error[GRANT_ERROR];

    if (unknown)
        return fail(r, "no such member", unknown);
    if ((claim.len > 0) != (value.len > 0) ||
        (claim.len > 0) == (certificate.len > 0))
        return fail(r, "either claim and value, or certificate, is needed",
                    NULL);
    rule->claim = claim.len > 0 ? claim.ptr : NULL;
    rule->value = claim.len > 0 ? value : certificate;
    return grant_json_parse(row, &rule->grant, error) == OK ||
           fail(r, error, NULL);
}

/* ---- a row of subjects ---- */

static bool read_subject(struct rules_reader *r, json_t *row)
{
    struct slice type = json_slice_of(row, "type");
    struct slice claim = json_slice_of(row, "claim");

    if (type.len == 0 || claim.len == 0 || json_object_size(row) != 2)
        return fail(r, "type and claim are needed, and nothing else", NULL);
    if (r->rules->type_count == MAX_SUBJECT_TYPES)
        return fail(r, "too many rows", NULL);
    r->rules->types[r->rules->type_count++] =
        (struct subject_type){type.ptr, claim.ptr};
    return true;
}

/* ---- the file ---- */

static bool read_rows(struct rules_reader *r, json_t *rows,
                      bool (*read)(struct rules_reader *r, json_t *row))
{
    json_t *row;

    r->row = 0;
    if (!json_is_array(rows))
        return fail(r, "not a list", NULL);
    if (json_array_size(rows) > GRANT_RULES_MAX)
        return fail(r, "more than 4096 rows", NULL);
    json_array_foreach(rows, r->row,
                       row) if (!json_is_object(row) ||
                                !read(r, row)) return json_is_object(row)
        ? false
        : fail(r, "not a mapping", NULL);
    return true;
}

static bool read_tree(struct rules_reader *r, json_t *tree)
{
    const char *name;
    json_t *rows;

    json_object_foreach(tree, name, rows)
    {
        bool grants = strcmp(name, "grants") == 0;

        r->where = grants ? "grants" : "subjects";
        if (!grants && strcmp(name, "subjects") != 0) {
            snprintf(r->error, r->error_size, "no such member: %s", name);
            return false;
        }
        if (!read_rows(r, rows, grants ? read_grant : read_subject))
            return false;
    }
    return true;
}

struct grant_rules *grant_rules_parse(struct slice text, char *error,
                                      size_t error_size)
{
    char why[YAML_ERROR] = "larger than 1 MiB";
    json_t *tree =
        text.len <= GRANT_RULES_MAX_BYTES ? yaml_json_parse(text, why) : NULL;
    size_t rows = json_array_size(json_object_get(tree, "grants"));
    struct grant_rules *rules;
    struct rules_reader r = {.error = error, .error_size = error_size};

    snprintf(error, error_size, "%s", tree ? "not a mapping" : why);
    rules = mem_zero(1, sizeof(*rules) + rows * sizeof(struct grant_rule));
    rules->refs = 1;
    rules->tree = tree;
    r.rules = rules;
    if (json_is_object(tree) && rows <= GRANT_RULES_MAX && read_tree(&r, tree))
        return rules;
    if (json_is_object(tree) && rows > GRANT_RULES_MAX)
        snprintf(error, error_size, "grants: more than 4096 rows");
    grant_rules_free(rules);
    return NULL;
}

struct grant_rules *grant_rules_ref(struct grant_rules *rules)
{
    atomic_fetch_add(&rules->refs, 1);
    return rules;
}

void grant_rules_free(struct grant_rules *rules)
{
    if (!rules || atomic_fetch_sub(&rules->refs, 1) != 1)
        return;
    json_decref(rules->tree);
    free(rules);
}

/* ---- which rules hold ---- */

static bool holds(const struct grant_rule *rule, const struct slice *values,
                  uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (slice_equal(rule->value, values[i]))
            return true;
    return false;
}

/* The grants of the rules that hold; the number of them. */
static uint32_t hold_claims(const struct grant_rules *rules,
                            const json_t *claims, struct grant *grants)
{
    struct slice values[JWT_MAX_VALUES];
    const char *claim = NULL; /* whose values these are */
    uint32_t count = 0, held = 0;

    for (uint32_t i = 0; i < rules->count; i++) {
        const struct grant_rule *rule = &rules->rules[i];

        if (!rule->claim)
            continue;
        if (!claim || strcmp(claim, rule->claim) != 0)
            count = jwt_claims_values(claims, rule->claim, values);
        claim = rule->claim;
        if (holds(rule, values, count))
            grants[held++] = rule->grant;
    }
    return held;
}

/* ---- subjects ---- */

/* What people call the user; sub if there is nothing better. */
static struct slice name_of(const json_t *claims)
{
    static const char *const names[] = {"preferred_username", "email", "name",
                                        "client_id", "sub"};
    struct slice name = {NULL, 0};

    for (size_t i = 0; name.len == 0 && i < sizeof(names) / sizeof(*names); i++)
        name = slice_truncate(jwt_claims_text(claims, names[i]), JWT_MAX_VALUE);
    return name;
}

static char *write_context(const struct subject_type *type,
                           const struct slice *values, uint32_t count)
{
    json_t *list = json_pack("[]"), *context;
    char *text;

    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(list, json_stringn(values[i].ptr, values[i].len));
    context =
        json_pack("{s:s, s:s, s:o}", "type", type->type, "entitlement_claim",
                  type->claim, "entitlement_values", list);
    text = json_dumps(context, JSON_COMPACT);
    json_decref(context);
    return text;
}

char *grant_rules_context(const struct grant_rules *rules, const json_t *claims)
{
    static const struct subject_type usual[] = {
        {"user", "groups"},
        {"service_account", "client_id"},
        {"service_account", "sub"}};
    const struct subject_type *types = usual;
    uint32_t types_left = sizeof(usual) / sizeof(*usual);
    struct slice values[JWT_MAX_VALUES];

    if (rules && rules->type_count > 0) {
        types = rules->types;
        types_left = rules->type_count;
    }
    for (; types_left > 0; types_left--, types++) {
        uint32_t count = jwt_claims_values(claims, types->claim, values);

        if (count > 0)
            return write_context(types, values, count);
    }
    return NULL;
}

struct subject *grant_rules_jwt(const struct grant_rules *rules,
                                const json_t *claims, struct slice token,
                                struct slice context, uint64_t expires_ns)
{
    struct grant *grants =
        mem_zero(rules ? rules->count + 1 : 1, sizeof(*grants));
    struct subject of = {
        .kind = SUBJECT_JWT,
        .id = slice_truncate(jwt_claims_text(claims, "sub"), SUBJECT_MAX_ID),
        .name = name_of(claims),
        .issuer = jwt_claims_text(claims, "iss"),
        .token = token,
        .context = context,
        .grants = {grants, rules ? hold_claims(rules, claims, grants) : 0},
        .expires_ns = expires_ns,
    };
    struct subject *subject = subject_new(&of);

    free(grants);
    return subject;
}

static bool is_for(const struct grant_rule *rule, struct slice certificate)
{
    return !rule->claim && slice_equal(rule->value, certificate);
}

/* For each request: no more is allocated than it has. */
struct subject *grant_rules_certificate(const struct grant_rules *rules,
                                        struct slice name)
{
    struct subject of = {.kind = SUBJECT_CERTIFICATE, .id = name, .name = name};
    struct subject *subject;
    struct grant *grants;
    uint32_t count = 0;

    for (uint32_t i = 0; i < rules->count; i++)
        count += is_for(&rules->rules[i], name);
    if (count == 0)
        return NULL;
    grants = mem_zero(count, sizeof(*grants));
    for (uint32_t i = 0; i < rules->count; i++)
        if (is_for(&rules->rules[i], name))
            grants[of.grants.count++] = rules->rules[i].grant;
    of.grants.at = grants;
    subject = subject_new(&of);
    free(grants);
    return subject;
}
