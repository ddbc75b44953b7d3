/* label_replace and label_join: new labels, same values. */
#include "ascii.h"
#include "buf.h"
#include "promql_eval.h"
#include "promql_handlers.h"
#include "regex_match.h"
#include "utf8.h"

enum { MAX_VALUE = 1 << 20 };

struct labeler {
    struct promql_eval *eval;
    const struct promql_node *call;
    struct slice target;
    const struct regex *regex; /* label_replace */
    struct buf value;
    struct promql_seen seen;
    promql_push *push;
    void *arg;
};

static struct slice arg_text(const struct labeler *labeler, uint32_t arg)
{
    return promql_string(labeler->call->u.call.args[arg]);
}

/* The series with `value` in the target label, in the arena. */
static enum status push_labelled(struct labeler *labeler,
                                 const struct promql_result_series *series,
                                 bool replace)
{
    struct promql_eval *eval = labeler->eval;
    struct arena *arena = promql_eval_arena(eval);
    struct promql_result_series out = *series;
    enum status s;

    if (replace)
        out.labels =
            promql_labels_set(arena, &series->labels, labeler->target,
                              arena_copy(arena, buf_slice(&labeler->value)));
    s = promql_full(eval);
    if (s == OK)
        s = promql_seen_add(eval, &labeler->seen, &out.labels);
    return s == OK ? labeler->push(labeler->arg, &out) : s;
}

static enum status run(struct labeler *labeler, promql_push *take)
{
    enum status s;

    labeler->seen.index.arena = promql_eval_arena(labeler->eval);
    buf_init(&labeler->value, MAX_VALUE);
    s = promql_eval_node(labeler->eval, labeler->call->u.call.args[0], take,
                         labeler);
    buf_release(&labeler->value);
    return s;
}

/* ---- label_replace ---- */

static bool is_word(char c)
{
    return is_letter(c) || is_digit(c) || c == '_';
}

static struct slice take_word(struct slice *rest)
{
    struct slice word = {rest->ptr, 0};

    while (word.len < rest->len && is_word(rest->ptr[word.len]))
        word.len++;
    *rest = slice_from(*rest, word.len);
    return word;
}

/* Behind a dollar: name or {name}, which it takes. False: neither. */
static bool take_variable(struct slice *rest, struct slice *name)
{
    struct slice at = *rest;
    bool braces = at.len > 0 && at.ptr[0] == '{';

    if (braces)
        at = slice_from(at, 1);
    *name = take_word(&at);
    if (name->len == 0 || (braces && !slice_starts(at, SLICE("}"))))
        return false;
    *rest = slice_from(at, braces ? 1 : 0);
    return true;
}

/* The group of this number or name; -1: there is none. */
static int group_of(const struct regex *regex, struct slice name)
{
    int number = 0;

    for (size_t i = 0; i < name.len; i++) {
        if (!is_digit(name.ptr[i]))
            return regex_group_number(regex, name);
        if (number < REGEX_MAX_GROUPS)
            number = number * 10 + (name.ptr[i] - '0');
    }
    return number;
}

/* Go's Regexp.Expand: $1, ${1}, $name, $$. */
static void expand(struct buf *out, const struct regex *regex,
                   struct slice template, const struct slice *groups,
                   uint32_t count)
{
    while (template.len > 0) {
        struct slice plain = slice_split(&template, '$'), name;
        bool dollar = plain.ptr + plain.len != template.ptr;
        int group;

        buf_add(out, plain);
        if (!dollar)
            return;
        if (slice_starts(template, SLICE("$"))) {
            buf_byte(out, '$');
            template = slice_from(template, 1);
        } else if (take_variable(&template, &name)) {
            group = group_of(regex, name);
            if (group >= 0 && (uint32_t)group < count)
                buf_add(out, groups[group]);
        } else {
            buf_byte(out, '$');
        }
    }
}

static enum status replace_take(void *arg,
                                const struct promql_result_series *series)
{
    struct labeler *labeler = arg;
    struct slice groups[REGEX_MAX_GROUPS];
    uint32_t count;
    struct slice value =
        promql_label_value(&series->labels, arg_text(labeler, 3));

    if (!regex_groups(labeler->regex, value, groups, &count))
        return push_labelled(labeler, series, false);
    buf_reset(&labeler->value);
    expand(&labeler->value, labeler->regex, arg_text(labeler, 2), groups,
           count);
    return push_labelled(labeler, series, true);
}

enum status promql_call_label_replace(struct promql_eval *eval,
                                      const struct promql_node *call,
                                      promql_push *push, void *arg)
{
    struct labeler labeler = {
        .eval = eval, .call = call, .push = push, .arg = arg};
    struct slice pattern = arg_text(&labeler, 4);
    struct regex *regex;
    char error[REGEX_ERROR];
    enum status s =
        regex_compile_arena(&regex, promql_eval_arena(eval), pattern, error);

    if (s == ERR_INVALID)
        return promql_fail(
            eval, "invalid regular expression in label_replace(): %.*s",
            SLICE_ARGS(slice_truncate(pattern, 300)));
    if (s != OK)
        return s;
    labeler.regex = regex;
    labeler.target = arg_text(&labeler, 1);
    if (!promql_is_label_name(labeler.target))
        return promql_fail(
            eval, "invalid destination label name in label_replace(): %.*s",
            SLICE_ARGS(slice_truncate(labeler.target, 300)));
    return run(&labeler, replace_take);
}

/* ---- label_join ---- */

static enum status join_take(void *arg,
                             const struct promql_result_series *series)
{
    struct labeler *labeler = arg;

    buf_reset(&labeler->value);
    for (uint32_t i = 3; i < labeler->call->u.call.arg_count; i++) {
        if (i > 3)
            buf_add(&labeler->value, arg_text(labeler, 2));
        buf_add(&labeler->value,
                promql_label_value(&series->labels, arg_text(labeler, i)));
    }
    return push_labelled(labeler, series, true);
}

enum status promql_call_label_join(struct promql_eval *eval,
                                   const struct promql_node *call,
                                   promql_push *push, void *arg)
{
    struct labeler labeler = {
        .eval = eval, .call = call, .push = push, .arg = arg};

    for (uint32_t i = 3; i < call->u.call.arg_count; i++)
        if (!promql_is_label_name(arg_text(&labeler, i)))
            return promql_fail(
                eval, "invalid source label name in label_join(): %.*s",
                SLICE_ARGS(slice_truncate(arg_text(&labeler, i), 300)));
    labeler.target = arg_text(&labeler, 1);
    if (!promql_is_label_name(labeler.target))
        return promql_fail(
            eval, "invalid destination label name in label_join(): %.*s",
            SLICE_ARGS(slice_truncate(labeler.target, 300)));
    return run(&labeler, join_take);
}
