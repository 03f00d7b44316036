/*
 * members-ask FOLDER [PERSON ...] -- asks who of these is in the group that the folder's
 * config/gate.yaml names, as the gate's caller does, and prints one line of JSON:
 * {"members": [...]} or {"error": {code, message}}, and "took_ms".
 */
#include <stdio.h>

#include "base/clock.h"
#include "gate/fields.h"
#include "gate/members.h"

static json_t *look(const struct statedir *dir, const json_t *ids, struct error *err)
{
	_cleanup_(settings_reader_freep) struct settings_reader *r =
		settings_reader_new(dir, err);
	_cleanup_(settings_freep) struct settings *s = r ? settings_read(r, err) : NULL;
	_cleanup_(members_closep) struct members *m = s ? members_open(dir, s, err)
							: NULL;
	json_auto_t *found = json_array();

	if (!m || !found || !members_look(m, ids, found, err))
		return NULL;
	return TAKE(found);
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	json_auto_t *ids = json_array();
	json_auto_t *line = json_object();
	_cleanup_(statedir_freep) struct statedir *dir =
		argc > 1 ? statedir_new(argv[1], &err) : NULL;
	int64_t began_ms = clock_mono_ms();
	json_auto_t *found = NULL;

	for (int i = 2; i < argc; i++)
		(void)json_array_append_new(ids, json_string(argv[i]));
	found = dir ? look(dir, ids, &err) : NULL;
	if (found)
		(void)json_object_set(line, "members", found);
	else
		(void)json_object_set_new(line, "error", fields_error(&err, NULL));
	(void)json_object_set_new(line, "took_ms",
				  json_integer((json_int_t)(clock_mono_ms() - began_ms)));
	(void)json_dumpf(line, stdout, JSON_COMPACT);
	return putchar('\n') == '\n' ? 0 : 1;
}
