/*
 * client_oauth_private -- what the files of the client's authorization share. Private to
 * client_oauth*.c and to client_http.c, client_request.c, client_open.c.
 *
 * client_oauth.c           life, the token that goes out, what is refused with 401 and 403
 * client_oauth_flow.c      from a challenge to a token
 * client_oauth_fetch.c     documents and answers, bounded
 * client_oauth_resource.c  the server's metadata (RFC 9728)
 * client_oauth_issuer.c    the authorization server's (RFC 8414, OpenID Connect)
 * client_oauth_register.c  who we are there
 * client_oauth_code.c      asking a person; what the browser brings back
 * client_oauth_token.c     the token endpoint
 * client_oauth_store.c     what is kept for the next run
 */
#ifndef MCP_CLIENT_OAUTH_PRIVATE_H
#define MCP_CLIENT_OAUTH_PRIVATE_H

#include <pthread.h>

#include "base/json.h"
#include "base/jwt_sign.h"
#include "link/http/http_client_stream.h"
#include "mcp/client/client_oauth.h"
#include "mcp/client/oauth_challenge.h"
#include "mcp/client/oauth_pkce.h"

enum {
	CLIENT_OAUTH_DOCUMENT_MAX = 64 * 1024, /* bytes of metadata or an answer */
	CLIENT_OAUTH_ISSUERS_MAX = 8, /* of those a server names; more are passed over */
	CLIENT_OAUTH_ID_MAX = 1024,   /* of a client's id */
	CLIENT_OAUTH_TOKEN_MAX = 16 * 1024,    /* of a token, a client's secret, a code */
	CLIENT_OAUTH_REDIRECT_MAX = 32 * 1024, /* of a URL that came back */
	CLIENT_OAUTH_TRIES_MAX = 4,            /* of one request, to get a better token */
};

/* How we say at the token endpoint who we are. */
enum oauth_method {
	OAUTH_METHOD_NONE = 1,
	OAUTH_METHOD_BASIC = 2,
	OAUTH_METHOD_POST = 4,
	OAUTH_METHOD_JWT = 8,
};

/* What the server says of itself. */
struct oauth_resource {
	char resource[OAUTH_URL_MAX + 1];
	char scopes[OAUTH_SCOPE_MAX + 1];
	char issuers[CLIENT_OAUTH_ISSUERS_MAX][OAUTH_URL_MAX + 1];
	size_t issuer_count;
	bool is_guessed; /* it says nothing: revision 2025-03-26 */
};

/* What an authorization server says of itself. */
struct oauth_place {
	char issuer[OAUTH_URL_MAX + 1];
	char authorization_endpoint[OAUTH_URL_MAX + 1]; /* "": none */
	char token_endpoint[OAUTH_URL_MAX + 1];
	char registration_endpoint[OAUTH_URL_MAX + 1]; /* "": none */
	unsigned methods; /* mask of enum oauth_method, of those that are known here */
	bool has_methods; /* it lists some */
	bool takes_documents; /* client ID metadata documents */
	bool tells_issuer;    /* in its answer to the browser (RFC 9207) */
	bool has_s256;
	bool is_offline; /* offline_access is among its scopes */
	bool is_guessed; /* no metadata: revision 2025-03-26 */
};

/* Who we are at an issuer. */
struct oauth_identity {
	char id[CLIENT_OAUTH_ID_MAX + 1]; /* "": nobody yet */
	enum oauth_method method;
	struct secret *secret;   /* owned; NULL: none */
	bool is_registered;      /* by ourselves */
	int64_t secret_until_ms; /* clock_wall_ms; 0: for ever */
};
void oauth_identity_done(struct oauth_identity *i);

struct oauth_tokens {
	struct secret *access, *refresh; /* owned; NULL: none */
	int64_t renew_ms; /* from then on, clock_wall_ms; 0: not before it is refused */
};
void oauth_tokens_done(struct oauth_tokens *t);

struct client_oauth {
	const struct mcp_client_oauth *options;
	struct http_client *http;
	char *server; /* its URL */
	char *name;
	struct jwt_signer *signer; /* NULL: none */
	atomic_llong asked_ms;     /* that people took */
	atomic_bool is_private;    /* the server's address is */
	pthread_mutex_t flow;      /* held by who gets tokens; guards down to 'lock' */
	struct oauth_resource resource;
	struct oauth_place place; /* issuer "": nothing is known yet */
	bool has_place;           /* endpoints are known too, not just what was kept */
	struct oauth_identity identity;
	char bound[OAUTH_URL_MAX +
		   1];    /* where options.client_id is known; "": not told yet */
	int64_t fresh_ms; /* when, clock_mono_ms; 0: not in this process */
	char requested[OAUTH_SCOPE_MAX + 1]; /* all that was ever asked for there */
	pthread_mutex_t lock;                /* guards all below; within 'flow' */
	struct oauth_tokens tokens;
	uint64_t generation; /* of 'tokens'; counts */
};

/* What a request went through; zeros at its beginning. */
struct client_oauth_try {
	unsigned count;
	uint64_t generation;              /* of the token that it went out with */
	bool is_refreshed, is_fresh;      /* for it, tokens were refreshed, or got anew */
	char asked[OAUTH_SCOPE_MAX + 1];  /* when they were got anew */
	struct oauth_challenge challenge; /* of the last answer */
};

/* One way from a challenge to tokens. */
struct oauth_flow {
	struct client_oauth *o;
	const atomic_bool *cancel;
	int64_t until_ms; /* clock_mono_ms, of what we fetch */
};

/* ---- client_oauth.c ---- */
struct client_oauth *client_oauth_new(const struct mcp_client_oauth *options,
				      const char *url, const char *name,
				      struct http_client *http,
				      struct error *err) _must_use_;
void client_oauth_free(struct client_oauth *o);
/* The token that goes out next, a new secret; '*ret' NULL: none. Renews one that is about
 * to end. False only without memory. */
bool client_oauth_token(struct client_oauth *o, struct client_oauth_try *t,
			const atomic_bool *cancel, int64_t until_ms, struct secret **ret,
			struct error *err);
/* A reply came: what it wants. */
void client_oauth_note(struct client_oauth *o, struct client_oauth_try *t,
		       struct http_client_stream *s);
/* It was refused with this status. True: send it again. Else 'err', where there is more
 * to say than the refusal. */
bool client_oauth_mend(struct client_oauth *o, struct client_oauth_try *t, int status,
		       const atomic_bool *cancel, int64_t until_ms, struct error *err);
/* Counts with every token: another one may be somebody else's. */
uint64_t client_oauth_generation(struct client_oauth *o);
/* How long people took so far, in all. */
int64_t client_oauth_asked_ms(struct client_oauth *o);

/* ---- client_oauth_flow.c ---- */
struct oauth_got {
	struct oauth_tokens tokens;
	bool is_fresh;                   /* got anew, not by a refresh token */
	char asked[OAUTH_SCOPE_MAX + 1]; /* the scopes, if so */
};
/* By whatever way there is; 'is_refresh' allows the refresh token. '*ret' begins as zeros;
 * its tokens are the caller's to end, also on failure. */
bool client_oauth_get(struct oauth_flow *f, const struct oauth_challenge *challenge,
		      bool is_refresh, struct oauth_got *ret, struct error *err);
/* Without a person, at an issuer whose endpoints are known. */
bool client_oauth_refresh(struct oauth_flow *f, struct oauth_tokens *ret,
			  struct error *err);

/* ---- client_oauth.c ---- */
/* 'flow' is held. */
void client_oauth_forget_tokens(struct client_oauth *o);

/* ---- client_oauth_fetch.c ---- */
/* Whether a URL that a stranger named may be used: as oauth_url_read has it, and no http
 * for a server with https. */
bool oauth_may_fetch(const struct client_oauth *o, const char *url);
/* A text member that is such a URL. '*ret' stays "" when there is none; false when there is one that may not be used. */
bool oauth_read_url(const struct client_oauth *o, const json_t *object, const char *name,
		    char ret[static OAUTH_URL_MAX + 1]);
/* GET. ERR_NOT_FOUND when there is no JSON object, which a further place may have. */
json_t *oauth_fetch(const struct oauth_flow *f, const char *url, struct error *err);
/* POST. The object that came, with any status, or NULL with 'err'. Nothing of 'body' is in 'err'.
 * 'headers' as in http_client_request. */
json_t *oauth_post(const struct oauth_flow *f, const char *url,
		   const struct http_client_header *headers, const struct strbuf *body,
		   int *ret_status, struct error *err);
/* "invalid_grant" of an error reply; "" when it says none that can be shown. */
void oauth_error_of(const json_t *reply, char ret[static OAUTH_ERROR_MAX + 1]);
/* One name and value of application/x-www-form-urlencoded, "&" before all but the first. */
void oauth_form_add(struct strbuf *sb, const char *name, const char *value);
void oauth_form_encode(struct strbuf *sb, const char *text);

/* ---- client_oauth_resource.c ---- */
bool oauth_find_resource(const struct oauth_flow *f,
			 const struct oauth_challenge *challenge,
			 struct oauth_resource *ret, struct error *err);
/* Whether the resource of some metadata is the server, or what the server is within. */
bool oauth_resource_covers(const char *resource, const char *server);

/* ---- client_oauth_issuer.c ---- */
bool oauth_find_place(const struct oauth_flow *f, const char *issuer, bool may_guess,
		      struct oauth_place *ret, struct error *err);

/* ---- client_oauth_register.c ---- */
/* f->o->identity, at f->o->place, unless it is there. */
bool oauth_identify(struct oauth_flow *f, struct error *err);
unsigned oauth_method_of(const char *name); /* 0: not known */

/* ---- client_oauth_code.c ---- */
/* A code for the scopes ("": none are named), by a person. 'verifier' is an output. */
struct secret *oauth_ask(struct oauth_flow *f, const char *scope,
			 char verifier[static OAUTH_PKCE_BYTES], struct error *err);
/* The code of the URL that the browser was sent to. */
struct secret *oauth_read_redirect(const struct oauth_place *place,
				   const char *redirect_uri, const char *url,
				   const char *state, struct error *err);

/* ---- client_oauth_token.c ---- */
bool oauth_request_by_code(struct oauth_flow *f, const struct secret *code,
			   const char *verifier, struct oauth_tokens *ret,
			   struct error *err);
bool oauth_request_by_refresh(struct oauth_flow *f, const struct secret *refresh,
			      struct oauth_tokens *ret, struct error *err);
bool oauth_request_by_credentials(struct oauth_flow *f, const char *scope,
				  struct oauth_tokens *ret, struct error *err);

/* ---- client_oauth_store.c ---- */
/* 'flow' is held. */
void client_oauth_load(struct client_oauth *o);
void client_oauth_save(struct client_oauth *o);

#endif
