/* What Alertmanager's webhook posts, read by the DingTalk bridge: whatever was read can be packed and comes back. */
#include "tests_fuzz.h"

#include "api/webhook_body.h"
#include "model/outbox.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct notification n, back;
    struct buf row = BUF_INIT;
    struct err e = ERR_INIT;
    struct arena a;

    arena_init(&a, 64 << 20);
    if (webhook_body_read((str){(const char *)data, size}, &a, &n, &e)) {
        notification_pack(&row, &n);
        if (!notification_unpack(buf_str(&row), &a, &back) || back.n_alerts != n.n_alerts ||
            back.n_firing != n.n_firing || !back.is_relayed)
            __builtin_trap();
    } else if (e.msg[0] == '\0') {
        __builtin_trap();
    }
    buf_release(&row);
    arena_release(&a);
    return 0;
}
