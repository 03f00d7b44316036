#include "link/coordination/coordination_config.h"

#include "base/digest.h"

enum { INSTANCE_PLAIN_MAX = 40, INSTANCE_HEX = 32 };

static const char prefix_default[] = "wingman";

void coord_config_decode(struct coord_config *c, const json_t *store)
{
	const json_t *redis = json_object_get(store, "redis");
	const json_t *tls = json_object_get(redis, "tls");
	const char *prefix = json_get_string(redis, "prefix");
	const char *address = json_get_string(redis, "address");
	bool is_socket = address && *address == '/';

	*c = (struct coord_config){
		.is_redis = redis != NULL,
		.prefix = prefix ? prefix : prefix_default,
		.redis = {
			.socket = is_socket ? address : NULL,
			.host = is_socket ? NULL : address,
			.port = (uint16_t)json_get_int64(redis, "port", 0),
			.user = json_get_string(redis, "user"),
			.password_file = json_get_string(redis, "password_file"),
			.tls = tls != NULL,
			.tls_ca = json_get_string(tls, "ca"),
			.tls_certificate = json_get_string(tls, "certificate"),
			.tls_key = json_get_string(tls, "key"),
			.timeout_ms = json_get_int64(redis, "timeout_ms", 0),
			.assume_durable =
				json_is_true(json_object_get(redis, "assume_durable")),
		},
	};
}

bool coord_config_read(const struct coord_config *c, const struct statedir *dir,
		       struct coord_redis_access **ret, struct error *err)
{
	struct coord_redis_config redis = c->redis;
	const char **const files[] = { &redis.password_file, &redis.tls_ca,
				       &redis.tls_certificate, &redis.tls_key };
	char *whole[ARRAY_SIZE(files)] = { NULL };
	struct coord_redis_access *access = NULL;
	bool good = true;

	if (c->is_redis) {
		for (size_t i = 0; i < ARRAY_SIZE(files) && good; i++) {
			if (!*files[i])
				continue;
			whole[i] = statedir_file(dir, *files[i]);
			good = whole[i] || error_oom(err);
			*files[i] = whole[i];
		}
		access = good ? coord_redis_access_read(&redis, err) : NULL;
		good = access != NULL;
		for (size_t i = 0; i < ARRAY_SIZE(files); i++)
			free(whole[i]);
	}
	if (good)
		*ret = access;
	return good;
}

/* An instance may be called what no key may be. */
static void add_instance(struct strbuf *sb, const char *instance)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789._:@-";
	size_t length = strlen(instance);
	char hex[DIGEST_HEX_BYTES];

	strbuf_add_char(sb, '/');
	if (length <= INSTANCE_PLAIN_MAX && strspn(instance, chars) == length) {
		strbuf_add_string(sb, instance);
		return;
	}
	digest_sha256_hex(instance, length, hex);
	strbuf_add(sb, hex, INSTANCE_HEX);
}

static struct coordination *open_redis(const struct coord_config *c,
				       struct coord_redis_access **access,
				       const char *program, const char *instance,
				       struct error *err)
{
	_cleanup_strbuf_ struct strbuf prefix = STRBUF_INIT;

	strbuf_add_format(&prefix, "%s/%s", c->prefix, program);
	if (instance)
		add_instance(&prefix, instance);
	if (strbuf_ok(&prefix))
		return coord_open_redis(access, prefix.data, err);
	coord_redis_access_free(TAKE(*access));
	error_oom(err);
	return NULL;
}

struct coordination *coord_config_open(const struct coord_config *c,
				       struct coord_redis_access **access,
				       const char *program, const char *instance,
				       const char *path, struct error *err)
{
	_cleanup_(coord_closep) struct coordination *shared = NULL;
	struct coordination *own;

	if (!*access)
		return coord_open_sqlite(path, err);
	shared = open_redis(c, access, program, instance, err);
	if (!shared || !instance)
		return TAKE(shared);
	own = coord_open_sqlite(path, err);
	return own ? coord_open_kept(TAKE(shared), own, err) : NULL;
}
