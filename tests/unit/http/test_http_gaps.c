/* Gaps between the parts of a head, laid out as the library does. */
#include "http_gaps.h"

#include <stdio.h>

#include "test.h"

/* Parts stand one behind the other; '_' is what the library made NUL. */
struct layout {
    char text[256];
    size_t at;
};

static struct slice next(struct layout *layout)
{
    char *part = layout->text + layout->at;
    size_t len = strcspn(part, "_|");

    layout->at += len + strspn(part + len, "_");
    while (layout->text[layout->at] == '|') /* not looked at */
        layout->at += 1 + strcspn(layout->text + layout->at + 1, "_|") + 1;
    return (struct slice){part, len};
}

/* method target version (name value)... */
static bool is_broken(const char *text)
{
    struct layout layout = {.at = 0};
    struct slice parts[16];
    struct http_gaps seam;
    unsigned count = 0;

    snprintf(layout.text, sizeof(layout.text), "%s", text);
    while (layout.text[layout.at] && count < 16)
        parts[count++] = next(&layout);
    for (char *c = layout.text; *c; c++)
        if (*c == '_')
            *c = '\0';
    http_gaps_line(&seam, parts[0], parts[1], parts[2]);
    for (unsigned i = 3; i + 1 < count; i += 2)
        http_gaps_field(&seam, parts[i], parts[i + 1]);
    return http_gaps_found(&seam);
}

TEST(parts_of_a_good_head_are_neighbours)
{
    CHECK(!is_broken("GET_/_HTTP/1.1____"));
    CHECK(!is_broken("GET_/_HTTP/1.1__"));
    CHECK(!is_broken("GET_/a_HTTP/1.1__Host__a__X_b____"));
    CHECK(!is_broken("GET_/a_HTTP/1.1_Host_a_X____b__"));
}

TEST(bytes_that_nobody_looked_at_are_found)
{
    CHECK(is_broken("GET_|b_/_HTTP/1.1____"));
    CHECK(is_broken("GET_/_|b_HTTP/1.1____"));
    CHECK(is_broken("GET_/_HTTP/1.1__Host__a_|b__X_c____"));
    CHECK(is_broken("GET_/_HTTP/1.1__Host__a___X_c____"));
    CHECK(is_broken("GET_/_HTTP/1.1__Host__a_b"));
}

TEST(a_part_that_lies_elsewhere_is_found)
{
    static const char line[] = "GET\0/\0HTTP/1.1\0\0Host\0\0a\0\0\0\0";
    static const char copy[] = "Hosta\0\0";
    struct http_gaps seam;

    http_gaps_line(&seam, (struct slice){line, 3}, (struct slice){line + 4, 1},
                   (struct slice){line + 6, 8});
    http_gaps_field(&seam, (struct slice){copy, 5},
                    (struct slice){line + 22, 1});
    CHECK(http_gaps_found(&seam));
    http_gaps_line(&seam, (struct slice){line, 3}, (struct slice){line + 4, 1},
                   (struct slice){line + 6, 8});
    http_gaps_field(&seam, (struct slice){line + 16, 4},
                    (struct slice){line + 22, 1});
    CHECK(!http_gaps_found(&seam));
}
