/* dingtalk_config.h - the DingTalk bridge's config.yml, written as receivers of ours: for who gives up the webhook in
 * between.
 *
 * Errors   as config/bridge.h: diags with file, line and column.
 * Owns     out is the caller's. It holds the robots' tokens.
 */
#ifndef BRIDGE_DINGTALK_CONFIG_H
#define BRIDGE_DINGTALK_CONFIG_H

#include "base/buf.h"
#include "base/diags.h"

/* A tocsin.yml with `templates` and `receivers`; routes are its reader's to write. */
bool dingtalk_config_print(str path, struct buf *out, struct diags *d) must_check;

#endif
