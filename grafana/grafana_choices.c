/*
 * POST /variable, /search, /tag-keys, /tag-values: what people choose from. In:
 * a request for one list. Out: its texts, in the shape that the plugin reads.
 *
 * A variable's query is text, "components(namespace=acme, project=shop)" or
 * "components(acme, shop)", or a JSON object {"target": "components",
 * "namespace": "acme"}.
 */
#include "grafana_lists.h"
#include "grafana_run.h"

static void write_option(struct jsonw *w, const char *text_key,
                         const char *value_key, struct slice text)
{
    jsonw_open(w, '{');
    jsonw_member_text(w, text_key, text);
    if (value_key)
        jsonw_member_text(w, value_key, text);
    jsonw_close(w, '}');
}

static void write_options(struct jsonw *w, const char *text_key,
                          const char *value_key, const struct text_list *list)
{
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < list->count; i++)
        write_option(w, text_key, value_key, list->at[i]);
    jsonw_close(w, ']');
}

static enum status unknown_list(struct query_request *request,
                                struct slice name)
{
    return query_invalid(request,
                         "unknown list '%.*s'; there are namespaces, projects, "
                         "environments, components, endpoints, operations, "
                         "versions, pods, levels and series",
                         SLICE_ARGS(slice_truncate(name, 80)));
}

/* ---- the text form ---- */

static const char blanks[] = PARAMS_BLANKS;

/* Up to a comma that is not inside (a|b), {a,b}, or behind a backslash. */
static struct slice next_argument(struct slice *rest)
{
    struct slice whole = *rest;
    int depth = 0;
    size_t i = 0;

    for (; i < whole.len; i++) {
        char c = whole.ptr[i];

        if (c == '\\')
            i++;
        else if (c == '(' || c == '{' || c == '[')
            depth++;
        else if (c == ')' || c == '}' || c == ']')
            depth--;
        else if (c == ',' && depth == 0)
            break;
    }
    if (i > whole.len)
        i = whole.len;
    *rest = slice_from(whole, i < whole.len ? i + 1 : i);
    return slice_trim((struct slice){whole.ptr, i}, blanks);
}

/* "key=value", and no operation such as "GET /x?a=b". */
static bool has_key(struct slice argument, struct slice *key,
                    struct slice *value)
{
    struct slice rest = argument;

    *key = slice_trim(slice_split(&rest, '='), blanks);
    *value = slice_trim(rest, PARAMS_BLANKS "\"'");
    if (key->len == argument.len)
        return false;
    for (int k = 0; k < SCOPE_KEYS; k++)
        if (slice_equal(*key, slice_of(scope_keys[k])))
            return true;
    return false;
}

static void set_member(json_t *object, struct slice key, struct slice value)
{
    if (value.len > 0)
        json_object_setn_new(object, key.ptr, key.len,
                             json_stringn(value.ptr, value.len));
}

/* A lone argument that is no namespace: components(production). Names are
 * looked up from wide to narrow. */
static const char *key_of_lone(struct grafana_call *call, struct slice value)
{
    for (int k = 0; k < SCOPE_IDENTITY_KEYS; k++) {
        json_t *payload = json_object();
        struct grafana_query q;
        struct frames none;
        bool fits;

        set_member(payload, slice_of(scope_keys[k]), value);
        frames_init(&none, call->request->arena);
        query_init(&q, call, payload, &none);
        fits = query_select(&q, NULL) == OK && q.resources->count > 0;
        query_release(&q);
        json_decref(payload);
        if (fits)
            return scope_keys[k];
        if (call->request->failed != OK)
            break;
    }
    return scope_keys[0];
}

/* components(a, b): namespace, project, environment, component, endpoint. */
static struct slice read_text(struct grafana_call *call, struct slice text,
                              json_t *payload)
{
    struct slice name = slice_trim(text, blanks), rest;
    uint32_t position = 0;
    bool lone;

    name = slice_split(&text, '(');
    rest = slice_trim(text, blanks);
    if (slice_ends(rest, SLICE(")")))
        rest.len--;
    for (lone = true; rest.len > 0; lone = false) {
        struct slice key, value, argument = next_argument(&rest);

        if (has_key(argument, &key, &value)) {
            set_member(payload, key, value);
            continue;
        }
        argument = slice_trim(argument, "\"'");
        key = slice_of(
            lone && rest.len == 0 && argument.len > 0
                ? key_of_lone(call, argument)
                : scope_keys[position < SCOPE_KEYS - 1 ? position
                                                       : SCOPE_KEYS - 1]);
        set_member(payload, key, argument);
        position++;
    }
    return slice_trim(name, blanks);
}

/* ---- /variable and /search ---- */

/* The frames of a family: all their values are options. */
static enum status reply_family(struct grafana_call *call, struct slice target,
                                json_t *payload)
{
    struct frames frames;
    enum status s;

    frames_init(&frames, call->request->arena);
    s = grafana_run_one(call, target, payload, &frames);
    if (s == OK)
        frames_write(&frames, &call->request->json);
    return s;
}

static enum status reply_list(struct grafana_call *call, struct slice name,
                              json_t *payload, const char *text_key,
                              const char *value_key)
{
    struct text_list list;
    struct grafana_query q;
    struct frames none;
    bool known;
    enum status s;

    frames_init(&none, call->request->arena);
    query_init(&q, call, payload, &none);
    s = list_names(&q, name, &list, &known);
    if (s == OK && !known && grafana_family_find(name))
        return reply_family(call, name, payload);
    if (s == OK && !known)
        return unknown_list(call->request, name);
    if (s == OK)
        write_options(&call->request->json, text_key, value_key, &list);
    return s;
}

static enum status choose(struct query_request *request, json_t *given,
                          const char *text_key, const char *value_key)
{
    struct slice text = json_text_of(given), name;
    struct grafana_call call;
    json_t *payload = NULL;
    enum status s = call_read(&call, request);

    if (s != OK)
        return s;
    list_choose_action(request);
    if (json_is_object(given))
        text = json_text_of(json_object_get(given, "target"));
    if (json_is_object(given) && text.len == 0)
        text = json_text_of(json_object_get(given, "query"));
    text = slice_trim(text, blanks);
    if (text.len > 0 && text.ptr[0] == '{') { /* JSON in a text */
        json_t *parsed = payload_parse(text);

        if (!json_is_object(parsed)) {
            json_decref(parsed);
            return query_invalid(request, "the variable's query is no JSON: is "
                                          "a multi-value variable quoted? "
                                          "write $var without quotes");
        }
        json_object_set_new(request->body, "parsed", parsed);
        return choose(request, parsed, text_key, value_key);
    }
    payload = json_is_object(given) ? json_copy(given) : json_object();
    name = read_text(&call, text, payload);
    s = name.len == 0
            ? query_invalid(request, "the variable has no query: write "
                                     "components(namespace, project), for "
                                     "example")
            : reply_list(&call, name, payload, text_key, value_key);
    json_object_set_new(request->body, "asked", payload); /* texts borrow it */
    return s;
}

enum status grafana_variable(struct query_request *request)
{
    json_t *payload = json_object_get(request->body, "payload");

    if (!payload || json_is_null(payload))
        payload = request->body;
    return choose(request, payload, "__text", "__value");
}

/* Of simple-json: with no text, the list of targets. */
enum status grafana_search(struct query_request *request)
{
    json_t *target = json_object_get(request->body, "target");
    struct slice text = slice_trim(json_text_of(target), blanks);

    if (text.len > 0)
        return choose(request, target, "text", "value");
    jsonw_open(&request->json, '[');
    for (const struct grafana_family *f = grafana_families; f->target; f++)
        jsonw_cstr(&request->json, f->target);
    jsonw_close(&request->json, ']');
    return OK;
}

/* ---- ad hoc filters ---- */

static enum status select_for_tags(struct query_request *request,
                                   struct grafana_call *call,
                                   struct grafana_query *q, struct frames *none)
{
    enum status s = call_read(call, request);

    if (s != OK)
        return s;
    list_choose_action(request);
    frames_init(none, request->arena);
    query_init(q, call, request->body, none);
    return OK;
}

static void write_key(struct jsonw *w, struct slice key, const char *group)
{
    jsonw_open(w, '{');
    jsonw_member_text(w, "type", SLICE("string"));
    jsonw_member_text(w, "text", key);
    jsonw_member_text(w, "value", key);
    jsonw_member_text(w, "group", slice_of(group));
    jsonw_close(w, '}');
}

enum status grafana_tag_keys(struct query_request *request)
{
    struct jsonw *w = &request->json;
    struct text_list list = {.count = 0};
    struct grafana_call call;
    struct grafana_query q;
    struct frames none;
    enum status s = select_for_tags(request, &call, &q, &none);

    if (s != OK)
        return s;
    q.payload = json_object_get(request->body, "payload");
    call.filters = call.adhoc_filters = NULL; /* all keys, whatever is chosen */
    s = query_select(&q, NULL);
    if (s == OK)
        s = list_attribute_keys(&q, &list);
    query_release(&q);
    if (s != OK && s != ERR_FORBIDDEN)
        return s;
    if (s == ERR_FORBIDDEN) {
        request->failed = OK;
        request->http_status = 200;
        buf_reset(&request->out);
        jsonw_init(w, &request->out);
    }
    jsonw_open(w, '[');
    for (int k = 0; k < SCOPE_KEYS; k++)
        write_key(w, slice_of(scope_keys[k]), "Callboard");
    for (uint32_t i = 0; i < list.count; i++)
        write_key(w, list.at[i], "Attributes");
    jsonw_close(w, ']');
    return OK;
}

enum status grafana_tag_values(struct query_request *request)
{
    struct slice key = json_text_of(json_object_get(request->body, "key"));
    struct text_list list = {.count = 0};
    struct grafana_call call;
    struct grafana_query q;
    struct frames none;
    enum status s = select_for_tags(request, &call, &q, &none);
    bool known = false;

    if (s != OK)
        return s;
    if (key.len == 0)
        return query_invalid(request, "key is required");
    q.payload = NULL;
    s = list_names(&q, key, &list, &known);
    if (s == OK && !known) {
        query_init(&q, &call, NULL, &none);
        s = query_select(&q, NULL);
        if (s == OK)
            s = list_attribute(&q, key, &list);
        query_release(&q);
    }
    if (s == OK)
        write_options(&request->json, "text", "value", &list);
    return s;
}
