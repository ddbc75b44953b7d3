/*
 * systems - databases and queues that a span names without saying so in the
 * terms of the semantic conventions: cloud SDKs name a service, older
 * instrumentations set peer.service or a query alone.
 *
 * Threads  any.
 */
#ifndef SYSTEMS_H
#define SYSTEMS_H

#include "derived_table.h"
#include "semconv.h"

/* What a CLIENT, PRODUCER or CONSUMER span is about: PROTOCOL_DB,
 * PROTOCOL_MESSAGING, or PROTOCOL_NONE if it names neither. */
enum protocol systems_protocol(const struct span *span,
                               const struct semconv *semconv);

/* The system, as the span names it or as the table does; empty: not known. */
struct slice systems_database(const struct semconv *semconv);
struct slice systems_queue(const struct semconv *semconv);

/* The destination: template, name, last part of a queue's URL or a topic's
 * ARN; empty: not known. */
struct slice systems_destination(const struct semconv *semconv);

/* The bare method of an RPC: "PutItem" of "DynamoDB/PutItem" too. */
struct slice systems_method(const struct semconv *semconv);

/* True if a CLIENT span of a messaging system sends: fetching and settling are
 * no calls, CONSUMER spans count those. */
bool systems_sends(const struct span *span, const struct semconv *semconv);

#endif
