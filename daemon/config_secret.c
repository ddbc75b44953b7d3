/*
 * Secrets among the properties of librdkafka. Everybody on the machine can read
 * a command line, so there a secret is only taken as @FILE; the configuration
 * file and the environment may hold it, or @FILE, too. A FILE without a slash
 * is looked for in $CREDENTIALS_DIRECTORY (systemd's LoadCredential=) first.
 * A value that begins with @@ is the value itself, less one @.
 *
 * No message here holds a value.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_int.h"
#include "mem.h"

enum { SECRET_MAX = 64 * 1024 };

bool config_is_secret(const char *property)
{
    static const char *const parts[] = {"password", "secret", "ssl.key.pem",
                                        "oauthbearer.config"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (strstr(property, parts[i]))
            return true;
    return false;
}

bool config_is_plain_secret(const char *property, const char *value)
{
    return config_is_secret(property) && value[0] != '\0' &&
           (value[0] != '@' || value[1] == '@');
}

static FILE *open_secret(const char *file)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    char path[PATH_MAX];

    if (folder && !strchr(file, '/') &&
        snprintf(path, sizeof(path), "%s/%s", folder, file) <
            (int)sizeof(path)) {
        FILE *opened = fopen(path, "rb");

        if (opened)
            return opened;
    }
    return fopen(file, "rb");
}

char *config_read_secret(const char *value)
{
    if (value[0] != '@')
        return mem_copy(value, strlen(value));
    if (value[1] == '@')
        return mem_copy(value + 1, strlen(value + 1));

    FILE *file = open_secret(value + 1);
    char *text;
    size_t len;

    if (!file)
        return NULL;
    text = mem_zero(SECRET_MAX + 1, 1);
    len = fread(text, 1, SECRET_MAX, file);
    if (ferror(file) || !feof(file) || memchr(text, '\0', len))
        len = 0;
    fclose(file);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    text[len] = '\0';
    if (len > 0)
        return text;
    free(text);
    return NULL;
}
