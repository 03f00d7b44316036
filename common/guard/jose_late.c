#include "guard/jose_late.h"

#include "base/library.h"

/* Where they are; NULL before jose_need. */
static struct {
	__typeof__(jose_jws_ver) *jws_ver;
	__typeof__(jose_openssl_jwk_to_EVP_PKEY) *to_pkey;
} jose;

static const struct library_function functions[] = {
	{ "jose_jws_ver", &jose.jws_ver },
	{ "jose_openssl_jwk_to_EVP_PKEY", &jose.to_pkey },
};
static struct library library = LIBRARY("libjose.so.0", functions);

bool jose_need(struct error *err)
{
	return library_need(&library, err);
}

bool jose_jws_ver(jose_cfg_t *cfg, const json_t *jws, const json_t *sig,
		  const json_t *jwk, bool all)
{
	return jose.jws_ver(cfg, jws, sig, jwk, all);
}

EVP_PKEY *jose_openssl_jwk_to_EVP_PKEY(jose_cfg_t *cfg, const json_t *jwk)
{
	return jose.to_pkey(cfg, jwk);
}
