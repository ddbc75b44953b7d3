/*
 * log_shape - log records as shippers send them, brought into the shape of the
 * semantic conventions while they are decoded. Private to proto/.
 */
#ifndef LOG_SHAPE_H
#define LOG_SHAPE_H

#include "otlp_decoder.h"

/*
 *   an event by name          the name, from attribute event.name too; without
 *                             a body it is the text
 *   a Kubernetes Event object (k8sobjects receiver, watched or pulled; event
 *                             exporters): its message is the text, reason,
 *                             count, object become attributes k8s.event.*,
 *                             k8s.object.*
 *   a shipper's whole record  (fluent-bit, fluentd, Vector, Filebeat) in the
 *                             body: its line is the text, the rest attributes
 *   a shipper's coordinates   in a map "kubernetes" or in flat keys: also as
 *                             k8s.pod.name, k8s.namespace.name, ...
 *
 * False if the record is not to be kept: it says that an Event object was
 * deleted, which is nothing that happened. Memory is of d->arena.
 */
bool log_shape(struct otlp_decoder *d, struct log_record *log);

/* ---- for the files of a shape ---- */

struct shaped {
    struct otlp_decoder *d;
    struct log_record *log;
    struct otlp_list list; /* its attributes, once something was added */
};

/* Adds the value under the key, unless the record has one. */
void shaped_add(struct shaped *shaped, const struct attr *value,
                struct slice key);
void shaped_add_text(struct shaped *shaped, const char *key, struct slice text);
void shaped_set_body(struct log_record *log, struct slice text);

/* log_coordinates.c: adds those of the record's attributes. */
void log_coordinates(struct shaped *shaped);
/* "kubernetes" or a name inside it, flat. */
bool log_is_kubernetes(struct slice key);

/* An event with this reason, if it reports a release (log_release.c). */
void log_release(struct shaped *shaped, struct slice reason);

#endif
