/* What reads like a prompt of ours, or like the end of one. */
#include "base/text.h"
#include "slack/markdown/private.h"

/* Letters and digits alone, folded. */
static const char *const whole[] = {
	"approve",
	"deny",
	"approvedeny",
	"denysaywhy",
	"approvedenydenysaywhy",
	"review",
	"reviewthecall",
	"denythecall",
	"thisisover",
	"howitended",
	"writtenbytheassistant",
	"writtenbytheserver",
	"writtenbytherequester",
	"cancelmyrequest",
	"revoketheapproval",
};
/* ... and whatever follows. */
static const char *const begins[] = {
	"approvethiscall", "approveachange", "approveallofthesecalls",
	"approvetoolcall", "approvalneeded", "approvedby",
	"deniedby",
};

static bool letters_of(struct strbuf *sb, const char *line, struct error *err)
{
	_cleanup_strbuf_ struct strbuf folded = STRBUF_INIT;

	if (!text_fold(&folded, line, strlen(line), err))
		return false;
	for (size_t i = 0; i < folded.length; i++)
		if ((folded.data[i] >= 'a' && folded.data[i] <= 'z') ||
		    (folded.data[i] >= '0' && folded.data[i] <= '9'))
			strbuf_add_char(sb, folded.data[i]);
	return strbuf_ok(sb) || error_oom(err);
}

static bool is_ascii(const char *text)
{
	while (*text && (unsigned char)*text < 0x80)
		text++;
	return !*text;
}

/* As it is read, whatever alphabet its letters are of. */
static bool reads_like(const char *letters, const char *ours, bool is_whole)
{
	_cleanup_strbuf_ struct strbuf skeleton = STRBUF_INIT;

	/* None of ours begins with a letter that is read as another. */
	if (letters[0] != ours[0] || !text_skeleton(&skeleton, ours, strlen(ours)))
		return false;
	return is_whole ? strcmp(letters, skeleton.data) == 0
			: strncmp(letters, skeleton.data, skeleton.length) == 0;
}

static bool looks_like_ours(struct markdown *m, const char *line)
{
	_cleanup_strbuf_ struct strbuf skeleton = STRBUF_INIT, letters = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (!text_skeleton(&skeleton, line, strlen(line)))
		return false;
	if (skeleton.failed || !letters_of(&letters, skeleton.data, &err)) {
		m->failed = true;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		if (reads_like(letters.data, whole[i], true))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		if (reads_like(letters.data, begins[i], false))
			return true;
	return false;
}

bool markdown_is_like_ours(struct markdown *m, const char *line)
{
	_cleanup_strbuf_ struct strbuf letters = STRBUF_INIT;
	struct error err = ERROR_INIT;

	if (!letters_of(&letters, line, &err)) {
		m->failed = true;
		return true;
	}
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
		if (strcmp(letters.data, whole[i]) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(begins); i++)
		if (strncmp(letters.data, begins[i], strlen(begins[i])) == 0)
			return true;
	return !is_ascii(line) && looks_like_ours(m, line);
}
