/* console.c - prints notifications on the terminal: for trying things out and for development. */
#include "tocsin/receiver.h"

struct console_conf {
    char unused; /* there is nothing to set */
};

static const struct conf_key keys[] = {
    CONF_KEYS_END,
};

static const struct conf_type console_conf_type = {
    .name = "console_config",
    .doc = "Messages on the terminal",
    .keys = keys,
    .size = sizeof(struct console_conf),
};

const struct receiver_type console_receiver = {
    .name = "console",
    .config_key = "console_configs",
    .doc = "Messages on the terminal",
    .conf = &console_conf_type,
    .send_resolved_default = true,
    .uses_http = false,
    .check = NULL,
};
