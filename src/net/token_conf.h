/* token_conf.h - bearer tokens of the API, each for as much as its holder needs.
 *
 * Owns     text lives in the arena of the configuration; the matchers' regexes are given back by
 *          token_conf_release().
 */
#ifndef NET_TOKEN_CONF_H
#define NET_TOKEN_CONF_H

#include "model/matcher.h"
#include "tocsin/conf.h"

struct token_conf {
    str name;
    struct secret token;
    str scope;                /* "read", "silence", "push", "alerts" or "admin" */
    struct matchers matchers; /* scope silence: only silences that stay within all of these */
};

struct web_tokens_conf {
    CONF_LIST_OF(struct token_conf) tokens;
};

extern const struct conf_type web_tokens_type;

void token_conf_release(struct token_conf *t);

#endif
