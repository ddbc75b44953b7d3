#include "url_write.h"

#include <stdio.h>

#include "http_server.h"
#include "test.h"

TEST(every_byte_comes_back)
{
    for (int i = 0; i < 256; i++) {
        char byte = (char)i;
        struct buf url;

        buf_init(&url, 100);
        url_add_escaped(&url, (struct slice){&byte, 1});
        CHECK(url.len == 1 || url.len == 3);
        CHECK(url.len == 3 || !strchr("%&=+?#/ \"<>", url.ptr[0]));
        CHECK_EQ(http_unescape(url.ptr, url.len, true), 1);
        CHECK_EQ(url.ptr[0], byte);
        buf_release(&url);
    }
}

TEST(parameters_follow_the_first)
{
    static const char wanted[] = "/a?name=x%20y%26z%3D%C3%BC&time="
                                 "2025-01-15T08%3A10%3A00Z&last=-._~";
    struct buf url;

    buf_init(&url, 1000);
    buf_add(&url, SLICE("/a"));
    url_add_param(&url, "empty", SLICE(""));
    url_add_param(&url, "name", SLICE("x y&z=\xc3\xbc"));
    url_add_time(&url, "time", 1736928600000000000u);
    url_add_param(&url, "last", SLICE("-._~"));
    CHECK(slice_equal(buf_slice(&url), SLICE(wanted)));
    buf_release(&url);
}

TEST(a_parameter_can_be_all_there_is)
{
    struct buf url;

    buf_init(&url, 100);
    url_add_param(&url, "a", SLICE("1"));
    CHECK(slice_equal(buf_slice(&url), SLICE("?a=1")));
    buf_release(&url);
}
