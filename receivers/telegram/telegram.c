/* telegram.c - Telegram bots. */
#include "tocsin/receiver.h"

struct telegram_conf {
    str api_url;
    struct secret bot_token;
    int64_t chat_id, message_thread_id;
    str chat_id_file, message, parse_mode;
    bool disable_notifications;
};

static const char *const parse_modes[] = {"", "Markdown", "MarkdownV2", "HTML", NULL};

static const struct conf_key keys[] = {
    CONF_KEY(struct telegram_conf, api_url, CONF_URL, "address of the API",
             CONF_GLOBAL(telegram_api_url)),
    CONF_KEY(struct telegram_conf, bot_token, CONF_SECRET, "token of the bot",
             CONF_GLOBAL(telegram_bot_token), .flags = CONF_PATH_FIXED),
    CONF_KEY(struct telegram_conf, chat_id, CONF_INT, "chat"),
    CONF_KEY(struct telegram_conf, chat_id_file, CONF_PATH, "file that holds the chat",
             .flags = CONF_PATH_FIXED | CONF_READ_LATER),
    CONF_KEY(struct telegram_conf, message_thread_id, CONF_INT, "topic in the chat"),
    CONF_KEY(struct telegram_conf, message, CONF_TEMPLATE, "text",
             .text = "{{ template \"telegram.default.message\" . }}"),
    CONF_KEY(struct telegram_conf, disable_notifications, CONF_BOOL, "no sound"),
    CONF_KEY(struct telegram_conf, parse_mode, CONF_WORD, "how the text is marked up",
             .text = "HTML", .words = parse_modes),
    CONF_KEYS_END,
};

static void telegram_check(void *conf, const struct receiver_view *view, struct conf_check *c)
{
    struct telegram_conf *t = conf;

    (void)view;
    if (!secret_is_set(t->bot_token))
        conf_error(c, NULL,
                   "no token: \"bot_token\" is missing here and \"telegram_bot_token\" in global");
    if ((t->chat_id != 0) == (t->chat_id_file.n != 0))
        conf_error(c, NULL, "exactly one of \"chat_id\" and \"chat_id_file\" is needed");
}

static const struct conf_type telegram_conf_type = {
    .name = "telegram_config",
    .doc = "Telegram",
    .keys = keys,
    .size = sizeof(struct telegram_conf),
};

const struct receiver_type telegram_receiver = {
    .name = "telegram",
    .config_key = "telegram_configs",
    .doc = "Telegram",
    .conf = &telegram_conf_type,
    .send_resolved_default = true,
    .uses_http = true,
    .check = telegram_check,
};
