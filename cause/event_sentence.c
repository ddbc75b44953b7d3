#include "event_sentence.h"

#include "evidence.h"

/* What happens to it, before the number of traces. */
static const char *verb_of(const struct event_words *e)
{
    bool none_left = e->now <= 0;

    if (!e->is_call)
        return e->is_error || !none_left ? "" : " no more:";
    if (e->is_error)
        return " fails";
    if (e->still_made)
        return " succeeds";
    return none_left ? " is not made any more:" : " is made";
}

struct slice event_sentence(struct arena *arena, const struct event_words *e)
{
    struct slice now = share_text(arena, e->now, e->now_of,
                                  e->is_sample ? "sampled traces" : "traces");
    struct slice was = share_before_text(arena, e->before, e->before_of);
    struct slice after = e->after;

    if (after.len > 0)
        after = arena_format(arena, " (after %.*s)", SLICE_ARGS(after));
    return arena_format(arena, "%s%.*s%s in %s%.*s, %.*s before%.*s",
                        e->is_call    ? "call "
                        : e->is_error ? "logs error "
                                      : "logs ",
                        SLICE_ARGS(e->what), verb_of(e),
                        !e->is_error && e->now > 0 ? "only " : "",
                        SLICE_ARGS(now), SLICE_ARGS(was), SLICE_ARGS(after));
}
