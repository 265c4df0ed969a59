/* page.h - the page at "/": one file of HTML, script and style, embedded in the program.
 *
 * It reads the API of the server it came from and nothing else: the policy allows its own script and style by their
 * hashes, and connections to its own origin only.
 *
 * Owns     both texts are constants of the program; the policy is made at the first call, on the loop.
 * Source   alertmanager.md 10: the hash routes that messages and other tools link to.
 */
#ifndef UI_PAGE_H
#define UI_PAGE_H

#include "base/buf.h"

str ui_page(void);
void ui_page_policy(struct buf *out); /* the value of Content-Security-Policy */

#endif
