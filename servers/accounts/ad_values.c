#include "servers/accounts/ad_values.h"

#include <errno.h>

#include "base/strbuf.h"
#include "base/text.h"

/* Between 1601 and 1970. */
#define EPOCH_MS INT64_C(11644473600000)

enum { GUID_DIGITS = 32, NAME_MAX_BYTES = 1024 };

/* Where in a GUID's text each byte of it stands. */
static const unsigned char places[GUID_DIGITS / 2] = { 6,  4,  2,  0,  11, 9,  16, 14,
						       19, 21, 24, 26, 28, 30, 32, 34 };

/* A whole decimal number. */
static bool read_number(const char *text, int64_t *ret)
{
	const char *digits = text + (*text == '-');
	char *end;
	long long value;

	if (!*digits || digits[strspn(digits, "0123456789")] != '\0')
		return false;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno != 0 || *end)
		return false;
	*ret = value;
	return true;
}

bool ad_control_parse(const char *text, uint32_t *ret)
{
	int64_t value;

	if (!read_number(text, &value) || value < INT32_MIN || value > UINT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

const char *ad_control_format(uint32_t control, char ret[static AD_NUMBER_BYTES])
{
	(void)snprintf(ret, AD_NUMBER_BYTES, "%d", (int32_t)control);
	return ret;
}

int64_t ad_time_ms(const char *filetime)
{
	int64_t value, ms;

	if (!read_number(filetime, &value) || value <= 0 || value == INT64_MAX)
		return 0;
	ms = value / 10000 - EPOCH_MS;
	return ms > 0 ? ms : 0;
}

bool ad_same_name(const char *a, const char *b)
{
	_cleanup_strbuf_ struct strbuf left = STRBUF_INIT, right = STRBUF_INIT;
	struct error odd = ERROR_INIT;

	/* What is no text, or cannot be compared, is not the same. */
	return strlen(a) <= NAME_MAX_BYTES && strlen(b) <= NAME_MAX_BYTES &&
	       text_fold_case(&left, a, strlen(a), &odd) &&
	       text_fold_case(&right, b, strlen(b), &odd) &&
	       left.length == right.length &&
	       memcmp(left.data, right.data, left.length) == 0;
}

static bool is_hex(const char *text, size_t length)
{
	return strspn(text, "0123456789abcdef") >= length;
}

bool ad_guid_format(const char *hex, char ret[static AD_GUID_BYTES])
{
	if (strlen(hex) != GUID_DIGITS || !is_hex(hex, GUID_DIGITS))
		return false;
	memset(ret, '-', AD_GUID_BYTES - 1);
	ret[AD_GUID_BYTES - 1] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		memcpy(ret + places[i], hex + 2 * i, 2);
	return true;
}

bool ad_guid_parse(const char *guid, char ret[static AD_GUID_BYTES])
{
	char again[AD_GUID_BYTES];

	if (strlen(guid) != AD_GUID_BYTES - 1)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		memcpy(ret + 2 * i, guid + places[i], 2);
	ret[GUID_DIGITS] = '\0';
	return ad_guid_format(ret, again) && strcmp(again, guid) == 0;
}
