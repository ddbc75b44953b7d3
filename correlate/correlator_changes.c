/*
 * One change detector for the correlators of all partitions of an instance.
 * A component's records are in many partitions, and a new version shows in all
 * of them: the detector has seen the resource after the first.
 */
#include "correlator_changes.h"

#include <stdlib.h>

#include "change_detector.h"
#include "mem.h"

struct correlator_changes {
    struct change_events events;
    struct change_detector *detector;
};

enum status correlator_changes_open(
    struct correlator_changes **out, struct store *store,
    const struct registry *registry,
    void (*report)(void *arg, struct batch *batch), void *arg)
{
    struct correlator_changes *changes = mem_zero(1, sizeof(*changes));
    enum status status;

    changes->events.report = report;
    changes->events.report_arg = arg;
    status = change_detector_open(&changes->detector, &changes->events, store,
                                  registry);
    if (status != OK) {
        correlator_changes_close(changes);
        return status;
    }
    *out = changes;
    return OK;
}

void correlator_changes_close(struct correlator_changes *changes)
{
    if (!changes)
        return;
    change_detector_free(changes->detector);
    free(changes);
}

void correlator_changes_learn(struct correlator_changes *changes,
                              uint32_t identity,
                              const struct resource *resource,
                              uint8_t generation, uint64_t time_ns)
{
    const struct component component = {.identity = identity};

    changes->events.silent = true;
    change_detector_observe(changes->detector, &component, resource, generation,
                            time_ns);
    changes->events.silent = false;
}

struct change_detector *correlator_changes_detector(
    struct correlator_changes *changes)
{
    return changes->detector;
}
