/*
 * Messages that could not be decoded, from the newest. What is shown of each
 * is cut: a page of whole ones could be larger than any answer may be.
 */
#include "query_request.h"

enum {
    DEFAULT_LIMIT = 100,
    MAX_LIMIT = 1000,
    DEFAULT_BYTES = 1024,
    MAX_BYTES = 64 * 1024,
};

static void reply_letter(struct query_request *request,
                         const struct dead_letter_row *letter,
                         uint64_t max_bytes)
{
    struct attr bytes = {.type = VALUE_BYTES,
                         .str = letter->bytes.ptr,
                         .len = (uint32_t)letter->bytes.len};

    if (bytes.len > max_bytes)
        bytes.len = (uint32_t)max_bytes;
    jsonw_open(&request->json, '{');
    jsonw_member_uint(&request->json, "id", letter->id);
    jsonw_member_text(&request->json, "topic", letter->topic);
    jsonw_member_uint(&request->json, "partition", letter->partition);
    jsonw_member_uint(&request->json, "offset", letter->offset);
    jsonw_member_time(&request->json, "receivedTime", letter->received_ns);
    if (letter->time_ms > 0)
        jsonw_member_time(&request->json, "time", letter->time_ms * 1000000);
    jsonw_member_text(&request->json, "reason", letter->reason);
    jsonw_member_uint(&request->json, "size", letter->size);
    jsonw_key(&request->json, "bytes");
    jsonw_value(&request->json, &bytes);
    jsonw_close(&request->json, '}');
}

static enum status get_dead_letters(struct query_request *request)
{
    uint64_t limit = DEFAULT_LIMIT, bytes = DEFAULT_BYTES, before = 0;
    uint64_t partition = UINT64_MAX, total = 0;
    struct dead_letter_query query = {.topic = query_param(request, "topic")};
    struct dead_letter_row *letters = NULL;
    uint32_t count = 0;
    enum status s = params_query_number(request, "limit", 1, MAX_LIMIT, &limit);

    if (s == OK)
        s = params_query_number(request, "bytes", 0, MAX_BYTES, &bytes);
    if (s == OK)
        s = params_query_number(request, "before", 1, INT64_MAX, &before);
    if (s == OK)
        s = params_query_number(request, "partition", 0, INT32_MAX, &partition);
    if (s != OK)
        return s;
    query.partition = partition == UINT64_MAX ? -1 : (int64_t)partition;
    query.before = before;
    query.limit = (uint32_t)limit;
    query.max_bytes = bytes;
    s = reader_query_dead_letters(request->reader, &query, request->arena,
                                  &letters, &count, &total);
    if (s != OK)
        return query_fail_read(request, s);
    jsonw_open(&request->json, '{');
    jsonw_member_open(&request->json, "deadLetters", '[');
    for (uint32_t i = 0; i < count; i++)
        reply_letter(request, &letters[i], bytes);
    reply_end(request, total);
    return OK;
}

const struct route routes_dead_letters[] = {
    {"GET", "/api/v1/dead-letters", get_dead_letters, NULL, 0, 0},
    {0},
};
