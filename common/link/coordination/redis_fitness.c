/* Whether this Redis keeps what it is told. */
#include "link/coordination/redis_private.h"

enum { VERSION_WITH_WAITAOF = 7002 };

static const char unfit_hint[] =
	"redis.conf wants: appendonly yes, appendfsync always, "
	"no-appendfsync-on-rewrite no, maxmemory-policy noeviction";

/* What must be so; by the names of CONFIG GET. */
static const struct {
	const char *name, *value;
} wanted[] = {
	{ "appendonly", "yes" },
	{ "appendfsync", "always" },
	{ "no-appendfsync-on-rewrite", "no" },
	{ "maxmemory-policy", "noeviction" },
};

static const struct redis_command config_append = { 3, { "CONFIG", "GET", "*append*" } };
static const struct redis_command config_memory = {
	3, { "CONFIG", "GET", "maxmemory-policy" }
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
	return redis_link_add(l, &config_append, err) &&
	       redis_link_add(l, &config_memory, err);
}

/* ---- By its configuration -------------------------------------------------------- */

/* NULL: it does not say. */
static const char *setting(redisReply *const replies[static 2], const char *name)
{
	for (int r = 0; r < 2; r++)
		for (size_t i = 0; i + 1 < replies[r]->elements; i += 2) {
			const redisReply *key = replies[r]->element[i];
			const redisReply *value = replies[r]->element[i + 1];

			if (key->type == REDIS_REPLY_STRING &&
			    value->type == REDIS_REPLY_STRING &&
			    strcmp(key->str, name) == 0)
				return value->str;
		}
	return NULL;
}

static bool judge_configuration(const struct coord_redis_access *a,
				redisReply *const replies[static 2], struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		const char *value = setting(replies, wanted[i].name);

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

static bool says(redisReply *const replies[static 2], const char *line)
{
	for (int r = 0; r < 2; r++)
		if (replies[r]->type == REDIS_REPLY_STRING &&
		    strstr(replies[r]->str, line))
			return true;
	return false;
}

static bool judge_report(const struct coord_redis_access *a,
			 const struct redis_fitness *f,
			 redisReply *const replies[static 2], struct error *err)
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

bool redis_fitness_hear(struct redis_link *l, const struct coord_redis_access *a,
			struct redis_fitness *f, int64_t deadline_ms, bool *ret_unfit,
			struct error *err)
{
	_cleanup_reply_ redisReply *first = NULL, *second = NULL;

	*ret_unfit = false;
	if (!redis_link_receive(l, deadline_ms, &first, err) ||
	    !redis_link_receive(l, deadline_ms, &second, err))
		return false;
	redisReply *const replies[2] = { first, second };

	*ret_unfit = true;
	if (f->hides_configuration)
		return judge_report(a, f, replies, err);
	if (first->type == REDIS_REPLY_ARRAY && second->type == REDIS_REPLY_ARRAY)
		return judge_configuration(a, replies, err);
	/* Forbidden or renamed. The pool asks otherwise then. */
	f->hides_configuration = true;
	return redis_fail(a, err, "does not tell its configuration");
}
