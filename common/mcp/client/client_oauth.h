/*
 * client_oauth -- how a client gets tokens for a server that wants some (OAuth 2.1 as
 * PROTOCOL 6.2 has it). Part of mcp/client/client.h.
 *
 * Nothing happens until the server refuses a request with 401, or with 403 for lack of
 * scope. Then it is found out where tokens are to be had, a person is asked (or, for an
 * unattended client, its own credentials are shown), and the request goes out again. A
 * token is bound to the server, to the resource that it names and to who issued it; when
 * the server names another issuer, all that the former one gave is forgotten. Tokens are
 * in memory alone, unless 'store' keeps them.
 *
 * Who is trusted: the server (its URL is the operator's choice) chooses the issuer, and
 * the issuer its endpoints. Everything they name is https, or http on loopback when the
 * server itself is that; no redirect is followed; and a server on the public internet
 * cannot send us to an address that is not, unless 'private_issuer' says that it may.
 * The authorization URL is not fetched here at all.
 */
#ifndef MCP_CLIENT_OAUTH_H
#define MCP_CLIENT_OAUTH_H

#include <stdatomic.h>

#include "base/secret.h"

/* Everything is borrowed until the client is freed. Hooks are called by whichever thread
 * sends a request, one at a time; must not use the client. */
struct mcp_client_oauth {
	void *context;

	/* ---- Who we are: the first that can be used ---- */
	/* Registered beforehand. 'issuer' NULL: with whomever the server names first, which
	 * trusts the server with the secret; better say. */
	const char *issuer;
	const char *client_id;
	const struct secret *client_secret;
	const struct secret *signing_key; /* PEM, P-256, for private_key_jwt */
	const char *signing_kid;          /* NULL: none */
	/* The https URL of our Client ID Metadata Document. */
	const char *metadata_url;
	/* Otherwise we register ourselves, where that is possible, as options.name. */

	/* ---- How ---- */
	/* https, or http on loopback (any port that 'authorize' listens at). */
	const char *redirect_uri;
	/* Without a person: the client_credentials grant. Wants client_id, and a secret or
	 * a key; 'authorize' and 'redirect_uri' are not used. */
	bool is_unattended;
	/* Ask for a refresh token where the issuer says that it gives some. */
	bool is_offline;
	bool private_issuer;

	/*
	 * Have a person open 'url' (https, or http on loopback; made of what the server
	 * says, so shown in full and never given to a shell), and append the whole URL
	 * that the browser was sent back to. How long that may take is its own business;
	 * it does not count as the request's time. '*cancel' (may be NULL) says that
	 * nobody waits any more. False with 'err' when nothing came back.
	 */
	bool (*authorize)(void *context, const char *url, const atomic_bool *cancel,
			  struct strbuf *ret, struct error *err);

	/* Tokens and registration, for the next run: one text for each server's URL, to be
	 * kept like a password. Both or none. 'load' gives a new secret or NULL; a 'value'
	 * of NULL means that what was kept is to be forgotten. */
	struct secret *(*load)(void *context, const char *server);
	void (*store)(void *context, const char *server, const struct secret *value);
};

#endif
