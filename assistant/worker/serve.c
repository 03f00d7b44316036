#include "assistant/worker/serve.h"

#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "assistant/fields.h"
#include "assistant/worker/turn.h"
#include "base/clock.h"
#include "proc/channel.h"
#include "proc/sandbox.h"

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define HAS_SHADOW 1 /* of terabytes that are never touched */
#else
#define HAS_SHADOW 0
#endif

/* ---- what it gives up ---- */

static bool limit(int resource, rlim_t most, struct error *err)
{
	const struct rlimit l = { most, most };

	return setrlimit((__rlimit_resource_t)resource, &l) == 0 ||
	       error_errno(err, "cannot limit what we may use");
}

bool worker_enter(struct error *err)
{
	/* the filter of calls lets no file be opened: Landlock is a second lock on that door */
	const struct sandbox nothing = { .bare = true, .allow_missing_landlock = true };

	if (syscall(SYS_close_range, ASSISTANT_FD + 1, ~0U, 0) != 0)
		return error_errno(err, "cannot close what we were not meant to have");
	json_object_seed(0); /* from the kernel, while there is a file for that */
	/* the sandbox needs descriptors of its own to be entered */
	return limit(RLIMIT_FSIZE, 0, err) &&
	       limit(RLIMIT_NOFILE, ASSISTANT_FD + 4, err) &&
	       (HAS_SHADOW || limit(RLIMIT_AS, WORKER_MEMORY_MAX, err)) &&
	       sandbox_enter(&nothing, err);
}

/* ---- its conversation ---- */

struct worker {
	int fd;
	struct turn_model model;
	bool has_begun;
	struct turn *turn;
	struct error send_error;
};

static bool send_message(void *context, json_t *message)
{
	struct worker *w = context;
	json_auto_t *own = message;

	return channel_write(w->fd, own, &w->send_error);
}

static bool begin(struct worker *w, const struct assistant_fields *f, struct error *err)
{
	if (w->has_begun)
		return error_set(err, ERR_INVALID_ARGUMENT, "a second 'begin'");
	if (!turn_model_read(f, &w->model, err))
		return false;
	w->has_begun = true;
	json_t *ready =
		json_pack("{s:s, s:i}", "m", "ready", "v", ASSISTANT_MESSAGES_VERSION);
	return ready ? send_message(w, ready) : error_oom(err);
}

static bool begin_turn(struct worker *w, const struct assistant_fields *f,
		       struct error *err)
{
	if (!w->has_begun || (w->turn && !turn_is_over(w->turn)))
		return error_set(err, ERR_INVALID_ARGUMENT, "a turn out of turn");
	turn_free(w->turn);
	w->turn = turn_new(&w->model, f, send_message, w, clock_mono_ms(), err);
	return w->turn != NULL;
}

static bool stop_idle(struct worker *w, struct error *err)
{
	const struct assistant_usage none = { 0 };
	json_t *message = json_pack("{s:s, s:s, s:o}", "m", "failed", "code", "stopped",
				    "usage", assistant_usage_json(&none));

	return message ? send_message(w, message) : error_oom(err);
}

static bool take(struct worker *w, const json_t *message, struct error *err)
{
	struct assistant_fields f;

	if (!assistant_fields_decode(ASSISTANT_AT_WORKER, message, &f, err))
		return false;
	if (f.m == ASSISTANT_BEGIN)
		return begin(w, &f, err);
	if (f.m == ASSISTANT_TURN)
		return begin_turn(w, &f, err);
	if (w->turn && !turn_is_over(w->turn))
		return turn_take(w->turn, &f, err);
	/* what was under way when the turn ended */
	return f.m != ASSISTANT_STOP || stop_idle(w, err);
}

/* Until the turn's time is up; -1: for ever. */
static int patience(const struct worker *w)
{
	if (!w->turn || turn_is_over(w->turn))
		return -1;
	int64_t left = turn_deadline_ms(w->turn) - clock_mono_ms();
	return left < 0 ? 0 : (int)left;
}

static bool step(struct worker *w, bool *ret_gone, struct error *err)
{
	struct error why = ERROR_INIT;
	int wait_ms = patience(w);
	json_auto_t *message = NULL;

	if (wait_ms == 0)
		return turn_expire(w->turn, err);
	message = channel_read(w->fd, wait_ms, &why);
	if (message)
		return take(w, message, err);
	if (why.code == ERR_TIMEOUT && w->turn)
		return turn_expire(w->turn, err);
	if (why.code == ERR_BACKEND_UNAVAILABLE) {
		*ret_gone = true;
		return true;
	}
	*err = why;
	return false;
}

bool worker_serve(int fd, struct error *err)
{
	struct worker w = { .fd = fd };
	bool gone = false, good = true;

	while (good && !gone)
		good = step(&w, &gone, err);
	turn_free(w.turn);
	if (!good && !error_is_set(err))
		*err = w.send_error;
	return good;
}
