/*
 * See ch_response.h.
 *
 * A query may fail after its status 200 was sent. Since 25.11 the head of each
 * answer has a random tag, and an exception is
 *
 *   __exception__ \r\n TAG \r\n text \r\n length TAG \r\n __exception__ \r\n
 *
 * at the end of the body: mark is all up to the first TAG. So many bytes are
 * held back until it is sure that they do not begin a mark. Older servers write
 * "Code: 241. DB::Exception: ... (version 24.8...)" at the end, which may have
 * been handed on as data: the request fails all the same.
 */
#define _GNU_SOURCE /* memmem */
#include "ch_response.h"

#include <stdlib.h>
#include <strings.h>

#include <zstd.h>

enum { MAX_ERROR = 64 * 1024, MAX_WINDOW_LOG = 24, OUT_BYTES = 128 * 1024 };

void ch_response_begin(struct ch_response *response, void *zstd,
                       enum status (*take)(void *arg, struct slice bytes),
                       void *arg)
{
    *response = (struct ch_response){.take = take, .arg = arg, .zstd = zstd};
    buf_init(&response->error, MAX_ERROR);
}

void *ch_response_release(struct ch_response *response)
{
    buf_release(&response->error);
    return response->zstd;
}

void ch_response_free_decoder(void *zstd)
{
    (void)ZSTD_freeDCtx(zstd);
}

/* ---- head ---- */

static int read_number(struct slice text)
{
    int number = 0;

    for (size_t i = 0;
         i < text.len && i < 8 && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        number = number * 10 + (text.ptr[i] - '0');
    return number;
}

static bool is_field(struct slice *line, const char *name)
{
    size_t len = strlen(name);

    if (line->len < len || strncasecmp(line->ptr, name, len) != 0)
        return false;
    *line = slice_trim(slice_from(*line, len), " \t\r\n");
    return true;
}

static void set_mark(struct ch_response *response, struct slice tag)
{
    static const struct slice begin = SLICE_INIT("__exception__\r\n");

    if (tag.len == 0 || tag.len > CH_TAG)
        return;
    slice_copy(response->mark, begin);
    slice_copy(response->mark + begin.len, tag);
    response->mark_len = begin.len + tag.len;
}

void ch_response_head(struct ch_response *response, struct slice line)
{
    struct slice rest = line;

    if (is_field(&rest, "HTTP/")) {
        (void)slice_split(&rest, ' ');
        response->http = read_number(rest);
        response->code = 0;
        response->is_zstd = false;
        response->ended = true;
        response->mark_len = 0;
    } else if (is_field(&rest, "X-ClickHouse-Exception-Code:")) {
        response->code = read_number(rest);
    } else if (is_field(&rest, "X-ClickHouse-Exception-Tag:")) {
        set_mark(response, rest);
    } else if (is_field(&rest, "Content-Encoding:")) {
        response->is_zstd = slice_equal(rest, SLICE("zstd"));
    }
}

/* ---- body ---- */

/* The last CH_TAIL bytes are kept, since they may be the text of an error. */
static void keep_tail(struct buf *tail, struct slice bytes)
{
    if (bytes.len >= CH_TAIL) {
        buf_reset(tail);
        bytes = slice_from(bytes, bytes.len - CH_TAIL);
    } else if (tail->len + bytes.len > 4 * CH_TAIL) {
        memmove(tail->ptr, tail->ptr + tail->len - CH_TAIL, CH_TAIL);
        tail->len = CH_TAIL;
    }
    buf_add(tail, bytes);
}

static void hand_over(struct ch_response *response, struct slice bytes)
{
    if (bytes.len == 0 || response->status != OK)
        return;
    if (response->mark_len == 0)
        keep_tail(&response->error, bytes);
    if (response->take)
        response->status = response->take(response->arg, bytes);
}

/* Where the mark begins in bytes, or NULL. */
static const char *find_mark(const struct ch_response *response,
                             struct slice bytes)
{
    return bytes.len < response->mark_len
               ? NULL
               : memmem(bytes.ptr, bytes.len, response->mark,
                        response->mark_len);
}

/* bytes are handed over up to the mark at `at`, the rest is text. */
static void split_at(struct ch_response *response, struct slice bytes,
                     const char *at)
{
    struct slice data = {bytes.ptr, (size_t)(at - bytes.ptr)};
    struct slice text = slice_from(bytes, data.len + response->mark_len);

    if (slice_ends(data, SLICE("\r\n")))
        data.len -= 2;
    hand_over(response, data);
    response->excepted = true;
    buf_add(&response->error, text);
}

static void hold(struct ch_response *response, struct slice bytes)
{
    slice_copy(response->held, bytes);
    response->held_len = bytes.len;
}

/* Looks for the mark in what was held and in bytes, of which some are held. */
static void search(struct ch_response *response, struct slice bytes)
{
    char joint[2 * CH_HOLD];
    size_t begin = bytes.len < CH_HOLD ? bytes.len : CH_HOLD;
    struct slice both = {joint, response->held_len + begin};
    const char *at;

    slice_copy(joint, (struct slice){response->held, response->held_len});
    slice_copy(joint + response->held_len, (struct slice){bytes.ptr, begin});
    at = find_mark(response, both);
    if (at) {
        split_at(response, both, at);
        buf_add(&response->error, slice_from(bytes, begin));
        return;
    }
    if (bytes.len < CH_HOLD) { /* all of it is in `joint` */
        size_t over = both.len > CH_HOLD ? both.len - CH_HOLD : 0;

        hand_over(response, (struct slice){joint, over});
        hold(response, slice_from(both, over));
        return;
    }
    hand_over(response, (struct slice){response->held, response->held_len});
    response->held_len = 0;
    at = find_mark(response, bytes);
    if (at) {
        split_at(response, bytes, at);
        return;
    }
    hand_over(response, (struct slice){bytes.ptr, bytes.len - CH_HOLD});
    hold(response, slice_from(bytes, bytes.len - CH_HOLD));
}

/* The text of an error is taken as far as there is room. */
static void take_plain(struct ch_response *response, struct slice bytes)
{
    if (response->http != 200 || response->code != 0 || response->excepted)
        buf_add(&response->error,
                slice_truncate(bytes, MAX_ERROR - response->error.len));
    else if (response->mark_len > 0)
        search(response, bytes);
    else
        hand_over(response, bytes);
}

static void inflate(struct ch_response *response, struct slice bytes)
{
    ZSTD_inBuffer in = {bytes.ptr, bytes.len, 0};
    char *plain = malloc(OUT_BYTES);
    ZSTD_outBuffer out = {plain, OUT_BYTES, 0};

    if (!response->zstd) {
        response->zstd = ZSTD_createDCtx();
        if (response->zstd)
            (void)ZSTD_DCtx_setParameter(response->zstd, ZSTD_d_windowLogMax,
                                         MAX_WINDOW_LOG);
    }
    response->ended = false;
    if (!plain || !response->zstd)
        response->status = ERR_BUSY;
    while (response->status == OK &&
           (in.pos < in.size || out.pos == out.size)) {
        size_t left;

        out.pos = 0;
        left = ZSTD_decompressStream(response->zstd, &out, &in);
        if (ZSTD_isError(left)) {
            response->status = ERR_CORRUPT;
            break;
        }
        response->ended = left == 0;
        take_plain(response, (struct slice){plain, out.pos});
    }
    free(plain);
}

bool ch_response_body(struct ch_response *response, struct slice bytes)
{
    if (response->status == OK && response->is_zstd)
        inflate(response, bytes);
    else if (response->status == OK)
        take_plain(response, bytes);
    return response->status == OK;
}

/* ---- end ---- */

/* Whether a body without a tag ends in an exception; *text: of it. */
static bool ends_in_exception(struct slice tail, struct slice *text)
{
    static const struct slice begin = SLICE_INIT("Code: "),
                              mark = SLICE_INIT("DB::Exception: ");
    const char *at;

    text->len = 0;
    while (tail.len > 0 &&
           (at = memmem(tail.ptr, tail.len, begin.ptr, begin.len))) {
        tail = slice_from(tail, (size_t)(at - tail.ptr));
        *text = slice_trim(tail, " \r\n");
        tail = slice_from(tail, begin.len);
    }
    return text->len > 0 && memmem(text->ptr, text->len, mark.ptr, mark.len) &&
           memmem(text->ptr, text->len, "(version ", 9) &&
           slice_ends(*text, SLICE(")"));
}

static void set_error(struct ch_response *response, bool whole,
                      struct ch_error *error)
{
    struct slice text = buf_slice(&response->error);

    if (response->http != 200 || response->code != 0 || response->excepted ||
        (response->mark_len == 0 && ends_in_exception(text, &text)))
        ch_error_of_answer(error, response->http, response->code, text);
    else if (response->status == ERR_CORRUPT)
        ch_error_set(error, ERR_IO, true,
                     "ClickHouse's answer is damaged: check proxies before it",
                     "%s", "");
    else if (response->status != OK)
        ch_error_set(error, response->status, false,
                     status_text(response->status), "%s", "");
    else if (!whole || (response->is_zstd && !response->ended))
        ch_error_set(error, ERR_IO, true,
                     "ClickHouse's answer was cut off; retry later", "%s", "");
}

void ch_response_end(struct ch_response *response, bool whole,
                     struct ch_error *error)
{
    ch_error_clear(error);
    if (response->status == OK && !response->excepted && response->held_len > 0)
        hand_over(response, (struct slice){response->held, response->held_len});
    if (response->http != 0)
        set_error(response, whole, error);
    if (response->zstd) /* for the next one */
        (void)ZSTD_DCtx_reset(response->zstd, ZSTD_reset_session_only);
}
