#include "utf8.h"

#include <string.h>

#include "test.h"

static size_t decode(const char *text, size_t len, uint32_t *c)
{
    const uint8_t *at = (const uint8_t *)text;

    return utf8_decode(at, at + len, c);
}

TEST(each_character_is_read_as_written)
{
    for (uint32_t c = 0; c <= UTF8_MAX; c++) {
        uint8_t text[4];
        uint32_t again = UINT32_MAX;
        size_t len = utf8_encode(c, text);
        bool surrogate = c >= 0xd800 && c < 0xe000;

        if (!CHECK_EQ(decode((char *)text, len, &again), surrogate ? 0 : len) ||
            (!surrogate && !CHECK_EQ(again, c)))
            break;
        for (size_t cut = 1; cut < len; cut++)
            CHECK_EQ(decode((char *)text, cut, &again), 0);
    }
}

TEST(what_is_not_utf8_is_refused)
{
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc3\x28",
                                      "\xe0\x80\x80",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xe2\x28\xa1",
                                      "\xe2\x82\x28",
                                      "\xf0\x80\x80\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf0\x90\x28\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xfe",
                                      "\xff"};
    uint32_t c;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_EQ(decode(bad[i], strlen(bad[i]), &c), 0);
}
