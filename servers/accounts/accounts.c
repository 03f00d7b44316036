#include "servers/accounts/accounts.h"

#include "base/file.h"
#include "base/log.h"
#include "servers/accounts/backend_github.h"
#include "servers/accounts/backend_ldap.h"
#include "servers/accounts/backend_okta.h"
#include "servers/accounts/backend_slack.h"
#include "servers/accounts/expire.h"
#include "servers/accounts/news.h"
#include "servers/accounts/people_answer.h"

/* How often blocks that are not due are looked at. */
enum { WATCH_MS = 60 * 1000 };

/* The systems this program can be connected to, in the order in which they are asked
 * who somebody is. */
static const struct {
	const char *name;
	bool (*open)(const struct statedir *dir, const json_t *config,
		     struct account_system *ret, struct error *err);
} known_systems[] = {
	{ "ldap", backend_ldap_open },
	{ "okta", backend_okta_open },
	{ "github", backend_github_open },
	{ "slack", backend_slack_open },
};

static struct documents *open_records(const struct statedir *dir, struct error *err)
{
	_cleanup_free_ char *folder = statedir_path(dir, "accounts");
	_cleanup_free_ char *path = statedir_path(dir, "accounts/records.db");

	if (!folder || !path) {
		error_oom(err);
		return NULL;
	}
	return file_make_dir(folder, 0700, err) ? documents_open_sqlite(path, err) : NULL;
}

void accounts_close(void *context)
{
	struct accounts *a = context;

	if (!a)
		return;
	for (size_t i = 0; i < a->system_count; i++)
		a->systems[i].backend->close(a->systems[i].self);
	people_peer_close(a->people);
	documents_close(a->records);
	turns_done(&a->turns);
	turns_done(&a->sagas);
	json_decref(a->config);
	free(a);
}

static void accounts_closep(struct accounts **a)
{
	accounts_close(*a);
}

void *accounts_open(const struct statedir *dir, const json_t *config, struct error *err)
{
	_cleanup_(accounts_closep) struct accounts *a = calloc(1, sizeof *a);

	if (!a) {
		error_oom(err);
		return NULL;
	}
	turns_init(&a->turns);
	turns_init(&a->sagas);
	if (json_object_get(config, "people") &&
	    !(a->people = people_peer_open(dir, json_object_get(config, "people"), err)))
		return NULL;
	a->config = json_deep_copy(config);
	if (!guards_read(a->config, &a->guards, err))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(known_systems); i++) {
		if (!json_object_get(config, known_systems[i].name))
			continue;
		if (!known_systems[i].open(dir, config, &a->systems[a->system_count],
					   err))
			return NULL;
		a->system_count++;
	}
	if (a->system_count == 0) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "no system with accounts is configured");
		error_hint(err, "name one under 'backend', for example 'ldap'");
		return NULL;
	}
	a->records = open_records(dir, err);
	for (size_t i = 0; i < a->system_count; i++)
		a->systems[i].records = a->records;
	return a->records ? TAKE(a) : NULL;
}

bool accounts_unix_sockets(const json_t *config)
{
	const char *uri = json_get_string(json_object_get(config, "ldap"), "uri");

	return uri && strcasestr(uri, "ldapi:");
}

bool accounts_ready(void *context, struct error *err)
{
	struct accounts *a = context;

	for (size_t i = 0; i < a->system_count; i++)
		if (!a->systems[i].backend->ready(a->systems[i].self, err))
			return false;
	return true;
}

struct saga_env accounts_env(struct accounts *a, int64_t now_ms)
{
	return (struct saga_env){
		.systems = a->systems,
		.system_count = a->system_count,
		.records = a->records,
		.turns = &a->turns,
		.sagas = &a->sagas,
		.now_ms = now_ms,
	};
}

/* Whoever listens to account://{person} by an address or a user name hears of it. */
static void tell_changed(void *context, const json_t *account)
{
	static const char *const names[] = { "email", "uid" };
	char uri[600];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text = json_get_string(account, names[i]);

		if (!text || !*text || strpbrk(text, " /?#%") || strlen(text) > 512)
			continue;
		(void)snprintf(uri, sizeof uri, "account://%s", text);
		mcp_service_changed(context, MCP_CHANGED_RESOURCE, uri);
	}
}

void accounts_tell_changes(struct saga_env *env, struct mcp_service *service)
{
	env->changed = tell_changed;
	env->changed_context = service;
}

void accounts_tick(void *context, const struct mcp_tick *tick)
{
	struct accounts *a = context;
	const int64_t since_ms = tick->now_ms - a->watched_ms;
	const struct expire e = {
		.systems = a->systems,
		.system_count = a->system_count,
		.records = a->records,
		.turns = &a->turns,
		.audit = tick->audit,
		.stopping = tick->stopping,
		.now_ms = tick->now_ms,
		.watch = since_ms < 0 || since_ms >= WATCH_MS,
	};
	struct saga_env env = accounts_env(a, tick->now_ms);
	struct error err = ERROR_INIT;

	env.audit = tick->audit;
	env.stopping = tick->stopping;
	accounts_tell_changes(&env, tick->service);
	/* What is open first: a block must not end before it has begun. */
	if (!saga_work_all(&env, &err))
		log_failure("saga.failed", &err);
	error_clear(&err);
	if (e.watch) {
		a->watched_ms = tick->now_ms;
		if (!saga_forget(a->records, tick->now_ms - SAGA_KEEP_MS, &err))
			log_failure("saga.not_forgotten", &err);
		error_clear(&err);
	}
	if (!expire_blocks(&e, &err))
		log_failure("expire.failed", &err);
	error_clear(&err);
	if (!news_send(a->records, tick->service, mcp_service_tell, tick->stopping,
		       tick->now_ms, &err))
		log_failure("news.failed", &err);
}

const struct account_system *accounts_system(const struct accounts *a, const char *name)
{
	for (size_t i = 0; i < a->system_count; i++)
		if (strcmp(a->systems[i].backend->system, name) == 0)
			return &a->systems[i];
	return NULL;
}

static bool fail_unconnected(const struct accounts *a, const char *name,
			     struct error *err)
{
	_cleanup_strbuf_ struct strbuf list = STRBUF_INIT;

	for (size_t i = 0; i < a->system_count; i++)
		strbuf_add_format(&list, "%s%s", i ? ", " : "",
				  a->systems[i].backend->system);
	error_set(err, ERR_INVALID_ARGUMENT, "this server is not connected to '%s'",
		  name);
	return error_hint(err, "it is connected to: %s", list.data);
}

/* Which of our systems a call is about; all of them if it does not say. */
static bool read_wanted(const struct accounts *a, const json_t *systems, bool *wanted,
			struct error *err)
{
	for (size_t i = 0; i < a->system_count; i++)
		wanted[i] = systems == NULL;
	for (size_t i = 0; i < json_array_size(systems); i++) {
		const char *name = json_string_value(json_array_get(systems, i));
		const struct account_system *system = name ? accounts_system(a, name)
							   : NULL;

		if (!system)
			return fail_unconnected(a, name ? name : "", err);
		wanted[system - a->systems] = true;
	}
	return true;
}

static bool resolve(struct mcp_call *call, const bool *wanted, bool is_change,
		    struct person *ret, json_t **ret_candidates, struct error *err)
{
	const struct accounts *a = mcp_call_context(call);
	const struct people_question q = {
		.systems = a->systems,
		.count = a->system_count,
		.wanted = wanted,
		.text = mcp_call_string(call, "person", ""),
		.is_change = is_change,
		.max_age_s = a->people ? people_peer_max_age_s(a->people) : 0,
		.now_ms = mcp_call_now_ms(call),
	};
	json_auto_t *answer = NULL;

	if (!a->people)
		return resolve_person(a->systems, a->system_count, wanted, q.text,
				      q.now_ms, ret, ret_candidates, err);
	answer = people_peer_ask(a->people, q.text, err);
	return answer && people_answer_read(&q, answer, ret, ret_candidates, err);
}

bool accounts_resolve(struct mcp_call *call, bool is_change, struct person *ret,
		      struct error *err)
{
	const struct accounts *a = mcp_call_context(call);
	json_t *candidates = NULL, *details;
	bool wanted[SYSTEMS_MAX] = { 0 };

	if (!read_wanted(a, json_object_get(mcp_call_arguments(call), "systems"), wanted,
			 err))
		return false;
	if (!resolve(call, wanted, is_change, ret, &candidates, err)) {
		details = candidates ? json_pack("{s:o}", "candidates", candidates)
				     : NULL;
		if (details)
			mcp_call_error_details(call, details);
		return false;
	}
	if (ret->count > 0)
		return true;
	error_set(err, ERR_NOT_FOUND, "'%s' has no account in these systems", ret->name);
	person_done(ret);
	return false;
}
