/* lark.c - the card of Feishu and Lark. */
#include "lark.h"
#include "tocsin/buf.h"

static const struct conf_key lark_button_keys[] = {
    CONF_KEY(struct lark_button, title, CONF_TEMPLATE, "text on it", .flags = CONF_REQUIRED),
    CONF_KEY(struct lark_button, url, CONF_TEMPLATE, "where it leads", .flags = CONF_REQUIRED),
    CONF_KEYS_END,
};
const struct conf_type lark_button_type = {
    .name = "feishu_button", .keys = lark_button_keys, .size = sizeof(struct lark_button)};

static bool lark_is_id(str id)
{
    for (size_t i = 0; i < id.n; i++)
        if (!(id.p[i] >= 'a' && id.p[i] <= 'z') && !(id.p[i] >= 'A' && id.p[i] <= 'Z') &&
            !(id.p[i] >= '0' && id.p[i] <= '9') && strchr("_-.@", id.p[i]) == NULL)
            return false;
    return true;
}

void lark_keep_ids(struct conf_strings *ids)
{
    size_t n = 0;

    for (size_t i = 0; i < ids->n; i++)
        if (lark_is_id(ids->v[i]))
            ids->v[n++] = ids->v[i];
    ids->n = n;
}

static void lark_put_text(struct json_writer *w, const char *key, str text)
{
    json_key(w, str_of(key));
    json_open(w, '{');
    json_put_text(w, "tag", S("plain_text"));
    json_put_text(w, "content", text);
    json_close(w, '}');
}

static void lark_put_buttons(struct delivery *d, struct json_writer *w, const struct lark_card *c)
{
    json_open(w, '{');
    json_put_text(w, "tag", S("action"));
    json_key(w, S("actions"));
    json_open(w, '[');
    for (size_t i = 0; i < c->n_buttons; i++) {
        const struct delivery_member url = {
            .key = "url", .text = c->buttons[i].url, .always = true, .instead = ""};

        json_open(w, '{');
        json_put_text(w, "tag", S("button"));
        lark_put_text(w, "text", delivery_say(d, c->buttons[i].title, false));
        delivery_put_members(d, w, &url, 1);
        json_put_text(w, "type", S("default"));
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static str lark_content(struct delivery *d, const struct lark_card *c)
{
    struct buf b = BUF_INIT;

    buf_addf(&b, "%.*s%.*s", STR(c->text), STR(c->tail));
    if (c->calls_all || c->user_ids.n != 0)
        buf_addc(&b, '\n');
    if (c->calls_all)
        buf_adds(&b, "<at id=all></at>");
    for (size_t i = 0; i < c->user_ids.n; i++)
        buf_addf(&b, "<at id=%.*s></at>", STR(c->user_ids.v[i]));
    return arena_take(d->arena, &b);
}

void lark_put_card(struct delivery *d, struct json_writer *w, const struct lark_card *c)
{
    json_open(w, '{');
    json_key(w, S("config"));
    json_open(w, '{');
    json_key(w, S("wide_screen_mode"));
    json_put_bool(w, true);
    if (c->changes) {
        json_key(w, S("update_multi"));
        json_put_bool(w, true);
    }
    json_close(w, '}');
    json_key(w, S("header"));
    json_open(w, '{');
    json_put_text(w, "template", c->color);
    lark_put_text(w, "title", c->title);
    json_close(w, '}');
    json_key(w, S("elements"));
    json_open(w, '[');
    json_open(w, '{');
    json_put_text(w, "tag", S("markdown"));
    json_put_text(w, "content", lark_content(d, c));
    json_close(w, '}');
    if (c->n_buttons != 0)
        lark_put_buttons(d, w, c);
    json_close(w, ']');
    json_close(w, '}');
}
