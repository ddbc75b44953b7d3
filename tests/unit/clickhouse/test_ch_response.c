/* An answer of ClickHouse, cut anywhere: data, errors, exceptions within data.
 */
#include "ch_response.h"

#include <stdio.h>
#include <stdlib.h>

#include <zstd.h>

#include "test.h"

struct answer {
    struct buf data;
    struct ch_error error;
};

static enum status take(void *arg, struct slice bytes)
{
    buf_add(&((struct answer *)arg)->data, bytes);
    return OK;
}

/* Gives head and body, the body in pieces of `first` bytes, then the rest. */
static void read_answer(struct answer *answer, const char *head,
                        struct slice body, size_t first, bool whole)
{
    struct ch_response response;
    struct slice lines = slice_of(head);

    buf_init(&answer->data, 1 << 20);
    ch_response_begin(&response, NULL, take, answer);
    while (lines.len > 0)
        ch_response_head(&response, slice_split(&lines, '\n'));
    while (body.len > 0) {
        size_t len = first < body.len ? first : body.len;

        CHECK(ch_response_body(&response, (struct slice){body.ptr, len}));
        body = slice_from(body, len);
    }
    ch_response_end(&response, whole, &answer->error);
    ch_response_free_decoder(ch_response_release(&response));
}

#define TAGGED \
    "HTTP/1.1 200 OK\r\nX-ClickHouse-Exception-Tag: abcdefghijklmnop\r\n"

TEST(data_comes_through_however_it_is_cut)
{
    struct answer answer;
    char body[700];

    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = "__exception__\r\nabcdef"[i % 21]; /* nearly a mark */
    for (size_t first = 1; first < sizeof(body); first++) {
        read_answer(&answer, TAGGED, (struct slice){body, sizeof(body)}, first,
                    true);
        CHECK_EQ(answer.error.status, OK);
        CHECK(slice_equal(buf_slice(&answer.data),
                          (struct slice){body, sizeof(body)}));
        buf_release(&answer.data);
    }
}

TEST(an_exception_is_no_data)
{
    static const struct slice body =
        SLICE_INIT("some rows that came before it and are data, longer than "
                   "what is held back, so that some of it is handed over "
                   "early\r\n__exception__\r\nabcdefghijklmnop\r\nCode: 241. "
                   "DB::Exception: (total) memory limit exceeded. "
                   "(MEMORY_LIMIT_EXCEEDED) (version 26.9.1.1)\r\n"
                   "99 abcdefghijklmnop\r\n__exception__\r\n");
    struct answer answer;

    for (size_t first = 1; first <= body.len; first++) {
        read_answer(&answer, TAGGED, body, first, first % 2 == 0);
        CHECK_EQ(answer.error.status, ERR_TOO_BIG);
        CHECK_EQ(answer.error.code, 241);
        CHECK(answer.error.retry);
        CHECK(strstr(answer.error.text, "memory limit exceeded") != NULL);
        CHECK(strstr(answer.error.text, "version") == NULL);
        CHECK(slice_ends(buf_slice(&answer.data), SLICE("over early")));
        buf_release(&answer.data);
    }
}

TEST(an_exception_of_an_older_server)
{
    static const struct slice body = SLICE_INIT(
        "rows Code: 7 rowsCode: 159. DB::Exception: Timeout exceeded: elapsed "
        "10 s. (TIMEOUT_EXCEEDED) (version 24.8.4.13 (official build))\n");
    struct answer answer;

    for (size_t first = 1; first <= body.len; first += 3) {
        read_answer(&answer, "HTTP/1.1 200 OK\r\n", body, first, first % 2);
        CHECK_EQ(answer.error.status, ERR_DEADLINE);
        CHECK_EQ(answer.error.code, 159);
        buf_release(&answer.data);
    }
    read_answer(&answer, "HTTP/1.1 200 OK\r\n",
                SLICE("the row says Code: 159, and more"), 5, true);
    CHECK_EQ(answer.error.status, OK);
    buf_release(&answer.data);
}

TEST(compressed_answers)
{
    static char plain[300000], packed[400000];
    struct answer answer;
    struct slice body;

    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (char)('a' + test_random(4));
    body = (struct slice){
        packed, ZSTD_compress(packed, sizeof(packed), plain, sizeof(plain), 1)};
    for (size_t first = 1; first < 100000; first = first * 7 + 1) {
        read_answer(&answer, TAGGED "Content-Encoding: zstd\r\n", body, first,
                    true);
        CHECK_EQ(answer.error.status, OK);
        CHECK(slice_equal(buf_slice(&answer.data),
                          (struct slice){plain, sizeof(plain)}));
        buf_release(&answer.data);
    }
    body.len -= 5;
    read_answer(&answer, TAGGED "Content-Encoding: zstd\r\n", body, 4096, true);
    CHECK_EQ(answer.error.status, ERR_IO);
    CHECK(answer.error.retry);
    buf_release(&answer.data);
    read_answer(&answer, TAGGED "Content-Encoding: zstd\r\n", SLICE(""), 1,
                true);
    CHECK_EQ(answer.error.status, OK); /* an INSERT has none */
    buf_release(&answer.data);
}

static void check_error(const char *head, const char *body, enum status status,
                        bool retry, const char *words)
{
    struct answer answer;

    read_answer(&answer, head, slice_of(body), 10, true);
    CHECK_EQ(answer.error.status, status);
    CHECK_EQ(answer.error.retry, retry);
    if (!CHECK(strstr(answer.error.text, words) != NULL))
        printf("# %s\n", answer.error.text);
    CHECK(!strchr(answer.error.text, '\n'));
    CHECK_EQ(answer.data.len, 0);
    buf_release(&answer.data);
}

TEST(errors_by_code_and_by_status)
{
#define FAILED "HTTP/1.1 500 Internal\r\nX-ClickHouse-Exception-Code: "
    check_error(FAILED "202\r\n", "Code: 202. DB::Exception: Too many\nqueries",
                ERR_BUSY, true, "too many queries; retry later");
    check_error(FAILED "243\r\n", "Code: 243. DB::Exception: x", ERR_IO, true,
                "disk is full");
    check_error(FAILED "164\r\n", "Code: 164. DB::Exception: x", ERR_IO, true,
                "read-only");
    check_error(FAILED "60\r\n", "Code: 60. DB::Exception: x", ERR_IO, true,
                "schema apply");
    check_error(FAILED "516\r\n", "Code: 516. DB::Exception: x", ERR_IO, true,
                "user or password");
    check_error(FAILED "158\r\n", "Code: 158. DB::Exception: x", ERR_TOO_BIG,
                false, "max_rows_to_read");
    check_error(FAILED "62\r\n", "Code: 62. DB::Exception: Syntax",
                ERR_INTERNAL, false, "Syntax");
    check_error("HTTP/1.1 503 x\r\n", "busy", ERR_BUSY, true, "busy");
    check_error("HTTP/1.1 502 x\r\n", "<html>", ERR_IO, true, "proxy");
    check_error("HTTP/1.1 404 x\r\n", "", ERR_IO, true, "not ClickHouse");
    check_error("HTTP/1.1 500 x\r\n",
                "Code: 252. DB::Exception: Too many parts", ERR_BUSY, true,
                "merges are behind");
    check_error("HTTP/1.1 200 OK\r\nX-ClickHouse-Exception-Code: 241\r\n",
                "Code: 241. DB::Exception: x", ERR_TOO_BIG, true, "memory");
}

TEST(an_error_text_of_any_size_is_one_short_line)
{
    struct answer answer;
    char *body = malloc(200000);

    memset(body, '\n', 200000);
    memcpy(body, "Code: 74. DB::Exception: ", 25);
    read_answer(&answer, "HTTP/1.1 500 x\r\n", (struct slice){body, 200000},
                1000, true);
    CHECK_EQ(answer.error.status, ERR_IO);
    CHECK(strlen(answer.error.text) < CH_ERROR_TEXT);
    buf_release(&answer.data);
    free(body);
}
