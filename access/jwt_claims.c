#include "jwt_claims.h"

#include <string.h>

#include "json_slice.h"

/* Times are seconds in [0, 1e11): until the year 5138. */
#define MAX_TIME 1e11

json_t *jwt_claims_parse(struct slice payload)
{
    json_t *root = json_loadb(payload.len ? payload.ptr : "", payload.len,
                              JSON_REJECT_DUPLICATES, NULL);

    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

struct slice jwt_claims_text(const json_t *claims, const char *name)
{
    return json_slice_of(claims, name);
}

static bool holds_audience(const json_t *aud, struct slice audience)
{
    const json_t *one;
    size_t i;
    bool found = false;

    if (json_is_string(aud))
        return slice_equal(json_slice(aud), audience);
    json_array_foreach(aud, i, one)
    {
        if (!json_is_string(one))
            return false;
        found = found || slice_equal(json_slice(one), audience);
    }
    return found;
}

/* False: it is there and no time. Absent: *time is unchanged. */
static bool read_time(const json_t *claims, const char *name, double *time)
{
    const json_t *value = json_object_get(claims, name);
    double number = json_number_value(value);

    if (!value)
        return true;
    if (!json_is_number(value) || !(number >= 0 && number < MAX_TIME))
        return false;
    *time = number;
    return true;
}

enum status jwt_claims_check(const json_t *claims, struct slice audience,
                             uint64_t now_s, uint64_t *expires_s,
                             const char **why)
{
    double now = (double)now_s, exp = -1, nbf = 0, iat = 0;

    if (audience.len > 0 &&
        !holds_audience(json_object_get(claims, "aud"), audience))
        *why = "another audience";
    else if (!read_time(claims, "exp", &exp) || exp < 0)
        *why = "no exp";
    else if (!read_time(claims, "nbf", &nbf) || !read_time(claims, "iat", &iat))
        *why = "nbf or iat is not a time";
    else if (now >= exp + JWT_LEEWAY_S)
        *why = "expired";
    else if (nbf > now + JWT_LEEWAY_S || iat > now + JWT_LEEWAY_S)
        *why = "not valid yet";
    else if (jwt_claims_text(claims, "sub").len == 0)
        *why = "no sub";
    else {
        *expires_s = (uint64_t)exp;
        return OK;
    }
    return ERR_UNAUTHENTICATED;
}

/* A name has the bytes up to a slash only, so it may contain slashes itself:
 * every way to cut it is tried. Names come from the operator. */
static const json_t *find_claim(const json_t *object, const char *name)
{
    const json_t *found = json_object_get(object, name);

    for (const char *slash = strchr(name, '/'); !found && slash;
         slash = strchr(slash + 1, '/')) {
        const json_t *inner =
            json_object_getn(object, name, (size_t)(slash - name));

        if (json_is_object(inner))
            found = find_claim(inner, slash + 1);
    }
    return found;
}

static uint32_t add_value(struct slice values[JWT_MAX_VALUES], uint32_t count,
                          struct slice value)
{
    if (count < JWT_MAX_VALUES && value.len > 0 && value.len <= JWT_MAX_VALUE)
        values[count++] = value;
    return count;
}

uint32_t jwt_claims_values(const json_t *claims, const char *name,
                           struct slice values[JWT_MAX_VALUES])
{
    const json_t *claim = find_claim(claims, name), *one;
    bool split = strcmp(name, "scope") == 0 || strcmp(name, "scp") == 0;
    struct slice rest = json_slice(claim);
    uint32_t count = 0;
    size_t i;

    if (!split)
        count = add_value(values, count, rest);
    while (split && rest.len > 0)
        count = add_value(values, count, slice_split(&rest, ' '));
    json_array_foreach(claim, i, one) count =
        add_value(values, count, json_slice(one));
    return count;
}
