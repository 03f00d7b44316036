/*
 * audit -- a chain of JSON lines that cannot be changed unnoticed.
 *
 *   {"v":1,"seq":17,"at":"2026-11-22T10:00:00.123Z","program":"gate","prev":"<hash>",
 *    "event":"approval.approved","data":{…},"hash":"<hash>"}
 *
 * Each line is canonical JSON; 'hash' is the SHA-256 of the canonical line without
 * the member 'hash'; 'prev' is the hash of the line before, 64 zeros in the first,
 * whose 'seq' is 0.
 * Every AUDIT_CHECKPOINT_LINES lines and at each clean stop an event "checkpoint"
 * follows: data {typ, kid, seq, hash, sig}, an Ed25519 signature by audit/<program>.key
 * (base64url) over the canonical {typ, kid, program, seq, hash} of the line before.
 * audit_append returns when the line is on the disk (one thread writes and syncs for
 * many callers). Room for AUDIT_RESERVE bytes is kept allocated ahead, so that the
 * outcome of what has started can still be written: audit_append refuses while that
 * room cannot be had, audit_append_outcome may use it. (Where the file system cannot
 * reserve, "audit.opened" says "reserved":false.) If a line cannot be written the
 * chain is broken for this process: the torn part is cut off again, every later append
 * fails too, and callers execute nothing. A torn last line left by a crash is moved to
 * <file>.torn-<time> at open and said so in the next line (event "audit.recovered").
 *
 * A chain goes on in a new file when one has AUDIT_FILE_BYTES (audit_files.h): the file
 * that is left ends with a checkpoint, is synced before the next one exists, and is never
 * touched again. 'seq' and 'prev' go on as if nothing had happened. If a new file cannot
 * be begun, the old one grows and a line "audit.not_rotated" says why. A process that
 * falls in between leaves an empty last file, which the next process fills. Whole files
 * may be moved away, the oldest first; a chain whose files are all gone begins anew.
 * The folder audit/<program>/ is the lock against a second writer.
 *
 * A program that may meet RLIMIT_FSIZE ignores SIGXFSZ.
 * Sensitive values go in as keyed digests: audit_sensitive.
 */
#ifndef GUARD_AUDIT_H
#define GUARD_AUDIT_H

#include "base/json.h"
#include "base/secret.h"
#include "base/statedir.h"

enum {
	AUDIT_LINE_MAX = 256 * 1024,
	AUDIT_CHECKPOINT_LINES = 64,
	AUDIT_FILE_BYTES = 64 * 1024 * 1024,
	AUDIT_RESERVE = 1024 * 1024
};

struct audit;

/* Opens (or begins) the chain of 'program', makes audit/<program>.key if absent,
 * takes the lock, checks the last line, writes "audit.opened", which is on the disk as soon
 * as a line behind it is. */
struct audit *audit_open(const struct statedir *dir, const char *program,
			 struct error *err) _must_use_;
void audit_close(struct audit *a); /* with a checkpoint */
DEFINE_CLEANUP(struct audit, audit_close);

/* 'event' is 1 to 64 of [a-z0-9._]. 'data', an object, is stolen, even on failure;
 * NULL (what json_pack gives for lack of memory or for text that is not UTF-8) fails.
 * 'ret_hash' may be NULL. Thread-safe. ERR_INVALID_ARGUMENT for data that cannot be a
 * line (the chain stays sound), ERR_INTERNAL with a sentence for people when the line
 * is not durable. */
bool audit_append(struct audit *a, const char *event, json_t *data,
		  char ret_hash[DIGEST_HEX_BYTES], struct error *err);
/* Several lines of one event, in this order, with one wait for all: for what many ask
 * at once. False: not all of them are durable. */
struct audit_lines;
bool audit_append_lines(struct audit *a, const char *event,
			const struct audit_lines *lines, struct error *err);
/* The same for the outcome of what has already begun: may use the reserved room. */
bool audit_append_outcome(struct audit *a, const char *event, json_t *data,
			  char ret_hash[DIGEST_HEX_BYTES], struct error *err);

/*
 * Lines that are gathered before they are appended, by whoever has the data, so that who
 * appends them needs nothing of anybody else's. Their data is texts and nothing more.
 */
struct audit_lines {
	struct strbuf data; /* canonical, each with a line feed */
	size_t count;
};
#define AUDIT_LINES_INIT                                                                 \
	{                                                                                \
		STRBUF_INIT, 0                                                           \
	}
struct audit_text {
	const char *name; /* of ours: a-z and _ */
	const char *value;
};
/* Add one; 'texts' in the order of their names. ERR_INVALID_ARGUMENT for a value that
 * cannot stand in a line; nothing is added then. */
bool audit_lines_add(struct audit_lines *lines, const struct audit_text *texts,
		     size_t count, struct error *err);
void audit_lines_clear(struct audit_lines *lines); /* to be filled again */
void audit_lines_done(struct audit_lines *lines);

/* How large a file gets, from the next line on; for tests, which cannot fill disks. */
void audit_limit_file(struct audit *a, int64_t bytes);
/* Place and hash of the last durable line. */
void audit_head(struct audit *a, int64_t *ret_seq,
		char ret_hash[static DIGEST_HEX_BYTES]);
/* Whether the chain can still be written, and the room for outcomes is there. */
bool audit_is_sound(struct audit *a);
/* "hmac:<32 hex>" under a key derived from the audit key; appended. Thread-safe. */
void audit_sensitive(struct audit *a, const char *text, struct strbuf *sb);

/*
 * Verification, offline, or beside the writer. It stops at the first bad line and
 * says what is wrong with it (edited, dropped, inserted, reordered, torn, renamed, bad
 * checkpoint, key unknown). 'anchors' are (program, seq or -1, hash) learnt
 * elsewhere (a peer's log, a remembered checkpoint): each of this program must be
 * found. A log alone cannot show that its end was not cut, for its checkpoints are
 * cut with it: only an anchor proves the end, as far as whoever knows the anchor knew
 * of it: of lines that nobody else had heard of when they were cut off, nobody can
 * tell. What is behind the last anchor and the
 * last checkpoint signed by a trusted key proves nothing of itself: whoever may write
 * the file can write it anew from there on ('proven_to_seq').
 *
 * A chain may begin with a numbered file: those before it were moved away, by whoever
 * may. Anchors of lines that would stand there are not looked for; those without a
 * 'seq' not if they were learnt before, or AUDIT_ANCHOR_LAG_MS after, its first line.
 */
enum { AUDIT_ANCHOR_LAG_MS = 5 * 60 * 1000 };

struct audit_anchor {
	char program[33];
	int64_t seq; /* -1: not known */
	char hash[DIGEST_HEX_BYTES];
	int64_t at_ms; /* when it was learnt; -1: not known */
	char source[160];
};
struct audit_report {
	int64_t lines, checkpoints; /* good ones, before the finding */
	size_t files;
	int64_t first_seq;     /* > 0: files before it were moved away; -1: no line */
	int64_t signed_to_seq; /* the last line covered by a good checkpoint; -1: none */
	int64_t anchored_to_seq; /* the last line covered by an anchor; -1: none */
	int64_t proven_to_seq;   /* the later of the two; -1: nothing */
	int64_t last_seq;        /* of the last good line; -1: none */
	char last_hash[DIGEST_HEX_BYTES];
	bool sound;            /* no finding */
	bool end_proven;       /* an anchor names the last line, or the one that a
	                                    checkpoint signs at the very end */
	char finding[320];     /* the first one, "" if none */
	int64_t finding_line;  /* 1-based, in its file; 0 if none */
	char finding_file[64]; /* the last part of its path; "" if none */
};
/* False when a file cannot be read; a finding is no failure. 'key' NULL:
 * signatures of checkpoints are not checked, and 'signed_to_seq' stays -1. */
bool audit_verify(const char *folder, const char *program, const struct verify_key *key,
		  const struct audit_anchor *anchors, size_t anchor_count,
		  struct audit_report *ret, struct error *err);
/* The same of one file by itself. */
bool audit_verify_file(const char *path, const char *program,
		       const struct verify_key *key, const struct audit_anchor *anchors,
		       size_t anchor_count, struct audit_report *ret, struct error *err);
/* The anchors that this log holds about other programs' chains (members
 * "gate_head", "server_head": {program, seq?, hash} in data), appended to the malloc'd
 * array '*anchors' of '*count' (NULL and 0 to begin with). Reads each file up to the
 * first line that is none; verify this log too. */
bool audit_collect(const char *folder, const char *program, struct audit_anchor **anchors,
		   size_t *count, struct error *err);
bool audit_collect_anchors(const char *path, struct audit_anchor **anchors, size_t *count,
			   struct error *err);

#endif
