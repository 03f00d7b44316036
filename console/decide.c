#include "console/decide.h"

#include "base/canonical.h"
#include "base/clock.h"
#include "console/interrupt.h"
#include "console/render.h"
#include "console/terminal.h"
#include "gate/messages.h"

enum {
	DIGITS = 4,
	SCROLL_LINES_MAX = 200, /* more than this does not stay on every terminal */
	POLL_MS = 5000,
};

static const struct {
	const char *state;
	enum exit_status status;
	const char *words;
} endings[] = {
	{ "succeeded", EXIT_DONE, "done" },
	{ "failed", EXIT_FAILED, "failed" },
	{ "refused", EXIT_FAILED, "refused; nothing ran" },
	{ "denied", EXIT_DENIED, "denied; nothing ran" },
	{ "expired", EXIT_EXPIRED, "expired; nothing ran" },
	{ "superseded", EXIT_EXPIRED, "superseded; nothing ran" },
	{ "cancelled", EXIT_EXPIRED, "cancelled; nothing ran" },
	{ "revoked", EXIT_EXPIRED, "revoked; nothing ran" },
	{ "lapsed", EXIT_EXPIRED, "lapsed; nothing ran" },
	{ "unknown", EXIT_UNKNOWN,
	  "unknown: it may or may not have happened; it is not repeated" },
};

bool decide_is_over(const char *state)
{
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (strcmp(endings[i].state, state) == 0)
			return true;
	return false;
}

/* What would scroll out of reach is shown page by page, each asked for. */
static bool show_page(struct terminal *t, const char *text)
{
	size_t rows = terminal_rows(t) - 1;

	if (text[render_page(text, SCROLL_LINES_MAX)] == '\0')
		rows = SCROLL_LINES_MAX;
	for (;;) {
		_cleanup_free_ char *line = NULL;
		size_t bytes = render_page(text, rows);

		terminal_write(t, text, bytes);
		text += bytes;
		if (!*text)
			return true;
		line = terminal_read_line(
			t, "-- more below; Enter goes on, Ctrl-C leaves --");
		if (!line)
			return false;
	}
}

enum drawn decide_draw(const struct console *c, struct terminal *t, const json_t *prompt,
		       char digest[static DIGEST_HEX_BYTES], struct error *err)
{
	_cleanup_strbuf_ struct strbuf page = STRBUF_INIT;
	struct render_style style = {
		.columns = terminal_columns(t),
		.colour = c->colour,
		.now_ms = clock_wall_ms(),
	};

	strbuf_add_char(&page, '\n');
	if (!canonical_digest(prompt, digest, err) ||
	    !render_prompt(&page, prompt, &style, err))
		return DRAWN_NOT;
	/* Once more, beside the question: what a long prompt may have scrolled away. */
	strbuf_add_format(&page, "\n  %.12s is the digest of all of the above: ", digest);
	if (json_object_get(prompt, "calls")) {
		strbuf_add_format(&page, "%zu calls",
				  json_array_size(json_object_get(prompt, "calls")));
	} else {
		render_text(&page, console_member(prompt, "server"));
		strbuf_add_char(&page, '.');
		render_text(&page, console_member(prompt, "tool"));
	}
	strbuf_add_string(&page, ", asked by ");
	render_text(&page, console_member(prompt, "requester"));
	strbuf_add_string(&page, "\n\n");
	if (!strbuf_ok(&page)) {
		error_oom(err);
		return DRAWN_NOT;
	}
	return show_page(t, page.data) ? DRAWN : DRAWN_NOT_READ;
}

static void sleep_ms(int64_t ms)
{
	struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000 };

	/* A signal must not shorten the time to read. */
	while (nanosleep(&ts, &ts) != 0 && !interrupt_was_pressed())
		;
}

json_t *decide_read_pin(struct terminal *t)
{
	_cleanup_(secret_freep) struct secret *pin = terminal_read_secret(t, "PIN: ");

	return pin ? json_stringn(secret_bytes(pin), secret_length(pin)) : NULL;
}

static bool send_decision(struct gate_link *g, struct terminal *t, const json_t *record,
			  const char *decision, const char *digest, const char *reason,
			  struct error *err)
{
	json_auto_t *reply = NULL;
	json_t *message = json_pack("{s:s, s:s, s:s}", "approval",
				    json_get_string(record, "id"), "decision", decision,
				    "shown", digest);

	if (!message)
		return error_oom(err);
	if (reason && *reason &&
	    json_object_set_new(message, "reason", json_string(reason)) != 0) {
		json_decref(message);
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the reason is no UTF-8 text");
	}
	if (strcmp(decision, "approve") == 0 &&
	    json_is_true(json_object_get(gate_link_hello(g), "pin_set"))) {
		json_t *pin = decide_read_pin(t);

		if (!pin) {
			json_decref(message);
			return error_set(err, ERR_INVALID_ARGUMENT, "no PIN was given");
		}
		(void)json_object_set_new(message, "pin", pin);
	}
	reply = gate_link_ask(g, MSG_DECIDE, message, err);
	return reply != NULL;
}

static void drop_trailing_blanks(char *line)
{
	size_t length = strlen(line);

	while (length > 0 && strchr(" \t\r", line[length - 1]))
		line[--length] = '\0';
}

static enum answer answer(struct gate_link *g, struct terminal *t, const json_t *record,
			  const char *digest, bool may_approve, struct error *err)
{
	_cleanup_strbuf_ struct strbuf question = STRBUF_INIT;
	_cleanup_free_ char *line = NULL;
	char yes[32];

	(void)snprintf(yes, sizeof yes, "approve %.*s", DIGITS, digest);
	if (may_approve)
		strbuf_add_format(&question,
				  "Type '%s' to run it, 'deny [reason]' to refuse; "
				  "anything else leaves it: ",
				  yes);
	else
		strbuf_add_string(&question,
				  "Type 'deny', a reason after it if you like: ");
	line = terminal_read_line(t, question.data);
	if (!line)
		return ANSWER_LATER;
	drop_trailing_blanks(line);
	if (may_approve && strcmp(line, yes) == 0)
		return send_decision(g, t, record, "approve", digest, NULL, err)
			       ? ANSWER_APPROVED
			       : ANSWER_REFUSED;
	if (strcmp(line, "deny") == 0 || strncmp(line, "deny ", 5) == 0)
		return send_decision(g, t, record, "deny", digest,
				     line[4] ? line + 5 : NULL, err)
			       ? ANSWER_DENIED
			       : ANSWER_REFUSED;
	return ANSWER_LATER;
}

enum answer decide_ask(struct console *c, struct gate_link *g, const json_t *record,
		       const char *only, struct error *err)
{
	const json_t *prompt = json_object_get(record, "prompt");
	_cleanup_(terminal_closep) struct terminal *t = terminal_open(err);
	char digest[DIGEST_HEX_BYTES];

	if (!t)
		return ANSWER_REFUSED;
	switch (decide_draw(c, t, prompt, digest, err)) {
	case DRAWN_NOT:
		return ANSWER_REFUSED;
	case DRAWN_NOT_READ:
		return ANSWER_LATER;
	case DRAWN:
		break;
	}
	/* Whatever was typed before the prompt could be read does not count. */
	sleep_ms(DECIDE_READ_FIRST_MS);
	if (interrupt_was_pressed())
		return ANSWER_LATER;
	terminal_flush_input(t);
	return answer(g, t, record, digest, !only || strcmp(only, "deny") != 0, err);
}

static json_t *show(struct gate_link *g, const char *approval, struct error *err)
{
	json_auto_t *reply =
		gate_link_ask(g, MSG_SHOW, json_pack("{s:s}", "approval", approval), err);
	json_t *record = json_object_get(reply, "record");
	json_t *parts = json_object_get(reply, "parts");

	if (parts && json_object_set(record, "parts", parts) != 0) {
		error_oom(err);
		return NULL;
	}
	return json_incref(record);
}

bool decide_say_what_is_missing(const struct console *c, struct gate_link *g,
				const char *approval)
{
	struct error ignored = ERROR_INIT;
	json_auto_t *record = show(g, approval, &ignored);
	const json_t *terms =
		json_object_get(json_object_get(record, "prompt"), "approvers");
	const char *state = console_member(record, "state");
	const char *surface = console_member(json_object_get(record, "surface"), "kind");
	bool others = strcmp(state, "pending") == 0 &&
		      json_array_size(json_object_get(record, "decisions")) > 0;
	bool client = strcmp(state, "approved") == 0 && strcmp(surface, "direct") == 0;

	if (others && !c->json)
		printf("your yes is recorded; %lld are needed; waiting for the others\n",
		       (long long)json_get_int64(terms, "needed", 0));
	if (client && !c->json)
		printf("your yes is recorded; it runs when the client repeats its "
		       "call\n");
	(void)fflush(stdout);
	return others || client;
}

static bool give_up(const char *approval, const char *state, struct error *err)
{
	return error_set(err, ERR_TIMEOUT, "approval %s is still %s", approval,
			 state ? state : "?");
}

void decide_say_unanswered(const json_t *record, FILE *to)
{
	const json_t *said = json_object_get(record, "unanswered");
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT, shown = STRBUF_INIT;
	char when[CLOCK_TEXT_BYTES];

	if (!said)
		return;
	strbuf_add_format(
		&line,
		"'%s' has the call and has not answered since %s (%s); it may "
		"have happened, and the gate keeps asking",
		console_member(record, "server"),
		clock_relative(json_get_int64(said, "since", 0), clock_wall_ms(), when),
		console_member(said, "message"));
	render_text(&shown, line.data ? line.data : "");
	(void)fprintf(to, "%s\n", shown.data ? shown.data : "");
	(void)fflush(to);
}

json_t *decide_wait(struct gate_link *g, const char *approval, int64_t timeout_ms,
		    bool until_pending, struct error *err)
{
	int64_t deadline = clock_mono_ms() + timeout_ms;
	json_auto_t *reply = NULL;
	bool is_said = false;

	gate_link_forget_events(g);
	reply = gate_link_ask(g, MSG_WATCH, json_pack("{s:s}", "approval", approval),
			      err);
	if (!reply)
		return NULL;
	for (;;) {
		json_auto_t *record = show(g, approval, err);
		json_auto_t *event = NULL;
		const char *state = json_get_string(record, "state");
		int64_t left = timeout_ms < 0 ? POLL_MS : deadline - clock_mono_ms();

		if (!record)
			return NULL;
		if (state && (decide_is_over(state) ||
			      (until_pending && strcmp(state, "pending") == 0)))
			return TAKE(record);
		if (left <= 0 || interrupt_was_pressed()) {
			give_up(approval, state, err);
			return NULL;
		}
		if (!is_said && json_object_get(record, "unanswered")) {
			decide_say_unanswered(record, stderr);
			is_said = true;
		}
		/* An event only says that it is time to look. */
		event = gate_link_event(g, left > POLL_MS ? POLL_MS : (int)left, err);
		if (!event && err->code != ERR_TIMEOUT)
			return NULL;
		error_clear(err);
	}
}

static void print_content(const json_t *result)
{
	size_t i;
	json_t *block;

	json_array_foreach(json_object_get(result, "content"), i, block)
	{
		const char *text = json_get_string(block, "text");

		if (text)
			console_print_visible(text);
	}
}

static void print_error(const json_t *outcome)
{
	const json_t *e = json_object_get(outcome, "error");
	const char *code = json_get_string(e, "code");
	const char *message = json_get_string(e, "message");
	const char *hint = json_get_string(e, "hint");
	const json_t *candidates =
		json_object_get(json_object_get(e, "details"), "candidates");
	size_t i;
	json_t *candidate;

	if (!e)
		return;
	console_put_visible(code ? code : "error");
	printf(": ");
	console_print_visible(message ? message : "no reason was given");
	if (hint) {
		printf("hint: ");
		console_print_visible(hint);
	}
	json_array_foreach(candidates, i, candidate)
	{
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		struct error ignored = ERROR_INIT;

		if (json_write(&text, candidate, &ignored)) {
			printf("candidate: ");
			console_print_visible(text.data);
		}
	}
}

/* What became of each of several calls, in their order. */
static void print_parts(const struct console *c, const json_t *parts)
{
	size_t i;
	json_t *part;

	json_array_foreach(parts, i, part)
	{
		const char *state = console_member(part, "state");
		bool good = strcmp(state, "succeeded") == 0;

		printf("%s%zu. ", good ? console_green(c) : console_red(c), i + 1);
		console_put_visible(console_member(part, "server"));
		printf(".");
		console_put_visible(console_member(part, "tool"));
		printf(" is ");
		console_put_visible(state);
		printf("%s\n", console_plain(c));
		if (json_object_get(part, "result"))
			print_content(json_object_get(part, "result"));
		else
			print_error(json_object_get(part, "outcome"));
	}
}

int decide_report(const struct console *c, const json_t *record)
{
	const char *state = json_get_string(record, "state");
	const json_t *outcome = json_object_get(record, "outcome");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(endings); i++)
		if (state && strcmp(endings[i].state, state) == 0)
			break;
	if (c->json) {
		console_print_json(record);
		return i < ARRAY_SIZE(endings) ? (int)endings[i].status : EXIT_PENDING;
	}
	if (i == ARRAY_SIZE(endings)) {
		printf("%s is %s\n", console_member(record, "id"), state ? state : "?");
		return EXIT_PENDING;
	}
	print_parts(c, json_object_get(record, "parts"));
	if (json_object_get(record, "result"))
		print_content(json_object_get(record, "result"));
	else
		print_error(outcome);
	printf("%s%s%s\n",
	       endings[i].status == EXIT_DONE ? console_green(c) : console_red(c),
	       endings[i].words, console_plain(c));
	if (json_is_false(json_object_get(outcome, "verified")))
		printf("the server could not read back what it claims; look before you "
		       "rely on it\n");
	return (int)endings[i].status;
}
