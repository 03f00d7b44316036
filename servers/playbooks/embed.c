#include "servers/playbooks/embed.h"

#include <math.h>
#include <string.h>

struct embed {
	char *model;
	struct rest_credential *credential; /* NULL: none is asked for */
	struct rest *rest;
};

static const struct rest_vendor vendor = { .name = "the embeddings endpoint" };

struct embed *embed_new(const struct statedir *dir, const json_t *config,
			struct error *err)
{
	const char *model = json_get_string(config, "model");
	const char *token = json_get_string(config, "token_file");
	const char *ca = json_get_string(config, "ca_file");
	_cleanup_free_ char *ca_file = ca ? statedir_file(dir, ca) : NULL;
	const struct rest_options options = {
		.base = json_get_string(config, "url"),
		.ca_file = ca_file,
	};
	_cleanup_(embed_freep) struct embed *e = calloc(1, sizeof *e);

	if (!options.base || !model) {
		error_set(err, ERR_INVALID_ARGUMENT,
			  "the embeddings endpoint needs a url and a model");
		return NULL;
	}
	if (e)
		e->model = strdup(model);
	if (!e || !e->model || (ca && !ca_file)) {
		error_oom(err);
		return NULL;
	}
	if (token) {
		e->credential = rest_credential_file("Bearer", dir, token, err);
		if (!e->credential)
			return NULL;
	}
	e->rest = rest_new(&vendor,
			   e->credential ? rest_credential_auth(e->credential) : NULL,
			   &options, err);
	return e->rest ? TAKE(e) : NULL;
}

void embed_free(struct embed *e)
{
	if (!e)
		return;
	rest_free(e->rest);
	rest_credential_free(e->credential);
	free(e->model);
	free(e);
}

size_t embed_cut(const char *text, size_t length)
{
	if (length <= EMBED_TEXT_BYTES)
		return length;
	length = EMBED_TEXT_BYTES;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

void embedded_done(struct embedded *e)
{
	free(e->vectors);
	*e = (struct embedded){ 0 };
}

/* ---- The answer ---- */

static bool odd(const char *why, struct error *err)
{
	return error_set(err, ERR_BACKEND_UNAVAILABLE,
			 "the embeddings endpoint answered oddly: %s", why);
}

static bool read_vector(const json_t *list, uint32_t dimensions, float *to,
			struct error *err)
{
	double sum = 0;

	if (json_array_size(list) != dimensions)
		return odd("a vector of another length", err);
	for (uint32_t i = 0; i < dimensions; i++) {
		const json_t *number = json_array_get(list, i);
		const double value = json_number_value(number);

		if (!json_is_number(number) || !isfinite(value) || fabs(value) > 1e6)
			return odd("no number, or none that a vector has", err);
		sum += value * value;
	}
	if (sum < 1e-12)
		return odd("a vector without a direction", err);
	for (uint32_t i = 0; i < dimensions; i++)
		to[i] = (float)(json_number_value(json_array_get(list, i)) / sqrt(sum));
	return true;
}

bool embed_read(const json_t *body, size_t count, uint32_t dimensions,
		struct embedded *ret, struct error *err)
{
	const json_t *data = json_object_get(body, "data"), *one;
	const json_t *first = json_object_get(json_array_get(data, 0), "embedding");
	_cleanup_embedded_ struct embedded all = { .count = (uint32_t)count };
	bool seen[EMBED_BATCH] = { false };
	size_t i;

	if (count == 0 || count > EMBED_BATCH || json_array_size(data) != count)
		return odd("not as many vectors as texts", err);
	if (json_array_size(first) == 0 || json_array_size(first) > EMBED_DIMENSIONS_MAX)
		return odd("vectors of no length that is allowed", err);
	all.dimensions = (uint32_t)json_array_size(first);
	if (dimensions && all.dimensions != dimensions)
		return odd("vectors of other dimensions than before", err);
	all.vectors = calloc(count * all.dimensions, sizeof *all.vectors);
	if (!all.vectors)
		return error_oom(err);
	json_array_foreach(data, i, one)
	{
		const json_t *index = json_object_get(one, "index");
		const json_int_t at = json_integer_value(index);

		if (!json_is_integer(index) || at < 0 || at >= (json_int_t)count ||
		    seen[at])
			return odd("an index that is not one of the texts", err);
		seen[at] = true;
		if (!read_vector(json_object_get(one, "embedding"), all.dimensions,
				 all.vectors + (size_t)at * all.dimensions, err))
			return false;
	}
	*ret = all;
	all.vectors = NULL;
	return true;
}

bool embed_texts(struct embed *e, const json_t *texts, uint32_t dimensions,
		 const struct rest_patience *patience, struct embedded *ret,
		 struct error *err)
{
	_cleanup_rest_reply_ struct rest_reply reply = REST_REPLY_INIT;
	json_auto_t *body = json_pack("{s:s, s:O}", "model", e->model, "input", texts);
	const struct rest_request request = {
		.what = "embed texts",
		.method = "POST",
		.path = "/embeddings",
		.json = body,
		.reads = true,
		.reply_max = json_array_size(texts) * EMBED_REPLY_PER_TEXT,
	};

	if (!body)
		return error_oom(err);
	return rest_call(e->rest, &request, patience, &reply, err) &&
	       embed_read(reply.body, json_array_size(texts), dimensions, ret, err);
}
