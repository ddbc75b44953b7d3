/*
 * The sources of options, each overriding the ones before: defaults, the YAML
 * file, the environment, flags. The file itself may be named by the environment
 * or a flag, so these are read once before it and once after.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "config_int.h"
#include "health_thresholds.h"
#include "listen.h"
#include "log.h"
#include "mem.h"
#include "similar.h"

enum { MAX_FILE = 1024 * 1024 };

static const char *environment(const struct config_option *option)
{
    char name[128] = "CALLBOARD_";
    size_t at = strlen(name);

    for (const char *c = option->name; *c && at + 1 < sizeof(name); c++)
        name[at++] = *c == '-' ? '_' : (char)(*c - ('a' - 'A'));
    name[at] = '\0';
    return getenv(name);
}

static enum status complain(const char *where, const char *what)
{
    fprintf(stderr, "callboard: %s: %s\n", where, what);
    return ERR_INVALID;
}

/* error: the name of an option, and what is wrong with it. */
static enum status complain_option(const char *error, const char *source)
{
    fprintf(stderr, "callboard: --%s%s\n", error, source);
    return ERR_INVALID;
}

/* What OpenChoreo's Observer reads, so that its chart can run this program. */
static const struct {
    const char *name, *option;
} observer_names[] = {
    {"JWKS_URL", "jwks-url"},
    {"JWT_ISSUER", "jwt-issuer"},
    {"JWT_AUDIENCE", "jwt-audience"},
    {"AUTHZ_SERVICE_URL", "authz-url"},
    {"AUTHZ_TIMEOUT", "authz-timeout"},
    {"CORS_ALLOWED_ORIGINS", "cors-origins"},
    {"OBSERVER_BASE_URL", "base-url"},
};

static enum status set_from_environment(struct config *config,
                                        const char *option, const char *value)
{
    char error[256];

    if (!value || config_set(config, option, value, error, sizeof(error)) == OK)
        return OK;
    return complain_option(error, " (from the environment)");
}

static bool is_true(const char *value)
{
    return value && (strcmp(value, "true") == 0 || strcmp(value, "1") == 0);
}

static enum status read_observer_environment(struct config *config)
{
    static const char *const insecure[] = {"JWKS_URL_TLS_INSECURE_SKIP_VERIFY",
                                           "AUTHZ_TLS_INSECURE_SKIP_VERIFY"};
    enum status status = OK;

    for (size_t i = 0; i < sizeof(insecure) / sizeof(*insecure); i++)
        if (is_true(getenv(insecure[i])))
            return complain(insecure[i], "certificates are always verified; "
                                         "use --jwks-ca");
    for (size_t i = 0;
         status == OK && i < sizeof(observer_names) / sizeof(*observer_names);
         i++)
        status = set_from_environment(config, observer_names[i].option,
                                      getenv(observer_names[i].name));
    if (status == OK && is_true(getenv("JWT_DISABLED")))
        status = set_from_environment(config, "auth", "none");
    return status;
}

static enum status read_environment(struct config *config)
{
    enum status status = read_observer_environment(config);

    for (size_t i = 0; status == OK && i < config_option_count; i++)
        status = set_from_environment(config, config_options[i].name,
                                      environment(&config_options[i]));
    return status;
}

/* What is neither an option nor a command, with the most similar option. */
static enum status complain_unknown(const char *argument)
{
    const char *name = argument + 2, *near = NULL;
    uint32_t least = (uint32_t)strlen(name) / 3 + 1;

    if (strncmp(argument, "--", 2) != 0) {
        cli_unknown(argument);
        return ERR_INVALID;
    }
    for (size_t i = 0; i < config_option_count; i++) {
        uint32_t far =
            similar_distance(slice_of(name), slice_of(config_options[i].name));

        if (far < least) {
            least = far;
            near = config_options[i].name;
        }
    }
    fprintf(stderr, "callboard: %s: no such option; %s%s%s\n", argument,
            near ? "did you mean --" : "see --help", near ? near : "",
            near ? "?" : "");
    return ERR_INVALID;
}

/* The message must not contain the value. */
static enum status refuse_secret(const char *secret)
{
    char where[128], what[256];

    snprintf(where, sizeof(where), "--kafka.%s", secret);
    snprintf(what, sizeof(what),
             "a secret on the command line can be read by every user of the "
             "machine; give --kafka.%s @FILE, or set it in the configuration "
             "file or in CALLBOARD_KAFKA_OPTIONS",
             secret);
    return complain(where, what);
}

/* http://user:password@host */
static bool has_password(const char *url)
{
    const char *begin = strstr(url, "://");
    size_t len = begin ? strcspn(begin + 3, "/@") : 0;

    return begin && begin[3 + len] == '@' && memchr(begin + 3, ':', len);
}

static enum status check_secrets(const char *name, const char *value)
{
    char secret[64];

    if (config_has_plain_secret(name, value, secret, sizeof(secret)))
        return refuse_secret(secret);
    if (strcmp(name, "store") == 0 && has_password(value))
        return complain("--store",
                        "a password on the command line can be read by every "
                        "user of the machine; give "
                        "--clickhouse-password-file, or set it in the "
                        "configuration file or in CALLBOARD_STORE");
    return OK;
}

/* --name value and --name=value. */
static enum status read_flags(struct config *config, int argc, char **argv)
{
    char error[256], flag[66];

    for (int i = 0; i < argc; i++) {
        char name[64];
        const char *equals = strchr(argv[i], '=');
        const char *value = equals ? equals + 1 : argv[i + 1];

        if (strncmp(argv[i], "--", 2) != 0)
            return complain_unknown(argv[i]);
        snprintf(name, sizeof(name), "%.*s",
                 (int)(equals ? equals - argv[i] - 2 : 60), argv[i] + 2);
        snprintf(flag, sizeof(flag), "--%s", name);
        if (!config_find(name) && !config_property(name))
            return complain_unknown(flag);
        if (!value)
            return complain(flag, "needs a value");
        if (check_secrets(name, value) != OK)
            return ERR_INVALID;
        if (config_set(config, name, value, error, sizeof(error)) != OK)
            return complain_option(error, "");
        i += !equals;
    }
    return OK;
}

static enum status read_file(struct config *config, const char *path)
{
    char error[512], where[512];
    FILE *file = fopen(path, "rb");

    (void)snprintf(where, sizeof(where), "--config %s", path);
    if (!file) {
        (void)snprintf(error, sizeof(error), "cannot be opened: %s",
                       strerror(errno));
        return complain(where, error);
    }
    char *text = mem_alloc(MAX_FILE);
    size_t len = fread(text, 1, MAX_FILE, file);
    bool whole = feof(file) && !ferror(file);
    enum status status = ERR_INVALID;

    fclose(file);
    if (!whole)
        complain(where, "cannot be read, or is larger than 1 MiB");
    else
        status = config_parse_yaml(config, text, len, error, sizeof(error));
    if (whole && status != OK)
        complain(where, error);
    free(text);
    return status;
}

static enum status read_all(struct config *config, int argc, char **argv)
{
    enum status status = read_environment(config);

    if (status == OK)
        status = read_flags(config, argc, argv);
    if (status != OK || config->config[0] == '\0')
        return status;
    char *path = mem_copy(config->config, strlen(config->config));
    config_release(config);
    config_defaults(config);
    status = read_file(config, path);
    if (status == OK)
        status = read_environment(config);
    if (status == OK)
        status = read_flags(config, argc, argv);
    free(path);
    return status;
}

/* Empty is the default, as from an unset variable of a container. */
static bool is_one_of(const char *value, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(value, *words) == 0)
            return true;
    return value[0] == '\0';
}

/* A protected resource is named by a URL without a fragment (RFC 9728). */
static bool is_base_url(const char *url)
{
    size_t scheme = strncmp(url, "https://", 8) == 0  ? 8
                    : strncmp(url, "http://", 7) == 0 ? 7
                                                      : 0;

    return !*url || (scheme && url[scheme] && !strpbrk(url, "?#\" "));
}

static enum status check_access(const struct config *config)
{
    static const char *const modes[] = {"loopback", "required", "none", NULL};
    static const char *const yes_no[] = {"yes", "no", NULL};
    static const char *const ingest[] = {"none", NULL};
    static const char *const on_off[] = {"on", "off", NULL};
    const char *addresses[] = {config->otlp_http, config->query,
                               config->otlp_grpc};
    const char *names[] = {"otlp-http", "query", "otlp-grpc"};
    struct health_thresholds health;
    char where[512];

    if (!is_one_of(config->auth, modes))
        return complain("--auth", "must be loopback, required or none");
    if (!is_one_of(config->authz_cluster_environments, yes_no))
        return complain("--authz-cluster-environments", "must be yes or no");
    if (!is_base_url(config->base_url))
        return complain("--base-url",
                        "must be an https or http URL without query");
    if (!is_base_url(config->page_url))
        return complain("--page-url",
                        "must be an https or http URL without query");
    if (!health_thresholds_read(&health, config->health, where))
        return complain("--health", where);
    if (!is_one_of(config->ui, on_off))
        return complain("--ui", "must be on or off");
    if (!is_one_of(config->auth_ingest, ingest))
        return complain("--auth-ingest", "must be none or empty");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (addresses[i][0] == '\0' || strcmp(config->auth, "none") == 0 ||
            strcmp(config->auth, "required") == 0 ||
            listen_is_loopback(addresses[i]))
            continue;
        snprintf(where, sizeof(where), "--%s %s", names[i], addresses[i]);
        return complain(where, "not a loopback address; --auth required asks "
                               "for credentials there, --auth none lets "
                               "everyone in");
    }
    return config_check_tls(config, where, sizeof(where))
               ? OK
               : complain("--tls", where);
}

static enum status check(const struct config *config)
{
    static const char *const yes_or_no[] = {"yes", "no", NULL};
    enum log_level level;

    /* Empty is the default, as from an unset variable of a container. */
    if (config->log_level[0] && !log_parse_level(config->log_level, &level))
        return complain("--log-level", "must be error, warn, info or debug");
    if (!is_one_of(config->audit_reads, yes_or_no))
        return complain("--audit-reads", "must be yes or no");
    if (!is_one_of(config->core, yes_or_no))
        return complain("--core", "must be yes or no");
    return check_access(config);
}

enum status config_load(struct config *config, int argc, char **argv)
{
    int first = argc > 1 && strcmp(argv[1], "serve") == 0 ? 2 : 1;
    enum status status;

    config_defaults(config);
    status = read_all(config, argc - first, argv + first);
    if (status == OK)
        config_shared_defaults(config);
    return status == OK ? check(config) : status;
}
