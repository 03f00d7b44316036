/* wingman chat: a conversation with the assistant; what it proposes is decided here. */
#include "console/console.h"

#include "assistant/config.h"
#include "assistant/host/prompts.h"
#include "assistant/host/talk.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/options.h"
#include "console/call.h"
#include "console/decide.h"
#include "console/editor.h"
#include "console/interrupt.h"
#include "console/program.h"

enum { PLAN_WAIT_MS = 60 * 1000, LOOK_MS = 100, DECISIONS_MAX = 64 };

static const char conversation_name[] = "console";

static const char house_note[] = "You write to one person's terminal: plain text, short "
				 "lines, no markup, no links "
				 "unless they were asked for. Prompts are shown by the "
				 "program after your answer; the "
				 "person decides there.";

struct chat {
	struct console *console;
	struct gate_link *gate;
	struct assistant_settings settings;
	struct loop *loop;
	struct documents *store;
	struct memory *memory;
	struct budget *budget;
	struct host *host;
	struct talk *talk;
	struct editor *editor;
	json_t *house_notes, *team_notes;
	char *worker, *egress, *log_path;
	char *to_decide[DECISIONS_MAX]; /* approvals, in their order */
	size_t decision_count;
	bool is_speaking; /* in the middle of an answer */
	int status;
};

static void chat_done(struct chat *x)
{
	talk_free(x->talk);
	memory_free(x->memory);
	host_free(x->host);
	budget_free(x->budget);
	documents_close(x->store);
	loop_free(x->loop);
	editor_free(x->editor);
	gate_link_close(x->gate);
	json_decref(x->house_notes);
	json_decref(x->team_notes);
	free(x->worker);
	free(x->egress);
	free(x->log_path);
	for (size_t i = 0; i < x->decision_count; i++)
		free(x->to_decide[i]);
}

/* --- what the assistant does --- */

/* Line by line: nothing of it can draw. */
static void on_say(void *context, const char *text, bool final)
{
	struct chat *x = context;
	const char *line = text;

	if (!x->is_speaking && *text) {
		printf("%sassistant>%s ", console_dim(x->console),
		       console_plain(x->console));
		x->is_speaking = true;
	}
	for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
		_cleanup_free_ char *one = strndup(line, (size_t)(end - line));

		if (one)
			console_put_visible(one);
		/* Nothing that it writes stands on a line of its own: a prompt does. */
		printf("\n%sassistant>%s ", console_dim(x->console),
		       console_plain(x->console));
	}
	console_put_visible(line);
	if (final && x->is_speaking) {
		printf("\n");
		x->is_speaking = false;
	}
	(void)fflush(stdout);
}

static void note_decision(struct chat *x, const char *approval)
{
	if (x->decision_count < DECISIONS_MAX &&
	    (x->to_decide[x->decision_count] = strdup(approval)))
		x->decision_count++;
}

static void tell(struct chat *x, const char *approval, const json_t *record)
{
	talk_record(x->talk, approval, record, json_object_get(record, "parts"));
}

/* Until it waits for people or, as a freed read, is over. */
static void follow(struct chat *x, const char *approval)
{
	struct error err = ERROR_INIT;
	json_auto_t *record = decide_wait(x->gate, approval, PLAN_WAIT_MS, true, &err);

	if (!record) {
		(void)console_fail(x->console, &err);
		return;
	}
	if (!decide_is_over(json_get_string(record, "state"))) {
		note_decision(x, approval);
	} else if (json_get_string(record, "tool")) {
		printf("%s[%s.%s: %s]%s\n", console_dim(x->console),
		       console_member(record, "server"), console_member(record, "tool"),
		       console_member(record, "state"), console_plain(x->console));
		/* What a plan found is for the person. */
		if (strcmp(console_member(record, "state"), "refused") == 0)
			(void)decide_report(x->console, record);
		(void)fflush(stdout);
	}
	tell(x, approval, record);
}

static void end_line(struct chat *x)
{
	if (x->is_speaking)
		printf("\n");
	x->is_speaking = false;
}

static void on_propose(void *context, int64_t number, json_t *members)
{
	struct chat *x = context;
	struct error err = ERROR_INIT;
	json_auto_t *reply = NULL;
	const char *approval;

	end_line(x);
	if (json_object_set_new(members, "conversation",
				json_string(conversation_name)) ||
	    json_object_set_new(members, "model", json_string(x->settings.model))) {
		json_decref(members);
		error_oom(&err);
		talk_proposed(x->talk, number, NULL, &err);
		return;
	}
	reply = gate_link_ask(x->gate, MSG_PROPOSE, members, &err);
	approval = json_get_string(reply, "approval");
	if (!approval) {
		if (!error_is_set(&err))
			error_set(&err, ERR_INTERNAL, "the gate named no approval");
		/* Words of a schema go to the model alone, which mends them. */
		if (err.code != ERR_INVALID_ARGUMENT)
			(void)console_fail(x->console, &err);
		talk_proposed(x->talk, number, NULL, &err);
		return;
	}
	talk_proposed(x->talk, number, approval, &err);
	follow(x, approval);
}

static void on_read(void *context, int64_t number, const char *uri)
{
	struct chat *x = context;
	struct error err = ERROR_INIT;
	json_auto_t *reply =
		gate_link_ask(x->gate, MSG_CONTEXT, json_pack("{s:s}", "uri", uri), &err);

	end_line(x);
	printf("%s[%s: ", console_dim(x->console), reply ? "read" : "not read");
	console_put_visible(uri);
	printf("]%s\n", console_plain(x->console));
	(void)fflush(stdout);
	talk_content(x->talk, number, json_get_string(reply, "read"),
		     json_get_string(reply, "label"), json_get_string(reply, "text"),
		     json_is_true(json_object_get(reply, "cut")), &err);
}

static void on_ended(void *context, enum assistant_code code, const char *words)
{
	struct chat *x = context;

	(void)code;
	end_line(x);
	if (words)
		fprintf(stderr, "wingman: %s\n", words);
	x->status = words ? EXIT_FAILED : x->status;
}

static const struct talk_hooks hooks = { on_say, on_propose, on_read, on_ended };

/* --- one exchange --- */

static void on_look(void *context)
{
	struct chat *x = context;

	if (interrupt_was_pressed()) {
		interrupt_forget();
		talk_stop(x->talk);
	}
	if (!talk_is_busy(x->talk))
		loop_stop(x->loop);
}

static bool run_turns(struct chat *x, struct error *err)
{
	struct loop_source *look =
		loop_add_timer(x->loop, LOOK_MS, true, on_look, x, err);
	bool ok = look && loop_run(x->loop, err);

	loop_remove(look);
	return ok;
}

/* Whatever was decided elsewhere meanwhile. */
static void look_at_open(struct chat *x)
{
	json_auto_t *open = talk_open(x->talk);
	size_t i;
	json_t *approval;

	json_array_foreach(open, i, approval)
	{
		struct error err = ERROR_INIT;
		json_auto_t *record =
			decide_wait(x->gate, json_string_value(approval), 0, false, &err);

		if (record)
			tell(x, json_string_value(approval), record);
	}
}

static void decide_one(struct chat *x, const char *approval)
{
	struct error err = ERROR_INIT;
	json_auto_t *record = decide_wait(x->gate, approval, PLAN_WAIT_MS, true, &err);
	json_auto_t *ended = NULL;

	if (record && decide_is_over(json_get_string(record, "state"))) {
		tell(x, approval, record);
		return;
	}
	if (!record || !call_is_interactive()) {
		printf("approval %s is pending; decide with: wingman approvals approve "
		       "%s\n",
		       approval, approval);
		(void)fflush(stdout);
		return;
	}
	switch (decide_ask(x->console, x->gate, record, NULL, &err)) {
	case ANSWER_REFUSED:
		(void)console_fail(x->console, &err);
		return;
	case ANSWER_LATER:
		printf("approval %s stays pending\n", approval);
		(void)fflush(stdout);
		return;
	case ANSWER_APPROVED:
	case ANSWER_DENIED:
		break;
	}
	(void)decide_say_what_is_missing(x->console, x->gate, approval);
	ended = decide_wait(x->gate, approval, -1, false, &err);
	if (!ended) {
		interrupt_forget();
		return;
	}
	(void)decide_report(x->console, ended);
	tell(x, approval, ended);
}

static void decide_all(struct chat *x)
{
	for (size_t i = 0; i < x->decision_count; i++) {
		decide_one(x, x->to_decide[i]);
		free(x->to_decide[i]);
		x->to_decide[i] = NULL;
	}
	x->decision_count = 0;
}

static bool open_gate(struct chat *x, struct error *err)
{
	x->gate = gate_link_open(x->console->dir, err);
	if (!x->gate)
		return false;
	if (json_is_true(json_object_get(gate_link_hello(x->gate), "team")))
		return true;
	return error_set(err, ERR_PERMISSION_DENIED,
			 "the assistant answers members of the team only");
}

/* The gate may have been started anew since. */
static bool reach_gate(struct chat *x, struct error *err)
{
	if (x->gate && gate_link_is_alive(x->gate))
		return true;
	gate_link_close(x->gate);
	x->gate = NULL;
	return open_gate(x, err);
}

/* Say it, decide what comes of it, and go on as long as something does. */
static bool exchange(struct chat *x, const char *text, struct error *err)
{
	const char *person;
	json_auto_t *tools = NULL;
	json_auto_t *sources = NULL;

	if (!reach_gate(x, err))
		return false;
	person = json_get_string(gate_link_hello(x->gate), "principal");
	tools = gate_link_ask(x->gate, MSG_TOOLS, NULL, err);
	if (!tools)
		return false;
	sources = talk_sources(json_object_get(tools, "context"));
	talk_set_tools(x->talk, json_object_get(tools, "servers"));
	talk_set_sources(x->talk, sources);
	look_at_open(x);
	if (!talk_said(x->talk, person, person, NULL, text, err))
		return false;
	do {
		if (!run_turns(x, err))
			return false;
		decide_all(x);
	} while (talk_is_busy(x->talk));
	return true;
}

/* --- opening --- */

static bool read_settings(struct chat *x, struct error *err)
{
	_cleanup_free_ char *path =
		statedir_path(x->console->dir, "config/assistant.yaml");
	bool is_there = false;

	if (!path)
		return error_oom(err);
	if (!assistant_config_read(path, &x->settings, &is_there, err))
		return false;
	if (is_there)
		return true;
	error_set(err, ERR_NOT_FOUND, "no language model is configured");
	return error_hint(err, "config/assistant.yaml names one; everything else works "
			       "without");
}

static bool read_notes(struct chat *x, struct error *err)
{
	_cleanup_free_ char *prompts = statedir_path(x->console->dir, "prompts");

	if (!prompts)
		return error_oom(err);
	x->team_notes = prompts_read(prompts, err);
	x->house_notes =
		json_pack("[{s:s, s:s}]", "name", "terminal", "text", house_note);
	return x->team_notes && (x->house_notes || error_oom(err));
}

static bool find_programs(struct chat *x, struct error *err)
{
	x->worker = program_path(x->console, "wingman-assistant");
	x->egress = program_path(x->console, "wingman-egress");
	x->log_path = statedir_path(x->console->dir, "run/assistant.log");
	if (x->worker && x->egress && x->log_path)
		return true;
	return error_set(err, ERR_NOT_FOUND,
			 "wingman-assistant and wingman-egress are not beside this "
			 "program");
}

static bool open_store(struct chat *x, struct error *err)
{
	_cleanup_free_ char *folder = statedir_path(x->console->dir, "chat");
	_cleanup_free_ char *path = statedir_path(x->console->dir, "chat/chat.db");

	if (!folder || !path)
		return error_oom(err);
	if (!file_make_dir(folder, 0700, err))
		return false;
	x->store = documents_open_sqlite(path, err);
	return x->store != NULL;
}

static bool open_memory(struct chat *x, struct error *err)
{
	const struct memory_options o = {
		.documents = x->store,
		.keep_ms = x->settings.memory_hours * 3600 * 1000,
	};

	x->memory = memory_new(&o, err);
	return x->memory && memory_sweep(x->memory, err);
}

static bool open_talk(struct chat *x, struct error *err)
{
	struct host_options host;
	struct talk_options talk;
	json_auto_t *kept = NULL;

	x->loop = loop_new(err);
	x->budget = x->loop ? budget_new(x->store, x->settings.tokens_per_day,
					 x->settings.tokens_per_person_per_day, err)
			    : NULL;
	if (!x->budget)
		return false;
	host = (struct host_options){
		.loop = x->loop,
		.settings = &x->settings,
		.worker = x->worker,
		.egress = x->egress,
		.dir = statedir_root(x->console->dir),
		.log_path = x->log_path,
		.budget = x->budget,
	};
	x->host = host_new(&host, err);
	talk = (struct talk_options){
		.host = x->host,
		.settings = &x->settings,
		.memory = x->memory,
		.house_notes = x->house_notes,
		.team_notes = x->team_notes,
	};
	if (!x->host || !memory_load(x->memory, conversation_name, &kept, err))
		return false;
	x->talk = talk_new(&talk, conversation_name, kept, &hooks, x, err);
	return x->talk != NULL;
}

static bool open_all(struct chat *x, struct error *err)
{
	return read_settings(x, err) && find_programs(x, err) && read_notes(x, err) &&
	       open_store(x, err) && open_memory(x, err) && open_gate(x, err) &&
	       open_talk(x, err);
}

/* --- the command --- */

static bool clear(struct chat *x, struct error *err)
{
	if (!talk_forget(x->talk, err))
		return false;
	printf("what was said here is forgotten\n");
	(void)fflush(stdout);
	return true;
}

static bool take_line(struct chat *x, const char *line, bool *ret_ends, struct error *err)
{
	const char *text = line + strspn(line, " \t");

	*ret_ends = strcmp(text, "/quit") == 0;
	if (*ret_ends || !*text)
		return true;
	if (strcmp(text, "/clear") == 0)
		return clear(x, err);
	return exchange(x, text, err);
}

static int read_lines(struct chat *x)
{
	struct error err = ERROR_INIT;
	bool ends = false;

	x->editor = editor_new(NULL, NULL, NULL, &err);
	if (!x->editor)
		return console_fail(x->console, &err);
	if (editor_is_terminal(x->editor))
		printf("You talk to %s. /clear forgets what was said, /quit leaves.\n",
		       x->settings.model);
	(void)fflush(stdout);
	while (!ends) {
		_cleanup_free_ char *line = NULL;

		switch (editor_read(x->editor, "you> ", &line)) {
		case EDITOR_END:
			ends = true;
			break;
		case EDITOR_GIVEN_UP:
			break;
		case EDITOR_LINE:
			if (!take_line(x, line, &ends, &err))
				x->status = console_fail(x->console, &err);
			error_clear(&err);
			break;
		}
	}
	return x->status;
}

struct chat_options {
	bool clear;
};

static const struct option_row rows[] = {
	OPTION_BOOL("clear", 'c', "forget what was said before",
		    offsetof(struct chat_options, clear)),
	OPTION_END,
};

static int run(struct console *c, int argc, char **argv)
{
	_cleanup_(chat_done) struct chat x = { .console = c };
	struct chat_options o = { .clear = false };
	struct error err = ERROR_INIT;
	int operands = 0;

	if (options_parse(rows, &o, argc, argv, &operands, &err) != OPTIONS_OK)
		return console_usage(c, &command_chat, err.message);
	if (operands > 1)
		return console_usage(c, &command_chat, "say it in one argument");
	interrupt_catch();
	if (!open_all(&x, &err))
		return console_fail(c, &err);
	if (o.clear) {
		if (!clear(&x, &err))
			return console_fail(c, &err);
		if (operands == 0)
			return EXIT_DONE;
	}
	if (operands == 0)
		return read_lines(&x);
	if (!exchange(&x, argv[1], &err))
		return console_fail(c, &err);
	return x.status;
}

const struct command command_chat = {
	"chat", "chat [--clear] [WORDS]",
	"Talk with the assistant; what it proposes is shown here and decided by you.", run
};
