#include "notify/markup.h"

#include "base/utf8.h"
#include "template/markdown.h"

enum { MARKUP_URL_MAX = 1500 };

/* -- escaping -- */

static void escape_nothing(struct buf *out, str s)
{
    buf_add(out, s);
}

/* Of HTML; Slack wants these three and no other. */
static void escape_entities(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '&')
            buf_adds(out, "&amp;");
        else if (s.p[i] == '<')
            buf_adds(out, "&lt;");
        else if (s.p[i] == '>')
            buf_adds(out, "&gt;");
        else
            buf_addc(out, s.p[i]);
    }
}

/* DingTalk knows some tags, and no escape for them. */
static void escape_dingtalk(struct buf *out, str s)
{
    struct buf b = BUF_INIT;

    for (size_t i = 0; i < s.n; i++) {
        char next = i + 1 < s.n ? s.p[i + 1] : '\0';

        if (s.p[i] == '<' &&
            (next == '/' || next == '!' || ((next | 0x20) >= 'a' && (next | 0x20) <= 'z')))
            buf_adds(&b, "＜");
        else
            buf_addc(&b, s.p[i]);
    }
    markdown_escape(out, buf_str(&b), MARKDOWN_USUAL "#");
    buf_release(&b);
}

static void escape_wecom(struct buf *out, str s)
{
    markdown_widen(out, s, MARKDOWN_WECOM);
}

static void escape_googlechat(struct buf *out, str s)
{
    markdown_widen(out, s, MARKDOWN_GOOGLECHAT);
}

static void escape_rocketchat(struct buf *out, str s)
{
    markdown_widen(out, s, MARKDOWN_GOOGLECHAT "[]");
}

static void escape_jira(struct buf *out, str s)
{
    markdown_widen(out, s, "[]{}|!");
}

/* Those that know backslashes before all signs. */
static void escape_markdown(struct buf *out, str s)
{
    markdown_escape(out, s, MARKDOWN_USUAL "<>#|~");
}

/* Those whose Markdown has HTML in it. */
static void escape_markdown_html(struct buf *out, str s)
{
    struct buf b = BUF_INIT;

    escape_entities(&b, s);
    markdown_escape(out, buf_str(&b), MARKDOWN_USUAL "|~");
    buf_release(&b);
}

/* -- the kinds -- */

#define MARKUP_PLAIN  .bold = "", .bold_end = "", .line_end = "\n", .between = "\n"
#define MARKUP_SQUARE .link = "[", .link_mid = "](", .link_end = ")"
#define MARKUP_ANGLES .link = "<", .link_mid = "|", .link_end = ">", .link_begins_with_url = true
#define MARKUP_STARS  .bold = "**", .bold_end = "**", .has_icons = true, .between = " · "
#define MARKUP_STAR   .bold = "*", .bold_end = "*", .has_icons = true, .between = " · "

static const struct markup markups[] = {
    {.name = "text", .escape = escape_nothing, MARKUP_PLAIN, .room = 10000},
    {.name = "quiet", .escape = escape_nothing, MARKUP_PLAIN, .calls = true, .room = 10000},
    {.name = "short", .escape = escape_nothing, MARKUP_PLAIN, .room = 600},
    {.name = "small", .escape = escape_nothing, MARKUP_PLAIN, .room = 1300},
    {.name = "phone", .escape = escape_nothing, MARKUP_PLAIN}, /* the provider cuts, or pays */
    {.name = "ntfy", .escape = escape_nothing, MARKUP_PLAIN, .room = 2500},
    {.name = "jira", .escape = escape_jira, MARKUP_PLAIN, .room = 20000},
    {.name = "html", .escape = escape_nothing, MARKUP_PLAIN}, /* its template escapes */
    {.name = "dingtalk",
     .escape = escape_dingtalk,
     MARKUP_STARS,
     MARKUP_SQUARE,
     .line_end = "  \n",
     .room = 12000},
    {.name = "feishu",
     .escape = markdown_entities,
     MARKUP_STARS,
     MARKUP_SQUARE,
     .line_end = "\n",
     .room = 12000},
    {.name = "wecom",
     .escape = escape_wecom,
     MARKUP_STARS,
     MARKUP_SQUARE,
     .line_end = "\n",
     .room = 2500},
    {.name = "googlechat",
     .escape = escape_googlechat,
     MARKUP_STAR,
     MARKUP_ANGLES,
     .line_end = "\n",
     .room = 2500},
    {.name = "slack",
     .escape = escape_entities,
     MARKUP_STAR,
     MARKUP_ANGLES,
     .url_has_entities = true,
     .calls = true,
     .line_end = "\n",
     .room = 10000},
    {.name = "rocketchat",
     .escape = escape_rocketchat,
     MARKUP_STAR,
     MARKUP_SQUARE,
     .calls = true,
     .line_end = "\n",
     .room = 10000},
    {.name = "telegram",
     .escape = escape_entities,
     .bold = "<b>",
     .bold_end = "</b>",
     .link = "<a href=\"",
     .link_mid = "\">",
     .link_end = "</a>",
     .link_begins_with_url = true,
     .url_has_entities = true,
     .calls = true,
     .is_html = true,
     .has_icons = true,
     .line_end = "\n",
     .between = " · ",
     .room = 2500},
    {.name = "markdown", /* Discord, Mattermost */
     .escape = escape_markdown,
     MARKUP_STARS,
     MARKUP_SQUARE,
     .calls = true,
     .line_end = "\n",
     .room = 2500},
    {.name = "webex",
     .escape = escape_markdown_html,
     MARKUP_STARS,
     MARKUP_SQUARE,
     .calls = true,
     .line_end = "  \n",
     .room = 5000},
    {.name = "teams",
     .escape = escape_markdown_html,
     MARKUP_STARS,
     MARKUP_SQUARE,
     .line_end = "\n\n",
     .room = 15000},
};

const struct markup *markup_find(str name)
{
    for (size_t i = 0; i < ARRAY_LEN(markups); i++)
        if (str_is(name, markups[i].name))
            return &markups[i];
    return NULL;
}

/* -- text -- */

void markup_plain(struct buf *out, str s, size_t max)
{
    size_t runes = 0, bytes;
    uint32_t r;

    for (size_t i = 0; i < s.n; i += bytes) {
        bytes = utf8_decode(str_sub(s, i, s.n), &r);
        if (runes++ == max) {
            buf_adds(out, "…");
            return;
        }
        if (utf8_is_control(r)) /* line ends, too */
            buf_addc(out, ' ');
        else
            utf8_add(out, r);
    }
}

static void without_calls_of(struct buf *out, str s)
{
    for (size_t i = 0; i < s.n; i++) {
        buf_addc(out, s.p[i]);
        if (s.p[i] == '@')
            buf_adds(out, "\u200b"); /* a space of no width, which ends the name before it begins */
    }
}

void markup_text(struct buf *out, const struct markup *m, str s)
{
    struct buf b = BUF_INIT, quiet = BUF_INIT;

    markup_plain(&b, s, SIZE_MAX);
    if (m->calls && str_find(buf_str(&b), '@') >= 0) {
        without_calls_of(&quiet, buf_str(&b));
        m->escape(out, buf_str(&quiet));
    } else {
        m->escape(out, buf_str(&b));
    }
    buf_release(&quiet);
    buf_release(&b);
}

void markup_bold(struct buf *out, const struct markup *m, str s)
{
    buf_add(out, str_of(m->bold));
    markup_text(out, m, s);
    buf_add(out, str_of(m->bold_end));
}

bool markup_is_url(str url)
{
    return (str_starts_with(url, S("http://")) || str_starts_with(url, S("https://"))) &&
           url.n <= MARKUP_URL_MAX;
}

/* What might end the link, or is no part of an address. */
static void add_url(struct buf *out, const struct markup *m, str url)
{
    for (size_t i = 0; i < url.n; i++) {
        unsigned char c = (unsigned char)url.p[i];

        if (c == '&' && m->url_has_entities)
            buf_adds(out, "&amp;");
        else if (c <= ' ' || c >= 0x7f || strchr("\"'<>()[]{}|\\^`*", c) != NULL)
            buf_addf(out, "%%%02X", c);
        else
            buf_addc(out, (char)c);
    }
}

void markup_link(struct buf *out, const struct markup *m, str text, str url)
{
    bool is_url = markup_is_url(url);

    if (!is_url || m->link == NULL) {
        markup_text(out, m, text);
        if (is_url) {
            buf_adds(out, ": ");
            add_url(out, m, url);
        }
        return;
    }
    buf_add(out, str_of(m->link));
    if (m->link_begins_with_url)
        add_url(out, m, url);
    else
        markup_text(out, m, text);
    buf_add(out, str_of(m->link_mid));
    if (m->link_begins_with_url)
        markup_text(out, m, text);
    else
        add_url(out, m, url);
    buf_add(out, str_of(m->link_end));
}
