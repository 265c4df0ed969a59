/* lark.h - what the receivers `feishu` and `feishu_app` share: the card.
 *
 * Source   ecosystem.md 1.5
 */
#ifndef LARK_H
#define LARK_H

#include "tocsin/json.h"
#include "tocsin/receiver.h"

enum { LARK_TITLE_MAX = 200 }; /* runes: a label may be of megabytes, and is no headline */

struct lark_button {
    str title, url;
};
extern const struct conf_type lark_button_type;

struct lark_card {
    str title, text, color;
    str tail; /* behind the text */
    bool calls_all;
    struct conf_strings user_ids; /* who is called */
    const struct lark_button *buttons;
    size_t n_buttons;
    bool changes; /* it may be changed for all who see it */
};

/* Ids stand in markup: of what a label says only an id may become one. Keeps those. */
void lark_keep_ids(struct conf_strings *ids);
/* The card, as a value. */
void lark_put_card(struct delivery *d, struct json_writer *w, const struct lark_card *c);

#endif
