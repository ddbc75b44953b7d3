#include "authz_json.h"

#include <jansson.h>

#define BIT ACTION_BIT

static const action_set known =
    BIT(ACTION_LOGS_VIEW) | BIT(ACTION_EVENTS_VIEW) | BIT(ACTION_METRICS_VIEW) |
    BIT(ACTION_TRACES_VIEW) | BIT(ACTION_ALERTS_VIEW) |
    BIT(ACTION_INCIDENTS_VIEW) | BIT(ACTION_INCIDENTS_UPDATE) |
    BIT(ACTION_FINOPS_VIEW) | BIT(ACTION_RCA_VIEW) | BIT(ACTION_RCA_UPDATE) |
    BIT(ACTION_DELIVERY_VIEW);

bool authz_knows(enum action action)
{
    return action > ACTION_NONE && action < ACTION_COUNT &&
           (known & BIT(action));
}

static json_t *text_of(struct slice text)
{
    return json_stringn(text.len ? text.ptr : "", text.len);
}

/* The resource is the most specific of the names that are there. */
static json_t *resource_of(const union scope_names *scope)
{
    static const char *const types[] = {"namespace", "project", "component"};
    json_t *hierarchy = json_pack("{}");
    int last = 0;

    for (int i = 0; i < 3; i++)
        if (scope->name[i].len > 0) {
            json_object_set_new(hierarchy, types[i], text_of(scope->name[i]));
            last = i;
        }
    return json_pack("{s:s, s:o, s:o}", "type", types[last], "id",
                     text_of(scope->name[last]), "hierarchy", hierarchy);
}

static void write_question(struct buf *out, struct slice context,
                           enum action action, const union scope_names *scope,
                           bool qualified)
{
    json_t *resource = resource_of(scope);
    char *text = json_dumps(resource, JSON_COMPACT);

    buf_format(out,
               "{\"subject_context\":%.*s,\"resource\":%s,\"action\":\"%s\"",
               SLICE_ARGS(context), text ? text : "{}", action_text(action));
    json_decref(resource);
    free(text);
    text = NULL;
    if (scope->environment.len > 0) {
        json_t *name = json_sprintf(
            "%.*s%s%.*s", SLICE_ARGS(qualified ? scope->namespace : SLICE("")),
            qualified ? "/" : "", SLICE_ARGS(scope->environment));

        text = name ? json_dumps(name, JSON_ENCODE_ANY) : NULL;
        json_decref(name);
    }
    if (text)
        buf_format(out, ",\"context\":{\"resource\":{\"environment\":%s}}}",
                   text);
    else
        buf_format(out, ",\"context\":{}}");
    free(text);
}

uint32_t authz_write_questions(struct buf *out, struct slice context,
                               enum action action,
                               const union scope_names *scope,
                               bool cluster_environments)
{
    uint32_t count = cluster_environments && scope->environment.len > 0 ? 2 : 1;

    buf_byte(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_byte(out, ',');
        write_question(out, context, action, scope, i == 0);
    }
    buf_byte(out, ']');
    return count;
}

enum status authz_read_answer(struct slice text, uint32_t count, bool *yes)
{
    json_t *root = json_loadb(text.len ? text.ptr : "", text.len,
                              JSON_REJECT_DUPLICATES, NULL);
    enum status status = OK;
    const json_t *one;
    size_t i;

    *yes = false;
    if (!json_is_array(root) || json_array_size(root) != count)
        status = ERR_MALFORMED;
    json_array_foreach(root, i, one)
    {
        const json_t *decision = json_object_get(one, "decision");

        if (!json_is_boolean(decision))
            status = ERR_MALFORMED;
        *yes = *yes || json_is_true(decision);
    }
    *yes = *yes && status == OK;
    json_decref(root);
    return status;
}
