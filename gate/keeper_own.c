/* What changes the gate itself: its pins and its key, decided like any other call. */
#include "gate/keeper.h"

#include <errno.h>
#include <fcntl.h>

#include "base/file.h"
#include "gate/pins_compare.h"

enum { OVERLAP_MS = 10 * 60 * 1000, RETIRED_EVERY_MS = 10 * 1000 };

bool keeper_own_open(struct keeper *k, struct error *err)
{
	_cleanup_free_ const char **names = tool_definition_names("gate");

	k->own_tools = calloc(1, sizeof *k->own_tools);
	if (!k->own_tools || !names)
		return error_oom(err);
	for (size_t i = 0; names[i]; i++) {
		struct tool_definition *d = tool_definition_load("gate", names[i], err);

		if (!d || !pin_set_add(k->own_tools, d, err))
			return false;
	}
	return true;
}

const struct tool_definition *keeper_own_definition(const struct keeper *k,
						    const char *tool)
{
	return pin_set_find(k->own_tools, tool);
}

/* --- plans --- */

static struct plan *plan_rotation(const struct keeper *k, struct error *err)
{
	_cleanup_(plan_freep) struct plan *plan = plan_new();

	if (!plan) {
		error_oom(err);
		return NULL;
	}
	plan_summary(plan, "make a new signing key in place of %s", sign_key_kid(k->key));
	plan_effect(plan, "gate", "key that signs grants", sign_key_kid(k->key),
		    "a new key, made when this runs", false);
	plan_warning(plan, "the old public key stays trusted for ten minutes");
	plan_state(plan, json_pack("{s:s}", "kid", sign_key_kid(k->key)));
	plan_data(plan, json_pack("{s:s}", "kid", sign_key_kid(k->key)));
	return plan_finish(plan, err) ? TAKE(plan) : NULL;
}

struct plan *keeper_own_plan(struct keeper *k, const char *tool, const json_t *arguments,
			     struct error *err)
{
	if (strcmp(tool, "pin_server") == 0)
		return pins_plan(k->pins, json_get_string(arguments, "server"),
				 json_get_string(arguments, "digest"), err);
	if (strcmp(tool, "accept_store") == 0)
		return keeper_store_plan(k, json_get_string(arguments, "server"),
					 json_get_string(arguments, "store"), err);
	if (strcmp(tool, "rotate_key") == 0)
		return plan_rotation(k, err);
	error_set(err, ERR_INTERNAL, "the gate has no plan for its own '%s'", tool);
	return NULL;
}

/* --- pin_server --- */

static json_t *run_pin(struct keeper *k, const struct approval *a, bool again,
		       struct error *err)
{
	const json_t *data = json_object_get(json_object_get(a->body, "plan"), "data");
	const char *server = json_get_string(data, "server");
	const char *digest = json_get_string(data, "digest");
	size_t tools = 0;

	if (!server || !digest) {
		error_set(err, ERR_INTERNAL, "the plan names no server");
		return NULL;
	}
	if (again && !pins_accepted_by(k->pins, server, a->id)) {
		error_set(err, ERR_INTERNAL,
			  "the gate fell before it was done: ask again");
		return NULL;
	}
	if (!again &&
	    !pins_accept(k->pins, server, digest, a->id, k->now_ms, &tools, err))
		return NULL;
	keeper_supersede_changed(k, server);
	return json_pack("{s:s, s:I}", "server", server, "tools", (json_int_t)tools);
}

/* --- rotate_key --- */

static bool sync_folder(const char *path, struct error *err)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return error_errno(err, "cannot sync '%s'", path);
	return true;
}

/* Until when servers shall take grants of an old key. */
static bool note_retirement(struct keeper *k, const char *kid, struct error *err)
{
	char key[COORD_KEY_MAX + 1], due[32];
	int64_t due_ms = k->now_ms + OVERLAP_MS;

	(void)snprintf(key, sizeof key, "retire/%s", kid);
	(void)snprintf(due, sizeof due, "%lld", (long long)due_ms);
	return coord_put(k->coordination, key, due, INT64_C(366) * 24 * 3600 * 1000, err);
}

/*
 * Trusted first, used afterwards: at no moment is there a grant that no server takes. If we
 * fall before the rename, the old key is still the key and the new one a stray trusted file.
 */
static json_t *run_rotation(struct keeper *k, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(k->dir, "keys/gate.key");
	_cleanup_free_ char *fresh_path = statedir_path(k->dir, "keys/gate.key.new");
	_cleanup_free_ char *folder = statedir_path(k->dir, "keys");
	_cleanup_(sign_key_freep) struct sign_key *fresh = NULL;
	_cleanup_free_ char *trusted = NULL;
	char old[KEY_KID_BYTES];

	if (!path || !fresh_path || !folder) {
		error_oom(err);
		return NULL;
	}
	if (unlink(fresh_path) != 0 && errno != ENOENT) {
		error_errno(err, "cannot remove '%s'", fresh_path);
		return NULL;
	}
	(void)snprintf(old, sizeof old, "%s", sign_key_kid(k->key));
	fresh = sign_key_create(fresh_path, err);
	if (!fresh)
		return NULL;
	trusted = statedir_path(k->dir, "keys/trusted/%s.pem", sign_key_kid(fresh));
	if (!trusted) {
		error_oom(err);
		return NULL;
	}
	if (!sign_key_write_public(fresh, trusted, err) || !note_retirement(k, old, err))
		return NULL;
	if (rename(fresh_path, path) != 0) {
		error_errno(err, "cannot put the new key in place");
		return NULL;
	}
	sign_key_free(k->key);
	k->key = TAKE(fresh);
	if (!sync_folder(folder, err)) {
		log_failure("key.unsynced", err);
		error_clear(err);
	}
	log_info("key.rotated", LOG_STR("old", old),
		 LOG_STR("kid", sign_key_kid(k->key)));
	return json_pack("{s:s, s:s}", "old", old, "new", sign_key_kid(k->key));
}

/* Done already by a process that fell before it could say so? */
static json_t *rotation_found(const struct keeper *k, const struct approval *a)
{
	const char *old = json_get_string(
		json_object_get(json_object_get(a->body, "plan"), "data"), "kid");

	if (!old || strcmp(old, sign_key_kid(k->key)) == 0)
		return NULL;
	return json_pack("{s:s, s:s}", "old", old, "new", sign_key_kid(k->key));
}

/* --- running --- */

static json_t *act(struct keeper *k, struct approval *a, bool again, struct error *err)
{
	const char *tool = json_get_string(a->body, "tool");
	json_t *done;

	if (strcmp(tool, "pin_server") == 0)
		return run_pin(k, a, again, err);
	if (strcmp(tool, "accept_store") == 0)
		return keeper_store_accept(
			k, json_object_get(json_object_get(a->body, "plan"), "data"),
			again, err);
	done = rotation_found(k, a);
	if (done && !again) {
		json_decref(done);
		error_set(err, ERR_PRECONDITION_FAILED,
			  "the key was replaced since this was asked");
		return NULL;
	}
	if (!again)
		return run_rotation(k, err);
	/* Whether it is done shows in the key; what is not done is not begun once more. */
	if (!done)
		error_set(err, ERR_INTERNAL,
			  "the gate fell before it was done: ask again");
	return done;
}

static void finish(struct keeper *k, struct approval *a, const json_t *structured,
		   const struct error *why)
{
	enum record_state to = structured ? RECORD_SUCCEEDED : RECORD_FAILED;
	struct error err = ERROR_INIT;
	json_auto_t *outcome = json_pack("{s:s}", "state", record_state_name(to));
	json_auto_t *result = NULL;

	if (structured)
		result = json_pack("{s:[{s:s, s:s}], s:O}", "content", "type", "text",
				   "text", "done", "structuredContent", structured);
	else if (outcome)
		(void)json_object_set_new(outcome, "error", fields_error(why, NULL));
	if (!outcome || !keeper_end(k, a, to, outcome, result, NULL, &err))
		log_failure("approval.stuck", &err);
}

void keeper_own_run(struct keeper *k, struct approval *a)
{
	/* Found executing: begun by a process that fell. */
	bool again = a->state == RECORD_EXECUTING;
	struct error err = ERROR_INIT, late = ERROR_INIT;
	json_auto_t *structured = NULL;

	a->next_ms = INT64_MAX; /* not by the clock */
	if (!again && k->now_ms >= json_get_int64(a->body, "good_until", 0)) {
		error_set(&late, ERR_CONFLICT,
			  "the approval lapsed while the gate was not there");
		keeper_refuse(k, a, &late, NULL);
		return;
	}
	if (!again &&
	    !keeper_move(k, a, &(struct move){ .to = RECORD_EXECUTING }, &err)) {
		log_failure("approval.stuck", &err);
		return;
	}
	structured = act(k, a, again, &err);
	finish(k, a, structured, &err);
}

/* --- old keys --- */

struct retired {
	struct keeper *keeper;
	char kid[KEY_KID_BYTES]; /* the one to remove; "" if none */
	char key[COORD_KEY_MAX + 1];
};

static bool find_due(void *context, const char *key, const char *value)
{
	struct retired *r = context;

	if (strtoll(value, NULL, 10) > r->keeper->now_ms)
		return true;
	(void)snprintf(r->key, sizeof r->key, "%s", key);
	(void)snprintf(r->kid, sizeof r->kid, "%s", key + strlen("retire/"));
	return false;
}

void keeper_own_tick(struct keeper *k)
{
	struct retired r = { .keeper = k };
	struct error err = ERROR_INIT;

	if (k->now_ms - k->retired_checked_ms < RETIRED_EVERY_MS)
		return;
	k->retired_checked_ms = k->now_ms;
	if (!coord_scan(k->coordination, "retire/", find_due, &r, &err) || !r.kid[0]) {
		if (error_is_set(&err))
			log_failure("key.not_retired", &err);
		return;
	}
	/* A rotation that fell before its last step left the old key in use. */
	if (strcmp(r.kid, sign_key_kid(k->key)) != 0) {
		_cleanup_free_ char *path =
			statedir_path(k->dir, "keys/trusted/%s.pem", r.kid);
		if (!path || (unlink(path) != 0 && errno != ENOENT)) {
			log_error("key.not_retired", LOG_STR("kid", r.kid));
			return;
		}
		log_info("key.retired", LOG_STR("kid", r.kid));
	}
	_cleanup_free_ char *taken = NULL;
	if (!coord_take(k->coordination, r.key, &taken, &err))
		log_failure("key.not_retired", &err);
}
