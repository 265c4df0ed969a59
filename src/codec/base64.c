#include "codec/base64.h"

static const char *const alphabets[] = {
    [BASE64_STD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"};

static void codec_base64_encode(struct buf *out, str bytes, enum base64_form form, bool pad)
{
    const char *alphabet = alphabets[form];
    const unsigned char *p = (const unsigned char *)bytes.p;
    size_t n = bytes.n;

    buf_reserve(out, n / 3 * 4 + 4);
    for (; n >= 3; p += 3, n -= 3) {
        uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

        for (int shift = 18; shift >= 0; shift -= 6)
            buf_addc(out, alphabet[v >> shift & 63]);
    }
    if (n == 0)
        return;
    buf_addc(out, alphabet[p[0] >> 2]);
    buf_addc(out, alphabet[(p[0] << 4 | (n == 2 ? p[1] >> 4 : 0)) & 63]);
    if (n == 2)
        buf_addc(out, alphabet[p[1] << 2 & 63]);
    if (pad)
        buf_pad(out, '=', 3 - n);
}

void base64_encode(struct buf *out, str bytes, enum base64_form form)
{
    codec_base64_encode(out, bytes, form, true);
}

void base64_encode_raw(struct buf *out, str bytes, enum base64_form form)
{
    codec_base64_encode(out, bytes, form, false);
}

static int base64_value_of(char c, enum base64_form form)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == alphabets[form][62])
        return 62;
    return c == alphabets[form][63] ? 63 : -1;
}

static bool strip_padding(str *text, enum base64_form form)
{
    size_t pad = 0;

    while (pad < 2 && pad < text->n && text->p[text->n - 1 - pad] == '=')
        pad++;
    if ((pad != 0 || form == BASE64_STD) && text->n % 4 != 0)
        return false;
    *text = str_sub(*text, 0, text->n - pad);
    return text->n % 4 != 1;
}

bool base64_decode(struct buf *out, str text, enum base64_form form)
{
    size_t start = out->n;
    uint32_t v = 0;
    int bits = 0;

    if (!strip_padding(&text, form))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        int d = base64_value_of(text.p[i], form);

        if (d < 0) {
            out->n = start;
            return false;
        }
        v = (v << 6 | (uint32_t)d) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            buf_addc(out, (char)(v >> bits & 0xff));
        }
    }
    if ((v & ((1u << bits) - 1)) != 0) {
        out->n = start;
        return false;
    }
    return true;
}
