/* wingman-gate: the keeper, which starts its caller; see keeper.h and caller.h. */
#include <signal.h>

#include "base/file.h"
#include "base/log.h"
#include "base/options.h"
#include "gate/caller.h"
#include "gate/keeper.h"
#include "gate/members.h"

struct gate_options {
	const char *dir, *role;
	bool check_config, caller_apart;
};

static const struct option_row rows[] = {
	OPTION_STRING("dir", 'd', "DIR", "folder of the suite",
		      offsetof(struct gate_options, dir)),
	OPTION_BOOL("check-config", 0,
		    "say what is wrong with configuration and policy, and leave",
		    offsetof(struct gate_options, check_config)),
	OPTION_BOOL("caller-socket", 0,
		    "its part without the key is started by systemd, at run/caller.sock",
		    offsetof(struct gate_options, caller_apart)),
	OPTION_STRING("role", 0, "ROLE",
		      "for the gate itself: 'caller' is its part without the key",
		      offsetof(struct gate_options, role)),
	OPTION_END,
};

static bool add_tools(const struct settings_server *s, const char **tools, size_t *count,
		      size_t max)
{
	_cleanup_free_ const char **names = tool_definition_names(s->name);

	for (size_t i = 0; names && names[i]; i++) {
		char *name = NULL;

		if (*count >= max || asprintf(&name, "%s.%s", s->name, names[i]) < 0)
			return false;
		tools[(*count)++] = name;
	}
	return names != NULL;
}

/* One line of JSON a finding; 1 if one of them is an error. */
static int print_findings(const json_t *findings)
{
	int status = 0;
	size_t i;
	json_t *finding;

	json_array_foreach(findings, i, finding)
	{
		const char *level = json_get_string(finding, "level");

		if (level && strcmp(level, "error") == 0)
			status = 1;
		(void)json_dumpf(finding, stdout, JSON_COMPACT);
		(void)putchar('\n');
	}
	return fflush(stdout) == 0 ? status : 1;
}

static void warn(json_t *findings, const char *text)
{
	(void)json_array_append_new(
		findings, json_pack("{s:s, s:s}", "level", "warning", "text", text));
}

/* Opened as the caller does it at its start, nobody asked. Under a user of its own the caller
 * has its credential to itself: that it cannot be read here is no fault. */
static void check_membership(const struct statedir *dir, const struct settings *s,
			     json_t *findings)
{
	struct error err = ERROR_INIT;
	_cleanup_(members_closep) struct members *m = members_open(dir, s, &err);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	if (m)
		return;
	strbuf_add_format(&text, "membership: %s", err.message);
	(void)json_array_append_new(
		findings,
		json_pack("{s:s, s:s}", "level",
			  err.code == ERR_INVALID_ARGUMENT ? "error" : "warning", "text",
			  text.data));
}

/* Where people decide, and what there is when they cannot. */
static void check_surfaces(const struct statedir *dir, const struct settings *s,
			   json_t *findings)
{
	_cleanup_free_ char *keys = statedir_path(dir, "keys/emergency");

	slack_settings_find(&s->slack, s->policy, dir, s->no_yes_by_console, findings);
	membership_find(&s->membership, s->policy, findings);
	if (membership_has_door(&s->membership))
		check_membership(dir, s, findings);
	if (s->no_yes_by_console && !s->slack.is_on)
		warn(findings, "no yes is taken on a console (yes_by_console: false): "
			       "without another surface nobody can approve anything");
	if (*s->emergency_probe && keys && !file_exists(keys))
		warn(findings, "emergencies are configured and there is no key for them: "
			       "wingman emergency new-key FILE");
}

static int check_config(const struct statedir *dir)
{
	struct error err = ERROR_INIT;
	_cleanup_(settings_reader_freep) struct settings_reader *r =
		settings_reader_new(dir, &err);
	_cleanup_(settings_freep) struct settings *s = r ? settings_read(r, &err) : NULL;
	const char *tools[SETTINGS_SERVERS_MAX * 64 + 1] = { NULL };
	size_t count = 0;
	json_auto_t *findings = NULL;

	if (s) {
		for (size_t i = 0; i < s->server_count; i++)
			(void)add_tools(&s->servers[i], tools, &count,
					ARRAY_SIZE(tools) - 1);
		policy_narrow(s->policy, NULL, NULL);
		findings = policy_check(s->policy, tools);
		check_surfaces(dir, s, findings);
	} else {
		findings =
			json_pack("[{s:s, s:s}]", "level", "error", "text", err.message);
	}
	for (size_t i = 0; i < count; i++)
		free((char *)(uintptr_t)tools[i]);
	return print_findings(findings);
}

int main(int argc, char **argv)
{
	static const struct options_program program = {
		.name = "wingman-gate",
		.usage = "[--dir DIR]",
		.description = "Keeps the key that signs grants, and signs what people "
			       "approved.",
		.rows = rows,
	};
	struct gate_options o = { 0 };
	struct error err = ERROR_INIT;
	_cleanup_(statedir_freep) struct statedir *dir = NULL;
	int status = options_take(&program, &o, argc, argv);

	if (status != OPTIONS_GO_ON)
		return status;
	/* A peer that is gone and a disk that is full are errors of a write, not the end. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	log_setup("gate", LOG_INFO);
	if (o.role && strcmp(o.role, "caller") != 0)
		error_set(&err, ERR_INVALID_ARGUMENT, "--role knows 'caller' alone");
	else
		dir = statedir_new(o.dir, &err);
	if (!dir || !statedir_require(dir, &err))
		return options_complain(program.name, &err, OPTIONS_EXIT_USAGE);
	if (o.check_config)
		return check_config(dir);
	return o.role ? caller_main(dir) : keeper_main(dir, o.caller_apart);
}
