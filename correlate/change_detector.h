/*
 * change_detector - detects that a component runs another version.
 *
 * Three resource attributes are watched: service.version, the image tag and the
 * pod-template-hash label. The first value of a component is no change. A
 * change is a value that is new, or was absent for CHANGE_GONE_NS, on a
 * resource (pod, process) that is new. So the pods of a rolling update, old and
 * new side by side, cause one event, and a rollback causes another.
 *
 * Events are log records (derived.h), written by change_events.h.
 *
 * Restart: the versions that each component runs are read from the resources in
 * the store.
 *
 * Threads: the correlator's.
 */
#ifndef CHANGE_DETECTOR_H
#define CHANGE_DETECTOR_H

#include "change_events.h"
#include "component_cache.h"

#define CHANGE_GONE_NS (120 * UINT64_C(1000000000))

struct change_detector;

/* events: where changes are added. On failure, too, the detector has to be
 * freed. */
MUST_CHECK enum status change_detector_open(struct change_detector **detector,
                                            struct change_events *events,
                                            struct store *store,
                                            const struct registry *registry);
void change_detector_free(struct change_detector *detector);

/* A resource of the batch, with a record of this time. generation: that of the
 * resource's id, registry_resource_generation(). */
void change_detector_observe(struct change_detector *detector,
                             const struct component *component,
                             const struct resource *resource,
                             uint8_t generation, uint64_t time_ns);

#endif
