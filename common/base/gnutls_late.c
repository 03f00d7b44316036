/*
 * gnutls_late -- GnuTLS, where TLS is served or spoken to Redis (base/library.h).
 *
 * It brings eight more libraries and sets itself up when it is loaded; most servers listen
 * on loopback without TLS. libmicrohttpd, whose functions call it too, is linked statically
 * for that reason alone, and finds these. Whoever reads keys or certificates says
 * gnutls_need before, and so before a sandbox closes. There is no error to give in a
 * function; a program that has come to one without its GnuTLS ends there.
 */
#include "base/gnutls_late.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/library.h"

/* Type, name, parameters, arguments. */
#define VALUES(X)                                                                        \
	X(int, gnutls_alpn_set_protocols,                                                \
	  (gnutls_session_t session, const gnutls_datum_t *protocols,                    \
	   unsigned protocols_size, unsigned flags),                                     \
	  (session, protocols, protocols_size, flags))                                   \
	X(int, gnutls_bye, (gnutls_session_t session, gnutls_close_request_t how),       \
	  (session, how))                                                                \
	X(int, gnutls_certificate_allocate_credentials,                                  \
	  (gnutls_certificate_credentials_t * res), (res))                               \
	X(const gnutls_datum_t *, gnutls_certificate_get_peers,                          \
	  (gnutls_session_t session, unsigned int *list_size), (session, list_size))     \
	X(int, gnutls_certificate_set_x509_key_file,                                     \
	  (gnutls_certificate_credentials_t res, const char *certfile,                   \
	   const char *keyfile, gnutls_x509_crt_fmt_t type),                             \
	  (res, certfile, keyfile, type))                                                \
	X(int, gnutls_certificate_set_x509_key_mem,                                      \
	  (gnutls_certificate_credentials_t res, const gnutls_datum_t *cert,             \
	   const gnutls_datum_t *key, gnutls_x509_crt_fmt_t type),                       \
	  (res, cert, key, type))                                                        \
	X(int, gnutls_certificate_set_x509_key_mem2,                                     \
	  (gnutls_certificate_credentials_t res, const gnutls_datum_t *cert,             \
	   const gnutls_datum_t *key, gnutls_x509_crt_fmt_t type, const char *pass,      \
	   unsigned int flags),                                                          \
	  (res, cert, key, type, pass, flags))                                           \
	X(int, gnutls_certificate_set_x509_system_trust,                                 \
	  (gnutls_certificate_credentials_t cred), (cred))                               \
	X(int, gnutls_certificate_set_x509_trust_file,                                   \
	  (gnutls_certificate_credentials_t cred, const char *cafile,                    \
	   gnutls_x509_crt_fmt_t type),                                                  \
	  (cred, cafile, type))                                                          \
	X(int, gnutls_certificate_set_x509_trust_mem,                                    \
	  (gnutls_certificate_credentials_t res, const gnutls_datum_t *ca,               \
	   gnutls_x509_crt_fmt_t type),                                                  \
	  (res, ca, type))                                                               \
	X(int, gnutls_certificate_verification_status_print,                             \
	  (unsigned int status, gnutls_certificate_type_t type, gnutls_datum_t *out,     \
	   unsigned int flags),                                                          \
	  (status, type, out, flags))                                                    \
	X(gnutls_cipher_algorithm_t, gnutls_cipher_get, (gnutls_session_t session),      \
	  (session))                                                                     \
	X(int, gnutls_credentials_set,                                                   \
	  (gnutls_session_t session, gnutls_credentials_type_t type, void *cred),        \
	  (session, type, cred))                                                         \
	X(int, gnutls_dh_params_import_pkcs3,                                            \
	  (gnutls_dh_params_t params, const gnutls_datum_t *pkcs3_params,                \
	   gnutls_x509_crt_fmt_t format),                                                \
	  (params, pkcs3_params, format))                                                \
	X(int, gnutls_dh_params_init, (gnutls_dh_params_t * dh_params), (dh_params))     \
	X(int, gnutls_error_is_fatal, (int error), (error))                              \
	X(int, gnutls_handshake, (gnutls_session_t session), (session))                  \
	X(int, gnutls_init, (gnutls_session_t * session, unsigned int flags),            \
	  (session, flags))                                                              \
	X(int, gnutls_priority_init,                                                     \
	  (gnutls_priority_t * priority_cache, const char *priorities,                   \
	   const char **err_pos),                                                        \
	  (priority_cache, priorities, err_pos))                                         \
	X(int, gnutls_priority_set,                                                      \
	  (gnutls_session_t session, gnutls_priority_t priority), (session, priority))   \
	X(int, gnutls_priority_set_direct,                                               \
	  (gnutls_session_t session, const char *priorities, const char **err_pos),      \
	  (session, priorities, err_pos))                                                \
	X(gnutls_protocol_t, gnutls_protocol_get_version, (gnutls_session_t session),    \
	  (session))                                                                     \
	X(int, gnutls_psk_allocate_server_credentials,                                   \
	  (gnutls_psk_server_credentials_t * sc), (sc))                                  \
	X(size_t, gnutls_record_check_pending, (gnutls_session_t session), (session))    \
	X(int, gnutls_record_get_direction, (gnutls_session_t session), (session))       \
	X(ssize_t, gnutls_record_recv,                                                   \
	  (gnutls_session_t session, void *data, size_t data_size),                      \
	  (session, data, data_size))                                                    \
	X(ssize_t, gnutls_record_send,                                                   \
	  (gnutls_session_t session, const void *data, size_t data_size),                \
	  (session, data, data_size))                                                    \
	X(int, gnutls_server_name_set,                                                   \
	  (gnutls_session_t session, gnutls_server_name_type_t type, const void *name,   \
	   size_t name_length),                                                          \
	  (session, type, name, name_length))                                            \
	X(void *, gnutls_session_get_ptr, (gnutls_session_t session), (session))         \
	X(unsigned int, gnutls_session_get_verify_cert_status,                           \
	  (gnutls_session_t session), (session))                                         \
	X(const char *, gnutls_strerror, (int error), (error))                           \
	X(int, gnutls_x509_crt_get_dn,                                                   \
	  (gnutls_x509_crt_t cert, char *buf, size_t *buf_size), (cert, buf, buf_size))  \
	X(int, gnutls_x509_crt_import,                                                   \
	  (gnutls_x509_crt_t cert, const gnutls_datum_t *data,                           \
	   gnutls_x509_crt_fmt_t format),                                                \
	  (cert, data, format))                                                          \
	X(int, gnutls_x509_crt_init, (gnutls_x509_crt_t * cert), (cert))

/* The same of those that return nothing. */
#define VOIDS(X)                                                                         \
	X(void, gnutls_certificate_free_credentials,                                     \
	  (gnutls_certificate_credentials_t sc), (sc))                                   \
	X(void, gnutls_certificate_server_set_request,                                   \
	  (gnutls_session_t session, gnutls_certificate_request_t req), (session, req))  \
	X(void, gnutls_certificate_set_dh_params,                                        \
	  (gnutls_certificate_credentials_t res, gnutls_dh_params_t dh_params),          \
	  (res, dh_params))                                                              \
	X(void, gnutls_certificate_set_retrieve_function2,                               \
	  (gnutls_certificate_credentials_t cred,                                        \
	   gnutls_certificate_retrieve_function2 * func),                                \
	  (cred, func))                                                                  \
	X(void, gnutls_certificate_set_retrieve_function3,                               \
	  (gnutls_certificate_credentials_t cred,                                        \
	   gnutls_certificate_retrieve_function3 * func),                                \
	  (cred, func))                                                                  \
	X(void, gnutls_deinit, (gnutls_session_t session), (session))                    \
	X(void, gnutls_dh_params_deinit, (gnutls_dh_params_t dh_params), (dh_params))    \
	X(void, gnutls_priority_deinit, (gnutls_priority_t priority_cache),              \
	  (priority_cache))                                                              \
	X(void, gnutls_psk_free_server_credentials,                                      \
	  (gnutls_psk_server_credentials_t sc), (sc))                                    \
	X(void, gnutls_psk_set_server_credentials_function,                              \
	  (gnutls_psk_server_credentials_t cred,                                         \
	   gnutls_psk_server_credentials_function * func),                               \
	  (cred, func))                                                                  \
	X(void, gnutls_session_set_ptr, (gnutls_session_t session, void *ptr),           \
	  (session, ptr))                                                                \
	X(void, gnutls_session_set_verify_cert,                                          \
	  (gnutls_session_t session, const char *hostname, unsigned flags),              \
	  (session, hostname, flags))                                                    \
	X(void, gnutls_session_set_verify_cert2,                                         \
	  (gnutls_session_t session, gnutls_typed_vdata_st * data, unsigned elements,    \
	   unsigned flags),                                                              \
	  (session, data, elements, flags))                                              \
	X(void, gnutls_transport_set_int2, (gnutls_session_t session, int r, int s),     \
	  (session, r, s))                                                               \
	X(void, gnutls_x509_crt_deinit, (gnutls_x509_crt_t cert), (cert))

/* ---- Where they are ---- */

#define MEMBER(type, name, parameters, arguments) __typeof__(name) *name;
#define ROW(type, name, parameters, arguments)    { #name, &late.name },

static struct {
	VALUES(MEMBER)
	VOIDS(MEMBER)
} late;
static const struct library_function functions[] = { VALUES(ROW) VOIDS(ROW) };
static struct library library = LIBRARY("libgnutls.so.30", functions);

bool gnutls_need(struct error *err)
{
	return library_need(&library, err);
}

static void load_or_end(void)
{
	struct error err = ERROR_INIT;

	if (gnutls_need(&err))
		return;
	(void)fprintf(stderr, "%s\n", err.message);
	abort();
}

static inline void need(void)
{
	if (!library_is_loaded(&library))
		load_or_end();
}

/* ---- The functions ---- */

#define FUNCTION(type, name, parameters, arguments)                                      \
	type name parameters                                                             \
	{                                                                                \
		need();                                                                  \
		return late.name arguments;                                              \
	}
#define VOID_FUNCTION(type, name, parameters, arguments)                                 \
	type name parameters                                                             \
	{                                                                                \
		need();                                                                  \
		late.name arguments;                                                     \
	}

/* clang-format off */
VALUES(FUNCTION)
VOIDS(VOID_FUNCTION)
/* clang-format on */

/* libmicrohttpd says these of itself, with TLS or without. GnuTLS is set up by being loaded,
 * and stays. */
int gnutls_global_init(void)
{
	return GNUTLS_E_SUCCESS;
}

void gnutls_global_deinit(void)
{
}

/* What the library's own variables say too. */
#undef gnutls_free
gnutls_alloc_function gnutls_malloc = malloc;
gnutls_free_function gnutls_free = free;
