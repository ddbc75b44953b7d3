#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "config_int.h"
#include "test.h"

static enum status set(struct config *config, const char *name,
                       const char *value)
{
    char error[256];

    return config_set(config, name, value, error, sizeof(error));
}

static enum status load(struct config *config, char **words)
{
    char *argv[16] = {words[0]};
    int argc = 1;

    for (; words[argc]; argc++)
        argv[argc] = words[argc];
    return config_load(config, argc, argv);
}

TEST(defaults_are_what_the_table_says)
{
    struct config config;

    config_defaults(&config);
    CHECK(strcmp(config.otlp_http, "127.0.0.1:4318") == 0);
    CHECK(strcmp(config.query, "127.0.0.1:9097") == 0);
    CHECK_EQ(config.memory_limit, 256 << 20);
    CHECK_EQ(config.max_body, 64 << 20);
    CHECK_EQ(config.retention_traces, 0);
    config_release(&config);
}

TEST(numbers_have_units_and_bounds)
{
    static const char *const bad[][2] = {
        {"memory-limit", "1GB"},     {"memory-limit", "-1"},
        {"memory-limit", ""},        {"memory-limit", "1KiB"},
        {"seal-age", "5"},           {"seal-age", "1m30"},
        {"query-workers", "two"},    {"query-workers", "0"},
        {"query-workers", "1s"},     {"max-series", "99999999999999999999999"},
        {"no-such-option", "1"},     {"retention-logs", "400000000000d"},
        {"retention-logs", "36526d"}};
    struct config config;

    config_defaults(&config);
    CHECK_EQ(set(&config, "memory-limit", "1GiB"), OK);
    CHECK_EQ(config.memory_limit, 1 << 30);
    CHECK_EQ(set(&config, "seal-age", "1m30s"), OK);
    CHECK_EQ(config.seal_age, 90 * NS_PER_S);
    CHECK_EQ(set(&config, "retention-logs", "7d"), OK);
    CHECK_EQ(config.retention_logs, 7 * NS_PER_DAY);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (!CHECK_EQ(set(&config, bad[i][0], bad[i][1]), ERR_INVALID))
            printf("# %s=%s\n", bad[i][0], bad[i][1]);
    CHECK_EQ(config.memory_limit, 1 << 30); /* as before */
    config_release(&config);
}

TEST(yaml_flat_nested_and_lists)
{
    static const char text[] = "otlp-http: 127.0.0.1:5000 # there\n"
                               "retention: {traces: 3d, logs: 1h}\n"
                               "cors-origins: [http://a, http://b]\n";
    struct config config;
    char error[256];

    config_defaults(&config);
    CHECK_EQ(config_parse_yaml(&config, text, sizeof(text) - 1, error,
                               sizeof(error)),
             OK);
    CHECK(strcmp(config.otlp_http, "127.0.0.1:5000") == 0);
    CHECK_EQ(config.retention_traces, 3 * NS_PER_DAY);
    CHECK_EQ(config.retention_logs, NS_PER_HOUR);
    CHECK(strcmp(config.cors_origins, "http://a,http://b") == 0);
    config_release(&config);
}

TEST(yaml_errors_name_the_line)
{
    static const struct {
        const char *text, *part;
    } bad[] = {{"query: 127.0.0.1:1\nmemory-limit: lots\n", "line 2"},
               {"\n\nnope: 1\n", "nope: no such option"},
               {"- a\n- b\n", "list"},
               {"query: [[a]]\n", "list"},
               {"config: other.yaml\n", "cannot name another"},
               {"query: *x\n", "line 1"},
               {"query: {a: {b: {c: {d: 1}}}}\n", "mapping"},
               {"just text\n", "expected options"},
               {"query: \"unclosed\n", "line"}};
    struct config config;
    char error[256];

    config_defaults(&config);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        error[0] = '\0';
        CHECK_EQ(config_parse_yaml(&config, bad[i].text, strlen(bad[i].text),
                                   error, sizeof(error)),
                 ERR_INVALID);
        if (!CHECK(strstr(error, bad[i].part) != NULL))
            printf("# \"%s\": %s\n", bad[i].text, error);
    }
    config_release(&config);
}

TEST(flags_win_over_environment_over_file)
{
    char path[] = "/tmp/test_config_XXXXXX";
    char *words[] = {(char[]){"callboard"},
                     (char[]){"serve"},
                     (char[]){"--config"},
                     path,
                     (char[]){"--query=127.0.0.1:3"},
                     NULL};
    struct config config;
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");

    fputs("query: 127.0.0.1:1\notlp-http: 127.0.0.1:1\nseal-age: 1s\n", file);
    fclose(file);
    setenv("CALLBOARD_OTLP_HTTP", "127.0.0.1:2", 1);
    setenv("CALLBOARD_QUERY", "127.0.0.1:2", 1);
    CHECK_EQ(load(&config, words), OK);
    CHECK(strcmp(config.query, "127.0.0.1:3") == 0);
    CHECK(strcmp(config.otlp_http, "127.0.0.1:2") == 0);
    CHECK_EQ(config.seal_age, NS_PER_S);
    config_release(&config);
    unsetenv("CALLBOARD_OTLP_HTTP");
    unsetenv("CALLBOARD_QUERY");
    unlink(path);
}

static enum status load_pair(const char *a, const char *b, const char *c,
                             const char *d)
{
    char text[4][64];
    char *words[6] = {(char[]){"callboard"}};
    const char *all[4] = {a, b, c, d};
    struct config config;

    for (int i = 0; i < 4 && all[i]; i++) {
        snprintf(text[i], sizeof(text[i]), "%s", all[i]);
        words[i + 1] = text[i];
    }
    enum status status = load(&config, words);
    config_release(&config);
    return status;
}

TEST(with_a_store_two_defaults_differ)
{
    char *words[] = {(char[]){"callboard"},
                     (char[]){"--store"},
                     (char[]){"clickhouse=http://127.0.0.1:1/x"},
                     (char[]){"--retention-size"},
                     (char[]){"10GiB"},
                     (char[]){"--seal-age"},
                     (char[]){"5m"},
                     NULL};
    struct config config;

    CHECK_EQ(load(&config, words), OK); /* what is given counts */
    CHECK_EQ(config.retention_size, UINT64_C(10) << 30);
    CHECK_EQ(config.seal_age, 5 * NS_PER_MIN);
    config_release(&config);
    words[3] = NULL;
    CHECK_EQ(load(&config, words), OK);
    CHECK_EQ(config.retention_size, 0);
    CHECK_EQ(config.seal_age, 2 * NS_PER_S);
    config_release(&config);
    words[1] = NULL;
    CHECK_EQ(load(&config, words), OK);
    CHECK_EQ(config.retention_size, UINT64_C(10) << 30);
    CHECK_EQ(config.seal_age, 5 * NS_PER_MIN);
    config_release(&config);
}

TEST(log_levels_are_names)
{
    CHECK_EQ(load_pair("--log-level", "debug", NULL, NULL), OK);
    CHECK_EQ(load_pair("--log-level", "WARNING", NULL, NULL), OK);
    CHECK_EQ(load_pair("--log-level", "", NULL, NULL), OK);
    CHECK_EQ(load_pair("--log-level", "verbose", NULL, NULL), ERR_INVALID);
}

TEST(other_addresses_need_a_decision)
{
    CHECK_EQ(load_pair("--query", "0.0.0.0:9097", NULL, NULL), ERR_INVALID);
    /* a name may mean any address */
    CHECK_EQ(load_pair("--query", "127.invalid:9097", NULL, NULL), ERR_INVALID);
    CHECK_EQ(load_pair("--otlp-http", "10.0.0.1:1", NULL, NULL), ERR_INVALID);
    CHECK_EQ(load_pair("--query", "0.0.0.0:9097", "--auth", "none"), OK);
    CHECK_EQ(load_pair("--auth", "basic", NULL, NULL), ERR_INVALID);
    CHECK_EQ(load_pair("--auth", "", NULL, NULL), OK);
    CHECK_EQ(load_pair("--auth", "required", NULL, NULL), OK);
    CHECK_EQ(load_pair("--auth", "required", "--auth-ingest", "none"), OK);
    CHECK_EQ(load_pair("--auth-ingest", "required", NULL, NULL), ERR_INVALID);
    /* credentials without TLS */
    CHECK_EQ(load_pair("--query", "0.0.0.0:9097", "--auth", "required"),
             ERR_INVALID);
    CHECK_EQ(load_pair("--otlp-http", "0.0.0.0:4318", "--auth", "required"),
             ERR_INVALID);
    CHECK_EQ(load_pair("--otlp-grpc", "0.0.0.0:4317", "--auth", "required"),
             ERR_INVALID);
    CHECK_EQ(load_pair("--otlp-grpc", "0.0.0.0:4317", NULL, NULL), ERR_INVALID);
    CHECK_EQ(load_pair("--otlp-grpc", "", "--auth", "required"), OK);
    CHECK_EQ(load_pair("--query", "[::1]:9097", NULL, NULL), OK);
    CHECK_EQ(load_pair("--query", NULL, NULL, NULL), ERR_INVALID);
    CHECK_EQ(load_pair("--nonsense", "1", NULL, NULL), ERR_INVALID);
}

/* What is printed on stderr when the program is started with this option. */
static void message_of(const char *option, const char *value, char *text,
                       size_t size)
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);

    CHECK(file != NULL && saved >= 0);
    dup2(fileno(file), STDERR_FILENO);
    CHECK_EQ(load_pair(option, value, NULL, NULL), ERR_INVALID);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

/* "callboard: --NAME: what is wrong": one form for every option and source. */
TEST(messages_name_the_option_and_what_is_allowed)
{
    static const struct {
        const char *option, *value, *message;
    } bad[] = {
        {"--memory-limit", "1MiB",
         "--memory-limit: must be between 64MiB and 1TiB"},
        {"--edge-wait", "1ms", "--edge-wait: must be between 1s and 1h"},
        {"--retention-logs", "40000d",
         "--retention-logs: must be between 0 and 36525d"},
        {"--query-workers", "0", "--query-workers: must be between 1 and 64"},
        {"--seal-age", "5",
         "--seal-age: must be a duration such as 30s, 5m or 7d, not \"5\""},
        {"--query", NULL, "--query: needs a value"},
        {"--query", "0.0.0.0:1",
         "--query 0.0.0.0:1: not a loopback address; --auth required asks "
         "for credentials there, --auth none lets everyone in"},
        {"--log-level", "loud",
         "--log-level: must be error, warn, info or debug"},
        {"--auth", "basic", "--auth: must be loopback, required or none"},
        {"--config", "/nope",
         "--config /nope: cannot be opened: No such file or directory"},
        {"--query-worker", "1",
         "--query-worker: no such option; did you mean --query-workers?"},
        {"--nonsense", "1", "--nonsense: no such option; see --help"},
        {"serv", NULL,
         "serv: no such command; did you mean serve? callboard -h lists all"},
        {"cuase", NULL,
         "cuase: no such command; did you mean cause? callboard -h lists all"},
        {"tok", NULL,
         "tok: no such command; did you mean top, token? callboard -h lists "
         "all"},
        {"lgos", NULL,
         "lgos: no such command; did you mean logs? callboard -h lists all"},
        {"", NULL, ": no such command; callboard -h lists all"},
        {"zzzzzz", NULL, "zzzzzz: no such command; callboard -h lists all"},
    };
    char text[512], want[512];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        message_of(bad[i].option, bad[i].value, text, sizeof(text));
        snprintf(want, sizeof(want), "callboard: %s\n", bad[i].message);
        if (!CHECK(strcmp(text, want) == 0))
            printf("# %s# %s", text, want);
    }
    setenv("CALLBOARD_SEAL_AGE", "soon", 1);
    message_of("--query", "127.0.0.1:1", text, sizeof(text));
    unsetenv("CALLBOARD_SEAL_AGE");
    if (!CHECK(strstr(text, "callboard: --seal-age: must be a duration such as "
                            "30s, 5m or 7d, not \"soon\" (from the "
                            "environment)\n")))
        printf("# %s", text);
}

/* What --help-man and --help-config print must be what dist/ holds. */
static void same_as_file(void (*print)(FILE *), const char *path)
{
    char *text = NULL, *want = calloc(1, 1 << 20);
    size_t len = 0;
    FILE *out = open_memstream(&text, &len), *file = fopen(path, "rb");

    print(out);
    fclose(out);
    if (CHECK(file != NULL)) {
        bool same = fread(want, 1, 1 << 20, file) == len &&
                    memcmp(want, text, len) == 0;

        if (!CHECK(same))
            printf("# %s is old: make docs\n", path);
        fclose(file);
    }
    free(text);
    free(want);
}

/* What a program is started with can be read by everybody on the machine. */
TEST(secrets_are_refused_on_the_command_line)
{
    static const char *const refused[][3] = {
        {"--kafka.sasl.password", "hush", NULL},
        {"--kafka.sasl.password=hush", NULL, NULL},
        {"--kafka.ssl.key.password", "hush", NULL},
        {"--kafka.ssl.keystore.password=hush", NULL, NULL},
        {"--kafka.ssl.key.pem", "-----BEGIN", NULL},
        {"--kafka.sasl.oauthbearer.client.secret", "hush", NULL},
        {"--kafka.sasl.password", "@@hush", NULL},
        {"--kafka-sasl.password", "hush", NULL},
        {"--kafka-options", "client.id=x;sasl.password=hush", NULL},
        {"--kafka-options=sasl.password=hush", NULL, NULL},
        {"--kafka-options", "sasl.password=@/x\nssl.key.password=hush", NULL},
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (!CHECK_EQ(load_pair(refused[i][0], refused[i][1], NULL, NULL),
                      ERR_INVALID))
            printf("# %s\n", refused[i][0]);
    CHECK_EQ(load_pair("--kafka.sasl.username", "me", NULL, NULL), OK);
    CHECK_EQ(load_pair("--kafka-options", "client.id=x", NULL, NULL), OK);
}

TEST(secrets_come_from_files)
{
    char folder[] = "/tmp/test_config_XXXXXX", path[64], value[80];
    struct config config;

    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/word", folder);
    FILE *file = fopen(path, "w");
    fputs("hush; = now\n", file);
    fclose(file);
    snprintf(value, sizeof(value), "@%s", path);
    chmod(path, 0644); /* others can read it */
    CHECK_EQ(load_pair("--kafka.sasl.password", value, NULL, NULL),
             ERR_INVALID);
    chmod(path, 0600);
    CHECK_EQ(load_pair("--kafka.sasl.password", value, NULL, NULL), OK);

    config_defaults(&config);
    CHECK_EQ(set(&config, "kafka.sasl.password", value), OK);
    CHECK(strcmp(config.kafka_options, "sasl.password=hush; = now\n") == 0);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    CHECK_EQ(set(&config, "kafka-options", "sasl.password=@word"), OK);
    CHECK(strcmp(config.kafka_options, "sasl.password=hush; = now\n") == 0);
    unsetenv("CREDENTIALS_DIRECTORY");
    CHECK_EQ(set(&config, "kafka-options", "sasl.password=@@word"), OK);
    CHECK(strcmp(config.kafka_options, "sasl.password=@word\n") == 0);
    CHECK_EQ(set(&config, "kafka.client.id", value), OK); /* no secret: as is */
    CHECK_EQ(set(&config, "kafka.sasl.password", "@/no/such/file"),
             ERR_INVALID);
    config_release(&config);
    unlink(path);
    rmdir(folder);
}

/* A password with a semicolon is cut there: the rest is not to be shown. */
TEST(messages_hold_no_secret)
{
    struct config config;
    char error[256] = "";

    config_defaults(&config);
    CHECK_EQ(config_set(&config, "kafka-options", "sasl.password=hush;4711",
                        error, sizeof(error)),
             ERR_INVALID);
    CHECK(strstr(error, "4711") == NULL && strstr(error, "hush") == NULL);
    config_release(&config);
}

TEST(man_page_and_sample_are_up_to_date)
{
    same_as_file(config_print_man, "dist/callboard.1");
    same_as_file(config_print_sample, "dist/callboard.yaml");
}

TEST(options_are_in_order_and_explained)
{
    for (size_t i = 0; i < config_option_count; i++) {
        CHECK(strlen(config_options[i].text) > 5);
        if (i > 0)
            CHECK(strcmp(config_options[i - 1].name, config_options[i].name) <
                  0);
    }
}
