/* Whether this Redis keeps what it is told. */
#include "link/coordination/redis_private.h"

enum { VERSION_WITH_WAITAOF = 7002 };

static const char unfit_hint[] =
	"redis.conf wants: appendonly yes, appendfsync always, "
	"no-appendfsync-on-rewrite no, maxmemory-policy noeviction";

enum { SETTINGS = 4, REPORTS = 2, ANSWERS_MAX = SETTINGS };

/* What must be so; by the names of CONFIG GET, which is quick for a whole name. */
static const struct {
	const char *name, *value;
} wanted[SETTINGS] = {
	{ "appendonly", "yes" },
	{ "appendfsync", "always" },
	{ "no-appendfsync-on-rewrite", "no" },
	{ "maxmemory-policy", "noeviction" },
};

static const struct redis_command info_persistence = { 2, { "INFO", "persistence" } };
static const struct redis_command info_memory = { 2, { "INFO", "memory" } };

bool redis_fitness_version(const char *info, struct redis_fitness *f)
{
	static const char name[] = "redis_version:";
	const char *found = strstr(info, name);
	char *end = NULL;
	long major, minor;

	if (!found)
		return false;
	major = strtol(found + sizeof name - 1, &end, 10);
	if (*end != '.' || major < 0 || major > 1000)
		return false;
	minor = strtol(end + 1, &end, 10);
	if (minor < 0 || minor > 999)
		return false;
	f->has_waitaof = major * 1000 + minor >= VERSION_WITH_WAITAOF;
	return true;
}

bool redis_fitness_ask(struct redis_link *l, const struct redis_fitness *f,
		       struct error *err)
{
	if (f->hides_configuration)
		return redis_link_add(l, &info_persistence, err) &&
		       redis_link_add(l, &info_memory, err);
	for (size_t i = 0; i < SETTINGS; i++) {
		const struct redis_command get = { 3,
						   { "CONFIG", "GET", wanted[i].name } };

		if (!redis_link_add(l, &get, err))
			return false;
	}
	return true;
}

/* ---- By its configuration -------------------------------------------------------- */

/* NULL: it does not say. */
static const char *setting(const redisReply *r, const char *name)
{
	if (r->elements != 2 || r->element[0]->type != REDIS_REPLY_STRING ||
	    r->element[1]->type != REDIS_REPLY_STRING ||
	    strcmp(r->element[0]->str, name) != 0)
		return NULL;
	return r->element[1]->str;
}

static bool judge_configuration(const struct coord_redis_access *a,
				redisReply *const replies[static SETTINGS],
				struct error *err)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		const char *value = setting(replies[i], wanted[i].name);

		if (value && strcmp(value, wanted[i].value) == 0)
			continue;
		redis_fail(a, err,
			   "may forget what it is told: its %s is '%.40s', not '%s'",
			   wanted[i].name, value ? value : "?", wanted[i].value);
		return error_hint(err, "%s", unfit_hint);
	}
	return true;
}

/* ---- By what it tells everybody -------------------------------------------------- */

static bool says(redisReply *const replies[static REPORTS], const char *line)
{
	for (size_t r = 0; r < REPORTS; r++)
		if (replies[r]->type == REDIS_REPLY_STRING &&
		    strstr(replies[r]->str, line))
			return true;
	return false;
}

static bool judge_report(const struct coord_redis_access *a,
			 const struct redis_fitness *f,
			 redisReply *const replies[static REPORTS], struct error *err)
{
	static const struct {
		const char *line, *fault;
	} lines[] = {
		{ "\naof_enabled:1\r", "may forget what it is told: its appendonly is "
				       "not 'yes'" },
		{ "\naof_last_write_status:ok\r", "cannot write its append-only file" },
		{ "\nmaxmemory_policy:noeviction\r",
		  "may forget what it is told: its maxmemory-policy is not "
		  "'noeviction'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (!says(replies, lines[i].line)) {
			redis_fail(a, err, "%s", lines[i].fault);
			return error_hint(err, "%s", unfit_hint);
		}
	if (f->has_waitaof || a->assume_durable)
		return true;
	redis_fail(a, err,
		   "does not say whether its appendfsync is 'always', and is too "
		   "old for WAITAOF");
	return error_hint(err,
			  "let this user run CONFIG GET, or say 'assume_durable: true'"
			  " where you know it");
}

/* ---- Hearing --------------------------------------------------------------------- */

static bool is_told(redisReply *const replies[static SETTINGS])
{
	for (size_t i = 0; i < SETTINGS; i++)
		if (replies[i]->type != REDIS_REPLY_ARRAY)
			return false;
	return true;
}

struct answers {
	redisReply *list[ANSWERS_MAX];
};

static void answers_done(struct answers *a)
{
	for (size_t i = 0; i < ANSWERS_MAX; i++)
		if (a->list[i])
			freeReplyObject(a->list[i]);
}

bool redis_fitness_hear(struct redis_link *l, const struct coord_redis_access *a,
			struct redis_fitness *f, int64_t deadline_ms, bool *ret_unfit,
			struct error *err)
{
	_cleanup_(answers_done) struct answers answers = { { NULL } };
	size_t count = f->hides_configuration ? REPORTS : SETTINGS;

	*ret_unfit = false;
	for (size_t i = 0; i < count; i++)
		if (!redis_link_receive(l, deadline_ms, &answers.list[i], err))
			return false;
	*ret_unfit = true;
	if (f->hides_configuration)
		return judge_report(a, f, answers.list, err);
	if (is_told(answers.list))
		return judge_configuration(a, answers.list, err);
	/* Forbidden or renamed. The pool asks otherwise then. */
	f->hides_configuration = true;
	return redis_fail(a, err, "does not tell its configuration");
}
