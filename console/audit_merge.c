#include "console/audit_merge.h"

#include "base/digest.h"
#include "console/audit_stream.h"

enum { GIVEN_HASHES = 64 };

struct source {
	struct audit_stream *stream;
	char *text; /* the line that waits; NULL: none */
	json_t *json;
};

struct audit_merge {
	struct source sources[AUDIT_PROGRAMS_MAX];
	size_t count;
	struct source given;                         /* what was given last */
	char hashes[GIVEN_HASHES][DIGEST_HEX_BYTES]; /* of the last lines given */
	size_t given_count;
	const char *wanted;
};

static void forget(struct source *s)
{
	free(s->text);
	json_decref(s->json);
	s->text = NULL;
	s->json = NULL;
}

void audit_merge_close(struct audit_merge *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++) {
		forget(&m->sources[i]);
		audit_stream_close(m->sources[i].stream);
	}
	forget(&m->given);
	free(m);
}

struct audit_merge *audit_merge_open(const char *folder, const char *only,
				     struct error *err)
{
	_cleanup_(audit_merge_closep) struct audit_merge *m = calloc(1, sizeof *m);
	struct audit_programs programs;

	if (!m) {
		error_oom(err);
		return NULL;
	}
	if (!audit_files_programs(folder, &programs, err))
		return NULL;
	for (size_t i = 0; i < programs.count; i++) {
		if (only && strcmp(only, programs.name[i]) != 0)
			continue;
		m->sources[m->count].stream =
			audit_stream_open(folder, programs.name[i], 0, err);
		if (!m->sources[m->count++].stream)
			return NULL;
	}
	if (only && m->count == 0) {
		error_set(err, ERR_NOT_FOUND, "there is no log of '%s'", only);
		return NULL;
	}
	return TAKE(m);
}

void audit_merge_want(struct audit_merge *m, const char *text)
{
	m->wanted = text;
}

static void refill(const struct audit_merge *m, struct source *s)
{
	struct error no_json = ERROR_INIT;
	const char *line;

	while (!s->json && (line = audit_stream_next(s->stream))) {
		if (m->wanted && !strstr(line, m->wanted))
			continue;
		error_clear(&no_json);
		forget(s);
		s->json = json_parse(line, strlen(line), JSON_SYNTAX, &no_json);
		if (s->json && !(s->text = strdup(line)))
			forget(s);
	}
}

static const char *at_of(const struct source *s)
{
	const char *at = json_get_string(s->json, "at");

	return at ? at : "";
}

static bool was_given(const struct audit_merge *m, const char *hash)
{
	for (size_t i = 0; i < GIVEN_HASHES; i++)
		if (strcmp(m->hashes[i], hash) == 0)
			return true;
	return false;
}

/* Whether 's' tells of a line of 'other' that was not given yet. */
static bool comes_after(const struct audit_merge *m, const struct source *s,
			const struct source *other)
{
	static const char *const names[] = { "gate_head", "server_head" };
	const char *program = json_get_string(other->json, "program");

	for (size_t i = 0; program && i < ARRAY_SIZE(names); i++) {
		const json_t *head =
			json_object_get(json_object_get(s->json, "data"), names[i]);
		const char *of = json_get_string(head, "program"),
			   *hash = json_get_string(head, "hash");
		if (of && hash && strcmp(of, program) == 0 && !was_given(m, hash))
			return true;
	}
	return false;
}

/* Of what happened in one millisecond, a line that tells of none that is still to come. */
static struct source *first_of_moment(struct audit_merge *m, struct source *oldest)
{
	for (size_t i = 0; i < m->count; i++) {
		struct source *s = &m->sources[i];
		bool is_first = s->json && strcmp(at_of(s), at_of(oldest)) == 0;

		for (size_t j = 0; is_first && j < m->count; j++) {
			const struct source *other = &m->sources[j];
			is_first = other == s || !other->json ||
				   strcmp(at_of(other), at_of(oldest)) != 0 ||
				   !comes_after(m, s, other);
		}
		if (is_first)
			return s;
	}
	return oldest;
}

bool audit_merge_next(struct audit_merge *m, struct audit_merged *ret)
{
	struct source *oldest = NULL;

	forget(&m->given);
	for (size_t i = 0; i < m->count; i++) {
		struct source *s = &m->sources[i];

		refill(m, s);
		if (s->json && (!oldest || strcmp(at_of(s), at_of(oldest)) < 0))
			oldest = s;
	}
	if (!oldest)
		return false;
	struct source *first = first_of_moment(m, oldest);
	const char *hash = json_get_string(first->json, "hash");
	(void)snprintf(m->hashes[m->given_count++ % GIVEN_HASHES], DIGEST_HEX_BYTES, "%s",
		       hash ? hash : "");
	m->given = (struct source){ NULL, first->text, first->json };
	first->text = NULL;
	first->json = NULL;
	*ret = (struct audit_merged){ m->given.text, m->given.json, at_of(&m->given) };
	return true;
}
