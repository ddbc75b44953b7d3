/*
 * params_int - values of parameters, wherever they stand; for params*.c only.
 */
#ifndef PARAMS_INT_H
#define PARAMS_INT_H

#include "query_request.h"

/* The arena is full: answered after the handler. */
enum status params_fail_arena(struct query_request *request);

/* An empty text is an error. */
uint64_t params_parse_time(struct query_request *request, const char *name,
                           struct slice text);
enum status params_check_range(struct query_request *request, uint64_t start_ns,
                               uint64_t end_ns);

/* An empty text leaves the output as it is. */
enum status params_parse_step(struct query_request *request, struct slice text,
                              uint64_t length_ns, uint64_t *step_ns);
enum status params_parse_duration(struct query_request *request,
                                  const char *name, struct slice text,
                                  uint64_t *ns);
enum status params_parse_id(struct query_request *request, const char *name,
                            struct slice text, uint8_t *id, size_t len);
/* Which of the words, which end with NULL; -1: the text is empty, or an error.
 */
int params_parse_word(struct query_request *request, const char *name,
                      struct slice text, const char *const words[]);

#endif
