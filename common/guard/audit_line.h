/*
 * audit_line -- one line of an audit chain: written, and read back strictly.
 *
 * Private to guard. Knows the form of a line and of a checkpoint's data; what
 * follows what is for audit.c, which writes, and audit_verify.c, which judges.
 */
#ifndef GUARD_AUDIT_LINE_H
#define GUARD_AUDIT_LINE_H

#include "guard/audit.h"
#include "guard/names.h"

#define AUDIT_CHECKPOINT_EVENT "checkpoint"

/* Place and hash of a line; seq -1 and zeros stand for "nothing yet". */
struct audit_place {
	int64_t seq;
	char hash[DIGEST_HEX_BYTES];
};
extern const struct audit_place audit_nothing;

bool audit_is_event(const char *text);

/*
 * Append the line that follows '*place', with its newline, and advance '*place'.
 * 'data' is canonical text of an object. All or nothing; ERR_INVALID_ARGUMENT when
 * it would be longer than AUDIT_LINE_MAX.
 */
bool audit_line_write(struct strbuf *sb, struct audit_place *place, const char *at,
		      const char *program, const char *event, const struct strbuf *data,
		      struct error *err);

struct audit_line {
	const char *at, *program, *prev, *event; /* borrowed from the JSON */
	json_t *data;
	struct audit_place place;
};
/* The JSON that 'ret' borrows from; NULL unless the text (without its newline) is
 * exactly what audit_line_write makes, its hash included. */
json_t *audit_line_read(const char *text, size_t length, struct audit_line *ret,
			struct error *err) _must_use_;

/* The canonical data of a checkpoint over 'place'. */
bool audit_checkpoint_write(struct strbuf *data, const struct audit_place *place,
			    const char *program, const struct sign_key *key,
			    struct error *err);
/* Whether 'data' is a checkpoint over exactly 'place', and, with a key, signed by it. */
bool audit_checkpoint_check(const json_t *data, const struct audit_place *place,
			    const char *program, const struct verify_key *key,
			    struct error *err);

/* Lines of a file, as they come. */
struct audit_reader;
struct audit_reader *audit_reader_open(const char *path, struct error *err) _must_use_;
void audit_reader_close(struct audit_reader *r);
DEFINE_CLEANUP(struct audit_reader, audit_reader_close);

enum audit_read {
	AUDIT_READ_LINE,
	AUDIT_READ_END,
	AUDIT_READ_TORN,
	AUDIT_READ_TOO_LONG,
	AUDIT_READ_FAILED
};
/* The next line without its newline, valid until the next call. A line that does
 * not end is waited for a moment, because it may just be written. */
enum audit_read audit_reader_next(struct audit_reader *r, const char **ret_text,
				  size_t *ret_length, struct error *err);

#endif
