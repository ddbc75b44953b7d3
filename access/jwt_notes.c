/*
 * What is shown about issuers, their keys and the authorization service:
 * metadata, notes of /health, lines of /metrics.
 */
#include "jsonw.h"
#include "jwt_int.h"

bool jwt_metadata(const struct jwt *jwt, struct slice resource, struct buf *out)
{
    static const char *const scopes[] = {"openid", "profile", "email"};
    struct jsonw w;

    if (jwt->count == 0)
        return false;
    jsonw_init(&w, out);
    jsonw_open(&w, '{');
    jsonw_member_text(&w, "resource_name", SLICE("Callboard"));
    jsonw_member_text(&w, "resource", resource);
    jsonw_name(&w, "authorization_servers");
    jsonw_open(&w, '[');
    for (uint32_t i = 0; i < jwt->count; i++)
        jsonw_text(&w, jwt->trusts[i].issuer);
    jsonw_close(&w, ']');
    jsonw_name(&w, "bearer_methods_supported");
    jsonw_open(&w, '[');
    jsonw_cstr(&w, "header");
    jsonw_close(&w, ']');
    jsonw_name(&w, "scopes_supported");
    jsonw_open(&w, '[');
    for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
        jsonw_cstr(&w, scopes[i]);
    jsonw_close(&w, ']');
    jsonw_close(&w, '}');
    return true;
}

bool jwt_note(struct jwt *jwt, struct buf *out)
{
    bool noted = reread_file_note(&jwt->grants, out);

    for (uint32_t i = 0; i <= jwt->count; i++) {
        struct buf note;

        buf_init(&note, 1024);
        if (i < jwt->count ? jwt_keys_note(jwt->keys[i], &note)
                           : jwt->authz && authz_note(jwt->authz, &note)) {
            buf_format(out, "%s%.*s", noted ? "; " : "",
                       SLICE_ARGS(buf_slice(&note)));
            noted = true;
        }
        buf_release(&note);
    }
    return noted;
}

void jwt_print(struct jwt *jwt, struct buf *out)
{
    static const char name[] = "callboard_jwks_age_seconds";
    bool first = true;

    for (uint32_t i = 0; i < jwt->count; i++) {
        uint64_t age_s = jwt_keys_age_s(jwt->keys[i]);
        struct jsonw w;

        if (jwt_keys_is_file(jwt->keys[i]) || age_s == UINT64_MAX)
            continue;
        if (first)
            buf_format(out,
                       "# HELP %s Seconds since the keys of the issuer were "
                       "fetched.\n# TYPE %s gauge\n",
                       name, name);
        first = false;
        buf_format(out, "%s{issuer=", name);
        jsonw_init(&w, out);
        jsonw_text(&w, jwt->trusts[i].issuer);
        buf_format(out, "} %llu\n", (unsigned long long)age_s);
    }
}
