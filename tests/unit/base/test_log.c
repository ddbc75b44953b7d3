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
    log_info("store", "opened", NULL);
    log_warn("http", "paused, queue is full", "lag=%d topic=%s", 1200, "spans");
    log_error("mem", "x", "%s=%.*s", "key", 2, "abc");
    CHECK_TEXT(end(),
               "level=info part=store msg=opened\n"
               "level=warn part=http msg=\"paused, queue is full\" lag=1200 "
               "topic=spans\n"
               "level=error part=mem msg=x key=ab\n");
}

TEST(values_are_quoted_where_needed)
{
    begin();
    log_warn("p", "m", "a=%s b=%s c=%s d=%d", "two words", "", "q\"b\\", 1);
    log_warn("p", "m", "a=%s b=%s", "x level=error\nforged=1", "\x01\t");
    log_warn("p", "m", "a=%s b=%s", "x=y", "\x7f");
    CHECK_TEXT(
        end(),
        "level=warn part=p msg=m a=\"two words\" b=\"\" c=\"q\\\"b\\\\\" "
        "d=1\n"
        "level=warn part=p msg=m a=\"x level=error\\nforged=1\" "
        "b=\"\\x01\\t\"\n"
        "level=warn part=p msg=m a=\"x=y\" b=\"\\x7f\"\n");
}

TEST(quotes_in_the_format_are_not_doubled)
{
    begin();
    log_warn("p", "m", "a=\"%s\" b=\"%s\" c=\"%.*s\" d=%d", "one", "two words",
             3, "\"q\"...", 4);
    CHECK_TEXT(end(), "level=warn part=p msg=m a=one b=\"two words\" "
                      "c=\"\\\"q\\\"\" d=4\n");
}

TEST(levels_are_left_out)
{
    begin();
    log_debug("p", "not shown", NULL);
    log_set_level(LOG_ERROR);
    log_warn("p", "not shown", NULL);
    log_set_level(LOG_DEBUG);
    log_debug("p", "shown", NULL);
    log_set_level(LOG_INFO);
    CHECK_TEXT(end(), "level=debug part=p msg=shown\n");
}

TEST(long_lines_are_cut_and_end)
{
    char *value = malloc(100000);
    struct slice line;

    memset(value, 'v', 99999);
    value[99999] = '\0';
    begin();
    log_warn("p", "m", "a=%s b=%d", value, 1);
    log_warn("p", value, NULL);
    line = end();
    free(value);
    CHECK(line.len > 1000 && line.len < 5000);
    CHECK(line.ptr[line.len - 1] == '\n');
}
