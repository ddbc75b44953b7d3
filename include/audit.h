/*
 * audit - who changed what, and who was refused: lines of JSON for --audit.
 *
 *   {"event_time":"2026-11-29T09:00:00.1Z","event_id":"...","actor":{"type":
 *   "token","id":"k3v9x2ab","name":"ci"},"action":"catalog:update","category":
 *   "management","result":"success","http":{"method":"PUT","path":
 *   "/api/v1/catalog"},"resource":{"namespace":"acme"},"source_ip":"10.1.2.3",
 *   "user_agent":"curl/8.1","metadata":{"status":200}}
 *
 * Refusals of one source and reason are one line at once, then one for each ten
 * seconds with their number. A line that cannot be written is lost, counted and
 * noted; while that is so, audit_is_ready() is false, and whoever changes
 * tokens or the catalogue refuses to.
 *
 * Purpose:   one log for all ports and modules. Requests over HTTP are written
 *            by http/ for all routes; others by whoever does them.
 * Ownership: nothing is kept; texts are read during the call, cut at
 *            AUDIT_TEXT_MAX bytes.
 * Threads:   any. audit_tick: one. Opened before threads start, closed after.
 * Errors:    audit_open: ERR_IO, logged.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "access.h"
#include "buf.h"
#include "slice.h"
#include "status.h"

enum { AUDIT_TEXT_MAX = 256 };

enum audit_category { AUDIT_MANAGEMENT, AUDIT_AUTHORIZATION, AUDIT_ACCESS };

enum audit_result {
    AUDIT_SUCCESS,
    AUDIT_DENIED,          /* known, but not allowed */
    AUDIT_UNAUTHENTICATED, /* no or a wrong credential */
    AUDIT_FAILURE
};

/* Empty texts and zeros are left out. */
struct audit_event {
    const char *action; /* static, as "catalog:update" */
    enum audit_category category;
    enum audit_result result;
    const struct subject *subject; /* NULL: the program itself, or nobody */
    bool by_program;               /* a file that was read again, for example */
    struct slice method, path;
    union scope_names scope;
    struct slice name;      /* of the token, the file, the report, the topic */
    const uint8_t *address; /* of the peer, 16 bytes; NULL: none */
    struct slice user_agent, request_id;
    const char *reason; /* of a refusal (static) or a failure */
    int status;         /* of HTTP */
    uint64_t count;     /* how many times; 0 and 1: once */
};

/* path "": no audit; "-": standard error. */
MUST_CHECK enum status audit_open(const char *path, bool reads);
void audit_close(void);
/* Once a second: counted refusals, a file that could not be written. reopen:
 * the file was renamed by whoever rotates it. */
void audit_tick(bool reopen);

void audit_write(const struct audit_event *event);
/* A file with limits, tokens and the like was read, as "limits:reload"; why not
 * NULL: it cannot be used. */
void audit_file(const char *action, const char *path, const char *why);
/* There is an audit; with reads, too. So nothing is prepared for none. */
bool audit_is_on(void);
bool audit_has_reads(void);
/* What must be in the audit can be done: there is none, or it works. */
bool audit_is_ready(void);
/* For /health: why it does not; false: all is well. */
bool audit_note(struct buf *out);

#endif
