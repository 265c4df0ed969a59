/* json_field.h - one value of a JSON document, by where it stands: "data.queues[0].length".
 *
 * A name with a dot in it cannot be said. What is there twice counts as it stood last, as Go has it.
 *
 * Errors   ERR_NOT_FOUND there is no such value; ERR_INVALID it is no JSON, or the value is an object or a list.
 * Owns     the text of a value lives in the arena, or is a slice of the document.
 */
#ifndef COLLECT_JSON_FIELD_H
#define COLLECT_JSON_FIELD_H

#include "codec/json.h"

/* type: JSON_NULL, JSON_BOOL, JSON_NUMBER or JSON_STRING; text: "true", digits, or the string. */
bool json_field(str document, str field, struct arena *a, enum json_type *type, str *text,
                struct err *e) must_check;

#endif
