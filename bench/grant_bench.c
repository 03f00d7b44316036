/*
 * grant_bench -- opening and checking a grant, against the one Ed25519 verification
 * that it cannot do without: libcrypto's, over the same bytes, by the same key.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include "bench/measure.h"
#include "guard/grant.h"

#define PIN   "1111111111111111111111111111111111111111111111111111111111111111"
#define ARGS  "2222222222222222222222222222222222222222222222222222222222222222"
#define PLAN  "3333333333333333333333333333333333333333333333333333333333333333"
#define SHOWN "4444444444444444444444444444444444444444444444444444444444444444"
#define HEAD  "5555555555555555555555555555555555555555555555555555555555555555"

enum { NOW_S = 1800000000, WORDS = 64, SLICES = 10, SLICE_NS = 50000000 };

struct word {
	struct strbuf text;    /* as it travels */
	struct strbuf payload; /* the bytes that are signed */
	struct strbuf signature;
};

struct bench {
	struct sign_key *key;
	struct keyring *ring;
	EVP_PKEY *public;
	struct word words[WORDS];
};

/* ---- What is verified ---- */

static void make_keys(struct bench *b, const char *folder)
{
	_cleanup_free_ char *private_path = measure_path(folder, "gate.key");
	_cleanup_free_ char *trusted = measure_path(folder, "trusted");
	struct error err = ERROR_INIT;

	b->key = sign_key_create(private_path, &err);
	if (!b->key)
		measure_fail_error("no key", &err);
	if (mkdir(trusted, 0700) != 0)
		measure_fail("cannot make '%s'", trusted);
	_cleanup_free_ char *stem = measure_path(trusted, sign_key_kid(b->key));
	_cleanup_free_ char *public_path = NULL;
	if (asprintf(&public_path, "%s.pem", stem) < 0)
		measure_fail("out of memory");
	if (!sign_key_write_public(b->key, public_path, &err))
		measure_fail_error("no public key", &err);
	b->ring = keyring_open(trusted, &err);
	if (!b->ring)
		measure_fail_error("no keyring", &err);

	FILE *pem = fopen(public_path, "re");
	b->public = pem ? PEM_read_PUBKEY(pem, NULL, NULL, NULL) : NULL;
	if (!b->public)
		measure_fail("cannot read '%s'", public_path);
	(void)fclose(pem);
}

static void make_word(const struct bench *b, struct word *w, size_t number)
{
	struct error err = ERROR_INIT;
	struct grant g = {
		.aud = "accounts-production",
		.server = "accounts",
		.tool = "block_account",
		.pin = PIN,
		.args = ARGS,
		.plan = PLAN,
		.shown = SHOWN,
		.requester = "alice@company.example",
		.approvers = { "bob@company.example" },
		.approver_count = 1,
		.head = HEAD,
		.seq = -1,
		.iat = NOW_S,
		.exp = NOW_S + GRANT_TTL_S,
	};

	(void)snprintf(g.id, sizeof g.id, "approval-%zu", number);
	if (!grant_sign(&w->text, &g, b->key, &err))
		measure_fail_error("cannot sign", &err);
	const char *dot = strchr(w->text.data, '.');
	const size_t payload_length = (size_t)(dot - w->text.data);
	if (!digest_base64url_decode(w->text.data, payload_length, &w->payload, &err) ||
	    !digest_base64url_decode(dot + 1, w->text.length - payload_length - 1,
				     &w->signature, &err))
		measure_fail_error("cannot take a grant apart", &err);
}

/* ---- The two ---- */

static bool verify_bare(const struct bench *b, const struct word *w, EVP_MD_CTX *ctx)
{
	return EVP_MD_CTX_reset(ctx) == 1 &&
	       EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, b->public) == 1 &&
	       EVP_DigestVerify(
		       ctx, (const unsigned char *)w->signature.data, w->signature.length,
		       (const unsigned char *)w->payload.data, w->payload.length) == 1;
}

static bool verify_grant(const struct bench *b, const struct word *w, const char *args)
{
	const struct grant_call call = {
		.aud = "accounts-production",
		.server = "accounts",
		.tool = "block_account",
		.pin = PIN,
		.args = args,
		.plan = PLAN,
		.requester = "alice@company.example",
		.risk = RISK_WRITE,
		.now_ms = (int64_t)NOW_S * 1000,
		.epoch_ms = ((int64_t)NOW_S - 100) * 1000,
	};
	struct error err = ERROR_INIT;
	struct grant g;

	return grant_open(w->text.data, b->ring, &g, &err) &&
	       grant_check(&g, &call, &err);
}

/* What verifies everything would be fast, too. */
static void check_that_both_refuse(struct bench *b, EVP_MD_CTX *ctx)
{
	struct word *w = &b->words[0];

	if (verify_grant(b, w, PIN))
		measure_fail("a grant for other arguments was accepted");
	w->signature.data[0] ^= 1;
	if (verify_bare(b, w, ctx))
		measure_fail("a wrong signature was accepted");
	w->signature.data[0] ^= 1;
	w->text.data[0] ^= 1;
	if (verify_grant(b, w, ARGS))
		measure_fail("an altered grant was accepted");
	w->text.data[0] ^= 1;
}

static void measure(const struct bench *b, EVP_MD_CTX *ctx)
{
	struct measure bare = { .variant = "bare" }, grant = { .variant = "grant" };

	for (int slice = 0; slice < SLICES; slice++) {
		int64_t start = measure_now_ns(), now = start;
		for (; now - start < SLICE_NS; now = measure_now_ns())
			if (!verify_bare(b, &b->words[bare.count++ % WORDS], ctx))
				measure_fail("a good signature was refused");
		bare.ns += now - start;

		start = now = measure_now_ns();
		for (; now - start < SLICE_NS; now = measure_now_ns())
			if (!verify_grant(b, &b->words[grant.count++ % WORDS], ARGS))
				measure_fail("a good grant was refused");
		grant.ns += now - start;
	}
	measure_print(&bare);
	measure_print(&grant);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		measure_fail("usage: bench-grant FOLDER");
	struct bench b = { 0 };
	make_keys(&b, argv[1]);
	for (size_t i = 0; i < WORDS; i++)
		make_word(&b, &b.words[i], i);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	check_that_both_refuse(&b, ctx);
	measure(&b, ctx);

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(b.public);
	for (size_t i = 0; i < WORDS; i++) {
		strbuf_done(&b.words[i].text);
		strbuf_done(&b.words[i].payload);
		strbuf_done(&b.words[i].signature);
	}
	keyring_free(b.ring);
	sign_key_free(b.key);
	return 0;
}
