#include "servers/accounts/fake_backend.h"

#include <strings.h>

#define LOCKED "locked"

static bool copy(const struct fake_account *from, struct account *to)
{
	to->id = strdup(from->id);
	to->identifier = strdup(from->identifier);
	to->uid = strdup(from->uid);
	to->name = strdup(from->name);
	to->mail = strdup(from->mail);
	to->detail = strdup("");
	memcpy(to->lock, from->lock, sizeof to->lock);
	to->permanent = *from->lock != '\0';
	to->state = to->permanent ? ACCOUNT_BLOCKED : ACCOUNT_ACTIVE;
	to->obeyed = true;
	return to->id && to->identifier && to->uid && to->name && to->mail && to->detail;
}

static bool fails(enum error_code code, struct error *err)
{
	return code != ERR_NONE && !error_set(err, code, "as the test asked for");
}

static bool fake_lookup(void *self, enum account_key key, const char *value,
			int64_t now_ms, struct account_list *ret, struct error *err)
{
	struct fake_system *s = self;

	(void)now_ms;
	if (fails(s->lookup_fails, err))
		return false;
	for (const struct fake_account *a = s->accounts; a->id; a++) {
		const char *const keys[] = {
			[ACCOUNT_BY_MAIL] = a->mail,
			[ACCOUNT_BY_UID] = a->uid,
			[ACCOUNT_BY_IDENTIFIER] = a->identifier,
			[ACCOUNT_BY_NAME] = a->name,
		};

		if (strcasecmp(keys[key], value) != 0)
			continue;
		if (ret->count == ACCOUNT_MATCHES_MAX) {
			ret->more = true;
			return true;
		}
		if (!copy(a, account_list_add(ret)))
			return error_oom(err);
	}
	return true;
}

static struct fake_account *find(struct fake_system *s, const char *identifier,
				 const char *id)
{
	for (struct fake_account *a = s->accounts; a->id; a++)
		if (strcmp(a->identifier, identifier) == 0 && strcmp(a->id, id) == 0)
			return a;
	return NULL;
}

static bool fake_read(void *self, const char *identifier, const char *id, int64_t now_ms,
		      struct account *ret, bool *ret_found, struct error *err)
{
	struct fake_system *s = self;
	struct fake_account *a = s->gone ? NULL : find(s, identifier, id);

	(void)now_ms;
	if (fails(s->lookup_fails, err))
		return false;
	*ret_found = a != NULL;
	return !a || copy(a, ret) || error_oom(err);
}

static bool fake_is_protected(void *self, const struct account *account,
			      bool *ret_protected, struct strbuf *why, struct error *err)
{
	(void)self;
	(void)err;
	*ret_protected = strncmp(account->uid, "protected", 9) == 0;
	if (*ret_protected)
		strbuf_add_string(why, "the test says so");
	return true;
}

static bool change(struct fake_system *s, const char *identifier, const char *id,
		   const char *lock, const char *to, struct error *err)
{
	struct fake_account *a = find(s, identifier, id);
	enum error_code code = s->change_fails;

	s->changes++;
	if (s->changing)
		s->changing(s->context);
	s->change_fails = ERR_NONE;
	if (!a || strcmp(a->lock, lock) != 0)
		return error_set(err, ERR_CONFLICT, "not as it was");
	if (code == ERR_NONE || s->change_happens)
		(void)snprintf(a->lock, sizeof a->lock, "%s", to);
	return !fails(code, err);
}

static bool fake_block(void *self, const char *identifier, const char *id,
		       const char *lock, struct error *err)
{
	return change(self, identifier, id, lock, LOCKED, err);
}

static bool fake_unblock(void *self, const char *identifier, const char *id,
			 const char *lock, struct error *err)
{
	return change(self, identifier, id, lock, "", err);
}

static bool fake_list_blocked(void *self, int64_t now_ms, struct account_list *ret,
			      struct error *err)
{
	struct fake_system *s = self;

	(void)now_ms;
	for (const struct fake_account *a = s->accounts; a->id; a++)
		if (*a->lock && !copy(a, account_list_add(ret)))
			return error_oom(err);
	return true;
}

static bool fake_ready(void *self, struct error *err)
{
	return !fails(((struct fake_system *)self)->lookup_fails, err);
}

static void fake_close(void *self)
{
	(void)self;
}

const struct account_backend fake_backend = {
	.system = "fake",
	.not_ended = "nothing",
	.block_lock = LOCKED,
	.lookup = fake_lookup,
	.read = fake_read,
	.is_protected = fake_is_protected,
	.block = fake_block,
	.unblock = fake_unblock,
	.list_blocked = fake_list_blocked,
	.ready = fake_ready,
	.close = fake_close,
};
