/* Levels as real loggers write them, and text that only looks like one. */
#include "severity.h"

#include "correlate_kit.h"

static enum level level_of(const struct log_record *log)
{
    struct log_fields fields;

    log_fields_read(&fields, log);
    return severity_of(log, &fields);
}

static enum level of_body(const char *body)
{
    struct log_record log = {.body = {.str = body,
                                      .len = (uint32_t)strlen(body),
                                      .type = VALUE_STRING}};

    return level_of(&log);
}

static enum level of_attrs(const char *text)
{
    struct log_record log = {0};
    struct arena arena;
    enum level level;

    arena_init(&arena, NULL, SIZE_MAX);
    log.attrs = kit_attrs(&arena, text);
    level = level_of(&log);
    arena_release(&arena);
    return level;
}

struct row {
    const char *text;
    enum level level;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!CHECK_EQ(of_body(rows[i].text), rows[i].level))
            printf("# %s\n", rows[i].text);
}

#define CHECK_ROWS(rows) check_rows((rows), sizeof(rows) / sizeof(*(rows)))

TEST(the_number_counts_first)
{
    struct log_record log = {.severity_text = SLICE("ERROR")};

    for (uint8_t n = 1; n <= 24; n++) {
        log.severity = n;
        CHECK_EQ(level_of(&log), (n - 1) / 4 + 1);
    }
    log.severity = 0;
    CHECK_EQ(level_of(&log), LEVEL_ERROR);
    log.severity = 25;
    CHECK_EQ(level_of(&log), LEVEL_ERROR);
}

TEST(severity_texts)
{
    static const struct row rows[] = {
        {"trace", LEVEL_TRACE},
        {"Debug", LEVEL_DEBUG},
        {"VERBOSE", LEVEL_DEBUG},
        {"info", LEVEL_INFO},
        {"Information", LEVEL_INFO},
        {"notice", LEVEL_INFO},
        {"WARN", LEVEL_WARN},
        {"warning", LEVEL_WARN},
        {"err", LEVEL_ERROR},
        {"Error", LEVEL_ERROR},
        {"critical", LEVEL_ERROR},
        {"alert", LEVEL_ERROR},
        {"fatal", LEVEL_FATAL},
        {"panic", LEVEL_FATAL},
        {"emerg", LEVEL_FATAL},
        {"INFO2", LEVEL_INFO},
        {"E", LEVEL_ERROR},
        {"banana", LEVEL_UNSET},
        {"", LEVEL_UNSET},
        {"42", LEVEL_UNSET},
        {"SEVERE", LEVEL_ERROR},
        {"FINE", LEVEL_DEBUG},
        {"FINER", LEVEL_DEBUG},
        {"FINEST", LEVEL_TRACE},
        {"CONFIG", LEVEL_DEBUG},
        {"Informational", LEVEL_INFO},
        {"EMERGENCY", LEVEL_FATAL},
        {"Warning", LEVEL_WARN},
        {"LogLevel.Error", LEVEL_ERROR},
        {"[WARN]", LEVEL_WARN},
        {"\033[31mERROR\033[0m", LEVEL_ERROR},
        {"Normal", LEVEL_INFO},
        {"DPANIC", LEVEL_FATAL},
        {" error ", LEVEL_ERROR},
        {"WRN", LEVEL_WARN},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        CHECK_EQ(severity_of_word(slice_of(rows[i].text)), rows[i].level);
}

TEST(declared_in_the_line)
{
    static const struct row rows[] = {
        {"ts=1 level=error msg=\"info\"", LEVEL_ERROR},
        {"INFO starting, level=warn", LEVEL_WARN},
        {"{\\\"level\\\":\\\"fatal\\\"}", LEVEL_FATAL},
        {"time=\"2024-01-01T00:00:00Z\" level=warning msg=x", LEVEL_WARN},
        {"t=2024-06-05T10:00:00+0000 lvl=eror msg=x", LEVEL_ERROR},
        {"t=2024-06-05T10:00:00+0000 lvl=dbug msg=x", LEVEL_DEBUG},
        {"ts=1 caller=x.go:1 severity=\"ERROR\" msg=y", LEVEL_ERROR},
        {"severity: warn", LEVEL_WARN},
        {"level=50 msg=x", LEVEL_ERROR},
        {"log.level=error message=x", LEVEL_ERROR},
        {"level=7 x", LEVEL_INFO},
        {"level", LEVEL_INFO},
        {"level=", LEVEL_INFO},
        {"msg=x level=[error]", LEVEL_ERROR},
    };

    CHECK_ROWS(rows);
}

TEST(coloured)
{
    static const struct row rows[] = {
        {"\033[31mERROR\033[0m cannot open", LEVEL_ERROR},
        {"ts=1 level=\033[33mwarn\033[0m msg=x", LEVEL_WARN},
        {"\033[31mERRO\033[0m[0000] cannot open", LEVEL_ERROR},
        {"\033[90m2024-06-05T10:00:00Z\033[0m \033[33mWRN\033[0m x",
         LEVEL_WARN},
        {"2024-06-05T10:00:00Z\t\033[34minfo\033[0m\tx", LEVEL_INFO},
        {"2024-06-05T10:00:00Z\t\033[31merror\033[0m\tx", LEVEL_ERROR},
        {"[10:00:00.123] \033[31mERROR\033[39m (42): x", LEVEL_ERROR},
        {"\033[1;31merror\033[0m: x", LEVEL_ERROR},
        {"\033[38;5;196m[FATAL]\033[0m x", LEVEL_FATAL},
        {"\033[0;33mlevel\033[0m=\033[35mdebug\033[0m", LEVEL_DEBUG},
        {"{\"level\":\"\\u001b[31merror\\u001b[39m\",\"message\":\"x\"}",
         LEVEL_ERROR},
    };

    CHECK_ROWS(rows);
}

TEST(json_bodies)
{
    static const struct row rows[] = {
        {"{\"level\":\"warn\",\"msg\":\"error\"}", LEVEL_WARN},
        {"{\"severity\": \"DEBUG\"}", LEVEL_DEBUG},
        {"{\"level\":50,\"time\":1,\"msg\":\"x\"}", LEVEL_ERROR},
        {"{\"level\":30,\"msg\":\"ERROR\"}", LEVEL_INFO},
        {"{\"level\":60,\"msg\":\"x\"}", LEVEL_FATAL},
        {"{\"name\":\"a\",\"pid\":1,\"level\":40,\"msg\":\"x\",\"v\":0}",
         LEVEL_WARN},
        {"{\"@level\":\"warn\",\"@message\":\"ERROR\"}", LEVEL_WARN},
        {"{\"@t\":\"2024\",\"@l\":\"Error\",\"@mt\":\"x\"}", LEVEL_ERROR},
        {"{\"@timestamp\":\"2024\",\"log.level\":\"error\"}", LEVEL_ERROR},
        {"{\"@timestamp\":\"2024\",\"log\":{\"level\":\"WARN\"}}", LEVEL_WARN},
        {"{\"levelname\": \"CRITICAL\", \"message\": \"x\"}", LEVEL_ERROR},
        {"{\"levelno\": 30, \"message\": \"x\"}", LEVEL_WARN},
        {"{\"lvl\":\"eror\",\"msg\":\"x\"}", LEVEL_ERROR},
        {"{\"EventId\":1,\"LogLevel\":\"Critical\",\"Message\":\"x\"}",
         LEVEL_ERROR},
        {"{\"t\":{\"$date\":\"2024\"},\"s\":\"E\",\"c\":\"NETWORK\"}",
         LEVEL_ERROR},
        {"{\"t\":{\"$date\":\"2024\"},\"s\":\"D1\",\"c\":\"NETWORK\"}",
         LEVEL_DEBUG},
        {"{\"message\":\"x\",\"level\":400,\"level_name\":\"ERROR\"}",
         LEVEL_ERROR},
        {"{\"version\":\"1.1\",\"short_message\":\"x\",\"level\":3}",
         LEVEL_ERROR},
        {"{\"version\":\"1.1\",\"level\":4,\"short_message\":\"x\"}",
         LEVEL_WARN},
        {"{\"PRIORITY\":\"3\",\"MESSAGE\":\"x\"}", LEVEL_ERROR},
        {"{\"MESSAGE\":\"x\",\"PRIORITY\":7}", LEVEL_DEBUG},
        {"{\"severity_number\":17,\"body\":\"x\"}", LEVEL_ERROR},
        {"{\"SeverityText\":\"Information\"}", LEVEL_INFO},
        {"{\"level\":{\"name\":\"x\"},\"message\":\"WARN y\"}", LEVEL_WARN},
        {"{\"log\":\"ERROR boom\\n\",\"stream\":\"stderr\"}", LEVEL_ERROR},
        {"{\"level\":\"error\",\"msg\":\"cut of", LEVEL_ERROR},
        {"{\"msg\":\"no error\",\"error\":null}", LEVEL_INFO},
        {"{\"error\":\"x\",\"errors\":0}", LEVEL_INFO},
        {"{\"level\":3,\"msg\":\"x\"}", LEVEL_INFO},
        {"{\"level\":17,\"msg\":\"x\"}", LEVEL_INFO},
        {"{\"level\":35,\"msg\":\"x\"}", LEVEL_INFO},
        {"{\"priority\":1,\"msg\":\"x\"}", LEVEL_INFO},
        {"{\"priority\":\"critical\",\"msg\":\"x\"}", LEVEL_INFO},
        {"{\"s\":\"f\",\"q\":\"x\"}", LEVEL_INFO},
        {"{}", LEVEL_INFO},
        {"{\"a\":1}", LEVEL_INFO},
        {"{\"msg\":\"\"}", LEVEL_INFO},
        {"{", LEVEL_INFO},
        {" {\"level\":\"error\"}", LEVEL_ERROR},
        {"{main} ERROR x", LEVEL_ERROR},
    };

    CHECK_ROWS(rows);
}

TEST(loggers)
{
    static const struct row rows[] = {
        /* .NET console */
        {"fail: Shop.Cart[0]\n      Cannot open", LEVEL_ERROR},
        {"crit: Shop.Cart[0]", LEVEL_ERROR},
        {"dbug: Shop.Cart[0]", LEVEL_DEBUG},
        {"warn: Shop.Cart[0]", LEVEL_WARN},
        {"info: Shop.Cart[0]\n      error count 0", LEVEL_INFO},
        {"trce: Shop.Cart[0]", LEVEL_TRACE},
        {"2024-06-05 10:00:00 fail: Shop.Cart[0] x", LEVEL_ERROR},
        /* Serilog, NLog */
        {"[10:00:00 ERR] x", LEVEL_ERROR},
        {"[10:00:00 WRN] x", LEVEL_WARN},
        {"2024-06-05 10:00:00.123 +00:00 [ERR] x", LEVEL_ERROR},
        {"2024-06-05 10:00:00.1234|ERROR|Shop.Cart|x", LEVEL_ERROR},
        /* log4j, logback, Spring, JUL */
        {"2024-06-05 10:00:00,123 [main] ERROR c.e.App - x", LEVEL_ERROR},
        {"10:00:00.123 [http-nio-8080-exec-1] WARN  c.e.App - x", LEVEL_WARN},
        {"2024-06-05T10:00:00.123Z  INFO 1 --- [main] c.e.App : error",
         LEVEL_INFO},
        {"Jun 05, 2024 10:00:00 AM com.e.App run\nSEVERE: x", LEVEL_ERROR},
        {"Jun 05, 2024 10:00:00 AM com.e.App run\nFINE: x", LEVEL_DEBUG},
        {"[2024-06-05 10:00:00,123] ERROR x (kafka.server.App)", LEVEL_ERROR},
        {"[2024-06-05T10:00:00,123][WARN ][o.e.x] [node] y", LEVEL_WARN},
        /* Python */
        {"ERROR:root:x", LEVEL_ERROR},
        {"WARNING:urllib3.connectionpool:x", LEVEL_WARN},
        {"2024-06-05 10:00:00,123 - app.views - CRITICAL - x", LEVEL_ERROR},
        {"2024-06-05 10:00:00 [error    ] x                k=v", LEVEL_ERROR},
        {"2024-06-05 10:00:00.123 | WARNING  | app:f:1 - x", LEVEL_WARN},
        {"INFO:     127.0.0.1:1 - \"GET /error HTTP/1.1\" 200", LEVEL_INFO},
        /* Go */
        {"2024-06-05T10:00:00.000Z\tERROR\tapp/x.go:1\ty", LEVEL_ERROR},
        {"2024-06-05T10:00:00.000Z\twarn\tapp/x.go:1\ty", LEVEL_WARN},
        {"10:00AM ERR x error=\"y\"", LEVEL_ERROR},
        {"2024-06-05T10:00:00Z DBG x", LEVEL_DEBUG},
        {"ERRO[0000] x", LEVEL_ERROR},
        {"WARN[0012] x", LEVEL_WARN},
        {"FATA[0000] x", LEVEL_FATAL},
        {"2024/06/05 10:00:00 ERROR x", LEVEL_ERROR},
        {"2024/06/05 10:00:00 error connecting: y", LEVEL_ERROR},
        {"panic: runtime error: x", LEVEL_FATAL},
        /* JavaScript, Rust, Ruby, PHP, Elixir */
        {"error: cannot open", LEVEL_ERROR},
        {"Error: connect ECONNREFUSED 127.0.0.1:5432", LEVEL_ERROR},
        {"warn  - x", LEVEL_WARN},
        {"[2024-06-05T10:00:00Z ERROR app::x] y", LEVEL_ERROR},
        {"2024-06-05T10:00:00.1Z ERROR app: x", LEVEL_ERROR},
        {"E, [2024-06-05T10:00:00.1 #1] ERROR -- : x", LEVEL_ERROR},
        {"[2024-06-05 10:00:00] production.ERROR: x {\"a\":1}", LEVEL_ERROR},
        {"PHP Fatal error:  Uncaught x", LEVEL_FATAL},
        {"10:00:00.123 [error] GenServer x terminating", LEVEL_ERROR},
        {"src/x.c:3:5: error: y", LEVEL_ERROR},
        {"src/x.c:3:5: warning: y", LEVEL_WARN},
        /* servers */
        {"2024/06/05 10:00:00 [error] 12#12: *1 connect() failed", LEVEL_ERROR},
        {"2024/06/05 10:00:00 [emerg] 1#1: bind() failed", LEVEL_FATAL},
        {"2024/06/05 10:00:00 [notice] 1#1: no error", LEVEL_INFO},
        {"nginx: [emerg] x", LEVEL_FATAL},
        {"[Wed Jun 05 10:00:00.1 2024] [core:error] [pid 1] x", LEVEL_ERROR},
        {"[2024-06-05 10:00:00.1][1][critical][main] [x.cc:1] y", LEVEL_ERROR},
        {"[WARNING] 156/100000 (1) : x", LEVEL_WARN},
        {"[ALERT] 156/100000 (1) : x", LEVEL_ERROR},
        {"2024-06-05 10:00:00.123 UTC [42] ERROR:  relation x", LEVEL_ERROR},
        {"2024-06-05 10:00:00 UTC [42] LOG:  statement: SELECT 'ERROR'",
         LEVEL_INFO},
        {"2024-06-05 10:00:00 UTC [42] FATAL:  password", LEVEL_FATAL},
        {"2024-06-05 10:00:00 UTC [42] DEBUG1:  x", LEVEL_DEBUG},
        {"2024-06-05T10:00:00.1Z 0 [ERROR] [MY-01] [Server] x", LEVEL_ERROR},
        {"2024-06-05 10:00:00 0 [Note] InnoDB: x", LEVEL_INFO},
        {"1:M 05 Jun 2024 10:00:00.123 # x", LEVEL_WARN},
        {"1:M 05 Jun 2024 10:00:00.123 * x", LEVEL_INFO},
        {"12:C 05 Jun 2024 10:00:00.123 - x", LEVEL_DEBUG},
        /* syslog */
        {"<11>Jun  5 10:00:00 host app[1]: x", LEVEL_ERROR},
        {"<34>1 2024-06-05T10:00:00Z host su - ID47 - x", LEVEL_ERROR},
        {"<0>1 2024-06-05T10:00:00Z host su - ID47 - x", LEVEL_FATAL},
        {"<7>x", LEVEL_DEBUG},
        {"ALERT disk full", LEVEL_ERROR},
        {"EMERGENCY no power", LEVEL_FATAL},
        {"EMERG: x", LEVEL_FATAL},
        {"CRIT x", LEVEL_ERROR},
        {"NOTICE x", LEVEL_INFO},
        {"PANIC x", LEVEL_FATAL},
        {"FATAL x", LEVEL_FATAL},
        {"Jun  5 10:00:00 host app[1]: error: x", LEVEL_ERROR},
        /* klog */
        {"E0821 08:12:03.1 1 x.go:1] info", LEVEL_ERROR},
        {"W0821 x", LEVEL_WARN},
        {"F0821 x", LEVEL_FATAL},
        {"E082 ERROR", LEVEL_ERROR},
        {"E082 x", LEVEL_INFO},
        {"E240821 08:12:03.1 1 x.go:1 [n1] info", LEVEL_ERROR},
        {"W20240821 08:12:03.1 1 x.cc:1] x", LEVEL_WARN},
        {"E2408211 x", LEVEL_INFO},
        {"E240821", LEVEL_INFO},
        /* one letter */
        {"[E 240821 08:12:03 web:1811] 500 GET / (::1)", LEVEL_ERROR},
        {"[W 2024-08-21 08:12:03.123 ServerApp] x", LEVEL_WARN},
        {"[C 240821 08:12:03 web:1] x", LEVEL_ERROR},
        {"[08:12:03][E] x", LEVEL_ERROR},
        {"2024-08-21T08:12:03Z E! [outputs.x] x", LEVEL_ERROR},
        {"2024-08-21T08:12:03.000+0000 W STORAGE  [x] x", LEVEL_WARN},
        {"08-21 08:12:03.123  1000  1001 F libc    : x", LEVEL_FATAL},
        {"[E x] y", LEVEL_INFO},
        {"vitamin E 10:00:00", LEVEL_INFO},
        {"at 10:00:00 plan E was tried", LEVEL_INFO},
        {"2024-08-21 plan F 3", LEVEL_INFO},
        /* within other signs */
        {"[2024-08-21 08:12:03,123: ERROR/MainProcess] x", LEVEL_ERROR},
        {"[2024-08-21 08:12:03,123: WARNING/ForkPoolWorker-1] x", LEVEL_WARN},
        {"08:12:03,123 |-ERROR in ch.qos.logback.core x", LEVEL_ERROR},
        {"=ERROR REPORT==== 21-Aug-2024::08:12:03 ===", LEVEL_ERROR},
        {"state=ERROR x", LEVEL_INFO},
        {"GET /ERROR/x", LEVEL_INFO},
        {"EROR[08-21|08:12:03] x", LEVEL_ERROR},
        {"silly: x", LEVEL_TRACE},
        {"http: TLS handshake error from 10.0.0.1:1: EOF", LEVEL_INFO},
        {"{\"level\":\"http\",\"message\":\"x\"}", LEVEL_DEBUG},
        {"{\"level\":\"silly\",\"message\":\"x\"}", LEVEL_TRACE},
        /* plain */
        {"2026-01-01 ERROR something", LEVEL_ERROR},
        {"[warn] something ERROR", LEVEL_WARN},
        {"SEVERE: x", LEVEL_ERROR},
        {"TRACE of it", LEVEL_TRACE},
        {"Warning: x", LEVEL_WARN},
        {"<error> x", LEVEL_ERROR},
    };

    CHECK_ROWS(rows);
}

TEST(text_that_is_no_level)
{
    static const char *const lines[] = {
        "no error found",
        "0 errors",
        "0 ERROR lines",
        "Finished with 0 errors and 0 warnings",
        "INFO done error=nil",
        "done error=nil",
        "done, error: nil",
        "error: nil",
        "Error: 0",
        "errors: 0, warnings: 0",
        "error rate 0.1 %",
        "Error count: 3",
        "completed without error",
        "the informant had no terrors",
        "no trace of it",
        "GET /error HTTP/1.1 200",
        "GET /fatal.html 200",
        "loading error-handler",
        "opened error.log",
        "Log level: DEBUG",
        "log level set to ERROR",
        "started with --log-level=debug",
        "logging.level=DEBUG",
        "set level=error for x",
        "DEBUG=true",
        "ERROR_LOG=/var/log/x",
        "state=ERROR",
        "status=\"ERROR\"",
        "no ERROR found",
        "debug mode is off",
        "panic button pressed",
        "all fine",
        "what a fine day",
        "result [no error]",
        "trace-id 12",
        "<html><error/></html>",
        "user error@example.com",
        "\303\251rror",
        "",
        "\033[",
        "\033",
        "<",
        "<999>x",
        "1:M",
        "[",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
        if (!CHECK_EQ(of_body(lines[i]), LEVEL_INFO))
            printf("# %s\n", lines[i]);
}

TEST(only_the_beginning_is_looked_at)
{
    char line[1000];

    memset(line, '.', sizeof(line));
    memcpy(line + 900, " ERROR ", 8);
    CHECK_EQ(of_body(line), LEVEL_INFO);
}

TEST(attributes)
{
    CHECK_EQ(of_attrs("level=error"), LEVEL_ERROR);
    CHECK_EQ(of_attrs("a=b,log.level=WARN"), LEVEL_WARN);
    CHECK_EQ(of_attrs("level=#50"), LEVEL_ERROR);
    CHECK_EQ(of_attrs("PRIORITY=3"), LEVEL_ERROR);
    CHECK_EQ(of_attrs("syslog.severity.code=#4"), LEVEL_WARN);
    CHECK_EQ(of_attrs("levelname=DEBUG"), LEVEL_DEBUG);
    CHECK_EQ(of_attrs("LogLevel=Error"), LEVEL_ERROR);
    CHECK_EQ(of_attrs("water_level=error"), LEVEL_INFO);
    CHECK_EQ(of_attrs("level=#3"), LEVEL_INFO);
}

TEST(maps)
{
    struct arena arena;
    struct log_record log = {.body = {.type = VALUE_MAP}};

    arena_init(&arena, NULL, SIZE_MAX);
    struct attrs members = kit_attrs(&arena, "msg=ERROR,level=warn");
    log.body.items = members.at;
    log.body.len = members.count;
    CHECK_EQ(level_of(&log), LEVEL_WARN);
    members = kit_attrs(&arena, "level=#50");
    log.body.items = members.at;
    log.body.len = members.count;
    CHECK_EQ(level_of(&log), LEVEL_ERROR);
    members = kit_attrs(&arena, "msg=ERROR");
    log.body.items = members.at;
    log.body.len = members.count;
    CHECK_EQ(level_of(&log), LEVEL_ERROR);
    arena_release(&arena);
}
