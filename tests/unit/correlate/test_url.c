#include "url.h"

#include "test.h"

/* text, host, path as it is written */
static const char *const cases[][3] = {
    {"", "", ""},
    {"http://h/a", "h", "/a"},
    {"http://h", "h", "/"},
    {"http://h?q", "h", "/"},
    {"http://h#f", "h", "/"},
    {"http://h:80/a?q#f", "h", "/a"},
    {"http://h:/a", "h", "/a"},
    {"http://u@h/a", "h", "/a"},
    {"http://u:p@h:80/c@d", "h", "/c@d"},
    {"http://u@x@h/", "h", "/"},
    {"http://[::1]:80/a", "::1", "/a"},
    {"http://[fe80::1%25eth0]/a", "fe80::1%25eth0", "/a"},
    {"http://[::1/a", "::1", "/a"},
    {"http://", "", "/"},
    {"http:///a", "", "/a"},
    {"HTTPS://H/A", "H", "/A"},
    {"grpc+unix.x://h/a", "h", "/a"},
    {"//h/a", "h", "/a"},
    {"//h", "h", "/"},
    {"/a", "", "/a"},
    {"/a?x=http://h/b", "", "/a"},
    {"/a#b", "", "/a"},
    {"/", "", "/"},
    {"?q", "", "/"},
    {"#f", "", "/"},
    {"*", "", "*"},
    {"h:443", "h", ""},
    {"h:80/a", "h", "/a"},
    {"h:80?q", "h", "/"},
    {"u@h/a", "h", "/a"},
    {"localhost", "localhost", ""},
    {"localhost/a", "localhost", "/a"},
    {"10.0.0.1", "10.0.0.1", ""},
    {"10.0.0.1/a", "10.0.0.1", "/a"},
    {"[::1]:80", "::1", ""},
    {"shop.example/a", "shop.example", "/a"},
    {"shop-1.example.com?q", "shop-1.example.com", "/"},
    {"cart.dp-1.svc.cluster.local/a/b", "cart.dp-1.svc.cluster.local", "/a/b"},
    {"a", "", "a"},
    {"a/b", "", "a/b"},
    {"a/b?http://c", "", "a/b"},
    {"index.html", "", "index.html"},
    {"v1.2/a", "", "v1.2/a"},
    {"1.2.3.4.5/a", "", "1.2.3.4.5/a"},
    {"..", "", ".."},
    {"../a", "", "../a"},
    {"urn:isbn:x", "", "urn:isbn:x"},
    {"a:b/c", "", "a:b/c"},
    {":80", "", ":80"},
    {"://x", "", "://x"},
};

TEST(hosts_and_paths)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct url url = url_split(slice_of(cases[i][0]));
        bool relative =
            *cases[i][2] && *cases[i][2] != '/' && *cases[i][2] != '*';

        CHECK_TEXT(url_host(url.authority), cases[i][1]);
        CHECK_TEXT(url.path, cases[i][2]);
        if (!CHECK_EQ(url.relative, relative))
            CHECK_TEXT(slice_of(cases[i][0]), "");
    }
}

TEST(hosts_with_and_without_a_port)
{
    CHECK_TEXT(url_host(SLICE("cart:8080")), "cart");
    CHECK_TEXT(url_host(SLICE("cart")), "cart");
    CHECK_TEXT(url_host(SLICE("[::1]:80")), "::1");
    CHECK_TEXT(url_host(SLICE("::1")), "::1");
    CHECK_TEXT(url_host(SLICE("2001:db8::1")), "2001:db8::1");
    CHECK_TEXT(url_host(SLICE("")), "");
}

/* Parts are parts of the text, whatever that is. */
TEST(random_texts)
{
    static const char some[] = "ah0.:/?#@[]*-\0%";

    for (int round = 0; round < 200000; round++) {
        char text[16];
        size_t len = test_random(sizeof(text));

        for (size_t i = 0; i < len; i++)
            text[i] = some[test_random(sizeof(some) - 1)];
        struct url url = url_split((struct slice){text, len});
        bool inside =
            url.path.len == 0 || slice_equal(url.path, SLICE("/")) ||
            (url.path.ptr >= text && url.path.ptr + url.path.len <= text + len);

        if (!CHECK(inside && url_host(url.authority).len <= len &&
                   url.path.len <= len + 1 &&
                   (!url.path.len || !memchr(url.path.ptr, '?', url.path.len))))
            return;
    }
}
