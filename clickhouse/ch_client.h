/*
 * ch_client - requests to ClickHouse's HTTP interface, by libcurl.
 *
 *   struct ch_request request = {
 *       .sql = ch_sql_text(&sql), .deadline_ns = in_ten_seconds,
 *       .take = take_bytes, .arg = &answer};
 *   struct ch_error error;
 *
 *   if (ch_run(client, &request, &error) != OK)
 *       log_warn("clickhouse", error.text);
 *
 * Any number of threads may ask at once: each request takes a handle with its
 * connection from a pool. A request ends at its deadline, or within a second
 * after its flag was set; ClickHouse is told to end the query then, too.
 *
 * An answer is decompressed and handed over piece by piece. An exception in the
 * middle of it is never taken for data: it is found by the tag of its header
 * (since 25.11), or by its text at the end; the request fails then, though
 * pieces have been taken.
 */
#ifndef CH_CLIENT_H
#define CH_CLIENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "ch_error.h"
#include "slice.h"
#include "status.h"

struct ch_client;

struct ch_options {
    const char *url; /* http[s]://[user[:password]@]host[:port]/database */
    struct slice password;       /* that of the URL, if empty */
    const char *ca_file;         /* NULL: those of the system */
    uint32_t connect_timeout_ms; /* 0: 5 s */
};

/* ERR_INVALID: not such a URL; ERR_NOT_FOUND: there is no libcurl. *why is
 * static text. Nothing is sent. Main thread (curl_api.h). */
MUST_CHECK enum status ch_client_open(struct ch_client **client,
                                      const struct ch_options *options,
                                      const char **why);
/* No request may be under way. NULL is fine. */
void ch_client_close(struct ch_client *client);

/* Of the URL; the client's. */
const char *ch_client_database(const struct ch_client *client);
/* "host:port/database", without user and password: for messages. */
const char *ch_client_place(const struct ch_client *client);

/* A setting of ClickHouse for one request, as "insert_deduplication_token". */
struct ch_setting {
    const char *name;
    struct slice value;
};

struct ch_request {
    struct slice sql; /* of ch_sql_text() */
    /* Data after the SQL, of an INSERT; NULL: none. */
    const struct slice *pieces;
    uint32_t piece_count;
    bool zstd;        /* together the pieces are one zstd frame */
    bool writes;      /* without it ClickHouse refuses whatever changes data */
    bool probe;       /* small: if it takes too long, ClickHouse hangs */
    bool no_database; /* the database may not exist yet */
    const struct ch_setting *settings;
    uint32_t setting_count;
    uint64_t deadline_ns;          /* clock_monotonic_ns(); not 0 */
    const atomic_bool *cancelled;  /* NULL: not cancelled */
    const atomic_bool *cancelled2; /* the same, of somebody else */
    /* Takes the answer, if not NULL; another status than OK ends the request
     * with it. The bytes are good during the call. */
    enum status (*take)(void *arg, struct slice bytes);
    void *arg;
};

/* error is always set; its status is the result. Any thread. */
MUST_CHECK enum status ch_run(struct ch_client *client,
                              const struct ch_request *request,
                              struct ch_error *error);

/* How ClickHouse was at the last requests that could tell, a question and one
 * that writes: OK, or why it cannot be reached, is full, read-only, busy. Any
 * thread. */
void ch_client_health(struct ch_client *client, struct ch_error *error);

#endif
