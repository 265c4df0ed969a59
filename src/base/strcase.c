#include "base/strcase.h"

#include "base/attr.h"
#include "base/utf8.h"

/* Runs of letters: the capital one is "step" apart from the next; lower = upper + delta. */
static const struct strcase_range {
    uint32_t first, last;
    int32_t delta;
    uint32_t step;
} ranges[] = {
    {'A', 'Z', 32, 1},       {0xc0, 0xd6, 32, 1},     {0xd8, 0xde, 32, 1},
    {0x100, 0x12e, 1, 2},    {0x132, 0x136, 1, 2},    {0x139, 0x147, 1, 2},
    {0x14a, 0x176, 1, 2},    {0x178, 0x178, -121, 1}, {0x179, 0x17d, 1, 2},
    {0x182, 0x184, 1, 2},    {0x1a0, 0x1a4, 1, 2},    {0x1cd, 0x1db, 1, 2},
    {0x1de, 0x1ee, 1, 2},    {0x1f8, 0x21e, 1, 2},    {0x222, 0x232, 1, 2},
    {0x386, 0x386, 38, 1},   {0x388, 0x38a, 37, 1},   {0x38c, 0x38c, 64, 1},
    {0x38e, 0x38f, 63, 1},   {0x391, 0x3a1, 32, 1},   {0x3a3, 0x3ab, 32, 1},
    {0x400, 0x40f, 80, 1},   {0x410, 0x42f, 32, 1},   {0x460, 0x480, 1, 2},
    {0x48a, 0x4be, 1, 2},    {0x4c0, 0x4c0, 15, 1},   {0x4c1, 0x4cd, 1, 2},
    {0x4d0, 0x52e, 1, 2},    {0x531, 0x556, 48, 1},   {0x1e00, 0x1e94, 1, 2},
    {0x1ea0, 0x1efe, 1, 2},  {0x2160, 0x216f, 16, 1}, {0x24b6, 0x24cf, 26, 1},
    {0xff21, 0xff3a, 32, 1},
};

static bool strcase_in_range(const struct strcase_range *g, uint32_t r, int32_t delta)
{
    uint32_t first = (uint32_t)((int32_t)g->first + delta);
    uint32_t last = (uint32_t)((int32_t)g->last + delta);

    return r >= first && r <= last && (r - first) % g->step == 0;
}

uint32_t rune_lower(uint32_t r)
{
    if (r == 0x130)
        return 'i';
    if (r == 0x1e9e)
        return 0xdf;
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (strcase_in_range(&ranges[i], r, 0))
            return (uint32_t)((int32_t)r + ranges[i].delta);
    return r;
}

uint32_t rune_upper(uint32_t r)
{
    switch (r) {
    case 0xb5: return 0x39c; /* micro */
    case 0x131: return 'I';
    case 0x17f: return 'S';
    case 0x3c2: return 0x3a3; /* final sigma */
    default: break;
    }
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (strcase_in_range(&ranges[i], r, ranges[i].delta))
            return (uint32_t)((int32_t)r - ranges[i].delta);
    return r;
}

bool rune_is_upper(uint32_t r)
{
    return rune_lower(r) != r;
}

bool rune_is_digit(uint32_t r)
{
    return (r >= '0' && r <= '9') || (r >= 0x660 && r <= 0x669) || (r >= 0xff10 && r <= 0xff19);
}

bool rune_is_space(uint32_t r)
{
    return r == ' ' || (r >= 9 && r <= 13) || r == 0x85 || r == 0xa0 || r == 0x1680 ||
           (r >= 0x2000 && r <= 0x200a) || r == 0x2028 || r == 0x2029 || r == 0x202f ||
           r == 0x205f || r == 0x3000;
}

bool rune_is_letter(uint32_t r)
{
    if (r < 0x80)
        return (r | 0x20) >= 'a' && (r | 0x20) <= 'z';
    if (r < 0xc0)
        return r == 0xaa || r == 0xb5 || r == 0xba;
    if (r == 0xd7 || r == 0xf7 || r == 0xfffd || rune_is_space(r) || rune_is_digit(r))
        return false;
    /* Combining marks, punctuation and symbols, CJK signs, private use, specials, pictographs. */
    return !((r >= 0x300 && r <= 0x36f) || (r >= 0x2000 && r <= 0x206f) ||
             (r >= 0x20a0 && r <= 0x20ff) || (r >= 0x2190 && r <= 0x2bff) ||
             (r >= 0x3000 && r <= 0x3004) || (r >= 0x3007 && r <= 0x3030) ||
             (r >= 0xd800 && r <= 0xf8ff) || (r >= 0xfe00 && r <= 0xfe6f) ||
             (r >= 0xff01 && r <= 0xff0f) || (r >= 0xff1a && r <= 0xff20) ||
             (r >= 0xfff0 && r <= 0xffff) || (r >= 0x1f000 && r <= 0x1ffff) || r >= 0xe0000);
}

void str_map_runes(struct buf *out, str s, uint32_t (*map)(uint32_t))
{
    while (s.n != 0) {
        uint32_t r;
        size_t k = utf8_decode(s, &r);

        utf8_add(out, map(r));
        s = str_sub(s, k, s.n);
    }
}

void str_upper(struct buf *out, str s)
{
    str_map_runes(out, s, rune_upper);
}

void str_lower(struct buf *out, str s)
{
    str_map_runes(out, s, rune_lower);
}

void str_title(struct buf *out, str s, bool lower_rest)
{
    bool in_word = false;

    while (s.n != 0) {
        uint32_t r;
        size_t k = utf8_decode(s, &r);
        bool is_part = rune_is_letter(r) || rune_is_digit(r) || r == '_' || r == '\'';

        utf8_add(out, !in_word ? rune_upper(r) : lower_rest ? rune_lower(r) : r);
        in_word = is_part && (in_word || r != '\'');
        s = str_sub(s, k, s.n);
    }
}

str str_trim_space(str s)
{
    uint32_t r;

    while (s.n != 0) {
        size_t k = utf8_decode(s, &r);

        if (!rune_is_space(r))
            break;
        s = str_sub(s, k, s.n);
    }
    while (s.n != 0) {
        size_t at = s.n - 1;

        while (at > 0 && s.n - at < 4 && ((unsigned char)s.p[at] & 0xc0) == 0x80)
            at--;
        utf8_decode(str_sub(s, at, s.n), &r);
        if (!rune_is_space(r))
            break;
        s = str_sub(s, 0, at);
    }
    return s;
}
