#include "secret_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "slice.h"
#include "test.h"

static char folder[] = "/tmp/secret-file-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];
    static bool made;

    if (!made && !mkdtemp(folder))
        abort();
    made = true;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static const char *write_file(const char *name, size_t size, mode_t mode)
{
    const char *path = path_of(name);
    FILE *file = fopen(path, "wb");

    for (size_t i = 0; i < size; i++)
        fputc('a' + (int)(i % 26), file);
    fclose(file);
    chmod(path, mode);
    return path;
}

static enum status read_mode(mode_t mode)
{
    struct secret secret;
    const char *why = "";
    enum status status =
        secret_file_read(write_file("key", 10, mode), 100, &secret, &why);

    CHECK((status == OK) == (secret.len == 10));
    secret_release(&secret);
    return status;
}

/* Every mode that lets somebody else write it, or others read it. */
TEST(modes)
{
    for (mode_t mode = 0400; mode <= 0777; mode++) {
        bool open_to_others = mode & (S_IWGRP | S_IWOTH | S_IROTH);

        CHECK_EQ(read_mode(mode), open_to_others ? ERR_FORBIDDEN : OK);
    }
}

TEST(a_certificate_may_be_read_by_all)
{
    struct secret text;
    const char *why = "";

    CHECK_EQ(public_file_read(write_file("cert", 5, 0644), 5, &text, &why), OK);
    CHECK_TEXT(((struct slice){text.ptr, text.len}), "abcde");
    secret_release(&text);
}

TEST(sizes)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 65535, 65536};
    struct secret secret;
    const char *why = "";

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const char *path = write_file("size", sizes[i], 0600);

        CHECK_EQ(secret_file_read(path, 65536, &secret, &why), OK);
        CHECK_EQ(secret.len, sizes[i]);
        CHECK_EQ(secret.ptr[secret.len], '\0');
        CHECK(sizes[i] == 0 ||
              secret.ptr[secret.len - 1] == 'a' + (int)((sizes[i] - 1) % 26));
        secret_release(&secret);
    }
    CHECK_EQ(
        secret_file_read(write_file("big", 65537, 0600), 65536, &secret, &why),
        ERR_TOO_BIG);
    CHECK(secret.ptr == NULL);
}

TEST(no_file)
{
    struct secret secret;
    const char *why = "";

    CHECK_EQ(secret_file_read(path_of("none"), 10, &secret, &why),
             ERR_NOT_FOUND);
    CHECK_EQ(secret_file_read(path_of(""), 10, &secret, &why), ERR_INVALID);
    CHECK_EQ(secret_file_read("", 10, &secret, &why), ERR_NOT_FOUND);
    secret_release(&secret);
}

TEST(credentials_of_systemd)
{
    struct secret secret;
    const char *why = "";
    struct file_stamp stamp = {0};

    write_file("credential", 3, 0400);
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    CHECK_EQ(secret_file_read("credential", 10, &secret, &why), OK);
    CHECK_EQ(secret.len, 3);
    secret_release(&secret);
    (void)file_stamp_changed(&stamp, "credential");
    CHECK(stamp.exists);
    CHECK_EQ(secret_file_read("other", 10, &secret, &why), ERR_NOT_FOUND);
    unsetenv("CREDENTIALS_DIRECTORY");
    CHECK_EQ(secret_file_read("credential", 10, &secret, &why), ERR_NOT_FOUND);
}

/* A Kubernetes secret is replaced by turning a symbolic link; an editor writes
 * in place or renames. */
TEST(changes_are_seen)
{
    struct file_stamp stamp = {0};
    char link[160], old[160], other[160];

    snprintf(old, sizeof(old), "%s", write_file("one", 4, 0600));
    snprintf(other, sizeof(other), "%s", write_file("two", 4, 0600));
    snprintf(link, sizeof(link), "%s", path_of("link"));
    CHECK(file_stamp_changed(&stamp, link));
    CHECK(!file_stamp_changed(&stamp, link));
    CHECK_EQ(symlink(old, link), 0);
    CHECK(file_stamp_changed(&stamp, link));
    CHECK(!file_stamp_changed(&stamp, link));
    CHECK_EQ(unlink(link), 0);
    CHECK_EQ(symlink(other, link), 0);
    CHECK(file_stamp_changed(&stamp, link));
    CHECK_EQ(rename(old, other), 0);
    CHECK(file_stamp_changed(&stamp, link));
    CHECK_EQ(chmod(other, 0640), 0);
    CHECK(file_stamp_changed(&stamp, link));
    write_file("two", 5, 0600);
    CHECK(file_stamp_changed(&stamp, link));
    CHECK_EQ(unlink(other), 0);
    CHECK(file_stamp_changed(&stamp, link));
    CHECK(!file_stamp_changed(&stamp, link));
}
