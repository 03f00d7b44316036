/*
 * frame -- the bytes of one channel message. Private to common/proc.
 *
 * A frame is a 32-bit big-endian length and that many bytes of JSON_CONTRACT
 * text: an object with a string "m" and, if there is an "id", an integer one.
 */
#ifndef PROC_FRAME_H
#define PROC_FRAME_H

#include "base/json.h"

enum { FRAME_HEAD_BYTES = 4 };

/* Append 'message' as a frame; 'sb' is as before when it is none, or too long. */
bool frame_append(struct strbuf *sb, const json_t *message, struct error *err);

/* Length in bytes of the frame that 'bytes' begin with, its message in
 * 'ret_message'. 0 while it is incomplete, and with 'err' set if it breaks the
 * rules (a length beyond the maximum does at once). */
size_t frame_parse(const char *bytes, size_t length, json_t **ret_message,
		   struct error *err);

/* Bytes that follow a head; 0 and 'err' when there are too many. */
size_t frame_body_bytes(const char head[static FRAME_HEAD_BYTES], struct error *err);
/* The message in a whole body; NULL and 'err' if it is none. */
json_t *frame_body(const char *body, size_t length, struct error *err) _must_use_;

/* Make the descriptor close-on-exec and non-blocking. */
bool frame_prepare(int fd, struct error *err);

/* What is said of a peer that left, or of errno after a send or receive. Both return false. */
bool frame_peer_gone(bool within_frame, struct error *err);
bool frame_peer_error(int error_number, struct error *err);

#endif
