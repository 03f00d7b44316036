#include "servers/people/settings.h"

#include <string.h>

#include "servers/people/identifier.h"
#include "servers/people/words.h"

enum { REFRESH_S = 300, SWEEP_S = 3600, MAX_AGE_S = 4 * 3600 };

void people_settings_done(struct people_settings *s)
{
	for (size_t i = 0; i < s->owned_count; i++)
		free(s->owned[i]);
	*s = (struct people_settings){ 0 };
}

static const char *keep(struct people_settings *s, struct strbuf *text, struct error *err)
{
	char *taken = strbuf_take(text);

	if (!taken)
		error_oom(err);
	else
		s->owned[s->owned_count++] = taken;
	return taken;
}

/* {"company.co.uk": "company.com"} */
static bool read_domains(struct people_settings *s, const json_t *domains,
			 struct error *err)
{
	const char *alias;
	json_t *main;
	size_t count = 0;

	json_object_foreach((json_t *)(uintptr_t)domains, alias, main)
	{
		const char *both[] = { alias, json_string_value(main) };

		for (size_t i = 0; i < 2 && count / 2 < SETTINGS_PAIRS_MAX; i++) {
			_cleanup_strbuf_ struct strbuf folded = STRBUF_INIT;

			if (!both[i] || !identifier_fold(&folded, both[i], err))
				return false;
			s->domains[count] = keep(s, &folded, err);
			if (!s->domains[count++])
				return false;
		}
	}
	s->rules.mail.domains = count ? s->domains : NULL;
	return true;
}

/* The one word of a name, folded. */
static const char *fold_name(struct people_settings *s, const char *name,
			     struct error *err)
{
	_cleanup_(words_done) struct words words = WORDS_INIT;
	_cleanup_strbuf_ struct strbuf folded = STRBUF_INIT;

	if (!words_read(&words, name, err))
		return NULL;
	if (words.count != 1) {
		error_set(err, ERR_INVALID_ARGUMENT, "nickname '%.64s' is not one word",
			  name);
		return NULL;
	}
	strbuf_add_string(&folded, words.items[0].whole.text[0]);
	return keep(s, &folded, err);
}

/* {"robert": ["bob", "bobby"]} */
static bool read_nicknames(struct people_settings *s, const json_t *names,
			   struct error *err)
{
	const char *whole;
	json_t *list, *one;
	size_t count = 0, i;

	json_object_foreach((json_t *)(uintptr_t)names, whole, list)
	{
		json_array_foreach(list, i, one)
		{
			if (count / 2 == SETTINGS_PAIRS_MAX)
				return error_set(err, ERR_INVALID_ARGUMENT,
						 "more than %d nicknames",
						 SETTINGS_PAIRS_MAX);
			s->nicknames[count] = fold_name(s, json_string_value(one), err);
			s->nicknames[count + 1] = fold_name(s, whole, err);
			if (!s->nicknames[count] || !s->nicknames[count + 1])
				return false;
			count += 2;
		}
	}
	s->rules.nicknames = count ? s->nicknames : NULL;
	return true;
}

static int64_t seconds(const json_t *config, const char *name, int64_t fallback)
{
	return json_get_int64(config, name, fallback) * 1000;
}

bool people_settings_read(struct people_settings *s, const json_t *config,
			  struct error *err)
{
	*s = (struct people_settings){
		.refresh_ms = seconds(config, "refresh_s", REFRESH_S),
		.sweep_ms = seconds(config, "sweep_s", SWEEP_S),
		.max_age_ms = seconds(config, "max_age_s", MAX_AGE_S),
	};
	s->rules.mail.keep_plus_tags =
		json_is_false(json_object_get(config, "ignore_plus_tags"));
	return read_domains(s, json_object_get(config, "domain_aliases"), err) &&
	       read_nicknames(s, json_object_get(config, "nicknames"), err);
}
