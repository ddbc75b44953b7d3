/*
 * authz_json - what OpenChoreo's authorization service is asked, and what it
 * answers: POST /api/v1/authz/evaluates.
 */
#ifndef AUTHZ_JSON_H
#define AUTHZ_JSON_H

#include "buf.h"
#include "grant.h"

/* Of an environment there are two spellings: acme/production, and production
 * where it belongs to the cluster. */
enum { AUTHZ_MAX_QUESTIONS = 2, AUTHZ_MAX_ANSWER = 64 * 1024 };

/* Whether the service knows the action; never that of ingest. */
bool authz_knows(enum action action);

/* Writes the array; the number of its questions. context: JSON of the
 * subject_context. */
uint32_t authz_write_questions(struct buf *out, struct slice context,
                               enum action action,
                               const union scope_names *scope,
                               bool cluster_environments);

/* ERR_MALFORMED: not an array of `count` decisions. *yes: one of them. */
MUST_CHECK enum status authz_read_answer(struct slice text, uint32_t count,
                                         bool *yes);

#endif
