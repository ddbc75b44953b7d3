/*
 * ClickHouse's error codes as ours; see ch_error.h. The codes are those of its
 * src/Common/ErrorCodes.cpp, which never change.
 */
#define _GNU_SOURCE /* memmem */
#include "ch_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
static const struct {
    int code;
    enum status status;
    bool retry;
    const char *reason;
} rows[] = {
    /* Busy: it goes on by itself. */
    {202, ERR_BUSY, true, "ClickHouse runs too many queries; retry later (max_concurrent_queries)"},
    {201, ERR_BUSY, true, "the quota of ClickHouse's user is used up; retry later"},
    {252, ERR_BUSY, true, "ClickHouse has too many parts: merges are behind; retry later"},
    {473, ERR_BUSY, true, "ClickHouse waited for a lock; retry later"},
    {745, ERR_BUSY, true, "ClickHouse is overloaded; retry later"},
    /* Too much for one query. */
    {241, ERR_TOO_BIG, true, "ClickHouse's memory limit is reached: ask for less, or raise max_memory_usage"},
    {158, ERR_TOO_BIG, false, "more rows than ClickHouse's limit (max_rows_to_read)"},
    {307, ERR_TOO_BIG, false, "more bytes than ClickHouse's limit (max_bytes_to_read)"},
    {396, ERR_TOO_BIG, false, "the result is larger than ClickHouse's limit (max_result_rows)"},
    {191, ERR_TOO_BIG, false, "a set is larger than ClickHouse's limit (max_rows_in_set)"},
    {167, ERR_TOO_BIG, false, "the query is larger than ClickHouse's limit (max_ast_depth)"},
    {168, ERR_TOO_BIG, false, "the query is larger than ClickHouse's limit (max_ast_elements)"},
    /* Time. */
    {159, ERR_DEADLINE, true, "ClickHouse did not end the query in time: ask for less, or for a shorter time"},
    {160, ERR_DEADLINE, true, "ClickHouse estimates that the query takes too long: ask for less"},
    {394, ERR_CANCELLED, true, "the query was cancelled in ClickHouse"},
    {236, ERR_IO, true, "ClickHouse is shutting down; retry later"},
    /* Disks and networks. */
    {243, ERR_IO, true, "ClickHouse's disk is full: free space, or shorten the retention"},
    {87,  ERR_IO, true, "ClickHouse cannot seek in a file: see its log"},
    {74,  ERR_IO, true, "ClickHouse cannot read a file: see its log"},
    {75,  ERR_IO, true, "ClickHouse cannot write a file: is its disk full or read-only?"},
    {76,  ERR_IO, true, "ClickHouse cannot open a file: see its log"},
    {499, ERR_IO, true, "ClickHouse's object storage failed; retry later"},
    {209, ERR_IO, true, "ClickHouse waited too long for another server; retry later"},
    {210, ERR_IO, true, "ClickHouse cannot reach another server; retry later"},
    {279, ERR_IO, true, "ClickHouse cannot reach any of its servers; retry later"},
    {198, ERR_IO, true, "ClickHouse cannot resolve the name of another server"},
    {225, ERR_IO, true, "ClickHouse has no Keeper: check its configuration"},
    {999, ERR_IO, true, "ClickHouse's Keeper failed; retry later"},
    {242, ERR_IO, true, "ClickHouse's table is read-only: is its Keeper away?"},
    {285, ERR_IO, true, "ClickHouse has too few live replicas for this insert; retry later"},
    {286, ERR_IO, true, "ClickHouse waits for the quorum of an earlier insert; retry later"},
    {319, ERR_IO, true, "ClickHouse does not know whether the insert succeeded; it is repeated"},
    {355, ERR_IO, true, "ClickHouse waits for a quorum; retry later"},
    /* Set-up: an operator mends it, and what waits goes on then. */
    {164, ERR_IO, true, "ClickHouse is read-only for this user: allow writing (readonly = 0)"},
    {497, ERR_IO, true, "ClickHouse's user lacks a grant: see callboard schema print"},
    {516, ERR_IO, true, "ClickHouse refuses user or password"},
    {192, ERR_IO, true, "ClickHouse does not know this user"},
    {193, ERR_IO, true, "ClickHouse refuses the password"},
    {194, ERR_IO, true, "ClickHouse wants a password"},
    {195, ERR_IO, true, "ClickHouse refuses this user from this address"},
    {81,  ERR_IO, true, "the database is missing in ClickHouse: callboard schema apply"},
    {60,  ERR_IO, true, "a table is missing in ClickHouse: callboard schema apply"},
    {16,  ERR_IO, true, "a column is missing in ClickHouse: callboard schema apply"},
    {47,  ERR_IO, true, "a column is missing in ClickHouse: callboard schema apply"},
    {8,   ERR_IO, true, "a column is missing in ClickHouse: callboard schema apply"},
    {115, ERR_IO, true, "ClickHouse does not know a setting: it is too old"},
    {452, ERR_IO, true, "ClickHouse's profile forbids a setting that is needed (constraints)"},
    {48,  ERR_IO, true, "ClickHouse does not implement what is needed: it is too old"},
    {46,  ERR_IO, true, "ClickHouse does not know a function: it is too old"},
    /* Damage. */
    {40,  ERR_CORRUPT, true, "stored data is damaged in ClickHouse (checksum)"},
    {228, ERR_CORRUPT, true, "stored data is damaged in ClickHouse (size of a file)"},
    {271, ERR_CORRUPT, true, "stored data is damaged in ClickHouse (compression)"},
};
/* clang-format on */

int ch_error_code(struct slice text)
{
    static const struct slice mark = SLICE_INIT("Code: ");
    const char *at =
        text.len > 0 ? memmem(text.ptr, text.len, mark.ptr, mark.len) : NULL;
    int code = 0;

    if (!at)
        return 0;
    for (at += mark.len;
         at < text.ptr + text.len && *at >= '0' && *at <= '9' && code < 1000000;
         at++)
        code = code * 10 + (*at - '0');
    return code;
}

/* ClickHouse's sentence, without the code before it and the version behind. */
static struct slice sentence(struct slice body)
{
    static const struct slice begin = SLICE_INIT("Exception: "),
                              end = SLICE_INIT(" (version ");
    const char *at =
        body.len > 0 ? memmem(body.ptr, body.len, begin.ptr, begin.len) : NULL;

    if (at)
        body = slice_from(body, (size_t)(at - body.ptr) + begin.len);
    at = body.len > 0 ? memmem(body.ptr, body.len, end.ptr, end.len) : NULL;
    if (at)
        body.len = (size_t)(at - body.ptr);
    return slice_trim(body, " \r\n");
}

static void set_text(struct ch_error *error, struct slice detail)
{
    enum { MOST = 300 };
    char *at = error->text;
    size_t room = sizeof(error->text);
    int len = snprintf(at, room, "%s", error->reason);

    detail = slice_truncate(detail, MOST);
    if (error->code > 0 || detail.len > 0)
        len += snprintf(at + len, room - (size_t)len, ": ");
    if (error->code > 0)
        len += snprintf(at + len, room - (size_t)len, "code %d%s", error->code,
                        detail.len > 0 ? ", " : "");
    (void)snprintf(at + len, room - (size_t)len, "%.*s", SLICE_ARGS(detail));
    for (; *at; at++)
        if ((unsigned char)*at < ' ')
            *at = ' ';
}

/* What stands between us and ClickHouse has answered, or ClickHouse itself
 * without a code. */
static void set_by_http(struct ch_error *error)
{
    error->retry = true;
    error->status = ERR_IO;
    switch (error->http) {
    case 401:
    case 403:
        error->reason = "ClickHouse refuses user or password";
        break;
    case 404:
        error->reason = "the address is not ClickHouse's HTTP interface";
        break;
    case 413:
        error->reason = "a request is too large for a proxy before ClickHouse";
        error->status = ERR_TOO_BIG;
        error->retry = false;
        break;
    case 429:
    case 503:
        error->reason = "ClickHouse is busy; retry later";
        error->status = ERR_BUSY;
        break;
    case 502:
    case 504:
        error->reason = "a proxy cannot reach ClickHouse; retry later";
        break;
    default:
        error->reason = "ClickHouse failed; see its log";
        break;
    }
}

void ch_error_of_answer(struct ch_error *error, int http, int code,
                        struct slice body)
{
    *error = (struct ch_error){.http = http, .code = code};
    if (code == 0)
        error->code = code = ch_error_code(body);
    /* A code that is not listed says that the query is at fault. */
    error->status = ERR_INTERNAL;
    error->reason = "ClickHouse refuses the query: a defect of callboard, or a "
                    "changed table";
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (rows[i].code == code) {
            error->status = rows[i].status;
            error->retry = rows[i].retry;
            error->reason = rows[i].reason;
        }
    if (code == 0)
        set_by_http(error);
    set_text(error, sentence(body));
}

void ch_error_set(struct ch_error *error, enum status status, bool retry,
                  const char *reason, const char *detail, ...)
{
    char text[CH_ERROR_TEXT];
    va_list args;

    *error =
        (struct ch_error){.status = status, .retry = retry, .reason = reason};
    va_start(args, detail);
    (void)vsnprintf(text, sizeof(text), detail, args);
    va_end(args);
    set_text(error, slice_of(text));
}

void ch_error_clear(struct ch_error *error)
{
    *error = (struct ch_error){.status = OK, .reason = ""};
}
