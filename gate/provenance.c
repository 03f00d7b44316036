#include "gate/provenance.h"

#include "base/canonical.h"
#include "base/utf8.h"
#include "gate/provenance_match.h"

enum { VALUE_SHOWN_BYTES = 64, PLACES_MAX = 3, DURATION_DIGITS_MAX = 6 };

struct source {
	enum provenance_kind kind;
	char *label;
	struct strbuf text; /* in normal form */
	bool counts;        /* a RESOLVED one: the requester said what was looked up */
};

struct provenance {
	struct source sources[PROVENANCE_SOURCES_MAX];
	size_t count, bytes;
};

/* How each kind is called by those who hand it in, and to those who read of it. */
static const struct {
	const char *name, *before, *after;
} kinds[] = {
	[PROVENANCE_REQUESTER] = { "requester", "words of who asks", "" },
	[PROVENANCE_RESOLVED] = { "resolved", "people, looked up for \"", "\"" },
	[PROVENANCE_PERSON] = { "person", "words of ", "" },
	[PROVENANCE_ASSISTANT] = { "assistant", "words of the assistant", "" },
	[PROVENANCE_LOG] = { "log", "log ", "" },
	[PROVENANCE_PLAYBOOK] = { "playbook", "playbook ", "" },
	[PROVENANCE_TICKET] = { "ticket", "ticket ", "" },
	[PROVENANCE_RESOURCE] = { "resource", "", ", which was read" },
	[PROVENANCE_RESULT] = { "result", "the result of ", "" },
};
_Static_assert(ARRAY_SIZE(kinds) == PROVENANCE_KINDS, "every kind has its words");

struct provenance *provenance_new(void)
{
	return calloc(1, sizeof(struct provenance));
}

void provenance_free(struct provenance *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->count; i++) {
		free(p->sources[i].label);
		strbuf_done(&p->sources[i].text);
	}
	free(p);
}

bool provenance_kind_parse(const char *name, enum provenance_kind *ret)
{
	for (size_t i = 0; i < PROVENANCE_KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0) {
			*ret = (enum provenance_kind)i;
			return true;
		}
	return false;
}

bool provenance_add(struct provenance *p, enum provenance_kind kind, const char *label,
		    const char *text, size_t length, struct error *err)
{
	struct source *s = &p->sources[p->count];

	if (p->count >= PROVENANCE_SOURCES_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "a conversation has more than %d pieces",
				 PROVENANCE_SOURCES_MAX);
	if (length > PROVENANCE_BYTES_MAX - p->bytes)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "the pieces of a conversation have more than %d bytes",
				 PROVENANCE_BYTES_MAX);
	if (strlen(label) > PROVENANCE_LABEL_MAX)
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "what a piece is from is longer than %d bytes",
				 PROVENANCE_LABEL_MAX);
	*s = (struct source){ .kind = kind, .text = STRBUF_INIT };
	s->label = strdup(label);
	if (!s->label || !provenance_fold(&s->text, text, length, err)) {
		free(s->label);
		strbuf_done(&s->text);
		return error_is_set(err) ? false : error_oom(err);
	}
	p->count++;
	p->bytes += length;
	return true;
}

/* --- one value --- */

struct value {
	struct strbuf text, folded;
	enum provenance_match in[PROVENANCE_SOURCES_MAX];
};

static void value_done(struct value *v)
{
	strbuf_done(&v->text);
	strbuf_done(&v->folded);
}

static bool value_read(struct value *v, const json_t *value, struct error *err)
{
	if (json_is_string(value))
		strbuf_add(&v->text, json_string_value(value), json_string_length(value));
	else if (!canonical_write(&v->text, value, err))
		return false;
	return strbuf_ok(&v->text)
		       ? provenance_fold(&v->folded, v->text.data, v->text.length, err)
		       : error_oom(err);
}

static void value_find(const struct provenance *p, struct value *v)
{
	for (size_t i = 0; i < p->count; i++)
		v->in[i] = provenance_match(&p->sources[i].text, &v->folded);
}

/* The best match in what is of this kind. */
static enum provenance_match in_kind(const struct provenance *p, const struct value *v,
				     enum provenance_kind kind)
{
	enum provenance_match best = PROVENANCE_ABSENT;

	for (size_t i = 0; i < p->count; i++)
		if (p->sources[i].kind == kind && v->in[i] > best)
			best = v->in[i];
	return best;
}

static bool requester_says(const struct provenance *p, const struct strbuf *folded)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->sources[i].kind == PROVENANCE_REQUESTER &&
		    provenance_match(&p->sources[i].text, folded) == PROVENANCE_WHOLE)
			return true;
	return false;
}

/* "8h" as people say it: "8 hours". */
static bool is_said_as_duration(const struct provenance *p, const struct strbuf *value)
{
	static const struct {
		char unit;
		const char *words[4];
	} units[] = { { 'm', { " minutes", " minute", " min", "min" } },
		      { 'h', { " hours", " hour", "-hour", " h" } },
		      { 'd', { " days", " day", "-day", " d" } } };
	size_t digits = strspn(value->data, "0123456789");

	if (digits == 0 || digits > DURATION_DIGITS_MAX || value->length != digits + 1)
		return false;
	for (size_t u = 0; u < ARRAY_SIZE(units); u++) {
		if (units[u].unit != value->data[digits])
			continue;
		for (size_t w = 0; w < ARRAY_SIZE(units[u].words); w++) {
			_cleanup_strbuf_ struct strbuf said = STRBUF_INIT;

			strbuf_add(&said, value->data, digits);
			strbuf_add_string(&said, units[u].words[w]);
			if (strbuf_ok(&said) && requester_says(p, &said))
				return true;
		}
	}
	return false;
}

/* The same place is named once, in whichever pieces the value stands. */
static bool is_named_before(const struct provenance *p, size_t index,
			    const struct value *v, enum provenance_match wanted)
{
	for (size_t i = 0; i < index; i++)
		if (p->sources[i].kind == p->sources[index].kind && v->in[i] == wanted &&
		    strcmp(p->sources[i].label, p->sources[index].label) == 0)
			return true;
	return false;
}

static bool may_be_place(const struct source *s)
{
	return s->kind != PROVENANCE_REQUESTER && s->kind != PROVENANCE_RESOLVED;
}

/* Everywhere else that has it so. */
static size_t add_places(const struct provenance *p, const struct value *v,
			 enum provenance_match wanted, struct strbuf *sb)
{
	size_t places = 0;

	for (size_t i = 0; i < p->count; i++) {
		const struct source *s = &p->sources[i];

		if (!may_be_place(s) || v->in[i] != wanted ||
		    is_named_before(p, i, v, wanted))
			continue;
		if (places < PLACES_MAX)
			strbuf_add_format(sb, "%s%s%s%s", places ? "; " : "",
					  kinds[s->kind].before, s->label,
					  kinds[s->kind].after);
		places++;
	}
	if (places > PLACES_MAX)
		strbuf_add_format(sb, "; and %zu more", places - PLACES_MAX);
	return places;
}

static bool name_persons(const struct provenance *p, const struct value *v,
			 json_t *persons)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->sources[i].kind == PROVENANCE_PERSON &&
		    v->in[i] == PROVENANCE_WHOLE &&
		    json_object_set_new(persons, p->sources[i].label, json_true()) != 0)
			return false;
	return true;
}

struct judging {
	const struct provenance *p;
	json_t *persons; /* as names of members */
	size_t values;
	json_t *from; /* of the argument at hand */
	bool is_untrusted, is_single;
};

/* Of a value in a list or an object, which one. */
static void add_value(struct strbuf *sb, const struct strbuf *value)
{
	size_t shown = utf8_cut(value->data, value->length, VALUE_SHOWN_BYTES);

	strbuf_add_char(sb, '"');
	strbuf_add(sb, value->data, shown);
	strbuf_add_string(sb, shown < value->length ? "...\": " : "\": ");
}

static bool add_line(struct judging *j, const struct value *v, const char *place,
		     struct error *err)
{
	_cleanup_strbuf_ struct strbuf line = STRBUF_INIT;
	size_t lines = json_array_size(j->from);

	if (lines > PROVENANCE_SHOWN_MAX)
		return true;
	if (lines == PROVENANCE_SHOWN_MAX)
		place = "and there are more values that who asks did not say";
	else if (!j->is_single)
		add_value(&line, &v->text);
	strbuf_add_string(&line, place);
	if (!strbuf_ok(&line) ||
	    json_array_append_new(j->from, json_stringn(line.data, line.length)) != 0)
		return error_oom(err);
	return true;
}

/* It is not the requester's: say where it stands. */
static bool judge_elsewhere(struct judging *j, const struct value *v, struct error *err)
{
	const struct provenance *p = j->p;
	_cleanup_strbuf_ struct strbuf place = STRBUF_INIT;

	for (size_t i = 0; i < p->count; i++)
		if (p->sources[i].kind == PROVENANCE_RESOLVED && p->sources[i].counts &&
		    v->in[i] == PROVENANCE_WHOLE) {
			strbuf_add_format(
				&place, "%s%s%s", kinds[PROVENANCE_RESOLVED].before,
				p->sources[i].label, kinds[PROVENANCE_RESOLVED].after);
			return strbuf_ok(&place) ? add_line(j, v, place.data, err)
						 : error_oom(err);
		}
	j->is_untrusted = true;
	if (!name_persons(p, v, j->persons))
		return error_oom(err);
	if (add_places(p, v, PROVENANCE_WHOLE, &place) > 0)
		return add_line(j, v, place.data, err);
	if (in_kind(p, v, PROVENANCE_REQUESTER) == PROVENANCE_WITHIN)
		return add_line(j, v, "part of a longer word of who asks, no word", err);
	if (add_places(p, v, PROVENANCE_WITHIN, &place) == 0)
		return add_line(
			j, v, "nowhere in what was said or read: the assistant chose it",
			err);
	strbuf_add_string(&place, ", as part of a longer word");
	return strbuf_ok(&place) ? add_line(j, v, place.data, err) : error_oom(err);
}

static bool judge_value(struct judging *j, const json_t *value, struct error *err)
{
	_cleanup_(value_done) struct value v = { .text = STRBUF_INIT,
						 .folded = STRBUF_INIT };
	bool is_word = !json_is_boolean(value) && !json_is_null(value);

	if (!value_read(&v, value, err))
		return false;
	if (v.folded.length == 0)
		return true; /* it says nothing */
	if (++j->values > PROVENANCE_VALUES_MAX) {
		j->is_untrusted = true;
		return add_line(j, &v, "not traced: there are too many values", err);
	}
	if (!is_word) {
		j->is_untrusted = true;
		return add_line(j, &v, "the assistant chose it", err);
	}
	value_find(j->p, &v);
	return in_kind(j->p, &v, PROVENANCE_REQUESTER) == PROVENANCE_WHOLE ||
	       is_said_as_duration(j->p, &v.folded) || judge_elsewhere(j, &v, err);
}

/* Names of members are values as well: somebody chose them, unless a schema did; the
 * prompt shows them, and they are not traced. */
static bool judge_all(struct judging *j, const json_t *value, struct error *err)
{
	size_t i;
	json_t *member;
	/* json_object_foreach wants a pointer it may write through, and does not. */
	json_t *object = (json_t *)(uintptr_t)value;

	if (json_is_array(value)) {
		json_array_foreach(value, i, member)
		{
			if (!judge_all(j, member, err))
				return false;
		}
		return true;
	}
	if (!json_is_object(value))
		return judge_value(j, value, err);
	for (void *at = json_object_iter(object); at;
	     at = json_object_iter_next(object, at))
		if (!judge_all(j, json_object_iter_value(at), err))
			return false;
	return true;
}

/* --- all of them --- */

/* Whose lookups count is known once all pieces are there. */
static void settle_lookups(struct provenance *p)
{
	for (size_t i = 0; i < p->count; i++) {
		_cleanup_strbuf_ struct strbuf said = STRBUF_INIT;
		struct source *s = &p->sources[i];
		struct error ignored = ERROR_INIT;

		if (s->kind == PROVENANCE_RESOLVED)
			s->counts = provenance_fold(&said, s->label, strlen(s->label),
						    &ignored) &&
				    requester_says(p, &said);
	}
}

static bool judge_argument(struct judging *j, const char *name, const json_t *value,
			   json_t *arguments, struct error *err)
{
	json_auto_t *from = json_array();
	json_auto_t *entry = NULL;

	j->from = from;
	j->is_untrusted = false;
	j->is_single = !json_is_array(value) && !json_is_object(value);
	if (!from)
		return error_oom(err);
	if (!judge_all(j, value, err))
		return false;
	if (json_array_size(from) == 0)
		return true;
	entry = json_pack("{s:O}", "from", from);
	if (!entry ||
	    (j->is_untrusted &&
	     json_object_set_new(entry, "untrusted", json_true()) != 0) ||
	    json_object_set(arguments, name, entry) != 0)
		return error_oom(err);
	return true;
}

static json_t *names_of(json_t *object)
{
	json_auto_t *names = json_array();
	const char *name;
	json_t *ignored;

	json_object_foreach(object, name, ignored)
	{
		if (json_array_append_new(names, json_string(name)) != 0)
			return NULL;
	}
	return TAKE(names);
}

json_t *provenance_judge(struct provenance *p, const json_t *arguments, struct error *err)
{
	json_t *given = (json_t *)(uintptr_t)arguments;
	json_auto_t *persons = json_object();
	json_auto_t *judged = json_object();
	json_auto_t *all = NULL;
	struct judging j = { .p = p, .persons = persons };
	const char *name;
	json_t *value;

	settle_lookups(p);
	if (!persons || !judged) {
		error_oom(err);
		return NULL;
	}
	json_object_foreach(given, name, value)
	{
		if (!judge_argument(&j, name, value, judged, err))
			return NULL;
	}
	all = json_pack("{s:O}", "arguments", judged);
	if (!all || (json_object_size(persons) > 0 &&
		     json_object_set_new(all, "persons", names_of(persons)) != 0)) {
		error_oom(err);
		return NULL;
	}
	return TAKE(all);
}
