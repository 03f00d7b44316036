#include "slack/process/talks.h"

#include <unistd.h>

#include "assistant/host/prompts.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "slack/process/talks_private.h"

enum { TICK_MS = 5 * 1000 };

static const char house_note[] =
	"You write into a thread in Slack. Your Markdown is shown as Slack shows text: "
	"paragraphs, lists, tables, bold, italics, code, quotations; short, and no "
	"headings "
	"for a few lines. A link is shown as one only where it leads to a host that the "
	"team "
	"configured. A person is mentioned as <@ID>, with an ID of Slack that you were "
	"told "
	"in this conversation; any other stays text, and so do mentions of groups and "
	"channels. Prompts are posted by the program in messages of their own.";

/* --- between the loop and workers --- */

void talks_job_free(struct job *j)
{
	if (!j)
		return;
	free(j->turn);
	free(j->text);
	free(j->approval);
	json_decref(j->message);
	json_decref(j->tools);
	json_decref(j->kept);
	json_decref(j->thread);
	free(j);
}

void talks_back(struct job *j)
{
	if (!loop_wake(j->talks->front->loop, j->then, j))
		talks_job_free(j);
}

struct job *talks_job_new(const struct chat *c)
{
	struct job *j = calloc(1, sizeof *j);

	if (!j)
		return NULL;
	j->talks = c->talks;
	j->people = c->people;
	memcpy(j->id, c->id, sizeof j->id);
	j->place = c->place;
	j->turn = c->turn ? strdup(c->turn) : NULL;
	return j;
}

bool talks_submit(struct job *j, workers_function *fn)
{
	if (j && front_submit(j->talks->front, fn, j))
		return true;
	log_warn("assistant.busy");
	talks_job_free(j);
	return false;
}

struct chat *talks_find(const struct talks *t, const char *id)
{
	for (struct chat *c = t->chats; c; c = c->next)
		if (strcmp(c->id, id) == 0)
			return c;
	return NULL;
}

bool talks_has_outsiders(const struct talks *t, const char *channel)
{
	const struct front *f = t->front;

	return who_reads(f->who, channel, f->identity.user_id).outsiders;
}

/* --- life --- */

static bool read_notes(struct talks *t, struct error *err)
{
	_cleanup_free_ char *folder = statedir_path(t->front->dir, "prompts");

	if (!folder)
		return error_oom(err);
	t->team_notes = prompts_read(folder, err);
	t->house_notes = json_pack("[{s:s, s:s}]", "name", "slack", "text", house_note);
	return t->team_notes && (t->house_notes || error_oom(err));
}

static struct host_options options_of(const struct talks *t)
{
	return (struct host_options){
		.loop = t->front->loop,
		.settings = &t->settings,
		.worker = t->worker,
		.egress = t->egress,
		.dir = statedir_root(t->front->dir),
		.log_path = t->log_path,
		.budget = t->budget,
		.launcher = t->launcher,
		.worker_socket = t->worker_socket,
		.egress_socket = t->egress_socket,
	};
}

/* Nothing is started from here, then: there is no launcher. */
static bool prepare_sockets(struct talks *t, struct error *err)
{
	t->worker_socket = statedir_path(t->front->dir, "run/worker.sock");
	t->egress_socket = statedir_path(t->front->dir, "run/egress.sock");
	return (t->worker_socket && t->egress_socket) || error_oom(err);
}

static bool prepare(struct talks *t, struct error *err)
{
	if (t->front->assistant_is_apart)
		return read_notes(t, err) && prepare_sockets(t, err);
	t->worker = file_beside_program("wingman-assistant");
	t->egress = file_beside_program("wingman-egress");
	t->log_path = statedir_path(t->front->dir, "run/assistant.log");
	if (!t->worker || !t->egress || !t->log_path)
		return error_oom(err);
	if (access(t->worker, X_OK) != 0 || access(t->egress, X_OK) != 0)
		return error_set(err, ERR_NOT_FOUND,
				 "wingman-assistant and wingman-egress are not beside "
				 "this program");
	if (!read_notes(t, err))
		return false;
	const struct host_options o = options_of(t);

	t->launcher = launcher_new(&o, err);
	return t->launcher != NULL;
}

bool talks_prepare(struct front *f, struct talks **ret, struct error *err)
{
	_cleanup_free_ char *path = statedir_path(f->dir, "config/assistant.yaml");
	struct talks *t = calloc(1, sizeof *t);
	bool is_there = false, ok;

	*ret = NULL;
	if (!path || !t) {
		free(t);
		return error_oom(err);
	}
	t->front = f;
	ok = assistant_config_read(path, &t->settings, &is_there, err) &&
	     (!is_there || prepare(t, err));
	if (ok && is_there)
		*ret = t;
	else
		talks_free(t);
	return ok;
}

bool talks_open(struct talks *t, struct error *err)
{
	const struct budget_options budget = {
		.coordination = t->front->store,
		.per_day = t->settings.tokens_per_day,
		.per_person = t->settings.tokens_per_person_per_day,
	};
	struct host_options o;

	t->budget = budget_new(&budget, err);
	if (!t->budget)
		return false;
	o = options_of(t);
	t->host = host_new(&o, err);
	t->ticker = t->host ? loop_add_timer(t->front->loop, TICK_MS, true, talks_tick, t,
					     err)
			    : NULL;
	return t->ticker && answers_recover(t, err) && talks_open_memory(t, err);
}

void talks_free(struct talks *t)
{
	if (!t)
		return;
	answers_free(t);
	talks_free_chats(t);
	memory_free(t->memory);
	host_free(t->host);
	launcher_free(t->launcher);
	budget_free(t->budget);
	json_decref(t->house_notes);
	json_decref(t->team_notes);
	free(t->worker);
	free(t->egress);
	free(t->log_path);
	free(t->worker_socket);
	free(t->egress_socket);
	free(t);
}
