/*
 * What reaches a terminal from an answer of a server, which has texts of
 * senders: the input is JSON, drawn as every text that the command line has. No
 * control byte but the line end, no line wider than the terminal.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "component_text.h"
#include "log_line.h"
#include "term_key.h"
#include "top_view.h"
#include "topology_text.h"
#include "waterfall.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct buf *out, uint32_t columns)
{
    struct slice rest = buf_slice(out);

    while (rest.len > 0) {
        struct slice line = slice_split(&rest, '\n');

        assert(term_columns(line) <= columns);
        for (size_t i = 0; i < line.len; i++)
            assert((unsigned char)line.ptr[i] >= 0x20 && line.ptr[i] != 0x7f);
    }
    buf_release(out);
}

static void draw_all(const json_t *answer, const struct term_look *look)
{
    struct buf out;

    buf_init(&out, 16 << 20);
    waterfall_text(&out, look, answer, false);
    check(&out, look->columns);
    buf_init(&out, 16 << 20);
    topology_text(&out, look, answer);
    check(&out, look->columns);
    buf_init(&out, 16 << 20);
    component_text(&out, look, answer);
    check(&out, look->columns);
    buf_init(&out, 16 << 20);
    log_line(&out, look, answer, LOG_LINE_COMPONENT | LOG_LINE_POD);
    check(&out, look->columns);
}

/* The screen of top, each order of it, with the answer as its list, as the page
 * of a component and as a log record. */
static void draw_top(json_t *answer, const struct term_look *look)
{
    json_t *logs[] = {answer};
    struct top_facts facts = {.server = "",
                              .error = "",
                              .answered_ns = 1,
                              .component = answer,
                              .logs = logs,
                              .log_count = 1};
    struct top_rows rows = {.count = 0};
    struct buf out;

    top_rows_add(&rows, json_incref(answer));
    for (int i = 0; i < TOP_TREND; i++) {
        struct top_state state = {.page = (enum top_page)(i % 3),
                                  .choice = {.sort = (enum top_column)i}};

        buf_init(&out, 16 << 20);
        top_view(&out, look, &state, &rows, &facts);
        check(&out, look->columns);
    }
    top_rows_release(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t widths[] = {1, 30, 61, 100, 240};
    json_t *answer = json_loadb((const char *)data, size, JSON_ALLOW_NUL, NULL);
    size_t at = 0, taken;
    uint32_t key;

    for (size_t i = 0; answer && i < sizeof(widths) / sizeof(*widths); i++) {
        struct term_look look = {
            .columns = widths[i], .rows = 24, .ascii = i % 2 == 1};

        draw_all(answer, &look);
        draw_top(answer, &look);
    }
    json_decref(answer);
    while (at < size && (taken = term_key_read(data + at, size - at, 1, &key)))
        at += taken;
    assert(at == size);
    return 0;
}
