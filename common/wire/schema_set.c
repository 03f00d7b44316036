#include "wire/schema_build.h"

#include "base/digest.h"
#include "base/json.h"
#include "wire/schema_metaschema.h"
#include "wire/schema_value.h"

#define STANDARD_DIALECT  "https://json-schema.org/draft/2020-12/schema"
#define VOCABULARY_PREFIX "https://json-schema.org/draft/2020-12/vocab/"

struct known {
	json_t *document;
	const char *builtin; /* the text of one of ours: parsed when it is asked for */
};

/* A metaschema, compiled when a document first has to be held against it. */
struct dialect {
	unsigned vocabularies;
	struct schema *metaschema;
	struct dialect *next;
	bool busy; /* being read or compiled: meeting it again is a circle */
};

struct schema_set {
	struct arena arena;
	uint64_t seed;
	json_t *owned;          /* array of all documents */
	struct table documents; /* URI to struct known */
	struct table dialects;  /* URI to struct dialect */
	struct dialect *first;
};

static const struct {
	const char *name;
	enum vocabulary bit;
} vocabularies[] = {
	{ "core", VOCABULARY_CORE },
	{ "applicator", VOCABULARY_APPLICATOR },
	{ "unevaluated", VOCABULARY_UNEVALUATED },
	{ "validation", VOCABULARY_VALIDATION },
	{ "meta-data", VOCABULARY_META_DATA },
	{ "format-annotation", VOCABULARY_FORMAT_ANNOTATION },
	{ "format-assertion", VOCABULARY_FORMAT_ASSERTION },
	{ "content", VOCABULARY_CONTENT },
};

static bool put_known(struct schema_set *set, const char *uri, struct known value)
{
	struct known *known = ARENA_NEW(&set->arena, struct known);

	if (!known)
		return false;
	*known = value;
	return table_put(&set->documents, &set->arena, set->seed, uri, strlen(uri),
			 known);
}

/* Steals 'document'. */
static bool put_document(struct schema_set *set, const char *uri, json_t *document)
{
	const char *key = arena_text(&set->arena, uri, strlen(uri));

	return json_array_append_new(set->owned, document) == 0 && key &&
	       put_known(set, key, (struct known){ .document = document });
}

static bool put_builtins(struct schema_set *set)
{
	for (const struct schema_metaschema *m = schema_metaschemas; m->uri; m++)
		if (!put_known(set, m->uri, (struct known){ .builtin = m->text }))
			return false;
	return true;
}

struct schema_set *schema_set_new(void)
{
	_cleanup_(schema_set_freep) struct schema_set *set = calloc(1, sizeof *set);

	if (!set)
		return NULL;
	digest_random(&set->seed, sizeof set->seed);
	set->owned = json_array();
	if (!set->owned || !put_builtins(set))
		return NULL;
	return TAKE(set);
}

void schema_set_free(struct schema_set *set)
{
	if (!set)
		return;
	for (struct dialect *d = set->first; d; d = d->next)
		schema_free(d->metaschema);
	json_decref(set->owned);
	arena_done(&set->arena);
	free(set);
}

bool schema_set_add(struct schema_set *set, const char *uri, const json_t *document,
		    struct error *err)
{
	json_t *copy;

	if (!*uri || strchr(uri, '#'))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "'%s' is no URI of a schema document", uri);
	if (table_get(&set->documents, set->seed, uri, strlen(uri)))
		return error_set(err, ERR_CONFLICT, "a schema '%s' is known already",
				 uri);
	if (!build_check_size(document, err))
		return false;
	copy = value_copy(document);
	if (!copy || !put_document(set, uri, copy))
		return error_oom(err);
	return true;
}

const json_t *set_find(struct schema_set *set, const char *uri, bool *ret_is_builtin)
{
	struct known *known = table_get(&set->documents, set->seed, uri, strlen(uri));
	struct error ignored = ERROR_INIT;

	if (!known)
		return NULL;
	*ret_is_builtin = known->builtin != NULL;
	if (known->document || !known->builtin)
		return known->document;
	/* One of ours parses, unless there is no memory. */
	json_t *document =
		json_parse(known->builtin, strlen(known->builtin), JSON_SYNTAX, &ignored);
	if (json_array_append_new(set->owned, document) != 0)
		return NULL;
	known->document = document;
	return document;
}

static unsigned vocabulary_bit(const char *uri)
{
	size_t prefix = strlen(VOCABULARY_PREFIX);

	if (strncmp(uri, VOCABULARY_PREFIX, prefix) != 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(vocabularies); i++)
		if (!strcmp(uri + prefix, vocabularies[i].name))
			return vocabularies[i].bit;
	return 0;
}

static bool read_vocabularies(const json_t *metaschema, const char *uri, unsigned *ret,
			      struct error *err)
{
	json_t *declared = json_object_get(metaschema, "$vocabulary");

	*ret = VOCABULARY_STANDARD;
	if (!declared)
		return true;
	*ret = 0;
	for (void *it = json_object_iter(declared); it;
	     it = json_object_iter_next(declared, it)) {
		const char *name = json_object_iter_key(it);
		unsigned bit = vocabulary_bit(name);

		if (!bit && json_is_true(json_object_iter_value(it)))
			return error_set(
				err, ERR_INVALID_ARGUMENT,
				"dialect '%s' requires the unknown vocabulary '%s'", uri,
				name);
		*ret |= bit;
	}
	if (!(*ret & VOCABULARY_CORE))
		return error_set(err, ERR_INVALID_ARGUMENT,
				 "dialect '%s' does without the core vocabulary", uri);
	return true;
}

static struct dialect *find_dialect(struct schema_set *set, const char *uri,
				    struct error *err);

/* A metaschema of ours or of the caller's; in the end each goes back to the standard one. */
static bool read_dialect(struct schema_set *set, struct dialect *d, const char *uri,
			 struct error *err)
{
	bool is_builtin, good;

	if (!strcmp(uri, STANDARD_DIALECT)) {
		d->vocabularies = VOCABULARY_STANDARD;
		return true;
	}
	const json_t *metaschema = set_find(set, uri, &is_builtin);
	const char *own = json_get_string(metaschema, "$schema");
	if (!metaschema)
		return error_set(err, ERR_INVALID_ARGUMENT, "unknown schema dialect '%s'",
				 uri);
	d->busy = true;
	good = (!own || find_dialect(set, own, err)) &&
	       read_vocabularies(metaschema, uri, &d->vocabularies, err);
	d->busy = false;
	return good;
}

static struct dialect *find_dialect(struct schema_set *set, const char *uri,
				    struct error *err)
{
	size_t length = strlen(uri);
	struct dialect *d;
	char *key;

	if (length && uri[length - 1] == '#')
		length--; /* an empty fragment */
	d = table_get(&set->dialects, set->seed, uri, length);
	if (d && d->busy) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "schema dialect '%s' describes itself", uri);
		return NULL;
	}
	if (d && d->vocabularies)
		return d;
	key = arena_text(&set->arena, uri, length);
	if (!d)
		d = ARENA_NEW(&set->arena, struct dialect);
	if (!key || !d ||
	    !table_put(&set->dialects, &set->arena, set->seed, key, length, d)) {
		error_oom(err);
		return NULL;
	}
	if (!read_dialect(set, d, key, err))
		return NULL;
	d->next = set->first;
	set->first = d;
	return d;
}

bool set_dialect(struct schema_set *set, const char *uri, unsigned *ret_vocabularies,
		 struct error *err)
{
	const struct dialect *d = find_dialect(set, uri, err);

	if (d)
		*ret_vocabularies = d->vocabularies;
	return d != NULL;
}

static bool compile_metaschema(struct schema_set *set, struct dialect *d, const char *uri,
			       struct error *err)
{
	_cleanup_free_ char *plain = strndup(uri, strcspn(uri, "#"));
	const json_t *document;
	bool is_builtin = false;

	if (!plain)
		return error_oom(err);
	document = set_find(set, plain, &is_builtin);
	if (!document)
		return error_oom(err);
	d->busy = true;
	d->metaschema = build_schema(set, document, plain, 0, is_builtin, err);
	d->busy = false;
	return d->metaschema != NULL;
}

bool set_check_document(struct schema_set *set, const char *dialect,
			const json_t *document, const char *where, struct error *err)
{
	struct dialect *d = find_dialect(set, dialect, err);
	struct schema_fault fault;

	if (!d || (!d->metaschema && !compile_metaschema(set, d, dialect, err)))
		return false;
	if (schema_validate(d->metaschema, document, &fault))
		return true;
	return error_set(err, ERR_INVALID_ARGUMENT, "schema %s%s%s: %s", where,
			 strchr(where, '#') ? "" : "#", fault.instance, fault.message);
}
