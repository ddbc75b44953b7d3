/*
 * Evidence is measured in nats: how much more likely the numbers of the window
 * are if something changed than if nothing did. So a metric, a gap between two
 * spans and a log line that is gone can be added.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "rca_context.h"

/* Beyond this more of the same is no more certain: 40 nats are odds of 10^17,
 * and a busy component must not win by its number of requests alone. */
static const double CAP = 40;

static double fit(double k, double n, double share)
{
    return k * log(share) + (n - k) * log(1 - share);
}

double nats_of(double k1, double n1, double k2, double n2)
{
    double share = (k1 + k2 + 0.5) / (n1 + n2 + 1);

    k1 += 0.5;
    n1 += 1;
    k2 += 0.5;
    n2 += 1;
    double apart = fit(k1, n1, k1 / n1) + fit(k2, n2, k2 / n2);
    double k = k1 + k2 - 0.5, n = n1 + n2 - 1;
    return fmax(0, apart - fit(k, n, share));
}

void *facts_append_(struct rca_context *facts, void *list, uint32_t count,
                    uint32_t *room, size_t size)
{
    void *element = arena_append_(facts->arena, list, count, room, size);

    facts->full |= !element;
    return element;
}

struct slice facts_text(struct rca_context *facts, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len < 0)
        len = 0;
    if ((size_t)len >= sizeof(text))
        len = sizeof(text) - 1;
    return arena_copy(facts->arena, (struct slice){text, (size_t)len});
}

void evidence_add(struct rca_context *facts, uint32_t component,
                  const struct cause_evidence *evidence)
{
    struct evidence_list *list;
    struct cause_evidence *at;

    if (component == NOBODY || !(evidence->nats > LEAST_NATS))
        return;
    list = &facts->evidence[component];
    at = facts_append(facts, &list->at, list->count, &list->room);
    if (!at)
        return;
    *at = *evidence;
    at->nats = CAP * (1 - exp(-evidence->nats / CAP));
    if (at->nats > list->best[evidence->kind])
        list->best[evidence->kind] = at->nats;
    list->count++;
}
