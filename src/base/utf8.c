#include "base/utf8.h"

size_t utf8_decode(str s, uint32_t *rune)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t need;
    uint32_t r, min;

    if (c < 0x80) {
        *rune = c;
        return 1;
    }
    *rune = 0xFFFD;
    if (c >= 0xC2 && c <= 0xDF) {
        need = 1;
        r = c & 0x1Fu;
        min = 0x80;
    } else if (c >= 0xE0 && c <= 0xEF) {
        need = 2;
        r = c & 0x0Fu;
        min = 0x800;
    } else if (c >= 0xF0 && c <= 0xF4) {
        need = 3;
        r = c & 0x07u;
        min = 0x10000;
    } else {
        return 1;
    }
    if (s.n <= need)
        return 1;
    for (size_t i = 1; i <= need; i++) {
        unsigned char b = (unsigned char)s.p[i];

        if ((b & 0xC0) != 0x80)
            return 1;
        r = (r << 6) | (b & 0x3Fu);
    }
    if (r < min || r > 0x10FFFF || (r >= 0xD800 && r <= 0xDFFF))
        return 1;
    *rune = r;
    return need + 1;
}

bool utf8_is_valid(str s)
{
    while (s.n != 0) {
        uint64_t word;
        uint32_t rune;
        size_t k;

        if (s.n >= 8) {
            memcpy(&word, s.p, 8);
            if ((word & 0x8080808080808080ull) == 0) {
                s = str_sub(s, 8, s.n);
                continue;
            }
        }
        if ((unsigned char)s.p[0] < 0x80) {
            s = str_sub(s, 1, s.n);
            continue;
        }
        k = utf8_decode(s, &rune);
        if (k == 1)
            return false;
        s = str_sub(s, k, s.n);
    }
    return true;
}

size_t utf8_count(str s)
{
    size_t n = 0;

    while (s.n != 0) {
        uint32_t rune;

        s = str_sub(s, utf8_decode(s, &rune), s.n);
        n++;
    }
    return n;
}

size_t utf8_encode(char out[4], uint32_t r)
{
    if (r > 0x10FFFF || (r >= 0xD800 && r <= 0xDFFF))
        r = 0xFFFD;
    if (r < 0x80) {
        out[0] = (char)r;
        return 1;
    }
    if (r < 0x800) {
        out[0] = (char)(0xC0 | (r >> 6));
        out[1] = (char)(0x80 | (r & 0x3F));
        return 2;
    }
    if (r < 0x10000) {
        out[0] = (char)(0xE0 | (r >> 12));
        out[1] = (char)(0x80 | ((r >> 6) & 0x3F));
        out[2] = (char)(0x80 | (r & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (r >> 18));
    out[1] = (char)(0x80 | ((r >> 12) & 0x3F));
    out[2] = (char)(0x80 | ((r >> 6) & 0x3F));
    out[3] = (char)(0x80 | (r & 0x3F));
    return 4;
}

void utf8_add(struct buf *out, uint32_t r)
{
    char utf[4];

    buf_add(out, (str){utf, utf8_encode(utf, r)});
}

str utf8_cut(str s, size_t n)
{
    if (s.n <= n)
        return s;
    while (n != 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    return str_sub(s, 0, n);
}

bool utf8_is_control(uint32_t r)
{
    return r < 0x20 || (r >= 0x7f && r <= 0x9f) || r == 0x61c || r == 0x200e || r == 0x200f ||
           (r >= 0x2028 && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069);
}
