/*
 * grant_open and ticket_check: of a stranger's word, and, so that what stands behind
 * the signature is reached too, of a payload signed by a trusted key. A '%' in it
 * stands for the kid. What opens as a grant signs to the very same word.
 */
#include "tests/fuzz/fuzz.h"

#include <assert.h>

#include "guard/grant.h"
#include "guard/ticket.h"

/* Made at the first input, gone at exit. */
static struct gate {
	char folder[64], private[128], public[128];
	struct sign_key *key;
	struct keyring *ring;
} gate;

static void close_gate(void)
{
	keyring_free(gate.ring);
	sign_key_free(gate.key);
	(void)unlink(gate.private);
	(void)unlink(gate.public);
	(void)rmdir(gate.folder);
}

static void open_gate(void)
{
	struct error err = ERROR_INIT;

	(void)snprintf(gate.folder, sizeof gate.folder, "/tmp/wingman-fuzz-XXXXXX");
	assert(mkdtemp(gate.folder));
	(void)snprintf(gate.private, sizeof gate.private, "%s/key", gate.folder);
	gate.key = sign_key_create(gate.private, &err);
	assert(gate.key);
	(void)snprintf(gate.public, sizeof gate.public, "%s/%s.pem", gate.folder,
		       sign_key_kid(gate.key));
	assert(sign_key_write_public(gate.key, gate.public, &err));
	gate.ring = keyring_open(gate.folder, &err);
	assert(gate.ring && keyring_count(gate.ring) == 1);
	assert(atexit(close_gate) == 0);
}

static void try_word(const char *word)
{
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT;
	struct error err = ERROR_INIT;
	struct ticket ticket;
	struct grant g;

	if (grant_open(word, gate.ring, &g, &err)) {
		assert(grant_sign(&again, &g, gate.key, &err));
		assert(strcmp(again.data, word) == 0);
	} else {
		assert(err.code == ERR_APPROVAL_INVALID);
	}
	error_clear(&err);
	if (!ticket_check(word, "accounts", "", 0, gate.ring, &ticket, &err))
		assert(err.code == ERR_APPROVAL_INVALID);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_strbuf_ struct strbuf word = STRBUF_INIT, payload = STRBUF_INIT;
	uint8_t signature[KEY_SIGNATURE_BYTES];
	struct error err = ERROR_INIT;

	if (!gate.ring)
		open_gate();
	strbuf_add(&word, data, size);
	try_word(word.data);

	for (size_t i = 0; i < size && payload.length < ENVELOPE_MAX; i++) {
		if (data[i] == '%')
			strbuf_add_string(&payload, sign_key_kid(gate.key));
		else
			strbuf_add(&payload, &data[i], 1);
	}
	strbuf_clear(&word);
	assert(sign_key_sign(gate.key, payload.data, payload.length, signature, &err));
	digest_base64url(&word, payload.data, payload.length);
	strbuf_add_char(&word, '.');
	digest_base64url(&word, signature, sizeof signature);
	try_word(word.data);
	strbuf_done(&payload);
	return 0;
}
