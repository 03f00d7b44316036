/*
 * Pages of status: what a direct client shows its person while a call waits. A page
 * says how the call stands to whoever opens it; it holds nothing of the call, and
 * decides nothing. Its address is random, and of no use anywhere else.
 */
#include "gate/keeper.h"

#include "gate/page.h"

enum { RANDOM_BYTES = 16 };

bool keeper_make_page(struct keeper *k, const char *approval, json_t *changes,
		      struct error *err)
{
	unsigned char random[RANDOM_BYTES];
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT, key = STRBUF_INIT;

	digest_random(random, sizeof random);
	digest_base64url(&name, random, sizeof random);
	strbuf_add_format(&key, "page/%s", name.data);
	if (!strbuf_ok(&name) || !strbuf_ok(&key) ||
	    json_object_set_new(changes, "page", json_string(name.data)) != 0)
		return error_oom(err);
	return coord_put(k->coordination, key.data, approval, KEEPER_PAGE_MS, err);
}

json_t *keeper_page_url(const struct keeper *k, const json_t *body)
{
	const char *base = k->settings->page_url[0] ? k->settings->page_url : k->url;
	const char *name = json_get_string(body, "page");
	size_t length = strlen(base);

	while (length > 0 && base[length - 1] == '/')
		length--;
	return name && length > 0
		       ? json_sprintf("%.*s" PAGE_PATH "%s", (int)length, base, name)
		       : NULL;
}

bool keeper_on_page(struct keeper *k, const struct fields *f, struct error *err)
{
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
	_cleanup_free_ char *id = NULL;
	struct error why = ERROR_INIT;
	json_auto_t *body = NULL;

	(void)err;
	strbuf_add_format(&key, "page/%s", f->page);
	if (page_is_name(f->page) && coord_get(k->coordination, key.data, &id, &why) &&
	    id)
		body = keeper_load(k, id, &why);
	if (!body)
		return keeper_answer(k, f->request, error_is_set(&why) ? 503 : 404,
				     json_object());
	return keeper_answer(k, f->request, 200,
			     json_pack("{s:s, s:s}", "approval", id, "state",
				       record_state_name(record_state_of(body))));
}
