#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static char text[10000];
static FILE *file;
static int saved;

/* What is logged between the two goes to a file and not to stderr. */
static void begin(void)
{
    fflush(stderr);
    file = tmpfile();
    saved = dup(STDERR_FILENO);
    if (!file || saved < 0 || dup2(fileno(file), STDERR_FILENO) < 0)
        abort();
}

static struct slice end(void)
{
    size_t len;

    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = '\0';
    return slice_of(text);
}

TEST(one_line_of_logfmt)
{
    begin();
    log_info("store", "opened", LOG_NONE);
    log_warn("http", "paused, queue is full", log_int("lag", -1200),
             log_text("topic", "spans"));
    log_error("mem", "x", log_slice("key", (struct slice){"abc", 2}),
              log_uint("most", UINT64_MAX), log_hex("lsn", 0xab));
    CHECK_TEXT(end(),
               "level=info module=store msg=opened\n"
               "level=warn module=http msg=\"paused, queue is full\" lag=-1200 "
               "topic=spans\n"
               "level=error module=mem msg=x key=ab "
               "most=18446744073709551615 lsn=00000000000000ab\n");
}

TEST(values_are_quoted_where_needed)
{
    begin();
    log_warn("p", "m", log_text("a", "two words"), log_text("b", ""),
             log_text("c", "q\"b\\"), log_int("d", 1));
    log_warn("p", "m", log_text("a", "x level=error\nforged=1"),
             log_text("b", "\x01\t"));
    log_warn("p", "m", log_text("a", "x=y"), log_text("b", "\x7f"));
    CHECK_TEXT(
        end(),
        "level=warn module=p msg=m a=\"two words\" b=\"\" c=\"q\\\"b\\\\\" "
        "d=1\n"
        "level=warn module=p msg=m a=\"x level=error\\nforged=1\" "
        "b=\"\\x01\\t\"\n"
        "level=warn module=p msg=m a=\"x=y\" b=\"\\x7f\"\n");
}

/* printf's directives in a value mean nothing. */
TEST(values_are_not_formats)
{
    begin();
    log_warn("p", "100%", log_text("a", "%s%n"));
    CHECK_TEXT(end(), "level=warn module=p msg=100% a=%s%n\n");
}

TEST(levels_are_left_out)
{
    begin();
    log_debug("p", "not shown", LOG_NONE);
    log_set_level(LOG_ERROR);
    log_warn("p", "not shown", LOG_NONE);
    log_set_level(LOG_DEBUG);
    log_debug("p", "shown", LOG_NONE);
    log_set_level(LOG_INFO);
    CHECK_TEXT(end(), "level=debug module=p msg=shown\n");
}

TEST(long_lines_are_truncated_and_end)
{
    char *value = malloc(100000);
    struct slice line;

    memset(value, 'v', 99999);
    value[99999] = '\0';
    begin();
    log_warn("p", "m", log_text("a", value), log_int("b", 1));
    log_warn("p", value, LOG_NONE);
    line = end();
    free(value);
    CHECK(line.len > 1000 && line.len < 5000);
    CHECK(line.ptr[line.len - 1] == '\n');
}

TEST(levels_have_names)
{
    enum log_level level = LOG_INFO;

    CHECK(log_parse_level("debug", &level) && level == LOG_DEBUG);
    CHECK(log_parse_level("error", &level) && level == LOG_ERROR);
    CHECK(log_parse_level("WARN", &level) && level == LOG_WARN);
    CHECK(log_parse_level("Warning", &level) && level == LOG_WARN);
    CHECK(!log_parse_level("", &level) && !log_parse_level("warned", &level));
    CHECK_EQ(level, LOG_WARN);
}
