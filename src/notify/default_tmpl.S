/* The built-in templates, as bytes in the program: receivers/CMakeLists.txt lists the files. */
    .section .rodata
    .global notify_default_tmpl
    .global notify_default_tmpl_end
    .global notify_default_zh_tmpl
    .global notify_default_zh_tmpl_end
    .global notify_readable_tmpl
    .global notify_readable_tmpl_end
notify_default_tmpl:
#include TEMPLATES
notify_default_tmpl_end:
    .byte 0
notify_default_zh_tmpl:
#include TEMPLATES_ZH
notify_default_zh_tmpl_end:
    .byte 0
notify_readable_tmpl:
#include TEMPLATES_READABLE
notify_readable_tmpl_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
#ifdef __CET__
#include <cet.h> /* says that nothing here stands in the way of it */
#endif
