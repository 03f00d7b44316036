/*
 * body -- what a request of Slack's holds: a form's encoding, undone exactly once.
 */
#ifndef SLACK_BODY_H
#define SLACK_BODY_H

#include "base/json.h"

enum { SLACK_FORM_FIELDS_MAX = 32, SLACK_FIELD_NAME_MAX = 64 };

/* "payload=" and a form's encoding of JSON, nothing else. New. ERR_INVALID_ARGUMENT. */
json_t *slack_body_payload(const void *body, size_t length, struct error *err) _must_use_;

/* {name: text} of a form; a name twice, a NUL or bytes that are no UTF-8 are
 * ERR_INVALID_ARGUMENT. New. */
json_t *slack_body_fields(const void *body, size_t length, struct error *err) _must_use_;

#endif
