/* The bytes of a keyboard as keys; see term_key.h. */
#include "term_key.h"

#include "utf8.h"

/* Behind ESC [ or ESC O: parameters, then one letter or ~. */
static uint32_t key_of(uint8_t final, uint8_t number)
{
    static const struct {
        uint8_t final, number;
        uint32_t key;
    } keys[] = {{'A', 0, KEY_UP},        {'B', 0, KEY_DOWN},
                {'C', 0, KEY_RIGHT},     {'D', 0, KEY_LEFT},
                {'H', 0, KEY_HOME},      {'F', 0, KEY_END},
                {'~', '1', KEY_HOME},    {'~', '4', KEY_END},
                {'~', '5', KEY_PAGE_UP}, {'~', '6', KEY_PAGE_DOWN},
                {'~', '7', KEY_HOME},    {'~', '8', KEY_END},
                {'M', 0, KEY_ENTER}};

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (keys[i].final == final &&
            (final != '~' || keys[i].number == number))
            return keys[i].key;
    return KEY_NONE;
}

static size_t read_sequence(const uint8_t *bytes, size_t len, int last,
                            uint32_t *key)
{
    size_t at = 2;

    while (at < len && bytes[at] >= 0x20 && bytes[at] < 0x40)
        at++;
    if (at == len) {
        *key = KEY_NONE;
        return last ? len : 0;
    }
    *key = key_of(bytes[at], at > 2 ? bytes[2] : 0);
    return at + 1;
}

size_t term_key_read(const uint8_t *bytes, size_t len, int last, uint32_t *key)
{
    size_t taken;

    *key = KEY_NONE;
    if (len == 0)
        return 0;
    if (bytes[0] == KEY_ESCAPE) {
        if (len > 1 && (bytes[1] == '[' || bytes[1] == 'O'))
            return read_sequence(bytes, len, last, key);
        if (len == 1 && !last)
            return 0;
        *key = KEY_ESCAPE;
        return 1;
    }
    taken = utf8_decode(bytes, bytes + len, key);
    if (taken == 0) {
        *key = KEY_NONE;
        return len < 4 && bytes[0] >= 0xc2 && bytes[0] <= 0xf4 && !last ? 0 : 1;
    }
    if (*key == '\n')
        *key = KEY_ENTER;
    else if (*key == '\b')
        *key = KEY_BACKSPACE;
    return taken;
}
