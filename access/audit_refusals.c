/* Refusals that come often, summed up by source and reason; see audit.h. */
#include <string.h>

#include "address.h"
#include "audit_int.h"
#include "clock.h"

#define WINDOW_NS (10 * NS_PER_S)

static bool is_same(const struct audit_refusal *one,
                    const struct audit_event *event, const uint8_t *group)
{
    return one->used && one->result == event->result &&
           one->reason == event->reason && memcmp(one->address, group, 16) == 0;
}

/* Its place, or a free one, or the last. */
static struct audit_refusal *place_of(struct audit_refusals *refusals,
                                      const struct audit_event *event,
                                      const uint8_t *group)
{
    struct audit_refusal *unused = NULL;

    for (int i = 0; i < AUDIT_SOURCES; i++) {
        struct audit_refusal *one = &refusals->at[i];

        if (is_same(one, event, group))
            return one;
        if (!one->used && !unused)
            unused = one;
    }
    if (unused)
        return unused;
    refusals->at[AUDIT_SOURCES].many = true;
    return &refusals->at[AUDIT_SOURCES];
}

bool audit_refusal_add(struct audit_refusals *refusals,
                       const struct audit_event *event, uint64_t now_ns)
{
    uint8_t group[ADDRESS_SIZE] = {0};
    struct audit_refusal *one;

    if (event->address)
        memcpy(group, event->address, sizeof(group));
    address_group(group);
    one = place_of(refusals, event, group);
    if (one->used || one->many) {
        one->more++;
        if (one->many && !one->used) {
            one->used = true;
            one->since_ns = now_ns;
            one->result = event->result;
            one->reason = "refusals from further addresses";
        }
        return false;
    }
    *one = (struct audit_refusal){.reason = event->reason,
                                  .result = event->result,
                                  .used = true,
                                  .since_ns = now_ns};
    memcpy(one->address, group, sizeof(group));
    return true;
}

bool audit_refusal_take(struct audit_refusals *refusals, uint64_t now_ns,
                        bool all, struct audit_refusal *taken)
{
    for (int i = 0; i <= AUDIT_SOURCES; i++) {
        struct audit_refusal *one = &refusals->at[i];

        if (!one->used || (!all && now_ns - one->since_ns < WINDOW_NS))
            continue;
        *taken = *one;
        one->used = one->many = false;
        one->more = 0;
        if (taken->more == 0)
            continue;
        if (!taken->many && !all) { /* its next window */
            one->used = true;
            one->since_ns = now_ns;
        }
        return true;
    }
    return false;
}
