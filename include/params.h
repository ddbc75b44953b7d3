/*
 * params - parameters of a query: members of the JSON body, and of the query
 * string.
 *
 * Purpose: reads and checks them in one place. A handler reads all of its
 *   parameters one after another, and then looks at request->failed once.
 * Ownership: texts are borrowed from the request, lists are in its arena.
 * Threads: one request, one thread.
 * Errors: the first one is answered with query_invalid(), whose message names
 *   the parameter and says what is allowed. All functions return
 *   request->failed. After an error, outputs may be empty.
 */
#ifndef PARAMS_H
#define PARAMS_H

#include <jansson.h>

#include "registry.h"
#include "store_query.h"

struct query_request;

/* ---- the JSON body ---- */

enum { SCOPE_WORKFLOW = 1, SCOPE_NEEDS_PROJECT = 2, SCOPE_NEEDS_ENV = 4 };

/* The grants must cover the scope; else 403. */
enum status params_may_ask(struct query_request *request,
                           const struct scope_filter *scope);
/* Whether an action is allowed in a scope, by the grants or, if those do not
 * cover it, by the authorization service. ERR_FORBIDDEN: no, which is no answer
 * yet. Others are answered: a decision is awaited, or there is none. */
enum status params_may_see(struct query_request *request, enum action action,
                           const struct scope_filter *scope);
/* searchScope, which the grants must cover. flags: workflow scopes are allowed,
 * project or environment are required. */
enum status params_scope(struct query_request *request, int flags,
                         struct scope_filter *scope);
/* All that may be seen: a list without a scope, or what is asked for by id.
 * *resources NULL: everything. */
enum status params_visible(struct query_request *request,
                           const struct bitmap **resources);
/* The resources of a scope that may be seen. */
enum status params_select(struct query_request *request,
                          const struct scope_filter *scope,
                          const struct bitmap **resources);
/* startTime, endTime: RFC 3339, at most 30 days apart. */
enum status params_range(struct query_request *request, uint64_t *start_ns,
                         uint64_t *end_ns);
/* sortOrder, and limit, from min (0 or 1) to max: 0 is the default, 100. */
enum { PARAMS_MAX_PAGE = 1000 };
enum status params_page(struct query_request *request, uint32_t min,
                        uint32_t max, uint32_t *limit, bool *ascending);
/* step: Go duration > 0; if it is absent, *step_ns stays; at most 11,000 in the
 * length of the range. */
enum status params_step(struct query_request *request, uint64_t length_ns,
                        uint64_t *step_ns);

/* Members that may be absent: then the output stays as it is (text: empty).
 * null counts as absent. */
enum status params_text(struct query_request *request, const char *name,
                        struct slice *text);
enum status params_bool(struct query_request *request, const char *name,
                        bool *value);
enum status params_duration(struct query_request *request, const char *name,
                            uint64_t *ns);
enum status params_number(struct query_request *request, const char *name,
                          uint64_t min, uint64_t max, uint64_t *value);
/* Which of the words, which end with NULL; -1: it is absent, or an error. */
int params_word(struct query_request *request, const char *name,
                const char *const words[]);
/* hex of exactly `len` bytes into id; *given: it was there. */
enum status params_id(struct query_request *request, const char *name,
                      uint8_t *id, size_t len, bool *given);
enum { PARAMS_MAX_LIST = 64 };
/* An array of texts, at most PARAMS_MAX_LIST. */
enum status params_list(struct query_request *request, const char *name,
                        const struct slice **items, uint32_t *count);
/* An object of texts, numbers and booleans, at most PARAMS_MAX_LIST. */
enum status params_attrs(struct query_request *request, const char *name,
                         const struct attr_match **attrs, uint32_t *count);

/* ---- the query string ---- */

/* Decoded, without white space at both ends; ptr NULL if it is absent. */
struct slice query_param(const struct query_request *request, const char *name);
/* namespace, project, component, environment, none required. */
enum status params_query_scope(struct query_request *request,
                               struct scope_filter *scope);
/* startTime and endTime; the end defaults to now, the start to default_ns
 * before the end. */
enum status params_query_range(struct query_request *request,
                               uint64_t default_ns, uint64_t *start_ns,
                               uint64_t *end_ns);
/* A whole number; if it is absent the value stays. */
enum status params_query_number(struct query_request *request, const char *name,
                                uint64_t min, uint64_t max, uint64_t *value);
enum status params_query_step(struct query_request *request, uint64_t length_ns,
                              uint64_t *step_ns);
/* Required. */
enum status params_query_need_time(struct query_request *request,
                                   const char *name, uint64_t *ns);
/* These leave the output as it is if the parameter is absent or empty. */
enum status params_query_time(struct query_request *request, const char *name,
                              uint64_t *ns);
enum status params_query_duration(struct query_request *request,
                                  const char *name, uint64_t *ns);
enum status params_query_bool(struct query_request *request, const char *name,
                              bool *value);
/* Above 0 and at most max. */
enum status params_query_decimal(struct query_request *request,
                                 const char *name, double max, double *value);
/* Which of the words, which end with NULL; -1: it is absent, or an error. */
int params_query_word(struct query_request *request, const char *name,
                      const char *const words[]);
/* hex of exactly `len` bytes; *given: it was there. */
enum status params_query_id(struct query_request *request, const char *name,
                            uint8_t *id, size_t len, bool *given);
/* Texts between commas, without blanks around them; at most PARAMS_MAX_LIST. */
enum status params_query_list(struct query_request *request, const char *name,
                              const struct slice **items, uint32_t *count);
/* attr=KEY=VALUE, repeated; at most PARAMS_MAX_LIST. */
enum status params_query_attrs(struct query_request *request,
                               const struct attr_match **attrs,
                               uint32_t *count);

#define PARAMS_BLANKS " \t\r\n\v\f"

/* ptr NULL: the value is no text, or NULL. */
static inline struct slice json_text_of(const json_t *value)
{
    return (struct slice){json_string_value(value), json_string_length(value)};
}

#endif
