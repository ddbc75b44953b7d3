/*
 * A plain pattern (regex_plan.c) is compared; any other is compiled by PCRE2 in
 * the memory of its owner. The limits are on the steps of the matcher, and get
 * lower once a text has exceeded them, so that a thousand texts do not cost a
 * thousand times the limit.
 */
#include "regex_match.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "arena.h"
#include "mem.h"
#include "regex_syntax.h"

enum {
    MAX_STEPS = 100 * 1000,
    MAX_STEPS_LATER = 2 * 1000, /* after one that took too long */
    MAX_HEAP_KIB = 1024,
    MAX_NAME = 64
};

struct regex {
    struct regex_plan plan;
    struct arena *arena; /* NULL: the heap */
    pcre2_general_context *memory;
    pcre2_code *code;
    pcre2_match_context *limits;
    pcre2_match_data *data;
    bool gave_up;
};

/* ---- memory ---- */

static void *take(size_t size, void *arena)
{
    return arena ? arena_alloc(arena, size) : mem_alloc(size);
}

static void give(void *memory, void *arena)
{
    if (!arena)
        free(memory);
}

void regex_free(struct regex *regex)
{
    if (!regex || regex->arena)
        return;
    if (regex->memory) {
        pcre2_match_data_free(regex->data);
        pcre2_match_context_free(regex->limits);
        pcre2_code_free(regex->code);
        pcre2_general_context_free(regex->memory);
    }
    free(regex);
}

/* ---- compiling ---- */

static enum status out_of_memory(const struct arena *arena)
{
    return arena && arena_status(arena) != OK ? arena_status(arena) : ERR_BUSY;
}

static enum status compile_code(struct regex *regex, struct slice pattern,
                                char error[REGEX_ERROR])
{
    pcre2_compile_context *context =
        pcre2_compile_context_create(regex->memory);
    int code = 0;
    size_t at = 0;
    char reason[REGEX_ERROR - 60];

    if (!context)
        return out_of_memory(regex->arena);
    (void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    regex->code =
        pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len,
                      PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL |
                          PCRE2_DOLLAR_ENDONLY | PCRE2_UTF |
                          PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C,
                      &code, &at, context);
    pcre2_compile_context_free(context);
    if (regex->code)
        return OK;
    if (code == PCRE2_ERROR_HEAP_FAILED)
        return out_of_memory(regex->arena);
    (void)pcre2_get_error_message(code, (PCRE2_UCHAR *)reason, sizeof(reason));
    snprintf(error, REGEX_ERROR, "error parsing regexp: %s at byte %zu", reason,
             at);
    return ERR_INVALID;
}

static enum status compile(struct regex *regex, struct slice pattern,
                           char error[REGEX_ERROR])
{
    struct buf translated;
    enum status status;

    buf_init(&translated, 8 * REGEX_MAX);
    status = regex_translate(pattern, &translated, error);
    if (status == OK) {
        regex->memory = pcre2_general_context_create(take, give, regex->arena);
        status = regex->memory
                     ? compile_code(regex, buf_slice(&translated), error)
                     : out_of_memory(regex->arena);
    }
    buf_release(&translated);
    if (status != OK)
        return status;
    regex->limits = pcre2_match_context_create(regex->memory);
    regex->data = pcre2_match_data_create(REGEX_MAX_GROUPS, regex->memory);
    if (!regex->limits || !regex->data)
        return out_of_memory(regex->arena);
    (void)pcre2_set_match_limit(regex->limits, MAX_STEPS);
    (void)pcre2_set_depth_limit(regex->limits, MAX_STEPS);
    (void)pcre2_set_heap_limit(regex->limits, MAX_HEAP_KIB);
    return OK;
}

enum status regex_compile_arena(struct regex **regex, struct arena *arena,
                                struct slice pattern, char error[REGEX_ERROR])
{
    uint32_t max = 1;
    struct regex *made;
    struct slice *texts;
    enum status status = OK;

    if (pattern.len > REGEX_MAX) {
        snprintf(error, REGEX_ERROR,
                 "error parsing regexp: the pattern is longer than %d bytes",
                 REGEX_MAX);
        return ERR_INVALID;
    }
    for (size_t i = 0; i < pattern.len; i++)
        max += pattern.ptr[i] == '|';
    if (max > REGEX_MAX_TEXTS)
        max = REGEX_MAX_TEXTS;
    made = take(sizeof(*made) + max * sizeof(*texts) + pattern.len, arena);
    if (!made)
        return out_of_memory(arena);
    *made = (struct regex){.arena = arena};
    texts = (struct slice *)(made + 1);
    regex_plan(&made->plan, pattern, (char *)(texts + max), texts, max);
    if (made->plan.plain == REGEX_NOT_PLAIN)
        status = compile(made, pattern, error);
    if (status == OK)
        *regex = made;
    else
        regex_free(made);
    return status;
}

enum status regex_compile(struct regex **regex, struct slice pattern,
                          char error[REGEX_ERROR])
{
    return regex_compile_arena(regex, NULL, pattern, error);
}

/* ---- matching ---- */

static bool contains(struct slice text, struct slice part, size_t least_after)
{
    if (part.len == 0)
        return text.len >= least_after;
    while (text.len >= part.len + least_after) {
        const char *at = memchr(text.ptr, part.ptr[0],
                                text.len - part.len - least_after + 1);

        if (!at)
            return false;
        text = slice_from(text, (size_t)(at - text.ptr));
        if (slice_starts(text, part))
            return true;
        text = slice_from(text, 1);
    }
    return false;
}

static bool affix_matches(const struct regex_plan *plan, struct slice text)
{
    struct slice part = plan->texts[0];

    if (text.len < part.len + plan->least_before + plan->least_after)
        return false;
    if (!plan->before)
        return slice_starts(text, part);
    if (!plan->after)
        return slice_ends(text, part);
    return contains(slice_from(text, plan->least_before), part,
                    plan->least_after);
}

static bool plan_matches(const struct regex_plan *plan, struct slice text)
{
    if (plan->plain == REGEX_AFFIXED)
        return affix_matches(plan, text);
    for (uint32_t i = 0; i < plan->text_count; i++)
        if (slice_equal(plan->texts[i], text))
            return true;
    return false;
}

/* What PCRE2 yields: groups, or less than 0. */
static int run(const struct regex *regex, struct slice text)
{
    struct regex *own = (struct regex *)(uintptr_t)regex; /* one thread */
    int found = pcre2_match(regex->code, (PCRE2_SPTR)(text.ptr ? text.ptr : ""),
                            text.len, 0, 0, regex->data, regex->limits);

    if (found < 0 && found != PCRE2_ERROR_NOMATCH && !own->gave_up) {
        own->gave_up = true;
        (void)pcre2_set_match_limit(own->limits, MAX_STEPS_LATER);
    }
    return found;
}

bool regex_matches(const struct regex *regex, struct slice text)
{
    if (regex->plan.plain != REGEX_NOT_PLAIN)
        return plan_matches(&regex->plan, text);
    return run(regex, text) >= 0;
}

bool regex_gave_up(const struct regex *regex)
{
    return regex->gave_up;
}

static bool plan_groups(const struct regex_plan *plan, struct slice text,
                        struct slice groups[REGEX_MAX_GROUPS], uint32_t *count)
{
    if (!plan_matches(plan, text))
        return false;
    *count = plan->groups + 1 < REGEX_MAX_GROUPS ? plan->groups + 1
                                                 : REGEX_MAX_GROUPS;
    for (uint32_t i = 0; i < *count; i++)
        groups[i] = text;
    return true;
}

bool regex_groups(const struct regex *regex, struct slice text,
                  struct slice groups[REGEX_MAX_GROUPS], uint32_t *count)
{
    const size_t *places;
    int found;

    if (regex->plan.plain != REGEX_NOT_PLAIN)
        return plan_groups(&regex->plan, text, groups, count);
    if (!text.ptr)
        text = SLICE(""); /* nothing may be added to NULL */
    found = run(regex, text);
    if (found < 0)
        return false;
    if (found == 0) /* more groups than there is room */
        found = REGEX_MAX_GROUPS;
    places = pcre2_get_ovector_pointer(regex->data);
    *count = (uint32_t)found;
    for (int i = 0; i < found; i++)
        groups[i] = places[2 * i] == PCRE2_UNSET
                        ? (struct slice){0}
                        : (struct slice){text.ptr + places[2 * i],
                                         places[2 * i + 1] - places[2 * i]};
    return true;
}

int regex_group_number(const struct regex *regex, struct slice name)
{
    char text[MAX_NAME + 1];
    int number;

    if (!regex->code || name.len > MAX_NAME)
        return -1;
    slice_copy(text, name);
    text[name.len] = '\0';
    number = pcre2_substring_number_from_name(regex->code, (PCRE2_SPTR)text);
    return number > 0 ? number : -1;
}

uint32_t regex_alternatives(struct slice pattern, struct arena *arena,
                            struct slice *texts, uint32_t max)
{
    struct regex_plan plan;
    char *bytes = arena_alloc(arena, pattern.len + 1);

    if (!bytes || max == 0)
        return 0;
    regex_plan(&plan, pattern, bytes, texts, max);
    return plan.plain == REGEX_TEXTS ? plan.text_count : 0;
}
