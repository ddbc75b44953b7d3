/*
 * Tempo's older parameter `tags`: key=value with blanks between, values in
 * double quotes where they have blanks themselves. A value is compared as text
 * whatever its type.
 */
#include "traceql_parser.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Up to a mark or a blank, or what stands in quotes; false: no closing quote,
 * or the arena is full. */
static bool read_word(struct slice *rest, const char *marks,
                      struct arena *arena, struct slice *word)
{
    char *to = arena_alloc(arena, rest->len + 1);
    size_t at = 0, len = 0;
    bool quoted = false;

    if (!to)
        return false;
    for (; at < rest->len; at++) {
        char c = rest->ptr[at];

        if (!quoted && (is_blank(c) || (c && strchr(marks, c))))
            break;
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted && at + 1 < rest->len)
            to[len++] = rest->ptr[++at];
        else
            to[len++] = c;
    }
    *rest = slice_from(*rest, at);
    *word = (struct slice){to, len};
    return !quoted;
}

/* Names that are no attributes. */
static void find_field(struct slice key, struct traceql_field *field)
{
    static const struct {
        const char *key;
        enum traceql_intrinsic intrinsic;
    } names[] = {{"name", TRACEQL_SPAN_NAME},
                 {"root.name", TRACEQL_ROOT_NAME},
                 {"root.service.name", TRACEQL_ROOT_SERVICE}};

    *field = (struct traceql_field){
        .scope = slice_equal(key, SLICE("service.name")) ? TRACEQL_RESOURCE
                                                         : TRACEQL_ANY,
        .name = key};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_equal(key, slice_of(names[i].key)))
            *field = (struct traceql_field){.scope = TRACEQL_INTRINSIC,
                                            .intrinsic = names[i].intrinsic,
                                            .name = key};
}

/* error=true, status.code=error or 2; false: it is no status. */
static bool find_status(struct slice key, struct slice value, int64_t *status)
{
    static const char *const words[] = {"unset", "ok", "error"};

    if (slice_equal(key, SLICE("error")) && slice_equal(value, SLICE("true"))) {
        *status = SPAN_ERROR;
        return true;
    }
    if (!slice_equal(key, SLICE("status.code")))
        return false;
    for (int i = 0; i < 3; i++)
        if (slice_equal(value, slice_of(words[i])) ||
            (value.len == 1 && value.ptr[0] == '0' + i)) {
            *status = i;
            return true;
        }
    return false;
}

static struct traceql_expr *condition(struct traceql_parser *p,
                                      struct slice key, struct slice value)
{
    struct traceql_expr *e = traceql_new(p, TRACEQL_BINARY);
    int64_t status;

    if (!e)
        return NULL;
    e->left = traceql_new(p, TRACEQL_FIELD);
    e->right = traceql_new(p, TRACEQL_LITERAL);
    if (!e->left || !e->right)
        return NULL;
    if (find_status(key, value, &status)) {
        e->op = TRACEQL_EQUAL;
        e->left->field =
            (struct traceql_field){.scope = TRACEQL_INTRINSIC,
                                   .intrinsic = TRACEQL_SPAN_STATUS,
                                   .name = SLICE("status")};
        e->right->value =
            (struct traceql_value){.type = TRACEQL_STATUS, .i = status};
    } else {
        e->op = TRACEQL_AS_TEXT;
        find_field(key, &e->left->field);
        e->right->value =
            (struct traceql_value){.type = TRACEQL_STRING, .text = value};
    }
    traceql_show(p, &e->left->field);
    return e;
}

static struct traceql_expr *joined(struct traceql_parser *p,
                                   struct traceql_expr *left,
                                   struct traceql_expr *right)
{
    struct traceql_expr *both =
        right && left ? traceql_new(p, TRACEQL_BINARY) : NULL;

    if (!left || !both)
        return left ? both : right;
    both->op = TRACEQL_AND;
    both->left = left;
    both->right = right;
    return both;
}

static struct slice skip_blanks(struct slice text)
{
    while (text.len > 0 && is_blank(text.ptr[0]))
        text = slice_from(text, 1);
    return text;
}

enum status traceql_parse_tags(struct slice text, struct arena *arena,
                               struct traceql *query, char error[TRACEQL_ERROR])
{
    struct traceql_parser p = {
        .lex = {.text = text, .arena = arena}, .query = query, .error = error};
    struct slice rest = skip_blanks(text), key, value;

    *query = (struct traceql){0};
    error[0] = '\0';
    query->first = arena_zero(arena, 1, sizeof(*query->first));
    for (; query->first && rest.len > 0 && !traceql_failed(&p);
         rest = skip_blanks(rest)) {
        size_t place = text.len - rest.len;

        if (!read_word(&rest, "=", arena, &key) || key.len == 0 ||
            rest.len == 0 || rest.ptr[0] != '=') {
            traceql_fail(&p, place, "tags are written key=value");
            break;
        }
        rest = slice_from(rest, 1);
        if (!read_word(&rest, "", arena, &value)) {
            traceql_fail(&p, place, "a value without its closing quote");
            break;
        }
        query->first->filter =
            joined(&p, query->first->filter, condition(&p, key, value));
    }
    return traceql_failed(&p) ? ERR_INVALID : arena_status(arena);
}
