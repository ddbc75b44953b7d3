/*
 * Changes that the series show: operations, calls, pods, log patterns and whole
 * components that came or went (parts.h).
 */
#include "changes.h"

#include "component.h"

/* ---- texts ---- */

static const struct {
    struct slice kind;
    const char *what;
} texts[PART_KINDS] = {
    [PART_COMPONENT] = {SLICE_INIT("component"), "the component"},
    [PART_OPERATION] = {SLICE_INIT("operation"), "operation"},
    [PART_CALLEE] = {SLICE_INIT("callee"), "calls to"},
    [PART_CALLER] = {SLICE_INIT("caller"), "calls from"},
    [PART_PATTERN] = {SLICE_INIT("log-pattern"), "log pattern"},
    [PART_POD] = {SLICE_INIT("pod"), "pod"},
};

static struct slice title_of(struct arena *arena, const struct part *part,
                             bool appeared)
{
    const char *what = texts[part->kind].what;

    if (part->kind == PART_COMPONENT)
        return appeared ? SLICE("first telemetry of the component")
                        : SLICE("the component fell silent");
    if (part->kind == PART_PATTERN)
        return arena_format(arena, "new %.*s log pattern: %.*s",
                            SLICE_ARGS(part->level), SLICE_ARGS(part->name));
    return arena_format(arena, appeared ? "first %s %.*s" : "no more %s %.*s",
                        what, SLICE_ARGS(part->name));
}

/* ---- which of them are told ---- */

static bool is_trouble(struct slice level)
{
    return slice_equal(level, SLICE("WARN")) ||
           slice_equal(level, SLICE("ERROR")) ||
           slice_equal(level, SLICE("FATAL"));
}

/* A call between two components that are both in the answer is told once, as
 * the caller's. */
static bool is_told_by_peer(const struct parts *parts, const struct part *part)
{
    if (part->kind != PART_CALLER || !part->peer)
        return false;
    for (uint32_t i = 0; i < parts->count; i++)
        if (parts->at[i].kind == PART_CALLEE && parts->at[i].peer &&
            identity_compare(parts->at[i].peer, part->identity) == 0 &&
            identity_compare(parts->at[i].identity, part->peer) == 0)
            return true;
    return false;
}

static bool is_told(const struct change_list *list, const struct parts *parts,
                    const struct part *part, bool appeared)
{
    const struct part_access *access =
        part->kind == PART_PATTERN ? &list->logs : &list->metrics;

    if (!part_is_seen(access, part->identity) || is_told_by_peer(parts, part))
        return false;
    return part->kind != PART_PATTERN || (appeared && is_trouble(part->level));
}

/* ---- rows ---- */

static bool warns(const struct part *part, bool appeared)
{
    if (part->kind == PART_PATTERN)
        return true;
    return !appeared && part->kind != PART_POD && part->kind != PART_CALLER;
}

static bool add_part(struct change_list *list, const struct part *part,
                     bool appeared)
{
    struct change_row row = {
        .identity = part->identity,
        .time_ns = appeared ? part->first_ns : part->last_ns,
        .count = 1,
        .kind = texts[part->kind].kind,
        .type = warns(part, appeared) ? SLICE("Warning") : SLICE("Normal"),
        .title = title_of(list->request->arena, part, appeared),
        .reason = appeared ? SLICE("Appeared") : SLICE("Vanished"),
        .endpoint = part->endpoint,
        .source = "series"};

    row.last_ns = row.time_ns;
    if (part->kind != PART_COMPONENT)
        *(appeared ? &row.to : &row.from) = part->name;
    if (part->kind == PART_PATTERN) {
        row.level = part->level;
        row.template_id = part->id;
        row.message = part->name;
        row.count = (uint64_t)(part->count + 0.5);
        row.last_ns = part->last_ns;
        row.to = (struct slice){NULL, 0};
    }
    row.key = key_text(part->key, row.reason);
    return changes_add(list, &row);
}

enum status changes_read_parts(struct change_list *list)
{
    struct parts parts = {.request = list->request,
                          .resources = list->resources,
                          .start_ns = list->start_ns,
                          .end_ns = list->end_ns};
    uint32_t kinds = 0;
    enum status s;

    for (uint32_t kind = 0; kind < PART_KINDS; kind++)
        if (changes_want(list, 1u << change_row_kind(texts[kind].kind)))
            kinds |= 1u << kind;
    if (kinds == 0)
        return OK;
    s = parts_read(&parts, kinds);
    for (uint32_t i = 0; s == OK && i < parts.count; i++)
        for (int appeared = 0; appeared <= 1; appeared++) {
            const struct part *part = &parts.at[i];

            if (!is_told(list, &parts, part, appeared) ||
                !(appeared ? part_appeared : part_vanished)(&parts, part))
                continue;
            if (!add_part(list, part, appeared))
                s = arena_status(list->request->arena);
        }
    return s;
}
