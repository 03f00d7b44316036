/*
 * json -- strict JSON in two profiles, on jansson.
 *
 * JSON_SYNTAX is RFC 8259 read strictly: UTF-8 only, no BOM, no duplicate keys,
 * no lone surrogates, nothing after the value; "\u0000" is allowed, and numbers
 * of any size are (a number that jansson cannot hold as int64 becomes a double;
 * one that overflows a double is refused).
 * JSON_CONTRACT is what may be signed or executed: I-JSON (so no noncharacters of
 * Unicode) without NUL, integers within +-(2^53-1), and every number must read the
 * same after it has been written canonically (see json_parse).
 * Both have the limits below, and both refuse what RFC 8259 refuses.
 *
 * Values are jansson's; 'json_auto_t' ends them with their scope. Results are
 * new references unless a function says borrowed.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>

#include "base/error.h"
#include "base/strbuf.h"

enum json_profile { JSON_SYNTAX, JSON_CONTRACT };

enum {
	JSON_DEPTH_MAX = 64,
	JSON_TEXT_MAX = 16 * 1024 * 1024,
};
#define JSON_INTEGER_MAX INT64_C(9007199254740991)

/*
 * Parse exactly one value of any type. ERR_INVALID_ARGUMENT says what and at
 * which byte. In JSON_CONTRACT a number token is refused when it is an integer
 * (no fraction, no exponent) beyond +-(2^53-1), when it overflows or underflows,
 * or when its exact decimal value differs from that of its canonical form
 * (0.1 is fine; 0.10000000000000000001 and 1e400 are not; 1.0, 1e2 and -0 are
 * accepted and canonicalise to 1, 100 and 0), or when its canonical form would be
 * an integer beyond +-(2^53-1), which could not be read again (1e16 to below 1e21).
 * 1.0 and 1e2 are json_real in the tree: ask json_get_int64, or for an integral value.
 * In JSON_SYNTAX member names may hold NULs: iterate with json_object_iter_key_len.
 */
json_t *json_parse(const char *text, size_t length, enum json_profile profile,
		   struct error *err) _must_use_;

/* The rules of JSON_CONTRACT on a value that was built or parsed elsewhere. */
bool json_check_contract(const json_t *value, struct error *err);
/* Those for a string. */
bool json_check_text(const char *text, size_t length, struct error *err);

/* Compact text of 'value', members in their order, appended to 'sb'. False only
 * for lack of memory or depth. Not canonical; see base/canonical.h. */
bool json_write(struct strbuf *sb, const json_t *value, struct error *err);

/*
 * Decoding by table: the members of an object into a struct. Unknown members,
 * missing required ones and wrong types are ERR_INVALID_ARGUMENT naming the member.
 * JSON_FIELD_STRING stores a borrowed 'const char *' (valid while the object
 * lives; refused when it holds a NUL), INT64 an int64_t, BOOL a bool, and
 * OBJECT, ARRAY, ANY a borrowed 'json_t *'. Absent optional members leave the
 * struct as it was. The table ends with a row of zeros.
 */
enum json_field_type {
	JSON_FIELD_END = 0,
	JSON_FIELD_STRING,
	JSON_FIELD_INT64,
	JSON_FIELD_BOOL,
	JSON_FIELD_OBJECT,
	JSON_FIELD_ARRAY,
	JSON_FIELD_ANY,
};
enum { JSON_FIELD_REQUIRED = 1 };

struct json_field {
	const char *name;
	enum json_field_type type;
	size_t offset;
	unsigned flags;
};

/* 'what' begins the message: "gate message 'decide'", "configuration". */
bool json_decode(const json_t *object, const struct json_field *fields, void *target,
		 const char *what, struct error *err);

/* Borrowed string member of an object, or NULL when absent, no string, or with a NUL. */
const char *json_get_string(const json_t *object, const char *name);
/* Put a text there; NULL: nothing. False without memory, and where 'object' is NULL: what
 * json_pack's "s*" then leaves out would be missed. */
bool json_put_string(json_t *object, const char *name, const char *text);
/* Integer member (2 or 2.0), or 'fallback'. */
int64_t json_get_int64(const json_t *object, const char *name, int64_t fallback);

#endif
