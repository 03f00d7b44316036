/* What the egress gets of our environment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assistant/host/host_private.h"

void host_environment_done(struct host_environment *e)
{
	for (size_t i = 0; i < e->count; i++) {
		explicit_bzero(e->all[i], strlen(e->all[i]));
		free(e->all[i]);
	}
}

static bool add_variable(struct host_environment *e, const char *name)
{
	const char *value = name ? getenv(name) : NULL;

	if (!value || e->count >= HOST_ENVIRONMENT_MAX)
		return true;
	if (asprintf(&e->all[e->count], "%s=%s", name, value) < 0) {
		e->all[e->count] = NULL;
		return false;
	}
	e->count++;
	return true;
}

static const char *variable_of(const struct assistant_secret *s)
{
	static const char prefix[] = "env:";

	return strncmp(s->from, prefix, sizeof prefix - 1) == 0
		       ? s->from + sizeof prefix - 1
		       : NULL;
}

bool host_environment_make(struct host_environment *e, const struct assistant_settings *s,
			   struct error *err)
{
	static const char *const names[] = { "PATH", "HOME",   "LANG",
					     "TZ",   "TMPDIR", "CREDENTIALS_DIRECTORY" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!add_variable(e, names[i]))
			return error_oom(err);
	return (add_variable(e, variable_of(&s->key)) &&
		add_variable(e, variable_of(&s->access_key_id)) &&
		add_variable(e, variable_of(&s->session_token))) ||
	       error_oom(err);
}
