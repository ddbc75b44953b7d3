/*
 * log_normalize - brings log records of shippers into the form of the semantic
 * conventions while they are decoded. Private to proto/.
 */
#ifndef LOG_NORMALIZE_H
#define LOG_NORMALIZE_H

#include "otlp_decoder.h"

/*
 *   an event by name          the name, also from attribute event.name; it is
 *                             the body if there is none
 *   a Kubernetes Event object (k8sobjects receiver, watched or pulled; event
 *                             exporters): its message becomes the body, reason,
 *                             count and object become attributes k8s.event.*,
 *                             k8s.object.*
 *   a record of a shipper     (fluent-bit, fluentd, Vector, Filebeat) as the
 *                             body: its line becomes the body, the other
 *                             members attributes
 *   the pod of a shipper      in a map "kubernetes" or in flat keys: also as
 *                             k8s.pod.name, k8s.namespace.name, ...
 *
 * False if the record must be dropped: it reports the deletion of an Event
 * object. Memory is from d->arena.
 */
bool log_normalize(struct otlp_decoder *d, struct log_record *log);

/* ---- for the files of one form ---- */

struct log_normalizer {
    struct otlp_decoder *d;
    struct log_record *log;
    struct otlp_list list; /* its attributes, once one was added */
};

/* Adds a text, unless it is empty or the record has the key. */
void normalizer_add_text(struct log_normalizer *n, const char *key,
                         struct slice text);
void normalizer_set_body(struct log_record *log, struct slice text);

/* The text of a member of a map; empty if there is none. */
struct slice log_map_text(const struct attr *map, const char *key);

/* log_k8s.c: adds the pod that the record's attributes name. */
void log_add_k8s_attributes(struct log_normalizer *n);

/* True for "kubernetes" and flat names inside it. */
bool log_is_kubernetes(struct slice key);

/* log_release.c: a Kubernetes event with this reason, if it reports a release.
 */
void log_release(struct log_normalizer *n, struct slice reason);

#endif
