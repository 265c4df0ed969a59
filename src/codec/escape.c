#include "codec/escape.h"

#include <string.h>

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

/* also: characters that stay, besides the unreserved ones. */
static void escape_escape(struct buf *out, str s, bool plus, const char *also)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (is_unreserved(c) || (c != '\0' && strchr(also, c) != NULL)) {
            buf_addc(out, (char)c);
        } else if (plus && c == ' ') {
            buf_addc(out, '+');
        } else {
            buf_addc(out, '%');
            buf_addc(out, hex[c >> 4]);
            buf_addc(out, hex[c & 15]);
        }
    }
}

void escape_query(struct buf *out, str s)
{
    escape_escape(out, s, true, "");
}

void escape_percent(struct buf *out, str s)
{
    escape_escape(out, s, false, "");
}

void escape_path(struct buf *out, str s)
{
    escape_escape(out, s, false, "/!$&'()*+,;=:@");
}

str url_trim_slash(str url)
{
    while (url.n != 0 && url.p[url.n - 1] == '/')
        url.n--;
    return url;
}
