/*
 * Messages that could not be decoded, from the newest. What is shown of each
 * is cut: a page of whole ones could be larger than any answer may be.
 */
#include "clock.h"
#include "query_request.h"

enum {
    DEFAULT_LIMIT = 100,
    MAX_LIMIT = 1000,
    DEFAULT_BYTES = 1024,
    MAX_BYTES = 64 * 1024,
};

struct letter_view {
    const struct dead_letter_row *letter;
    uint64_t time_ns; /* of the message */
    struct slice bytes;
};

static const struct reply_table letter_head_table =
    REPLY_TABLE(struct dead_letter_row, REPLY(struct dead_letter_row, "id", id),
                REPLY(struct dead_letter_row, "topic", topic),
                REPLY(struct dead_letter_row, "partition", partition),
                REPLY(struct dead_letter_row, "offset", offset),
                REPLY_TIME(struct dead_letter_row, "receivedTime", received_ns),
                REPLY(struct dead_letter_row, "reason", reason),
                REPLY(struct dead_letter_row, "size", size));

static const struct reply_table letter_table = REPLY_TABLE(
    struct letter_view,
    REPLY_INLINE(struct letter_view, letter, REPLY_POINTER, &letter_head_table),
    REPLY_OPTIONAL_TIME(struct letter_view, "time", time_ns),
    REPLY_BASE64(struct letter_view, "bytes", bytes));

struct letters_reply {
    struct reply_list letters;
    uint64_t total;
    int64_t took_ms;
};
static const struct reply_table letters_table = REPLY_TABLE(
    struct letters_reply,
    REPLY_LIST(struct letters_reply, "deadLetters", letters, &letter_table),
    REPLY(struct letters_reply, "total", total),
    REPLY(struct letters_reply, "tookMs", took_ms));

/* The messages found, while they are written one at a time. */
struct letter_list {
    const struct dead_letter_row *letters;
    size_t max_bytes;
    struct letter_view view;
};

static const void *letter_item(void *arg, uint32_t i)
{
    struct letter_list *list = arg;
    const struct dead_letter_row *letter = &list->letters[i];
    struct slice bytes = letter->bytes;

    if (bytes.len > list->max_bytes)
        bytes.len = list->max_bytes;
    list->view = (struct letter_view){
        letter, letter->time_ms > 0 ? letter->time_ms * NS_PER_MS : 0, bytes};
    return &list->view;
}

static enum status get_dead_letters(struct query_request *request)
{
    uint64_t limit = DEFAULT_LIMIT, bytes = DEFAULT_BYTES, before = 0;
    uint64_t partition = UINT64_MAX, total = 0;
    struct dead_letter_query query = {.topic = query_param(request, "topic")};
    struct dead_letter_row *letters = NULL;
    uint32_t count = 0;
    enum status s;

    params_query_number(request, "limit", 1, MAX_LIMIT, &limit);
    params_query_number(request, "bytes", 0, MAX_BYTES, &bytes);
    params_query_number(request, "before", 1, INT64_MAX, &before);
    params_query_number(request, "partition", 0, INT32_MAX, &partition);
    if (request->failed != OK)
        return request->failed;
    query.partition = partition == UINT64_MAX ? -1 : (int64_t)partition;
    query.before = before;
    query.limit = (uint32_t)limit;
    query.max_bytes = bytes;
    s = reader_query_dead_letters(request->reader, &query, request->arena,
                                  &letters, &count, &total);
    if (s != OK)
        return query_fail_read(request, s);
    struct letter_list list = {letters, bytes, {0}};
    struct letters_reply reply = {
        {count, NULL, letter_item, &list}, total, query_took_ms(request)};
    reply_write(&request->json, &letters_table, &reply);
    return OK;
}

const struct route routes_dead_letters[] = {
    {"GET", "/api/v1/dead-letters", ACTION_DEAD_LETTERS, SCOPE_NONE,
     get_dead_letters, NULL, 0, 0, &letters_table},
    {0},
};
