#include "servers/playbooks/renames.h"

#include <string.h>

#include "base/digest.h"

#define RENAMES "renames"

/* Of the words that tell most about a page, so many must be the same. */
enum { SHARED_PERCENT = 60 };

static unsigned shared_percent(const struct index *before, uint32_t a,
			       const struct index *after, uint32_t b)
{
	const struct index_signature *one = &before->signatures[a];
	const struct index_signature *other = &after->signatures[b];
	unsigned shared = 0, all = 0;

	for (size_t i = 0; i < INDEX_SIGNATURE_TERMS; i++) {
		uint32_t stem;

		if (one->terms[i].weight <= 0 ||
		    one->terms[i].stem >= before->stems.count)
			continue;
		all++;
		if (!lexicon_find(&after->stems,
				  lexicon_text(&before->stems, one->terms[i].stem),
				  &stem))
			continue;
		for (size_t k = 0; k < INDEX_SIGNATURE_TERMS; k++)
			shared += other->terms[k].weight > 0 &&
				  other->terms[k].stem == stem;
	}
	return all < 4 ? 0 : 100 * shared / all;
}

static bool find_new(const struct index *before, uint32_t old, const struct index *after,
		     uint32_t *ret)
{
	const struct index_document *was = &before->documents[old];
	unsigned best = SHARED_PERCENT - 1;
	uint32_t ignored;

	for (uint32_t i = 0; i < after->document_count; i++) {
		const struct index_document *d = &after->documents[i];

		if (strcmp(d->source, was->source) != 0 ||
		    index_find_page(before, d->id, &ignored))
			continue;
		const unsigned percent = strcmp(d->digest, was->digest) == 0
						 ? 101
						 : shared_percent(before, old, after, i);
		if (percent > best) {
			best = percent;
			*ret = i;
		}
	}
	return best >= SHARED_PERCENT;
}

static bool note(struct documents *records, const char *from, const char *to,
		 struct error *err)
{
	json_auto_t *body = json_pack("{s:s, s:s}", "from", from, "to", to);
	char key[DIGEST_HEX_BYTES];
	int64_t revision;

	digest_sha256_hex(from, strlen(from), key);
	if (!body)
		return error_oom(err);
	return documents_put(records, RENAMES, key, body, DOCUMENT_ANY, &revision, err);
}

bool renames_note(struct documents *records, const struct index *before,
		  const struct index *after, struct error *err)
{
	uint32_t found;

	for (uint32_t i = 0; i < before->document_count; i++) {
		const char *id = before->documents[i].id;

		if (!index_find_page(after, id, &found) &&
		    find_new(before, i, after, &found) &&
		    !note(records, id, after->documents[found].id, err))
			return false;
	}
	return true;
}

char *renames_follow(struct documents *records, const char *id, struct error *err)
{
	char key[DIGEST_HEX_BYTES];
	struct document d = { 0 };
	char *to = NULL;
	bool found;

	digest_sha256_hex(id, strlen(id), key);
	if (!documents_get(records, RENAMES, key, &d, &found, err) || !found)
		return NULL;
	const char *text = json_get_string(d.body, "to");
	to = text ? strdup(text) : NULL;
	document_done(&d);
	return to;
}
