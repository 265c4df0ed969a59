#include "ui/page.h"

#include <openssl/sha.h>
#include "base/mem.h"
#include "codec/base64.h"

extern const char ui_page_html[], ui_page_html_end[]; /* page.S */

str ui_page(void)
{
    /* cppcheck-suppress comparePointers ; both ends of one embedded object */
    return (str){ui_page_html, (size_t)(ui_page_html_end - ui_page_html)};
}

/* 'sha256-...' of what stands between the two tags. */
static void page_add_hash(struct buf *out, str open, str close)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    str page = ui_page(), rest;
    ptrdiff_t from = str_find_str(page, open), n;

    BUG_ON(from < 0);
    rest = str_sub(page, (size_t)from + open.n, page.n);
    n = str_find_str(rest, close);
    BUG_ON(n < 0);
    SHA256((const unsigned char *)rest.p, (size_t)n, digest);
    buf_adds(out, " 'sha256-");
    base64_encode(out, (str){(const char *)digest, sizeof(digest)}, BASE64_STD);
    buf_adds(out, "'");
}

void ui_page_policy(struct buf *out)
{
    buf_adds(out, "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
                  "frame-ancestors 'none'; style-src");
    page_add_hash(out, S("<style>"), S("</style>"));
    buf_adds(out, "; script-src");
    page_add_hash(out, S("<script>"), S("</script>"));
}
