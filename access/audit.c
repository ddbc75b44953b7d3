/*
 * Lines of the audit and their file; see audit.h. In OpenChoreo's shape of an
 * audit record. Each line is one write(2) under a lock.
 */
#define _GNU_SOURCE /* O_CLOEXEC */
#include "audit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "audit_int.h"
#include "clock.h"
#include "jsonw.h"
#include "log.h"
#include "mem.h"
#include "stats.h"

enum { LINE_MAX_BYTES = 16 * 1024 };

static struct audit {
    pthread_mutex_t lock;
    char *path; /* NULL: no audit */
    int fd;     /* -1: cannot be opened */
    bool reads;
    bool within_line; /* the last one was cut by an error */
    atomic_bool failed;
    uint64_t lost; /* lines, since it failed */
    struct audit_refusals refusals;
} audit = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

/* ---- the file; the caller holds the lock ---- */

static void open_file(void)
{
    if (strcmp(audit.path, "-") == 0)
        audit.fd = STDERR_FILENO;
    else
        audit.fd =
            open(audit.path,
                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
}

static void close_file(void)
{
    if (audit.fd >= 0 && audit.fd != STDERR_FILENO)
        close(audit.fd);
    audit.fd = -1;
}

static bool write_all(struct slice line)
{
    while (line.len > 0) {
        ssize_t put = write(audit.fd, line.ptr, line.len);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return false;
        audit.within_line = true;
        line = slice_from(line, (size_t)put);
    }
    audit.within_line = false;
    return true;
}

/* The rest of a line that was cut does not spoil the next one. */
static bool try_write(struct slice line)
{
    if (audit.fd < 0)
        open_file();
    if (audit.fd < 0)
        return false;
    return (!audit.within_line || write_all(SLICE("\n"))) && write_all(line);
}

static void put_line(struct slice line)
{
    bool written = try_write(line);
    bool failed = atomic_load(&audit.failed);

    if (written) {
        if (failed)
            log_info("audit", "the audit file can be written again",
                     log_uint("lost_lines", audit.lost));
        audit.lost = 0;
        atomic_store(&audit.failed, false);
        return;
    }
    if (!failed)
        log_error(
            "audit",
            "the audit file cannot be written; changes of tokens and of the "
            "catalogue are refused",
            log_text("path", audit.path), log_text("reason", strerror(errno)));
    audit.lost++;
    stats_add(STATS_AUDIT_LOST, 1);
    atomic_store(&audit.failed, true);
}

/* ---- a line ---- */

static void add_text(struct jsonw *w, const char *name, struct slice text)
{
    if (text.len > 0)
        jsonw_member_text(w, name, slice_truncate(text, AUDIT_TEXT_MAX));
}

/* A random UUID. */
static void add_id(struct jsonw *w)
{
    uint8_t bytes[16] = {0};
    char text[40], hex[33];

    (void)!getentropy(bytes, sizeof(bytes));
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40);
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    for (int i = 0; i < 16; i++)
        snprintf(hex + i * 2, 3, "%02x", bytes[i]);
    snprintf(text, sizeof(text), "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
             hex + 12, hex + 16, hex + 20);
    jsonw_member_text(w, "event_id", slice_of(text));
}

static const char *actor_type(const struct audit_event *event)
{
    if (!event->subject)
        return event->by_program ? "system" : "anonymous";
    switch (event->subject->kind) {
    case SUBJECT_TOKEN:
        return "token";
    case SUBJECT_JWT:
        return "user";
    case SUBJECT_CERTIFICATE:
        return "certificate";
    case SUBJECT_EVERYONE:
    case SUBJECT_NOBODY:
        break;
    }
    return "anonymous";
}

static void add_actor(struct jsonw *w, const struct audit_event *event)
{
    const struct subject *subject = event->subject;
    const char *type = actor_type(event);

    jsonw_name(w, "actor");
    jsonw_open(w, '{');
    jsonw_member_text(w, "type", slice_of(type));
    if (subject && strcmp(type, "anonymous") != 0) {
        add_text(w, "id", subject->id);
        add_text(w, "name", subject->name);
        add_text(w, "issuer", subject->issuer);
    }
    jsonw_close(w, '}');
}

static void add_http(struct jsonw *w, const struct audit_event *event)
{
    if (event->method.len == 0)
        return;
    jsonw_name(w, "http");
    jsonw_open(w, '{');
    add_text(w, "method", event->method);
    add_text(w, "path", event->path);
    jsonw_close(w, '}');
}

static void add_resource(struct jsonw *w, const struct audit_event *event)
{
    jsonw_name(w, "resource");
    jsonw_open(w, '{');
    add_text(w, "namespace", event->scope.namespace);
    add_text(w, "project", event->scope.project);
    add_text(w, "component", event->scope.component);
    add_text(w, "environment", event->scope.environment);
    add_text(w, "name", event->name);
    jsonw_close(w, '}');
}

static void add_address(struct jsonw *w, const uint8_t *address)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (!address)
        return;
    if (address_is_ipv4(address))
        (void)inet_ntop(AF_INET, address + 12, text, sizeof(text));
    else
        (void)inet_ntop(AF_INET6, address, text, sizeof(text));
    jsonw_member_text(w, "source_ip", slice_of(text));
}

static void add_metadata(struct jsonw *w, const struct audit_event *event)
{
    jsonw_name(w, "metadata");
    jsonw_open(w, '{');
    if (event->status)
        jsonw_member_int(w, "status", event->status);
    if (event->reason)
        add_text(w, "reason", slice_of(event->reason));
    if (event->count > 1)
        jsonw_member_int(w, "count", (int64_t)event->count);
    jsonw_close(w, '}');
}

static void print_line(struct buf *out, const struct audit_event *event)
{
    static const char *const categories[] = {"management", "authorization",
                                             "access"};
    static const char *const results[] = {"success", "denied",
                                          "unauthenticated", "failure"};
    struct jsonw w;

    jsonw_init(&w, out);
    jsonw_open(&w, '{');
    jsonw_name(&w, "event_time");
    jsonw_time(&w, clock_wall_ns());
    add_id(&w);
    add_actor(&w, event);
    if (event->action)
        jsonw_member_text(&w, "action", slice_of(event->action));
    jsonw_member_text(&w, "category", slice_of(categories[event->category]));
    jsonw_member_text(&w, "result", slice_of(results[event->result]));
    add_http(&w, event);
    add_resource(&w, event);
    add_address(&w, event->address);
    add_text(&w, "user_agent", event->user_agent);
    add_text(&w, "request_id", event->request_id);
    add_metadata(&w, event);
    jsonw_close(&w, '}');
    buf_byte(out, '\n');
}

static void write_event(const struct audit_event *event)
{
    struct buf line;

    buf_init(&line, LINE_MAX_BYTES);
    print_line(&line, event);
    if (line.status == OK)
        put_line(buf_slice(&line));
    buf_release(&line);
}

static bool is_refusal(const struct audit_event *event)
{
    return event->result == AUDIT_DENIED ||
           event->result == AUDIT_UNAUTHENTICATED;
}

void audit_write(const struct audit_event *event)
{
    if (!audit.path)
        return;
    pthread_mutex_lock(&audit.lock);
    if (!is_refusal(event) ||
        audit_refusal_add(&audit.refusals, event, clock_monotonic_ns()))
        write_event(event);
    pthread_mutex_unlock(&audit.lock);
}

void audit_file(const char *action, const char *path, const char *why)
{
    audit_write(&(struct audit_event){
        .action = action,
        .category = AUDIT_MANAGEMENT,
        .result = why ? AUDIT_FAILURE : AUDIT_SUCCESS,
        .by_program = true,
        .name = slice_of(path),
        .reason = why,
    });
}

/* ---- counted refusals ---- */

static void write_refusals(bool all)
{
    static const uint8_t none[16];
    struct audit_refusal one;
    uint64_t now = clock_monotonic_ns();

    while (audit_refusal_take(&audit.refusals, now, all, &one)) {
        bool any = !one.many && memcmp(one.address, none, sizeof(none)) != 0;
        struct audit_event event = {.category = AUDIT_AUTHORIZATION,
                                    .result = one.result,
                                    .address = any ? one.address : NULL,
                                    .reason = one.reason,
                                    .count = one.more};

        write_event(&event);
    }
}

/* ---- open, close, once a second ---- */

enum status audit_open(const char *path, bool reads)
{
    if (path[0] == '\0')
        return OK;
    audit.path = mem_copy(path, strlen(path));
    audit.reads = reads;
    open_file();
    if (audit.fd >= 0)
        return OK;
    log_error("audit", "the audit file cannot be opened",
              log_text("path", path), log_text("reason", strerror(errno)));
    audit_close();
    return ERR_IO;
}

void audit_close(void)
{
    if (!audit.path)
        return;
    pthread_mutex_lock(&audit.lock);
    write_refusals(true);
    close_file();
    free(audit.path);
    audit.path = NULL;
    audit.reads = audit.within_line = false;
    audit.lost = 0;
    atomic_store(&audit.failed, false);
    memset(&audit.refusals, 0, sizeof(audit.refusals));
    pthread_mutex_unlock(&audit.lock);
}

void audit_tick(bool reopen)
{
    if (!audit.path)
        return;
    pthread_mutex_lock(&audit.lock);
    if (reopen || atomic_load(&audit.failed))
        close_file();
    write_refusals(false);
    if (reopen && !atomic_load(&audit.failed))
        open_file();
    if (atomic_load(&audit.failed) || audit.fd < 0)
        write_event(&(struct audit_event){.action = "audit:resume",
                                          .category = AUDIT_MANAGEMENT,
                                          .by_program = true,
                                          .reason = "lines were lost",
                                          .count = audit.lost});
    pthread_mutex_unlock(&audit.lock);
}

bool audit_is_on(void)
{
    return audit.path != NULL;
}

bool audit_has_reads(void)
{
    return audit.reads;
}

bool audit_is_ready(void)
{
    return !audit.path || !atomic_load(&audit.failed);
}

bool audit_note(struct buf *out)
{
    if (audit_is_ready())
        return false;
    buf_format(out, "the audit cannot be written; changes of tokens and of the "
                    "catalogue are refused");
    return true;
}
