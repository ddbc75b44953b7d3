/*
 * Pieces that several answers are made of.
 */
#include "route.h"

void reply_text(struct call *call, const char *key, struct slice text)
{
    if (text.len > 0)
        jsonw_member_text(&call->json, key, text);
}

bool reply_is_uuid(struct slice text)
{
    if (text.len != 36)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
                   (c >= 'A' && c <= 'F');

        if (dash ? c != '-' : !hex)
            return false;
    }
    return true;
}

void reply_uid(struct call *call, const char *key, struct slice uid)
{
    if (reply_is_uuid(uid))
        jsonw_member_text(&call->json, key, uid);
}

void reply_identity_members(struct call *call, const struct identity *identity)
{
    reply_text(call, "componentName", identity->component);
    reply_text(call, "projectName", identity->project);
    reply_text(call, "environmentName", identity->environment);
    reply_text(call, "namespaceName", identity->namespace);
    reply_uid(call, "componentUid", identity->component_uid);
    reply_uid(call, "projectUid", identity->project_uid);
    reply_uid(call, "environmentUid", identity->environment_uid);
}

void reply_identity(struct call *call, uint32_t resource_id)
{
    struct identity identity;

    if (registry_resource_identity(call->services->registry, resource_id,
                                   call->arena, &identity))
        reply_identity_members(call, &identity);
}

struct slice reply_value_text(struct call *call, const struct attr *value)
{
    struct slice text = attr_text(value);
    struct buf buf;
    struct jsonw json;

    if (value->type == VALUE_STRING || value->type == VALUE_EMPTY)
        return text;
    buf_init(&buf, call->out.cap);
    jsonw_init(&json, &buf);
    jsonw_value(&json, value);
    text = arena_copy(call->arena, buf_slice(&buf));
    buf_release(&buf);
    return text;
}
