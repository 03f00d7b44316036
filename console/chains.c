#include "console/chains.h"

#include <errno.h>

#include "base/file.h"
#include "guard/copy.h"
#include "guard/names.h"

enum { ANCHORS_GIVEN_MAX = 1024 };

/* ---- What is known from elsewhere ---- */

void chains_known_done(struct chains_known *known)
{
	for (size_t i = 0; i < known->key_count; i++)
		verify_key_free(known->keys[i].key);
	free(known->anchors);
	*known = (struct chains_known){ 0 };
}

/* The name before 'separator'; what follows goes to '*ret_rest'. */
static bool take_program(const char *text, char separator,
			 char ret[static AUDIT_PROGRAM_BYTES], const char **ret_rest)
{
	const char *end = strchr(text, separator);

	if (!end || end - text >= AUDIT_PROGRAM_BYTES)
		return false;
	(void)snprintf(ret, AUDIT_PROGRAM_BYTES, "%.*s", (int)(end - text), text);
	*ret_rest = end + 1;
	return name_is_server(ret);
}

static const struct verify_key *find_key(const struct chains_known *known,
					 const char *program)
{
	for (size_t i = 0; i < known->key_count; i++)
		if (strcmp(known->keys[i].program, program) == 0)
			return known->keys[i].key;
	return NULL;
}

bool chains_add_key(struct chains_known *known, const char *text, struct error *err)
{
	char program[AUDIT_PROGRAM_BYTES];
	const char *path;

	if (!take_program(text, '=', program, &path) || !*path)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a key is given as PROGRAM=FILE, not '%.80s'", text);
	if (find_key(known, program) || known->key_count == AUDIT_PROGRAMS_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "one key of '%s' is enough",
				 program);
	struct verify_key *key = verify_key_read(path, err);
	if (!key)
		return false;
	COPY(known->keys[known->key_count].program, program);
	known->keys[known->key_count++].key = key;
	return true;
}

bool chains_add_anchor(struct chains_known *known, const char *text, struct error *err)
{
	struct audit_anchor anchor = { .at_ms = -1 };
	const char *rest;
	char *end = NULL;

	if (known->anchor_count == ANCHORS_GIVEN_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT, "more than %d anchors",
				 ANCHORS_GIVEN_MAX);
	if (take_program(text, ':', anchor.program, &rest) && *rest >= '0' &&
	    *rest <= '9') {
		errno = 0;
		anchor.seq = strtoll(rest, &end, 10);
	}
	if (!end || errno || *end != ':' || !digest_is_hex(end + 1))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "an anchor is given as PROGRAM:SEQ:HASH, not '%.120s'",
				 text);
	COPY(anchor.hash, end + 1);
	(void)snprintf(anchor.source, sizeof anchor.source, "the anchor given");
	struct audit_anchor *grown =
		reallocarray(known->anchors, known->anchor_count + 1, sizeof *grown);
	if (!grown)
		return error_oom(err);
	known->anchors = grown;
	grown[known->anchor_count++] = anchor;
	return true;
}

/* ---- Judging ---- */

struct proof {
	const char *folder;
	const struct chains_known *known;
	struct audit_programs programs;
	struct audit_anchor *anchors; /* of all */
	size_t anchor_count;
};

static bool knows(const struct proof *p, const char *program)
{
	for (size_t i = 0; i < p->programs.count; i++)
		if (strcmp(p->programs.name[i], program) == 0)
			return true;
	return false;
}

/* A log that somebody can tell a line or a key of ought to be there. */
static void add_missing(struct proof *p)
{
	const char *name = NULL;

	for (size_t i = 0; p->known && i < p->known->key_count + p->known->anchor_count;
	     i++) {
		name = i < p->known->key_count
			       ? p->known->keys[i].program
			       : p->known->anchors[i - p->known->key_count].program;
		if (!knows(p, name) && p->programs.count < AUDIT_PROGRAMS_MAX)
			(void)snprintf(p->programs.name[p->programs.count++],
				       AUDIT_PROGRAM_BYTES, "%s", name);
	}
}

static bool collect(struct proof *p, struct error *err)
{
	const size_t given = p->known ? p->known->anchor_count : 0;

	if (given > 0) {
		if (!(p->anchors = calloc(given, sizeof *p->anchors)))
			return error_oom(err);
		memcpy(p->anchors, p->known->anchors, given * sizeof *p->anchors);
		p->anchor_count = given;
	}
	for (size_t i = 0; i < p->programs.count; i++) {
		struct error skipped = ERROR_INIT;

		/* A log that cannot be read for anchors is judged below. */
		(void)audit_collect(p->folder, p->programs.name[i], &p->anchors,
				    &p->anchor_count, &skipped);
	}
	return true;
}

static void verify_one(const struct proof *p, const char *program,
		       chains_verdict *verdict, void *context)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_(verify_key_freep) struct verify_key *beside = NULL;
	const struct verify_key *given = p->known ? find_key(p->known, program) : NULL;
	struct error err = ERROR_INIT, no_key = ERROR_INIT;
	struct audit_report report = { 0 };

	if (asprintf(&path, "%s/%s.pem", p->folder, program) < 0)
		path = NULL;
	if (!given && path && file_exists(path))
		beside = verify_key_read(path, &no_key);
	(void)audit_verify(p->folder, program, given ? given : beside, p->anchors,
			   p->anchor_count, &report, &err);
	verdict(context, program, &report,
		given    ? CHAINS_KEY_GIVEN
		: beside ? CHAINS_KEY_BESIDE
			 : CHAINS_KEY_NONE,
		&err);
}

bool chains_verify(const char *folder, const struct chains_known *known,
		   chains_verdict *verdict, void *context, size_t *ret_count,
		   struct error *err)
{
	struct proof p = { .folder = folder, .known = known };

	if (!audit_files_programs(folder, &p.programs, err))
		return false;
	add_missing(&p);
	const bool collected = collect(&p, err);
	for (size_t i = 0; collected && i < p.programs.count; i++)
		verify_one(&p, p.programs.name[i], verdict, context);
	free(p.anchors);
	*ret_count = p.programs.count;
	return collected;
}
