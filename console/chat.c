/* wingman chat: a conversation with the assistant; what it proposes is decided here. */
#include "console/chat_private.h"

#include "assistant/config.h"
#include "assistant/host/prompts.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/options.h"
#include "console/interrupt.h"
#include "console/program.h"

enum { LOOK_MS = 100, MENTION_MAX = 40 };

static const char conversation_name[] = "console";

static const char house_note[] = "You write to one person's terminal: plain text, short "
				 "lines, no markup, no links "
				 "unless they were asked for. A person may be named as "
				 "<@ID>, with an ID of "
				 "Slack that you were told. Prompts are shown by the "
				 "program after your answer; the "
				 "person decides there.";

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
	strbuf_done(&x->held);
	for (size_t i = 0; i < x->decision_count; i++)
		free(x->to_decide[i]);
}

/* --- what the assistant does --- */

static void put_line(struct chat *x, const char *line, size_t length)
{
	_cleanup_free_ char *one = strndup(line, length);
	_cleanup_strbuf_ struct strbuf named = STRBUF_INIT;

	if (!one)
		return;
	talk_name_people(x->talk, &named, one);
	console_put_visible(strbuf_ok(&named) && named.data ? named.data : one);
}

/* Line by line: nothing of it can draw. */
static void put(struct chat *x, const char *text)
{
	const char *line = text;

	if (!x->is_speaking && *text) {
		printf("%sassistant>%s ", console_dim(x->console),
		       console_plain(x->console));
		x->is_speaking = true;
	}
	for (const char *end; (end = strchr(line, '\n')); line = end + 1) {
		put_line(x, line, (size_t)(end - line));
		/* Nothing that it writes stands on a line of its own: a prompt does. */
		printf("\n%sassistant>%s ", console_dim(x->console),
		       console_plain(x->console));
	}
	put_line(x, line, strlen(line));
	(void)fflush(stdout);
}

/* Where a mention may have begun that ends with a later piece; else the end. */
static size_t whole(const struct strbuf *sb)
{
	const char *open = sb->length > 0 ? strrchr(sb->data, '<') : NULL;

	return open && strlen(open) < MENTION_MAX && !strpbrk(open, "> \n")
		       ? (size_t)(open - sb->data)
		       : sb->length;
}

static void on_say(void *context, const char *text, bool final)
{
	struct chat *x = context;
	size_t length;
	_cleanup_free_ char *now = NULL;

	strbuf_add_string(&x->held, text);
	length = final ? x->held.length : whole(&x->held);
	if (length > 0 && (now = strndup(x->held.data, length))) {
		_cleanup_free_ char *rest = strdup(x->held.data + length);

		put(x, now);
		strbuf_clear(&x->held);
		strbuf_add_string(&x->held, rest ? rest : "");
	}
	if (final)
		chat_end_line(x);
}

void chat_end_line(struct chat *x)
{
	if (x->held.length > 0)
		put(x, x->held.data);
	strbuf_clear(&x->held);
	if (x->is_speaking)
		printf("\n");
	x->is_speaking = false;
	(void)fflush(stdout);
}

void chat_interrupted(struct chat *x)
{
	interrupt_forget();
	talk_stop(x->talk);
	if (x->is_broken_off)
		return;
	x->is_broken_off = true;
	chat_end_line(x);
	printf("interrupted: no answer comes; what you said is kept\n");
	(void)fflush(stdout);
}

static void on_ended(void *context, enum assistant_code code, const char *words)
{
	struct chat *x = context;

	chat_end_line(x);
	if (words)
		fprintf(stderr, "wingman: %s\n", words);
	/* In Slack people read the words alone; at a console they may be who can mend it. */
	if (code == ASSISTANT_MODEL_DOWN || code == ASSISTANT_MODEL_REFUSED)
		fprintf(stderr,
			"hint: 'wingman config check', and the end of "
			"%s/run/assistant.log\n",
			statedir_root(x->console->dir));
	x->status = words ? EXIT_FAILED : x->status;
}

static const struct talk_hooks hooks = { on_say, chat_on_propose, chat_on_read,
					 on_ended };

/* --- one exchange --- */

static void on_look(void *context)
{
	struct chat *x = context;

	if (interrupt_was_pressed())
		chat_interrupted(x);
	if (!talk_is_busy(x->talk))
		loop_stop(x->loop);
}

static bool run_turns(struct chat *x, struct error *err)
{
	struct loop_source *look =
		loop_add_timer(x->loop, LOOK_MS, true, on_look, x, err);
	bool ok;

	x->is_broken_off = false;
	ok = look && loop_run(x->loop, err);

	loop_remove(look);
	return ok;
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
	chat_look_at_open(x);
	if (!talk_said(x->talk, person, person, NULL, text, err))
		return false;
	do {
		if (!run_turns(x, err))
			return false;
		chat_decide_all(x);
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

static bool open_budget(struct chat *x, struct error *err)
{
	const struct budget_options o = {
		.documents = x->store,
		.per_day = x->settings.tokens_per_day,
		.per_person = x->settings.tokens_per_person_per_day,
	};

	x->budget = budget_new(&o, err);
	return x->budget && budget_sweep(x->budget, clock_wall_ms(), err);
}

static bool open_talk(struct chat *x, struct error *err)
{
	struct host_options host;
	struct talk_options talk;
	json_auto_t *kept = NULL;

	x->loop = loop_new(err);
	if (!x->loop || !open_budget(x, err))
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
