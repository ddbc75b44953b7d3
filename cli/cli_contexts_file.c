/* The file of contexts: where it is, read and written. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli_contexts.h"
#include "secret_file.h"

enum { MAX_FILE = 1 << 20 };

bool cli_contexts_path(char *path, size_t size)
{
    const char *given = getenv("CALLBOARD_CLI_CONFIG");
    const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int len;

    if (given && given[0])
        len = snprintf(path, size, "%s", given);
    else if (folder && folder[0] == '/')
        len = snprintf(path, size, "%s/callboard.yaml", folder);
    else if (home && home[0])
        len = snprintf(path, size, "%s/.config/callboard.yaml", home);
    else
        return false;
    return len > 0 && (size_t)len < size;
}

static bool fail(char why[CLI_WHY], const char *path, const char *what)
{
    (void)snprintf(why, CLI_WHY, "%.150s: %.100s", path, what);
    return false;
}

static bool has_token(const struct cli_contexts *contexts)
{
    for (size_t i = 0; i < contexts->count; i++)
        if (contexts->list[i].fields[FIELD_TOKEN])
            return true;
    return false;
}

static bool check_mode(const struct cli_contexts *contexts, const char *path,
                       char why[CLI_WHY])
{
    struct stat st;

    if (!has_token(contexts) || stat(path, &st) < 0 ||
        !(st.st_mode & (S_IRWXG | S_IRWXO)))
        return true;
    return fail(why, path,
                "it holds a token, and others than its owner can use the "
                "file; chmod it to 0600");
}

bool cli_contexts_load(struct cli_contexts *contexts, char why[CLI_WHY])
{
    char path[PATH_MAX], wrong[CLI_WHY];
    const char *reason;
    struct secret text;
    enum status status;
    bool good;

    *contexts = (struct cli_contexts){.count = 0};
    if (!cli_contexts_path(path, sizeof(path)))
        return true;
    status = public_file_read(path, MAX_FILE, &text, &reason);
    if (status == ERR_NOT_FOUND)
        return true;
    if (status != OK)
        return fail(why, path, reason);
    good =
        cli_contexts_parse(contexts, (struct slice){text.ptr, text.len}, wrong);
    secret_release(&text);
    if (!good)
        return fail(why, path, wrong);
    if (check_mode(contexts, path, why))
        return true;
    cli_contexts_release(contexts);
    return false;
}

/* The folders above the file, as they may be missing in a new account. */
static void make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(path, 0700);
        *slash = '/';
    }
}

/* A file of its own that then takes the name: a reader sees the old one or the
 * new one. */
static bool write_file(const struct cli_contexts *contexts, const char *path)
{
    char beside[PATH_MAX + 8];
    FILE *out;
    bool good;
    int fd;

    (void)snprintf(beside, sizeof(beside), "%s.XXXXXX", path);
    fd = mkstemp(beside); /* 0600 */
    out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    cli_contexts_print(out, contexts, true);
    good = fflush(out) == 0 && fsync(fd) == 0;
    good = fclose(out) == 0 && good && rename(beside, path) == 0;
    if (!good)
        (void)unlink(beside);
    return good;
}

bool cli_contexts_save(const struct cli_contexts *contexts, char why[CLI_WHY])
{
    char path[PATH_MAX], real[PATH_MAX];

    if (!cli_contexts_path(path, sizeof(path)))
        return fail(why, "the configuration file",
                    "HOME and XDG_CONFIG_HOME are not set");
    make_folders(path);
    if (!realpath(path, real)) /* the file behind a link is written */
        memcpy(real, path, sizeof(real));
    return write_file(contexts, real) || fail(why, path, strerror(errno));
}
